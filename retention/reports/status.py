"""The status screen: deleting or why not, and what needs a person."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from retention.catalogue import (
    batches,
    cameras,
    doubtful_times,
    due,
    heads,
    log,
    plans,
    policies,
    quarantine,
    roots,
    unknown,
)
from retention.catalogue.db import PAUSE_FACT, get_fact
from retention.control import acknowledge, alarms, members, periods, rules
from retention.control.guards import ALARMS, Rank
from retention.footage.ingest import held, losses
from retention.holds import views
from retention.model.answers.status import OverdueSum, RootStatus, Status
from retention.model.localtime import format_utc, utc_or_null
from retention.model.policy import BEGINNING, Policy
from retention.model.values import Micros
from retention.publication import memories

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue
    from retention.catalogue.raised import Raised
    from retention.catalogue.roots import Root
    from retention.control.context import Context


def status(context: Context) -> Status:
    """One screen: deleting or why not, overdue, holds, roots, what needs a person."""
    settings, now = context.settings, context.now
    late = due.Span(BEGINNING, now - settings.retention.cycle)
    with context.catalogue.read() as tx:
        policy, rows = policies.policy_of(tx), roots.everyone(tx)
    found = [_root(context.catalogue, row, policy, now, late) for row in rows]
    with context.catalogue.read() as tx:
        standing = acknowledge.standing(context, tx)
        why_not = _why_not(tx, standing, now)
        waiting = views.releases_waiting(context, tx)
        in_force = rules.effective(tx, settings)
        return Status(
            at=format_utc(now),
            site=settings.site,
            contact=settings.contact,
            deleting=not why_not,
            why_not=why_not,
            overdue=OverdueSum(
                sum(one.overdue.recordings for one in found),
                sum(one.overdue.bytes for one in found),
            ),
            oldest_unheld=min(
                (one.oldest_unheld for one in found if one.oldest_unheld),
                default=None,
            ),
            holds=views.counts(tx, now, len(waiting)),
            roots=found,
            plans_waiting=plans.told(tx),
            alarms=acknowledge.shown(tx, standing),
            policy=periods.told(tx, settings, policy),
            releases_waiting=waiting,
            supervisors=members.of(settings, "supervisor"),
            cameras_under_hold=cameras.unruled(tx),
            root_replacements_waiting=roots.replacements_waiting(tx, now),
            times_in_doubt=doubtful_times.sentences(tx),
            unknown=unknown.told(tx, now - Policy(0, policy.days).period(0)),
            open_batches=len(batches.open_batches(tx)),
            log_entries=log.size(tx),
            log_signed=head.size if (head := heads.newest(tx)) else 0,
            outside_memory=memories.memories(tx, settings),
            two_person_release=in_force.two_people,
            require_login_uid=in_force.require_login_uid,
            clock_in_doubt=alarms.doubt_of_clock(tx, now),
        )


def _why_not(tx: Connection, standing: Collection[Raised], now: Micros) -> list[str]:
    """What keeps deletion from going on, a sentence each."""
    tripped = [one for one in standing if ALARMS[one.name].rank is Rank.STOPS]
    found = [f"guard {f'{g.name} {g.scope}'.strip()}: {g.detail}" for g in tripped]
    pause = get_fact(tx, PAUSE_FACT)
    if pause is not None and pause["until"] > now:
        found.append(f"paused until {format_utc(pause['until'])}")
    guarded = {guard.scope for guard in tripped}
    for row in roots.everyone(tx):
        if row.adopted is None:
            found.append(f"root {row.name} is not scanned completely yet")
        elif row.caught_up == row.adopted and row.name not in guarded:
            found.append(f"root {row.name} waits for its first cycle")
    return found


def _root(
    catalogue: Catalogue, row: Root, policy: Policy, now: Micros, late: due.Span
) -> RootStatus:
    coming = due.outlook(catalogue, row.key, policy, now, late)
    with catalogue.read() as tx:
        failed = due.total_failed(tx, row.key)
        overdue = coming.overdue + failed
        return RootStatus(
            root=row.name,
            path=row.path,
            adopted=utc_or_null(row.adopted),
            scanned=utc_or_null(row.scanned),
            reconciled=utc_or_null(row.reconciled),
            held_compared=utc_or_null(held.compared(tx, row.key)),
            recordings=roots.count_recordings(tx, row.key),
            overdue=OverdueSum(overdue.number, overdue.size),
            oldest_unheld=utc_or_null(coming.first),
            next_due=utc_or_null(coming.due),
            quarantined=quarantine.count_quarantined(tx, row.key),
            failed=failed.number,
            recorder_deletes_after_days=losses.recorder_deletes(tx, row.key),
        )
