"""The books of recordings, day by day: what was recorded is there, deleted or lost.

A day is a camera and the UTC day of the start.  Recorded, corrected and waiting for a
roll-up, with what changed and what was moved to another day, less what was deleted and
lost, must be what is there.  Pure: entries come as records, in the order of the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from retention.model.errors import VerificationError
from retention.model.values import DAY
from retention.tlog.fates import RecordingFate, fate_of
from retention.tlog.kinds import telling
from retention.tlog.source import Act, Record, acts, outcomes

COLUMNS = (
    "recorded",
    "corrected",
    "waiting",
    "changed",
    "moved",
    "deleted",
    "lost",
    "present",
    "quarantined",
)
SIGNS = dict(zip(COLUMNS, (1, 1, 1, 1, 1, -1, -1, -1, -1), strict=True))
"""What each does to the difference."""
_NUMBER = dict(zip(COLUMNS, range(len(COLUMNS)), strict=True))

KINDS = telling("books")
"""The kinds of entries that are entered."""

Place = tuple[int, int]
"""(camera key, day since the epoch)."""


class RecordingSum(NamedTuple):
    """Recordings, their duration and bytes; of a change, what came to them."""

    number: int = 0
    duration: int = 0
    size: int = 0

    def plus(self, other: RecordingSum, times: int = 1) -> RecordingSum:
        """Both together; the other one so many times."""
        return RecordingSum(*(a + times * b for a, b in zip(self, other, strict=True)))


NOTHING = RecordingSum()


class UnreadEntry(NamedTuple):
    """An entry whose rows could not be read: what it says is not in the books."""

    entry: int
    what: str


def entered(
    acts: Mapping[str, Act], records: Iterable[Record]
) -> Iterator[UnreadEntry]:
    """Enter records, each by the act of its kind, if there is one; those of which the
    rows can't be read come back, before the next is entered."""
    for record in records:
        if (act := acts.get(record.kind)) is None:
            continue
        try:
            act(record)
        except VerificationError as error:
            yield UnreadEntry(record.number, str(error))
        except (KeyError, TypeError, ValueError) as error:
            yield UnreadEntry(record.number, f"can't be understood: {error!r}")


class _OpenBatch(NamedTuple):
    """A batch whose completion is still to come: its rows, column by column."""

    places: Sequence[Place]
    durations: Sequence[int]
    sizes: Sequence[int]


