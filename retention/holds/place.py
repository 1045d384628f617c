"""Placing a hold: stored first, in force from its commit, then answered."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import holds
from retention.catalogue.entries import of_hold
from retention.holds import entries
from retention.holds.effect import (
    NOTHING_MET,
    Kept,
    answer,
    counted,
    read_back,
    said_of,
    same_reference,
    take_effect,
)
from retention.holds.release import ask_instead
from retention.holds.reviews import note_clock
from retention.holds.terms import AskedTimes, Terms, read_terms, resolve
from retention.model.answers.hold import HoldPlaced, HoldReplaced
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_local

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.catalogue.db import Transaction
    from retention.control.context import Context

NOTHING_DONE = "No hold was placed"


def hold_place(
    context: Context,
    *,
    since: str,
    kind: str,
    reason: str,
    cameras: list[str] | None = None,
    location: str | None = None,
    until: str | None = None,
    until_released: bool | None = None,
    reference: str | None = None,
    requester: str | None = None,
    officer: str | None = None,
    force: str | None = None,
    power: str | None = None,
    received: str | None = None,
    review: str | None = None,
    margin: str | None = None,
    dry_run: bool | None = None,
    replaces: int | None = None,
    request: str | None = None,
    typed: str | None = None,
) -> HoldPlaced:
    """Place a hold on cameras (today's ids, or patterns, or a part of the location).

    Times are as people type them, in the site's zone; exactly one of `until` and
    `until_released` is given.  The margin (default: the clock tolerance) is kept before
    and after.  `replaces`: the hold that this one corrects; its release is asked for in
    the same transaction.  `request`: the caller's uuid; the same one again places
    nothing and is answered with the hold that it placed (`repeated`).  `dry_run` stores
    nothing.  Raises UsageError for what can't be meant, NotPermittedError for cameras
    whose data is not the council's.
    """
    which = _Which(cameras or [], location, replaces, _uuid(request))
    with context.catalogue.read() as tx:
        earlier = _earlier(context, tx, which.request, kind)
        again = None if earlier is None else read_back(tx, earlier, new=False)
        told = {} if again is None else _told_before(tx, again.row)
    if again is not None:
        # Before anything is read anew: "now" may mean another time by now.
        return answer(context, again, NOTHING_MET, HoldPlaced, **told)
    terms = read_terms(
        context, kind=kind, since=since, until=until,
        until_released=bool(until_released), received=received, review=review,
        margin=margin, typed=typed,
        words={
            "reference": reference, "reason": reason, "requester": requester,
            "officer": officer, "force": force, "power": power,
        },
    )  # fmt: skip
    return (_preview if dry_run else _placed)(context, terms, which)


class _Which(NamedTuple):
    """What a hold is placed on, in whose place, by which request."""

    cameras: list[str]
    location: str | None
    replaces: int | None
    request: str | None


def _preview(context: Context, terms: Terms, which: _Which) -> HoldPlaced:
    """The answer as it would be; nothing is stored."""
    with context.catalogue.read() as tx:
        found = resolve(tx, which.cameras, which.location, terms.window, NOTHING_DONE)
        _to_replace(tx, which.replaces)
        same = same_reference(tx, terms.reference, None)
    asked = AskedTimes(None, terms.asked, terms.window, None)
    count = counted(context, asked, sorted(found, key=lambda one: one.key))
    said = said_of(asked, terms, same) | count._asdict()
    return HoldPlaced(**said, replaced=None)


def _placed(context: Context, terms: Terms, which: _Which) -> HoldPlaced:
    more: dict[str, Any] = {"replaced": None}

    def store(tx: Transaction) -> Kept:
        earlier = _earlier(context, tx, which.request, terms.kind)
        if earlier is not None:  # another thread was faster with the same request
            again = read_back(tx, earlier, new=False)
            more.update(_told_before(tx, again.row))
            return again
        wrong = _to_replace(tx, which.replaces)
        found = resolve(tx, which.cameras, which.location, terms.window, NOTHING_DONE)
        number = _store(context, tx, terms, which, sorted(one.key for one in found))
        if wrong is not None:
            more["replaced"] = ask_instead(context, tx, wrong, number)
        return read_back(tx, number)

    kept, rescue = take_effect(context, store, "NO hold is placed")
    return answer(context, kept, rescue, HoldPlaced, **more)


def _store(
    context: Context, tx: Transaction, terms: Terms, which: _Which, keys: list[int]
) -> int:
    now, actor = context.now, context.actor
    number = holds.insert(
        tx, keys, **terms.row(), placed=now, placed_by=actor.uid,
        placed_login=actor.login, replaces=which.replaces, request=which.request,
    )  # fmt: skip
    entry = entries.placed(
        number, terms, keys,
        replaces=which.replaces, request=which.request,
    )  # fmt: skip
    tx.append(*entry)
    note_clock(context, tx, number, terms.review)
    return number


def _to_replace(tx: Connection, number: int | None) -> Row[Any] | None:
    if number is None:
        return None
    row = holds.find(tx, number)
    if row is None:
        raise UsageError(
            f"there is no hold {number} to replace: `retention hold list` shows them. "
            f"{NOTHING_DONE}"
        )
    return row


def _uuid(request: str | None) -> str | None:
    if request is None:
        return None
    try:
        return str(uuid.UUID(request))
    except ValueError:
        raise UsageError(
            f"the number of a request is a uuid, which {request[:40]!r} is not. "
            f"{NOTHING_DONE}"
        ) from None


def _earlier(
    context: Context, tx: Connection, request: str | None, kind: str
) -> int | None:
    """The hold that this request placed before; it is the same person's, and active."""
    row = None if request is None else holds.by_request(tx, request)
    if row is None:
        return None
    if (row.placed_by, row.kind) != (context.actor.uid, kind):
        raise UsageError(
            f"this request was used for another hold, {row.key}: ask again with a new "
            f"one. {NOTHING_DONE}"
        )
    if row.free_at is not None:
        raise RetentionError(
            f"this request was placed before, as hold {row.key}, which was released "
            f"at {format_local(row.released, context.settings.timezone)}: place it anew"
        )
    return int(row.key)


def _told_before(tx: Connection, row: Row[Any]) -> dict[str, Any]:
    """What the first answer to the request of this hold said besides."""
    if row.replaces is None:
        return {"repeated": True, "replaced": None}
    asked = any(
        one.entry["fields"].get("replaced_by") == row.key
        for one in of_hold(tx, row.replaces)
    )
    why = None if asked else f"it was not; see `retention hold show {row.replaces}`"
    return {"repeated": True, "replaced": HoldReplaced(row.replaces, asked, why)}
