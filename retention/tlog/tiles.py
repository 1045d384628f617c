"""Owns where a published log keeps what: paths, tiles and entry bundles of C2SP
tlog-tiles (v0.1), and the way from tiles to the roots that proofs are made of.

A hash tile holds up to 256 hashes: those of leaves at level 0, above it the roots of
full tiles one level down.  A bundle holds the entries of the level 0 tile beside it.
Nothing here opens a file.  `TreeBuilder` holds one tile a level, whatever the size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Literal, NamedTuple, TypeAlias

from retention.tlog import merkle
from retention.tlog.merkle import HASH_BYTES

WIDTH = 256
HEIGHT = 8
LEVELS = 8
"""More than a log of 2**63 entries has."""

PUBLIC = "public"
"""The directory in which a public copy has its bundles (see `tlog/public.py`)."""

WITHHELD = b""
"""In the place of an entry in such a bundle; no entry is so short."""

ENTRY_LIMIT = 65_535
"""The largest entry that a bundle can hold (bytes)."""

Level: TypeAlias = int | Literal["entries"]

ALL_LEVELS: tuple[Level, ...] = ("entries", *range(LEVELS))


class Tile(NamedTuple):
    """One file under `tile/`; a width below 256 makes it a partial one."""

    level: Level
    number: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path in the published directory."""
        return path(self.level, self.number, self.width)

    @property
    def first(self) -> int:
        """The first entry that it speaks of."""
        return self.number * WIDTH * self.span

    @property
    def last(self) -> int:
        """The entry after the last one that it speaks of."""
        return (self.number * WIDTH + self.width) * self.span

    @property
    def span(self) -> int:
        """Entries under one of its hashes."""
        return 1 if self.level == "entries" else 1 << HEIGHT * self.level


