"""Holds as people look at them: the verbs hold.list and hold.show."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from retention.catalogue import cameras as register
from retention.catalogue import holds, lost, streams
from retention.catalogue.entries import of_hold
from retention.control import acknowledge, alarms, beside_log, in_force, members, rules
from retention.control.two_people import others, person
from retention.holds.effect import inspect
from retention.holds.release import known
from retention.holds.terms import REQUIRED, asked_of, incomplete, wanted_of
from retention.model.answers.alarm import AlarmShown
from retention.model.answers.hold import (
    CameraCovered,
    HoldEntry,
    HoldList,
    HoldRow,
    HoldShown,
    HoldStretch,
    ReleaseRequest,
)
from retention.model.answers.status import HoldCounts, ReleaseWaiting
from retention.model.errors import UsageError
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import FOREVER, SECOND, Camera, Micros, Window

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.control.context import Context

T = TypeVar("T")

PAGE, MOST = 1_000, 10_000
"""Holds in one answer, unless fewer or more are asked for; and the most."""

ACTIVE = "active"
PENDING = "pending release"
COOLING = "cooling off"
RELEASED = "released"

STATES = ("active", "incomplete", "review", "pending", "released", "all")


def hold_list(
    context: Context,
    *,
    state: str | None = None,
    camera: str | None = None,
    reference: str | None = None,
    kind: str | None = None,
    after: int = 0,
    limit: int = PAGE,
) -> HoldList:
    """The holds that keep something, oldest first: active, and those cooling off; up to
    `limit` with numbers above `after`.

    `state`: only the active ones; of these the incomplete ones, those due for review,
    those whose release is pending; the released ones, cooling off or not; or all.
    `camera`: those that cover any camera of that id, now or once.  `reference`: those
    in whose reference that occurs, whatever its case.
    """
    if state is not None and state not in STATES:
        raise UsageError(
            f"{state!r} is no state of holds: use one of {', '.join(STATES)}"
        )
    if not 1 <= limit <= MOST:
        raise UsageError(f"a list has 1 to {MOST:,} holds, not {limit}")
    in_force.learn(context.catalogue)
    with context.catalogue.read() as tx:
        waiting = holds.requests(tx)
        found = holds.listing(
            tx, context.now, all_=state in ("all", "released"), after=after,
            cameras=None if camera is None else _called(tx, camera),
        )  # fmt: skip
        wanted = (
            row
            for row in found
            if (kind is None or row.kind == kind)
            and (reference is None or reference.casefold() in row.reference.casefold())
            and _is(row, state, context.now, row.key in waiting)
        )
        rows = list(islice(wanted, limit + 1))
        page = rows[:limit]
        seen = _seen(context, tx, page)
        two_people = rules.effective(tx, context.settings).two_people
        doubt = alarms.doubt_of_clock(tx, context.now)
    shown = _shown(context, seen, HoldRow)
    more = page[-1].key if len(rows) > len(page) else None
    return HoldList(shown, two_people, more, doubt)


def hold_show(context: Context, *, hold: int) -> HoldShown:
    """One hold with everything that the log says of it, after a look at its files."""
    with context.catalogue.read() as tx:
        ((row, cameras, *_),) = _seen(context, tx, [known(tx, hold)])
    inspection = None
    if state_of(row, context.now, pending=False) != RELEASED:
        inspection = inspect(context, asked_of(row), cameras)
    with context.catalogue.read() as tx:
        seen = _seen(context, tx, [row])
        entries = of_hold(tx, hold)
        two_people = rules.effective(tx, context.settings).two_people
        doubt = alarms.doubt_of_clock(tx, context.now)
    said = [
        HoldEntry(
            number=one.number,
            at=format_utc(one.entry["at"]),
            kind=one.kind,
            by=person(one.entry["actor"]["uid"], one.entry["actor"].get("name")),
            came_back=one.unsigned is not None,
        )
        for one in entries
    ]
    (shown,) = _shown(
        context, seen, HoldShown, history=said, inspection=inspection,
        two_person_release=two_people, clock_in_doubt=doubt,
    )  # fmt: skip
    return shown


def counts(tx: Connection, now: Micros, pending: int) -> HoldCounts:
    """How many holds keep something, and how many of them somebody must act on; `pending`:
    so many releases wait."""
    wanted = {kind: wanted_of(kind) for kind in REQUIRED}
    return HoldCounts(
        **holds.counts(tx, now, wanted)._asdict(),
        pending_release=pending,
    )


def releases_waiting(context: Context, tx: Connection) -> list[ReleaseWaiting]:
    """Each release of a hold that waits for a second person; none that nobody asked for
    by the log: guard *mismatch* tells of that one."""
    waiting = holds.requests(tx)
    forged = beside_log.nobody_asked(context.catalogue, tx, waiting)
    return [
        ReleaseWaiting(row.hold, format_utc(row.at), row.name)
        for row in sorted(waiting.values(), key=lambda row: row.hold)
        if row.hold not in forged
    ]


class _Seen(NamedTuple):
    """A hold as it was read: row, cameras, the request for its release, its alarms, how
    many recordings were lost under it or became other than catalogued, what of it only
    its rows have and what only the log, whether the log has the request."""

    row: Row[Any]
    cameras: list[Camera]
    request: Row[Any] | None
    alarms: list[AlarmShown]
    lost: int
    overwritten: int
    not_in_log: list[str]
    by_log_alone: list[str]
    in_log: bool


def _seen(
    context: Context,
    tx: Connection,
    rows: Collection[Row[Any]],
) -> list[_Seen]:
    """Holds with what belongs to them."""
    covered = holds.cameras_of_all(tx, {row.key for row in rows})
    waiting = holds.requests(tx)
    gone = lost.of_holds(tx, covered.keys())
    other = lost.overwritten(tx)
    standing = acknowledge.standing(context, tx)
    shown = dict(zip(standing, acknowledge.shown(tx, standing), strict=True))
    recorded_in = streams.recorded_in(tx)
    everyone = {one.key: one for one in register.everyone(tx)}
    marked = beside_log.marked(context.catalogue, tx, context.now, rows)
    forged = beside_log.nobody_asked(context.catalogue, tx, waiting)
    return [
        _Seen(
            row,
            [everyone[key] for key in covered[row.key]],
            waiting.get(row.key),
            [
                shown[one]
                for one in acknowledge.of_hold(
                    standing,
                    row.key,
                    set(covered[row.key]),
                    recorded_in(covered[row.key]),
                )
            ],
            gone.get(row.key, 0),
            other.get(row.key, 0),
            marked.more.get(row.key, []),
            marked.less.get(row.key, []),
            row.key not in forged,
        )
        for row in rows
    ]


def _shown(
    context: Context, seen: Collection[_Seen], kind: Callable[..., T], **more: Any
) -> list[T]:
    """Holds for people, as values of `kind` that say `more`.  Outside a transaction:
    asking the system for the members of a group can take its time."""
    pending = any(one.request is not None for one in seen)
    supervisors = members.of(context.settings, "supervisor") if pending else []
    return [_row(context.now, one, supervisors, kind, **more) for one in seen]


def state_of(row: Row[Any], now: Micros, *, pending: bool) -> str:
    """What a hold is at `now`: one of four words."""
    if row.free_at is None:
        return PENDING if pending else ACTIVE
    return COOLING if row.free_at > now else RELEASED


def _is(row: Row[Any], state: str | None, now: Micros, pending: bool) -> bool:
    """Whether a hold is one of those that `state` asks for."""
    active = row.free_at is None
    wanted: dict[str | None, Callable[[], bool]] = {
        None: lambda: True,
        "all": lambda: True,
        "active": lambda: active,
        "incomplete": lambda: active and bool(incomplete(row)),
        "review": lambda: active and row.review <= now,
        "pending": lambda: active and pending,
        "released": lambda: not active,
    }
    return wanted[state]()


def _called(tx: Connection, id: str) -> set[int]:
    found = register.meaning(tx, id, Window(-FOREVER, FOREVER))
    if not found:
        raise UsageError(
            f"no camera was ever called {id!r}: look it up with `retention camera list`"
        )
    return {camera.key for camera in found}


def _row(
    now: Micros,
    seen: _Seen,
    supervisors: list[str],
    kind: Callable[..., T],
    **more: Any,
) -> T:
    row, cameras, request, alarms, gone, other, more_by_row, more_by_log, in_log = seen
    asked = asked_of(row).asked
    active = row.free_at is None
    return kind(
        hold=row.key,
        state=state_of(row, now, pending=request is not None),
        kind=row.kind,
        cameras=[CameraCovered(one.id, one.location, one.view) for one in cameras],
        asked=HoldStretch(format_utc(asked.start), utc_or_null(asked.end)),
        since=format_utc(row.since),
        until=utc_or_null(row.until),
        margin_seconds=row.margin // SECOND,
        typed=row.typed,
        reference=row.reference,
        reason=row.reason,
        requester=row.requester,
        officer=row.officer,
        force=row.force,
        power=row.power,
        received=utc_or_null(row.received),
        incomplete=incomplete(row) if active else [],
        placed=format_utc(row.placed),
        placed_by=person(row.placed_by),
        replaces=row.replaces,
        review=format_utc(row.review),
        review_due=active and row.review <= now,
        release_requested=None if request is None else _request(request, in_log),
        approvers=[] if request is None else others(supervisors, request.name),
        released=utc_or_null(row.released),
        free_at=utc_or_null(row.free_at),
        alarms=alarms,
        lost=gone,
        overwritten=other,
        not_in_log=more_by_row,
        by_log_alone=more_by_log,
        **more,
    )


def _request(request: Row[Any], in_log: bool) -> ReleaseRequest:
    return ReleaseRequest(
        at=format_utc(request.at),
        by=request.name,
        reason=request.reason,
        entry=request.entry,
        in_log=in_log,
    )
