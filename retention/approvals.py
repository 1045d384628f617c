"""What people decide about deletion as a whole: a pause, its end, a plan's approval."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.catalogue import plans
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.deletion.cycle import PAUSE_FACT
from retention.errors import RetentionError, UsageError
from retention.localtime import format_utc, parse_duration
from retention.model import DAY, Entry

if TYPE_CHECKING:
    from retention.context import Context


def deletion_pause(context: Context, *, length: str, reason: str) -> dict[str, Any]:
    """Delete nothing for `length` ("4h"), 24 hours at most; it goes on by itself.

    Not longer, since keeping footage for too long is a breach as well (design,
    section 11).
    """
    span = parse_duration(length)
    if not 0 < span <= DAY:
        raise UsageError(f"a pause is at most 24h, not {length}: pause again tomorrow")
    _said(reason)
    until = context.now + span
    with context.catalogue.write(Priority.HOLD) as tx:
        put_fact(tx, PAUSE_FACT, {"until": until, "since": context.now})
        context.log.append(
            tx,
            Entry(
                "deletion.paused",
                context.now,
                context.actor,
                {"until": until, "reason": reason},
            ),
        )
    return {"paused_until": format_utc(until)}


def deletion_resume(context: Context, *, reason: str) -> dict[str, Any]:
    """End a pause before its time."""
    _said(reason)
    with context.catalogue.write(Priority.HOLD) as tx:
        pause = get_fact(tx, PAUSE_FACT)
        if pause is None or pause["until"] <= context.now:
            raise RetentionError("deletion is not paused: there is nothing to resume")
        put_fact(tx, PAUSE_FACT, None)
        context.log.append(
            tx,
            Entry("deletion.resumed", context.now, context.actor, {"reason": reason}),
        )
    return {"resumed": format_utc(context.now)}


def _said(reason: str) -> None:
    if not reason.strip():
        raise UsageError("say why, with --reason: it goes on record")


def deletion_approve(context: Context, *, plan: int | str) -> dict[str, Any]:
    """Permit what remains of a plan, minus what is held; nothing else."""
    if not str(plan).isdecimal():
        raise UsageError(
            f"{plan!r} is no plan's number: `retention plan` shows those that wait"
        )
    with context.catalogue.write(Priority.HOLD) as tx:
        found = plans.find(tx, int(plan))
        if found is None or found.state != "proposed":
            state = "there is no such plan" if found is None else f"it is {found.state}"
            raise RetentionError(
                f"plan {plan} can't be approved ({state}): `retention plan` shows those "
                "that wait"
            )
        plans.approve(tx, found.key)
        context.log.append(
            tx,
            Entry(
                "plan.approved",
                context.now,
                context.actor,
                {"plan": found.key, "digest": found.digest},
            ),
        )
    return {
        "plan": found.key,
        "recordings": found.count_,
        "bytes": found.size,
        "digest": found.digest,
        "note": "deleted from the next cycle on, except what is under a hold by then",
    }
