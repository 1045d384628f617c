"""The end of a hold: one person asks, another approves, and it cools off.

Until then it stays in force, and while it cools off a supervisor can put it back in
force.  Nothing else ends a hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.control import alarms, beside_log, in_force, members, verbs
from retention.control.rules import Rules, effective
from retention.control.two_people import (
    approvers,
    person,
    refuse_root,
    refuse_same,
    refuse_unknown_login,
)
from retention.holds import entries
from retention.holds.effect import Kept, answer, read_back, take_effect
from retention.model.answers.hold import (
    HoldReinstated,
    HoldReleased,
    HoldReplaced,
    ReleaseAsked,
    ReleaseRejected,
)
from retention.model.errors import GuardError, NotPermittedError, RetentionError
from retention.model.localtime import format_local, format_utc
from retention.model.values import Micros
from retention.model.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.catalogue.db import Catalogue, Transaction
    from retention.catalogue.log import Author
    from retention.control.context import Context

REPLACED = "replaced by hold {}"


def hold_release(
    context: Context, *, hold: int, reason: str
) -> ReleaseAsked | HoldReleased:
    """Ask for the release of a hold, which stays in force until a second person agrees.

    Where the rules in force want only one person, this is the release itself: its
    footage is free once it has cooled off.  Raises NotPermittedError for root and for
    whoever's login is not known, GuardError where a release would go by a doubted clock.
    """
    refuse_root(context.actor)
    why = reason_of(reason, "the hold is released")
    with context.write(Priority.HOLD) as tx:
        rules = effective(tx, context.settings)
        refuse_unknown_login(context.actor, rules)
        row = active(tx, hold)
        waiting = holds.request_of(tx, hold)
        if waiting is not None:
            raise RetentionError(
                f"the release of hold {hold} was asked for by {waiting.name} already "
                f"and waits for another person: `retention hold approve {hold}`"
            )
        if rules.two_people:
            _ask(context, tx, row, why)
            free_at = None
        else:
            free_at = _let_go(context, tx, row, rules, why, None)
    if free_at is None:
        return _waiting(context, hold, why)
    return _released(context, hold, free_at)


def hold_approve(context: Context, *, hold: int) -> HoldReleased:
    """Approve the release that another person asked for: the hold begins to cool off.

    The two differ in uid and in login uid (design, section 11).  Errors as above.
    """
    members.note_approver(context)
    refuse_root(context.actor)
    with context.write(Priority.HOLD) as tx:
        rules = effective(tx, context.settings)
        refuse_unknown_login(context.actor, rules)
        row = active(tx, hold)
        waiting = _request_of(tx, hold)
        refuse_same(
            context.actor, waiting, rules, f"the release of hold {hold}",
            "The hold stays in force",
        )  # fmt: skip
        free_at = _let_go(context, tx, row, rules, waiting.reason, waiting.entry)
    return _released(context, hold, free_at)


def hold_reject(context: Context, *, hold: int, reason: str) -> ReleaseRejected:
    """Turn down the release that somebody asked for: the hold stays as it is."""
    refuse_root(context.actor)
    why = reason_of(reason, "the release is rejected")
    with context.write(Priority.HOLD) as tx:
        row = active(tx, hold)
        if nobody_asked(context, tx, hold):
            raise RetentionError(
                f"the log knows of no such request: that the release of hold {hold} "
                "waits is in the catalogue's rows alone, and nobody can approve or reject "
                "it. An administrator and a supervisor put the rows right, `retention "
                'schema repair --reason "..."`; find out who can write into the state '
                "directory"
            )
        asked_by = drop(tx, row, why)
        if asked_by is None:
            raise _nothing_asked(hold)
    return ReleaseRejected(hold, "active", asked_by, why)


def hold_reinstate(context: Context, *, hold: int, reason: str) -> HoldReinstated:
    """Put a hold that is cooling off back in force, as it was; answered like a new one.

    Raises RetentionError once the cooling off is over: then a new hold keeps what is
    left.
    """
    refuse_root(context.actor)
    why = reason_of(reason, "the hold is put back in force")

    def change(tx: Transaction) -> Kept:
        row = _cooling(context, tx, hold)
        holds.reinstate(tx, hold, context.now)
        _write(tx, "hold.reinstated", row, free_at=row.free_at, reason=why)
        return read_back(tx, hold)

    kept, rescue = take_effect(context, change, "The hold is NOT back in force")
    return answer(context, kept, rescue, HoldReinstated, state="active", reason=why)


def note_cooled(catalogue: Catalogue, author: Author) -> int:
    """Put on record which holds' cooling off is over; returns how many.

    For the daemon, with a clock that is believed; cheap where there is none.
    """
    now = author.now
    with catalogue.read() as tx:
        if not holds.uncooled(tx, now):
            return 0
    with catalogue.write(Priority.HOLD, author) as tx:
        found = holds.uncooled(tx, now)
        for number in found:
            holds.set_cooled(tx, number, now)
            row = known(tx, number)
            keys = holds.cameras_of(tx, number)
            tx.append(*entries.about("hold.cooled", row, keys, {}))
    return len(found)


def ask_instead(
    context: Context, tx: Transaction, wrong: Row[Any], right: int
) -> HoldReplaced:
    """Ask for the release of the hold that `right` was placed instead of.

    What the rules do not allow is said and not raised: the new hold must stand.
    """
    obstacle = _obstacle(context, tx, wrong)
    if obstacle is None:
        reason = REPLACED.format(right)
        _ask(context, tx, wrong, reason, replaced_by=right)
    return HoldReplaced(wrong.key, obstacle is None, obstacle)


def _obstacle(context: Context, tx: Connection, wrong: Row[Any]) -> str | None:
    if wrong.free_at is not None:
        return f"hold {wrong.key} was released before"
    waiting = holds.request_of(tx, wrong.key)
    if waiting is not None:
        return f"{waiting.name} asked for the release of hold {wrong.key} before"
    if not verbs.may_ask(context.actor.role, "hold.release"):
        return f"the role {context.actor.role} may not ask for a release"
    try:
        refuse_root(context.actor)
        refuse_unknown_login(context.actor, effective(tx, context.settings))
    except NotPermittedError as error:
        return str(error)
    return None


def nobody_asked(context: Context, tx: Connection, number: int) -> bool:
    """Whether the release of a hold waits by its row alone.  Before an entry is appended."""
    waiting = holds.request_of(tx, number)
    return waiting is not None and bool(
        beside_log.nobody_asked(context.catalogue, tx, {number: waiting})
    )


def drop(tx: Transaction, row: Row[Any], reason: str) -> str | None:
    """Let a release that waits come to nothing; the name of who asked, None if nobody."""
    waiting = holds.request_of(tx, row.key)
    if waiting is None:
        return None
    holds.drop_request(tx, row.key)
    _write(tx, "hold.release_rejected", row, request=waiting.entry, reason=reason)
    return str(waiting.name)


def known(tx: Connection, number: int) -> Row[Any]:
    """The row of a hold; RetentionError where there is none of that number."""
    row = holds.find(tx, number)
    if row is None:
        raise RetentionError(
            f"there is no hold {number}: `retention hold list` shows them"
        )
    return row


def active(tx: Connection, number: int) -> Row[Any]:
    """The row of an active hold; RetentionError where it was released, or never was."""
    row = known(tx, number)
    if row.free_at is not None:
        raise RetentionError(
            f"hold {number} is not active, it was released: `retention hold show "
            f"{number}` shows when, and until when a supervisor can reinstate it"
        )
    return row


def _cooling(context: Context, tx: Connection, number: int) -> Row[Any]:
    row = known(tx, number)
    if row.free_at is None:
        raise RetentionError(
            f"hold {number} is in force: there is nothing to reinstate"
        )
    if row.free_at <= context.now:
        over = format_local(row.free_at, context.settings.timezone)
        raise RetentionError(
            f"the cooling off of hold {number} was over at {over}, and its footage may "
            "be gone: keep what is left with `retention hold place`"
        )
    return row


def _request_of(tx: Connection, number: int) -> Row[Any]:
    waiting = holds.request_of(tx, number)
    if waiting is None:
        raise _nothing_asked(number)
    return waiting


def _nothing_asked(number: int) -> RetentionError:
    return RetentionError(
        f"nobody has asked for the release of hold {number}: `retention hold release "
        f'{number} --reason "..."` does'
    )


def _ask(
    context: Context,
    tx: Transaction,
    row: Row[Any],
    reason: str,
    replaced_by: int | None = None,
) -> None:
    actor = context.actor
    entry = _write(
        tx, "hold.release_requested", row, replaced_by=replaced_by, reason=reason,
        unlogged=_unlogged(context, tx, row.key),
    )  # fmt: skip
    holds.request_release(
        tx, row.key, at=context.now, uid=actor.uid, login=actor.login,
        name=person(actor.uid, actor.name), reason=reason, entry=entry,
    )  # fmt: skip


def _let_go(
    context: Context,
    tx: Transaction,
    row: Row[Any],
    rules: Rules,
    reason: str,
    request: int | None,
) -> Micros:
    """Release an active hold; the instant at which its cooling off will be over."""
    if doubt := alarms.doubt_of_clock(tx, context.now):
        raise GuardError(
            f"the clock is not believed ({doubt}), and by a wrong one the cooling off "
            "would end too early: the hold stays. `retention status` says more"
        )
    cameras = holds.cameras_of(tx, row.key)
    in_force.refuse_less(context.catalogue, tx, cameras, context.now, row.key)
    free_at = context.now + rules.cooling_off
    holds.release(tx, row.key, context.now, free_at)
    _write(
        tx, "hold.released", row, free_at=free_at, request=request, reason=reason,
        unlogged=_unlogged(context, tx, row.key),
    )  # fmt: skip
    return free_at


def _unlogged(context: Context, tx: Connection, number: int) -> bool | None:
    """True where only the catalogue's rows have the hold."""
    return None if in_force.is_logged(context.catalogue, tx, number) else True


def _write(tx: Transaction, kind: str, row: Row[Any], **fields: Any) -> int:
    keys = holds.cameras_of(tx, row.key)
    return tx.append(*entries.about(kind, row, keys, fields))


def _waiting(context: Context, number: int, reason: str) -> ReleaseAsked:
    name = person(context.actor.uid, context.actor.name)
    return ReleaseAsked(
        hold=number,
        state="pending release",
        requested=format_utc(context.now),
        requested_by=name,
        reason=reason,
        released=None,
        free_at=None,
        approvers=approvers(context.settings, name),
        note="the hold stays in force until another person, a supervisor, approves",
    )


def _released(context: Context, number: int, free_at: Micros) -> HoldReleased:
    return HoldReleased(
        hold=number,
        state="cooling off",
        released=format_utc(context.now),
        free_at=format_utc(free_at),
        note="nothing of it is deleted before then, and not where another hold "
        "covers it",
    )
