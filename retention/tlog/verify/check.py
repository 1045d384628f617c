"""Owns the first pass over a published log: whether all of it is what was written.

Everything is read once, from the first entry to the last, and computed again: each bundle
and the hash tile beside it, the tiles above as they fill, older checkpoints as the tree
comes to their sizes, the signed root, then entries that are not signed yet and whatever
else lies there.  Memory does not grow with the log but for a bit an entry.

Where two files of the tree do not fit each other the pass ends with `Misfit`: `locate`
reads again and tells which of them is wrong.  What an entry says of itself, of its rows
and of its batch needs no locating: it goes into the report at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from retention.model.errors import VerificationError
from retention.tlog import merkle, note, tiles
from retention.tlog.canonical import UNREADABLE, decode
from retention.tlog.directory import KEY, Published
from retention.tlog.entry import Stored
from retention.tlog.note import Checkpoint, Verifier
from retention.tlog.tiles import WIDTH, Level, Tile, TreeBuilder
from retention.tlog.verify.contents import ROWS, Contents
from retention.tlog.verify.findings import Depth, Fault, Verification

Progress = Callable[[int, int], None]
"""Called with (entries checked, entries in all) now and then."""

Entries = Sequence[bytes | None]
"""Entries in order; None for one that is not known to be right, which only `locate` has."""


class Misfit(Exception):
    """The files of the tree do not fit each other."""


class Older(NamedTuple):
    """A checkpoint that was signed before: one that the directory keeps, or that was
    brought by whoever has the log checked."""

    size: int
    name: str
    root: bytes
    brought: bool


class Check:
    """One pass over a published log.

    `since` are the checkpoints that were brought: a name for each, and its bytes.
    """

    def __init__(
        self,
        published: Published,
        verifier: Verifier,
        since: Iterable[tuple[str, bytes]] = (),
        depth: Depth = Depth.TREE,
        jobs: int = 1,
        progress: Progress | None = None,
    ) -> None:
        self.published = published
        self.verifier = verifier
        self.head = Checkpoint("", 0, merkle.EMPTY)
        self.report = Verification(0, depth)
        self.contents = Contents(published, self.report, jobs)
        self.tree = TreeBuilder()
        self.last_rows = -1
        """The last entry that a row file is there of."""
        self.met: list[Older] = []
        """The older checkpoints that the log extends, as far as it was read."""
        self._since = since
        self._waiting: list[Older] = []
        """The others, the smallest last."""
        self._lying: dict[tuple[Level, int], bytearray] = {}
        """By place the widths, each less one, of files that the head may not need."""
        self._reach = 0
        """Up to which entry files that go beyond those that are there join on to them."""
        self._progress = progress

    def run(self) -> Verification:
        """The whole pass; Misfit where the tree is not of one piece."""
        report = self.report
        try:
            data = self.published.checkpoint_bytes()
            self.head = head = note.open_checkpoint(data, self.verifier)
        except VerificationError as error:
            report.add(Fault(None, f"the checkpoint: {error}"))
            return report
        report.size, report.origin = head.size, head.origin
        self.contents.begin(head.size)
        key = self.published.read(KEY, note.SIZE_LIMIT)
        if key is not None and key != f"{self.verifier.vkey}\n".encode():
            what = f"the file {KEY} is not the key that this was checked with"
            report.add(Fault(None, what))
        self._remember(self._since, brought=True)
        self._remember(self.published.kept(), brought=False)
        try:
            self._read()
        finally:
            self.contents.close()
        report.faults.sort(key=lambda one: -1 if one.entry is None else one.entry)
        self._conclude()
        return report

    def _conclude(self) -> None:
        """How far it is intact, all in all."""
        first, size = self.report.first, self.head.size
        self.report.intact = size if first is None else min(first, size)

    def _remember(self, notes: Iterable[tuple[str, bytes]], *, brought: bool) -> None:
        for name, data in notes:
            try:
                found = note.open_checkpoint(data, self.verifier)
            except VerificationError as error:
                self.report.add(Fault(None, f"{name}: {error}"))
            else:
                self._waiting.append(Older(found.size, name, found.root, brought))
        self._waiting.sort(reverse=True)

    def _read(self) -> None:
        """All files, from the first entry on."""
        size = self.head.size
        self._list()
        self._meet([])
        entries: Entries = []
        hashes: list[bytes] = []
        for number in range(-(-size // WIDTH)):
            tile = Tile("entries", number, min(size - number * WIDTH, WIDTH))
            entries, hashes = self._bundle(tile)
            self.contents.some(tile.first, entries)
            if tile.width == WIDTH:
                self._full(entries, hashes)
                entries, hashes = [], []
            if self._progress:
                self._progress(min(tile.last, size), size)
        self._signed(self.tree.root(hashes))
        self._unsigned(list(entries), list(hashes))
        self._rows()

    def _list(self) -> None:
        """Note the partial files, which a later publication may have left, and those
        beyond the head.

        Before the entries beyond it are read: a bundle is written before the tiles over
        it, so that what is listed by now is not ahead of them.
        """
        for path, tile in self.published.tiles_there():
            if tile is None:
                self.report.strangers.append(path)
            elif tile.width < WIDTH or tile.last > self.head.size:
                place = tile.level, tile.number
                self._lying.setdefault(place, bytearray()).append(tile.width - 1)

    def _bundle(self, tile: Tile) -> tuple[Entries, list[bytes]]:
        """The next signed entries and their hashes, which lie beside them; of a withheld
        one the hash is what there is."""
        try:
            entries = tiles.unbundled(self.published.tile(tile) or b"", tile.width)
            hashes = tiles.leaf_hashes(entries)
            beside = self.published.tile(tile._replace(level=0))
            if self.published.is_public:
                hashes = _filled(entries, hashes, tiles.split(beside or b""))
        except ValueError:
            raise Misfit from None
        if beside != b"".join(hashes):
            raise Misfit
        return entries, hashes

    def _full(self, entries: Entries, hashes: list[bytes]) -> None:
        """A bundle is full, and with it perhaps tiles above it."""
        self._known(entries, hashes)
        self._grow(merkle.root(hashes))

    def _grow(self, root: bytes) -> None:
        for tile, right in self.tree.add(root):
            self._above(tile, right)

    def _known(self, entries: Entries, hashes: list[bytes]) -> None:
        """All that goes by the entries and hashes behind the full bundles."""
        number = self.tree.bundles
        self._meet(hashes)
        self._beside("entries", number, entries)
        self._beside(0, number, hashes)

    def _above(self, tile: Tile, right: list[bytes]) -> None:
        """All files at the place of a tile above others."""
        needed = tiles.of_size(self.head.size, tile.level, tile.number)
        if needed is not None:
            self._tile(needed, right[: needed.width])
        self._beside(tile.level, tile.number, right)

    def _tile(self, tile: Tile, right: list[bytes]) -> None:
        """A tile above others that the head needs."""
        if self.published.tile(tile) != b"".join(right):
            raise Misfit

    def _beside(self, level: Level, number: int, right: Entries) -> None:
        """The files at a place that the head does not need."""
        for at in sorted(self._lying.pop((level, number), b"")):
            tile = Tile(level, number, at + 1)
            if tile != tiles.of_size(self.head.size, level, number):
                self._file(tile, right)

    def _file(self, tile: Tile, right: Entries) -> None:
        """One of them: what `right` begins with, unless it was removed meanwhile; or
        that and more, where it was copied later than what it is made of."""
        known = [one for one in right[: tile.width] if one is not None]
        if len(known) < tile.width <= len(right):
            return  # it can't be told
        made = tiles.bundle(known) if tile.level == "entries" else b"".join(known)
        data = self.published.read(self.published.path_of(tile), len(made))
        if data is None:
            return
        if tile.level == "entries" and self.published.is_public:
            data = self._as_withheld(tile, data, known)
        if tile.width <= len(right):
            if data != made:
                raise Misfit
        elif not data.startswith(made) or tile.first > self._reach:
            raise Misfit
        else:
            self.report.copied = True
            self._reach = max(self._reach, tile.last)

    def _as_withheld(self, tile: Tile, data: bytes, known: list[bytes]) -> bytes:
        """A bundle of a public copy as it would be with these entries, where it differs by
        what is withheld alone."""
        path, limit = self.published.path_of(tile), WIDTH * (2 + tiles.ENTRY_LIMIT)
        found = tiles.begun(self.published.read(path, limit) or b"")
        if len(found) != tile.width or not tiles.alike(found, known):
            return data
        made = tiles.bundle(known)
        return made if tile.width <= len(known) else made + data[len(made) :]

    def _meet(self, hashes: list[bytes]) -> None:
        """The tree has come to the older checkpoints up to these leaves, which are behind
        the full bundles."""
        first = self.tree.bundles * WIDTH
        while self._waiting and self._waiting[-1].size <= first + len(hashes):
            older = self._waiting.pop()
            self._extends(older, self.tree.root(hashes[: older.size - first]))

    def _extends(self, older: Older, root: bytes | None) -> None:
        """The first entries have the root that was signed; None where there are fewer.

        A kept one beyond the head is told at the end: it is kept once it was the head.
        """
        if root != older.root or (older.brought and older.size > self.head.size):
            raise Misfit
        self.met.append(older)

    def _signed(self, root: bytes) -> None:
        """All signed entries were read: the tree over them is the one that was signed."""
        self.contents.flush()
        self.report.open_intents = sorted(self.contents.books.intents)
        self.report.verdict = self.contents.verdict()
        self.report.signed_at = _time(self.contents.last)
        self.report.root = root
        if root != self.head.root:
            raise Misfit

    def _unsigned(self, entries: list[bytes | None], hashes: list[bytes]) -> None:
        """What lies behind the signed entries; given are those of the last bundle."""
        for stored in self.published.tail(self.head.size):
            if stored.rows is None and ROWS in stored.data:
                self.report.copied = True  # row files are written first
                break
            if not self._goes_on(stored):
                break
            self.report.unsigned += 1
            entries.append(stored.data)
            hashes.append(merkle.leaf(stored.data))
            if len(entries) == WIDTH:
                self._full(entries, hashes)
                entries, hashes = [], []
        self._reach = self.head.size + self.report.unsigned
        self._known(entries, hashes)
        for tile, right in self.tree.open():
            self._above(tile, right)
        for level, number in sorted(self._lying, key=lambda at: Tile(*at).first):
            self._beside(level, number, [])
        for older in self._waiting:
            self._extends(older, None)
        newest = max(self.met, default=None)
        if newest is not None and newest.size > self.head.size:
            self.report.ahead = f"{newest.name} signs {newest.size:,} entries"
            what = (
                f"is not under the checkpoint any more: {newest.name} signs "
                f"{newest.size:,} entries, and an older one was put back in its place"
            )
            self.report.add(Fault(self.head.size, what))
        self.report.extends = [older.name for older in self.met]

    def _goes_on(self, stored: Stored) -> bool:
        """An entry that is not signed yet goes on the chain."""
        if not self.contents.alone(stored):
            raise Misfit
        return True

    def _rows(self) -> None:
        """Row files of entries that have none; those beyond the last entry were left by a
        crash, or the entry is about to come: row files are written first."""
        end = self.report.size + self.report.unsigned
        for path in self.published.files("rows"):
            entry = tiles.parse_row_path(path)
            self.last_rows = max(self.last_rows, -1 if entry is None else entry)
            if entry is None or entry >= end:
                self.report.strangers.append(path)
            elif not self.contents.may_have_rows(entry):
                what = "has a row file that it does not speak of"
                self.report.add(Fault(entry, what))


def _filled(
    entries: Sequence[bytes], hashes: Sequence[bytes], said: Sequence[bytes]
) -> list[bytes]:
    """The hashes of entries, those of withheld ones as the tile has them."""
    return [
        other if entry == tiles.WITHHELD else one
        for entry, one, other in zip(entries, hashes, said, strict=True)
    ]


def _time(stored: Stored | None) -> int | None:
    """When an entry says it was written."""
    try:
        at = decode(stored.data)["at"] if stored else None
    except UNREADABLE:
        return None
    return at if type(at) is int else None
