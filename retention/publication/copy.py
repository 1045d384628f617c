"""Owns copies of the published log, by the service and by hand.

A second directory, a mounted write-once share that only ever gains files, *follows*: it
gets what is final (row files, full bundles and full hash tiles), and once a day the last
head of the day before with the few partial files that this head needs; where people
changed something, also the head over that, at once.  A copy for
somebody goes *to the head* that there is when it begins: all that this head needs, then
the head, and nothing beyond it.

A file there is never replaced or removed, but the one newest head.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from retention.model.errors import AlteredError, PublicationError, VerificationError
from retention.publication.files import PublishedFiles
from retention.tlog import format, note, public, tiles
from retention.tlog.canonical import UNREADABLE
from retention.tlog.directory import (
    CHECKPOINT,
    EXTRACT,
    KEPT,
    KEY,
    Published,
    note_at,
)
from retention.tlog.note import Checkpoint, Head, Verifier
from retention.tlog.tiles import WIDTH, WITHHELD, Tile
from retention.tlog.unsigned import unsigned_of

_DESCRIPTION_LIMIT = 2**20
"""No description is larger (bytes)."""


class _Copied(PublishedFiles):
    """The files of a copy: nothing of the service hangs on them."""

    def altered(self, path: str) -> AlteredError:
        """As of a published file."""
        return AlteredError(
            f"{path} is there and holds something else than the log that is copied: one "
            "of the two was altered. Keep both for the auditor; `retention audit verify` "
            "tells which"
        )

    def failed(self, path: str, what: str, error: OSError) -> PublicationError:
        """As of a published file."""
        return PublicationError(
            f"the copy of the audit log can't be {what} ({path}: {error.strerror}): see "
            "to that directory; copying goes on from where it was left"
        )


class Copy:
    """Follows a published directory into another one; asked once in a while.

    `newest`: how many entries the newest checkpoint there covers; `met` is told of that
    one before anything is copied.
    """

    def __init__(
        self, source: Path, target: Path, met: Callable[[Head], object] = lambda _: None
    ) -> None:
        self._alive: Callable[[], object] = lambda: None
        self._source = Published(source)
        self._target = _Copied(target)
        self._met = met
        self._done: int | None = None
        self._rowed = 0  # durable there are the row files below
        self.newest = 0

    def follow(
        self, alive: Callable[[], object] = lambda: None, *, head: bool = False
    ) -> int:
        """Copy what is final and not there yet; how many entries are there in full.
        With `head` also what the newest head needs, and that.  `alive` is called with
        each file.

        Raises PublicationError where either directory can't be used; go on later.
        """
        self._alive = alive
        if not self._target.path.is_dir():
            raise PublicationError(
                f"log_copy {self._target.path} is not there: mount it; the audit log "
                "is copied to it from where it was left"
            )
        try:
            return self._follow(head)
        except VerificationError as error:
            raise PublicationError(f"the second copy of the log: {error}") from error

    def to_head(
        self, progress: Callable[[int, int], None], *, afresh: bool = False
    ) -> None:
        """Copy all that the head needs that is read first, and then that head.

        What an earlier head there covers is taken for copied, unless `afresh`: then every
        file is compared.  `progress` is called with (entries, entries in all).  Raises
        PublicationError where it was broken off; VerificationError for no log to copy.
        """
        data = self._source.checkpoint_bytes()
        kept = self._source.kept()
        done = self._begin()
        size = note.unverified(data).size
        self._decide(size)
        for first in range(0 if afresh else done, size, WIDTH):
            progress(first, size)
            self._copy_rows(first, min(first + WIDTH, size))
        for tile in tiles.new_files(0 if afresh else done, size, full_only=True):
            self._copy(tile)
        self._copy_edge(size)
        for path, one in kept:
            if note.unverified(one).size <= size and self._wants_head(path):
                self._target.put(path, one)
        self._describe()
        self._target.settle()
        self._target.replace(CHECKPOINT, data)
        self._target.settle()

    def _follow(self, head: bool) -> int:
        if self._done is None:
            self._done = self._begin()
            self._describe()
        data = self._source.read(CHECKPOINT, note.SIZE_LIMIT)
        if data is None:
            return self._done
        size = note.unverified(data).size // WIDTH * WIDTH
        self._copy_rows(self._done, size)
        for tile in tiles.new_files(self._done, size, full_only=True):
            self._copy(tile)
        self._target.settle()
        self._done = max(self._done, size)
        self._copy_days(self._done)
        if head:
            self._copy_head(data, note.unverified(data).size)
        return self._done

    def _begin(self) -> int:
        """What the newest head there covers was copied before it."""
        key = self._source.read(KEY, note.SIZE_LIMIT)
        if key is None:
            raise VerificationError(f"{self._source.directory / KEY} is missing")
        if self._target.read(KEY) not in (None, key):
            raise PublicationError(
                f"{self._target.path} is a copy of another log: name another directory"
            )
        self._refuse_mixed()
        self._target.put(KEY, key)
        verifier = note.parse_vkey(key.decode("utf-8", "replace").strip())
        there = Published(self._target.path).kept()
        there += note_at(self._target.path / CHECKPOINT)
        newest = note.newest(there, verifier)
        if newest is not None:
            self._met(newest)
            self._refuse_fork(newest.checkpoint, verifier)
            self.newest = newest.size
        return self.newest // WIDTH * WIDTH

    def _refuse_mixed(self) -> None:
        """A public copy never gets what is not for the public, and an extract no other
        head: what lies in it by itself leads to its own."""
        if self._source.is_public:
            raise PublicationError(
                f"{self._source.directory} is a public copy, and no whole log: copy it "
                "with `retention audit copy --public`"
            )
        if (self._target.path / EXTRACT / "about").exists():
            raise PublicationError(
                f"{self._target.path} is an extract of a log, which stays as it is: name "
                "another directory"
            )
        if Published(self._target.path).is_public:
            raise PublicationError(
                f"{self._target.path} is a public copy: name another directory, or say "
                "--public to go on with it"
            )

    def _decide(self, size: int) -> None:
        """Which of the first entries are copied: all."""

    def _wants_head(self, path: str) -> bool:
        return True

    def _describe(self) -> None:
        """FORMAT.md goes along; that of another program, which is there and may be kept
        for ever, stays, and this one lies beside it."""
        data = self._source.read(format.NAME, _DESCRIPTION_LIMIT)
        if data is None:
            return
        name = format.NAME
        if self._target.read(name) not in (None, data):
            name = f"FORMAT-{sha256(data).hexdigest()[:8]}.md"
        self._target.put(name, data)

    def _refuse_fork(self, newest: Checkpoint, verifier: Verifier) -> None:
        """What is there stays for ever: nothing of another history is put beside it."""
        head = note.open_checkpoint(self._source.checkpoint_bytes(), verifier)
        if newest.size > head.size or (
            newest.size
            and self._source.reader(head.size).root(newest.size) != newest.root
        ):
            raise PublicationError(
                f"{self._target.path} has a signed head of {newest.size} entries "
                "that this log does not extend: one of the two was rolled back and went "
                "on. Keep both for the auditor; `retention audit verify` tells more"
            )

    def _copy_days(self, done: int) -> None:
        there = set(self._target.names(KEPT))
        for path, data in self._source.kept():
            if path.rpartition("/")[2] in there:
                continue
            size = note.unverified(data).size
            if size // WIDTH * WIDTH > done:
                continue  # its bundles come first, with the next round
            self._copy_rows(size // WIDTH * WIDTH, size)
            self._copy_edge(size)
            self._target.put(path, data)
            self._target.settle()
            self.newest = max(self.newest, size)

    def _copy_head(self, data: bytes, size: int) -> None:
        """A head within the day, with what it needs."""
        if size <= self.newest:
            return
        first = size // WIDTH * WIDTH
        self._copy_rows(max(first, self._rowed), size)
        self._copy_edge(size)
        self._target.put(f"{KEPT}/to-entry-{size - 1:09}", data)
        self._target.settle()
        self.newest, self._rowed = size, size

    def _copy_edge(self, size: int) -> None:
        """The partial files that a head needs; durable, with all before them."""
        for level in tiles.ALL_LEVELS:
            span = Tile(level, 0).span * WIDTH
            tile = tiles.of_size(size, level, size // span)
            if tile is not None:
                self._copy(tile)
        self._target.settle()

    def _copy(self, tile: Tile) -> None:
        self._alive()
        self._target.put(tile.path, self._read(tile))

    def _read(self, tile: Tile) -> bytes:
        data = self._source.tile(tile)
        if data is None:
            raise PublicationError(
                f"{self._source.directory / self._source.path_of(tile)} is missing from "
                "the published audit log: `retention audit publish` writes it again"
            )
        return data

    def _copy_rows(self, first: int, last: int) -> None:
        for number in range(first, last):
            data = self._source.rows(number)
            if data is not None:
                self._target.put(tiles.row_path(number), data)
                self._alive()


class PublicCopy(Copy):
    """A copy for the public, of a log or of another such copy: what may not be public is
    not in it, but its hashes (`tlog.public`).

    `guessable`: so many withheld entries are of older programs, without a salt.
    """

    def __init__(self, source: Path, target: Path) -> None:
        super().__init__(source, target)
        self.guessable = 0
        self._public: set[int] = set()
        self._rows: set[int] = set()

    def _refuse_mixed(self) -> None:
        there = Published(self._target.path)
        if not there.is_public and (self._target.names("tile") or there.kept()):
            raise PublicationError(
                f"{self._target.path} holds a whole log, which is not for the public: "
                "name another directory"
            )

    def _decide(self, size: int) -> None:
        """Read all entries once: of which cameras all is published, they say."""
        decision = public.PublicPart(unsigned_of(self._source, size))
        for number in range(-(-size // WIDTH)):
            tile = Tile("entries", number, min(size - number * WIDTH, WIDTH))
            for entry, data in enumerate(self._bundle(tile), tile.first):
                try:
                    said = decision.entry(entry, data)
                except UNREADABLE as error:
                    raise VerificationError(
                        f"entry {entry} can't be understood: {error!r}; run `retention "
                        "audit verify`"
                    ) from error
                if said is not None:
                    self._public.add(entry)
                    if public.with_rows(said) and "rows" in said:
                        self._rows.add(entry)
                elif data != WITHHELD:
                    self.guessable += public.can_be_guessed(data)

    def _bundle(self, tile: Tile) -> list[bytes]:
        try:
            return tiles.unbundled(self._read(tile), tile.width)
        except ValueError as error:
            path = self._source.directory / self._source.path_of(tile)
            raise VerificationError(
                f"{path} can't be read: {error}; run `retention audit verify`"
            ) from error

    def _wants_head(self, path: str) -> bool:
        """Those of days: one within a day was signed when people changed something."""
        return bool(_DAY.fullmatch(path.rpartition("/")[2]))

    def _copy(self, tile: Tile) -> None:
        if tile.level != "entries":
            super()._copy(tile)
            return
        kept = (
            data if number in self._public else WITHHELD
            for number, data in enumerate(self._bundle(tile), tile.first)
        )
        self._target.put(tiles.public_path(tile), tiles.bundle(kept))

    def _copy_rows(self, first: int, last: int) -> None:
        for number in sorted(self._rows):
            if first <= number < last:
                super()._copy_rows(number, number + 1)


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
