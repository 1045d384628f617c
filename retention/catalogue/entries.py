"""The catalogue's log as a source: entries by number, kind, subject, camera and hour."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import log
from retention.catalogue.db import parts
from retention.catalogue.schema import entry as entry_table
from retention.model.errors import RetentionError, VerificationError
from retention.model.values import DAY, FOREVER, HOUR, Micros, Window
from retention.tlog import subjects
from retention.tlog.canonical import decode
from retention.tlog.declare import Footage
from retention.tlog.kinds import HOLDS, KINDS, telling
from retention.tlog.rows import LONG
from retention.tlog.source import (
    DELETED,
    INTENDED,
    Place,
    Query,
    Record,
    Source,
    apart,
    hours_of,
    opened,
)
from retention.tlog.unsigned import Stretch, Unsigned, came_back

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue

T = TypeVar("T")

_HOURS = DAY // HOUR
PAGE = 200
"""Entries of one reading."""
_OF_HOURS = """
    SELECT DISTINCT entry FROM entry_camera
    WHERE camera IN (SELECT value FROM json_each(?)) AND hour BETWEEN ? AND ?"""

# Two searches: with OR, SQLite would read everything of the camera.
OF_CAMERA = """
    SELECT entry FROM entry_camera
    WHERE camera = :camera AND hour BETWEEN :first AND :last
    UNION ALL SELECT entry FROM entry_camera WHERE camera = :camera AND hour = :long"""

_SHORT = 2 * DAY
"""Of no longer a time all batches are looked up; of a longer one as many as are asked."""

_THERE = """
    SELECT value FROM json_each(?) kind WHERE EXISTS (
        SELECT 1 FROM entry e WHERE e.kind = kind.value AND number >= ? AND number < ?)"""

_ENDS = f"SELECT min(entry), max(entry) FROM ({OF_CAMERA})"

_INTENTS = f"""
    SELECT number FROM entry
    WHERE number IN ({OF_CAMERA}) AND kind = '{INTENDED}' ORDER BY number"""


class CatalogueSource:
    """The log of a catalogue, within one transaction; with `size` only the first so many
    entries of it, as a signed head has them; backwards no further than `first`."""

    indexed = True

    def __init__(self, tx: Connection, size: int = FOREVER, first: int = 0) -> None:
        self._tx = tx
        self._size = size
        self._first = first
        self.entries = 0
        self.doubted: dict[int, Unsigned] = {}

    @cached_property
    def back(self) -> list[Stretch]:
        """What came back unsigned."""
        return log.unsigned(self._tx)

    def entry(self, number: int) -> Record:
        """One entry; RetentionError where there is none."""
        found = log.read(self._tx, number)
        if number >= self._size:
            raise RetentionError(
                f"entry {number} is not signed yet: the head covers {self._size}"
            )
        return self._given(number, found)

    def disclosures(self, number: int) -> Mapping[str, str]:
        """What opens the committed fields of an entry; what was erased is not in it."""
        found = self._tx.exec_driver_sql(
            "SELECT field, text FROM disclosure WHERE entry = ?", (number,)
        )
        return {one.field: one.text for one in found}

    def backwards(self, query: Query) -> Iterator[Record]:
        """The entries that are asked for, newest first."""
        if self._size < FOREVER:
            before = (
                self._size if query.before is None else min(query.before, self._size)
            )
            query = query._replace(before=before)
        found = self._found(query)
        if query.camera is None or not query.is_of(DELETED):
            yield from found
            return
        done = self._completions(query)
        yield from heapq.merge(found, done, key=lambda one: -one.number)

    def _found(self, query: Query) -> Iterator[Record]:
        statement, values = _statement(query, self._first)
        # Read as far as the reader asks, and closed with it.
        with self._tx.execute(statement, values) as found:
            for number, data in found:
                record = self._record(number, data)
                if query.camera is None or self._meets(record, query.footage):
                    yield record

    def _completions(self, query: Query) -> Iterator[Record]:
        """Those of the batches about a camera: the index has their intents alone."""
        before = 2**62 if query.before is None else query.before
        footage = query.footage
        if footage is None or footage.end - footage.start > _SHORT:
            numbers = self._done_backwards(query, before)
        else:
            intents = self._tx.execute(sa.text(_INTENTS), _of_camera(query)).scalars()
            numbers = reversed(log.completions(self._tx, intents))
        for number in numbers:
            if number < self._first:
                return
            if number < before:
                record = self.entry(number)
                if query.subject in (None, record.entry.get("subject")):
                    yield record

    def _done_backwards(self, query: Query, before: int) -> Iterator[int]:
        """The same of a long time, as far as the reader asks."""
        values = _of_camera(query)
        first, last = self._tx.execute(sa.text(_ENDS), values).one()
        if first is None:
            return
        for number, intent in log.completed(self._tx, before):
            if number < max(first, self._first):
                return
            if first <= intent <= last and self._is_found(intent, values):
                yield number

    def _is_found(self, intent: int, values: Mapping[str, int]) -> bool:
        """Whether the index has an intent under the camera and these hours."""
        fields = log.read(self._tx, intent)["fields"]
        hours = {
            "first": max(values["first"], fields["oldest"] // HOUR),
            "last": min(values["last"], (fields["newest"] - 1) // HOUR),
        }
        found = self._tx.execute(
            sa.text(f"SELECT 1 FROM ({OF_CAMERA}) WHERE entry = :entry LIMIT 1"),
            {**values, **hours, "entry": intent},
        )
        return found.first() is not None

    def _meets(self, record: Record, footage: Window | None) -> bool:
        """Whether what the index has for the hour is of that time; rows tell it of
        themselves."""
        kind, entry = KINDS.get(record.kind), record.entry
        if footage is None or kind is None:
            return True
        start, end = entry["at"], entry["at"] + 1
        if kind.footage is Footage.HOLD:
            start, end = self._window(record)
        elif kind.footage not in (Footage.CAMERA, Footage.REFUSED):
            return True
        return bool(start < footage.end and footage.start < end)

    def _window(self, record: Record) -> tuple[Micros, Micros]:
        """What its hold covered when an entry was written."""
        fields = record.entry["fields"]
        if "since" not in fields:
            terms = Query(
                telling("cover"),
                f"hold:{fields['hold']}",
                before=record.number,
            )
            # It may have been placed long before the part that is read.
            placed = next(CatalogueSource(self._tx).backwards(terms), None)
            if placed is None:
                return -FOREVER, FOREVER + 1
            fields = placed.entry["fields"]
        return fields["since"], fields["until"]

    def completion(self, intent: int) -> Record | None:
        """The entry that completes a batch; None while it is open."""
        number = log.completion(self._tx, intent)
        if number is None or number >= self._size:
            return None
        return self.entry(number)

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
        held: Collection[Window] = (),
    ) -> Iterable[Record]:
        """The records about footage of these cameras in the windows, with the completions
        of batches, those about holds on them, and the roll-ups of these days."""
        wanted = self.met(cameras, windows, days, held)
        wanted = self.with_completions(sorted(wanted), windows)
        wanted |= set(self.before_extended(sorted(wanted)))
        return self.records(sorted(wanted))

    def met(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
        held: Collection[Window] = (),
    ) -> set[int]:
        """The numbers of the entries that the index has about that, batches without
        their completions."""
        wanted = self._numbers(cameras, windows, days)
        return wanted | self.those_of(self._numbers(cameras, held, ()), HOLDS)

    def with_completions(
        self, numbers: Sequence[int], windows: Collection[Window]
    ) -> set[int]:
        """These, with the completions of the batches among them; without batches that
        have nothing in the windows."""
        wanted = set(numbers)
        for record in self.records(numbers, (INTENDED,)):
            if apart(record.entry["fields"], windows):
                wanted.discard(record.number)
                continue
            completion = log.completion(self._tx, record.number)
            if completion is not None:
                wanted.add(completion)
        return wanted

    def before_extended(self, numbers: Sequence[int]) -> Iterator[int]:
        """All entries of the holds that came to cover this footage when they were
        extended: what they covered before lies elsewhere."""
        placed: set[int] = set()
        met: set[int] = set()
        for record in self.records(numbers, tuple(telling("cover"))):
            hold = record.entry["fields"]["hold"]
            (placed if record.kind == "hold.placed" else met).add(hold)
        for hold in met - placed:
            for record in self.backwards(Query(subject=f"hold:{hold}")):
                yield record.number

    def _numbers(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
    ) -> set[int]:
        ranges = {hours for window in windows for hours in hours_of(window)}
        wanted = [(frozenset(cameras), *hours) for hours in ranges]
        # Roll-ups are found under the first hour of a day.
        of_day: dict[int, set[int]] = {}
        for camera, day in days:
            of_day.setdefault(day * _HOURS, set()).add(camera)
        wanted += [(frozenset(some), hour, hour) for hour, some in of_day.items()]
        return {
            number
            for some, *hours in wanted
            for number in self._tx.exec_driver_sql(
                _OF_HOURS, (json.dumps(sorted(some)), *hours)
            ).scalars()
        }

    def hours(
        self, camera: int, ranges: Sequence[Window], limit: int
    ) -> tuple[list[tuple[int, int]], int]:
        """(hour, number) of the entries about a camera in these ranges of hours, the
        newest hours first and at most `limit`; and the hour up to which they are left
        out."""
        found: list[tuple[int, int]] = []
        for first, stop in ((LONG, LONG + 1), *reversed(ranges)):
            rows = self._tx.exec_driver_sql(
                "SELECT hour, entry FROM entry_camera WHERE camera=? AND hour>=? AND "
                "hour<? ORDER BY hour DESC, entry DESC LIMIT ?",
                (camera, first, stop, limit - len(found)),
            )
            found += map(tuple, rows)
            if len(found) >= limit:
                last = found[-1][0]
                return found, ranges[-1].end if last == LONG else last + 1
        return found, LONG

    def those_of(self, numbers: Iterable[int], kinds: Collection[str]) -> set[int]:
        """Those of the entries that are of these kinds."""
        return {
            row.number
            for part in parts(sorted(numbers))
            for row in self._tx.execute(
                sa.select(entry_table.c.number).where(
                    entry_table.c.number.in_(part), entry_table.c.kind.in_(kinds)
                )
            )
        }

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterable[Record]:
        """The records of these kinds from number `first` on, in the order of the log."""
        values = (json.dumps(list(kinds)), first, self._size)
        there = self._tx.exec_driver_sql(_THERE, values).scalars()
        found = [self._of_kind(kind, first) for kind in there]
        return heapq.merge(*found, key=lambda one: one.number)

    def _of_kind(self, kind: str, first: int) -> Iterator[Record]:
        last = first - 1
        while True:
            page = self._tx.exec_driver_sql(
                "SELECT number, bytes FROM entry WHERE kind=? AND number>? AND number<? "
                "ORDER BY number LIMIT ?",
                (kind, last, self._size, PAGE),
            ).all()
            for number, data in page:
                yield self._record(number, data)
                last = number
            if len(page) < PAGE:
                return

    def records(
        self, numbers: Sequence[int], kinds: Collection[str] = ()
    ) -> Iterator[Record]:
        """Those of the numbers that there are, in order; only those of some kinds, where
        any are named."""
        numbers = [one for one in numbers if one < self._size]
        query = sa.select(entry_table.c.number, entry_table.c.bytes).order_by(
            entry_table.c.number
        )
        if kinds:
            query = query.where(entry_table.c.kind.in_(kinds))
        for part in parts(numbers):
            found = self._tx.execute(query.where(entry_table.c.number.in_(part)))
            for number, data in found.all():
                yield self._record(number, data)

    def _record(self, number: int, data: bytes) -> Record:
        return self._given(number, decode(data))

    def _given(self, number: int, entry: dict[str, Any]) -> Record:
        self.entries += 1
        if (unsigned := came_back(self.back, number)) is not None:
            self.doubted[number] = unsigned
        return Record(number, entry, partial(self.row_file, number), unsigned)

    def row_file(self, number: int) -> bytes | None:
        """What lies beside an entry; None where nothing does."""
        data = self._tx.exec_driver_sql(
            "SELECT bytes FROM entry_rows WHERE entry=?", (number,)
        ).scalar()
        return None if data is None else bytes(data)


SPAN = 20_000
"""Entries among which one reading looks for those that are asked for."""


class PagedSource:
    """As `CatalogueSource`, of the first `size` entries, for whoever asks for much: each
    page is a short reading of its own, so that no list is too long.

    Entries are only ever appended, so that those are the same in each.
    """

    indexed = True

    def __init__(self, catalogue: Catalogue, size: int) -> None:
        self._catalogue = catalogue
        self.size = size
        self.entries = 0
        self.doubted: dict[int, Unsigned] = {}

    @property
    def back(self) -> list[Stretch]:
        """What came back unsigned."""
        return self._ask(lambda source: source.back)

    def _ask(self, ask: Callable[[CatalogueSource], T], first: int = 0) -> T:
        with self._catalogue.read() as tx:
            source = CatalogueSource(tx, self.size, first)
            found = ask(source)
            self.entries += source.entries
            self.doubted |= source.doubted
        return found

    def _page(
        self, ask: Callable[[CatalogueSource], Iterable[Record]], first: int = 0
    ) -> list[Record]:
        """What is asked for of a reading; row files are read when they are needed."""
        return [
            one._replace(fetch=partial(self._fetch, one.number))
            for one in self._ask(lambda source: list(ask(source)), first)
        ]

    def _fetch(self, number: int) -> bytes | None:
        return self._ask(lambda source: source.row_file(number))

    def entry(self, number: int) -> Record:
        """One entry; RetentionError where there is none."""
        return self._page(lambda source: [source.entry(number)])[0]

    def disclosures(self, number: int) -> Mapping[str, str]:
        """What opens the committed fields of an entry; what was erased is not in it."""
        return self._ask(lambda source: source.disclosures(number))

    def completion(self, intent: int) -> Record | None:
        """The entry that completes a batch; None while it is open."""
        found = self._page(lambda source: filter(None, [source.completion(intent)]))
        return found[0] if found else None

    def backwards(self, query: Query) -> Iterator[Record]:
        """The entries that are asked for, newest first."""
        before = self.size if query.before is None else min(query.before, self.size)
        while before > 0:
            first, wanted = max(0, before - SPAN), query._replace(before=before)
            page = self._page(lambda s, q=wanted: islice(s.backwards(q), PAGE), first)  # type: ignore[misc]
            yield from page
            before = first if len(page) < PAGE else page[-1].number

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterator[Record]:
        """The records of these kinds from number `first` on, in the order of the log."""
        while True:
            page = self._page(lambda s, n=first: islice(s.of_kinds(kinds, n), PAGE))  # type: ignore[misc]
            yield from page
            if len(page) < PAGE:
                return
            first = page[-1].number + 1

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
        held: Collection[Window] = (),
    ) -> Iterator[Record]:
        """The records about footage of these cameras in the windows: see
        `CatalogueSource.about`."""
        numbers = self._ask(lambda s: sorted(s.met(cameras, windows, days, held)))
        wanted: set[int] = set()
        for part in parts(numbers):
            wanted |= self._ask(lambda s, some=part: s.with_completions(some, windows))  # type: ignore[misc]
        for part in parts(sorted(wanted)):
            wanted |= self._ask(lambda s, some=part: set(s.before_extended(some)))  # type: ignore[misc]
        for part in parts(sorted(wanted)):
            yield from self._page(lambda s, some=part: s.records(some))  # type: ignore[misc]


def _statement(query: Query, first: int) -> tuple[sa.Select[Any], dict[str, Any]]:
    """The search for a query among the entries from a number on, and its values."""
    columns = entry_table.c
    where: list[Any] = [columns.number >= first] if first else []
    values: dict[str, Any] = {}
    if query.before is not None:
        where.append(columns.number < query.before)
    if query.kinds:
        where.append(sa.or_(*(_of_kind(columns.kind, one) for one in query.kinds)))
    if query.subject is not None:
        where.append(columns.kind.in_(subjects.about(query.subject)))
        where.append(sa.func.instr(columns.bytes, subjects.mark(query.subject)) > 0)
    if query.written is not None:
        where.append(columns.at >= query.written.start)
        where.append(columns.at < query.written.end)
    if query.camera is not None:
        where.append(sa.text(f"number IN ({OF_CAMERA})"))
        values = _of_camera(query)
    found = sa.select(columns.number, columns.bytes).where(*where)
    return found.order_by(columns.number.desc()), values


def _of_kind(column: Any, wanted: str) -> Any:
    return column.op("GLOB")(wanted) if "*" in wanted else column == wanted


def _of_camera(query: Query) -> dict[str, Any]:
    """The values of `OF_CAMERA`."""
    footage = query.footage
    return {
        "camera": query.camera,
        "first": 0 if footage is None else footage.start // HOUR,
        "last": 2**62 if footage is None else (footage.end - 1) // HOUR,
        "long": LONG,
    }


def listing(
    tx: Connection,
    *,
    kind: str | None = None,
    subject: str | None = None,
    camera: int | None = None,
    since: Micros | None = None,
    until: Micros | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Entries as they are stored, newest first, numbers below `before`.

    [since, until) is when the entry was written; with `camera` (its key) it is the time
    of the footage that the entry is about, as `Query` has it.  `subject` is as entries
    have it, such as `hold:17`.
    """
    always = since is None and until is None
    time = None if always else Window(since or 0, FOREVER if until is None else until)
    about = {"camera": camera, "footage": time} if camera else {"written": time}
    query = Query(() if kind is None else (kind,), subject, before=before, **about)
    return [one.entry for one in islice(CatalogueSource(tx).backwards(query), limit)]


def of_hold(tx: Connection, hold: int) -> list[Record]:
    """Every entry about the hold of that number, oldest first, commitments opened.

    One whose disclosure is not what was committed to is given as it is stored: a
    changed log must stay readable, `retention audit verify` tells.
    """
    source = CatalogueSource(tx)
    return [
        record._replace(entry=_opened(source, record))
        for record in reversed(list(source.backwards(Query(subject=f"hold:{hold}"))))
    ]


def _opened(source: Source, record: Record) -> dict[str, Any]:
    try:
        return opened(record.entry, source.disclosures(record.number))
    except VerificationError:
        return record.entry
