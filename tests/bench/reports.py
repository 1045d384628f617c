"""What reports cost over a year of 200 cameras: 105,120,000 deletions.

    python -m tests.bench.reports DIRECTORY [--scale 1.0] [--keep]

Entries only, straight into the tables, as `tests.bench.books` makes them, with a heartbeat an
hour and a hold for each half day, and published as the service does.  A scale of 0.1 is a tenth
of the year's days.  Measured: adding up the log once (what the service does bit by bit), and
then each report, of the live log and of the published copy; the memory is of the whole process.
Promised: compliance, foi and deletions by day in 10 s, a certificate in 1 s, 300 MB; and the
summary as a page of 200 cameras x 90 days in 5 s and 3 MB from 10,000,000 recordings.
"""

import argparse
import resource
import shutil
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

from retention.catalogue import db, heads
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.figures import NAME
from retention.model.answers.report import Report
from retention.model.values import DAY, HOUR
from retention.publication.publisher import Publisher
from retention.reports import report
from retention.reports.by_name import CopiedReports
from retention.reports.evidence import ReportRequest
from retention.reports.forms.html import html_of
from retention.reports.live import advance
from retention.tlog import merkle
from retention.tlog.canonical import encode
from retention.tlog.merkle import Frontier
from tests.bench.books import CAMERAS, FIRST, KEPT, Writer, context
from tests.bench.trees import NOW, Site
from tests.support.publishing import KEY

T = TypeVar("T")

NAME_OF_LOG, COPY = "test/bench", "log"


def made(place: Path, days: int) -> None:
    """The log of so many days."""
    site, began = Site(place), time.perf_counter()
    for camera in range(1, CAMERAS + 1):
        site.stream(f"c{camera:03}")
    writer = Writer(site)
    for camera in range(1, CAMERAS + 1):
        fields = {"camera": camera, "id": f"c{camera:03}", "kind": "public_space",
                  "custody": "council", "source": "bench"}  # fmt: skip
        plain(writer, FIRST, "camera.added", fields)
    for day in range(days):
        writer.day(FIRST + day * DAY)
        holds(writer, day)
        beats(writer, day)
    publish(site.catalogue, place)
    site.close()
    print(f"{days} days made in {time.perf_counter() - began:.0f} s", flush=True)


def holds(writer: Writer, day: int) -> None:
    """Two holds, on two hours of a camera each; every other one was released."""
    at = FIRST + day * DAY + KEPT
    for number in (2 * day + 1, 2 * day + 2):
        since = at - KEPT + DAY + number % 20 * HOUR
        terms = {
            "hold": number, "kind": "police", "cameras": [number % CAMERAS + 1],
            "since": since, "until": since + 2 * HOUR, "review": at + 90 * DAY,
            "margin": 0, "received": None, "replaces": None, "request": None,
        }  # fmt: skip
        plain(writer, at, "hold.placed", terms)
        if number % 2:
            free = {"hold": number, "free_at": at + 8 * DAY, "request": None}
            plain(writer, at, "hold.released", free)


def beats(writer: Writer, day: int) -> None:
    """What the service counts each hour."""
    for hour in range(24):
        at = FIRST + day * DAY + KEPT + hour * HOUR
        fields = {
            "recordings": 60 * 24 * CAMERAS * 28, "overdue": 0, "held_cameras": 2,
            "holds": day, "wall": at, "boottime": at - FIRST, "oldest_unheld": at - KEPT,
        }  # fmt: skip
        plain(writer, at, "heartbeat", fields)


def plain(writer: Writer, at: int, kind: str, fields: dict[str, Any]) -> None:
    """An entry without rows."""
    body = {
        "v": 1, "index": writer.number, "kind": kind, "at": at, "policy": 1,
        "site": "test", "host": "recorder", "program": "retention",
        "actor": {"uid": 1001, "login": 1001, "pid": 1, "role": "operator"},
        "fields": fields, "prev": "AAAAAAAA",
    }  # fmt: skip
    with writer.site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql(
            "INSERT INTO entry VALUES (?, ?, ?, ?)",
            (writer.number, at, kind, encode(body)),
        )
    writer.number += 1


def publish(catalogue: Catalogue, place: Path) -> None:
    """All there is under a signed head, and a copy of it."""
    tree = Frontier()
    for _, data in heads.leaves(catalogue, 0, 10**9):
        tree = tree.append(merkle.leaf(data))
    with catalogue.write(Priority.HOLD) as tx:
        sql = "UPDATE log_head SET size = ?, frontier = ?"
        tx.exec_driver_sql(sql, (tree.size, tree.to_bytes()))
    Publisher(catalogue, NAME_OF_LOG, KEY, place / COPY, place).publish(NOW)


def timed(what: str, ask: Callable[[], T]) -> T:
    began, ran = time.perf_counter(), time.process_time()
    found = ask()
    took, ran = time.perf_counter() - began, time.process_time() - ran
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {took:.2f} s ({ran:.2f} s of processor), {used:.0f} MB", flush=True)
    return found


Ask = Callable[..., Report]


def measured(ask: Ask) -> None:
    """Each report, by whatever asks for it."""
    report = timed("deletions", lambda: ask("deletions"))
    by_day = report.tables[0]
    assert by_day.total is not None
    print(f"{by_day.total.cells[1]:,} deletions", flush=True)
    day = by_day.rows[len(by_day.rows) // 2].cells[0]
    camera = {"camera": "c100"}
    footage = str(date.fromisoformat(day) - timedelta(microseconds=KEPT))
    for name, more in (
        ("deletions", {"on": day}),
        ("deletions", {"on": day, "files": True} | camera),
        ("deletions", camera),
        ("certificate", {"on": footage} | camera),
        ("compliance", {}),
        ("foi", {}),
        ("coverage", {}),
        ("exceptions", {}),
        ("holds", {}),
        ("holds", camera),
        ("seizures", {}),
        ("access", {}),
    ):
        shown = " ".join(f"{key}={value}" for key, value in more.items())
        timed(f"{name} {shown}", lambda name=name, more=more: ask(name, **more))
    until = str(date.fromisoformat(by_day.rows[-1].cells[0]) + timedelta(days=1))
    since = str(date.fromisoformat(until) - timedelta(days=90))

    def page() -> str:
        return html_of(ask("summary", since=since, until=until))

    size = len(timed("summary of 90 days as a page", page)) / 1e6
    print(f"{size:.2f} MB of page", flush=True)


def both(catalogue: Catalogue, place: Path) -> None:
    asked = context(catalogue)
    timed("adding up", lambda: advance(catalogue, lambda: False))
    size = catalogue.path.with_name(NAME).stat().st_size
    print(f"{size / 1e6:.1f} MB of figures", flush=True)

    def live(name: str, **given: Any) -> Report:
        found: Report = getattr(report, f"report_{name}")(asked, **given)
        return found

    measured(live)

    def copied(name: str, **given: Any) -> Report:
        names = ReportRequest._fields
        request = {one: given.pop(one) for one in names if one in given}
        reports = CopiedReports(
            place / COPY, None, place / "cache", NOW, lambda _: None
        )
        return reports.report(name, ReportRequest(**request), **given)

    timed("adding up the copy", lambda: copied("access"))
    measured(copied)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    place = asked.directory / "reports"
    if not place.exists():
        place.mkdir(parents=True)
        made(place, round(365 * asked.scale))
    catalogue = db.open_(place / db.NAME)
    both(catalogue, place)
    catalogue.close()
    if not asked.keep:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
