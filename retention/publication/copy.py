"""Owns the second directory: a mounted write-once share that only ever gains files.

It gets what is final: row files, full bundles and full hash tiles, and once a day the
last head of the day before with the few partial files that this head needs.  A file
there is never replaced or removed.
"""

from contextlib import suppress
from pathlib import Path

from retention.audit import note, tiles
from retention.audit.directory import CHECKPOINT, KEPT, KEY, Published
from retention.audit.note import Checkpoint, Verifier
from retention.audit.tiles import WIDTH, Tile
from retention.errors import PublicationError, VerificationError
from retention.publication.files import Directory

_LEVELS: list[tiles.Level] = ["entries", *range(tiles.LEVELS)]


class Copy:
    """Follows a published directory into another one; asked once in a while.

    `newest`: how many entries the newest checkpoint there covers.
    """

    def __init__(self, source: Path, target: Path) -> None:
        self._source = Published(source)
        self._target = Directory(target)
        self._done: int | None = None
        self.newest = 0

    def follow(self) -> int:
        """Copy what is final and not there yet; how many entries are there in full.

        Raises PublicationError where either directory can't be used; go on later.
        """
        if not self._target.path.is_dir():
            raise PublicationError(
                f"log_copy {self._target.path} is not there: mount it; the audit log "
                "is copied to it from where it was left"
            )
        try:
            return self._follow()
        except VerificationError as error:
            raise PublicationError(f"the second copy of the log: {error}") from error

    def _follow(self) -> int:
        if self._done is None:
            self._done = self._begin()
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
        return self._done

    def _begin(self) -> int:
        """What the newest head there covers was copied before it."""
        key = self._source.read(KEY, note.SIZE_LIMIT)
        if key is None:
            raise VerificationError(f"{self._source.directory / KEY} is missing")
        self._target.put(KEY, key)
        verifier = note.parse_vkey(key.decode("utf-8", "replace").strip())
        there = []
        for _, data in Published(self._target.path).kept():
            with suppress(VerificationError):  # what is none there stays for ever
                there.append(note.open_checkpoint(data, verifier))
        newest = max(there, key=lambda head: head.size, default=None)
        if newest is not None:
            self._refuse_fork(newest, verifier)
            self.newest = newest.size
        return self.newest // WIDTH * WIDTH

    def _refuse_fork(self, newest: Checkpoint, verifier: Verifier) -> None:
        """What is there stays for ever: nothing of another history is put beside it."""
        head = note.open_checkpoint(self._source.checkpoint_bytes(), verifier)
        if newest.size > head.size or (
            newest.size
            and self._source.reader(head.size).root(newest.size) != newest.root
        ):
            raise PublicationError(
                f"log_copy {self._target.path} has a signed head of {newest.size} entries "
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
            for level in _LEVELS:
                span = Tile(level, 0).span * WIDTH
                tile = tiles.of_size(size, level, size // span)
                if tile is not None:
                    self._copy(tile)
            self._copy_rows(size // WIDTH * WIDTH, size)
            self._target.settle()
            self._target.put(path, data)
            self._target.settle()
            self.newest = max(self.newest, size)

    def _copy(self, tile: Tile) -> None:
        data = self._source.tile(tile)
        if data is None:
            raise PublicationError(
                f"{self._source.directory / tile.path} is missing from the published "
                "audit log: `retention audit publish` writes it again"
            )
        self._target.put(tile.path, data)

    def _copy_rows(self, first: int, last: int) -> None:
        for number in range(first, last):
            data = self._source.rows(number)
            if data is not None:
                self._target.put(tiles.row_path(number), data)
