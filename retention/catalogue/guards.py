"""Rows of tripped guards, and what the guards ask of the catalogue."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import schema
from retention.model import Micros, State

_guard = schema.guard.c
_entry = schema.entry.c


class Tripped(NamedTuple):
    """A guard that is tripped: `scope` is a root's name, or '' for everything."""

    name: str
    scope: str
    since: Micros
    detail: str


def everyone(tx: Connection) -> list[Tripped]:
    """All tripped guards, oldest first."""
    query = sa.select(schema.guard).order_by(_guard.since, _guard.name, _guard.scope)
    return [Tripped(*row) for row in tx.execute(query)]


def find(tx: Connection, name: str, scope: str) -> Tripped | None:
    """The guard, if it is tripped."""
    row = tx.execute(sa.select(schema.guard).where(_is(name, scope))).one_or_none()
    return None if row is None else Tripped(*row)


def is_tripped(tx: Connection, name: str, scope: str) -> bool:
    """Whether that guard is tripped."""
    return find(tx, name, scope) is not None


def put(tx: Connection, name: str, scope: str, now: Micros, detail: str) -> bool:
    """Trip a guard; False where it was tripped, its detail is then the newer one."""
    found = find(tx, name, scope)
    if found is None:
        values = {"name": name, "scope": scope, "since": now, "detail": detail}
        tx.execute(schema.guard.insert().values(values))
    elif found.detail != detail:
        tx.execute(schema.guard.update().where(_is(name, scope)).values(detail=detail))
    return found is None


def take(tx: Connection, name: str, scope: str) -> bool:
    """Clear a guard; False where it was not tripped."""
    return tx.execute(schema.guard.delete().where(_is(name, scope))).rowcount == 1


def _is(name: str, scope: str) -> sa.ColumnElement[bool]:
    return sa.and_(_guard.name == name, _guard.scope == scope)


def log_size(tx: Connection) -> int:
    """How many entries the audit log has."""
    return int(tx.execute(sa.select(schema.log_head.c.size)).scalar_one())


def latest_entry(tx: Connection, after: int) -> Micros | None:
    """The latest time on the entries past the first `after` of them."""
    numbers = sa.select(sa.func.max(_entry.at)).where(_entry.number >= after)
    found: Micros | None = tx.scalar(numbers)
    return found


def newest_recording(tx: Connection) -> Micros | None:
    """The end of the newest recording whose times are not in doubt."""
    recording = schema.recording.c
    newest = (
        sa.select(recording.start + recording.duration)
        .where(recording.stream == schema.stream.c.key)
        .where(recording.state == int(State.PRESENT))
        .order_by(recording.start.desc())
        .limit(1)
        .scalar_subquery()
    )
    found: Micros | None = tx.scalar(sa.select(sa.func.max(newest)))
    return found
