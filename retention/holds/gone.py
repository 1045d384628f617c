"""What footage is not there any more, by the last word of the log on each recording (P7).

Entries are found by camera and hour; a row counts by its own time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retention.model.errors import VerificationError
from retention.model.policy import merge
from retention.model.values import HOUR, Micros, Window
from retention.tlog.fates import RecordingFate, fate_said
from retention.tlog.kinds import FATES
from retention.tlog.rows import LONG
from retention.tlog.source import INTENDED, Outcomes, Record, apart, outcomes

if TYPE_CHECKING:
    from retention.catalogue.entries import CatalogueSource

MOST_ROWS = 300_000
"""Rows read for one answer, and index rows besides: some three seconds' work."""

_COLUMNS = frozenset(
    {"camera", "stream", "start", "n", "duration", "bytes", "new_start"}
)
_GONE = (RecordingFate.DELETED, RecordingFate.LOST)


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


class GoneFootage(NamedTuple):
    """By camera key: what is gone, and the hours whose entries were not read, since
    there were too many."""

    gone: dict[int, list[Gone]]
    unread: dict[int, list[Window]]


def gone_footage(
    source: CatalogueSource, wanted: Mapping[int, Sequence[Window]]
) -> GoneFootage:
    """What the log says of the footage of these cameras in these windows.

    The newest entries are read first, until there were `MOST_ROWS`.  One whose rows are
    not those that were written, or that came back unsigned, counts as not read.
    """
    asked = {camera: windows for camera, windows in wanted.items() if windows}
    each = MOST_ROWS // max(1, len(asked))
    found = {
        camera: source.hours(camera, _ranges(windows), each)
        for camera, windows in asked.items()
    }
    numbers = source.those_of(
        {entry for places, _ in found.values() for _, entry in places}, FATES
    )
    reader = _LastWords(source, asked)
    read = reader.read(sorted(numbers, reverse=True))
    unread = {
        camera: _hours(
            [hour for hour, entry in places if entry in numbers and entry not in read],
            asked[camera],
            before,
        )
        for camera, (places, before) in found.items()
    }
    gone = {camera: sorted(reader.gone.get(camera, ())) for camera in wanted}
    return GoneFootage(gone, unread)


class _LastWords:
    """Reads entries from the newest on: what is said first of a recording is so."""

    def __init__(
        self, source: CatalogueSource, asked: Mapping[int, Sequence[Window]]
    ) -> None:
        self.gone: dict[int, list[Gone]] = {camera: [] for camera in asked}
        self._source = source
        self._windows = merge(one for windows in asked.values() for one in windows)
        self._settled: set[tuple[int, Micros, int]] = set()
        self._in_doubt: dict[tuple[int, Micros, int], tuple[Micros, int]] = {}
        self._count = 0

    def read(self, numbers: Iterable[int]) -> set[int]:
        """Enter these, as long as there are not too many rows; those that were read."""
        read: set[int] = set()
        for number in numbers:
            if self._count > MOST_ROWS:
                break
            try:
                record = self._source.entry(number)
                if record.is_void:
                    continue
                self._enter(record)
            except VerificationError:
                continue
            read.add(number)
        return read

    def _enter(self, record: Record) -> None:
        became, last = Outcomes(), record
        if record.kind == INTENDED:
            if apart(record.entry["fields"], self._windows):
                return
            done = self._source.completion(record.number)
            became, last = outcomes(done), done or record
        rows = record.read(_COLUMNS)
        self._count += rows.count
        columns = rows.columns
        names = ("camera", "stream", "start", "n", "duration", "bytes")
        places = enumerate(zip(*(columns[name] for name in names), strict=True))
        for place, (camera, stream, start, n, duration, size) in places:
            key = stream, start, n
            if camera not in self.gone or key in self._settled:
                continue
            fate = fate_said(record.kind, columns, place, became)
            if fate is None:
                continue
            if fate is RecordingFate.QUARANTINED:
                # It may be another file of that name: then what was is gone all the same.
                self._in_doubt.setdefault(key, (duration, size))
                continue
            self._settled.add(key)
            if fate in _GONE and self._in_doubt.get(key) != (duration, size):
                deleted = fate is RecordingFate.DELETED
                self.gone[camera].append(
                    Gone(
                        start, start + duration, last.entry["at"], last.number, deleted
                    )
                )


def _ranges(windows: Sequence[Window]) -> Sequence[Window]:
    """The hours that these windows meet."""
    return merge(
        Window(window.start // HOUR, (window.end - 1) // HOUR + 1) for window in windows
    )


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
