"""What people decide about deletion as a whole: a pause, a plan, a change of policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import plans, proposals
from retention.catalogue.db import PAUSE_FACT, Priority, get_fact, put_fact
from retention.control import alarms, members, periods, rules
from retention.model.answers.deletion import (
    DeletionPaused,
    DeletionResumed,
    PlanApproved,
)
from retention.model.answers.policy import PolicyApproved, PolicyRejected
from retention.model.errors import RetentionError, StaleError, UsageError
from retention.model.localtime import format_utc, parse_duration
from retention.model.values import DAY
from retention.model.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context

_DIGITS = 18
"""More than any number has that the catalogue could give."""


def deletion_pause(context: Context, *, length: str, reason: str) -> DeletionPaused:
    """Delete nothing for `length` ("4h"), 24 hours at most; it goes on by itself.

    Not longer, since keeping footage for too long is a breach as well (design,
    section 11).  By a clock in doubt it is counted from when that is right.  Never shorter than a pause that is on: ending one early is another
    decision, `deletion resume`.
    """
    span = parse_duration(length)
    if not 0 < span <= DAY:
        raise UsageError(f"a pause is at most 24h, not {length}: pause again tomorrow")
    reason = reason_of(reason, "deletion is paused")
    until = context.now + span
    with context.write(Priority.HOLD) as tx:
        on, doubt = get_fact(tx, PAUSE_FACT), alarms.doubt_of_clock(tx, context.now)
        if on is not None and on["until"] - DAY <= context.now:
            until = max(until, on["until"])
        fact = {"until": until, "since": context.now}
        if doubt is not None:
            on = {"until": 0} if on is None else on
            fact["length"] = max(span, on.get("length", 0))
            fact["before"] = on.get("before", on["until"])
        put_fact(tx, PAUSE_FACT, fact)
        tx.append("deletion.paused", until=until, reason=reason)
    return DeletionPaused(format_utc(until), doubt)


def deletion_resume(context: Context, *, reason: str) -> DeletionResumed:
    """End a pause before its time."""
    reason = reason_of(reason, "it goes on before its time")
    with context.write(Priority.HOLD) as tx:
        pause = get_fact(tx, PAUSE_FACT)
        if pause is None or pause["until"] <= context.now:
            raise RetentionError("deletion is not paused: there is nothing to resume")
        put_fact(tx, PAUSE_FACT, None)
        tx.append("deletion.resumed", reason=reason)
    return DeletionResumed(format_utc(context.now))


def deletion_approve(context: Context, *, plan: int | str) -> PlanApproved:
    """Permit what remains of a plan, minus what is held; nothing else."""
    members.note_approver(context)
    if not str(plan).isdecimal() or len(str(plan)) > _DIGITS:
        raise UsageError(
            f"{plan!r} is no plan's number: `retention plan` shows those that wait"
        )
    with context.write(Priority.HOLD) as tx:
        found = plans.find(tx, int(plan))
        if found is None or found.state != "proposed":
            state = "there is no such plan" if found is None else f"it is {found.state}"
            raise RetentionError(
                f"plan {plan} can't be approved ({state}): `retention plan` shows those "
                "that wait"
            )
        plans.approve(tx, found.key)
        tx.append("plan.approved", plan=found.key, digest=found.digest)
    return PlanApproved(
        plan=found.key,
        recordings=found.count_,
        bytes=found.size,
        digest=found.digest,
        note="deleted from the next cycle on, except what is under a hold by then",
    )


def policy_approve(context: Context, *, proposal: int) -> PolicyApproved:
    """Put in force what the settings propose under that number, and nothing else.

    What is due by shorter periods goes with the next cycles, except what is held; where
    that is more than the volume guard believes, it waits for `deletion approve`.
    """
    members.note_approver(context)
    _number(context)
    now, settings = context.now, context.settings
    with context.write(Priority.HOLD) as tx:
        one = _waiting(tx, proposal)
        found = periods.proposal(tx, settings)
        if periods.wanted(tx, settings, found).get(one.subject) != one.changes:
            raise StaleError(f"proposal {proposal} changed meanwhile: {_LOOK}")
        proposals.drop(tx, proposal)
        if one.subject == periods.PERIODS:
            new, old = periods.shorten(tx, settings, now)
            number = tx.append(*periods.changed(new, old, proposal))
        else:
            fields = rules.weaken(tx, settings.retention, one.subject)
            number = tx.append("rules.changed", fields, proposal=proposal)
        changes = periods.changes(tx, one.subject, one.changes)
    return PolicyApproved(
        proposal=proposal,
        subject=one.subject,
        changes=changes,
        in_force_since=format_utc(now),
        entry=number,
    )


def policy_reject(context: Context, *, proposal: int, reason: str) -> PolicyRejected:
    """Say no to a proposal; it stays rejected until the settings say something else."""
    reason = reason_of(reason, "the proposal is rejected")
    _number(context)
    with context.write(Priority.HOLD) as tx:
        one = _waiting(tx, proposal)
        proposals.reject(tx, proposal)
        number = tx.append("policy.rejected", proposal=proposal, reason=reason)
        changes = periods.changes(tx, one.subject, one.changes)
    return PolicyRejected(
        proposal=proposal, subject=one.subject, changes=changes, entry=number
    )


_LOOK = "`retention policy show` lists those that wait"


def _number(context: Context) -> None:
    """What waits has its number, also where cameras changed since the last start.

    In a transaction of its own: it stays, whatever becomes of the approval.
    """
    periods.apply(context.catalogue, context.author, context.settings)


def _waiting(tx: Connection, number: int) -> proposals.Proposal:
    found = proposals.find(tx, number)
    if found is None:
        raise RetentionError(
            f"proposal {number} is not one that waits: it was decided, or the "
            f"configuration says something else now; {_LOOK}"
        )
    if found.rejected:
        raise RetentionError(
            f"proposal {number} was rejected and stays so until the configuration "
            f"changes: {_LOOK}"
        )
    return found
