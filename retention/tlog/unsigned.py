"""Owns what no signature vouches for: which entries, and what of it has an effect.

Who can write into a published directory can put entries there without the key.  After a
restore they are in the log, and signed with it from then on; `catalogue.restored` says
for good which they are.  In a copy they may lie beyond its head.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from retention.model.values import Micros
from retention.tlog import tiles
from retention.tlog.canonical import decode
from retention.tlog.directory import Published
from retention.tlog.kinds import KINDS
from retention.tlog.tiles import WIDTH, Tile

RESTORED = "catalogue.restored"
"""The kind of the entry that says what came back, and up to where it was signed."""


class Stretch(NamedTuple):
    """Entries from `first` on, before `end`, that came back under no head, at `at`, as
    `entry` says (None: that is not on record yet)."""

    first: int
    end: int
    at: Micros = 0
    entry: int | None = None

    def has(self, number: int) -> bool:
        """Whether the entry of that number is one of them."""
        return self.first <= number < self.end


class Unsigned(NamedTuple):
    """Why no signature vouches for an entry: it came back under none, as the entry
    `restored` says; else it lies beyond the signed head of a copy."""

    came_back: bool
    restored: int | None = None


BEYOND = Unsigned(False)


def stretches(
    restored: Iterable[Mapping[str, Any]], coming: Stretch | None = None
) -> list[Stretch]:
    """What came back unsigned, by all entries `catalogue.restored` of a log, and what is
    `coming` back now.

    The newest counts first: one that came back unsigned itself says nothing.
    """
    found = [] if coming is None else [coming]
    for entry in sorted(restored, key=lambda one: -int(one["index"])):
        if not is_unsigned(found, entry["index"]):
            fields = entry["fields"]
            first = max(fields["signed"] or 0, fields["old_size"])
            if first < fields["size"]:
                found.append(
                    Stretch(first, fields["size"], entry["at"], entry["index"])
                )
    return found


def came_back(found: Collection[Stretch], number: int) -> Unsigned | None:
    """How an entry came back under no head; None where it did not."""
    for one in found:
        if one.has(number):
            return Unsigned(True, one.entry)
    return None


def is_unsigned(found: Collection[Stretch], number: int) -> bool:
    """Whether an entry came back under no head."""
    return came_back(found, number) is not None


def acts(kind: str) -> bool:
    """Whether such an entry has its effect all the same."""
    return kind in KINDS and KINDS[kind].keeps


def unsigned_of(published: Published, size: int) -> list[Stretch]:
    """What came back under no head, by what the first `size` entries say; where that
    can't be read, nothing: then the entry itself is told."""
    marked: list[bytes] = []
    for number in range(-(-size // WIDTH)):
        tile = Tile("entries", number, min(size - number * WIDTH, WIDTH))
        data = published.tile(tile) or b""
        if _RESTORED in data:  # in next to none
            marked += tiles.begun(data)
    return unsigned_by(marked)


def unsigned_by(entries: Iterable[bytes]) -> list[Stretch]:
    """The same by these entries, which are all that say so, and any others."""
    try:
        said = [decode(one) for one in entries if _RESTORED in one]
        return stretches(one for one in said if one["kind"] == RESTORED)
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


_RESTORED = f'"kind":"{RESTORED}"'.encode()
