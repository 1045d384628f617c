"""The catalogue's log as records: found by camera and hour, or by kind."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from functools import partial

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.audit import log
from retention.audit.canonical import decode
from retention.audit.records import INTENDED, Record, hours_of
from retention.catalogue.schema import entry
from retention.model import Window

_PART = 400
_PAGE = 200
_OF_CAMERA = (
    "SELECT DISTINCT entry FROM entry_camera WHERE camera=? AND hour BETWEEN ? AND ?"
)


class Indexed:
    """The log of a catalogue, within one transaction.  `entries` were read so far."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self.entries = 0

    def about(self, cameras: Collection[int], window: Window) -> Iterable[Record]:
        """The records about footage of these cameras in the window, with the completions
        of batches, and those about holds on them."""
        numbers = {
            number
            for camera in cameras
            for first, last in hours_of(window)
            for number in self._tx.exec_driver_sql(
                _OF_CAMERA, (camera, first, last)
            ).scalars()
        }
        wanted: list[int] = []
        for record in self._entries(sorted(numbers)):
            if record.kind == INTENDED:
                fields = record.entry["fields"]
                if fields["newest"] <= window.start or window.end <= fields["oldest"]:
                    continue
                completion = log.completion(self._tx, record.number)
                if completion is not None:
                    wanted.append(completion)
            wanted.append(record.number)
        return self._entries(sorted(wanted))

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

    def _entries(self, numbers: list[int]) -> Iterator[Record]:
        for first in range(0, len(numbers), _PART):
            part = numbers[first : first + _PART]
            found = self._tx.execute(
                sa.select(entry.c.number, entry.c.bytes)
                .where(entry.c.number.in_(part))
                .order_by(entry.c.number)
            )
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
