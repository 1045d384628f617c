"""Owns the second pass over a published log, once `check` found that it is not what was
written: which entry was changed, is missing or is in another's place, which file was
changed, which checkpoint the log does not extend.

It goes the way of `check` and reads everything again.  Where that one ends, this one
looks closer, says what is wrong and goes on by what is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from retention.tlog import merkle, tiles
from retention.tlog.canonical import UNREADABLE, base64url, decode
from retention.tlog.entry import Stored, previous
from retention.tlog.tiles import WIDTH, Tile
from retention.tlog.verify.check import Check, Entries, Misfit, Older
from retention.tlog.verify.findings import Fault, Missing

MOST = 4
"""Faults named in one bundle: where a length was changed, all after it is rubbish."""


class Locate(Check):
    """One pass that ends at no fault and names them all."""

    _doubts: list[tuple[Tile, int]]
    """Tiles above others that do not fit: tile, and the first entry under its hash."""
    _beside_them: list[Fault]
    """Of hash tiles that the head does not need: told after those that it needs."""
    _fork: Older | None = None
    """The first checkpoint that the log does not extend."""
    _is_signed = True
    """The tree over all entries is the one that the head signs."""
    _broken = False
    """Hashes are missing that no tile above makes up for: the tree ends there."""
    _ends = True
    """It is known where the published entries end."""
    _gone = _holed = False
    """Entries are missing; and others, or hashes, are there behind what is missing."""

    def _read(self) -> None:
        self._doubts, self._beside_them = [], []
        super()._read()
        for tile, first in self._doubts:
            last = first + tile.span - 1
            self._fault(
                first,
                f"and those up to {last}: their hash in {tile.path} was changed"
                if self._is_signed
                else f"or another one up to {last} was changed: {tile.path} has "
                "another hash for them, and the tree over all is not the signed one",
            )
        for fault in self._beside_them:
            self.report.add(fault)
        if self._is_signed:
            self._forked()
        elif not (self._broken or self._doubts):
            self._rewritten()

    def _fault(self, entry: int, what: str) -> None:
        self.report.add(Fault(entry, what))

    # -- a bundle and the hash tile beside it ---------------------------------------

    def _bundle(self, tile: Tile) -> tuple[Entries, list[bytes]]:
        """What is right in them; no hashes where none are known."""
        try:
            entries, hashes = super()._bundle(tile)
        except Misfit:
            entries, hashes = self._judged(tile)
            if not hashes and tile.width < WIDTH:
                self._broken = True
        self._holed |= self._gone and any(one is not None for one in entries)
        self._gone |= None in entries
        return entries, hashes

    def _judged(self, tile: Tile) -> tuple[Entries, list[bytes]]:
        """The two are not of each other: which of them is wrong, and where."""
        data = self.published.tile(tile)
        if self.published.is_public:
            return self._judged_public(tile, data)
        if data is None:
            return self._begun(tile)
        entries: list[bytes] = []
        with suppress(ValueError):
            entries = tiles.unbundled(data, tile.width)
        hashes = tiles.leaf_hashes(entries)
        beside = tile._replace(level=0)
        said = self._said(beside)
        if entries and said in ([], hashes):
            return entries, hashes
        if entries and self._prefers(tile, entries, hashes, said):
            self._fault(
                tile.first + _first_other(said, hashes),
                f"is what was signed, but its hash in {beside.path} was changed",
            )
            return entries, hashes
        faults, right = look(tile, data, said or None)
        for fault in faults:
            self.report.add(fault)
        return right, said

    def _judged_public(
        self, tile: Tile, data: bytes | None
    ) -> tuple[Entries, list[bytes]]:
        """The same of a public copy: of what is withheld there are hashes alone, which
        nothing but the tree over them can tell to be wrong."""
        said = self._said(tile._replace(level=0))
        path = self.published.path_of(tile)
        if data is None:
            self.report.add(_missing(tile, 0, path))
            return [None] * tile.width, said
        found = tiles.begun(data)
        entries: list[bytes | None] = [None] * tile.width
        if len(tiles.bundle(found)) != len(data) or len(found) != tile.width:
            what = f"or one up to {tile.last - 1} was changed: {path} is no bundle"
            self._fault(tile.first, what)
            return entries, said
        for at, entry in enumerate(found):
            if entry == tiles.WITHHELD or not said or merkle.leaf(entry) == said[at]:
                entries[at] = entry
            else:
                self._fault(tile.first + at, f"was changed (in {path})")
        return entries, said

    def _begun(self, tile: Tile) -> tuple[Entries, list[bytes]]:
        """A bundle is missing: what a narrower one has of it, and its hashes."""
        found = tiles.begun(self.published.widest(tile) or b"")[: tile.width]
        there = len(found)
        said = self._said(tile._replace(level=0), tile.first + there)
        if said:
            right = tiles.leaf_hashes(found) == said[:there]
        else:
            right = _chained(tile.first, found)
            self._meet(tiles.leaf_hashes(found) if right else [])
        if not right:
            found = []
            self._fault(
                tile.first, f"or one up to {tile.first + there - 1} was changed"
            )
        self.report.add(_missing(tile, len(found), tile.path))
        return [*found, *[None] * (tile.width - len(found))], said

    def _said(self, tile: Tile, first: int | None = None) -> list[bytes]:
        """The hashes of a tile; none, and a fault (at `first`), where it has not all."""
        data = self.published.tile(tile)
        if data is not None and len(data) == tile.width * merkle.HASH_BYTES:
            return tiles.split(data)
        how = "is missing" if data is None else f"has {len(data)} bytes"
        what = f"and those up to {tile.last - 1}: their tile {tile.path} {how}"
        lost = Missing.HASHES if data is None else None
        after = tiles.of_size(self.head.size, tile.level, tile.number + 1)
        self._holed |= after is not None and self.published.tile(after) is not None
        self.report.add(Fault(tile.first if first is None else first, what, lost))
        return []

    def _prefers(
        self, tile: Tile, entries: list[bytes], hashes: list[bytes], said: list[bytes]
    ) -> bool:
        """Whether the entries are right and the hash tile is wrong.

        The hash above them decides, for the last ones the signed root, else whether the
        entries name each other in turn.
        """
        if tile.width == WIDTH:
            above = self._hash_above(tile.number)
            ours, theirs = merkle.root(hashes), merkle.root(said)
        else:
            above = self.head.root
            ours, theirs = self.tree.root(hashes), self.tree.root(said)
        if above in (ours, theirs):
            return above == ours
        return _chained(tile.first, entries)

    def _hash_above(self, number: int) -> bytes | None:
        """What the tile one level up says of a full bundle, unproven."""
        place, at = divmod(number, WIDTH)
        tile = tiles.of_size(self.head.size, 1, place)
        data = self.published.tile(tile) if tile else None
        found = (data or b"")[at * merkle.HASH_BYTES :][: merkle.HASH_BYTES]
        return found if len(found) == merkle.HASH_BYTES else None

    def _full(self, entries: Entries, hashes: list[bytes]) -> None:
        """Without hashes the one above them carries the tree on, where there is one."""
        if self._broken:
            return
        if hashes:
            super()._full(entries, hashes)
            return
        number = self.tree.bundles
        above = self._hash_above(number)
        if above is None:
            self._broken = True
            return
        while self._waiting and self._waiting[-1].size < (number + 1) * WIDTH:
            self._waiting.pop()  # the tree of that size is not known
        self._grow(above)

    def _conclude(self) -> None:
        """Hashes that are missing change nothing where the tree is the signed one; where
        it can't be told, what an older head signs is known, and no more."""
        super()._conclude()
        report, faults = self.report, self.report.faults
        report.copied = not (self._holed or report.unlisted) and all(
            one.lost
            and (one.lost is not Missing.ROWS or (one.entry or 0) > self.last_rows)
            for one in faults
        )
        known = self.head.size
        if self._broken:
            known = max((one.size for one in self.met if one.size <= known), default=0)
        if report.unlisted or not (self._broken or self._is_signed):
            report.intact = min(report.intact, known)
            return
        firsts = [one.entry or 0 for one in faults if one.lost is not Missing.HASHES]
        report.intact = min([known, *firsts])

    # -- the other files --------------------------------------------------------------

    def _tile(self, tile: Tile, right: list[bytes]) -> None:
        try:
            super()._tile(tile, right)
        except Misfit:
            said = [] if self._broken else self._said(tile)
            if said and said != right:
                first = tile.first + _first_other(said, right) * tile.span
                self._doubts.append((tile, first))

    def _file(self, tile: Tile, right: Entries) -> None:
        try:
            super()._file(tile, right)
        except Misfit:
            end = self.head.size + self.report.unsigned
            if self._broken:
                return
            if tile.last > end:
                if self._ends:
                    what = f"is not there, and {tile.path} speaks of it"
                    self._fault(max(end, tile.first), what)
            elif right:
                self._changed(tile, right)

    def _changed(self, tile: Tile, right: Entries) -> None:
        """A file that the head does not need, of entries that are there."""
        data = self.published.tile(tile) or b""
        if tile.level == "entries":
            at = _first_other(tiles.begun(data), right[: tile.width])
            self._fault(tile.first + at, f"was changed in {tile.path}")
            return
        said = tiles.split(data[: len(data) // 32 * 32])
        first = tile.first + _first_other(said, right[: tile.width]) * tile.span
        what = f"or one behind it: a hash in {tile.path} was changed"
        self._beside_them.append(Fault(first, what))

    # -- checkpoints ------------------------------------------------------------------

    def _meet(self, hashes: list[bytes]) -> None:
        if not self._broken:
            super()._meet(hashes)

    def _extends(self, older: Older, root: bytes | None) -> None:
        try:
            super()._extends(older, root)
        except Misfit:
            if older.size > self.head.size:
                self._fault(
                    self.head.size,
                    f"is not under the checkpoint any more: {older.name} signed "
                    f"{older.size} entries, the head signs {self.head.size}; the log "
                    "was cut or rolled back",
                )
            elif root is not None and self._fork is None:
                self._fork = older

    def _signed(self, root: bytes) -> None:
        try:
            super()._signed(root)
        except Misfit:
            self._is_signed = False

    def _goes_on(self, stored: Stored) -> bool:
        try:
            return super()._goes_on(stored)
        except Misfit:
            self._ends = False
            return False

    def _forked(self) -> None:
        """The head is right: a checkpoint that its log does not extend."""
        if self._fork is None:
            return
        # Who has the key can sign what the directory keeps anew: only what was brought
        # shows up to where the log is still the old one.
        first = max((one.size for one in self.met if one.brought), default=0)
        size = self._fork.size
        self._fault(
            min(first, max(size - 1, 0)),
            f"or a later one below {size} was rewritten since: {self._fork.name} was "
            f"signed over another log of {size} entries, so this one is a fork",
        )

    def _rewritten(self) -> None:
        """All files fit each other, and the tree over them is not the one of the head."""
        head = self.head
        sizes = [one.size for one in self.met if one.size <= head.size]
        last = self._fork.size if self._fork else head.size
        self._fault(
            max(sizes, default=0),
            f"or a later one below {last} is not what was signed: the tree over all is "
            f"{base64url(self.report.root)}, the checkpoint of {head.size} says "
            f"{base64url(head.root)}",
        )


def look(
    tile: Tile, data: bytes, want: Sequence[bytes] | None
) -> tuple[list[Fault], list[bytes | None]]:
    """The faults of a bundle, and its entries, None for those that are not right.

    `want` are the leaf hashes that it should have; None where they are not known: then
    each entry is judged by what the next one says of it.
    """
    right: list[bytes | None] = [None] * tile.width
    found = tiles.begun(data)
    numbers = [_number(entry) for entry in found]
    faults: list[Fault] = []
    for at in range(tile.width):
        entry = tile.first + at
        if at >= len(found):
            faults.append(Fault(entry, f"is missing: {tile.path} ends before it"))
            break
        if _is_right(found, numbers, at, entry, want):
            right[at] = found[at]
        elif numbers[at] in (None, entry):
            how = "" if numbers[at] == entry else " and can't be read"
            faults.append(Fault(entry, f"was changed{how} (in {tile.path})"))
        else:
            faults.append(Fault(entry, _misplaced(numbers, at, entry)))
            break
        if len(faults) == MOST:
            break
    if not faults:
        faults.append(
            Fault(
                tile.last - 1, f"is followed in {tile.path} by what is no entry of it"
            )
        )
    return faults, right


def _missing(tile: Tile, there: int, path: str) -> Fault:
    first, last = tile.first + there, tile.last - 1
    others = f"and those up to {last} are" if first < last else "is"
    what = f"{others} missing: {path} is not there"
    return Fault(first, what, Missing.ENTRIES)


def _is_right(
    found: Sequence[bytes],
    numbers: Sequence[int | None],
    at: int,
    entry: int,
    want: Sequence[bytes] | None,
) -> bool:
    if want is not None:
        return merkle.leaf(found[at]) == want[at]
    after = found[at + 1] if at + 1 < len(found) else None
    return numbers[at] == entry and after is not None and _follows(after, found[at])


def _misplaced(numbers: Sequence[int | None], at: int, entry: int) -> str:
    """What happened where entry `numbers[at]` stands in the place of `entry`."""
    there = numbers[at]
    if there in numbers[:at]:
        return f"is not here: entry {there} is in its place, a second time"
    if entry in numbers[at + 1 :]:
        return f"is not here: entry {there} is in its place, the order was changed"
    if there is not None and there > entry:
        return f"is missing: entry {there} follows"
    return f"is not here: entry {there} is in its place"


def _number(data: bytes) -> int | None:
    """The index that an entry says it has; None where it can't be read."""
    try:
        index = decode(data)["index"]
    except UNREADABLE:
        return None
    return index if type(index) is int else None


def _follows(after: bytes, before: bytes) -> bool:
    """Whether an entry says of the one before it that it is `before`."""
    try:
        return bool(decode(after)["prev"] == previous(before))
    except UNREADABLE:
        return False


def _chained(first: int, entries: Sequence[bytes]) -> bool:
    """Whether these entries number themselves and name each other in turn."""
    return all(
        _number(entry) == first + at and (not at or _follows(entry, entries[at - 1]))
        for at, entry in enumerate(entries)
    )


def _first_other(found: Entries, right: Entries) -> int:
    """The first place where two lists differ; the last where one goes on."""
    for at, (one, other) in enumerate(zip(found, right, strict=False)):
        if one != other:
            return at
    return min(len(found), len(right) - 1)
