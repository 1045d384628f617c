"""The way on where entries of the log are lost for good: a successor log.

1. A signed head is met whose entries are in no directory: the fact LOST.  Deletion is off,
   nothing is signed.
2. An administrator asks for a successor, a supervisor agrees: the fact ASKED, approved.
3. The next start opens it (`publication.succeeding`): a log of another name that begins
   with the entries that are there.  The fact OPENED, and guard *catalogue*.
4. Deletion stays off for `SUCCESSOR_WAIT`, and until a supervisor has put on record which holds were
   placed in what is lost.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import holds as rows
from retention.catalogue.db import RESTORED_FACT, Priority, get_fact, put_fact
from retention.control import alarms, guards, members, rules, two_people
from retention.model.answers.successor import (
    LostHoldsRecorded,
    SuccessorApproved,
    SuccessorAsked,
    SuccessorRejected,
)
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, FOREVER, Micros
from retention.model.wording import reason_of
from retention.tlog.in_force import SUCCESSOR_WAIT

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.control.context import Context

LOST = "log.lost"
"""The fact: {"where", "note", "size", "first"}: a signed head that was met, and the first
entry that the catalogue lacks of it, as far as that is known."""

OPENED = alarms.SUCCESSOR_FACT
"""The fact: {"until", "first", "last", "holds", "doubted"}: since a successor was opened;
which entries are lost, which holds a supervisor named (null: nobody did yet), and whether
by a clock in doubt."""

PATIENCE: Micros = DAY
"""How long a request waits for the second person."""

ASKED = "log.successor.asked"
"""The fact: the request that waits, or was agreed to."""


class SuccessorRequest(NamedTuple):
    """Who asked for a successor, because of which head; `approval`: the entry of the
    supervisor who agreed, or the same one where it takes one person."""

    at: Micros
    uid: int
    login: int
    name: str
    note: str
    entry: int
    approval: int | None = None


def schema_successor(
    context: Context, *, reason: str
) -> SuccessorAsked | SuccessorApproved:
    """Ask for a successor log, since entries of this one are nowhere: a supervisor must
    agree within a day, where it takes two people.

    RetentionError where no head is known whose entries are lost.
    """
    reason = reason_of(reason, "the lost entries are nowhere")
    actor, now = context.actor, context.now
    two_people.refuse_root(actor)
    with context.catalogue.read() as tx:
        in_force = rules.effective(tx, context.settings)
        lost = _lost(tx)
    two_people.refuse_unknown_login(actor, in_force)
    alone = not in_force.two_people
    with context.write(Priority.HOLD) as tx:
        _refuse_agreed(asked_for(tx, now))
        last = lost["size"] - 1
        number = tx.append("log.successor_requested", lost_last=last, reason=reason)
        name = two_people.person(actor.uid, actor.name)
        who = (now, actor.uid, actor.login, name)
        asked = SuccessorRequest(*who, lost["note"], number, number if alone else None)
        put_fact(tx, ASKED, list(asked))
    return _agreed(lost, number) if alone else _waits(context, lost, asked)


def schema_successor_approve(context: Context, *, reason: str) -> SuccessorApproved:
    """Agree to the successor log that another person asked for; the next start opens it."""
    reason = reason_of(reason, "the lost entries are nowhere")
    two_people.refuse_root(context.actor)
    members.note(context)
    with context.write(Priority.HOLD) as tx:
        lost, asked = _lost(tx), _waiting(tx, context.now)
        _refuse_agreed(asked)
        two_people.refuse_same(
            context.actor, asked, rules.effective(tx, context.settings),
            "a successor log", "Nothing was changed",
        )  # fmt: skip
        number = tx.append(
            "log.successor_approved",
            request=asked.entry, lost_last=lost["size"] - 1, reason=reason,
        )  # fmt: skip
        put_fact(tx, ASKED, list(asked._replace(approval=number)))
    return _agreed(lost, number)


def schema_successor_reject(context: Context, *, reason: str) -> SuccessorRejected:
    """Say no to a successor log that was asked for, or agreed to and is not open yet."""
    reason = reason_of(reason, "the successor log is rejected")
    with context.write(Priority.HOLD) as tx:
        asked = _waiting(tx, context.now)
        number = tx.append("log.successor_rejected", request=asked.entry, reason=reason)
        put_fact(tx, ASKED, None)
    return SuccessorRejected(entry=number)


_START = "start the service again, `systemctl restart cctv-retention`, which opens it"


def _lost(tx: Connection) -> dict[str, Any]:
    lost: dict[str, Any] | None = get_fact(tx, LOST)
    if lost is None:
        raise RetentionError(
            "no signed head is known whose entries are lost, so there is nothing that a "
            "successor log would be for: `retention status` says why deletion is stopped"
        )
    return lost


def asked_for(tx: Connection, now: Micros) -> SuccessorRequest | None:
    """The request that waits, or was agreed to, because of the head that is lost."""
    kept, lost = get_fact(tx, ASKED), get_fact(tx, LOST)
    asked = None if kept is None else SuccessorRequest(*kept)
    if asked is None or lost is None or asked.note != lost["note"]:
        return None
    waits = asked.at <= now < asked.at + PATIENCE
    return asked if waits or asked.approval is not None else None


def pending(context: Context, tx: Connection) -> alarms.Stands:
    """The alarm *succession*: a successor log that was asked for, and what is missing."""
    asked = asked_for(tx, context.now)
    if asked is None:
        return alarms.Stands({})
    until = FOREVER
    if asked.approval is None:
        last, until = _lost(tx)["size"] - 1, asked.at + PATIENCE
        what = (
            f"{asked.name} asked for a successor log at {format_utc(asked.at)}, since "
            f"entries up to {last} are lost: a supervisor who is another person must "
            f"agree before {format_utc(until)}"
        )
    elif asked.approval == asked.entry:
        what = f"{asked.name} decided on a successor log: {_START}"
    else:
        what = f"two people agreed to a successor log: {_START}"
    return alarms.Stands({"": alarms.Condition(what)}, until)


def _waiting(tx: Connection, now: Micros) -> SuccessorRequest:
    asked = asked_for(tx, now)
    if asked is None:
        raise RetentionError(
            "nobody asks for a successor log: an administrator does so first, `retention "
            'schema successor --reason "..."`, and it waits for a day'
        )
    return asked


def _refuse_agreed(asked: SuccessorRequest | None) -> None:
    if asked is not None and asked.approval is not None:
        raise RetentionError(f"the successor log is agreed to: {_START}")


def _waits(
    context: Context, lost: dict[str, Any], asked: SuccessorRequest
) -> SuccessorAsked:
    return SuccessorAsked(
        lost_first=lost["first"],
        lost_last=lost["size"] - 1,
        known_from=lost["where"],
        requested=format_utc(asked.at),
        until=format_utc(asked.at + PATIENCE),
        approvers=two_people.approvers(context.settings, asked.name),
        entry=asked.entry,
    )


def _agreed(lost: dict[str, Any], number: int) -> SuccessorApproved:
    return SuccessorApproved(
        lost_first=lost["first"], lost_last=lost["size"] - 1, next=_START, entry=number
    )


# -- once it is open ----------------------------------------------------------------------


def opened(tx: Transaction, fields: dict[str, Any], now: Micros) -> None:
    """The last step of the transaction that opens it: what is known and asked for is
    done, and nothing is deleted for now."""
    first, last = fields["lost_first"], fields["lost_last"]
    put_fact(tx, LOST, None)
    put_fact(tx, ASKED, None)
    put_fact(tx, RESTORED_FACT, None)
    fact = {"until": fields["until"], "first": first, "last": last, "holds": None}
    fact["doubted"] = alarms.doubt_of_clock(tx, now) is not None
    put_fact(tx, OPENED, fact)
    alarms.trip(tx, now, guards.CATALOGUE, "", _detail(fact))


def restore(tx: Connection, fields: dict[str, Any]) -> None:
    """The same, in a catalogue that is older than its opening."""
    put_fact(
        tx,
        OPENED,
        {
            "until": fields["until"], "first": fields["lost_first"],
            "last": fields["lost_last"], "holds": None,
        },
    )  # fmt: skip


def restore_holds(tx: Connection, named: list[int]) -> None:
    """What a supervisor named, in a catalogue that is older than that."""
    fact = get_fact(tx, OPENED)
    if fact is not None:
        put_fact(tx, OPENED, {**fact, "holds": named})


def count_anew(tx: Transaction, now: Micros) -> None:
    """The clock is right again: of the days after the opening no more than `SUCCESSOR_WAIT` are
    left, and all of them where it was in doubt when they began."""
    fact = get_fact(tx, OPENED)
    if fact is None:
        return
    most = now + SUCCESSOR_WAIT
    until = most if fact.get("doubted") else min(fact["until"], most)
    if until != fact["until"]:
        fact = {**fact, "until": until, "doubted": False}
        put_fact(tx, OPENED, fact)
        alarms.trip(tx, now, guards.CATALOGUE, "", _detail(fact))


def waits(tx: Connection) -> str | None:
    """Why nothing is deleted since a successor was opened; None where that is over."""
    fact = get_fact(tx, OPENED)
    return None if fact is None else _detail(fact)


def _detail(fact: dict[str, Any]) -> str:
    first, last, until = fact["first"], fact["last"], format_utc(fact["until"])
    lost = f"up to {last}" if first is None else f"{first} to {last}"
    named = fact["holds"]
    if named is not None:
        return (
            f"a successor log was opened, since entries {lost} are lost; which holds "
            f"were placed in them is on record, and nothing is deleted until {until}, so "
            "that one which was forgotten can still be placed"
        )
    return (
        f"a successor log was opened, since entries {lost} are lost, and with them what "
        f"was decided there. Nothing is deleted until {until}, nor before a supervisor "
        "has said which holds were placed, extended or put back in force in them: have "
        "them in force again (`retention hold place`, `extend`, `reinstate`), then "
        '`retention schema successor --holds 31,32 --reason "..."` with their numbers, '
        "or `--no-holds`"
    )


def schema_successor_holds(
    context: Context, *, holds: list[int], reason: str
) -> LostHoldsRecorded:
    """Put on record which holds stand for those that were placed, extended or put back in
    force in the lost entries; an empty list says that there were none.

    UsageError where no successor waits for that, or one of them is not in force.
    """
    reason = reason_of(reason, "these are all")
    with context.write(Priority.HOLD) as tx:
        fact = get_fact(tx, OPENED)
        if fact is None:
            raise UsageError("no successor log waits for the holds in what is lost")
        in_force = {row.key for row in rows.listing(tx, context.now) if not row.free_at}
        if missing := sorted(set(holds) - in_force):
            raise UsageError(
                f"hold {missing[0]} is not in force: `retention hold list` shows those "
                "that are; place it first"
            )
        named = sorted({*(fact["holds"] or ()), *holds})
        number = tx.append("log.successor_holds", holds=named, reason=reason)
        fact = {**fact, "holds": named}
        put_fact(tx, OPENED, fact)
        alarms.trip(tx, context.now, guards.CATALOGUE, "", _detail(fact))
    return LostHoldsRecorded(named, format_utc(fact["until"]), number)


def settle(context: Context) -> None:
    """Deletion goes on where its time is over and the holds are on record.  By a clock
    that is believed.  Raises CatalogueError."""
    with context.catalogue.read() as tx:
        fact = get_fact(tx, OPENED)
    if fact is None or fact["holds"] is None or context.now < fact["until"]:
        return
    with context.write(Priority.HOLD) as tx:
        put_fact(tx, OPENED, None)
        reason = "seven days since the successor log, and its holds are on record"
        alarms.clear_in(tx, guards.CATALOGUE, "", reason)
