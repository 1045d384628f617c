"""What shorter periods would make due at once: counted, nothing is changed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from retention.catalogue import cameras, due, roots
from retention.catalogue.due import Span, Sum, scopes
from retention.model.answers.policy import DueAlso, DueByCamera
from retention.model.choice import Scope
from retention.model.policy import Policy
from retention.model.values import SECOND, Micros

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue


def preview(catalogue: Catalogue, policy: Policy, then: Policy, now: Micros) -> DueAlso:
    """What would be due at `now` under `then` and is not under `policy`.

    Counts without what a hold keeps; a total and one line a camera.
    """
    with catalogue.read() as tx:
        register = {camera.key: camera for camera in cameras.everyone(tx)}
        found = [
            scope
            for root in roots.everyone(tx)
            for scope in scopes(tx, root.key, then, now)
        ]
    shorter: dict[Micros, list[Scope]] = defaultdict(list)
    for scope in found:
        shorter[policy.period(scope.camera) - scope.period].append(scope)
    totals: dict[int, Sum] = defaultdict(lambda: Sum(0, 0))
    for sooner, some in shorter.items():
        if sooner > 0:
            span, camera_of = (
                Span(now - sooner, now),
                {s.stream: s.camera for s in some},
            )
            more = due.paged(catalogue, some, due.totals, span)
            for stream, total in more.items():
                totals[camera_of[stream]] += total
    everything = sum(totals.values(), Sum(0, 0))
    return DueAlso(
        recordings=everything.number,
        seconds=everything.length // SECOND,
        bytes=everything.size,
        cameras=[
            DueByCamera(
                camera=register[key].id,
                location=register[key].location,
                days=policy.days_of(key),
                proposed_days=then.days_of(key),
                recordings=total.number,
                seconds=total.length // SECOND,
                bytes=total.size,
            )
            for key, total in sorted(totals.items(), key=lambda one: -one[1].length)
        ],
    )
