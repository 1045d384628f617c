"""Read-only views for people: the status screen, and the plan of what is due."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from retention import guards, members, periods, rules
from retention.audit import heads, log
from retention.audit.canonical import path_text
from retention.cameras import under_hold
from retention.catalogue import (
    batches,
    cameras,
    due,
    holds,
    plans,
    recordings,
    roots,
    unknown,
)
from retention.catalogue.db import get_fact
from retention.catalogue.due import Due, Scope, Span
from retention.catalogue.guards import Tripped
from retention.deletion.cycle import PAUSE_FACT
from retention.deletion.horizon import scopes
from retention.deletion.preview import preview
from retention.deletion.volume import pages, policy_of
from retention.errors import UsageError
from retention.holds.asked import incomplete
from retention.ingest import vanished, zone_doubts
from retention.localtime import format_date, format_utc, parse_duration
from retention.model import Micros, Window
from retention.policy import BEGINNING, Policy
from retention.publication import outside
from retention.replacements import replacements_waiting

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context
    from retention.settings import Settings


def _utc(instant: Micros | None) -> str | None:
    return None if instant is None else format_utc(instant)


def status(context: Context) -> dict[str, Any]:
    """One screen: deleting or why not, overdue, holds, roots, what needs a person."""
    settings, now = context.settings, context.now
    with context.catalogue.read() as tx:
        policy = policy_of(tx)
        tripped = guards.tripped(tx)
        pause = get_fact(tx, PAUSE_FACT)
        why_not = [
            f"guard {f'{g.name} {g.scope}'.strip()}: {g.detail}" for g in tripped
        ]
        if pause is not None and pause["until"] > now:
            why_not.append(f"paused until {format_utc(pause['until'])}")
        why_not += _not_begun(tx, tripped)
        found = [
            _root_status(tx, row, policy, now, settings.retention.cycle)
            for row in roots.everyone(tx)
        ]
        in_force = rules.effective(tx, settings)
        return {
            "at": format_utc(now),
            "site": settings.site,
            "contact": settings.contact,
            "deleting": not why_not,
            "why_not": why_not,
            "overdue": _sum(one["overdue"] for one in found),
            "oldest_unheld": min(
                (one["oldest_unheld"] for one in found if one["oldest_unheld"]),
                default=None,
            ),
            "holds": _hold_counts(tx, now),
            "roots": found,
            "plans_waiting": _plans(tx),
            "guards": [
                {
                    "guard": g.name, "scope": g.scope, "since": format_utc(g.since),
                    "detail": g.detail,
                }
                for g in tripped
            ],
            "policy": _policy(tx, settings, policy),
            "releases_waiting": _releases(tx),
            "supervisors": members.of(settings, "supervisor"),
            "cameras_under_hold": under_hold.unruled(tx),
            "root_replacements_waiting": replacements_waiting(tx, now),
            "times_in_doubt": zone_doubts.sentences(tx),
            "unknown": _unknown(tx, policy, now),
            "open_batches": len(batches.open_batches(tx)),
            "log_entries": log.size(tx),
            "log_signed": head.size if (head := heads.newest(tx)) else 0,
            "outside_memory": outside.memories(tx, settings),
            "two_person_release": in_force.two_people,
            "require_login_uid": in_force.require_login_uid,
        }  # fmt: skip


def _policy(tx: Connection, settings: Settings, policy: Policy) -> dict[str, Any]:
    """Periods and rules in force, and what the settings propose beside them."""
    proposal = periods.proposal(tx, settings)
    return {
        "version": policy.version,
        "days": policy.days,
        "shorter_periods_waiting": [_change(tx, change) for change in proposal.waiting],
        "overrides_of_unknown_cameras": proposal.unknown,
        "proposals": periods.listed(tx, settings, proposal),
    }


def _releases(tx: Connection) -> list[dict[str, Any]]:
    """Each release of a hold that waits for a second person."""
    return [
        {"hold": row.hold, "requested": format_utc(row.at), "by": row.name}
        for row in sorted(holds.requests(tx).values(), key=lambda row: row.hold)
    ]


def _not_begun(tx: Connection, tripped: list[Tripped]) -> list[str]:
    """Roots that were never scanned completely, or wait for their first cycle."""
    guarded = {guard.scope for guard in tripped}
    found = []
    for row in roots.everyone(tx):
        if row.adopted is None:
            found.append(f"root {row.name} is not scanned completely yet")
        elif row.caught_up == row.adopted and row.name not in guarded:
            found.append(f"root {row.name} waits for its first cycle")
    return found


def _root_status(
    tx: Connection, row: Any, policy: Policy, now: Micros, cycle: Micros
) -> dict[str, Any]:
    found = scopes(tx, row.key, policy, now)
    late = Span(BEGINNING, now - cycle)
    failed = due.total_failed(tx, row.key)
    overdue = sum((due.total(tx, scope, late) for scope in found), failed)
    firsts = [due.first_free(tx, scope, BEGINNING) for scope in found]
    quarantined = sum(recordings.count_quarantined(tx, s.stream) for s in found)
    return {
        "root": row.name,
        "path": row.path,
        "adopted": _utc(row.adopted),
        "scanned": _utc(row.scanned),
        "reconciled": _utc(row.reconciled),
        "recordings": roots.count_recordings(tx, row.key),
        "overdue": {
            "recordings": overdue.number,
            "bytes": overdue.size,
        },
        "oldest_unheld": _utc(min((f[0] for f in firsts if f), default=None)),
        "next_due": _utc(min((f[1] for f in firsts if f), default=None)),
        "quarantined": quarantined,
        "failed": failed.number,
        "recorder_deletes_after_days": vanished.recorder_deletes(tx, row.key),
    }


def _sum(parts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter({"recordings": 0, "bytes": 0})
    for part in parts:
        total.update(part)
    return dict(total)


def _hold_counts(tx: Connection, now: Micros) -> dict[str, int]:
    rows = holds.listing(tx, now)
    active = [row for row in rows if row.free_at is None]
    return {
        "active": len(active),
        "cooling_off": len(rows) - len(active),
        "review_due": sum(row.review <= now for row in active),
        "incomplete": sum(bool(incomplete(row)) for row in active),
        "pending_release": len(holds.requests(tx)),
    }


def _change(tx: Connection, change: Any) -> dict[str, Any]:
    camera = None if change.camera is None else cameras.by_key(tx, change.camera)
    return {
        "camera": None if camera is None else camera.id,
        "days": change.now,
        "proposed_days": change.proposed,
    }


def _unknown(tx: Connection, policy: Policy, now: Micros) -> list[dict[str, Any]]:
    names = {row.key: row.name for row in roots.everyone(tx)}
    return [
        {
            "root": names[row.root],
            "directory": path_text(row.directory),
            "reason": row.reason,
            "example": path_text(row.example),
            "files": row.files,
            "bytes": row.size,
            "oldest": _utc(row.oldest),
            "overdue": row.oldest + Policy(0, policy.days).period(0) <= now,
        }
        for row in unknown.listing(tx)
    ]


def _plans(tx: Connection) -> list[dict[str, Any]]:
    names = {row.key: row.name for row in roots.everyone(tx)}
    return [_plan_row(plan, names[plan.root]) for plan in plans.waiting(tx)]


def _plan_row(plan: plans.Plan, root: str) -> dict[str, Any]:
    return {
        "plan": plan.key,
        "root": root,
        "proposed": format_utc(plan.at),
        "recordings": plan.count_,
        "bytes": plan.size,
        "digest": plan.digest,
    }


def plan(
    context: Context, *, ahead: str | None = None, retention: int | None = None
) -> dict[str, Any]:
    """What is due now and why, what holds keep of it, what falls due next.

    `ahead` ("7d") lists by camera and local day what falls due in that time, so that a
    case can be caught while its footage is there.  `retention` previews what would be
    due if the site's period were that many days.  Deletes nothing.
    """
    now, zone = context.now, context.settings.timezone
    until = now if ahead is None else now + parse_duration(ahead)
    with context.catalogue.read() as tx:
        policy = policy_of(tx)
        names = {camera.key: camera for camera in cameras.everyone(tx)}
        found = {
            row.name: scopes(tx, row.key, policy, now) for row in roots.everyone(tx)
        }
        waiting = _plans(tx)
        blocked = _blocked(tx, found, names, now)
    # By root, camera and local day: recordings, bytes, when the first is due.
    days: dict[tuple[str, int, str], list[int]] = {}
    for root, group in found.items():
        for scope in group:
            for rows in pages(context.catalogue, [scope], Span(BEGINNING, until)):
                _count_days(days, root, scope, rows, now, zone)
    first: dict[str, Micros] = {}
    for (_, _, day), (_, _, earliest) in days.items():
        first[day] = min(earliest, first.get(day, earliest))
    lines = [
        {
            "root": root,
            "camera": names[camera].id,
            "location": names[camera].location,
            "day": day,
            "recordings": number,
            "bytes": size,
        }
        for (root, camera, day), (number, size, _) in sorted(
            days.items(),
            key=lambda one: (first[one[0][2]], one[0][0], names[one[0][1]].id),
        )
    ]
    return {
        "at": format_utc(now),
        "until": format_utc(until),
        "days": policy.days,
        "due": [line for line in lines if line["day"] == NOW],
        "ahead": [line for line in lines if line["day"] != NOW],
        "blocked": blocked,
        "plans_waiting": waiting,
        "preview": _preview(context, policy, retention),
    }


def _preview(
    context: Context, policy: Policy, days: int | None
) -> dict[str, Any] | None:
    if days is None:
        return None
    if not 1 <= days <= LONGEST_DAYS:
        raise UsageError(
            f"a retention period is 1 to {LONGEST_DAYS} whole days, not {days}"
        )
    then = Policy(0, days, policy.cameras)
    return {"days": days, **preview(context.catalogue, policy, then, context.now)}


NOW = "now"
LONGEST_DAYS = 3650


def _count_days(
    days: dict[tuple[str, int, str], list[int]],
    root: str,
    scope: Scope,
    rows: list[Due],
    now: Micros,
    zone: str,
) -> None:
    for row in rows:
        day = NOW if row.due <= now else format_date(row.due, zone)
        total = days.setdefault((root, scope.camera, day), [0, 0, row.due])
        total[0] += 1
        total[1] += row.size
        total[2] = min(total[2], row.due)


def _blocked(
    tx: Connection,
    found: dict[str, list[Scope]],
    names: dict[int, Any],
    now: Micros,
) -> list[dict[str, Any]]:
    """Per root and camera: recordings past their period that holds keep, and which."""
    in_force = [
        (row, set(holds.cameras_of(tx, row.key))) for row in holds.listing(tx, now)
    ]
    lines = []
    for root, group in found.items():
        for scope in group:
            number, size, by = _held(tx, scope, in_force, now)
            if number:
                lines.append(
                    {
                        "root": root,
                        "camera": names[scope.camera].id,
                        "recordings": number,
                        "bytes": size,
                        "holds": by,
                    }
                )
    return lines


def _held(
    tx: Connection, scope: Scope, in_force: list[tuple[Any, set[int]]], now: Micros
) -> tuple[int, int, list[int]]:
    """Count, bytes and holds of what is past its period and held."""
    number = size = 0
    until, first = now - scope.period, BEGINNING
    for window in scope.holds.windows:
        total = due.overlapping(
            tx, scope.stream, scope.max_length, window, until=until, first=first
        )
        number, size = number + total.number, size + total.size
        first = window.end  # what began before overlaps this window and was counted
    by = [
        row.key
        for row, keys in in_force
        if scope.camera in keys
        and due.overlapping(
            tx, scope.stream, scope.max_length, Window(row.since, row.until),
            until=until,
        ).number
    ]  # fmt: skip
    return number, size, by
