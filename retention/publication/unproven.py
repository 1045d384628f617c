"""What comes back under no signed head, or did so in an earlier restore, and what of it
keeps footage all the same: hold entries widen, a pause is on for a day at most.

Once a restore is over, heads are signed over that too: the next one must know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import log
from retention.catalogue.db import PAUSE_FACT, get_fact, put_fact
from retention.catalogue.entries import CatalogueSource
from retention.control import repair
from retention.tlog.canonical import decode
from retention.tlog.in_force import KINDS as FORCE
from retention.tlog.in_force import InForce
from retention.tlog.unsigned import RESTORED, Stretch, is_unsigned, stretches

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.model.values import Micros
    from retention.tlog.directory import Published

_MARK = f'"kind":"{RESTORED}"'.encode()


class Unproven:
    """These entries, and what is in force while the log comes back."""

    def __init__(self, unsigned: list[Stretch]) -> None:
        self._unsigned = unsigned
        self._said = InForce(unsigned)

    def has(self, number: int) -> bool:
        """Whether that entry is one of them."""
        return is_unsigned(self._unsigned, number)

    def keep(self, tx: Connection, number: int, hold: int) -> None:
        """The effect of an entry about a hold, where it has any and rows protect less."""
        said, source = self._said, CatalogueSource(tx)
        said.take(source.of_kinds(FORCE, said.size), number + 1)
        if said.kept.get(hold) == number:
            repair.protect(tx, said, [hold])


def unproven_of(
    tx: Connection, source: Published, first: int, coming: Stretch
) -> list[Stretch]:
    """What of the log is under no head once the entries of a directory from `first` on
    are in the catalogue, `coming` among them."""
    restored = [
        decode(one.data)
        for one in source.tail(first)
        if one.number < coming.first and _MARK in one.data
    ]
    own = CatalogueSource(tx).of_kinds((RESTORED,))
    restored += [one.entry for one in own if one.number < coming.first]
    return stretches((one for one in restored if one["kind"] == RESTORED), coming)


def pause(tx: Transaction, now: Micros) -> None:
    """A pause that came back unsigned is on, for a day at most from when it came."""
    said = InForce(log.unsigned(tx))
    said.take(CatalogueSource(tx).of_kinds(FORCE), log.size(tx))
    kept = get_fact(tx, PAUSE_FACT)
    if said.paused is not None and said.paused > (kept or {"until": 0})["until"]:
        put_fact(tx, PAUSE_FACT, {"until": said.paused, "since": now})
