"""Owns extracts: some days of a published log for a browser, on a stick.

A page that was opened from a file may not read others: a person picks the directory, and
browsers are slow with many files.  So the row files are packed by day, and what lasts and
was written on other days (cameras, holds, rules) is in one file, each entry with its path
through the tree.  FORMAT.md, "Extracts", says it to outsiders.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from retention.model.errors import PublicationError, UsageError, VerificationError
from retention.model.localtime import format_utc
from retention.model.values import DAY, Micros
from retention.publication import explorer
from retention.publication.files import PublishedFiles
from retention.tlog import canonical, format, merkle, note, tiles
from retention.tlog.declare import Footage
from retention.tlog.directory import CHECKPOINT, EXTRACT, KEY, Published
from retention.tlog.kinds import KINDS
from retention.tlog.tiles import WIDTH, Tile

FILES = 20_000
"""An extract has no more: browsers take minutes to open a directory of more."""

_LASTS = {"ids", "cover", "force", "site"}
_IN_ROWS = {Footage.ROWS, Footage.MOVED, Footage.DAYS, Footage.INTENT}
LASTING = frozenset(
    kind.name
    for kind in KINDS.values()
    if kind.footage is Footage.HOLD
    or (kind.tells & _LASTS and kind.footage not in _IN_ROWS)
)
"""The kinds that are taken along from other days: without them nobody can say which camera
it was, or under which hold."""


class Days(NamedTuple):
    """When the entries were written: so many days up to the last one, or [since, until)."""

    last: int | None = None
    since: Micros | None = None
    until: Micros | None = None

    def window(self, newest: Micros) -> tuple[Micros, Micros]:
        """[since, until), of a log whose newest entry is of that instant."""
        until = newest + 1 if self.until is None else self.until
        if self.last is not None:
            return until - self.last * DAY, until
        return self.since or 0, until


class Extracted(NamedTuple):
    """What an extract has: entries [first, last), written in [since, until) and those
    around them in the same bundles; so many of other days; so many files."""

    first: int
    last: int
    since: Micros
    until: Micros
    beside: int
    files: int


class _Read(NamedTuple):
    """What one reading of all entries found: by number, when each was written; which of
    them have rows; the bytes of those that last, and of the last one."""

    at: list[Micros]
    rows: set[int]
    lasting: dict[int, bytes]


def extract(
    source: Path, target: Path, days: Days, progress: Callable[[int, int], None]
) -> Extracted:
    """Write an extract into an empty or new directory, and the explorer's pages beside.

    The source must have been verified.  UsageError where it is a public copy,
    where nothing was written in these days, or where it would be too many files; then
    nothing is written here either.
    """
    published = Published(source)
    if published.is_public:
        raise UsageError(
            f"{source} is a public copy: an extract is taken of the whole log"
        )
    head = published.checkpoint_bytes()
    size = note.unverified(head).size
    read = _read(published, size, progress)
    since, until = days.window(read.at[-1] if read.at else 0)
    meant = [number for number, at in enumerate(read.at) if since <= at < until]
    if not meant:
        raise UsageError(
            f"no entry of {source} was written between {format_utc(since)} and "
            f"{format_utc(until)}"
        )
    first = meant[0] // WIDTH * WIDTH
    last = min((meant[-1] // WIDTH + 1) * WIDTH, size)
    making = _Making(published, target, size, first, last)
    making.plan(read)
    making.write(read)
    found = Extracted(
        first, last, read.at[first], read.at[last - 1], making.beside, making.files
    )
    making.about(found)
    making.end(head)
    return found


def _read(
    published: Published, size: int, progress: Callable[[int, int], None]
) -> _Read:
    found = _Read([], set(), {})
    for one in published.entries(size, rows=False):
        if one.number % WIDTH == 0:
            progress(one.number, size)
        entry = canonical.decode(one.data)
        found.at.append(entry["at"])
        if "rows" in entry:
            found.rows.add(one.number)
        if entry["kind"] in LASTING or one.number == size - 1:
            found.lasting[one.number] = one.data
    return found


class _ExtractFiles(PublishedFiles):
    """The files of an extract: nothing of the service hangs on them."""

    def failed(self, path: str, what: str, error: OSError) -> PublicationError:
        """As of a published file."""
        return PublicationError(
            f"the extract of the audit log can't be {what} ({path}: {error.strerror}): "
            "see to that directory, and begin again in an empty one"
        )


class _Making:
    """An extract while it is written."""

    def __init__(
        self, published: Published, target: Path, size: int, first: int, last: int
    ) -> None:
        self._published = published
        self._target = _ExtractFiles(target)
        self._size = size
        self._range = range(first, last)
        self._kept = [
            (path, data)
            for path, data in published.kept()
            if note.unverified(data).size <= size
        ]
        self._tiles: list[Tile] = []
        self._days: dict[str, list[int]] = defaultdict(list)
        self._beside: list[int] = []

    @property
    def beside(self) -> int:
        """Entries of other days."""
        return len(self._beside)

    @property
    def files(self) -> int:
        """How many there are in the end, the explorer's pages included."""
        fixed = [CHECKPOINT, KEY, format.NAME, "about", "entries", "rows"]
        parts = (self._tiles, self._days, self._kept, fixed, explorer.pages())
        return sum(map(len, parts))

    def plan(self, read: _Read) -> None:
        """What is written; UsageError where that is too much."""
        self._tiles = list(self._needed())
        for number in sorted(read.rows & set(self._range)):
            self._days[format_utc(read.at[number])[:10]].append(number)
        self._beside = sorted(read.lasting.keys() - set(self._range))
        if self.files > FILES:
            raise UsageError(
                f"that would be {self.files:,} files, and browsers open {FILES:,} at "
                "most: ask for fewer days, or serve the whole log over http"
            )

    def _needed(self) -> Iterator[Tile]:
        """The bundles, their hashes, those at the edges of heads, and all above."""
        numbers = {n // WIDTH for n in self._range}
        heads = {note.unverified(data).size for _, data in self._kept} | {self._size}
        for number in sorted(numbers):
            yield self._tile("entries", number)
        edges = {size // WIDTH for size in heads if size % WIDTH}
        for number in sorted(numbers | edges):
            yield self._tile(0, number)
        for level in tiles.ALL_LEVELS:
            if level in ("entries", 0):
                continue
            hashes = self._size // Tile(level, 0).span
            for number in range(-(-hashes // WIDTH)):
                yield self._tile(level, number)

    def _tile(self, level: tiles.Level, number: int) -> Tile:
        found = tiles.of_size(self._size, level, number)
        if found is None:
            raise VerificationError(f"there is no tile {number} of level {level}")
        return found

    def write(self, read: _Read) -> None:
        """Everything but what names the rest."""
        for tile in self._tiles:
            data = self._published.tile(tile)
            if data is None:
                raise VerificationError(
                    f"{self._published.directory / tile.path} is missing: run "
                    f"`retention audit verify {self._published.directory}`"
                )
            self._target.put(tile.path, data)
        for day, numbers in self._days.items():
            self._pack_rows(f"rows-{day}", numbers)
        self._pack_rows("rows", [n for n in self._beside if n in read.rows])
        reader = self._published.reader(self._size)
        alone = []
        for number in self._beside:
            path = merkle.prove_inclusion(number, self._size, reader)
            data = read.lasting[number]
            alone.append((number, bytes([len(path)]) + b"".join(path) + data))
        self._pack("entries", alone)

    def _pack_rows(self, name: str, numbers: Iterable[int]) -> None:
        found = ((number, self._published.rows(number)) for number in numbers)
        self._pack(name, ((number, data) for number, data in found if data is not None))

    def _pack(self, name: str, records: Iterable[tuple[int, bytes]]) -> None:
        parts = [
            struct.pack(">QI", number, len(data)) + data for number, data in records
        ]
        self._target.put(f"{EXTRACT}/{name}", b"".join(parts))

    def about(self, found: Extracted) -> None:
        """What it is, for the pages and for people."""
        said: dict[str, Any] = {
            "v": 1,
            "first": found.first,
            "last": found.last,
            "days": f"{format_utc(found.since)} to {format_utc(found.until)}",
        }
        self._target.put(f"{EXTRACT}/about", canonical.encode(said))

    def end(self, head: bytes) -> None:
        """What names all the rest comes last: a kill leaves no extract that looks whole."""
        for name in (KEY, format.NAME):
            data = self._published.read(name, 2**20)
            if data is not None:
                self._target.put(name, data)
        for path, data in self._kept:
            self._target.put(path, data)
        self._target.settle()
        explorer.write(self._target.path)
        self._target.put(CHECKPOINT, head)
        self._target.settle()
