"""What became of footage that is not there any more, as the log's rows say (P7).

Entries are found by camera and hour; a row counts by its own time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.audit import log
from retention.audit.records import apart
from retention.audit.rows import LONG, RowFile
from retention.catalogue.schema import entry as entry_table
from retention.errors import VerificationError
from retention.model import HOUR, Micros, Outcome, Window
from retention.policy import merge

MOST_ROWS = 300_000
"""Rows read for one answer, and index rows besides: some three seconds' work."""

_LISTS = ("deletion.intended", "recordings.lost")
_TIMES = frozenset({"camera", "start", "duration"})
_GONE = (Outcome.DELETED, Outcome.ABSENT, Outcome.ABSENT_AFTER_CRASH)


class Gone(NamedTuple):
    """One recording that is gone: `deleted` by this program, else lost.

    `at` and `entry` are those of the entry that says so: the completion of a batch, or
    the loss.
    """

    start: Micros
    end: Micros
    at: Micros
    entry: int
    deleted: bool


class Became(NamedTuple):
    """By camera key: what is gone, and the hours whose entries were not read, since
    there were too many."""

    gone: dict[int, list[Gone]]
    unread: dict[int, list[Window]]


def became(tx: Connection, wanted: Mapping[int, Sequence[Window]]) -> Became:
    """What the log says of the footage of these cameras in these windows.

    The newest entries are read first, until there were `MOST_ROWS`.  One whose rows are
    not those that were written counts as not read.
    """
    asked = {camera: windows for camera, windows in wanted.items() if windows}
    each = MOST_ROWS // max(1, len(asked))
    found = {camera: _places(tx, camera, asked[camera], each) for camera in asked}
    kinds = _kinds(tx, {entry for at, _ in found.values() for _, entry in at})
    gone, read = _read(tx, kinds, asked)
    unread = {
        camera: _hours(
            [hour for hour, entry in places if entry in kinds and entry not in read],
            asked[camera],
            before,
        )
        for camera, (places, before) in found.items()
    }
    return Became({camera: gone.get(camera, []) for camera in wanted}, unread)


def _read(
    tx: Connection, kinds: Mapping[int, str], asked: Mapping[int, Sequence[Window]]
) -> tuple[dict[int, list[Gone]], set[int]]:
    """By camera what these entries list as gone, and which of them were read."""
    gone: dict[int, list[Gone]] = {camera: [] for camera in asked}
    every = merge(window for windows in asked.values() for window in windows)
    read: set[int] = set()
    count = 0
    for entry in sorted(kinds, reverse=True):
        if count > MOST_ROWS:
            break
        try:
            fields = log.read(tx, entry)["fields"]
            skipped = "oldest" in fields and apart(fields, every)
            rows = None if skipped else log.row_file(tx, entry, _TIMES)
            fates = None if rows is None else _fates(tx, entry, kinds[entry])
        except VerificationError:
            continue
        read.add(entry)
        if rows is not None and fates is not None:
            count += rows.count
            _sort_out(rows, fates, gone)
    for found in gone.values():
        found.sort()
    return gone, read


def _places(
    tx: Connection, camera: int, windows: Sequence[Window], limit: int
) -> tuple[list[tuple[int, int]], int]:
    """(hour, entry) of the entries about a camera in the hours of these windows, the
    newest hours first and at most `limit`; and the hour up to which they are left out.
    """
    ranges = merge(
        Window(window.start // HOUR, (window.end - 1) // HOUR + 1) for window in windows
    )
    found: list[tuple[int, int]] = []
    for first, stop in ((LONG, LONG + 1), *reversed(ranges)):
        rows = tx.exec_driver_sql(
            "SELECT hour, entry FROM entry_camera WHERE camera=? AND hour>=? AND hour<? "
            "ORDER BY hour DESC, entry DESC LIMIT ?",
            (camera, first, stop, limit - len(found)),
        )
        found += map(tuple, rows)
        if len(found) >= limit:
            last = found[-1][0]
            return found, ranges[-1].end if last == LONG else last + 1
    return found, LONG


def _kinds(tx: Connection, entries: Iterable[int]) -> dict[int, str]:
    """Those of the entries that list footage that is gone, with their kinds."""
    numbers = sorted(entries)
    found: dict[int, str] = {}
    for first in range(0, len(numbers), 500):
        part = numbers[first : first + 500]
        query = sa.select(entry_table.c.number, entry_table.c.kind).where(
            entry_table.c.number.in_(part), entry_table.c.kind.in_(_LISTS)
        )
        found |= {row.number: row.kind for row in tx.execute(query)}
    return found


def _hours(
    hours: Iterable[int], windows: Sequence[Window], before: int
) -> list[Window]:
    """These hours, and all before an hour, as windows; those of a very long recording
    may be any."""
    found = set(hours)
    if LONG in found:
        return list(merge(windows))
    first = min(window.start for window in windows)
    cut = [Window(first, before * HOUR)] if first < before * HOUR else []
    return list(merge([*cut, *(Window(h * HOUR, (h + 1) * HOUR) for h in found)]))


class _Fates(NamedTuple):
    """What became of the rows of an entry: of all the same, but for the exceptions."""

    at: Micros
    entry: int
    deleted: bool
    exceptions: dict[int, Outcome]


def _fates(tx: Connection, number: int, kind: str) -> _Fates | None:
    """None where the batch is still open: the catalogue has its rows."""
    if kind == "recordings.lost":
        return _Fates(int(log.read(tx, number)["at"]), number, False, {})
    completion = log.completion(tx, number)
    if completion is None:
        return None
    entry = log.read(tx, completion)
    rows = log.read_rows(tx, completion) if "rows" in entry else None
    exceptions = {place: Outcome(text) for place, text in rows.values} if rows else {}
    return _Fates(int(entry["at"]), completion, True, exceptions)


def _sort_out(rows: RowFile, fates: _Fates, gone: Mapping[int, list[Gone]]) -> None:
    """Add what is gone of the wanted cameras."""
    at, entry, deleted, exceptions = fates
    footage = (rows.columns[name] for name in ("camera", "start", "duration"))
    for place, (camera, start, duration) in enumerate(zip(*footage, strict=True)):
        if camera not in gone:
            continue
        ours = deleted
        if (outcome := exceptions.get(place)) is not None:
            if outcome not in _GONE:
                continue
            ours = outcome is not Outcome.ABSENT
        gone[camera].append(Gone(start, start + duration, at, entry, ours))
