"""Four people place holds without pause, each just ahead of a backlog that is being
deleted; none is told of protection that does not hold, nor of a deletion that was none."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from retention.model.localtime import format_utc
from retention.model.values import DAY, SECOND
from tests.support import campaign
from tests.support.room import instant

HOLDS = 10_000
PLACERS = 4
LENGTH = 15 * SECOND
CAMERAS = ("1001", "1002", "1003")
PLACING = Path(__file__).parents[2] / "support" / "placing.py"


def placer(order: dict[str, Any], told: Path) -> subprocess.Popen[str]:
    with told.open("w") as out:
        made = subprocess.Popen(
            [sys.executable, PLACING], text=True, stdin=subprocess.PIPE, stdout=out
        )
    json.dump(order, made.stdin)
    made.stdin.close()
    return made


def test_thousands_of_holds_beside_a_backlog_and_no_answer_is_false(
    room, people, tmp_path
):
    each = campaign.share(HOLDS, 25) // PLACERS
    due = instant("03/11/2026 03:00")
    start = due - 28 * DAY
    end = start + each * 6 * LENGTH
    place = room(format_utc(due - 1000 * SECOND))
    filmed = {camera: place.film(camera, start, end, LENGTH) for camera in CAMERAS}
    place.install()
    order = {
        "socket": str(place.settings.socket), "holds": each, "length": LENGTH // SECOND,
        "cameras": {
            camera: [
                ((start + n * LENGTH) // SECOND, str(file))
                for n, file in enumerate(files)
            ]
            for camera, files in filmed.items()
        },
    }  # fmt: skip
    told = [tmp_path / f"{number}.told" for number in range(PLACERS)]
    placers = [
        placer(order | {"seed": f"{campaign.SEED} {file.name}"}, file) for file in told
    ]
    place.pass_until(due)
    while any(one.poll() is None for one in placers):
        if place.now < end + 28 * DAY:
            place.pass_until(place.now + 3 * LENGTH)
        time.sleep(0.05)
    heard = [
        json.loads(line) for file in told for line in file.read_text().splitlines()
    ]
    assert len(heard) == each * PLACERS
    place.cycle()

    files = {str(file) for made in filmed.values() for file in made}
    left = {file for file in files if Path(file).exists()}
    for one in heard:
        kept = left & set(one["asked"])
        gone = len(one["asked"]) - len(kept)
        assert set(one["there"]) <= left, one
        assert one["follows"] or (one["protected"], one["deleted"]) == (
            len(kept), gone,
        ), one  # fmt: skip
    done = place.entries("recordings.deleted")
    assert sum(one["fields"]["deleted"] for one in done) == len(files - left) > 0
    place.stop_service()
    assert place.verify().ok
