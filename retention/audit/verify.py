"""Owns the check of a whole log: every hash computed again, no database needed.

Nothing is written again to be compared: the leaf is the stored bytes.  The check says
up to where the log is what was written, or the first place where it is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from retention import merkle
from retention.audit import commitments
from retention.audit import rows as row_files
from retention.audit.canonical import base64url, decode
from retention.audit.kinds import KINDS
from retention.audit.stored import Stored, previous
from retention.model import Outcome, Rows

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue

PAGE = 500
"""Entries read in one transaction: none stays open for long."""

OURS = (Outcome.DELETED, Outcome.ABSENT_AFTER_CRASH)
"""Outcomes of files that this program removed."""

Indexed = Callable[[int, set[tuple[int, int]]], tuple[int, int] | None]


class Fault(NamedTuple):
    """The first place where the log is not what was written: entry and what is wrong
    there, to be read after "entry N"."""

    entry: int
    what: str


@dataclass(slots=True)
class Report:
    """What was found.

    `size` is the head's, `intact` how many entries from the first on are what was
    written; `rows` how many rows were checked (with `deep`), `withheld` how many
    committed values were erased, `open_intents` batches without a completion.
    """

    size: int
    deep: bool
    intact: int = 0
    root: bytes = merkle.EMPTY
    rows: int = 0
    withheld: int = 0
    open_intents: list[int] = field(default_factory=list)
    fault: Fault | None = None

    @property
    def ok(self) -> bool:
        """The whole log is what was written."""
        return self.fault is None


def verify(
    entries: Iterable[Stored],
    size: int,
    root: bytes,
    *,
    deep: bool = False,
    unindexed: Indexed | None = None,
) -> Report:
    """Check entries, in order from 0, against a head of `size` and `root`.

    `deep` decodes every row file and computes its root; else its digest is compared.
    `unindexed` gives a (camera, hour) under which an entry should be found and is not.
    """
    check = _Check(size, deep, unindexed)
    try:
        for stored in entries:
            check.one(stored)
        check.end(root)
    except _FaultError as error:
        check.report.fault = error.fault
        check.report.intact = error.fault.entry
    check.report.root = check.frontier.root()
    check.report.open_intents = sorted(check.intents)
    return check.report


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
        return Report(size, deep, fault=Fault(0, f"has no head to compare: {error}"))

    def pages() -> Iterator[Stored]:
        for first in range(0, size, PAGE):
            with catalogue.read() as tx:
                yield from log.stored(tx, first, min(PAGE, size - first))

    def unindexed(number: int, hours: set[tuple[int, int]]) -> tuple[int, int] | None:
        with catalogue.read() as tx:
            return log.unindexed(tx, number, hours)

    report = verify(pages(), size, root, deep=deep, unindexed=unindexed)
    if report.ok and stray is not None:
        report.fault = Fault(stray, f"is beyond the head, which says {size} entries")
    return report


class _FaultError(Exception):
    def __init__(self, entry: int, what: str) -> None:
        self.fault = Fault(entry, what)


class _Intent(NamedTuple):
    """A batch whose completion is still to come: files, their bytes in all, and the
    bytes of each where the rows were decoded."""

    files: int
    size: int
    sizes: list[int] | None


class _Check:
    """How far the check has come.  `one` and `end` raise _FaultError."""

    def __init__(self, size: int, deep: bool, unindexed: Indexed | None) -> None:
        self.report = Report(size, deep)
        self.frontier = merkle.Frontier()
        self.intents: dict[int, _Intent] = {}
        self._unindexed = unindexed
        self._last = b""

    def one(self, stored: Stored) -> None:
        """The next entry."""
        number = self.frontier.size
        if stored.number != number:
            raise _FaultError(number, f"is missing: {stored.number} follows")
        if number >= self.report.size:
            raise _FaultError(number, "is beyond the head, which does not know it")
        try:
            entry = decode(stored.data)
            self._place(entry, stored)
            rows = self._rows(entry, stored)
            self._disclosures(entry.get("sd", {}), stored)
            self._batch(entry, rows)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise _FaultError(number, f"can't be read: {error!r}") from error
        self.frontier = self.frontier.append(merkle.leaf(stored.data))
        self._last = stored.data
        self.report.intact = self.frontier.size

    def end(self, root: bytes) -> None:
        """All entries are there: the tree over them must be the head's."""
        found, said = self.frontier, self.report.size
        if found.size < said:
            raise _FaultError(found.size, f"is missing: the head says {said} entries")
        if found.root() != root:
            # Each entry names the one before it, so it is the last one - or all were
            # written anew from somewhere on, which only an older head can show.
            raise _FaultError(
                max(said - 1, 0),
                "or the head was changed: the tree over all entries is "
                f"{base64url(found.root())}, the head says {base64url(root)}",
            )

    def _place(self, entry: dict[str, Any], stored: Stored) -> None:
        """It is the entry that was written here, after the one before it."""
        number = self.frontier.size
        if entry["index"] != number:
            raise _FaultError(
                number, f"is not here: entry {entry['index']} is in its place"
            )
        if number and entry["prev"] != previous(self._last):
            raise _FaultError(
                number - 1, f"was changed after entry {number} was written behind it"
            )
        if (entry["kind"] == "log.opened") != (number == 0):
            raise _FaultError(number, f"is {entry['kind']}: not where a log opens")
        for name, copy in (("at", stored.at), ("kind", stored.kind)):
            if copy is not None and copy != entry[name]:
                raise _FaultError(
                    number, f"is listed with {name} {copy!r} and says {entry[name]!r}"
                )

    def _rows(self, entry: dict[str, Any], stored: Stored) -> Rows | None:
        """Its row file is the one that it speaks of."""
        number = self.frontier.size
        said = entry.get("rows_sha256")
        if said is None and stored.rows is None:
            return None
        if said is None:
            raise _FaultError(number, "has a row file that it does not speak of")
        if stored.rows is None:
            raise _FaultError(number, "lacks its row file")
        if row_files.digest(stored.rows) != said:
            raise _FaultError(number, "has a row file that was changed")
        if complaint := row_files.disagreement(entry["fields"], entry["rows"], None):
            raise _FaultError(number, f"does not add up: {complaint}")
        return self._decoded(entry, stored.rows) if self.report.deep else None

    def _decoded(self, entry: dict[str, Any], data: bytes) -> Rows:
        """The rows themselves are those of the root, and are what the entry says."""
        number = self.frontier.size
        rows, seed = row_files.decode(data)
        count = len(rows.values)
        if base64url(row_files.root(rows, seed)) != entry["rows_root"]:
            raise _FaultError(number, "has rows of another root than it says")
        complaint = row_files.disagreement(
            entry["fields"] | {"count": entry["rows"]}, count, row_files.total(rows)
        )
        if complaint:
            raise _FaultError(number, f"does not add up: {complaint}")
        kind = KINDS.get(entry["kind"])
        if kind and rows.columns != kind.columns:
            raise _FaultError(number, f"has rows of {' '.join(rows.columns)}")
        hours = row_files.footage_hours_of(rows)
        missing = self._unindexed(number, hours) if self._unindexed else None
        if missing:
            raise _FaultError(
                number,
                f"is not found under camera {missing[0]}, hour {missing[1]}, though "
                "its rows are: the index was changed",
            )
        self.report.rows += count
        return rows

    def _disclosures(self, digests: dict[str, str], stored: Stored) -> None:
        """What is disclosed is what was committed to; it may have been erased."""
        number = self.frontier.size
        for name, text in stored.disclosures.items():
            if name not in digests:
                raise _FaultError(number, f"discloses {name}, which it never committed")
            try:
                commitments.opened(text, name, digests[name])
            except ValueError as error:
                raise _FaultError(number, f"was given another value: {error}") from None
        self.report.withheld += len(digests) - len(stored.disclosures)

    def _batch(self, entry: dict[str, Any], rows: Rows | None) -> None:
        """Each completion is the one of an open intent, and adds up to it."""
        number, fields = self.frontier.size, entry["fields"]
        if entry["kind"] == "deletion.intended":
            sizes = _column(rows, "bytes") if rows else None
            self.intents[number] = _Intent(fields["count"], fields["bytes"], sizes)
        elif entry["kind"] == "recordings.deleted":
            intent = self.intents.pop(fields["intent"], None)
            if intent is None:
                raise _FaultError(
                    number, f"completes {fields['intent']}, which is no open intent"
                )
            exceptions = entry.get("rows", 0)
            if complaint := _completion(fields, exceptions, rows, intent):
                raise _FaultError(
                    number,
                    f"does not add up to its intent {fields['intent']}: {complaint}",
                )


