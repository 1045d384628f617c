"""What the log puts in force and the catalogue's rows lack is written into the rows.

It only ever adds protection: what the rows alone have stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from retention.catalogue import cameras, holds
from retention.catalogue.entries import CatalogueSource

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.tlog.in_force import HoldSaid, InForce

WITHHELD = "restored from the published log, which has no reasons"


def hold_values(entry: dict[str, Any]) -> dict[str, Any]:
    """The row of a hold by its entry `hold.placed`, but for the people, who are not in
    the published log."""
    fields, actor = entry["fields"], entry["actor"]
    names = ("kind", "since", "until", "review", "margin", "received", "replaces",
             "request")  # fmt: skip
    people = ("reference", "requester", "officer", "force", "power", "typed")
    return {
        **{name: fields[name] for name in names},
        **dict.fromkeys(people, ""),
        "reason": WITHHELD,
        "placed": entry["at"],
        "placed_by": actor["uid"],
        "placed_login": actor["login"],
    }


def protect(tx: Connection, said: InForce, keys: Iterable[int]) -> None:
    """Have these holds cover in their rows what they cover by the log."""
    known = cameras.keys(tx)
    for key in sorted(keys):
        hold = said.holds[key]
        if holds.find(tx, key) is None:
            _put(tx, key, hold)
        holds.cover(tx, key, hold.window, hold.free_at)
        holds.add_cameras(tx, key, sorted(hold.cameras & known))


def _put(tx: Connection, key: int, hold: HoldSaid) -> None:
    """As it was placed; what could have been anybody's word is checked: a margin that
    leaves nothing, the number of a request that has its hold already."""
    entry = CatalogueSource(tx).entry(hold.placed).entry
    values = hold_values(entry) | {"replaces": None, "request": None}
    since, until = hold.window
    if not 0 <= 2 * values["margin"] < until - since:
        values["margin"] = 0
    if hold.free_at is not None:
        values |= {"released": entry["at"], "free_at": hold.free_at}
    holds.put(tx, key, (), **values | {"since": since, "until": until})
