"""Owns reading the log: what every reader asks, wherever the log lies, and what became
of the files of a batch.

A `Source` is a catalogue (`catalogue.entries`) or a published directory (here).  A record
is an entry with its row file still unread.  More may come than was asked for, never less.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from typing import Any, NamedTuple, Protocol

from retention.model.errors import VerificationError, WithheldError
from retention.model.values import DAY, HOUR, Micros, Outcome, Window
from retention.tlog import commitments
from retention.tlog import rows as row_files
from retention.tlog.canonical import UNREADABLE
from retention.tlog.declare import Footage
from retention.tlog.kinds import KINDS
from retention.tlog.rows import LONG, Columns, RowFile
from retention.tlog.subjects import matches
from retention.tlog.unsigned import Stretch, Unsigned, is_unsigned
from retention.tlog.unsigned import acts as acts_so

INTENDED, DELETED = "deletion.intended", "recordings.deleted"
LOST = "recordings.lost"

Place = tuple[int, int]
"""(camera key, UTC day since the epoch)."""


class Record(NamedTuple):
    """One entry; `read` reads columns of its row file, checked against its digest.
    `unsigned`: why no signature vouches for it; None where one does."""

    number: int
    entry: dict[str, Any]
    fetch: Callable[[], bytes | None]
    unsigned: Unsigned | None = None

    @property
    def kind(self) -> str:
        """The kind of the entry."""
        return str(self.entry["kind"])

    @property
    def is_void(self) -> bool:
        """Whether it came back unsigned and is of a kind that has no effect then."""
        return bool(
            self.unsigned and self.unsigned.came_back and not acts_so(self.kind)
        )

    def read(
        self, only: Set[str] | None = None, cameras: Set[int] | None = None
    ) -> RowFile:
        """Its rows, all or those of these cameras; VerificationError where they are not
        those that were written."""
        data = self.fetch()
        complaint = row_files.complaint(self.entry.get("rows_sha256"), data)
        if complaint or data is None:
            raise VerificationError(
                f"entry {self.number} {complaint or 'has no rows'}; run "
                "`retention audit verify`"
            )
        try:
            return row_files.read(data, only, cameras)
        except UNREADABLE as error:
            raise VerificationError(
                f"the rows of entry {self.number} can't be read: {error}"
            ) from error

    def cameras(self) -> frozenset[int]:
        """The cameras that it lists, by key, in itself or in its rows; errors as `read`."""
        listed = self.entry["fields"]["cameras"]
        if listed is None:
            listed = self.read({"camera"}).columns["camera"]
        return frozenset(listed)

    def periods(self) -> dict[int, int]:
        """The days of the cameras whose period it says is their own, by key, in itself or
        in its rows; errors as `read`."""
        listed = self.entry["fields"]["cameras"]
        if listed is not None:
            return {int(key): days for key, days in listed.items()}
        columns = self.read({"camera", "days"}).columns
        pairs = zip(columns["camera"], columns["days"], strict=True)
        return {camera: days for camera, days in pairs if days is not None}


Act = Callable[[Record], None]


def acts(reader: object, kinds: Iterable[str]) -> dict[str, Act]:
    """A reader's method for each of these kinds: it is named as the kind, after the dot.

    AttributeError where it has none, so that no kind is passed over in silence.
    """
    return {kind: getattr(reader, f"_{kind.partition('.')[2]}") for kind in kinds}


class Outcomes(NamedTuple):
    """What became of the files of a batch: the entry that completes it and when that was
    written, None while it is open; and the outcome of each row that was not deleted."""

    completion: int | None = None
    at: Micros | None = None
    exceptions: Mapping[int, Outcome] = {}

    def of(self, row: int) -> Outcome | None:
        """What became of the file in a row of the intent; None while it is open."""
        if self.completion is None:
            return None
        return self.exceptions.get(row, Outcome.DELETED)


def outcomes(done: Record | None) -> Outcomes:
    """What the completion of a batch says; without one it is open."""
    if done is None:
        return Outcomes()
    columns = done.read().columns if "rows" in done.entry else {}
    return outcomes_in(done.entry, columns)


def outcomes_in(entry: Mapping[str, Any], columns: Mapping[str, Any]) -> Outcomes:
    """The same of an entry and the columns of its rows, none where it has none."""
    rows, said = columns.get("row", ()), columns.get("outcome", ())
    exceptions = dict(zip(rows, map(Outcome, said), strict=True))
    return Outcomes(entry["index"], entry["at"], exceptions)


class Query(NamedTuple):
    """Which entries: all that is given must be true of one.  `kinds` are names, or
    patterns such as `hold.*`.

    `written` is when it was written.  With `camera` (its key) it is about that camera,
    and with `footage` about that time of it; of an entry with rows it may be another
    time of the same hours, which only its rows tell.  The completion of a batch is about
    what its intent is.
    """

    kinds: Collection[str] = ()
    subject: str | None = None
    written: Window | None = None
    camera: int | None = None
    footage: Window | None = None
    before: int | None = None

    def is_of(self, kind: str) -> bool:
        """Whether such entries are asked for."""
        return not self.kinds or any(matches(kind, one) for one in self.kinds)

    def wants(self, record: Record) -> bool:
        """Whether all but the footage is as asked for."""
        entry, written = record.entry, self.written
        return (
            self.is_of(record.kind)
            and self.subject in (None, entry.get("subject"))
            and (self.before is None or record.number < self.before)
            and (written is None or written.start <= entry["at"] < written.end)
        )


class Source(Protocol):
    """A log that can be asked.  `entries` were read so far.

    It alone knows whether an entry is signed: each `Record` has that from it.
    """

    entries: int
    indexed: bool
    """Whether it finds entries by camera without reading them all."""
    doubted: dict[int, Unsigned]
    """What was given out so far that no signature vouches for, by number."""

    @property
    def back(self) -> list[Stretch]:
        """What came back unsigned."""

    def entry(self, number: int) -> Record:
        """One entry; RetentionError where there is none."""

    def disclosures(self, number: int) -> Mapping[str, str]:
        """What opens the committed fields of an entry, by field, as far as it is here."""

    def backwards(self, query: Query) -> Iterator[Record]:
        """The entries that are asked for, newest first."""

    def completion(self, intent: int) -> Record | None:
        """The entry that completes a batch; None while it is open."""

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterable[Record]:
        """The records of these kinds from number `first` on, in the order of the log."""

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
        held: Collection[Window] = (),
    ) -> Iterable[Record]:
        """The records about footage of these cameras in the windows, with the completions
        of batches and those about holds on them (also on footage `held`), and the
        roll-ups of these cameras and days; in the order of the log."""


class Believed:
    """What of a log a report rests on: all but what came back unsigned and has no effect
    then, and what completes a batch of that."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.back = source.back
        self.entry = source.entry
        self.disclosures = source.disclosures

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterator[Record]:
        """As a source's, without those."""
        found = iter(self._source.of_kinds(kinds, first))
        return filter(self._counts, found) if self.back else found

    def _counts(self, record: Record) -> bool:
        return not record.is_void and not (
            record.kind == DELETED
            and is_unsigned(self.back, record.entry["fields"]["intent"])
        )


