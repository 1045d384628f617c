"""The log of a catalogue for whoever asks for much of it: each page is a short reading of
its own, so that no list is too long.

Entries are only ever appended, so that the first `size` of them are the same in each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from retention.catalogue.db import parts
from retention.catalogue.entries import CatalogueSource
from retention.model.values import Window
from retention.tlog.source import Place, Query, Record
from retention.tlog.unsigned import Unsigned

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue

T = TypeVar("T")

PAGE = 200
"""Entries of one reading."""
SPAN = 20_000
"""Entries among which one reading looks for those that are asked for."""


class PagedSource:
    """As `CatalogueSource`, of the first `size` entries."""

    indexed = True

    def __init__(self, catalogue: Catalogue, size: int) -> None:
        self._catalogue = catalogue
        self.size = size
        self.entries = 0
        self.doubted: dict[int, Unsigned] = {}

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
