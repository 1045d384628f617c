"""Owns the check of what entries say: that each is the one that belongs there, and that
rows, disclosures and batches are what the entries say of them.

Hashes of the tree are not looked at here.  No I/O.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from retention.model.values import Outcome
from retention.tlog import commitments
from retention.tlog import rows as row_files
from retention.tlog.canonical import UNREADABLE, base64url, decode
from retention.tlog.entry import Stored, previous
from retention.tlog.kinds import KINDS, begins
from retention.tlog.public import with_rows
from retention.tlog.unsigned import Stretch, is_unsigned
from retention.tlog.verify.findings import Depth, FaultError, Missing, Verification

Indexed = Callable[[int, set[tuple[int, int]]], tuple[int, int] | None]

REMEMBERED = 1_000
"""Batches that were completed last: one that a restored catalogue completed again."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found in a row file: what is wrong with it (after "entry N"), its rows,
    the columns that batches are checked by, and the footage hours where asked for."""

    complaint: str | None
    count: int = 0
    columns: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    hours: set[tuple[int, int]] = field(default_factory=set)


BOOKED = frozenset({"bytes", "row", "outcome"})
"""The columns by which a batch is compared with its completion."""


def look(data: bytes, entry_data: bytes, *, deep: bool, hours: bool = False) -> Looked:
    """Read a row file against its entry: pure, so that several can be read at once.

    Its digest is known to be right.  Counts and sums must be those of the entry; with
    `deep` the root over the rows too.
    """
    try:
        entry = decode(entry_data)
        found = row_files.read(data, None if deep or hours else BOOKED)
        total = row_files.total_of(found.columns)
        said = entry["fields"] | {"count": entry["rows"]}
        if deep and base64url(found.root()) != entry["rows_root"]:
            return Looked("has rows of another root than it says")
        if complaint := row_files.disagreement(said, found.count, total):
            return Looked(f"does not add up: {complaint}")
        kind = KINDS.get(entry["kind"])  # none: of a newer program
        if kind is not None and not kind.has_columns(found.names):
            return Looked(f"has rows of {' '.join(found.names)}")
        booked = {n: c for n, c in found.columns.items() if n in BOOKED}
        where = row_files.footage_hours(found.columns) if hours else set()
    except UNREADABLE as error:
        return Looked(f"can't be read: {error!r}")
    return Looked(None, found.count, booked, where)


class _Announced(NamedTuple):
    """A batch whose completion is still to come: files, their bytes in all, and the
    bytes of each where the rows were read."""

    files: int
    size: int
    sizes: Sequence[int] | None


class Books:
    """What entries say, one after the other, and whether it adds up.

    `one` raises FaultError; an entry that was wrong or can't be had is skipped: what
    belongs to it is not complained of a second time.  A completion that came back
    `unsigned` completes nothing, whoever wrote it: which these are is asked for only
    where two do not fit each other.
    """

    def __init__(
        self,
        report: Verification,
        unindexed: Indexed | None = None,
    ) -> None:
        self.report = report
        self.unsigned: Callable[[], Collection[Stretch]] = tuple
        self._stretches: Collection[Stretch] | None = None
        self._done: dict[int, tuple[int, _Announced]] = {}
        self.intents: dict[int, _Announced] = {}
        self._unindexed = unindexed
        self._read_rows = report.depth is not Depth.TREE
        self._skipped: set[int] = set()
        self.incomplete = False
        """Entries are withheld: an intent that is not here may be one of them."""

    def one(
        self, entry: dict[str, Any], stored: Stored, looked: Looked | None = None
    ) -> None:
        """The next entry, as `placed` gave it; `looked` where its rows were read."""
        try:
            rows = self._rows(stored, looked)
            self._disclosures(entry.get("sd", {}), stored)
            self._batch(entry, stored.number, rows)
        except UNREADABLE as error:
            raise FaultError(stored.number, f"can't be read: {error!r}") from error

    def skip(self, number: int) -> None:
        """Go on without an entry."""
        if self._read_rows:
            self._skipped.add(number)

    def _rows(self, stored: Stored, looked: Looked | None) -> Looked | None:
        """What its row file holds; None where it has none, or rows are not read."""
        if stored.rows is None or not self._read_rows:
            return None
        found = looked or look(
            stored.rows,
            stored.data,
            deep=self.report.deep,
            hours=self._unindexed is not None,
        )
        if found.complaint:
            raise FaultError(stored.number, found.complaint)
        missing = (
            self._unindexed(stored.number, found.hours) if self._unindexed else None
        )
        if missing:
            raise FaultError(
                stored.number,
                f"is not found under camera {missing[0]}, hour {missing[1]}, though "
                "its rows are: the index was changed",
            )
        self.report.rows += found.count
        return found

    def _disclosures(self, digests: dict[str, str], stored: Stored) -> None:
        """What is disclosed is what was committed to; it may have been erased."""
        for name, text in stored.disclosures.items():
            if name not in digests:
                raise FaultError(
                    stored.number, f"discloses {name}, which it never committed"
                )
            try:
                commitments.opened(text, name, digests[name])
            except ValueError as error:
                raise FaultError(
                    stored.number, f"was given another value: {error}"
                ) from None
        self.report.withheld += len(digests) - len(stored.disclosures)

    def _batch(self, entry: dict[str, Any], number: int, rows: Looked | None) -> None:
        """Each completion is the one of an open intent, and adds up to it."""
        fields = entry["fields"]
        if entry["kind"] == "deletion.intended":
            sizes = rows.columns["bytes"] if rows else None
            self.intents[number] = _Announced(fields["count"], fields["bytes"], sizes)
        elif entry["kind"] == "recordings.deleted":
            of = fields["intent"]
            complaint = self._complete(entry, number, rows)
            if complaint and not self._is_unsigned(number):
                again = self._done.get(of)
                if again is None or not self._is_unsigned(again[0]):
                    raise FaultError(number, complaint)
                self.intents[of] = again[1]
                if complaint := self._complete(entry, number, rows):
                    raise FaultError(number, complaint)

    def _complete(
        self, entry: dict[str, Any], number: int, rows: Looked | None
    ) -> str | None:
        """Why an entry is not the completion of an open intent, or None."""
        fields, of = entry["fields"], entry["fields"]["intent"]
        intent = self.intents.pop(of, None)
        if of in self._skipped or (intent is None and self.incomplete):
            return None
        if intent is None:
            return f"completes {of}, which is no open intent"
        self._done[of] = number, intent
        if len(self._done) > REMEMBERED:
            del self._done[next(iter(self._done))]
        listed = rows.columns if rows else None
        complaint = completion(
            fields,
            entry.get("rows", 0),
            listed,
            intent.files,
            intent.size,
            intent.sizes,
        )
        return complaint and f"does not add up to its intent {of}: {complaint}"

    def _is_unsigned(self, number: int) -> bool:
        if self._stretches is None:
            self._stretches = self.unsigned()
        return is_unsigned(self._stretches, number)


def placed(
    stored: Stored, last: Stored | None, *, public: bool = False
) -> dict[str, Any]:
    """What an entry says; FaultError where it is not the one that belongs here, after
    `last`, or has not the row file that it speaks of: all that can be said of it alone.
    In a `public` copy that may be withheld."""
    try:
        entry: dict[str, Any] = decode(stored.data)
        _place(entry, stored, last)
        if stored.rows is not None or not public or with_rows(entry):
            _digest(entry, stored)
    except UNREADABLE as error:
        raise FaultError(stored.number, f"can't be read: {error!r}") from error
    return entry


def _place(entry: dict[str, Any], stored: Stored, last: Stored | None) -> None:
    """It is the entry that was written here, after the one before it."""
    number = stored.number
    if entry["index"] != number:
        raise FaultError(number, f"is not here: entry {entry['index']} is in its place")
    if last is not None and entry["prev"] != previous(last.data):
        raise FaultError(
            number - 1, f"was changed after entry {number} was written behind it"
        )
    if begins(entry["kind"], entry["fields"]) != (number == 0):
        raise FaultError(number, f"is {entry['kind']}: not where a log opens")
    for name, copy in (("at", stored.at), ("kind", stored.kind)):
        if copy is not None and copy != entry[name]:
            raise FaultError(
                number, f"is listed with {name} {copy!r} and says {entry[name]!r}"
            )


def _digest(entry: dict[str, Any], stored: Stored) -> None:
    """Its row file is the one that it speaks of."""
    complaint = row_files.complaint(entry.get("rows_sha256"), stored.rows)
    if not complaint and stored.rows is not None:
        wrong = row_files.disagreement(entry["fields"], entry["rows"], None)
        complaint = wrong and f"does not add up: {wrong}"
    if complaint:
        lost = Missing.ROWS if stored.rows is None else None
        raise FaultError(stored.number, complaint, lost)


def completion(
    fields: Mapping[str, Any],
    exceptions: int,
    listed: Mapping[str, Sequence[Any]] | None,
    files: int,
    size: int,
    sizes: Sequence[int] | None,
) -> str | None:
    """Why a completion is not the one of an intent of so many files and bytes, or None.

    `listed` are the columns of its exceptions and `sizes` the bytes of each file: None
    where these were not read.
    """
    counts = {outcome: int(fields[outcome]) for outcome in Outcome}
    if sum(counts.values()) != files:
        return f"{sum(counts.values())} outcomes of {files} files"
    if exceptions != files - counts[Outcome.DELETED]:
        return f"{exceptions} exceptions are listed"
    removed = sum(counts[outcome] for outcome in Outcome if outcome.ours)
    if fields["bytes"] > size or (removed == files and fields["bytes"] != size):
        return f"{fields['bytes']} bytes of {size}"
    if listed is None and (exceptions or sizes is None):
        return None  # the rows were not read
    places, outcomes = (listed["row"], listed["outcome"]) if listed else ((), ())
    return _exceptions(
        fields,
        counts,
        dict(zip(places, outcomes, strict=True)),
        len(places),
        files,
        sizes,
    )


def _exceptions(
    fields: Mapping[str, Any],
    counts: Mapping[Outcome, int],
    outcomes: Mapping[int, str],
    listed: int,
    files: int,
    sizes: Sequence[int] | None,
) -> str | None:
    if len(outcomes) != listed or not all(0 <= row < files for row in outcomes):
        return "an exception of a row that there is not, or twice"
    found = Counter(outcomes.values())
    for outcome, count in counts.items():
        if outcome is not Outcome.DELETED and found[outcome] != count:
            return f"{found[outcome]} rows are {outcome}, {count} are counted"
    if sizes is None:
        return None
    ours = [outcome for outcome in Outcome if outcome.ours]
    kept = sum(sizes[row] for row, outcome in outcomes.items() if outcome not in ours)
    removed = sum(sizes) - kept
    if removed != fields["bytes"]:
        return f"{fields['bytes']} bytes were counted, {removed} were in those files"
    return None
