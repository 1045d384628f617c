"""Owns the check of what a log says: that each entry is the one that belongs there, and
that rows, disclosures and batches are what the entries say of them.

The hashes of a log in a database are checked here too, those of a published directory
in `published`.  Nothing is written again to be compared: the leaf is the stored bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from retention import merkle
from retention.audit import commitments
from retention.audit import rows as row_files
from retention.audit.canonical import base64url, decode
from retention.audit.kinds import KINDS
from retention.audit.stored import Stored, previous
from retention.model import Outcome

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue

PAGE = 500
"""Entries read in one transaction: none stays open for long."""

FAULTS = 100
"""More than these are counted and not listed."""

OURS = (Outcome.DELETED, Outcome.ABSENT_AFTER_CRASH)
"""Outcomes of files that this program removed."""

Indexed = Callable[[int, set[tuple[int, int]]], tuple[int, int] | None]

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What entries of another shape than ours raise where they are read."""


class Depth(StrEnum):
    """How much is computed again; each includes the one before it."""

    TREE = "tree"
    """Every hash of the tree, and the digest of every row file."""
    SUMS = "sums"
    """What entries say: counts and sums of rows, intents and their completions."""
    DEEP = "deep"
    """The root over the rows of every row file."""


class Fault(NamedTuple):
    """A place where the log is not what was written: the entry, and what is wrong there,
    to be read after "entry N"; without an entry a sentence of its own."""

    entry: int | None
    what: str

    @property
    def sentence(self) -> str:
        """The fault as a person reads it."""
        return self.what if self.entry is None else f"entry {self.entry} {self.what}"


@dataclass(slots=True)
class Report:
    """What was found.

    `size` is the head's, `intact` how many entries from the first on are what was
    written; `rows` how many rows were read (not at depth `tree`), `withheld` how many
    committed values were erased, `open_intents` batches without a completion.  Of a
    published log also: its `origin`, when its last signed entry was written (`signed_at`,
    microseconds), how many entries lie beyond the checkpoint (`unsigned`), the older
    checkpoints that it extends (`extends`), and files that are none of its (`strangers`).
    """

    size: int
    depth: Depth = Depth.TREE
    intact: int = 0
    root: bytes = merkle.EMPTY
    rows: int = 0
    withheld: int = 0
    open_intents: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unlisted: int = 0
    origin: str = ""
    signed_at: int | None = None
    unsigned: int = 0
    extends: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """The whole log is what was written."""
        return not self.faults

    @property
    def deep(self) -> bool:
        """Every row root was computed."""
        return self.depth is Depth.DEEP

    @property
    def fault(self) -> Fault | None:
        """The first place where it is not; the others are in `faults`."""
        return self.faults[0] if self.faults else None

    def add(self, fault: Fault) -> None:
        """Note a fault."""
        if len(self.faults) < FAULTS:
            self.faults.append(fault)
        else:
            self.unlisted += 1


def verify(
    entries: Iterable[Stored],
    size: int,
    root: bytes,
    *,
    deep: bool = False,
    unindexed: Indexed | None = None,
) -> Report:
    """Check entries, in order from 0, against a head of `size` and `root`.

    Stops at the first fault.  `deep` decodes every row file and computes its root; else
    its digest is compared.  `unindexed` gives a (camera, hour) under which an entry
    should be found and is not.
    """
    report = Report(size, Depth.DEEP if deep else Depth.TREE)
    books = Books(report, unindexed)
    frontier = merkle.Frontier()
    last: Stored | None = None
    try:
        for stored in entries:
            if stored.number != frontier.size:
                raise FaultError(frontier.size, f"is missing: {stored.number} follows")
            if frontier.size >= size:
                raise FaultError(size, "is beyond the head, which does not know it")
            books.one(stored, last)
            frontier = frontier.append(merkle.leaf(stored.data))
            last = stored
            report.intact = frontier.size
        _end(frontier, size, root)
    except FaultError as error:
        report.add(error.fault)
        report.intact = error.fault.entry or 0
    report.root = frontier.root()
    report.open_intents = sorted(books.intents)
    return report


def _end(found: merkle.Frontier, said: int, root: bytes) -> None:
    """All entries are there: the tree over them must be the head's."""
    if found.size < said:
        raise FaultError(found.size, f"is missing: the head says {said} entries")
    if found.root() != root:
        # Each entry names the one before it, so it is the last one - or all were
        # written anew from somewhere on, which only an older head can show.
        raise FaultError(
            max(said - 1, 0),
            "or the head was changed: the tree over all entries is "
            f"{base64url(found.root())}, the head says {base64url(root)}",
        )


def verify_catalogue(catalogue: Catalogue, *, deep: bool = False) -> Report:
    """Check the log in a catalogue, as of now, while others go on writing."""
    # Here, since whoever verifies a published log has no database library.
    from retention.audit import log

    with catalogue.read() as tx:
        size, data = log.head(tx)
        stray = log.beyond(tx, size)
    try:
        root = merkle.Frontier.from_bytes(size, data).root()
    except ValueError as error:
        report = Report(size, Depth.DEEP if deep else Depth.TREE)
        report.add(Fault(0, f"has no head to compare: {error}"))
        return report

    def pages() -> Iterator[Stored]:
        for first in range(0, size, PAGE):
            with catalogue.read() as tx:
                yield from log.stored(tx, first, min(PAGE, size - first))

    def unindexed(number: int, hours: set[tuple[int, int]]) -> tuple[int, int] | None:
        with catalogue.read() as tx:
            return log.unindexed(tx, number, hours)

    report = verify(pages(), size, root, deep=deep, unindexed=unindexed)
    if report.ok and stray is not None:
        report.add(Fault(stray, f"is beyond the head, which says {size} entries"))
    return report


