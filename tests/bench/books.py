"""What became of a recording at a year of 200 cameras, and what roll-ups cost.

    python -m tests.bench.books DIRECTORY [--days 365] [--minutes 9] [--keep]

Entries only, straight into the tables: one recording a minute and camera, deleted in
batches of 1,000 rows (105,120,000 in a year, some 1.5 GB), a roll-up an hour.  Making
them stops after so many minutes, and says how far it came.  With --keep they stay, and
the next run on the same directory only asks.  Promised:
`audit find` in 50 ms at a year; roll-ups included, 12 bytes a deleted recording.
"""

import argparse
import json
import random
import shutil
import time
from pathlib import Path
from statistics import median

from retention.catalogue import db, recordings
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.log import Log
from retention.control.context import Context
from retention.control.gate import Gate
from retention.model.answers.books import BookFindings
from retention.model.localtime import format_utc
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Actor,
    Outcome,
    Recording,
    Rows,
)
from retention.reports.audit import audit_balance, audit_find
from retention.site.settings import RootSettings, Settings
from retention.tlog.canonical import base64url, encode
from retention.tlog.rows import digest
from retention.tlog.rows import encode as row_file
from tests.bench.trees import NOW, Site

CAMERAS = 200
BATCH = 5
"""Minutes of all cameras in a batch of 1,000."""
FIRST = NOW // DAY * DAY - 400 * DAY
KEPT = 28 * DAY
WHO = Actor(uid=1001, login=1001, pid=1, role="auditor", name="bench")
GAP = (7, 30)
"""A camera, and a minute of each hour in which it recorded nothing."""

INTENT = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path", "seen")
ROLL_UP = ("camera", "day", "count", "duration", "bytes", "digest", "gaps", "hours")
DONE = dict.fromkeys(map(str, Outcome), 0) | {"lateness": 0, "method": "unlink"}


