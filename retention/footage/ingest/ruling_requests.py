"""Rulings that would take recordings out of a hold's cover: they wait for a second
person, as a list, and change nothing until then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import cameras, raised, roots, ruling_requests, streams
from retention.catalogue.db import Priority
from retention.catalogue.recordings import Uncovering
from retention.catalogue.ruling_requests import RulingRequest
from retention.control import alarms, guards, rules, two_people
from retention.control.rulings import close
from retention.model.answers.recording import (
    RulingRejected,
    RulingsWaiting,
    RulingWaiting,
    UncoveredRecording,
)
from retention.model.errors import RetentionError
from retention.model.layouts.layout import path_of
from retention.model.localtime import counted, format_utc, utc_or_null
from retention.model.values import LISTED, Entry, Recording, Rows
from retention.model.wording import reason_of
from retention.tlog.canonical import path_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.control.context import Context

BLOCK = 5_000
"""Rows of one transaction, and of one entry."""

SHOWN = 100
"""Recordings that an answer lists of each request."""

_COLUMNS = (
    "camera", "stream", "start", "n", "duration", "bytes", "path", "new_start",
    "new_end",
)  # fmt: skip


class Uncovered(NamedTuple):
    """What a ruling would take out of a hold's cover, and the streams (by key) whose
    doubt it would end."""

    found: list[Uncovering]
    lifts: list[int]


def takes_two(context: Context, tx: Connection) -> bool:
    """Whether the rules in force want a second person."""
    return rules.effective(tx, context.settings).two_people


def ask(context: Context, said: str, reason: str, wanted: Uncovered) -> RulingWaiting:
    """Put a ruling (its words, and why) on record as one that waits.

    NotPermittedError for whoever can't be one of two people, RetentionError where all
    of it waits already.
    """
    actor = context.actor
    two_people.refuse_root(actor)
    with context.write(Priority.HOLD) as tx:
        in_force = rules.effective(tx, context.settings)
        two_people.refuse_unknown_login(actor, in_force)
        fresh = _fresh(tx, wanted.found)
        name = two_people.person(actor.uid, actor.name)
        request = RulingRequest(
            ruling_requests.new_number(tx), context.now, actor.uid, actor.login, name,
            said, reason, sorted(wanted.lifts),
        )  # fmt: skip
        _put(tx, request, fresh[:BLOCK])
    for at in range(BLOCK, len(fresh), BLOCK):
        with context.write(Priority.SCAN) as tx:
            _put(tx, request, fresh[at : at + BLOCK])
    with context.catalogue.read() as tx:
        return _described(context, tx, request)


def _fresh(tx: Connection, found: Sequence[Uncovering]) -> list[Uncovering]:
    """Without what waits already, for the same times."""
    known = ruling_requests.waiting(tx)
    fresh = [
        one
        for one in found
        if (*one.move.old.key, one.move.new.start, one.move.new.duration) not in known
    ]
    if not fresh:
        raise RetentionError(
            "that ruling waits for a second person already: `retention recording "
            "requests` shows it"
        )
    return sorted(fresh, key=lambda one: one.move.old.key)


def _put(tx: Transaction, request: RulingRequest, found: Sequence[Uncovering]) -> None:
    ruling_requests.add(tx, request, found)
    moves = [one.move for one in found]
    known = streams.by_keys(tx, {move.old.stream for move in moves})
    camera = {stream.key: stream.camera for stream in known}
    values = [
        (camera[old.stream], *old.key, old.duration, old.size, old.path, new.start,
         new.end)
        for old, new, _ in moves
    ]  # fmt: skip
    fields = {
        "request": request.number, "count": len(moves), "ruling": request.said,
        "holds": sorted({hold for one in found for hold in one.holds})[:LISTED],
        "lifts": request.lifts[:LISTED], "reason": request.reason,
    }  # fmt: skip
    tx.append(*Entry("ruling.proposed", fields, Rows(_COLUMNS, values)))
    scope, concerned = str(request.number), set(camera.values())
    if (standing := raised.find(tx, guards.RULING, scope)) is not None:
        concerned |= set(standing.cameras)
    alarms.trip(
        tx, request.at, guards.RULING, scope, _detail(tx, request), cameras=concerned
    )


def _detail(tx: Connection, request: RulingRequest) -> str:
    count = ruling_requests.count(tx, request.number)
    holds = ", ".join(map(str, ruling_requests.holds_of(tx, request.number)))
    return (
        f"a ruling ({request.said}) of {request.name} would take "
        f"{counted(count, 'recording')} out of the cover of hold {holds}, and waits for a second person"
    )


def recording_requests(context: Context) -> RulingsWaiting:
    """Every ruling that waits for a second person, with the first recordings of each."""
    with context.catalogue.read() as tx:
        return RulingsWaiting(
            [_described(context, tx, one) for one in ruling_requests.everyone(tx)]
        )


def recording_reject(context: Context, *, request: int, reason: str) -> RulingRejected:
    """A ruling that waits is not to be: its recordings stay in doubt, and held."""
    two_people.refuse_root(context.actor)
    why = reason_of(reason, "the ruling is rejected")
    with context.write(Priority.HOLD) as tx:
        asked = waiting(tx, request)
        if asked.approved is not None:
            raise RetentionError(
                f"ruling {request} was approved and is being carried out: `retention "
                f"recording approve {request}` ends that"
            )
        tx.append("ruling.rejected", request=request, reason=why)
        close(tx, request, "rejected")
    return RulingRejected(request, asked.said, asked.name, why)


def waiting(tx: Connection, number: int) -> RulingRequest:
    """The ruling of that number that waits; RetentionError where none does."""
    found = ruling_requests.find(tx, number)
    if found is None:
        raise RetentionError(
            f"no ruling {number} waits for a second person: `retention recording "
            "requests` shows those that do"
        )
    return found


def _described(
    context: Context, tx: Connection, request: RulingRequest
) -> RulingWaiting:
    return RulingWaiting(
        request=request.number,
        ruling=request.said,
        reason=request.reason,
        requested=format_utc(request.at),
        requested_by=request.name,
        approved=utc_or_null(request.approved),
        approvers=two_people.approvers(context.settings, request.name),
        recordings=ruling_requests.count(tx, request.number),
        streams=len(request.lifts),
        holds=ruling_requests.holds_of(tx, request.number),
        uncovers=list(_uncovers(tx, request)),
    )


def _uncovers(tx: Connection, request: RulingRequest) -> Iterator[UncoveredRecording]:
    found = ruling_requests.rows(tx, request.number, None, SHOWN)
    known = {one.key: one for one in streams.by_keys(tx, {row.stream for row in found})}
    ids = {camera.key: camera.id for camera in cameras.everyone(tx)}
    names = {root.key: root.name for root in roots.everyone(tx)}
    for row in found:
        stream = known[row.stream]
        old = Recording(*row.key, row.duration, 0, path=row.path)
        yield UncoveredRecording(
            key="/".join(map(str, row.key)),
            camera=ids.get(stream.camera, ""),
            root=names.get(stream.root, ""),
            path=path_text(path_of(stream, old)),
            start=format_utc(old.start),
            end=format_utc(old.end),
            new_start=format_utc(row.new_start),
            new_end=format_utc(row.new_start + row.new_duration),
            holds=row.holds,
        )
