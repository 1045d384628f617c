"""What became of footage that is not there any more, as the log's rows say (P7).

Entries are found by camera and hour; a row counts by its own time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.audit import log
from retention.audit.rows import LONG
from retention.catalogue.schema import entry as entry_table
from retention.errors import VerificationError
from retention.model import HOUR, Micros, Outcome, Rows, Window
from retention.policy import merge

MOST_ENTRIES = 2_000
"""Row files read for one answer: more would take longer than anybody waits."""

_LISTS = ("deletion.intended", "recordings.lost")
_OURS = (Outcome.DELETED, Outcome.ABSENT_AFTER_CRASH)


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

    The newest entries are read, at most `MOST_ENTRIES` of them.  One whose rows are
    not those that were written counts as not read.
    """
    places = {
        camera: list(_places(tx, camera, windows))
        for camera, windows in wanted.items()
        if windows
    }
    entries = {entry for found in places.values() for _, entry in found}
    kinds = _kinds(tx, entries)
    newest = sorted(kinds, reverse=True)[:MOST_ENTRIES]
    read: set[int] = set()
    gone: dict[int, list[Gone]] = {camera: [] for camera in wanted}
    for entry in newest:
        try:
            rows = list(_rows(tx, entry, kinds[entry], wanted))
        except VerificationError:
            continue
        read.add(entry)
        for camera, one in rows:
            gone[camera].append(one)
    for found in gone.values():
        found.sort()
    return Became(
        gone,
        {
            camera: _hours(
                [hour for hour, entry in found if entry in kinds and entry not in read],
                wanted[camera],
            )
            for camera, found in places.items()
        },
    )


def _places(
    tx: Connection, camera: int, windows: Sequence[Window]
) -> Iterable[tuple[int, int]]:
    """(hour, entry) of all entries about a camera in the hours of these windows."""
    ranges = merge(
        Window(window.start // HOUR, (window.end - 1) // HOUR + 1) for window in windows
    )
    for first, stop in (*ranges, (LONG, LONG + 1)):
        found = tx.exec_driver_sql(
            "SELECT hour, entry FROM entry_camera WHERE camera=? AND hour>=? AND hour<?",
            (camera, first, stop),
        )
        yield from map(tuple, found)


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


def _hours(hours: Iterable[int], windows: Sequence[Window]) -> list[Window]:
    """These hours as windows; those of a very long recording may be any."""
    found = set(hours)
    if LONG in found:
        return list(merge(windows))
    return list(merge(Window(hour * HOUR, (hour + 1) * HOUR) for hour in found))


def _rows(
    tx: Connection, number: int, kind: str, wanted: Mapping[int, Sequence[Window]]
) -> Iterable[tuple[int, Gone]]:
    """The rows of one entry that are about the wanted cameras, and gone."""
    entry = number
    exceptions: dict[int, Outcome] = {}
    if kind == "deletion.intended":
        completion = log.completion(tx, number)
        if completion is None:
            return  # the catalogue still has them
        entry, exceptions = completion, _exceptions(log.read_rows(tx, completion))
    rows = log.read_rows(tx, number)
    if rows is None:
        return
    at = int(log.read(tx, entry)["at"])
    lost = kind == "recordings.lost"
    columns = [rows.columns.index(name) for name in ("camera", "start", "duration")]
    for place, row in enumerate(rows.values):
        camera, start, duration = (row[column] for column in columns)
        if camera not in wanted:
            continue
        outcome = exceptions.get(place, Outcome.DELETED)
        if lost or outcome is Outcome.ABSENT:
            yield camera, Gone(start, start + duration, at, entry, deleted=False)
        elif outcome in _OURS:
            yield camera, Gone(start, start + duration, at, entry, deleted=True)


def _exceptions(rows: Rows | None) -> dict[int, Outcome]:
    """Row number of the intent to what became of that file instead."""
    if rows is None:
        return {}
    return {place: Outcome(outcome) for place, outcome in rows.values}
