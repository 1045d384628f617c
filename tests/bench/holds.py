"""Holds at ten million recordings: stored, answered, and what they add to a cycle.

    python -m tests.bench.holds DIRECTORY [--recordings 10000000] [--cameras 104]

Rows and log entries only, no files; some 1 GB at ten million.  Promised: a
hold on 104 cameras x 6 hours is stored in 0.1 s and answered in 0.5 s, without the
scan; 1,000 active holds over 1,000,000 held recordings add 5 ms to a cycle.
"""

import argparse
import shutil
import time
from pathlib import Path
from statistics import median

from retention.catalogue import roots
from retention.catalogue.db import Priority
from retention.control.context import Context
from retention.holds import place
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, Actor, Outcome, Rows
from retention.site.settings import RootSettings, Settings
from retention.tlog.rows import prepare
from tests.bench.trees import NOW, SIZE, Site, minutes, write_rows
from tests.support.dated import Dated
from tests.support.dated import append as append_dated

OPERATOR = Actor(uid=1001, login=1001, pid=1, role="operator", name="bench")
DELETED = NOW - 200 * DAY
COLUMNS = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path", "seen")


def context(site: Site) -> Context:
    """A request to the daemon, without its scanner."""
    root = RootSettings.model_construct(
        name="nvr1", stable_after=MINUTE // 2, max_length=HOUR, recorder_keeps=35 * DAY
    )
    settings = Settings.model_construct(
        site="test", timezone="Europe/London", root=(root,)
    )
    return Context(settings, site.catalogue, site.log, NOW, OPERATOR, site.gate)


class Stopwatch:
    """When the transaction of a hold was durable, seen from its caller."""

    def __init__(self) -> None:
        self._take_effect = place.take_effect
        self.stored = 0.0
        place.take_effect = self

    def __call__(self, *given):
        done = self._take_effect(*given)
        self.stored = time.perf_counter()
        return done


def placing(site: Site, what: str, since: int, runs: int = 10) -> None:
    """Hold all cameras for 6 hours, again and again."""
    watch, stored, answered = Stopwatch(), [], []
    for number in range(runs):
        began = time.perf_counter()
        answer = place.hold_place(
            context(site), cameras=["*"], since=format_utc(since + number),
            until=format_utc(since + number + 6 * HOUR), kind="court", reference="b",
            reason="bench",
        )  # fmt: skip
        answered.append(time.perf_counter() - began)
        stored.append(watch.stored - began)
    total = answer.total
    print(
        f"{what}: {len(answer.cameras)} cameras x 6 h, {total.recordings} "
        f"recordings: stored median {median(stored) * 1000:.0f} ms, worst "
        f"{max(stored) * 1000:.0f}; answered median {median(answered) * 1000:.0f} ms, "
        f"worst {max(answered) * 1000:.0f}",
        flush=True,
    )


def deletions(site: Site, cameras: int, count: int, step: int) -> None:
    """What `count` cycles left in the log: one recording a camera each."""
    for number in range(count):
        start = DELETED + number * step
        rows = [
            (
                *(site.stream(f"c{camera:03}").camera, camera + 1, start, 0),
                *(step, SIZE, start + step + 28 * DAY, None, None),
            )
            for camera in range(cameras)
        ]
        prepared = prepare(Rows(COLUMNS, rows))
        fields = {
            "root": "nvr1", "count": cameras, "bytes": SIZE * cameras, "oldest": start,
            "newest": start + step,
        }  # fmt: skip
        done = dict.fromkeys(map(str, Outcome), 0) | {
            "deleted": cameras, "bytes": SIZE * cameras, "lateness": 0,
            "method": "unlink",
        }  # fmt: skip
        at = start + step + 28 * DAY
        with site.catalogue.write(Priority.DELETION) as tx:
            entry = Dated("deletion.intended", at, OPERATOR, fields, prepared)
            done["intent"] = append_dated(site.log, tx, entry)
            append_dated(site.log, tx, Dated("recordings.deleted", at, OPERATOR, done))


def watched(site: Site, hours: int) -> None:
    """Heartbeats up to now, and a scan just before."""
    with site.catalogue.write(Priority.HOLD) as tx:
        started = {"pid": 1, "version": "0", "settings_digest": ""}
        first = NOW - hours * HOUR
        append_dated(site.log, tx, Dated("service.started", first, OPERATOR, started))
        beat = dict.fromkeys(
            ("recordings", "overdue", "held_cameras", "holds", "wall", "boottime"), 0
        )
        for hour in range(hours):
            at = NOW - (hours - hour) * HOUR + MINUTE
            append_dated(site.log, tx, Dated("heartbeat", at, OPERATOR, beat))
        roots.set_scanned(tx, site.root_key, NOW)


def large(place_: Path, recordings: int, cameras: int) -> None:
    """Placing and answering over many recordings."""
    site = Site(place_ / "large")
    each = recordings // cameras
    began = time.perf_counter()
    write_rows(site, cameras, minutes(NOW - each * MINUTE, each))
    deletions(site, cameras, 360, MINUTE)
    watched(site, 24 * 100)
    print(f"{each * cameras} rows in {time.perf_counter() - began:.0f} s", flush=True)
    placing(site, "all there", NOW - 20 * DAY)
    placing(site, "the last 6 h", NOW - 6 * HOUR)
    placing(site, "half not seen", NOW - each * MINUTE - 3 * HOUR)
    placing(site, "deleted by 360 batches", DELETED)
    site.close()
    shutil.rmtree(place_ / "large")


def cycles(site: Site) -> float:
    """The median idle cycle in seconds."""
    site.cycle(NOW)
    runs = []
    for number in range(1, 60):
        began = time.perf_counter()
        assert site.cycle(NOW + number).deleted == 0
        runs.append(time.perf_counter() - began)
    return median(runs)


def added(place_: Path, cameras: int = 50, held: int = 1_000_000) -> None:
    """What 1,000 active holds over `held` recordings past their period add."""
    site = Site(place_ / "held")
    each, of_camera = held // cameras, 1_000 // cameras
    old = NOW - 100 * DAY
    write_rows(site, cameras, minutes(NOW - 10 * DAY, 1_000))
    without = cycles(site)
    for camera in range(cameras):
        part = each * MINUTE // of_camera
        for number in range(of_camera):
            since = old + number * part
            site.hold(f"c{camera:03}", since, since + part)
    write_rows(site, cameras, minutes(old, each))
    with_ = cycles(site)
    print(
        f"idle cycle: {without * 1000:.2f} ms; with {of_camera * cameras} holds over "
        f"{each * cameras} recordings {with_ * 1000:.2f} ms: "
        f"{(with_ - without) * 1000:.2f} ms more",
        flush=True,
    )
    site.close()
    shutil.rmtree(place_ / "held")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--recordings", type=int, default=10_000_000)
    parser.add_argument("--cameras", type=int, default=104)
    given = parser.parse_args()
    given.directory.mkdir(parents=True, exist_ok=True)
    added(given.directory)
    large(given.directory, given.recordings, given.cameras)


if __name__ == "__main__":
    main()
