"""Owns the file of figures: what the log's entries add up to, derived and never believed
over them.

A database of its own beside the catalogue, or in a reader's cache.  It names the log, how
many entries it covers and the last of them by its digest; each step is one transaction with
that, so a crash leaves it behind, never wrong.  One that is damaged or of another log is
begun anew.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from retention.model.errors import CatalogueError
from retention.tlog.figures import (
    Count,
    Folded,
    Grounds,
    OddFiles,
    Recorded,
    grounds_json,
    grounds_of,
)

NAME = "figures.db"

VERSION = 2
"""Of what is in it: another one is begun anew."""

_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE cell (day INT, camera INT, footage INT, policy INT, doubt INT, "
    "outcome TEXT, step INT, number INT, duration INT, size INT, worst INT, first INT, "
    "last INT, PRIMARY KEY (day, camera, footage, policy, doubt, outcome, step)) "
    "WITHOUT ROWID",
    "CREATE TABLE recorded (day INT, camera INT, number INT, duration INT, size INT, "
    "gaps INT, hours INT, first INT, last INT, PRIMARY KEY (day, camera)) WITHOUT ROWID",
    "CREATE TABLE odd (completion INT, what TEXT, day INT, intent INT, ranges TEXT, "
    "worst INT, PRIMARY KEY (completion, what)) WITHOUT ROWID",
    "CREATE TABLE fault (entry INT PRIMARY KEY, what TEXT) WITHOUT ROWID",
)
_ADD_CELL = (
    "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
    "SET number=number+excluded.number, duration=duration+excluded.duration, "
    "size=size+excluded.size, worst=max(worst, excluded.worst), last=excluded.last"
)
_ADD_RECORDED = (
    "INSERT INTO recorded VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
    "number=number+excluded.number, duration=duration+excluded.duration, "
    "size=size+excluded.size, gaps=gaps+excluded.gaps, hours=hours|excluded.hours, "
    "last=excluded.last"
)
GROUPS = ("day", "camera", "footage", "policy", "doubt", "outcome", "step")
"""What cells can be summed by."""


class Extent(NamedTuple):
    """What the figures are of: the log's name, its zone, so many entries of it, the digest
    of the last of them; and what the fold goes on from."""

    origin: str
    zone: str
    size: int
    last: str
    known: Grounds


class CellsWanted(NamedTuple):
    """Days [since, until) of deletion, cameras by key, outcomes; None is all."""

    since: int | None = None
    until: int | None = None
    cameras: Collection[int] | None = None
    outcomes: Collection[str] | None = None


ALL = CellsWanted()


class Figures:
    """The file; CatalogueError where it can't be used.  One thread at a time, `used`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mutex = threading.RLock()
        self._users = 0
        self._db: sqlite3.Connection | None = None

    @contextmanager
    def used(self) -> Iterator[Figures]:
        """For the block nobody else reads it or moves it on; it is closed behind the last
        one, since the file may be another by the next time."""
        with self._mutex:
            self._users += 1
            try:
                yield self
            finally:
                self._users -= 1
                if not self._users:
                    self.close()

    def covered(self) -> Extent | None:
        """What it is of; None where it is new, damaged, or of another program: then it is
        to be begun anew.  CatalogueError where it can't be reached at all."""
        with self._translated():
            self._open()
        try:
            db = self._open()
            db.execute("PRAGMA cell_size_check=ON")
            if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
                return None
            found = dict(db.execute("SELECT name, value FROM meta").fetchall())
            if self._sums() != found.get("sums"):
                return None
            known = grounds_of(json.loads(found["known"]))
            return Extent(
                found["origin"], found["zone"], int(found["size"]), found["last"], known
            )
        except (sqlite3.DatabaseError, KeyError, ValueError, TypeError):
            return None

    def forget(self) -> None:
        """Empty it.  Its journal first: that would be rolled into what comes."""
        self.close()
        with self._translated():
            for name in (f"{self.path}-journal", str(self.path)):
                if Path(name).exists():
                    Path(name).write_bytes(b"")

    def begin(self, origin: str, zone: str) -> Extent:
        """Begin anew, for this log."""
        self.forget()
        with self._translated():
            db = self._open()
            with self._step(db):
                for statement in _TABLES:
                    db.execute(statement)
                covered = Extent(origin, zone, 0, "", Grounds())
                self._put_meta(db, covered)
                db.execute(f"PRAGMA user_version={VERSION}")
        return covered

    def advance(self, found: Folded, before: Extent, covered: Extent) -> None:
        """Add what was folded since `before`: it covers so much then.  All of it, or
        nothing; CatalogueError where another process has moved it on meanwhile."""
        with self._translated():
            db = self._open()
            with self._step(db):
                there = db.execute(
                    "SELECT value FROM meta WHERE name='size'"
                ).fetchone()
                if there != (str(before.size),):
                    raise CatalogueError(
                        f"another program adds up the log in {self.path} at this moment: "
                        "ask again"
                    )
                db.executemany(
                    _ADD_CELL,
                    (
                        (*place, one.number, one.duration, one.size, one.worst, one.first,
                         one.last)
                        for place, one in sorted(found.cells.items())
                    ),
                )  # fmt: skip
                db.executemany(
                    _ADD_RECORDED,
                    (
                        (day, camera, *one)
                        for (camera, day), one in sorted(found.recorded.items())
                    ),
                )
                db.executemany(
                    "INSERT INTO odd VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        (one.completion, one.what, one.day, one.intent,
                         json.dumps(one.rows), one.worst)
                        for one in found.odd
                    ),
                )  # fmt: skip
                db.executemany(
                    "INSERT OR IGNORE INTO fault VALUES (?, ?)", found.faults
                )
                self._put_meta(db, covered)

    def _put_meta(self, db: sqlite3.Connection, covered: Extent) -> None:
        values = {
            "origin": covered.origin,
            "zone": covered.zone,
            "size": str(covered.size),
            "last": covered.last,
            "known": json.dumps(grounds_json(covered.known)),
            "sums": self._sums(),
        }
        db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", values.items())

    def _sums(self) -> str:
        """What all of it adds up to: kept beside, so that damage shows."""
        db = self._open()
        found = [
            db.execute(f"SELECT count(*), {sums} FROM {table}").fetchone()
            for table, sums in (
                ("cell", "total(number), total(size), total(last)"),
                ("recorded", "total(number), total(size)"),
                ("odd", "total(worst)"),
                ("fault", "total(entry)"),
            )
        ]
        return json.dumps(found)

    # -- what is asked -----------------------------------------------------------------

    def summed(
        self, by: Sequence[str], wanted: CellsWanted = ALL
    ) -> list[tuple[tuple[Any, ...], Count]]:
        """Cells summed by one or more of `GROUPS`, in the order given."""
        groups = ", ".join(one for one in by if one in GROUPS)
        where, values = _where(wanted)
        with self._translated():
            rows = self._open().execute(
                f"SELECT {groups}, sum(number), sum(duration), sum(size), max(worst), "
                f"min(first), max(last) FROM cell {where} GROUP BY {groups} "
                f"ORDER BY {groups}",
                values,
            )
            return [(row[:-6], Count(*row[-6:])) for row in rows]

    def span(self) -> tuple[int, int] | None:
        """The first and the last day of footage or deletion; None where there is none."""
        with self._translated():
            first, last = (
                self._open()
                .execute(
                    "SELECT min(a), max(b) FROM (SELECT min(day) a, max(day) b FROM cell "
                    "UNION ALL SELECT min(day), max(day) FROM recorded)"
                )
                .fetchone()
            )
        return None if first is None else (first, last)

    def recorded(
        self, cameras: Collection[int] | None = None
    ) -> list[tuple[int, int, Recorded]]:
        """What roll-ups say, with its UTC day and camera."""
        where, values = _where(CellsWanted(cameras=cameras))
        with self._translated():
            rows = self._open().execute(
                f"SELECT * FROM recorded {where} ORDER BY day, camera", values
            )
            return [(day, camera, Recorded(*one)) for day, camera, *one in rows]

    def odd(self, what: str, wanted: CellsWanted = ALL) -> list[OddFiles]:
        """Batches with files deleted `late` or `early`, the worst first."""
        where, values = _where(wanted._replace(cameras=None, outcomes=None))
        also = f"{where} AND what=?" if where else "WHERE what=?"
        with self._translated():
            rows = self._open().execute(
                "SELECT what, day, completion, intent, ranges, worst FROM odd "
                f"{also} ORDER BY worst DESC, completion",
                (*values, what),
            )
            return [
                OddFiles(
                    kind,
                    day,
                    done,
                    intent,
                    [(a, b) for a, b in json.loads(text)],
                    worst,
                )
                for kind, day, done, intent, text, worst in rows
            ]

    def faults(self) -> list[tuple[int, str]]:
        """Entries that could not be folded, or not wholly, and why."""
        with self._translated():
            return self._open().execute("SELECT * FROM fault ORDER BY entry").fetchall()

    # -- the file ----------------------------------------------------------------------

    def close(self) -> None:
        """It is opened again when it is next asked."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=60
            )
        return self._db

    @contextmanager
    def _step(self, db: sqlite3.Connection) -> Iterator[None]:
        db.execute("BEGIN IMMEDIATE")
        try:
            yield
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise CatalogueError(
                f"the figures of reports, {self.path}: {error}; they are derived from the "
                "log, so nothing is lost: `retention report rebuild` makes them anew"
            ) from error


def _where(wanted: CellsWanted) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    if wanted.since is not None:
        parts.append("day >= ?")
        values.append(wanted.since)
    if wanted.until is not None:
        parts.append("day < ?")
        values.append(wanted.until)
    for column, among in (("camera", wanted.cameras), ("outcome", wanted.outcomes)):
        if among is not None:
            parts.append(f"{column} IN (SELECT value FROM json_each(?))")
            values.append(json.dumps(sorted(among)))
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), values