class Balance:
    """Sums up records.  Only of these cameras and days, where any are given."""

    def __init__(
        self, cameras: Collection[int] | None = None, days: range | None = None
    ) -> None:
        self._cameras = None if cameras is None else frozenset(cameras)
        self._days = days
        self._sums: list[dict[Place, list[int]]] = [{} for _ in COLUMNS]
        self._intents: dict[int, _OpenBatch] = {}
        self._passed_over: set[int] = set()
        self.faults: list[UnreadEntry] = []
        self.rows = 0
        self._acts = acts(self, KINDS)

    @property
    def open_intents(self) -> list[int]:
        """Batches without a completion: their recordings are still there, by the log."""
        return sorted(self._intents)

    def read(self, records: Iterable[Record]) -> None:
        """Enter records; one whose rows can't be read becomes a fault."""
        for fault in entered(self._acts, records):
            self._passed_over.add(fault.entry)
            self.faults.append(fault)

    def add(self, column: str, place: Place, found: RecordingSum) -> None:
        """Enter sums of the catalogue's own."""
        self._enter(column, [place], [found.duration], [found.size], [found.number])

    def places(self) -> list[Place]:
        """Every camera and day that has anything, in order."""
        return sorted(set().union(*self._sums))

    def of(self, place: Place) -> dict[str, RecordingSum]:
        """What was entered of a camera and day, by column."""
        return {
            name: RecordingSum(*found[place]) if place in found else NOTHING
            for name, found in zip(COLUMNS, self._sums, strict=True)
        }

    def _enter(
        self,
        column: str,
        places: Iterable[Place],
        durations: Iterable[int],
        sizes: Iterable[int],
        numbers: Iterable[int] | None = None,
    ) -> None:
        sums = self._sums[_NUMBER[column]]
        every = self._cameras is None and self._days is None
        for place, duration, size, number in zip(
            places, durations, sizes, numbers or repeat(1), strict=False
        ):
            found = sums.get(place)
            if found is None:
                if not (every or self._wants(place)):
                    continue
                found = sums[place] = [0, 0, 0]
            found[0] += number
            found[1] += duration
            found[2] += size

    def _wants(self, place: Place) -> bool:
        camera, day = place
        return (self._cameras is None or camera in self._cameras) and (
            self._days is None or day in self._days
        )

    # -- by kind --------------------------------------------------------------------

    def _recorded(self, record: Record) -> None:
        columns = self._columns(record, "camera", "day", "count", "duration", "bytes")
        cameras, days, counts, durations, sizes = columns
        origin = record.entry["fields"]["origin"]
        self._enter(
            "recorded" if origin == "catalogued" else "corrected",
            zip(cameras, days, strict=True), durations, sizes, counts,
        )  # fmt: skip

    def _changed(self, record: Record) -> None:
        cameras, starts, before, after, smaller, larger = self._columns(
            record, "camera", "start", "old_duration", "duration", "old_bytes", "bytes"
        )
        self._enter(
            "changed", _places(cameras, starts), map(int.__sub__, after, before),
            map(int.__sub__, larger, smaller), [0] * len(starts),
        )  # fmt: skip

    def _resolved(self, record: Record) -> None:
        cameras, starts, durations, sizes, moved, ends = self._columns(
            record, "camera", "start", "duration", "bytes", "new_start", "new_end"
        )
        self._enter(
            "moved", _places(cameras, starts), map(int.__neg__, durations),
            map(int.__neg__, sizes), [-1] * len(starts),
        )  # fmt: skip
        lengths = map(int.__sub__, ends, moved)
        self._enter("moved", _places(cameras, moved), lengths, sizes)

    def _assigned(self, record: Record) -> None:
        cameras, starts, durations, sizes, right = self._columns(
            record, "camera", "start", "duration", "bytes", "new_camera"
        )
        self._enter(
            "moved", _places(cameras, starts), map(int.__neg__, durations),
            map(int.__neg__, sizes), [-1] * len(starts),
        )  # fmt: skip
        self._enter("moved", _places(right, starts), durations, sizes)

    def _moved(self, record: Record) -> None:
        """What was called lost came in anew; of what was not, the copy did before."""
        if record.entry["fields"].get("origin") == "there":
            places, durations, sizes = self._footage(record)
            self._enter(
                "moved", places, map(int.__neg__, durations), map(int.__neg__, sizes),
                [-1] * len(places),
            )  # fmt: skip

    def _lost(self, record: Record) -> None:
        self._enter("lost", *self._footage(record))

    def _intended(self, record: Record) -> None:
        fields = record.entry["fields"]
        if self._days is not None and (
            fields["newest"] < self._days.start * DAY
            or self._days.stop * DAY <= fields["oldest"]
        ):
            self._passed_over.add(record.number)
            return
        self._intents[record.number] = self._footage(record)

    def _deleted(self, record: Record) -> None:
        """The batch of an intent is over; `absent` files were gone before it.  One that
        came back unsigned completes nothing."""
        if record.is_void:
            return
        number = record.entry["fields"]["intent"]
        intent = self._intents.pop(number, None)
        if intent is None:
            if number not in self._passed_over:
                raise ValueError(f"it completes {number}, which is no open intent")
            return
        became = outcomes(record)
        self.rows += len(became.exceptions)
        if not became.exceptions:
            self._enter("deleted", *intent)
            return
        places, durations, sizes = intent
        said = [became.of(row) for row in range(len(sizes))]
        for column, fate in (
            ("deleted", RecordingFate.DELETED),
            ("lost", RecordingFate.LOST),
        ):
            at = [row for row, outcome in enumerate(said) if fate_of(outcome) is fate]
            self._enter(
                column,
                [places[row] for row in at],
                [durations[row] for row in at],
                [sizes[row] for row in at],
            )

    def _footage(self, record: Record) -> _OpenBatch:
        cameras, starts, durations, sizes = self._columns(
            record, "camera", "start", "duration", "bytes"
        )
        return _OpenBatch(list(_places(cameras, starts)), durations, sizes)

    def _columns(self, record: Record, *names: str) -> list[Sequence[Any]]:
        found = record.read(frozenset(names))
        self.rows += found.count
        return [found.columns[name] for name in names]


def difference(sums: Mapping[str, RecordingSum]) -> RecordingSum:
    """Recorded less all that became of it; nothing but zeros where the books balance."""
    total = NOTHING
    for name, sign in SIGNS.items():
        total = total.plus(sums[name], sign)
    return total


def expected(sums: Mapping[str, RecordingSum]) -> RecordingSum:
    """What should be there by all that is not itself there."""
    gone = {**sums, "present": NOTHING, "quarantined": NOTHING}
    return difference(gone)


def _places(cameras: Iterable[int], starts: Iterable[int]) -> Iterable[Place]:
    return zip(cameras, map(int.__floordiv__, starts, repeat(DAY)), strict=False)