class FaultError(Exception):
    """The entry at hand is not what was written."""

    def __init__(self, entry: int, what: str) -> None:
        self.fault = Fault(entry, what)


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


def look(
    data: bytes, entry: Mapping[str, Any], *, deep: bool, hours: bool = False
) -> Looked:
    """Read a row file against its entry: pure, so that several can be read at once.

    Its digest is known to be right.  Counts and sums must be those of the entry; with
    `deep` the root over the rows too.
    """
    try:
        found = row_files.read(data, None if deep or hours else BOOKED)
        total = row_files.total_of(found.columns)
        said = entry["fields"] | {"count": entry["rows"]}
        if deep and base64url(found.root()) != entry["rows_root"]:
            return Looked("has rows of another root than it says")
        if complaint := row_files.disagreement(said, found.count, total):
            return Looked(f"does not add up: {complaint}")
        kind = KINDS.get(entry["kind"])
        if kind and found.names != kind.columns:
            return Looked(f"has rows of {' '.join(found.names)}")
        booked = {n: c for n, c in found.columns.items() if n in BOOKED}
        where = row_files.footage_hours(found.columns) if hours else set()
    except UNREADABLE as error:
        return Looked(f"can't be read: {error!r}")
    return Looked(None, found.count, booked, where)


class _Intent(NamedTuple):
    """A batch whose completion is still to come: files, their bytes in all, and the
    bytes of each where the rows were read."""

    files: int
    size: int
    sizes: Sequence[int] | None


class Books:
    """What entries say, one after the other, and whether it adds up.

    `one` raises FaultError.  After it the next entry may be given all the same: batches
    of an entry with a fault are not complained of a second time.
    """

    def __init__(
        self, report: Report, unindexed: Indexed | None = None, *, rows: bool = False
    ) -> None:
        self.report = report
        self.intents: dict[int, _Intent] = {}
        self._unindexed = unindexed
        self._read_rows = rows or report.deep
        self._lost: set[int] = set()

    def one(
        self, stored: Stored, last: Stored | None, looked: Looked | None = None
    ) -> None:
        """The next entry, after `last`; `looked` where its rows were read already."""
        try:
            entry = decode(stored.data)
            _place(entry, stored, last)
            _digest(entry, stored)
            rows = self._rows(entry, stored, looked)
            self._disclosures(entry.get("sd", {}), stored)
            self._batch(entry, stored.number, rows)
        except UNREADABLE as error:
            self._lost.add(stored.number)
            raise FaultError(stored.number, f"can't be read: {error!r}") from error
        except FaultError:
            self._lost.add(stored.number)
            raise

    def skip(self, number: int) -> None:
        """An entry that can't be had."""
        self._lost.add(number)

    def _rows(
        self, entry: dict[str, Any], stored: Stored, looked: Looked | None
    ) -> Looked | None:
        """What its row file holds; None where it has none, or rows are not read."""
        if stored.rows is None or not self._read_rows:
            return None
        found = looked or look(
            stored.rows,
            entry,
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
            self.intents[number] = _Intent(fields["count"], fields["bytes"], sizes)
        elif entry["kind"] == "recordings.deleted":
            intent = self.intents.pop(fields["intent"], None)
            if fields["intent"] in self._lost:
                return
            if intent is None:
                raise FaultError(
                    number, f"completes {fields['intent']}, which is no open intent"
                )
            complaint = completion(
                fields,
                entry.get("rows", 0),
                rows.columns if rows else None,
                intent.files,
                intent.size,
                intent.sizes,
            )
            if complaint:
                raise FaultError(
                    number,
                    f"does not add up to its intent {fields['intent']}: {complaint}",
                )


def _place(entry: dict[str, Any], stored: Stored, last: Stored | None) -> None:
    """It is the entry that was written here, after the one before it."""
    number = stored.number
    if entry["index"] != number:
        raise FaultError(number, f"is not here: entry {entry['index']} is in its place")
    if last is not None and entry["prev"] != previous(last.data):
        raise FaultError(
            number - 1, f"was changed after entry {number} was written behind it"
        )
    if (entry["kind"] == "log.opened") != (number == 0):
        raise FaultError(number, f"is {entry['kind']}: not where a log opens")
    for name, copy in (("at", stored.at), ("kind", stored.kind)):
        if copy is not None and copy != entry[name]:
            raise FaultError(
                number, f"is listed with {name} {copy!r} and says {entry[name]!r}"
            )


def _digest(entry: dict[str, Any], stored: Stored) -> None:
    """Its row file is the one that it speaks of."""
    complaint = row_file_complaint(entry.get("rows_sha256"), stored.rows)
    if not complaint and stored.rows is not None:
        wrong = row_files.disagreement(entry["fields"], entry["rows"], None)
        complaint = wrong and f"does not add up: {wrong}"
    if complaint:
        raise FaultError(stored.number, complaint)


def row_file_complaint(said: str | None, data: bytes | None) -> str | None:
    """Why a row file is not the one whose digest an entry says, or None."""
    if said is None:
        return None if data is None else "has a row file that it does not speak of"
    if data is None:
        return "lacks its row file"
    if row_files.digest(data) != said:
        return "has a row file that was changed"
    return None


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
    removed = sum(counts[outcome] for outcome in OURS)
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
    kept = sum(sizes[row] for row, outcome in outcomes.items() if outcome not in OURS)
    removed = sum(sizes) - kept
    if removed != fields["bytes"]:
        return f"{fields['bytes']} bytes were counted, {removed} were in those files"
    return None
