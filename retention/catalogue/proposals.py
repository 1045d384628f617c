"""What the settings ask for and a supervisor must approve, each under its own number.

A number stands for one content for good: other changes get another number, so nobody
approves what he has not seen.  A rejected proposal stays, so that the same settings do
not ask again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue.db import get_fact, put_fact
from retention.model.errors import StaleError
from retention.model.values import Micros

_FACT = "policy.proposals"

Wanted = Mapping[str, list[Any]]
"""By subject the changes that wait, as JSON keeps them (lists, not tuples)."""


class Proposal(NamedTuple):
    """One proposal; `subject` is "periods" or the name of a rule in the settings."""

    number: int
    subject: str
    at: Micros
    changes: list[Any]
    rejected: bool


def everyone(tx: Connection) -> list[Proposal]:
    """Every proposal that the settings still make, rejected ones too, oldest first."""
    return [Proposal(*one) for one in _fact(tx)["open"]]


def find(tx: Connection, number: int) -> Proposal | None:
    """The proposal of that number, unless it is approved, withdrawn or never was."""
    return next((one for one in everyone(tx) if one.number == number), None)


def settled(tx: Connection, wanted: Wanted) -> bool:
    """Whether the proposals are just what is wanted, and `settle` has nothing to do."""
    return {one.subject: one.changes for one in everyone(tx)} == dict(wanted)


def settle(
    tx: Connection, wanted: Wanted, now: Micros
) -> tuple[list[Proposal], list[Proposal]]:
    """Make the proposals what is wanted: those withdrawn, and the new ones."""
    fact = _fact(tx)
    there = everyone(tx)
    gone = [one for one in there if wanted.get(one.subject) != one.changes]
    kept = [one for one in there if one not in gone]
    known = {one.subject for one in kept}
    fresh = [
        Proposal(fact["last"] + n, subject, now, wanted[subject], rejected=False)
        for n, subject in enumerate((s for s in wanted if s not in known), 1)
    ]
    _put(tx, fact["last"] + len(fresh), [*kept, *fresh])
    return gone, fresh


def reject(tx: Connection, number: int) -> None:
    """Keep a proposal as rejected, for as long as the settings make it."""
    _replace(tx, number, [_one(tx, number)._replace(rejected=True)])


def drop(tx: Connection, number: int) -> None:
    """A proposal was approved."""
    _replace(tx, number, [])


def note_number(tx: Connection, number: int) -> None:
    """That number was given out already, as an older catalogue does not know."""
    fact = _fact(tx)
    _put(tx, max(fact["last"], number), everyone(tx))


def _one(tx: Connection, number: int) -> Proposal:
    found = find(tx, number)
    if found is None or found.rejected:
        raise StaleError(f"proposal {number} does not wait any more: look again")
    return found


def _replace(tx: Connection, number: int, by: list[Proposal]) -> None:
    _one(tx, number)
    rest = [one for one in everyone(tx) if one.number != number]
    _put(tx, _fact(tx)["last"], sorted([*rest, *by]))


def _fact(tx: Connection) -> dict[str, Any]:
    found: dict[str, Any] = get_fact(tx, _FACT) or {"last": 0, "open": []}
    return found


def _put(tx: Connection, last: int, found: list[Proposal]) -> None:
    put_fact(tx, _FACT, {"last": last, "open": [list(one) for one in found]})
