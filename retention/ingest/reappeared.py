"""Files for a time whose footage the audit log calls deleted (design, section 6)."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from retention.audit import log
from retention.audit.listing import listing
from retention.model import Micros, Outcome, Recording

GONE = (Outcome.DELETED, Outcome.ABSENT, Outcome.ABSENT_AFTER_CRASH)


class _Deleted(NamedTuple):
    camera: int
    start: Micros
    end: Micros


class Deletions:
    """What the log says was deleted.  Keeps the entries read; one per scan."""

    def __init__(self) -> None:
        self._read: dict[int, list[_Deleted]] = {}

    def has(self, tx: Connection, camera: int, row: Recording) -> bool:
        """Whether footage of that camera and time was deleted."""
        found = listing(
            tx, kind="deletion.intended", camera=camera, since=row.start, until=row.end,
            limit=1_000,
        )  # fmt: skip
        return any(
            gone.camera == camera and gone.start < row.end and row.start < gone.end
            for entry in found
            for gone in self._rows(tx, int(entry["index"]))
        )

    def _rows(self, tx: Connection, intent: int) -> Iterable[_Deleted]:
        if intent not in self._read:
            if len(self._read) > 64:
                self._read.clear()
            self._read[intent] = list(_deleted(tx, intent))
        return self._read[intent]


def _deleted(tx: Connection, intent: int) -> Iterable[_Deleted]:
    """The files of an intent that its completion says are gone."""
    completion = log.completion(tx, intent)
    rows = log.read_rows(tx, intent)
    if completion is None or rows is None:
        return
    exceptions = log.read_rows(tx, completion)
    kept = {
        row for row, outcome in (exceptions.values if exceptions else ())
        if outcome not in GONE
    }  # fmt: skip
    at = [rows.columns.index(name) for name in ("camera", "start", "duration")]
    for number, values in enumerate(rows.values):
        if number not in kept:
            camera, start, duration = (values[column] for column in at)
            yield _Deleted(camera, start, start + duration)
