"""The alarm *overdue*: what should be gone, and why it is not.

What falls due next in each stream is kept in memory from round to round, as deletion
does, so that a round asks only about streams of which recordings changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retention.catalogue import due, entries, plans, policies, raised, roots, streams
from retention.catalogue.db import PAUSE_FACT, get_fact
from retention.catalogue.due import Span, Sum
from retention.catalogue.next_due import NextDue
from retention.control import guards
from retention.control.alarms import Condition, Stands
from retention.model.localtime import counted, format_size, format_utc
from retention.model.policy import BEGINNING, Policy
from retention.model.values import FOREVER, Micros
from retention.reports.conditions import SHOWN

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.roots import Root
    from retention.control.context import Context
    from retention.model.choice import Scope

CYCLES = 2
"""What is due for longer than so many cycles is overdue: P2 allows one."""


def overdue(context: Context, tx: Connection) -> Stands:
    """By root: what should be gone, and why it is not.  Of one that was just taken in
    nothing is yet: its first cycles say what waits for a person."""
    now = context.now
    wait = CYCLES * context.settings.retention.cycle
    late, policy, until = Span(BEGINNING, now - wait), policies.policy_of(tx), FOREVER
    found = {}
    for root in roots.everyone(tx):
        if root.adopted is not None and root.adopted > late.until:
            until = min(until, root.adopted + wait)
            continue
        behind, at = _behind(context, root, policy, wait)
        until = min(until, at)
        sums = due.paged(context.catalogue, behind, due.totals, late)
        rest, failed = sum(sums.values(), Sum(0, 0)), due.total_failed(tx, root.key)
        total = rest + failed
        concerned = sorted({one.camera for one in behind if one.stream in sums})
        ways = [*_in_the_way(tx, root, now)]
        if ways or not rest.number:
            context.catalogue.free_since.pop(root.key, None)
        else:
            since = context.catalogue.free_since.setdefault(root.key, now)
            ways = [_freely(context, tx, root, late, since)]
        if total.number:
            why = "; ".join((*ways, *_failures(tx, root)))
            detail = f"{counted(total.number, 'recording')}, {format_size(total.size)}: {why}"
            found[root.name] = Condition(detail, tuple(concerned))
    return Stands(found, now if found else until)


def _behind(
    context: Context, root: Root, policy: Policy, wait: Micros
) -> tuple[list[Scope], Micros]:
    """The streams of a root in which something may be due for longer than `wait`; and
    when others may follow, if nothing is written: a hold that has cooled off frees some."""
    catalogue, now = context.catalogue, context.now
    if catalogue.next_due is None:
        catalogue.next_due = NextDue(catalogue.feed())
    coming = catalogue.next_due
    coming.hear()
    try:
        with catalogue.read() as tx:
            found = streams.of_root(tx, root.key)
            scopes = coming.refresh(tx, found, policy, now).values()
    except BaseException:
        coming.reset()
        raise
    soonest, free = coming.soonest(found), coming.next_free()
    behind = [one for one in scopes if coming.is_due(one.stream, now - wait)]
    doubted = [one for one in scopes if one.in_doubt is not None]
    for one in (*behind, *doubted):  # no mark is kept of them
        coming.forget(one.stream, wholly=False)
    until = FOREVER if soonest is None else soonest + wait
    return behind, min(until, FOREVER if free is None else free)


def _in_the_way(tx: Connection, root: Root, now: Micros) -> Iterator[str]:
    """What keeps all due footage of a root from being deleted."""
    pause = get_fact(tx, PAUSE_FACT)
    if pause is not None and pause["until"] > now:
        yield f"deletion is paused until {format_utc(pause['until'])}"
    if root.adopted is None:
        yield "the root is not scanned completely yet"
    plan = plans.of_root(tx, root.key)
    approved = plan is not None and plan.state == "approved"
    for one in raised.everyone(tx):
        over = approved and one.name == guards.VOLUME  # the next cycle clears it
        if one.name in guards.GUARDS and one.scope in ("", root.name) and not over:
            yield f"guard {one.name} holds"
    if plan is not None and not approved:
        yield f"plan {plan.key} waits: `retention deletion approve {plan.key}`"


def _freely(
    context: Context, tx: Connection, root: Root, late: Span, since: Micros
) -> str:
    """When that goes which nothing has been in the way of since then: the next cycle has
    it, unless the service was away, or a cycle has been."""
    plan = plans.of_root(tx, root.key)
    what = "" if plan is None else f"plan {plan.key} was approved, and "
    last = context.catalogue.cycles.get(root.key)
    if last is not None and last.began > since:
        cycle = f"the cycle that began at {format_utc(last.began)}"
        if not last.over:
            return f"{what}goes with {cycle}"
        return (
            "no reason is known" if last.why is None else f"{cycle} ended: {last.why}"
        )
    for began in entries.listing(tx, kind="service.started", limit=1):
        if began["at"] > late.until:
            return f"the service was not running until {format_utc(began['at'])}"
    if last is None:
        return "no cycle has begun since the service was started"
    if last.began <= late.until:
        state = (
            "no other cycle has begun since" if last.over else "a cycle goes on since"
        )
        return f"{state} {format_utc(last.began)}"
    return f"{what}goes with the next cycle"


def _failures(tx: Connection, root: Root) -> Iterator[str]:
    """What was tried to delete and could not be."""
    for failure in due.failures(tx, root.key, SHOWN):
        yield (
            f"{counted(failure.number, 'recording')} could not be deleted ({failure.error}), tried "
            f"again at {format_utc(failure.retry_at)}"
        )