def _column(rows: Rows, name: str) -> list[Any]:
    place = rows.columns.index(name)
    return [row[place] for row in rows.values]


def _completion(
    fields: dict[str, Any], exceptions: int, rows: Rows | None, intent: _Intent
) -> str | None:
    """Why a completion is not the one of that intent, or None."""
    counts = {outcome: int(fields[outcome]) for outcome in Outcome}
    if sum(counts.values()) != intent.files:
        return f"{sum(counts.values())} outcomes of {intent.files} files"
    if exceptions != intent.files - counts[Outcome.DELETED]:
        return f"{exceptions} exceptions are listed"
    removed = sum(counts[outcome] for outcome in OURS)
    if fields["bytes"] > intent.size or (
        removed == intent.files and fields["bytes"] != intent.size
    ):
        return f"{fields['bytes']} bytes of {intent.size}"
    if rows is None and (exceptions or intent.sizes is None):
        return None  # not deep: the rows were not read
    return _exceptions(fields, counts, rows, intent)


def _exceptions(
    fields: dict[str, Any],
    counts: dict[Outcome, int],
    rows: Rows | None,
    intent: _Intent,
) -> str | None:
    listed = rows.values if rows else []
    outcomes: dict[int, str] = dict(listed)
    if len(outcomes) != len(listed) or not outcomes.keys() <= set(range(intent.files)):
        return "an exception of a row that there is not, or twice"
    found = Counter(outcomes.values())
    for outcome, count in counts.items():
        if outcome is not Outcome.DELETED and found[outcome] != count:
            return f"{found[outcome]} rows are {outcome}, {count} are counted"
    removed = sum(
        size
        for number, size in enumerate(intent.sizes or ())
        if outcomes.get(number, Outcome.DELETED) in OURS
    )
    if removed != fields["bytes"]:
        return f"{fields['bytes']} bytes were counted, {removed} were in those files"
    return None
