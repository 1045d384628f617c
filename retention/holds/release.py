"""The end of a hold: one person asks, another approves, and it cools off.

Until then it stays in force, and while it cools off a supervisor can put it back in
force.  Nothing else ends a hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention import guards, members
from retention.caller import UNSET_LOGIN, name_of
from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.errors import GuardError, NotPermittedError, RetentionError
from retention.holds import entries
from retention.holds.effect import Kept, answer, read_back, take_effect
from retention.localtime import format_local, format_utc
from retention.model import Actor, Entry, Micros
from retention.rules import Rules, effective, not_another
from retention.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.audit.log import Log
    from retention.catalogue.db import Catalogue
    from retention.context import Context

REPLACED = "replaced by hold {}"

NOT_AS_ROOT = "not as root: run it again without sudo"

MAY_ASK = ("operator", "supervisor", "offline")
"""Who may ask for a release.  Offline: whoever may open the closed catalogue."""


def hold_release(context: Context, *, hold: int, reason: str) -> dict[str, Any]:
    """Ask for the release of a hold, which stays in force until a second person agrees.

    Where the rules in force want only one person, this is the release itself: its
    footage is free once it has cooled off.  Raises NotPermittedError for root and for
    whoever's login is not known, GuardError where a release would go by a doubted clock.
    """
    _refuse_root(context.actor)
    why = reason_of(reason, "the hold is released")
    with context.catalogue.write(Priority.HOLD) as tx:
        rules = effective(tx, context.settings)
        _refuse_unknown_login(context.actor, rules)
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


def hold_approve(context: Context, *, hold: int) -> dict[str, Any]:
    """Approve the release that another person asked for: the hold begins to cool off.

    The two differ in uid and in login uid (design, section 11).  Errors as above.
    """
    members.note(context)
    _refuse_root(context.actor)
    with context.catalogue.write(Priority.HOLD) as tx:
        rules = effective(tx, context.settings)
        _refuse_unknown_login(context.actor, rules)
        row = active(tx, hold)
        waiting = _request_of(tx, hold)
        if rules.two_people:
            _refuse_same(context.actor, waiting, rules)
        free_at = _let_go(context, tx, row, rules, waiting.reason, waiting.entry)
    return _released(context, hold, free_at)


def hold_reject(context: Context, *, hold: int, reason: str) -> dict[str, Any]:
    """Turn down the release that somebody asked for: the hold stays as it is."""
    _refuse_root(context.actor)
    why = reason_of(reason, "the release is rejected")
    with context.catalogue.write(Priority.HOLD) as tx:
        row = active(tx, hold)
        asked_by = drop(context, tx, row, why)
        if asked_by is None:
            raise _nothing_asked(hold)
    return {"hold": hold, "state": "active", "requested_by": asked_by, "reason": why}


def hold_reinstate(context: Context, *, hold: int, reason: str) -> dict[str, Any]:
    """Put a hold that is cooling off back in force, as it was; answered like a new one.

    Raises RetentionError once the cooling off is over: then a new hold keeps what is
    left.
    """
    _refuse_root(context.actor)
    why = reason_of(reason, "the hold is put back in force")

    def change(tx: Connection) -> Kept:
        row = _cooling(context, tx, hold)
        holds.reinstate(tx, hold, context.now)
        _write(context, tx, "hold.reinstated", row, free_at=row.free_at, reason=why)
        return read_back(tx, hold)

    kept, rescue = take_effect(context, change)
    return answer(context, kept, rescue) | {"state": "active", "reason": why}


def note_cooled(catalogue: Catalogue, log: Log, now: Micros, actor: Actor) -> int:
    """Put on record which holds' cooling off is over; returns how many.

    For the daemon, with a clock that is believed; cheap where there is none.
    """
    with catalogue.read() as tx:
        if not holds.uncooled(tx, now):
            return 0
    with catalogue.write(Priority.HOLD) as tx:
        found = holds.uncooled(tx, now)
        for number in found:
            holds.set_cooled(tx, number, now)
            row = known(tx, number)
            keys = holds.cameras_of(tx, number)
            log.append(tx, entries.about("hold.cooled", now, actor, row, keys, {}))
    return len(found)


def ask_instead(
    context: Context, tx: Connection, wrong: Row[Any], right: int
) -> dict[str, Any]:
    """Ask for the release of the hold that `right` was placed instead of.

    What the rules do not allow is said and not raised: the new hold must stand.
    """
    obstacle = _obstacle(context, tx, wrong)
    if obstacle is None:
        reason = REPLACED.format(right)
        _ask(context, tx, wrong, reason, replaced_by=right)
    return {"hold": wrong.key, "release_requested": obstacle is None, "why": obstacle}


def _obstacle(context: Context, tx: Connection, wrong: Row[Any]) -> str | None:
    if wrong.free_at is not None:
        return f"hold {wrong.key} was released before"
    waiting = holds.request_of(tx, wrong.key)
    if waiting is not None:
        return f"{waiting.name} asked for the release of hold {wrong.key} before"
    if context.actor.role not in MAY_ASK:
        return f"the role {context.actor.role} may not ask for a release"
    try:
        _refuse_root(context.actor)
        _refuse_unknown_login(context.actor, effective(tx, context.settings))
    except NotPermittedError as error:
        return str(error)
    return None


def drop(context: Context, tx: Connection, row: Row[Any], reason: str) -> str | None:
    """Let a release that waits come to nothing; the name of who asked, None if nobody."""
    waiting = holds.request_of(tx, row.key)
    if waiting is None:
        return None
    holds.drop_request(tx, row.key)
    _write(
        context, tx, "hold.release_rejected", row, request=waiting.entry, reason=reason
    )
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
    tx: Connection,
    row: Row[Any],
    reason: str,
    replaced_by: int | None = None,
) -> None:
    actor = context.actor
    entry = _write(
        context, tx, "hold.release_requested", row,
        replaced_by=replaced_by, reason=reason,
    )  # fmt: skip
    holds.request_release(
        tx, row.key, at=context.now, uid=actor.uid, login=actor.login,
        name=person(actor.uid, actor.name), reason=reason, entry=entry,
    )  # fmt: skip


def _let_go(
    context: Context,
    tx: Connection,
    row: Row[Any],
    rules: Rules,
    reason: str,
    request: int | None,
) -> Micros:
    """Release an active hold; the instant at which its cooling off will be over."""
    if doubt := guards.doubt_of_clock(tx, context.now):
        raise GuardError(
            f"the clock is not believed ({doubt}), and by a wrong one the cooling off "
            "would end too early: the hold stays. `retention status` says more"
        )
    free_at = context.now + rules.cooling_off
    holds.release(tx, row.key, context.now, free_at)
    _write(
        context, tx, "hold.released", row,
        free_at=free_at, request=request, reason=reason,
    )  # fmt: skip
    return free_at


def _write(
    context: Context, tx: Connection, kind: str, row: Row[Any], **fields: Any
) -> int:
    keys = holds.cameras_of(tx, row.key)
    entry: Entry = entries.about(kind, context.now, context.actor, row, keys, fields)
    return context.log.append(tx, entry)


def _refuse_root(actor: Actor) -> None:
    if actor.uid == 0:
        raise NotPermittedError(NOT_AS_ROOT)


def _refuse_unknown_login(actor: Actor, rules: Rules) -> None:
    if rules.require_login_uid and actor.login == UNSET_LOGIN:
        raise NotPermittedError(
            "it is not known who logged in (no login uid), so that two people could "
            "not be told apart: log in at the machine or by ssh and run it again. A "
            "system without login uids sets require_login_uid = false"
        )


def _refuse_same(actor: Actor, waiting: Row[Any], rules: Rules) -> None:
    why = not_another(rules, waiting.uid, waiting.login, actor)
    if why is not None:
        raise NotPermittedError(
            f"{waiting.name} asked for the release of hold {waiting.hold}, and another "
            f"person must approve it: {why}. The hold stays in force"
        )


def person(uid: int, name: str | None = None) -> str:
    """A user's name as it is shown; by number where the system knows none."""
    return name or name_of(uid) or f"uid {uid}"


def others(supervisors: list[str], requester: str) -> list[str]:
    """Those who can approve what `requester` asked for: root never can."""
    return [name for name in supervisors if name not in ("root", requester)]


def _waiting(context: Context, number: int, reason: str) -> dict[str, Any]:
    name = person(context.actor.uid, context.actor.name)
    return {
        "hold": number,
        "state": "pending release",
        "requested": format_utc(context.now),
        "requested_by": name,
        "reason": reason,
        "released": None,
        "free_at": None,
        "approvers": others(members.of(context.settings, "supervisor"), name),
        "note": "the hold stays in force until another person, a supervisor, approves",
    }


def _released(context: Context, number: int, free_at: Micros) -> dict[str, Any]:
    return {
        "hold": number,
        "state": "cooling off",
        "released": format_utc(context.now),
        "free_at": format_utc(free_at),
        "note": "nothing of it is deleted before then, and not where another hold "
        "covers it",
    }
