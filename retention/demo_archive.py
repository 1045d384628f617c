"""The demo's small archive: which files two recorders would have left in 31 days.

Pure but for `write`.  Given `now`, the list says by itself what must become of each
file, and names are made here from the calendar alone: nothing that is shown to work
has a part in what it is measured by.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from retention.model import DAY, HOUR, MINUTE, SECOND, Micros, Window

DAYS = 28
ZONE = "Europe/London"
SPAN: Micros = 31 * DAY
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOLERANCE: Micros = 5 * MINUTE
"""Kept around a hold, unless told otherwise."""

CLIP: Micros = 10 * SECOND
"""How long the seed clip plays."""

WITNESS: Micros = 25 * SECOND
"""After this time one recording falls due, for people to see.  No other does within
twenty minutes, when the demo is long over."""

CAMERAS = """\
camera_id,location,view,kind,custody,lon,lat
1001,"Market Place, east side",Stalls and the clock tower,public_space,council,-1.1331,52.6347
1002,"Market Place, west side",Taxi rank,public_space,council,-1.1342,52.6345
1003,Station Approach,Steps and bus stops,public_space,council,-1.1253,52.6315
1004,River Walk car park,Both barriers,car_park,council,-1.1389,52.6291
9001,Inner Ring Road at Mill Lane,Number plates eastbound,anpr,police,-1.1297,52.6402
"""

NVR1 = {"market-east": "1001", "market-west": "1002"}
NVR2 = {"station": "1003", "river-walk": "1004"}
ANPR = ("anpr-mill-lane", "9001")

_SETTINGS = """\
site = "demo"
contact = "nobody: this is a demonstration"
timezone = "{zone}"
state_directory = "{place}/state"
socket = "{place}/api.sock"
spool = "{place}/spool"
cameras = "{place}/cameras.csv"

[retention]
days = {days}
cycle = "1s"                        # once a minute where people work
scan = "1s"
release_requires_two_people = false # there is only you
require_login_uid = false

[access]                            # your own group for every role
operators = [{group}]
supervisors = [{group}]
auditors = [{group}]
administrators = [{group}]

[[root]]
name = "nvr1"                       # MediaMTX: local times, a file an hour
path = "{place}/footage/nvr1"
layout = "mediamtx"
timezone = "{zone}"
recorder_keeps = "40d"
[root.cameras]
{nvr1}

[[root]]
name = "nvr2"                       # Frigate: UTC, ten-second files of what moves
path = "{place}/footage/nvr2"
layout = "frigate"
recorder_keeps = "40d"
[root.cameras]
{nvr2}
"""

Why = Literal["recording", "police", "stranger"]


@dataclass(frozen=True, slots=True)
class File:
    """One file of the archive; `path` is below the footage directory.

    Footage of [start, end); only where `why` is "recording" is it this program's.
    """

    path: str
    camera: str
    start: Micros
    end: Micros
    why: Why = "recording"

    @property
    def due(self) -> Micros:
        """When its retention period is over."""
        return self.end + DAYS * DAY

    def goes(self, now: Micros, holds: Iterable[Asked]) -> bool:
        """Whether it must be gone at `now`: ours, due, and overlapped by no hold."""
        return self.why == "recording" and self.due <= now and not self.held(holds)

    def held(self, holds: Iterable[Asked]) -> bool:
        """Whether a hold overlaps it."""
        return any(
            hold.camera == self.camera
            and self.start < hold.window.end
            and hold.window.start < self.end
            for hold in holds
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A hold on one camera: the times as people type them, and what that keeps.

    `before` is three hours before `since`, as people type it.
    """

    camera: str
    before: str
    since: str
    until: str
    window: Window


def asked(
    now: Micros, camera: str, since: tuple[int, int, int], until: tuple[int, int, int]
) -> Asked:
    """A hold from and to (days back, hour, minute) on the site's clocks; no hour that
    the clocks repeat or leave out."""
    first, last = _wall(now, *since), _wall(now, *until)
    return Asked(
        camera,
        _typed(first - timedelta(hours=3)),
        _typed(first),
        _typed(last),
        Window(_instant(first) - TOLERANCE, _instant(last) + TOLERANCE),
    )


