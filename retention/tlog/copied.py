"""Owns asking a published directory as any other log: up to its signed head, or beyond it
where that is asked for.

What lies beyond the head is there without the key: anybody may have put it there.  Of what
is under the head only the signature is looked at; `verify.published` verifies.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property, partial
from itertools import compress
from pathlib import Path

from retention.model.errors import (
    RetentionError,
    UsageError,
    VerificationError,
)
from retention.model.values import FOREVER, Micros, Window
from retention.tlog import entry as entry_
from retention.tlog import merkle, note, tiles
from retention.tlog.canonical import UNREADABLE, decode
from retention.tlog.declare import Footage
from retention.tlog.directory import CHECKPOINT, EXTRACT, Published, withheld
from retention.tlog.kinds import HOLDS, KINDS, RECORDINGS
from retention.tlog.known_key import named_key
from retention.tlog.source import (
    DELETED,
    INTENDED,
    HoldSpans,
    Place,
    Query,
    Record,
    apart,
    columns_of,
    spans,
)
from retention.tlog.subjects import mark
from retention.tlog.tiles import WIDTH, Tile
from retention.tlog.unsigned import (
    BEYOND,
    Stretch,
    Unsigned,
    came_back,
    unsigned_by,
    unsigned_of,
)


class DirectorySource:
    """A published directory up to its signed head; UsageError where it is none.

    `unsigned`: also what lies beyond the head.  It has no index: what is asked by camera
    is found by reading everything.  Nothing is verified but the head's signature, with
    the key that the directory names, and row files against their entries.
    """

    indexed = False

    def __init__(self, path: Path, *, unsigned: bool = False) -> None:
        if not path.is_dir():
            raise UsageError(
                f"{path} is no directory: name the published copy of a log"
            )
        if (path / EXTRACT / "about").exists():
            raise UsageError(
                f"{path} is an extract of a log: a browser reads it, by its page "
                "explorer/index.html. This command takes the log, or a whole copy: "
                "`retention audit copy` without --days"
            )
        self.path = path
        self.unsigned = unsigned
        self.published = Published(path, newest_head(path))
        self.entries = 0
        self.doubted: dict[int, Unsigned] = {}
        self._last = b""
        self._beside: list[tuple[int, bytes]] | None = None

    @cached_property
    def signed(self) -> int:
        """How many entries the head covers; VerificationError where none is to go by.

        Whoever asked for the `unsigned` is given all of them as such then.
        """
        # Before the head: each was the head before it was kept.
        kept = max((_size(data) for _, data in self.published.kept()), default=0)
        data = self.published.checkpoint_bytes()
        try:
            verifier = note.parse_vkey(named_key(self.published))
            head = note.open_checkpoint(data, verifier)
            if head.size < kept:
                raise VerificationError(
                    f"a kept one signs {kept} entries, and this one only {head.size}"
                )
        except VerificationError as error:
            if self.unsigned:
                return 0
            raise VerificationError(
                f"{self.path / self.published.head} is no head to go by: {error}; run "
                f"`retention audit verify {self.path} --key KEY`"
            ) from error
        return head.size

    @cached_property
    def back(self) -> list[Stretch]:
        """What came back unsigned, by all that is under the head."""
        if self._beside is None:
            return unsigned_of(self.published, self.signed)
        return unsigned_by(data for at, data in self._beside if at < self.signed)

    @cached_property
    def beyond(self) -> int:
        """How many entries lie behind the signed ones."""
        return sum(1 for _ in self.published.tail(self.signed, rows=False))

    @property
    def end(self) -> int:
        """The number after that of the last entry that is given out."""
        return self.signed + (self.beyond if self.unsigned else 0)

    @cached_property
    def zone(self) -> str:
        """The zone in which people at the site read times; UTC where it is not known."""
        try:
            return entry_.zone(decode(self.published.entry(0).data))
        except (RetentionError, *UNREADABLE):
            return "UTC"

    def root(self) -> bytes:
        """The root over all entries that are given out, computed from their bytes (of what
        is withheld from their hashes): where it is the head's, they are what it signs.

        Those that are not of batches, one in ten or fewer, stay in memory: whoever asks
        for them later is given what this is the root of, and nothing is read twice.
        """
        found: list[bytes] = []
        beside: list[tuple[int, bytes]] = []
        for first, entries in self._in_bundles():
            found += tiles.leaf_hashes(entries)
            is_beside = map(_IS_BESIDE.search, entries)
            beside += compress(enumerate(entries, first), is_beside)
        self._beside = beside
        if self.published.is_public:
            (blank,) = tiles.leaf_hashes([tiles.WITHHELD])
            there = (
                one
                for tile in self._bundles()
                for one in self.published.hashes(
                    0, tile.number, min(WIDTH, self.signed - tile.first)
                )
            )
            pairs = zip(found, there, strict=True)
            found = [one if one != blank else other for one, other in pairs]
        return merkle.root(found)

    def ends(self) -> Micros | None:
        """When the last entry that was read was written; None where that is not said."""
        try:
            at = decode(self._last)["at"]
        except UNREADABLE:
            return None
        return at if type(at) is int else None

    def entry(self, number: int) -> Record:
        """One entry; RetentionError where there is none."""
        if not 0 <= number < self.end:
            text = (
                f"there is no entry {number} in {self.path}, which has {self.signed} "
                "under its signed head, numbered from 0"
            )
            if 0 <= number < self.signed + self.beyond:
                text += "; it lies beyond that: `retention audit show --unsigned`"
            raise RetentionError(text)
        tile = Tile("entries", number // WIDTH)
        found = self._bundle(tile)
        if number - tile.first >= len(found):
            raise self._missing(tile)
        return self._record(number, found[number - tile.first])

    @cached_property
    def withheld(self) -> int:
        """How many entries a public copy has not; 0 of any other."""
        if not self.published.is_public:
            return 0
        return sum(self._found(one).count(tiles.WITHHELD) for one in self._bundles())

    def _bundles(self) -> Iterator[Tile]:
        return (Tile("entries", number) for number in range(-(-self.signed // WIDTH)))

    def disclosures(self, number: int) -> Mapping[str, str]:
        """None: what opens a field is never published."""
        return {}

    def backwards(self, query: Query) -> Iterator[Record]:
        """The entries that are asked for, newest first."""
        if query.camera is not None:
            for number in reversed(list(self._of_camera(query))):
                yield self.entry(number)
            return
        marks = [mark(query.subject)] if query.subject else []
        kinds = _kind_marks(query.kinds)
        end = self._before(query)
        for number in range((end - 1) // WIDTH, -1, -1) if end > 0 else ():
            tile = Tile("entries", number)
            found = self._bundle(tile)[: end - tile.first]
            for at, data in reversed(list(enumerate(found))):
                if data == tiles.WITHHELD:
                    continue
                if kinds.search(data) and all(one in data for one in marks):
                    record = self._record(tile.first + at, data)
                    if query.wants(record):
                        yield record

    def _of_camera(self, query: Query) -> Iterator[int]:
        """The numbers of the entries about a camera, in the order of the log."""
        holds = HoldSpans()
        batches: set[int] = set()
        completions = query.is_of(DELETED)
        footage = query.footage or Window(-FOREVER, FOREVER + 1)
        before = self._before(query)
        for record in self.of_kinds(_FOUND_BY_CAMERA):
            if record.number >= before:
                return
            holds.read(record)
            fields, wanted = record.entry["fields"], query.wants(record)
            if record.kind == DELETED:
                if fields["intent"] in batches and wanted:
                    yield record.number
                continue
            intended = record.kind == INTENDED
            if intended and apart(fields, [footage]):
                continue
            if not (wanted or (intended and completions)):
                continue
            rows = partial(columns_of, record)
            if any(
                camera == query.camera and start < footage.end and footage.start < end
                for camera, start, end in spans(record.entry, rows, holds.of)
            ):
                if intended:
                    batches.add(record.number)
                if wanted:
                    yield record.number

    def _before(self, query: Query) -> int:
        return self.end if query.before is None else min(query.before, self.end)

    def completion(self, intent: int) -> Record | None:
        """The entry that completes a batch, a few entries later as a rule; None while
        it is open.  One that came back unsigned completes nothing."""
        wanted = _kind_marks((DELETED,))
        for number in range(intent // WIDTH, -(-self.end // WIDTH)):
            tile = Tile("entries", number)
            for at, data in enumerate(self._bundle(tile), tile.first):
                if at > intent and wanted.search(data):
                    record = self._record(at, data)
                    if record.entry["fields"]["intent"] != intent or record.is_void:
                        continue
                    return record
        return None

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
        held: Collection[Window] = (),
    ) -> Iterable[Record]:
        """All that may be about footage, and all about holds."""
        return self.of_kinds((*RECORDINGS, *HOLDS))

    def of_kinds(self, kinds: Collection[str], first: int = 0) -> Iterable[Record]:
        """The records of these kinds from number `first` on, and of any that has their
        words in a field: every reader looks at the kind."""
        wanted = _kind_marks(kinds)
        there: Iterable[tuple[int, bytes]] = self._all(first)
        if self._beside is not None and len(kinds) > 0 and _BESIDE.issuperset(kinds):
            there = self._beside[bisect_left(self._beside, (first,)) :]
        for number, data in there:
            if wanted.search(data):
                yield self._record(number, data)

    def _rows(self, number: int) -> bytes | None:
        data = self.published.rows(number)
        if data is None and self.published.is_public:
            raise withheld(number, "the rows of ")
        return data

    def _record(self, number: int, data: bytes) -> Record:
        if data == tiles.WITHHELD:
            raise withheld(number)
        try:
            entry = decode(data)
            entry["kind"], entry["fields"], entry["at"], entry["index"]
        except UNREADABLE as error:
            raise VerificationError(
                f"entry {number} can't be read: {error!r}; run `retention audit "
                f"verify {self.path}`"
            ) from error
        beyond = number >= self.signed
        unsigned = BEYOND if beyond else came_back(self.back, number)
        if unsigned is not None:
            self.doubted[number] = unsigned
        return Record(number, entry, partial(self._rows, number), unsigned)

    def _all(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """The bytes of every entry that is given out, from that one on."""
        for start, entries in self._in_bundles(first // WIDTH):
            for number, entry in enumerate(entries, start):
                if number >= first:
                    yield number, entry

    def _in_bundles(self, number: int = 0) -> Iterator[tuple[int, list[bytes]]]:
        """The same from that bundle on: the entries of each, behind the first's number."""
        self.entries = number * WIDTH
        while True:
            found = self._found(Tile("entries", number))
            self.entries += len(found)
            self._last = next(filter(None, reversed(found)), self._last)
            yield number * WIDTH, found
            if len(found) < WIDTH:
                return self._refuse_cut()
            number += 1

    def _found(self, tile: Tile) -> list[bytes]:
        """The entries of a bundle, as far as they are there.

        Those under the head are read as the head needs them: a wider file of anybody's
        may begin with others.
        """
        found: list[bytes] = []
        if under := tiles.of_size(self.signed, "entries", tile.number):
            data = self.published.tile(under)
            if data is None:
                data = self.published.widest(tile) or b""
            found = tiles.begun(data)[: under.width]
            if len(found) < under.width:
                return found
        if self.unsigned and len(found) < WIDTH:
            found += tiles.begun(self.published.widest(tile) or b"")[len(found) :]
        return found

    def _bundle(self, tile: Tile) -> list[bytes]:
        """The same; VerificationError where there is none."""
        found = self._found(tile)
        if not found:
            raise self._missing(tile)
        return found

    def _missing(self, tile: Tile) -> VerificationError:
        return VerificationError(
            f"{self.path / tile.path} is missing or cut; run `retention audit verify "
            f"{self.path}`"
        )

    def _refuse_cut(self) -> None:
        """An answer from a part of the log would pass for one from all of it."""
        if self.entries < self.signed:
            raise VerificationError(
                f"{self.path} was signed at {self.signed} entries and holds "
                f"{self.entries} without a gap: run `retention audit verify {self.path} "
                "--key KEY`"
            )


