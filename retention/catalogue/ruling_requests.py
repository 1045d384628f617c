"""Rulings that would end a hold's cover and wait for a second person, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import log
from retention.catalogue.recordings import Key, Uncovering
from retention.catalogue.schema import ruling_request as _requests
from retention.catalogue.schema import ruling_row as _rows
from retention.model.values import Micros


class RulingRequest(NamedTuple):
    """Who asked for it and when; `said` are the ruling's words, `lifts` the streams
    whose doubt it would end.  `approved`: since when it is being carried out."""

    number: int
    at: Micros
    uid: int
    login: int
    name: str
    said: str
    reason: str
    lifts: list[int]
    approved: Micros | None = None


class RulingRow(NamedTuple):
    """One recording as it was when somebody asked, as it shall be, and whose cover it
    leaves by that.  `path` is that of `Recording`."""

    stream: int
    start: Micros
    n: int
    duration: Micros
    new_start: Micros
    new_duration: Micros
    path: bytes | None
    holds: list[int]

    @property
    def key(self) -> Key:
        """(stream, start, n) of the recording."""
        return self[:3]


def new_number(tx: Connection) -> int:
    """The number of a new request: no other has it, or will have it."""
    return log.size(tx)


def add(tx: Connection, request: RulingRequest, found: Iterable[Uncovering]) -> None:
    """Keep a request, or more of its rows."""
    values = request._replace(lifts=json.dumps(request.lifts))  # type: ignore[arg-type]  # as kept
    tx.execute(_requests.insert().prefix_with("OR IGNORE").values(values._asdict()))
    rows = [
        (
            request.number, *move.old.key, move.old.duration, move.new.start,
            move.new.duration, move.new.path, json.dumps(holds),
        )
        for move, holds in found
    ]  # fmt: skip
    tx.exec_driver_sql(
        "INSERT INTO ruling_row VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows
    )


def everyone(tx: Connection) -> list[RulingRequest]:
    """Every ruling that waits, oldest first."""
    found = tx.execute(sa.select(_requests).order_by(_requests.c.number))
    return [_request(row) for row in found]


def find(tx: Connection, number: int) -> RulingRequest | None:
    """The ruling of that number that waits, or None."""
    query = sa.select(_requests).where(_requests.c.number == number)
    row = tx.execute(query).one_or_none()
    return None if row is None else _request(row)


def _request(row: Sequence[Any]) -> RulingRequest:
    found = RulingRequest(*row)
    return found._replace(lifts=json.loads(row[-2]))


def rows(tx: Connection, number: int, after: Key | None, limit: int) -> list[RulingRow]:
    """The next `limit` rows of a request after that key, in order of key."""
    found = tx.exec_driver_sql(
        "SELECT stream, start, n, duration, new_start, new_duration, path, holds "
        "FROM ruling_row WHERE request = ? AND (stream, start, n) > (?, ?, ?) "
        "ORDER BY stream, start, n LIMIT ?",
        (number, *(after or (-1, 0, 0)), limit),
    )
    return [RulingRow._make((*row[:7], json.loads(row[7]))) for row in found]


def keys(tx: Connection, number: int) -> set[Key]:
    """All recordings of a request."""
    found = tx.exec_driver_sql(
        "SELECT stream, start, n FROM ruling_row WHERE request = ?", (number,)
    )
    return {(stream, start, n) for stream, start, n in found}


def waiting(tx: Connection) -> set[tuple[int, Micros, int, Micros, Micros]]:
    """What waits: keys of recordings with the start and the duration they shall have."""
    found = tx.exec_driver_sql(
        "SELECT stream, start, n, new_start, new_duration FROM ruling_row"
    )
    return {(row[0], row[1], row[2], row[3], row[4]) for row in found}


def count(tx: Connection, number: int) -> int:
    """How many recordings a request is about."""
    query = sa.select(sa.func.count()).where(_rows.c.request == number)
    return int(tx.scalar(query) or 0)


def holds_of(tx: Connection, number: int) -> list[int]:
    """The holds whose cover it would end."""
    found = tx.exec_driver_sql(
        "SELECT DISTINCT holds FROM ruling_row WHERE request = ?", (number,)
    )
    return sorted({hold for (text,) in found for hold in json.loads(text)})


def set_approved(tx: Connection, number: int, at: Micros) -> None:
    """A second person agreed; it is being carried out."""
    tx.execute(
        _requests.update().where(_requests.c.number == number).values(approved=at)
    )


def done(tx: Connection, number: int, keys: Sequence[Key]) -> None:
    """These recordings were ruled on, or can't be any more."""
    if keys:
        tx.exec_driver_sql(
            "DELETE FROM ruling_row WHERE request = ? AND stream = ? AND start = ? "
            "AND n = ?",
            [(number, *key) for key in keys],
        )


def drop(tx: Connection, number: int) -> None:
    """It was carried out, or is not to be."""
    tx.execute(_rows.delete().where(_rows.c.request == number))
    tx.execute(_requests.delete().where(_requests.c.number == number))
