"""Owns what is read beside the tree of a published log: indexes, row files, batches.

At depth `tree` an entry is not decoded unless it has a row file: that makes the
difference between 300,000 and 100,000 entries a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from retention.audit import books
from retention.audit.books import UNREADABLE, Books, Looked
from retention.audit.canonical import decode
from retention.audit.directory import Published
from retention.audit.finding import Depth, Fault, FaultError, Report
from retention.audit.stored import Stored

ROWS = b'"rows_sha256":'
"""In the bytes of every entry that has a row file."""

_CHANGED = b""
"""Stands for a row file that was changed: no entry says its digest."""

_Work = tuple[list[Stored], "Future[list[Looked]] | None"]


class Contents:
    """Entries that the tree found right, in order; None for those that it did not.

    Faults go into the report.  `last` is the newest entry, None where it is not known.
    """

    def __init__(self, published: Published, report: Report, jobs: int) -> None:
        self.books = Books(report, rows=report.depth is not Depth.TREE)
        self.last: Stored | None = None
        self._published = published
        self._report = report
        self._may_have_rows = bytearray()
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: deque[_Work] = deque()

    def some(self, first: int, entries: Sequence[bytes | None]) -> None:
        """The next entries, from number `first` on."""
        self._mark(first, entries)
        if entries:
            last = entries[-1]
            number = first + len(entries) - 1
            self.last = None if last is None else Stored(number, last)
        if self._report.depth is Depth.TREE:
            self._tree(first, entries)
        else:
            self._all(first, entries)

    def may_have_rows(self, number: int) -> bool:
        """Whether the entry speaks of a row file, or is not known."""
        at, bit = divmod(number, 8)
        return at >= len(self._may_have_rows) or bool(
            self._may_have_rows[at] >> bit & 1
        )

    def alone(self, stored: Stored) -> bool:
        """An entry beyond the signed ones: whether it is of the chain; else a fault."""
        try:
            books.check_place(stored, self.last)
        except FaultError as error:
            fault = error.fault
            if fault.entry is not None and fault.entry < self._report.size:
                what = "does not follow from the one before it, which is signed"
                fault = Fault(stored.number, what)
            self._report.add(fault)
            return False
        self._mark(stored.number, [stored.data])
        self.last = stored
        return True

    def flush(self) -> None:
        """Wait for what was begun, and end the helpers."""
        while self._waiting:
            self._book()
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None

    def close(self) -> None:
        """End the helpers, whatever they are at."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _mark(self, first: int, entries: Sequence[bytes | None]) -> None:
        last = first + len(entries)
        self._may_have_rows.extend(bytes(last // 8 + 1 - len(self._may_have_rows)))
        for number, data in enumerate(entries, first):
            if data is None or ROWS in data:
                self._may_have_rows[number // 8] |= 1 << number % 8

    def _tree(self, first: int, entries: Sequence[bytes | None]) -> None:
        for number, data in enumerate(entries, first):
            if data is None or (ROWS not in data and b'"index":%d,' % number in data):
                continue
            rows = self._published.rows(number) if ROWS in data else None
            try:
                books.check_place(Stored(number, data, rows), None)
            except FaultError as error:
                self._report.add(error.fault)

    def _all(self, first: int, entries: Sequence[bytes | None]) -> None:
        found = []
        for number, data in enumerate(entries, first):
            if data is None:
                self.books.skip(number)
                continue
            found.append(Stored(number, data, self._rows(number, data)))
        self._waiting.append((found, self._begin(found)))
        while len(self._waiting) > 2 * self._jobs:
            self._book()

    def _rows(self, number: int, data: bytes) -> bytes | None:
        """The row file of an entry.  One of another digest is not kept, and never read:
        nothing then bounds what it holds or how long reading it takes."""
        rows = self._published.rows(number) if ROWS in data else None
        if rows is None:
            return None
        try:
            said = decode(data).get("rows_sha256")
        except UNREADABLE:
            said = None
        return rows if books.row_file_complaint(said, rows) is None else _CHANGED

    def _begin(self, entries: Sequence[Stored]) -> Future[list[Looked]] | None:
        """Let a helper read the row files of these entries, where there are helpers."""
        if self._jobs < 2:
            return None
        if self._pool is None:
            # Not by fork: whoever calls may have threads.
            self._pool = ProcessPoolExecutor(
                self._jobs, mp_context=get_context("forkserver")
            )
        work = [(one.data, one.rows) for one in entries if one.rows]
        return self._pool.submit(_look_all, work, self._report.deep)

    def _book(self) -> None:
        entries, future = self._waiting.popleft()
        looked = iter(future.result()) if future else None
        for stored in entries:
            found = next(looked) if looked and stored.rows else None
            try:
                self.books.one(stored, None, found)
            except FaultError as error:
                self._report.add(error.fault)


def _look_all(work: list[tuple[bytes, bytes]], deep: bool) -> list[Looked]:
    return [_look(entry, rows, deep) for entry, rows in work]


def _look(data: bytes, rows: bytes, deep: bool) -> Looked:
    try:
        return books.look(rows, decode(data), deep=deep)
    except UNREADABLE as error:
        return Looked(f"can't be read: {error!r}")
