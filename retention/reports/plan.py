"""The plan: what is due, what holds keep of it, what falls due next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

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
    cameras = {scope.camera for group in found.values() for scope in group}
    in_force = holds.windows_of(tx, cameras, now)
    lines = []
    for root, group in found.items():
        for scope in group:
            number, size, by = _held(tx, scope, in_force[scope.camera], now)
            if number:
                camera = names[scope.camera].id
                lines.append(KeptPastPeriod(root, camera, number, size, by))
    return lines


def _held(
    tx: Connection, scope: Scope, in_force: Mapping[int, Window], now: Micros
) -> tuple[int, int, list[int]]:
    """Count, bytes and holds of what is past its period and held."""
    number = size = 0
    until, first = now - scope.period, BEGINNING
    for window in _met(tx, scope, scope.holds.windows):
        total = due.overlapping(
            tx, scope.stream, scope.longest, window, until=until, first=first
        )
        number, size = number + total.number, size + total.size
        first = window.end  # what began before overlaps this window and was counted
    if not number:
        return 0, 0, []
    keys: dict[Window, list[int]] = {}
    for key, window in in_force.items():
        keys.setdefault(window, []).append(key)
    by = [
        key
        for window in _met(tx, scope, sorted(set(in_force.values())))
        for key in keys[window]
        if due.overlapping(tx, scope.stream, scope.longest, window, until=until).number
    ]
    return number, size, sorted(by)


def _met(tx: Connection, scope: Scope, windows: Sequence[Window]) -> Iterable[Window]:
    """Those of these windows, in order, that a recording of the stream may overlap."""
    reach = scope.longest
    return due.inhabited(
        tx, scope.stream, windows, lambda one: (one.start - reach, one.end)
    )
