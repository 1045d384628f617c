"""Files of a published log that its head does not need: narrower partial tiles that
stayed beside wider ones, and what lies where nothing should."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from retention.audit import tiles
from retention.audit.directory import Published
from retention.audit.finding import Fault
from retention.audit.tiles import Tile


def narrower(
    published: Published,
    size: int,
    tile: Tile,
    entries: Sequence[bytes | None] | None,
    hashes: Sequence[bytes] | None,
) -> Iterator[Fault]:
    """Faults of the partial files beside a tile: each must be what the tile begins with.

    `tile` is a hash tile, or a bundle, then of the hash tile beside it too.  `entries`
    and `hashes` are what it holds, as far as that is known; `size` is the head's, whose
    own partial tiles were compared already.
    """
    if entries is not None and None not in entries:
        known = [entry for entry in entries if entry is not None]
        for part in _parts(published, size, tile):
            right = tiles.bundle(known[: part.width])
            data = published.read(part.path, len(right))
            if data is not None and data != right:
                found = tiles.begun(data)
                at = _first_other(found, known[: part.width])
                yield Fault(part.first + at, f"was changed in {part.path}")
    if hashes is not None:
        level: tiles.Level = 0 if tile.level == "entries" else tile.level
        for part in _parts(published, size, tile._replace(level=level)):
            right = b"".join(hashes[: part.width])
            data = published.read(part.path, len(right))
            if data is not None and data != right:
                found = tiles.split(data[: len(data) // 32 * 32])
                at = _first_other(found, hashes[: part.width])
                first = part.first + at * part.span
                yield Fault(
                    first, f"or one behind it: a hash in {part.path} was changed"
                )


def wider(
    published: Published, bundle: Tile, entries: Sequence[bytes | None]
) -> Iterator[Fault]:
    """The fault of a full bundle that is not the entries that partial ones had."""
    data = published.tile(bundle)
    if None in entries:
        return
    known = [entry for entry in entries if entry is not None]
    if data is not None and data != tiles.bundle(known):
        at = _first_other(tiles.begun(data), known)
        yield Fault(bundle.first + at, f"was changed in {bundle.path}")


def _first_other(found: Sequence[bytes], right: Sequence[bytes]) -> int:
    """The first place where two lists differ; the last where one goes on."""
    for at, (one, other) in enumerate(zip(found, right, strict=False)):
        if one != other:
            return at
    return min(len(found), len(right) - 1)


def _parts(published: Published, size: int, tile: Tile) -> list[Tile]:
    needed = tiles.of_size(size, tile.level, tile.number)
    return [
        tile._replace(width=width)
        for width in published.partials(tile)
        if width <= tile.width and (needed is None or width != needed.width)
    ]


def beyond(published: Published, size: int) -> tuple[list[Tile], list[str]]:
    """The tiles that speak of entries from `size` on, and the files that are no tiles.

    To be asked before the entries beyond `size` are read: a bundle is written before the
    tiles over it, so that what is listed by then is not ahead of them.
    """
    found, strangers = [], []
    for path in published.files("tile"):
        tile = tiles.parse(path)
        if tile is None:
            strangers.append(path)
        elif tile.last > size:
            found.append(tile)
    return found, strangers


def unfounded(published: Published, found: list[Tile], end: int) -> Iterator[Fault]:
    """Faults of those tiles that speak of entries from `end` on, which are not there."""
    for tile in found:
        # Gone meanwhile: a partial one, beside the full one that came.
        if tile.last > end and published.read(tile.path, 0) is not None:
            first = max(end, tile.first)
            yield Fault(first, f"is not there, and {tile.path} speaks of it")


def rows(
    published: Published, end: int, may_have_rows: Callable[[int], bool]
) -> Iterator[Fault | str]:
    """Faults of row files of entries that have none; the paths of other files there.

    Row files are written first: one beyond the `end` was left by a crash, or its entry
    is about to come.
    """
    for path in published.files("rows"):
        entry = tiles.parse_row_path(path)
        if entry is None or entry >= end:
            yield path
        elif not may_have_rows(entry):
            yield Fault(entry, "has a row file that it does not speak of")
