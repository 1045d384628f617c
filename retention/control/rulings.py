"""Rulings that wait for a second person: their rows against the log, and their end.

A row that only the catalogue has would let one person carry out what nobody asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from retention.catalogue import raised, ruling_requests, streams
from retention.catalogue.ruling_requests import RulingRequest, RulingRow
from retention.control import alarms, guards
from retention.model.layouts.layout import path_of
from retention.model.values import LISTED, Recording, Stream
from retention.tlog.canonical import path_bytes
from retention.tlog.in_force import InForce, RecordingSaid

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction

PAGE = 1_000


def less(tx: Connection, said: InForce) -> Iterator[str]:
    """What waits in the rows and not, or otherwise, in the log."""
    for request in ruling_requests.everyone(tx):
        yield from _whole(tx, said, request)


def _whole(tx: Connection, said: InForce, request: RulingRequest) -> Iterator[str]:
    yield from request_less(said, request)
    after = None
    while rows := ruling_requests.rows(tx, request.number, after, PAGE):
        after = rows[-1].key
        yield from rows_less(tx, said, request.number, rows)


def request_less(said: InForce, request: RulingRequest) -> Iterator[str]:
    """What of a request is not as somebody asked for it by the log."""
    number, one = request.number, said.rulings.get(request.number)
    if one is None:
        yield f"ruling {number} waits by its row alone: not in the log"
        return
    if (request.uid, request.login) != (one.uid, one.login):
        yield f"ruling {number} is asked for by another than the log says"
    if request.said != one.words:
        yield f"ruling {number} is {request.said}, the log says {one.words}"
    if tuple(request.lifts[:LISTED]) != one.lifts:
        yield f"ruling {number} ends the doubt about streams that the log does not name"
    if request.approved is not None and not one.approved:
        yield f"ruling {number} is approved by its row alone: not in the log"


def rows_less(
    tx: Connection, said: InForce, number: int, rows: Sequence[RulingRow]
) -> Iterator[str]:
    """Whether these rows of a request are not those that the log has of it."""
    one = said.rulings.get(number)
    found = {stream.key: stream for stream in streams.by_keys(tx, {r[0] for r in rows})}
    for row in rows:
        kept = None if one is None else one.rows.get(row.key)
        if kept is None or not _is_same(found.get(row.stream), row, kept):
            yield f"ruling {number} is about recordings that nobody named in the log"
            return


def _is_same(stream: Stream | None, row: RulingRow, kept: RecordingSaid) -> bool:
    path = None if kept.path is None else path_bytes(kept.path)
    if row.new_start != row.start:  # from then on the start does not tell the name
        if stream is None:
            return False
        path = path_of(stream, Recording(*row.key, row.duration, 0, path=path))
    return (row.duration, row.new_start, row.new_duration, row.path) == (
        kept.duration, kept.new_start, kept.new_duration, path,
    )  # fmt: skip


def close(tx: Transaction, number: int, how: str) -> None:
    """The last step of a transaction: the request waits no more."""
    ruling_requests.drop(tx, number)
    alarms.clear_in(tx, guards.RULING, str(number), how)


def drop_other(tx: Transaction, said: InForce) -> None:
    """Requests that are not as the log has them wait no more; `clear_gone` comes next."""
    for request in ruling_requests.everyone(tx):
        if any(_whole(tx, said, request)):
            ruling_requests.drop(tx, request.number)


def clear_gone(tx: Transaction, how: str) -> None:
    """The alarms of requests that are not there any more end."""
    there = {str(request.number) for request in ruling_requests.everyone(tx)}
    for alarm in raised.named(tx, guards.RULING):
        if alarm.scope not in there:
            alarms.clear_in(tx, guards.RULING, alarm.scope, how)
