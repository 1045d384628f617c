"""Owns what is read beside the tree of a published log: indexes, row files, batches.

At depth `tree` an entry is not decoded unless it has a row file: that makes the
difference between 300,000 and 100,000 entries a second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

from retention.tlog.directory import Published
from retention.tlog.entry import Stored
from retention.tlog.lawful.fold import Lawful
from retention.tlog.lawful.laws import Verdict
from retention.tlog.tiles import WITHHELD
from retention.tlog.unsigned import unsigned_of
from retention.tlog.verify import books
from retention.tlog.verify.books import Books, Looked
from retention.tlog.verify.findings import Depth, Fault, FaultError, Verification

ROWS = b'"rows_sha256":'
"""In the bytes of every entry that has a row file."""


class Contents:
    """Entries that the tree found right, in order; None for those that it did not.

    Faults go into the report.  `last` is the newest entry, None where it is not known.
    """

    def __init__(self, published: Published, report: Verification, jobs: int) -> None:
        self.books = Books(report)
        self._lawful: Lawful | None = None
        self.last: Stored | None = None
        self._published = published
        self._report = report
        self._may_have_rows = bytearray()
        self._left_out: deque[int] = deque()
        self._jobs = jobs
        self._pool: ProcessPoolExecutor | None = None
        self._waiting: deque[tuple[list[Stored], Future[list[Looked]] | None]] = deque()

    def begin(self, size: int) -> None:
        """The first `size` entries are to come: they say what came back unsigned."""
        self.books.unsigned = partial(unsigned_of, self._published, size)
        if self._report.deep:
            self._lawful = Lawful(self._published.rows, self.books.unsigned)

    def some(self, first: int, entries: Sequence[bytes | None]) -> None:
        """The next entries, from number `first` on."""
        tree = self._report.depth is Depth.TREE
        found: list[Stored] = []
        for number, data in enumerate(entries, first):
            if data == WITHHELD:
                self._withhold(number)
                continue
            rows = data is None or ROWS in data
            if rows:
                self._mark(number)
            if data is None:
                self._skip(number)
            elif rows or not tree or b'"index":%d,' % number not in data:
                lies = self._published.rows(number) if rows else None
                stored = Stored(number, data, lies)
                # A row file of another digest is not kept, and never read: nothing bounds
                # what it holds or how long reading it takes.
                right = self._right(stored, sums=False) if rows or tree else True
                if right and not tree:
                    found.append(stored)
        if entries and entries[-1] != WITHHELD:
            last = entries[-1]
            number = first + len(entries) - 1
            self.last = None if last is None else Stored(number, last)
        if found:
            self._waiting.append(
                (found, self._begin(found) if self._jobs > 1 else None)
            )
            if len(self._waiting) > 2 * self._jobs:
                self._next()

    def may_have_rows(self, number: int) -> bool:
        """Whether the entry speaks of a row file, or is not known."""
        at, bit = divmod(number, 8)
        return at < len(self._may_have_rows) and bool(
            self._may_have_rows[at] >> bit & 1
        )

    def alone(self, stored: Stored) -> bool:
        """An entry beyond the signed ones: whether it is of the chain; else a fault."""
        try:
            books.placed(stored, self.last)
        except FaultError as error:
            fault = error.fault
            if fault.entry is not None and fault.entry < self._report.size:
                what = "does not follow from the one before it, which is signed"
                fault = Fault(stored.number, what)
            self._report.add(fault)
            return False
        if ROWS in stored.data:
            self._mark(stored.number)
        self.last = stored
        return True

    def flush(self) -> None:
        """Wait for what was begun, and end the helpers."""
        while self._waiting:
            self._next()
        self._pass_over(self._report.size)
        self.close()

    def verdict(self) -> Verdict | None:
        """Whether what the entries say was lawful; None where that was not asked for."""
        return None if self._lawful is None else self._lawful.end()

    def close(self) -> None:
        """End the helpers, whatever they are at."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _mark(self, number: int) -> None:
        at, bit = divmod(number, 8)
        self._may_have_rows.extend(bytes(max(0, at + 1 - len(self._may_have_rows))))
        self._may_have_rows[at] |= 1 << bit

    def _begin(self, found: list[Stored]) -> Future[list[Looked]]:
        """Let a helper read the row files of these entries."""
        if self._pool is None:
            # Not by fork: whoever calls may have threads.
            self._pool = ProcessPoolExecutor(
                self._jobs, mp_context=get_context("forkserver")
            )
        work = [(one.rows, one.data) for one in found if one.rows]
        return self._pool.submit(_look, work, self._report.deep)

    def _next(self) -> None:
        found, future = self._waiting.popleft()
        looked = iter(future.result() if future else ())
        for stored in found:
            ready = next(looked, None) if stored.rows else None
            self._right(stored, ready, sums=True)

    def _withhold(self, number: int) -> None:
        """A public copy has the hash of an entry alone."""
        self._report.left_out += 1
        self.books.incomplete = True
        if self._lawful is not None:
            self._left_out.append(number)

    def _right(
        self, stored: Stored, looked: Looked | None = None, *, sums: bool
    ) -> bool:
        """Whether an entry belongs where it is and, with `sums`, adds up; else a fault."""
        try:
            entry = books.placed(stored, None, public=self._published.is_public)
            if sums:
                self.books.one(entry, stored, looked)
        except FaultError as error:
            self._report.add(error.fault)
            self._skip(stored.number)
            return False
        if sums and self._lawful is not None:
            self._pass_over(stored.number)
            self._lawful.take(entry, stored)
        return True

    def _pass_over(self, before: int) -> None:
        """What was withheld before an entry that is judged."""
        while self._left_out and self._left_out[0] < before:
            number = self._left_out.popleft()
            if self._lawful is not None:
                self._lawful.withheld(number)

    def _skip(self, number: int) -> None:
        self.books.skip(number)
        if self._lawful is not None:
            self._lawful.stop()


def _look(work: list[tuple[bytes, bytes]], deep: bool) -> list[Looked]:
    return [books.look(*one, deep=deep) for one in work]
