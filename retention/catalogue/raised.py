"""Rows of alarms that stand, and what the guards ask of the catalogue."""

import json
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import schema
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.log import unsigned
from retention.model.values import Micros, State
from retention.tlog.in_force import SERVICE
from retention.tlog.kinds import telling
from retention.tlog.source import Query

_entry = schema.entry.c


class FirstPerson(NamedTuple):
    """Who asked first that an alarm of two people ends."""

    uid: int
    login: int
    name: str


class Raised(NamedTuple):
    """An alarm that stands: `number` is that of the entry that raised it, `scope` where
    it stands (a root's name, '' for everything, or what its kind says), `cameras` the
    keys of those that it concerns, `asked` who asked first of the two that end it."""

    number: int
    name: str
    scope: str
    since: Micros
    detail: str
    cameras: tuple[int, ...] = ()
    asked: FirstPerson | None = None


def _raised(tx: Connection, where: str = "", *values: Any) -> list[Raised]:
    sql = (
        "SELECT number, name, scope, since, detail, cameras, asked FROM alarm "
        f"{where} ORDER BY since, name, scope"
    )
    return [
        Raised(
            number, name, scope, since, detail, tuple(json.loads(keys)),
            asked and FirstPerson(*json.loads(asked)),
        )
        for number, name, scope, since, detail, keys, asked in tx.exec_driver_sql(
            sql, values
        )
    ]  # fmt: skip


_IS = "WHERE name = ? AND scope = ?"


def everyone(tx: Connection) -> list[Raised]:
    """All that stand, oldest first."""
    return _raised(tx)


def named(tx: Connection, name: str) -> list[Raised]:
    """All alarms of that name, oldest first."""
    return _raised(tx, "WHERE name = ?", name)


def find(tx: Connection, name: str, scope: str) -> Raised | None:
    """The alarm of that name and scope, if it stands."""
    found = _raised(tx, _IS, name, scope)
    return found[0] if found else None


def numbered(tx: Connection, number: int) -> Raised | None:
    """The alarm of that number, if it stands."""
    found = _raised(tx, "WHERE number = ?", number)
    return found[0] if found else None


def is_raised(tx: Connection, name: str, scope: str) -> bool:
    """Whether that alarm stands."""
    return find(tx, name, scope) is not None


def put(tx: Connection, new: Raised) -> None:
    """Have an alarm stand, or say the newer detail and cameras of one that does."""
    cameras = json.dumps(new.cameras)
    done = tx.exec_driver_sql(
        f"UPDATE alarm SET detail = ?, cameras = ? {_IS}",
        (new.detail, cameras, new.name, new.scope),
    )
    if done.rowcount == 0:
        tx.exec_driver_sql(
            "INSERT INTO alarm VALUES (?, ?, ?, ?, ?, ?, NULL)", (*new[:5], cameras)
        )


def ask(tx: Connection, number: int, asked: FirstPerson) -> None:
    """Note who asked first that it ends."""
    tx.exec_driver_sql(
        "UPDATE alarm SET asked = ? WHERE number = ?", (json.dumps(asked), number)
    )


def take(tx: Connection, name: str, scope: str) -> bool:
    """End an alarm; False where it did not stand."""
    done = tx.exec_driver_sql(f"DELETE FROM alarm {_IS}", (name, scope))
    return done.rowcount == 1


def was_acknowledged(tx: Connection, subject: str, scope: str) -> bool:
    """Whether it was a person who ended that alarm last, by the log: a row alone hides
    none."""
    for record in CatalogueSource(tx).backwards(Query(telling("stands"), subject)):
        fields = record.entry["fields"]
        if fields["scope"] == scope and not record.is_void:
            by_person = record.entry["actor"]["role"] != SERVICE
            return bool(
                fields.get("acknowledged", by_person and "detail" not in fields)
            )
    return False


def log_size(tx: Connection) -> int:
    """How many entries the audit log has."""
    return int(tx.exec_driver_sql("SELECT size FROM log_head").scalar_one())


def latest_entry(tx: Connection, after: int) -> Micros | None:
    """The latest time on the entries past the first `after` of them; what came back
    under no head is nobody's word."""
    numbers = sa.select(sa.func.max(_entry.at)).where(_entry.number >= after)
    for one in unsigned(tx):
        numbers = numbers.where(sa.not_(_entry.number.between(one.first, one.end - 1)))
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


def is_on_record(tx: Connection, alarm: Raised) -> bool:
    """Whether the log has what the row says: that `asked` asked for this alarm's end."""
    for record in CatalogueSource(tx).backwards(Query(("alarm.end_asked",))):
        fields, actor = record.entry["fields"], record.entry["actor"]
        if (fields["alarm"], fields["scope"]) == (alarm.name, alarm.scope):
            on_record = fields["raised"], actor["uid"], actor["login"]
            said = alarm.asked and (max(alarm.number, 0), *alarm.asked[:2])
            return not record.is_void and on_record == said
    return False
