"""Owns reading a published log: what lies where, bounded, regular files only.

Nothing is believed here and nothing verified; `verify.published` does that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from retention.model.errors import VerificationError, WithheldError
from retention.tlog import note, tiles
from retention.tlog.entry import Stored
from retention.tlog.tiles import WIDTH, HashReader, Tile

CHECKPOINT = "checkpoint"
KEY = "key"
KEPT = "checkpoints"
"""The directory of the last checkpoint of each day, named by the day."""

EXTRACT = "extract"
"""The directory that only an extract has: packs of what a whole log has as files."""

ROWS_LIMIT = 33 * 2**20
"""No row file is larger (bytes): inflated it has 32 MiB at most."""

_BUNDLE_LIMIT = WIDTH * (2 + tiles.ENTRY_LIMIT)
_TILE_LIMIT = WIDTH * 32


class Published:
    """A published directory.  `read` errors are VerificationError: it can't be checked.

    `head` is where its checkpoint is; in a second copy that is one of those kept.
    """

    def __init__(self, directory: Path, head: str = CHECKPOINT) -> None:
        self.directory = directory
        self.head = head

    @cached_property
    def is_public(self) -> bool:
        """Whether it is a copy for the public, in which entries are withheld."""
        return bool(self._names(tiles.PUBLIC)) and not self._names("tile/entries")

    def path_of(self, tile: Tile) -> str:
        """Where it has a tile or bundle."""
        return tiles.public_path(tile) if self.is_public else tile.path

    def tiles_there(self) -> Iterator[tuple[str, Tile | None]]:
        """All files that may be tiles or bundles, each with the one that it is; no
        order."""
        for under in ("tile", tiles.PUBLIC) if self.is_public else ("tile",):
            for path in self.files(under):
                parse = tiles.parse_public if self.is_public else tiles.parse
                yield path, parse(path)

    def read(self, path: str, limit: int) -> bytes | None:
        """A file's bytes, one more than `limit` at most; None where there is none."""
        try:
            # Never blocks on a pipe that somebody put in a file's place.
            handle = os.open(
                f"{self.directory}/{path}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
            )
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(self.directory / path, error) from error
        try:
            found = os.fstat(handle)
            if not stat.S_ISREG(found.st_mode):
                return None
            parts, left = [], limit + 1
            # No more at once: each time there is memory made ready for all of it.
            at_once = found.st_size + 4096
            while left and (part := os.read(handle, min(left, at_once))):
                parts.append(part)
                left -= len(part)
            return b"".join(parts)
        except OSError as error:
            raise _unreadable(self.directory / path, error) from error
        finally:
            os.close(handle)

    def key(self) -> str | None:
        """The verifier key that lies in it, as text; None where none does."""
        data = self.read(KEY, note.SIZE_LIMIT)
        return None if data is None else data.decode(errors="replace").strip()

    def checkpoint_bytes(self) -> bytes:
        """The signed checkpoint; VerificationError where there is none.

        Never another in its place: whoever removed the head would have cut the log.
        """
        data = self.read(self.head, note.SIZE_LIMIT)
        if data is None:
            why = (
                "its head was removed. A second copy (log_copy) has none and is checked "
                "by its newest day: with --copy"
                if self._names(KEPT)
                else "this is no published log, or its head was removed; or it is a "
                "second copy (log_copy), and its first day is not over yet"
            )
            raise VerificationError(f"{self.directory / self.head} is missing: {why}")
        return data

    def kept(self) -> list[tuple[str, bytes]]:
        """The kept checkpoints of earlier days: path and bytes, oldest first."""
        found = []
        for name in self._names(KEPT):
            data = self.read(f"{KEPT}/{name}", note.SIZE_LIMIT)
            if data is not None and not name.startswith("."):
                found.append((f"{KEPT}/{name}", data))
        return found

    def tile(self, tile: Tile) -> bytes | None:
        """The bytes of a tile or bundle as `tile.width` has it; None where it is missing.

        A partial one may be gone once a wider one is there, which begins with it.  What
        it holds is not looked at: it may be cut, or longer than it should be.
        """
        limit = _BUNDLE_LIMIT if tile.level == "entries" else _TILE_LIMIT
        data = self.read(self.path_of(tile), limit)
        if data is not None or tile.width == WIDTH:
            return data
        wider = [width for width in self.partials(tile) if width > tile.width]
        for width in (WIDTH, *wider):
            data = self.read(self.path_of(tile._replace(width=width)), limit)
            if data is not None:
                if tile.level != "entries":
                    return data[: tile.width * 32]
                return tiles.bundle(tiles.begun(data)[: tile.width])
        return None

    def partials(self, tile: Tile) -> list[int]:
        """The widths of the partial ones that are there in a tile's place."""
        directory = f"{self.path_of(tile._replace(width=WIDTH))}.p"
        widths = (int(name) for name in self._names(directory) if name.isdecimal())
        return sorted(width for width in widths if 0 < width < WIDTH)

    def widest(self, tile: Tile) -> bytes | None:
        """The bytes of the widest bundle that is there in a full one's place, unproven;
        None where there is none."""
        data, widths = None, [*self.partials(tile), WIDTH]
        while data is None and widths:
            wider = tile._replace(width=widths.pop())
            data = self.read(self.path_of(wider), _BUNDLE_LIMIT)
        return data

    def rows(self, entry: int) -> bytes | None:
        """The row file of an entry."""
        return self.read(tiles.row_path(entry), ROWS_LIMIT)

    def hashes(self, level: int, number: int, width: int = WIDTH) -> list[bytes]:
        """The hashes of a tile; VerificationError where they can't be had."""
        tile = Tile(level, number, width)
        data = self.tile(tile)
        if data is None or len(data) != width * 32:
            what = "is missing" if data is None else f"is of {len(data)} bytes"
            raise VerificationError(
                f"{self.directory / tile.path} {what}; run `retention audit verify "
                f"{self.directory}`"
            )
        return tiles.split(data)

    def reader(self, size: int) -> HashReader:
        """The subtree roots of the log of that size, unproven."""
        return HashReader(
            size,
            lambda tile: b"".join(
                self.hashes(int(tile.level), tile.number, tile.width)
            ),
        )

    def entries(
        self, size: int, first: int = 0, *, rows: bool = True
    ) -> Iterator[Stored]:
        """The entries [first, size), unverified; VerificationError for a gap.

        Without `rows` their row files are not opened.
        """
        for number in range(first // WIDTH, -(-size // WIDTH)):
            tile = Tile("entries", number, min(size - number * WIDTH, WIDTH))
            data = self.tile(tile)
            try:
                if data is None:
                    raise ValueError("it is missing")
                found = tiles.unbundled(data, tile.width)
            except ValueError as error:
                raise VerificationError(
                    f"{self.directory / tile.path} can't be read: {error}"
                ) from error
            for at in range(max(first - tile.first, 0), len(found)):
                entry = tile.first + at
                if found[at] == tiles.WITHHELD:
                    raise withheld(entry)
                yield Stored(entry, found[at], self.rows(entry) if rows else None)

    def entry(self, number: int) -> Stored:
        """One entry, unverified; VerificationError where it can't be had."""
        return next(self.entries(number + 1, number))

    def tail(self, size: int, *, rows: bool = True) -> Iterator[Stored]:
        """The entries from `size` on that bundles hold, up to the first gap or damage:
        published, and not under that checkpoint yet.  None of a public copy, in which
        nothing would show that they go on from those.

        Without `rows` their row files are not opened.
        """
        number = size // WIDTH
        while not self.is_public:
            tile = Tile("entries", number)
            data = self.widest(tile)
            if data is None:
                return
            found = tiles.begun(data)
            for at in range(max(size - tile.first, 0), len(found)):
                entry = tile.first + at
                yield Stored(entry, found[at], self.rows(entry) if rows else None)
            if len(found) < WIDTH:
                return
            number += 1

    def files(self, under: str) -> Iterator[str]:
        """The paths of all files under `tile` or `rows`, but hidden ones; no order."""
        waiting = [under]
        while waiting:
            directory = waiting.pop()
            try:
                with os.scandir(f"{self.directory}/{directory}") as found:
                    entries = [one for one in found if not one.name.startswith(".")]
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise _unreadable(self.directory / directory, error) from error
            for one in entries:
                if one.is_dir(follow_symlinks=False):
                    waiting.append(f"{directory}/{one.name}")
                else:
                    yield f"{directory}/{one.name}"

    def _names(self, directory: str) -> list[str]:
        try:
            return sorted(os.listdir(f"{self.directory}/{directory}"))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _unreadable(self.directory / directory, error) from error


def withheld(entry: int, what: str = "") -> WithheldError:
    """What is said of an entry, or of something of it, that a public copy has not."""
    return WithheldError(
        f"{what}entry {entry} {'are' if what else 'is'} withheld from this public copy, "
        "which has the hash alone: the site has the whole log, and copies for auditors"
    )


def note_at(path: Path) -> list[tuple[str, bytes]]:
    """The note in a file, and where that is; nothing where there is none.  Errors as
    `Published.read`."""
    data = Published(path.parent).read(path.name, note.SIZE_LIMIT)
    return [] if data is None else [(str(path), data)]


def _unreadable(path: Path, error: OSError) -> VerificationError:
    return VerificationError(f"{path} can't be read: {error.strerror}")
