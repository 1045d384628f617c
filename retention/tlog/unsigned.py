"""Owns what came back under no signed head: which entries, and what of it has an effect.

Who can write into a published directory can put entries there without the key.  After a
restore they are in the log, and signed with it from then on; `catalogue.restored` says
for good which they are.  Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from retention.model.values import Micros
from retention.tlog.kinds import KINDS

RESTORED = "catalogue.restored"
"""The kind of the entry that says what came back, and up to where it was signed."""


class Stretch(NamedTuple):
    """Entries from `first` on, before `end`, that came back under no head, at `at`."""

    first: int
    end: int
    at: Micros = 0

    def has(self, number: int) -> bool:
        """Whether the entry of that number is one of them."""
        return self.first <= number < self.end


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
                found.append(Stretch(first, fields["size"], entry["at"]))
    return found


def is_unsigned(found: Collection[Stretch], number: int) -> bool:
    """Whether an entry came back under no head."""
    return any(one.has(number) for one in found)


def acts(kind: str) -> bool:
    """Whether such an entry has its effect all the same."""
    return kind in KINDS and KINDS[kind].keeps
