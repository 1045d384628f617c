"""Reads the situation that a cycle's next step is chosen from: one root, one transaction.

What falls due next is remembered by stream, so that an idle root costs a handful of
rows.  Where something stands in the way, no more is read than that.
"""

from dataclasses import dataclass, field

from sqlalchemy import Connection

from retention.catalogue import batches, due, roots, streams, unread
from retention.catalogue.db import PAUSE_FACT, Catalogue, get_fact
from retention.catalogue.due import Span
from retention.catalogue.next_due import NextDue
from retention.catalogue.policies import policy_of
from retention.control import alarms, guards, successor
from retention.deletion.volume import VolumeGuard
from retention.footage.roots import OpenRoot
from retention.model.choice import NO_SURPRISES, Due, Scope, Situation, Standing
from retention.model.policy import BEGINNING
from retention.model.values import Micros


@dataclass(slots=True)
class Memory:
    """What is known from one cycle to the next; the catalogue can tell all of it again.

    `caught_up`: by root, the `now` of the last cycle that left nothing due behind.
    """

    next_due: NextDue
    caught_up: dict[int, Micros] = field(default_factory=dict)

    @classmethod
    def anew(cls, catalogue: Catalogue) -> "Memory":
        """As after a start."""
        return cls(NextDue(catalogue.feed()))


def standing(tx: Connection, root: OpenRoot) -> Standing:
    """What may stand in the way of all deletion in a root."""
    pause = get_fact(tx, PAUSE_FACT)
    tripped = alarms.tripped(tx)
    others = [one for one in tripped if one.name != guards.VOLUME]
    row = roots.get(tx, root.key)
    return Standing(
        None if pause is None else pause["until"],
        tuple(
            f"{one.name}: {one.detail}"
            for one in others
            if one.scope in ("", root.name)
        ),
        any((one.name, one.scope) == (guards.VOLUME, root.name) for one in tripped),
        None if row is None else row.adopted,
        None if row is None else row.caught_up,
        tuple(batches.open_batches(tx, root.key)),
        _waiting(tx, root),
    )


def _waiting(tx: Connection, root: OpenRoot) -> str | None:
    """What a successor log, or a restoration of the catalogue, waits for in this root,
    whatever became of the guard's row."""
    if (why := successor.waits(tx)) is not None:
        return why
    if unread.awaited(tx, root.key) is None:
        return "the catalogue was restored" if alarms.is_restored(tx) else None
    found = unread.parts(tx, root.key)
    why = f"the catalogue was restored and {root.name} not read from end to end since"
    if found.parts or found.more:
        why += "; unread parts are accepted with `retention guard acknowledge catalogue"
        why += " --unread`"
    return why


def read(
    tx: Connection,
    root: OpenRoot,
    now: Micros,
    memory: Memory,
    guard: VolumeGuard,
    limit: int,
) -> Situation:
    """The situation of a root; `limit`: files of one batch."""
    stands, next_due = standing(tx, root), memory.next_due
    if stands.blocked(now) or stands.unfinished:
        return Situation(stands)
    found = tuple(streams.of_root(tx, root.key))
    scopes = next_due.refresh(tx, found, policy_of(tx), now)
    some = [scope for key, scope in scopes.items() if next_due.is_due(key, now)]
    caught_up, soonest = _caught_up(memory, stands, root, now), next_due.soonest(found)
    volume = NO_SURPRISES
    if soonest is not None and soonest <= now:
        early = some if soonest <= caught_up else []
        volume = guard.read(tx, root.key, some, early, caught_up, now)
    if volume.too_many:
        return Situation(stands, caught_up, soonest, volume)
    span = Span(BEGINNING, now)
    rows = _rows(tx, next_due, some, span, volume.plan, limit)
    failed = tuple(due.failed(tx, root.key, now))
    cameras = {scopes[row.stream].camera for row in (*rows, *failed)}
    return Situation(
        standing=stands,
        caught_up=caught_up,
        soonest=soonest,
        volume=volume,
        versions=next_due.versions(),
        streams=found,
        scopes=scopes,
        held=next_due.held(tx, cameras, now),
        rows=rows if volume.plan is None else (),
        planned=() if volume.plan is None else rows,
        failed=failed,
        limit=limit,
    )


def _caught_up(memory: Memory, stands: Standing, root: OpenRoot, now: Micros) -> Micros:
    """Never later than now: by a clock that was ahead, all footage would look as if it
    had been due before."""
    kept = BEGINNING if stands.caught_up is None else stands.caught_up
    return min(now, max(memory.caught_up.get(root.key, BEGINNING), kept))


def _rows(
    tx: Connection,
    next_due: NextDue,
    scopes: list[Scope],
    span: Span,
    plan: int | None,
    limit: int,
) -> tuple[Due, ...]:
    """Up to a batch of due rows, stream by stream, oldest first."""
    rows: list[Due] = []
    for scope in scopes:
        room = limit - len(rows)
        if room <= 0:
            break
        first = next_due.first(scope.stream)
        rows += due.rows(tx, scope, span, first=first, plan=plan, limit=room)
    return tuple(rows)
