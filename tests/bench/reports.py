"""What reports cost over a year of 200 cameras: 105,120,000 deletions.

    python -m tests.bench.reports DIRECTORY [--scale 1.0] [--keep]

Entries only, straight into the tables, as `tests.bench.books` makes them, with a signed head
over all of them and a hold for each half day.  A scale of 0.1 is a tenth of the year's days.
Measured: adding up the log once (what the service does bit by bit), and then each report, of
the live log; the memory is of the whole process.  Promised: deletions by day in 10 s,
300 MB.
"""

import argparse
import resource
import shutil
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from retention.catalogue import db, heads
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.figures import NAME
from retention.catalogue.heads import SignedHead
from retention.control.context import Context
from retention.model.answers.report import Report
from retention.model.values import DAY, HOUR
from retention.reports import gathering
from retention.reports.report import report_certificate, report_deletions, report_holds
from retention.tlog import merkle, note
from retention.tlog.canonical import encode
from retention.tlog.merkle import Frontier
from tests.bench.books import CAMERAS, FIRST, KEPT, Writer, context
from tests.bench.trees import Site
from tests.support.publishing import KEY

NAME_OF_LOG = "test/bench"


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
    head(site.catalogue)
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


def head(catalogue: Catalogue) -> None:
    """A signed head over all there is."""
    tree = Frontier()
    for _, data in heads.leaves(catalogue, 0, 10**9):
        tree = tree.append(merkle.leaf(data))
    text = note.Checkpoint(NAME_OF_LOG, tree.size, tree.root()).text
    signed = SignedHead(tree, note.sign(text, NAME_OF_LOG, KEY), FIRST)
    with catalogue.write(Priority.HOLD) as tx:
        heads.keep(tx, signed)


def timed(what: str, ask: Callable[[], object]) -> object:
    began, ran = time.perf_counter(), time.process_time()
    found = ask()
    took, ran = time.perf_counter() - began, time.process_time() - ran
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {took:.2f} s ({ran:.2f} s of processor), {used:.0f} MB", flush=True)
    return found


def measured(asked: Context) -> None:
    timed("adding up", lambda: gathering.advance(asked.catalogue, lambda: False))
    report = timed("deletions", lambda: report_deletions(asked))
    assert isinstance(report, Report)
    total = report.tables[0].total
    assert total is not None
    rows = total.cells[1]
    size = asked.catalogue.path.with_name(NAME).stat().st_size
    print(f"{rows:,} deletions; {size / 1e6:.1f} MB of figures", flush=True)
    day = report.tables[0].rows[len(report.tables[0].rows) // 2].cells[0]
    timed("deletions of a day", lambda: report_deletions(asked, on=day))
    timed(
        "its files", lambda: report_deletions(asked, on=day, camera="c100", files=True)
    )
    timed("deletions of a camera", lambda: report_deletions(asked, camera="c100"))
    footage = str(date.fromisoformat(day) - timedelta(microseconds=KEPT))
    timed(
        "certificate of a day",
        lambda: report_certificate(asked, on=footage, camera="c100"),
    )
    timed("holds", lambda: report_holds(asked))
    timed("holds of a camera", lambda: report_holds(asked, camera="c100"))


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
    measured(context(catalogue))
    catalogue.close()
    if not asked.keep:
        shutil.rmtree(place)


if __name__ == "__main__":
    main()
