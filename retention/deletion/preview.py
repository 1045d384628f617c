"""What shorter periods would make due at once: counted, nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.catalogue import cameras, due, roots
from retention.catalogue.due import Span, Sum
from retention.deletion.horizon import scopes
from retention.model import SECOND, Micros
from retention.policy import Policy

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue


def preview(
    catalogue: Catalogue, policy: Policy, then: Policy, now: Micros
) -> dict[str, Any]:
    """What would be due at `now` under `then` and is not under `policy`.

    Counts without what a hold keeps; a total and one line a camera.  Each stream is a
    read of its own, since none may stay open for long.
    """
    with catalogue.read() as tx:
        register = {camera.key: camera for camera in cameras.everyone(tx)}
        found = [
            scope
            for root in roots.everyone(tx)
            for scope in scopes(tx, root.key, then, now)
        ]
    totals: dict[int, Sum] = {}
    for scope in found:
        sooner = policy.period(scope.camera) - scope.period
        if sooner > 0:
            with catalogue.read() as tx:
                more = due.total(tx, scope, Span(now - sooner, now))
            totals[scope.camera] = totals.get(scope.camera, Sum(0, 0)) + more
    return {
        **_counted(sum(totals.values(), Sum(0, 0))),
        "cameras": [
            {
                "camera": register[key].id,
                "location": register[key].location,
                "days": policy.days_of(key),
                "proposed_days": then.days_of(key),
                **_counted(total),
            }
            for key, total in sorted(totals.items(), key=lambda one: -one[1].length)
            if total.number
        ],
    }


def _counted(total: Sum) -> dict[str, int]:
    return {
        "recordings": total.number,
        "seconds": total.length // SECOND,
        "bytes": total.size,
    }
