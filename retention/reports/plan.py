"""The plan: what is due, what holds keep of it, what falls due next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.catalogue import cameras, due, holds, plans, policies, roots
from retention.catalogue.due import Span
from retention.control.alarms import doubt_of_clock
from retention.control.preview import preview
from retention.model.answers.status import (
    DeletionPlan,
    DueOnDay,
    KeptPastPeriod,
    NotDeleted,
    PeriodPreview,
)
from retention.model.choice import Due, Scope
from retention.model.errors import UsageError
from retention.model.localtime import format_date, format_utc, parse_duration
from retention.model.policy import BEGINNING, Policy
from retention.model.values import Camera, Micros, Window

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context

NOW = "now"
LONGEST_DAYS = 3650
_REASONS = 10
"""Why a root's recordings could not be deleted: more kinds of that are not told."""

Days = dict[tuple[str, int, str], list[int]]
"""By root, camera and local day: recordings, bytes, when the first is due."""


def plan(
    context: Context, *, ahead: str | None = None, retention: int | None = None
) -> DeletionPlan:
    """What is due now and why, what holds keep of it, what falls due next.

    `ahead` ("7d") lists by camera and local day what falls due in that time, so that a
    case can be caught while its footage is there.  `retention` previews what would be
    due if the site's period were that many days.  Deletes nothing.
    """
    now, zone = context.now, context.settings.timezone
    until = now if ahead is None else now + parse_duration(ahead)
    with context.catalogue.read() as tx:
        policy = policies.policy_of(tx)
        names = {camera.key: camera for camera in cameras.everyone(tx)}
        found = {
            row.name: due.scopes(tx, row.key, policy, now) for row in roots.everyone(tx)
        }
        waiting = plans.told(tx)
        clock = doubt_of_clock(tx, now)
        blocked = _blocked(tx, found, names, now)
        failed = [
            NotDeleted(row.name, one.number, one.error, format_utc(one.retry_at))
            for row in roots.everyone(tx)
            for one in due.failures(tx, row.key, _REASONS)
        ]
    days: Days = {}
    for root, group in found.items():
        for scope in group:
            for rows in plans.pages(context.catalogue, [scope], Span(BEGINNING, until)):
                _count_days(days, root, scope, rows, now, zone)
    lines = _lines(days, names)
    return DeletionPlan(
        at=format_utc(now),
        clock_in_doubt=clock,
        until=format_utc(until),
        days=policy.days,
        due=[line for line in lines if line.day == NOW],
        failed=failed,
        ahead=[line for line in lines if line.day != NOW],
        blocked=blocked,
        plans_waiting=waiting,
        preview=_preview(context, policy, retention),
    )


def _lines(days: Days, names: dict[int, Camera]) -> list[DueOnDay]:
    """A line a root, camera and day; the day on which something is due first, first."""
    first: dict[str, Micros] = {}
    for (_, _, day), (_, _, earliest) in days.items():
        first[day] = min(earliest, first.get(day, earliest))
    return [
        DueOnDay(
            root=root,
            camera=names[camera].id,
            location=names[camera].location,
            day=day,
            recordings=number,
            bytes=size,
        )
        for (root, camera, day), (number, size, _) in sorted(
            days.items(),
            key=lambda one: (first[one[0][2]], one[0][0], names[one[0][1]].id),
        )
    ]


def _preview(
    context: Context, policy: Policy, days: int | None
) -> PeriodPreview | None:
    if days is None:
        return None
    if not 1 <= days <= LONGEST_DAYS:
        raise UsageError(
            f"a retention period is 1 to {LONGEST_DAYS} whole days, not {days}"
        )
    then = Policy(0, days, policy.cameras)
    would = preview(context.catalogue, policy, then, context.now)
    return PeriodPreview(
        days, would.recordings, would.seconds, would.bytes, would.cameras
    )


def _count_days(
    days: Days,
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
    names: dict[int, Camera],
    now: Micros,
) -> list[KeptPastPeriod]:
    """Per root and camera: recordings past their period that holds keep, and which."""
    in_force = [
        (row, set(holds.cameras_of(tx, row.key))) for row in holds.listing(tx, now)
    ]
    lines = []
    for root, group in found.items():
        for scope in group:
            number, size, by = _held(tx, scope, in_force, now)
            if number:
                camera = names[scope.camera].id
                lines.append(KeptPastPeriod(root, camera, number, size, by))
    return lines


def _held(
    tx: Connection, scope: Scope, in_force: list[tuple[Any, set[int]]], now: Micros
) -> tuple[int, int, list[int]]:
    """Count, bytes and holds of what is past its period and held."""
    number = size = 0
    until, first = now - scope.period, BEGINNING
    for window in scope.holds.windows:
        total = due.overlapping(
            tx, scope.stream, scope.longest, window, until=until, first=first
        )
        number, size = number + total.number, size + total.size
        first = window.end  # what began before overlaps this window and was counted
    by = [
        row.key
        for row, keys in in_force
        if scope.camera in keys
        and due.overlapping(
            tx, scope.stream, scope.longest, Window(row.since, row.until),
            until=until,
        ).number
    ]  # fmt: skip
    return number, size, by