def path(level: Level, number: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`, for a bundle `tile/entries/...`."""
    partial = "" if width == WIDTH else f".p/{width}"
    return f"tile/{level}/{_digits(number)}{partial}"


def row_path(entry: int) -> str:
    """Where the row file of an entry is."""
    return f"rows/{_digits(entry)}"


def _digits(number: int) -> str:
    text = str(number)
    text = text.zfill(-(-len(text) // 3) * 3)
    groups = [text[at : at + 3] for at in range(0, len(text), 3)]
    return "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])


_TILE = re.compile(
    r"tile/(entries|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,2}))?"
)
_ROWS = re.compile(r"rows/((?:x\d{3}/)*\d{3})")


def parse(path: str) -> Tile | None:
    """The tile of a path, which has one spelling; None where it is none."""
    found = _TILE.fullmatch(path)
    if not found:
        return None
    level: Level = "entries" if found[1] == "entries" else int(found[1])
    tile = Tile(level, _number(found[2]), int(found[3] or WIDTH))
    return tile if tile.width <= WIDTH and tile.path == path else None


def parse_row_path(path: str) -> int | None:
    """The entry whose row file is there; None where it is no such path."""
    found = _ROWS.fullmatch(path)
    entry = _number(found[1]) if found else -1
    return entry if found and row_path(entry) == path else None


_BUNDLES, _OURS = "tile/entries/", f"{PUBLIC}/"


def public_path(tile: Tile) -> str:
    """Where a public copy has a bundle or tile."""
    return tile.path.replace(_BUNDLES, _OURS, 1)


def parse_public(path: str) -> Tile | None:
    """The bundle or tile of a path in a public copy; None where it is none."""
    if path.startswith(_BUNDLES):
        return None
    return parse(path.replace(_OURS, _BUNDLES, 1))


def _number(digits: str) -> int:
    return int(digits.replace("x", "").replace("/", ""))


def new_files(old: int, new: int, *, full_only: bool = False) -> Iterator[Tile]:
    """What a log of `new` entries has under `tile/` and one of `old` had not.

    Bundles first, then hash tiles from level 0 up, each from left to right: whatever a
    tile is made of comes before it.  `full_only` leaves out the partial ones, of which
    each level has at most one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a log of {new} entries does not extend one of {old}")
    for level in ALL_LEVELS:
        span = Tile(level, 0).span
        before, after = old // span, new // span
        for number in range(before // WIDTH, after // WIDTH):
            yield Tile(level, number)
        if after % WIDTH and after != before and not full_only:
            yield Tile(level, after // WIDTH, after % WIDTH)


def of_size(size: int, level: Level, number: int) -> Tile | None:
    """The tile at a place as a log of `size` has it: full, partial or not there."""
    width = min(size // Tile(level, 0).span - number * WIDTH, WIDTH)
    return Tile(level, number, width) if width > 0 else None


def make(tile: Tile, below: Callable[[Tile], bytes]) -> bytes:
    """The bytes of a hash tile, from what is one level down: a bundle or full tiles.

    `below` gives the bytes of these; ValueError where they are not of their length.
    """
    if tile.level == "entries":
        raise ValueError("a bundle is made of entries")
    if tile.level == 0:
        beside = tile._replace(level="entries")
        return b"".join(map(merkle.leaf, unbundled(below(beside), tile.width)))
    first = tile.number * WIDTH
    return b"".join(
        tile_root(below(Tile(tile.level - 1, number)))
        for number in range(first, first + tile.width)
    )


def tile_root(data: bytes) -> bytes:
    """The root over the hashes of a tile; ValueError where it is not of whole hashes."""
    return merkle.root(split(data))


def split(data: bytes) -> list[bytes]:
    """The hashes of a tile; ValueError where they are not whole."""
    if len(data) % HASH_BYTES:
        raise ValueError(f"{len(data)} bytes are no hashes")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def bundle(entries: Iterable[bytes]) -> bytes:
    """The bytes of a bundle: each entry behind its length, 16 bits big-endian.

    Raises ValueError for an entry that is too long for that.
    """
    parts = []
    for entry in entries:
        if len(entry) > ENTRY_LIMIT:
            raise ValueError(f"an entry of {len(entry)} bytes fits in no bundle")
        parts += [len(entry).to_bytes(2, "big"), entry]
    return b"".join(parts)


def unbundled(data: bytes, width: int) -> list[bytes]:
    """The `width` entries of a bundle; ValueError where it holds anything else."""
    entries, at, end = [], 0, len(data)
    while at + 2 <= end:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        entries.append(data[start:at])
    if at != end or len(entries) != width:
        what = f"{len(entries)} entries" if at == end else "a cut entry"
        raise ValueError(f"the bundle holds {what}, not {width} entries")
    return entries


def begun(data: bytes) -> list[bytes]:
    """The whole entries at the start of a bundle that may be cut or damaged."""
    entries, at = [], 0
    while at + 2 <= len(data):
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        if at > len(data):
            break
        entries.append(data[start:at])
    return entries


def alike(one: Iterable[bytes], other: Iterable[bytes]) -> bool:
    """Whether these are the same entries, as far as neither has one withheld: another
    program may withhold more, or less."""
    return all(
        WITHHELD in pair or pair[0] == pair[1] for pair in zip(one, other, strict=False)
    )


class HashReader:
    """The roots of full subtrees of a log, read from its tiles: what proofs take.

    `read` gives the bytes of a hash tile as the log of `size` has it.  The hashes are
    not proven here: a proof made of wrong ones leads to no signed root.
    """

    def __init__(self, size: int, read: Callable[[Tile], bytes]) -> None:
        self.size = size
        self._hashes = lru_cache(maxsize=64)(self._read)
        self._reader = read

    def __call__(self, height: int, number: int) -> bytes:
        """The root over the leaves [number << height, number + 1 << height)."""
        if (number + 1) << height > self.size:
            raise ValueError(f"a log of {self.size} entries has no such subtree")
        level, rest = divmod(height, HEIGHT)
        first = number << rest
        hashes = self._hashes(level, first // WIDTH)
        at = first % WIDTH
        return merkle.root(hashes[at : at + (1 << rest)])

    def _read(self, level: int, number: int) -> list[bytes]:
        tile = of_size(self.size, level, number)
        if tile is None:
            raise ValueError(f"a log of {self.size} entries has no such tile")
        hashes = split(self._reader(tile))
        if len(hashes) != tile.width:
            raise ValueError(f"{tile.path} holds {len(hashes)} hashes")
        return hashes

    def root(self, size: int | None = None) -> bytes:
        """The root of the log, or of its first `size` entries."""
        size = self.size if size is None else size
        return merkle.range_root(0, size, self) if size else merkle.EMPTY


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """The leaf hashes of entries, as fast as they can be had."""
    return [sha256(b"\0" + entry).digest() for entry in entries]


class TreeBuilder:
    """`full` is the tree over the roots of the bundles so far."""

    def __init__(self) -> None:
        self.full = merkle.Frontier()
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
