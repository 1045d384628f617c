"""The catalogue's log and its published copy, compared again bit by bit: all of it once in
a day, that of the newest day at a start.

For each bundle of entries: that they chain and are listed as what they say, their row
files and disclosures, by which cameras and hours they are found, and that the published
files, those of earlier heads too, hold the same.  What differs was altered: by the last signed head it is said which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import log
from retention.model.errors import AlteredError, VerificationError
from retention.model.values import DAY, MINUTE, Micros
from retention.publication.publisher import catalogue_altered
from retention.tlog import merkle, tiles
from retention.tlog import rows as row_files
from retention.tlog.canonical import UNREADABLE
from retention.tlog.directory import Published
from retention.tlog.source import opened
from retention.tlog.tiles import WIDTH, Tile
from retention.tlog.verify.books import placed
from retention.tlog.verify.findings import FaultError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue
    from retention.tlog.entry import Stored

ROUNDS = DAY // MINUTE
"""In a day."""


class Slices:
    """Goes backwards over the bundles, from the newest one on, and begins again.

    `whose` says of a published file that differs which of the two was altered.
    """

    def __init__(
        self, catalogue: Catalogue, directory: Path, whose: Callable[[str], str]
    ) -> None:
        self._catalogue = catalogue
        self._published = Published(directory)
        self._whose = whose
        self._next = -1
        self._recent, self._newest = True, 0

    def step(self, size: int) -> None:
        """The next bundles of the first `size` entries, which are published: so many that
        a day covers all, at first all of the newest day.  AlteredError where one is not
        what was written."""
        last = (size - 1) // WIDTH
        left = last // ROUNDS + 1
        while left > 0 or self._recent:
            if self._next < 0 or self._next > last:
                self._next = last
            tile = tiles.of_size(size, "entries", self._next)
            oldest = 0 if tile is None else self._compare(tile)
            self._newest = self._newest or oldest
            self._next, left = self._next - 1, left - 1
            self._recent &= self._next >= 0 and oldest > self._newest - DAY

    def _compare(self, tile: Tile) -> Micros:
        """When the first of its entries was written."""
        with self._catalogue.read() as tx:
            first = max(tile.first - 1, 0)
            found = log.stored(tx, first, tile.last - first)
            before = found.pop(0) if tile.first else None
            for stored in found:
                self._one(stored, before)
                if (wrong := self._unindexed(tx, stored)) is not None:
                    raise AlteredError(wrong)
                before = stored
        data = [one.data for one in found]
        self._files(tile, lambda width: tiles.bundle(data[:width]))
        leaves = b"".join(map(merkle.leaf, data))
        hashes = tile._replace(level=0)
        self._files(hashes, lambda width: leaves[: width * merkle.HASH_BYTES])
        for stored in found:
            lies = None if stored.rows is None else self._published.rows(stored.number)
            if lies != stored.rows:
                where = self._published.directory / tiles.row_path(stored.number)
                raise AlteredError(self._whose(str(where)))
        return found[0].at or 0

    def _files(self, tile: Tile, wanted: Callable[[int], bytes]) -> None:
        """A tile as it is, and as earlier heads had it, as far as that is there still."""
        for width in {*self._published.partials(tile), tile.width}:
            one = tile._replace(width=width)
            if width <= tile.width and self._published.tile(one) != wanted(width):
                where = self._published.directory / one.path
                raise AlteredError(self._whose(str(where)))

    def _one(self, stored: Stored, before: Stored | None) -> None:
        """An entry of the catalogue by itself, with what lies beside it."""
        try:
            opened(placed(stored, before), stored.disclosures)
        except (FaultError, VerificationError, *UNREADABLE) as error:
            raise AlteredError(catalogue_altered(str(error))) from error

    def _unindexed(self, tx: Connection, stored: Stored) -> str | None:
        if stored.rows is None:
            return None
        hours = row_files.footage_hours(row_files.read(stored.rows, _FOUND_BY).columns)
        missing = log.unindexed(tx, stored.number, hours)
        if missing is None:
            return None
        what = (
            f"the index by which entry {stored.number} is found, camera {missing[0]},"
        )
        return catalogue_altered(what)


_FOUND_BY = frozenset({"camera", "start", "duration"})