def hours_of(window: Window) -> list[tuple[int, int]]:
    """The ranges of hours, both ends included, under which the records about footage of
    a window are found: its own, and that of very long spans."""
    return [(LONG, LONG), (window.start // HOUR, (window.end - 1) // HOUR)]


def apart(fields: Mapping[str, Any], windows: Iterable[Window]) -> bool:
    """Whether a batch, by its first start and last end, has nothing in these windows: an
    hour has many batches, and one instant is in one or two of them."""
    return not any(
        fields["oldest"] < window.end and window.start < fields["newest"]
        for window in windows
    )


def opened(entry: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """An entry with its committed fields in clear, under `fields` and `actor`.

    A value that is not here (it was erased, or never published) is left out and its name
    is in `withheld`.  Raises VerificationError where a text is not the one that was
    committed to.
    """
    digests = entry.get("sd", {})
    try:
        values = {
            name: commitments.opened(texts[name], name, digest)
            for name, digest in digests.items()
            if name in texts
        }
    except ValueError as error:
        raise VerificationError(
            f"audit entry {entry['index']}: {error}; run `retention audit verify`"
        ) from error
    found = {name: value for name, value in entry.items() if name != "sd"}
    if (name := commitments.ACTOR_NAME) in values:
        found["actor"] = {**entry["actor"], "name": values.pop(name)}
    found["fields"] = {**entry["fields"], **values}
    return found | {"withheld": sorted(digests.keys() - texts.keys())}


Span = tuple[int, Micros, Micros]
"""Footage: (camera key, start, end)."""


def spans(
    entry: Mapping[str, Any],
    columns: Callable[[], Columns],
    hold: Callable[[int], Iterable[Span]],
) -> Iterable[Span]:
    """The footage that an entry speaks of, and so where it is found.

    `columns` are its rows, `hold` what a hold covers once the entry is written.
    """
    kind = KINDS.get(entry["kind"])
    fields, at = entry["fields"], entry["at"]
    footage = None if kind is None else kind.footage
    if footage is Footage.HOLD:
        yield from hold(fields["hold"])
    elif footage is Footage.CAMERA:
        for name in ("camera", "old", "new"):
            if isinstance(fields.get(name), int):
                yield fields[name], at, at + 1
    elif "rows" not in entry:
        return
    elif footage is Footage.DAYS:
        found = columns()
        for camera, day in zip(found["camera"], found["day"], strict=True):
            yield camera, day * DAY, day * DAY + HOUR
    elif footage is Footage.REFUSED:
        found = columns()
        for camera, outcome in zip(found["camera"], found["outcome"], strict=True):
            if outcome == "refused":
                yield camera, at, at + 1
    elif footage not in (Footage.NONE, Footage.INTENT):
        found = columns()
        if not found.keys() >= {"camera", "start", "duration"}:
            return  # of a newer program
        ends = list(map(int.__add__, found["start"], found["duration"]))
        yield from zip(found["camera"], found["start"], ends, strict=True)
        if footage is Footage.MOVED:
            yield from zip(
                found.get("new_camera", found["camera"]),
                found.get("new_start", found["start"]), found.get("new_end", ends),
                strict=True,
            )  # fmt: skip


_SPANNED = ("camera", "start", "duration", "day", "outcome")
"""The columns by which rows tell of footage."""


def columns_of(record: Record) -> Columns:
    """The columns of its rows, as `spans` looks at them; empty ones where a public copy
    withholds them."""
    try:
        return record.read().columns
    except WithheldError:
        return dict.fromkeys(_SPANNED, ())


class HoldSpans:
    """What holds cover, as their entries tell in the order of the log."""

    def __init__(self) -> None:
        self._holds: dict[int, tuple[frozenset[int], Window]] = {}

    def read(self, record: Record) -> None:
        """Enter one entry; those that change nothing of it do no harm."""
        fields = record.entry["fields"]
        if "cameras" not in fields or "since" not in fields:
            return
        before, _ = self._holds.get(fields["hold"], (frozenset(), None))
        window = Window(fields["since"], fields["until"])
        self._holds[fields["hold"]] = before | record.cameras(), window

    def of(self, hold: int) -> Iterator[Span]:
        """What a hold covers by now."""
        cameras, window = self._holds.get(hold, (frozenset(), Window(0, 0)))
        return ((camera, window.start, window.end) for camera in sorted(cameras))