def _wall(now: Micros, days: int, hour: int, minute: int) -> datetime:
    day = (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(ZONE)).date()
    day -= timedelta(days=days)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=ZoneInfo(ZONE))


def _typed(wall: datetime) -> str:
    return f"{wall:%Y-%m-%d %H:%M}"


def _instant(wall: datetime) -> Micros:
    return int(wall.timestamp()) * SECOND


def seed() -> bytes:
    """The clip that every file of the archive is a copy of."""
    return files("retention").joinpath("data", "seed.mp4").read_bytes()


def locations() -> dict[str, str]:
    """Where the cameras are whose footage is ours, by id."""
    rows = csv.DictReader(io.StringIO(CAMERAS))
    return {
        row["camera_id"]: row["location"] for row in rows if row["custody"] == "council"
    }


def settings_text(place: Path, group: str) -> str:
    """The configuration of a demo in the directory `place`, for members of `group`."""
    return _SETTINGS.format(
        place=place,
        group=json.dumps(group),
        zone=ZONE,
        days=DAYS,
        nvr1=_mapping({**NVR1, ANPR[0]: ANPR[1]}),
        nvr2=_mapping(NVR2),
    )


def _mapping(names: dict[str, str]) -> str:
    return "\n".join(f'"{name}" = "{camera}"' for name, camera in names.items())


def archive(now: Micros) -> list[File]:
    """Every file, oldest first, as the recorders had left it at `now`."""
    found = [
        *(file for name in NVR1 for file in _hourly(name, now)),
        *(file for name in NVR2 for file in _events(name, now)),
        witness(now),
        _nvr1(*ANPR, _hour(now, 30 * 24), now - 30 * DAY, "police"),
        File("nvr2/copied by hand.mp4", "", now - 40 * DAY, now - 40 * DAY, "stranger"),
    ]
    return sorted(found, key=lambda file: (file.end, file.path))


def witness(now: Micros) -> File:
    """The recording that falls due `WITNESS` after `now`."""
    end = (now + WITNESS - DAYS * DAY) // SECOND * SECOND
    return _nvr2("river-walk", end - CLIP)


def _hour(now: Micros, back: int) -> Micros:
    """A start of an hourly file: half an hour past what `now` is a multiple of, and
    some microseconds as recorders have them; they tell the hours apart that the
    clocks give the same name in autumn."""
    return now - back * HOUR - HOUR // 2 + back * 7_919 % 1_000_000


def _hourly(name: str, now: Micros) -> Iterator[File]:
    """One file after another, each until the next begins."""
    for back in range(SPAN // HOUR, 0, -1):
        yield _nvr1(name, NVR1[name], _hour(now, back), _hour(now, back - 1))


def _events(name: str, now: Micros) -> Iterator[File]:
    """Something moves every eight hours, for three files of ten seconds."""
    for back in range(SPAN // (8 * HOUR), 0, -1):
        first = (now - back * 8 * HOUR + 40 * MINUTE) // SECOND * SECOND
        yield from (_nvr2(name, first + i * CLIP) for i in range(3))


def _nvr1(
    name: str, camera: str, start: Micros, end: Micros, why: Why = "recording"
) -> File:
    path = _calendar(start, ZoneInfo(ZONE), f"nvr1/{name}/%Y-%m-%d_%H-%M-%S-%f.mp4")
    return File(path, camera, start, end, why)


def _nvr2(name: str, start: Micros) -> File:
    path = _calendar(start, UTC, f"nvr2/%Y-%m-%d/%H/{name}/%M.%S.mp4")
    return File(path, NVR2[name], start, start + CLIP)


def _calendar(instant: Micros, zone: tzinfo, form: str) -> str:
    moment = _EPOCH + timedelta(microseconds=instant)
    return moment.astimezone(zone).strftime(form)


def write(footage: Path, found: Iterable[File]) -> int:
    """Make the files, each with the mtime that its recorder left; bytes written."""
    clip, total = seed(), 0
    for file in found:
        path = footage / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(clip)
        os.utime(path, ns=(file.end * 1000, file.end * 1000))
        total += len(clip)
    return total
