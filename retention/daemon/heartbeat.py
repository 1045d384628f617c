"""The hourly heartbeat: counts and clocks, so that silence in the log can be told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.catalogue import due, holds, policies, roots
from retention.catalogue.due import Span
from retention.deletion.horizon import scopes
from retention.policy import BEGINNING

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.clock import Reading
    from retention.model import Micros


def balance(catalogue: Catalogue, reading: Reading, cycle: Micros) -> dict[str, Any]:
    """The fields of the entry `heartbeat`, with one short reading for each root."""
    now = reading.wall
    with catalogue.read() as tx:
        found = [row.key for row in roots.everyone(tx)]
        in_force = [row.key for row in holds.listing(tx, now)]
        held = {camera for key in in_force for camera in holds.cameras_of(tx, key)}
    parts = [_of_root(catalogue, root, now, cycle) for root in found]
    return {
        "recordings": sum(count for count, _, _ in parts),
        "overdue": sum(overdue for _, overdue, _ in parts),
        "held_cameras": len(held),
        "holds": len(in_force),
        "oldest_unheld": min((o for _, _, o in parts if o is not None), default=None),
        "wall": now,
        "boottime": reading.boottime,
        "synchronised": reading.synchronised,
    }


def _of_root(
    catalogue: Catalogue, root: int, now: Micros, cycle: Micros
) -> tuple[int, int, Micros | None]:
    """Recordings, overdue ones, and the start of the oldest that no hold keeps."""
    late = Span(BEGINNING, now - cycle)
    with catalogue.read() as tx:
        count = roots.count_recordings(tx, root)
        policy = policies.current(tx)
        found = [] if policy is None else scopes(tx, root, policy, now)
        overdue = due.total_failed(tx, root).number
        overdue += sum(due.total(tx, scope, late).number for scope in found)
        firsts = [due.first_free(tx, scope, BEGINNING) for scope in found]
    return count, overdue, min((first[0] for first in firsts if first), default=None)