class Writer:
    """Entries as the log has them, without their tree."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.dice = random.Random(1)
        with site.catalogue.read() as tx:
            sql = "SELECT size FROM log_head"
            self.number = int(tx.exec_driver_sql(sql).scalar_one())
        self.bytes = self.row_bytes = 0

    def day(self, start: int) -> None:
        """The deletions of a day of footage, and the roll-ups of that day."""
        entries, files, index = [], [], []

        def add(kind: str, at: int, fields: dict, rows: Rows | None, hours: set) -> int:
            number = self.number
            body = {
                "v": 1, "index": number, "kind": kind, "at": at, "policy": 1,
                "site": "test", "host": "recorder", "program": "retention 0.4",
                "actor": {"uid": 990, "login": 2**32 - 1, "pid": 1, "role": "service"},
                "fields": fields, "prev": "AAAAAAAA",
            }  # fmt: skip
            if rows is not None:
                data = row_file(rows, self.dice.randbytes(16))
                root = base64url(self.dice.randbytes(32))
                body |= {"rows": len(rows.values), "rows_root": root,
                         "rows_sha256": digest(data)}  # fmt: skip
                files.append((number, data))
                self.row_bytes += len(data)
            data = encode(body)
            self.bytes += len(data) + 34
            entries.append((number, at, kind, data))
            index.extend((camera, hour, number) for camera, hour in hours)
            self.number += 1
            return number

        for batch in range(start, start + DAY, BATCH * MINUTE):
            self.batch(add, batch)
        for hour in range(start, start + DAY, HOUR):
            values = [
                (camera, start // DAY, 60, HOUR, 60 * 3_000_000 + camera * hour % 9_999,
                 base64url(self.dice.randbytes(32)), 0, 1 << hour // HOUR % 24)
                for camera in range(1, CAMERAS + 1)
            ]  # fmt: skip
            fields = {"origin": "catalogued", "recordings": 60 * CAMERAS,
                      "duration": CAMERAS * HOUR,
                      "bytes": sum(row[4] for row in values)}  # fmt: skip
            hours = {(camera, start // HOUR) for camera in range(1, CAMERAS + 1)}
            add(
                "recordings.recorded", hour + HOUR, fields, Rows(ROLL_UP, values), hours
            )
        with self.site.catalogue.write(Priority.SCAN) as tx:
            tx.exec_driver_sql("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
            tx.exec_driver_sql("INSERT INTO entry_rows VALUES (?, ?)", files)
            tx.exec_driver_sql("INSERT INTO entry_camera VALUES (?, ?, ?)", index)

    def batch(self, add, first: int) -> None:
        """Five minutes of all cameras."""
        rows = [
            (camera, camera, start, 0, MINUTE + self.dice.randrange(-40, 40) * 1000,
             self.dice.randrange(2_000_000, 9_000_000))
            for start in range(first, first + BATCH * MINUTE, MINUTE)
            for camera in range(1, CAMERAS + 1)
            if (camera, start // MINUTE % 60) != GAP
        ]  # fmt: skip
        values = [(*row, row[2] + row[4] + KEPT, None, None) for row in rows]
        size = sum(row[5] for row in rows)
        at = first + BATCH * MINUTE + KEPT
        fields = {"root": "nvr1", "count": len(rows), "bytes": size, "oldest": first,
                  "newest": max(row[2] + row[4] for row in rows)}  # fmt: skip
        hours = {(row[0], at // HOUR) for row in rows
                 for at in (row[2], row[2] + row[4] - 1)}  # fmt: skip
        intent = add("deletion.intended", at, fields, Rows(INTENT, values), hours)
        done = DONE | {"intent": intent, "deleted": len(rows), "bytes": size}
        add("recordings.deleted", at + SECOND, done, None, set())


def context(catalogue: Catalogue) -> Context:
    root = RootSettings.model_construct(
        name="nvr1", stable_after=MINUTE // 2, max_length=HOUR, recorder_keeps=35 * DAY
    )
    settings = Settings.model_construct(
        site="test", timezone="Europe/London", root=(root,)
    )
    log = Log(site="test", host="here", program="0")
    return Context(settings, catalogue, log, NOW, WHO, Gate())


def timed(what: str, count: int, ask) -> None:
    """Ask so many times; median, the worst of a hundred, the worst."""
    runs = []
    for _ in range(count):
        began = time.perf_counter()
        ask()
        runs.append((time.perf_counter() - began) * 1000)
    runs.sort()
    print(
        f"{what}: median {median(runs):.1f} ms, 99 of 100 within "
        f"{runs[len(runs) * 99 // 100 - 1]:.1f}, worst {runs[-1]:.1f}",
        flush=True,
    )


def finding(asked: Context, first: int, days: int) -> None:
    dice = random.Random(2)

    def at(camera: int, minute: int | None = None) -> BookFindings:
        start = first + dice.randrange(days * 24) * HOUR
        start += (dice.randrange(29) if minute is None else minute) * MINUTE
        return audit_find(
            asked, camera=f"c{camera:03}", at=format_utc(start + 30 * SECOND)
        )

    def deleted() -> None:
        (one,) = at(dice.randrange(1, CAMERAS + 1)).recordings
        assert one.fate == "deleted", one

    def gap() -> None:
        answer = at(*GAP)
        assert not answer.recordings, answer
        assert answer.gaps, answer

    def hour() -> None:
        start = first + dice.randrange(days * 24) * HOUR
        answer = audit_find(
            asked,
            camera="c100",
            since=format_utc(start),
            until=format_utc(start + HOUR),
        )
        assert len(answer.recordings) in (60, 61), len(answer.recordings)

    timed("audit find, a deleted recording", 300, deleted)
    timed("audit find, a time of which nothing is known", 100, gap)
    timed("audit find, an hour of a camera", 50, hour)


def balancing(asked: Context, first: int, days: int, rows: int) -> None:
    day = format_utc(first + days // 2 * DAY)[:10]
    after = format_utc(first + (days // 2 + 1) * DAY)[:10]
    timed("audit balance, a day of a camera", 5,
          lambda: audit_balance(asked, camera="c100", since=day, until=after))  # fmt: skip
    began = time.perf_counter()
    audit_balance(asked)
    took = time.perf_counter() - began
    print(
        f"audit balance of all: {took:.0f} s, {rows / took / 1e6:.2f} M rows a second"
    )


def inserting(place: Path) -> None:
    """1,000 rows in one transaction, with the tally and without."""
    for cameras in (1, 10, CAMERAS):
        site = Site(place / f"insert{cameras}")
        streams = [site.stream(f"c{number:03}").key for number in range(cameras)]
        runs: dict[bool, list[float]] = {True: [], False: []}
        for number in range(200):
            each = 1_000 // cameras
            rows = [
                Recording(
                    stream, FIRST + (number * each + at) * MINUTE, 0, MINUTE, 3_000_000
                )
                for stream in streams
                for at in range(each)
            ]
            moved = bool(number % 2)
            began = time.perf_counter()
            with site.catalogue.write(Priority.SCAN) as tx:
                recordings.insert(tx, rows, moved=moved)
            runs[moved].append((time.perf_counter() - began) * 1000)
        print(
            f"1,000 rows of {cameras} cameras: {median(runs[True]):.1f} ms without the "
            f"tally, {median(runs[False]):.1f} with it",
            flush=True,
        )
        site.close()
        shutil.rmtree(place / f"insert{cameras}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    place = asked.directory / "books"
    if not place.exists():
        place.mkdir()
        inserting(place)
        making(place, asked.days, asked.minutes)
    first, days, rows = json.loads((place / "made.json").read_text())
    catalogue = db.open_(place / "year" / db.NAME)
    finding(context(catalogue), first, days)
    balancing(context(catalogue), first, days, rows)
    catalogue.close()
    if not asked.keep:
        shutil.rmtree(place)


def making(place: Path, most: int, minutes: float) -> None:
    site = Site(place / "year")
    for camera in range(1, CAMERAS + 1):
        site.stream(f"c{camera:03}")
    writer, began, days = Writer(site), time.perf_counter(), 0
    while days < most and time.perf_counter() - began < minutes * 60:
        writer.day(FIRST + days * DAY)
        days += 1
    rows = days * CAMERAS * 24 * 60 - days * 24
    print(
        f"{days} days, {rows:,} deletions, {writer.number:,} entries in "
        f"{time.perf_counter() - began:.0f} s; {(writer.bytes + writer.row_bytes) / rows:.2f} "
        "bytes a deleted recording, roll-ups and hashes included",
        flush=True,
    )
    site.close()
    (place / "made.json").write_text(json.dumps([FIRST, days, rows]))


if __name__ == "__main__":
    main()
