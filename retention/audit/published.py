"""Owns the check of a published log, from the directory and a public key alone.

One pass from the first entry to the last: every leaf hash and every tile computed again
and compared with what lies there, the root with the signed checkpoint and with older
ones that somebody kept.  Memory does not grow with the log but for a bit an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from retention import merkle
from retention.audit import closer, leftovers, note, tiles
from retention.audit.books import UNREADABLE
from retention.audit.canonical import decode
from retention.audit.contents import Contents
from retention.audit.directory import CHECKPOINT, KEY, Published
from retention.audit.finding import Depth, Fault, Report
from retention.audit.growth import Growth
from retention.audit.known_key import verifier_of
from retention.audit.note import Checkpoint, Verifier
from retention.audit.older import Older
from retention.audit.tiles import WIDTH, Tile
from retention.errors import VerificationError

__all__ = ["Published", "verifier_of", "verify_directory"]

Progress = Callable[[int, int], None]
"""Called with (entries checked, entries in all) now and then."""


def verify_directory(
    directory: Path,
    key: Verifier | str,
    *,
    since: Iterable[tuple[str, bytes]] = (),
    depth: str = Depth.TREE,
    progress: Progress | None = None,
    jobs: int = 1,
    head: str = CHECKPOINT,
) -> Report:
    """Check a published log; the report says up to where it is intact, or what is wrong.

    `key` is a verifier, or what `verifier_of` takes.  `since` are older checkpoints that
    somebody kept: a name for each, and its bytes.  `jobs` processes read row files.
    `head` is where the directory has the checkpoint to check it by.
    Raises VerificationError where something can't be read at all, or has another key.
    """
    published = Published(directory, head)
    verifier = key if isinstance(key, Verifier) else verifier_of(key, published)
    return _Check(published, verifier, Depth(depth), progress, jobs).run(since)


class _Check:
    """One pass over a directory."""

    def __init__(
        self,
        published: Published,
        verifier: Verifier,
        depth: Depth,
        progress: Progress | None,
        jobs: int,
    ) -> None:
        self.published = published
        self.verifier = verifier
        self.report = Report(0, depth)
        self.contents = Contents(published, self.report, jobs)
        self.tree = Growth()
        self.older = Older()
        self.broken = False
        self.ends = True
        """Whether it is known where the published entries end."""
        self.doubts: list[tuple[Tile, int, int]] = []
        """Tiles above others that do not fit: tile, and the entries [first, last)."""
        self.head = Checkpoint("", 0, merkle.EMPTY)
        self.boundary: list[bytes | None] = []
        """The entries of the last bundle, if it is not full."""
        self._progress = progress
        self._parents: tuple[int, list[bytes]] | None = None

    def run(self, since: Iterable[tuple[str, bytes]]) -> Report:
        """The whole check."""
        report = self.report
        try:
            data = self.published.checkpoint_bytes()
            head = note.open_checkpoint(data, self.verifier)
        except VerificationError as error:
            report.add(Fault(None, f"the checkpoint: {error}"))
            return report
        report.size, report.origin, self.head = head.size, head.origin, head
        try:
            self._pass(since)
        finally:
            self.contents.close()
        report.faults.sort(key=lambda one: -1 if one.entry is None else one.entry)
        first = report.first
        report.intact = head.size if first is None else min(first, head.size)
        return report

    def _pass(self, since: Iterable[tuple[str, bytes]]) -> None:
        head = self.head
        self._key_file()
        for notes, brought in ((since, True), (self.published.kept(), False)):
            self._add(self.older.remember(notes, self.verifier, brought=brought))
        self._met(0, [])
        for number in range(-(-head.size // WIDTH)):
            width = min(head.size - number * WIDTH, WIDTH)
            self._bundle(Tile("entries", number, width))
            if self._progress:
                self._progress(min((number + 1) * WIDTH, head.size), head.size)
        self._end()
        ahead, self.report.strangers = leftovers.beyond(self.published, head.size)
        self._tail()
        self._rest(ahead)

    def _fault(self, entry: int | None, what: str) -> None:
        self.report.add(Fault(entry, what))

    def _key_file(self) -> None:
        data = self.published.read(KEY, note.SIZE_LIMIT)
        if data is not None and data != f"{self.verifier.vkey}\n".encode():
            self._fault(
                None, f"the file {KEY} is not the key that this was checked with"
            )

    def _add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.report.add(fault)

    def _bundle(self, tile: Tile) -> None:
        """The next bundle of the signed log, with the hash tile beside it."""
        data = self.published.tile(tile)
        beside = self.published.tile(tile._replace(level=0))
        entries: Sequence[bytes | None] = []
        hashes: list[bytes] | None = None
        if data is not None:
            try:
                found = tiles.unbundled(data, tile.width)
            except ValueError:
                pass  # looked at more closely below
            else:
                entries, hashes = found, tiles.leaf_hashes(found)
        if hashes is None or beside != b"".join(hashes):
            hashes, entries = self._differs(tile, data, hashes, beside)
        self._grow(tile, hashes)
        self.contents.some(tile.first, entries)
        if tile.width == WIDTH:
            self._narrower(tile, entries, hashes)
        else:
            self.boundary = list(entries)

    def _differs(
        self,
        tile: Tile,
        data: bytes | None,
        hashes: list[bytes] | None,
        beside: bytes | None,
    ) -> tuple[list[bytes] | None, Sequence[bytes | None]]:
        """Bundle and hash tile are not of each other: which of them is wrong, and where.

        The hashes to go on with, and the entries that are right.
        """
        entries = tiles.unbundled(data, tile.width) if data and hashes else None
        want = self._whole(tile, beside)
        if want and hashes and entries and self._prefers(tile, entries, hashes, want):
            at = next(n for n, one in enumerate(want) if one != hashes[n])
            self._fault(
                tile.first + at,
                f"is what was signed, but its hash in {tile._replace(level=0).path} was "
                "changed",
            )
            return hashes, entries
        if entries and hashes and want is None:
            return hashes, entries
        faults, right = closer.look(tile, data, want)
        self._add(faults)
        return want, right

    def _whole(self, tile: Tile, beside: bytes | None) -> list[bytes] | None:
        """The hashes of a hash tile; None, and a fault, where it has not all of them."""
        if beside is not None and len(beside) == tile.width * merkle.HASH_BYTES:
            return tiles.split(beside)
        path = tile._replace(level=0).path
        length = "is missing" if beside is None else f"has {len(beside)} bytes"
        self._fault(
            tile.first, f"and those up to {tile.last - 1}: their tile {path} {length}"
        )
        return None

    def _prefers(
        self,
        tile: Tile,
        entries: Sequence[bytes],
        hashes: Sequence[bytes],
        want: Sequence[bytes],
    ) -> bool:
        """Whether the entries are right and the hash tile is wrong.

        The hash above them decides, for the last ones the signed root, else whether the
        entries name each other in turn.
        """
        if tile.width == WIDTH:
            above = self._above(tile.number)
            ours, theirs = merkle.root(hashes), merkle.root(want)
        else:
            above = self.head.root
            ours, theirs = self.tree.root(hashes), self.tree.root(want)
        if above in (ours, theirs):
            return above == ours
        return closer.chained(tile.first, entries)

    def _above(self, number: int) -> bytes | None:
        """What the tile one level up says of a full bundle, unproven."""
        place, at = divmod(number, WIDTH)
        if self._parents is None or self._parents[0] != place:
            tile = tiles.of_size(self.head.size, 1, place)
            data = self.published.tile(tile) if tile else None
            self._parents = (
                place,
                tiles.split(data[: len(data) // 32 * 32]) if data else [],
            )
        hashes = self._parents[1]
        return hashes[at] if at < len(hashes) else None

    def _grow(self, tile: Tile, hashes: list[bytes] | None) -> None:
        """The tree with these leaves; what lies in the tiles above is compared."""
        if hashes is None:
            # Neither entries nor hashes: the hash above carries the rest, where it can.
            above = self._above(tile.number) if tile.width == WIDTH else None
            if above is None:
                self.broken = True
                return
            self._met(tile.last - 1, None)
        else:
            self._met(tile.last, hashes)
            above = merkle.root(hashes)
        if tile.width < WIDTH:
            self.tree.last = hashes or []
        else:
            self._full(above, signed=True)

    def _full(self, root: bytes, *, signed: bool) -> None:
        """A bundle is full, and with it perhaps tiles above it: they are compared."""
        for tile, hashes in self.tree.add(root):
            self._compare(tile, hashes, needed=signed)
            self._narrower(tile, None, hashes)

    def _compare(self, tile: Tile, hashes: Sequence[bytes], *, needed: bool) -> None:
        """A hash tile against the hashes that were computed."""
        data = self.published.tile(tile)
        if data is None and not needed:
            return
        if data == b"".join(hashes) or self.broken:
            return
        if data is None or len(data) != tile.width * merkle.HASH_BYTES:
            how = "is missing" if data is None else f"has {len(data)} bytes"
            self._fault(
                tile.first,
                f"and those up to {tile.last - 1}: their tile {tile.path} {how}",
            )
            return
        at = next(n for n, one in enumerate(tiles.split(data)) if one != hashes[n])
        first = tile.first + at * tile.span
        self.doubts.append((tile, first, first + tile.span))

    def _met(self, last: int, hashes: Sequence[bytes] | None) -> None:
        """Compare with the older checkpoints up to `last` entries, now that they are here.

        `hashes` are the leaves behind the full bundles; None where they are not known.
        """

        def root(size: int) -> bytes | None:
            if hashes is None or self.broken:
                return None
            return self.tree.root(hashes[: size - self.tree.bundles * WIDTH])

        self.older.meet(last, root)

    def _end(self) -> None:
        """All signed entries were seen: their root, and the partial tiles above."""
        said = self.head.root
        for tile, hashes in self.tree.open():
            self._compare(tile, hashes, needed=True)
        self.contents.flush()
        self.report.open_intents = sorted(self.contents.books.intents)
        self.report.root = root = self.tree.root(self.tree.last)
        explained = self.broken or bool(self.doubts)
        self._settle(root == said)
        if root == said:
            self._add(self.older.forks())
        elif not explained:
            self.report.add(self.older.unsigned(self.head, root))
        if self.contents.last is not None:
            self.report.signed_at = _time(self.contents.last.data)

    def _settle(self, signed: bool) -> None:
        """Which side of a tile that does not fit is wrong: the signed root decides."""
        for tile, first, last in self.doubts:
            self._fault(
                first,
                f"and those up to {last - 1}: their hash in {tile.path} was changed"
                if signed
                else f"or another one up to {last - 1} was changed: {tile.path} has "
                "another hash for them, and the tree over all is not the signed one",
            )
        self.doubts = []

    def _tail(self) -> None:
        """Entries that were published and are not signed yet: they must go on the chain,
        and older checkpoints that signed more than the head does tell of a rollback."""
        for stored in self.published.tail(self.head.size):
            if not self.contents.alone(stored):
                self.ends = False
                break
            self.report.unsigned += 1
            self.boundary.append(stored.data)
            self.tree.last.append(merkle.leaf(stored.data))
            self.older.meet_ahead(stored.number + 1, self._tail_root)
            if len(self.boundary) == WIDTH:
                self._full_tail(Tile("entries", stored.number // WIDTH))
        self._add(self.older.larger(self.head))
        self.report.ahead = self.older.ahead(self.head)
        self.report.extends = [older.name for older in self.older.met]

    def _tail_root(self) -> bytes:
        return self.tree.root(self.tree.last)

    def _full_tail(self, bundle: Tile) -> None:
        """The unsigned entries filled a bundle."""
        known, hashes = self.boundary, self.tree.last
        self.boundary = []
        self._add(leftovers.wider(self.published, bundle, known))
        self._compare(bundle._replace(level=0), hashes, needed=False)
        self._narrower(bundle, known, hashes)
        self._full(merkle.root(hashes), signed=False)

    def _rest(self, ahead: list[Tile]) -> None:
        """Files that the pass did not come by."""
        end = self.report.size + self.report.unsigned
        if self.tree.last:
            bundle = Tile("entries", self.tree.bundles, len(self.tree.last))
            self._narrower(bundle, self.boundary, self.tree.last)
        for tile, hashes in self.tree.open():
            self._narrower(tile, None, hashes)
        self._settle(signed=True)
        if self.broken:
            return  # where the tree ends is not known
        if self.ends:
            self._add(leftovers.unfounded(self.published, ahead, end))
        known = self.contents.may_have_rows
        for found in leftovers.rows(self.published, end, known):
            if isinstance(found, Fault):
                self.report.add(found)
            else:
                self.report.strangers.append(found)

    def _narrower(
        self,
        tile: Tile,
        entries: Sequence[bytes | None] | None,
        hashes: Sequence[bytes] | None,
    ) -> None:
        if self.broken:
            return  # which tile this is is not known
        size = self.head.size
        self._add(leftovers.narrower(self.published, size, tile, entries, hashes))


def _time(entry: bytes) -> int | None:
    """When an entry says it was written."""
    try:
        at = decode(entry)["at"]
    except UNREADABLE:
        return None
    return at if type(at) is int else None
