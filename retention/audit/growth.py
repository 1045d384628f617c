"""A log's tree as it is read: full bundles behind each other, and the tiles above them.

Pure.  Holds one tile a level and the roots of full subtrees, whatever the size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from retention import merkle
from retention.audit.tiles import WIDTH, Tile


class Growth:
    """`full` is the tree over the roots of the bundles so far; `last` are the leaf hashes
    behind them, of the bundle that is not full yet."""

    def __init__(self) -> None:
        self.full = merkle.Frontier()
        self.last: list[bytes] = []
        self._above: list[list[bytes]] = []

    @property
    def bundles(self) -> int:
        """How many bundles are full."""
        return self.full.size

    def root(self, hashes: Sequence[bytes]) -> bytes:
        """The root of the full bundles and these leaves behind them, 256 at most."""
        if not hashes:
            return self.full.root()
        found = merkle.root(hashes)
        for left in reversed(self.full.hashes):
            found = merkle.node(left, found)
        return found

    def add(self, root: bytes) -> Iterator[tuple[Tile, list[bytes]]]:
        """A bundle with that root is full; gives each tile that is full with it."""
        self.full = self.full.append(root)
        self.last = []
        for level in range(1, len(self._above) + 2):
            if level > len(self._above):
                self._above.append([])
            hashes = self._above[level - 1]
            hashes.append(root)
            if len(hashes) < WIDTH:
                return
            self._above[level - 1] = []
            yield Tile(level, self.full.size // WIDTH**level - 1), hashes
            root = merkle.root(hashes)

    def open(self) -> Iterator[tuple[Tile, list[bytes]]]:
        """The tiles above the lowest level that have begun and are not full."""
        for level, hashes in enumerate(self._above, 1):
            if hashes:
                number = self.full.size // WIDTH**level
                yield Tile(level, number, len(hashes)), hashes
