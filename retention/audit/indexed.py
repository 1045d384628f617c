"""The catalogue's log as records: found by camera and hour, or by kind."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.audit import log
from retention.audit.canonical import decode
from retention.audit.records import INTENDED, Place, Record, apart, hours_of
from retention.catalogue.schema import entry
from retention.model import DAY, HOUR, Window

_PART = 400
_HOURS = DAY // HOUR
_PAGE = 200
_OF_CAMERA = (
    "SELECT DISTINCT entry FROM entry_camera WHERE camera=? AND hour BETWEEN ? AND ?"
)


class Indexed:
    """The log of a catalogue, within one transaction.  `entries` were read so far."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self.entries = 0

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
    ) -> Iterable[Record]:
        """The records about footage of these cameras in the windows, with the completions
        of batches, those about holds on them, and the roll-ups of these days."""
        wanted = self._numbers(cameras, windows, days)
        for record in self._entries(sorted(wanted), INTENDED):
            if apart(record.entry["fields"], windows):
                wanted.discard(record.number)
                continue
            completion = log.completion(self._tx, record.number)
            if completion is not None:
                wanted.add(completion)
        return self._entries(sorted(wanted))

    def _numbers(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
    ) -> set[int]:
        ranges = {
            (camera, *hours)
            for camera in cameras
            for window in windows
            for hours in hours_of(window)
        }
        # Roll-ups are found under the first hour of a day.
        midnights = {(camera, day * _HOURS, day * _HOURS) for camera, day in days}
        return {
            number
            for values in ranges | midnights
            for number in self._tx.exec_driver_sql(_OF_CAMERA, values).scalars()
        }

    def of_kinds(self, kinds: Collection[str]) -> Iterable[Record]:
        """The records of these kinds."""
        return heapq.merge(*map(self._of_kind, kinds), key=lambda one: one.number)

    def _of_kind(self, kind: str) -> Iterator[Record]:
        last = -1
        while True:
            page = self._tx.exec_driver_sql(
                "SELECT number, bytes FROM entry WHERE kind=? AND number>? "
                "ORDER BY number LIMIT ?",
                (kind, last, _PAGE),
            ).all()
            for number, data in page:
                yield self._record(number, data)
                last = number
            if len(page) < _PAGE:
                return

    def _entries(self, numbers: list[int], kind: str | None = None) -> Iterator[Record]:
        """Those of the numbers, in order; only those of a kind, where one is named."""
        query = sa.select(entry.c.number, entry.c.bytes).order_by(entry.c.number)
        if kind is not None:
            query = query.where(entry.c.kind == kind)
        for first in range(0, len(numbers), _PART):
            part = numbers[first : first + _PART]
            found = self._tx.execute(query.where(entry.c.number.in_(part)))
            for number, data in found.all():
                yield self._record(number, data)

    def _record(self, number: int, data: bytes) -> Record:
        self.entries += 1
        return Record(number, decode(data), partial(self._rows, number))

    def _rows(self, number: int) -> bytes | None:
        data = self._tx.exec_driver_sql(
            "SELECT bytes FROM entry_rows WHERE entry=?", (number,)
        ).scalar()
        return None if data is None else bytes(data)
