"""A bundle that is not what its hashes say: which entry was changed, is missing or is in
another's place.  Pure; called only where something is wrong already."""

from __future__ import annotations

from collections.abc import Sequence

from retention import merkle
from retention.audit import tiles
from retention.audit.books import UNREADABLE
from retention.audit.canonical import decode
from retention.audit.finding import Fault
from retention.audit.stored import previous
from retention.audit.tiles import Tile

MOST = 4
"""Faults named in one bundle: where a length was changed, all after it is rubbish."""


def look(
    tile: Tile, data: bytes | None, want: Sequence[bytes] | None
) -> tuple[list[Fault], list[bytes | None]]:
    """The faults of a bundle, and its entries, None for those that are not right.

    `want` are the leaf hashes that it should have; None where they are not known: then
    each entry is judged by what the next one says of it.
    """
    right: list[bytes | None] = [None] * tile.width
    if data is None:
        return [_missing(tile)], right
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


def _missing(tile: Tile) -> Fault:
    others = f" and those up to {tile.last - 1} are" if tile.width > 1 else " is"
    return Fault(tile.first, f"{others.strip()} missing: {tile.path} is not there")


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
    return numbers[at] == entry and after is not None and follows(after, found[at])


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


def follows(after: bytes, before: bytes) -> bool:
    """Whether an entry says of the one before it that it is `before`."""
    try:
        return bool(decode(after)["prev"] == previous(before))
    except UNREADABLE:
        return False


def chained(first: int, entries: Sequence[bytes]) -> bool:
    """Whether these entries number themselves and name each other in turn."""
    return all(
        _number(entry) == first + at and (not at or follows(entry, entries[at - 1]))
        for at, entry in enumerate(entries)
    )