def newest_head(directory: Path) -> str:
    """Where the checkpoint is: a second copy has only those of whole days."""
    published = Published(directory)
    if published.read(CHECKPOINT, 0) is None and (kept := published.kept()):
        return largest(kept)
    return CHECKPOINT


def largest(kept: list[tuple[str, bytes]]) -> str:
    """Which of these heads covers most, unproven: their names are anybody's."""
    return max(kept, key=lambda one: _size(one[1]))[0]


def _size(data: bytes) -> int:
    try:
        return note.unverified(data).size
    except VerificationError:
        return -1


def _kind_marks(kinds: Collection[str]) -> re.Pattern[bytes]:
    """What is in the bytes of the entries of these kinds; of all, where none is named."""
    names = (re.escape(kind.encode(errors="replace")) for kind in sorted(kinds))
    found = b"|".join(one.replace(rb"\*", b'[^"]*') for one in names)
    return re.compile(b'"kind":"(?:%s)"' % found if kinds else b"")


_BATCHES = (INTENDED, DELETED)
_BESIDE = KINDS.keys() - set(_BATCHES)
_IS_BESIDE = re.compile(
    b'"kind":"(?!(?:%s)")' % b"|".join(re.escape(kind.encode()) for kind in _BATCHES)
)
"""What the bytes of all entries have that may be of other kinds than these."""


_FOUND_BY_CAMERA = tuple(
    name for name, kind in KINDS.items() if kind.footage is not Footage.NONE
)
