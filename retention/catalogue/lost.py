"""What vanished of late, or under a hold that still stands: met again, it is known.

A row is there for seven days, or as long as a hold keeps what it was.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.db import get_fact, get_facts, parts, put_fact
from retention.catalogue.recordings import Doubt
from retention.model.values import DAY, Micros, Recording

LATELY: Micros = 7 * DAY

_OVERWRITTEN = "held.overwritten."
_MOST = 10_000

_COLUMNS = (
    "root, path, stream, start, n, duration, size, own, at, held, seen, mtime, reason"
)


class Lost(NamedTuple):
    """A recording that vanished at `at` from `path` below its root, with the doubt about
    it then; `held`: a hold covered it."""

    root: int
    path: bytes
    row: Recording
    at: Micros
    held: bool
    doubt: Doubt | None


def keep(tx: Connection, lost: Iterable[Lost]) -> None:
    """These vanished."""
    rows = [
        (
            *(one.root, one.path, *one.row[:5], one.row.path, one.at, int(one.held)),
            *(one.doubt or (None, None, None)),
        )
        for one in lost
    ]
    if rows:
        marks = ", ".join("?" * len(rows[0]))
        tx.exec_driver_sql(f"INSERT OR REPLACE INTO lost VALUES ({marks})", rows)


def _rows(tx: Connection, where: str, values: Sequence[object]) -> Iterator[Lost]:
    sql = f"SELECT {_COLUMNS} FROM lost WHERE {where}"
    for found in tx.exec_driver_sql(sql, tuple(values)):
        root, path, stream, start, n, duration, size, own, at, held, *doubt = found
        row = Recording(stream, start, n, duration, size, path=own)
        known = None if doubt[0] is None else Doubt(*doubt)
        yield Lost(root, path, row, at, bool(held), known)


def held_at(tx: Connection, root: int, paths: Sequence[bytes]) -> dict[bytes, Lost]:
    """Those of the root that a hold covered, by these paths."""
    found: dict[bytes, Lost] = {}
    any_ = "SELECT EXISTS (SELECT 1 FROM lost WHERE root = ? AND held)"
    if tx.exec_driver_sql(any_, (root,)).scalar_one():
        for part in parts(paths):
            marks = ", ".join("?" * len(part))
            where = f"root = ? AND held AND path IN ({marks})"
            found |= {one.path: one for one in _rows(tx, where, (root, *part))}
    return found


def starting_at(
    tx: Connection, stream: int, starts: Sequence[Micros], since: Micros
) -> list[Lost]:
    """Those of a stream that start at one of these instants and vanished since."""
    found: list[Lost] = []
    any_ = "SELECT EXISTS (SELECT 1 FROM lost WHERE stream = ?)"
    if not tx.exec_driver_sql(any_, (stream,)).scalar_one():
        return found
    for part in parts(starts):
        marks = ", ".join("?" * len(part))
        where = f"stream = ? AND start IN ({marks}) AND at >= ?"
        found += _rows(tx, where, (stream, *part, since))
    return found


def of_root(tx: Connection, root: int, since: Micros) -> list[Lost]:
    """All that vanished from a root since, and has not come back."""
    return list(_rows(tx, "root = ? AND at >= ?", (root, since)))


_HOLDS = (
    "stream s JOIN hold_camera c ON c.camera = s.camera JOIN hold h ON h.key = c.hold"
)
_KEPT = """s.key = lost.stream AND (s.quarantined IS NOT NULL OR lost.reason IS NOT NULL
    OR (h.since < lost.start + lost.duration AND lost.start < h.until))"""
"""Of `_HOLDS` those that keep a row of `lost`, by its own times or by the doubt."""


def of_holds(tx: Connection, keys: Collection[int]) -> dict[int, int]:
    """How many each of these holds kept when they vanished, and that are not back."""
    found: dict[int, int] = {}
    for part in parts(sorted(keys)):
        marks = ", ".join("?" * len(part))
        sql = (
            f"SELECT h.key, count(*) FROM lost, {_HOLDS} WHERE lost.held AND {_KEPT} "
            f"AND h.placed <= lost.at AND h.key IN ({marks}) GROUP BY h.key"
        )
        found.update(map(tuple, tx.exec_driver_sql(sql, tuple(part))))
    return found


def keep_overwritten(tx: Connection, hold: int, rows: Iterable[Recording]) -> None:
    """These became other than catalogued while a hold kept them; for good, since what
    they were is gone.  Of each is known which it was, up to `_MOST`."""
    known = {tuple(key) for key in get_fact(tx, f"{_OVERWRITTEN}{hold}") or ()}
    found = sorted(known | {tuple(row.key) for row in rows})[:_MOST]
    put_fact(tx, f"{_OVERWRITTEN}{hold}", found)


def overwritten(tx: Connection) -> dict[int, int]:
    """By hold how many became so, `_MOST` at most."""
    found = get_facts(tx, _OVERWRITTEN)
    return {int(hold): len(keys) for hold, keys in found.items()}


def forget_old(tx: Connection, root: int, now: Micros) -> None:
    """Those of the root that vanished longer ago, and no hold keeps any more, are not
    known again."""
    tx.exec_driver_sql(
        "DELETE FROM lost WHERE root = ? AND at < ? AND NOT (held AND EXISTS ("
        f"SELECT 1 FROM {_HOLDS} WHERE {_KEPT} AND (h.free_at IS NULL OR h.free_at > ?)))",
        (root, now - LATELY, now),
    )


def forget(tx: Connection, lost: Iterable[Lost]) -> None:
    """They are there again, or nobody needs to know them any more."""
    gone = [(one.root, one.path) for one in lost]
    if gone:
        tx.exec_driver_sql("DELETE FROM lost WHERE root = ? AND path = ?", gone)
