"""The plan: what is due, what holds keep of it, what falls due next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from retention.catalogue import cameras, due, plans, policies, roots
from retention.catalogue.due import Span, Sum
from retention.control.alarms import doubt_of_clock
from retention.control.preview import preview
from retention.model.answers.status import (
    DeletionPlan,
    DueOnDay,
    KeptPastPeriod,
    NotDeleted,
    PeriodPreview,
)
from retention.model.choice import Scope
from retention.model.errors import UsageError
from retention.model.localtime import (
    format_date,
    format_utc,
    next_day,
    parse_duration,
)
from retention.model.policy import BEGINNING, Policy
from retention.model.values import Camera, Micros

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.control.context import Context

Scopes = Mapping[str, list[Scope]]
"""By the root's name, its streams."""

NOW = "now"
LONGEST_DAYS = 3650
_REASONS = 10
"""Why a root's recordings could not be deleted: more kinds of that are not told."""


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
    catalogue = context.catalogue
    with catalogue.read() as tx:
        policy = policies.policy_of(tx)
        names = {camera.key: camera for camera in cameras.everyone(tx)}
        found = {
            row.name: due.scopes(tx, row.key, policy, now) for row in roots.everyone(tx)
        }
        waiting = plans.told(tx)
        clock = doubt_of_clock(tx, now)
        failed = [
            NotDeleted(row.name, one.number, one.error, format_utc(one.retry_at))
            for row in roots.everyone(tx)
            for one in due.failures(tx, row.key, _REASONS)
        ]
    return DeletionPlan(
        at=format_utc(now),
        clock_in_doubt=clock,
        until=format_utc(until),
        days=policy.days,
        due=list(_due(catalogue, found, names, NOW, Span(BEGINNING, now))),
        failed=failed,
        ahead=list(_ahead(catalogue, found, names, Span(now, until), zone)),
        blocked=list(_blocked(catalogue, found, names, now)),
        plans_waiting=waiting,
        preview=_preview(context, policy, retention),
    )


def _ahead(
    catalogue: Catalogue,
    found: Scopes,
    names: Mapping[int, Camera],
    span: Span,
    zone: str,
) -> Iterator[DueOnDay]:
    """A line a local day, root and camera, until all that falls due in the span is told;
    only the streams in which anything does are asked day by day."""
    some, left, begun = {}, 0, span.after
    for root, group in found.items():
        totals = due.paged(catalogue, group, due.totals, span)
        some[root] = [scope for scope in group if scope.stream in totals]
        left += sum(total.number for total in totals.values())
    while left > 0 and begun < span.until:
        day, midnight = format_date(begun + 1, zone), next_day(begun + 1, zone)
        today = Span(begun, min(span.until, midnight - 1))
        for line in _due(catalogue, some, names, day, today):
            yield line
            left -= line.recordings
        begun = today.until


def _due(
    catalogue: Catalogue,
    found: Scopes,
    names: Mapping[int, Camera],
    day: str,
    span: Span,
) -> Iterator[DueOnDay]:
    """A line a root and camera of what falls due in the span."""
    for root, group in sorted(found.items()):
        by_camera: dict[int, Sum] = defaultdict(lambda: Sum(0, 0))
        totals = due.paged(catalogue, group, due.totals, span)
        for scope in group:
            if scope.stream in totals:
                by_camera[scope.camera] += totals[scope.stream]
        for key in sorted(by_camera, key=lambda key: names[key].id):
            yield DueOnDay(
                root=root,
                camera=names[key].id,
                location=names[key].location,
                day=day,
                recordings=by_camera[key].number,
                bytes=by_camera[key].size,
            )


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


def _blocked(
    catalogue: Catalogue, found: Scopes, names: Mapping[int, Camera], now: Micros
) -> Iterator[KeptPastPeriod]:
    """Per root and camera: recordings past their period that holds keep, and which."""
    for root, group in found.items():
        kept = due.paged(catalogue, group, due.kept, now)
        for scope in group:
            if scope.stream in kept:
                yield KeptPastPeriod(root, names[scope.camera].id, *kept[scope.stream])
