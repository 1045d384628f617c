"""A published log in memory, of which copies with some files changed cost nothing, and
a check of such a copy that reads only what was changed again.

The shortcut is sound: what a bundle says depends on its own bytes and its row files
alone, and all of those that are the original's were found right once.  Tree, tiles and
checkpoints are always compared in full.
"""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

import pytest

from retention.tlog import merkle, tiles
from retention.tlog.directory import Published
from retention.tlog.entry import Stored
from retention.tlog.tiles import WIDTH
from retention.tlog.verify import books, locate, published
from retention.tlog.verify.check import Check
from retention.tlog.verify.contents import Contents
from retention.tlog.verify.findings import Verification
from tests.support.publishing import VERIFIER


class Memory(Published):
    """`changes` are paths with other bytes, or None where the file is gone."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        changes: Mapping[str, bytes | None] | None = None,
        names: dict[str, set[str]] | None = None,
    ) -> None:
        super().__init__(Path("/memory"))
        self.base, self.changes = files, changes or {}
        self.names = _index(files) if names is None else names

    def changed(self, changes: Mapping[str, bytes | None]) -> "Memory":
        return Memory(self.base, changes, self.names)

    def read(self, path: str, limit: int) -> bytes | None:
        data = self.changes[path] if path in self.changes else self.base.get(path)
        return None if data is None else data[: limit + 1]

    def files(self, under: str) -> Iterable[str]:
        paths = [p for p in self.base if self.changes.get(p, b"") is not None]
        paths += [p for p, d in self.changes.items() if d is not None]
        return [path for path in dict.fromkeys(paths) if path.startswith(f"{under}/")]

    def _names(self, directory: str) -> list[str]:
        found = set(self.names.get(directory, ()))
        for path, data in self.changes.items():
            above, _, name = path.rpartition("/")
            if above == directory:
                (found.discard if data is None else found.add)(name)
        return sorted(found)

    def write(self, directory: Path, links: Path) -> None:
        """As a real directory, hard-linked to the original in `links`."""
        for path in [*self.base, *self.changes]:
            target = directory / path
            if target.exists() or self.changes.get(path, b"") is None:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if path in self.changes:
                target.write_bytes(self.changes[path])
            else:
                target.hardlink_to(links / path)


def _index(files: Iterable[str]) -> dict[str, set[str]]:
    names: dict[str, set[str]] = {}
    for path in files:
        above, _, name = path.rpartition("/")
        names.setdefault(above, set()).add(name)
    return names


class Quick:
    """The same check for changed copies of one log that was found right.

    While it is entered, hashes and contents of bundles that are byte for byte the
    original's are taken from the first pass; so it is for one thread.
    """

    def __init__(self, log: Memory) -> None:
        first = Check(log, VERIFIER)
        assert first.run().ok
        self.log = log
        self._marks = bytes(first.contents._may_have_rows)
        self._tiles = log.files("tile")
        self._rows = [
            (path, tiles.parse_row_path(path) // WIDTH) for path in log.files("rows")
        ]
        self._bundles = {
            data: (tiles.parse(path), tiles.begun(data))
            for path, data in log.base.items()
            if path.startswith("tile/entries/")
        }
        self._hashes = {
            id(entries): tiles.leaf_hashes(entries)
            for _, entries in self._bundles.values()
        }
        self._roots = {id(h): merkle.root(h) for h in self._hashes.values()}
        self._first = {id(e): tile.first for tile, e in self._bundles.values()}
        self._touched: set[int] = set()
        self._decode = lru_cache(8192)(books.decode)

    def check(self, changes, since=()) -> Verification:
        rows = map(tiles.parse_row_path, changes)
        bundles = map(tiles.parse, changes)
        self._touched = {entry // WIDTH for entry in rows if entry is not None}
        self._touched |= {tile.number for tile in bundles if tile is not None}
        return published.verify(self.log.changed(changes), VERIFIER, since)

    def __enter__(self) -> "Quick":
        self._patch = pytest.MonkeyPatch()
        unbundled, leaf_hashes = tiles.unbundled, tiles.leaf_hashes
        root, some = merkle.root, Contents.some

        def quick_unbundled(data, width):
            _, entries = self._bundles.get(data, (None, ()))
            return entries if len(entries) == width else unbundled(data, width)

        def quick_hashes(entries):
            return self._hashes.get(id(entries)) or leaf_hashes(entries)

        def quick_root(hashes):
            return self._roots.get(id(hashes)) or root(hashes)

        def quick_some(contents, first, entries):
            place = self._first.get(id(entries))
            if place is None or place != first or first // WIDTH in self._touched:
                some(contents, first, entries)
                return
            number = first + len(entries) - 1
            marks = contents._may_have_rows
            marks.extend(bytes(max(0, first // 8 - len(marks))))
            marks[first // 8 :] = self._marks[first // 8 : number // 8 + 1]
            contents.last = Stored(number, entries[-1])

        def quick_files(log, under):
            """Of the row files only those of bundles of which something was changed."""
            if under == "tile":
                paths = self._tiles
            else:
                paths = [p for p, bundle in self._rows if bundle in self._touched]
            yield from (p for p in paths if p not in log.changes)
            for path, data in log.changes.items():
                if data is not None and path.startswith(f"{under}/"):
                    yield path

        self._patch.setattr(Memory, "files", quick_files)
        self._patch.setattr(tiles, "unbundled", quick_unbundled)
        self._patch.setattr(tiles, "leaf_hashes", quick_hashes)
        self._patch.setattr(merkle, "root", quick_root)
        self._patch.setattr(Contents, "some", quick_some)
        # What is decoded here is only looked at: one copy does for all.
        for module in (books, locate):
            self._patch.setattr(module, "decode", self._decode)
        self._patch.setattr(tiles, "path", cache(tiles.path))
        self._patch.setattr(tiles, "parse", cache(tiles.parse))
        self._patch.setattr(tiles, "parse_row_path", cache(tiles.parse_row_path))
        return self

    def __exit__(self, *_) -> None:
        self._patch.undo()
