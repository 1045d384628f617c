"""Holds as people look at them: the verbs hold.list and hold.show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from retention import members
from retention.audit import history
from retention.catalogue import cameras as register
from retention.catalogue import holds
from retention.errors import UsageError
from retention.holds.asked import asked_of, incomplete
from retention.holds.effect import end_of
from retention.holds.release import known, others, person
from retention.localtime import format_utc
from retention.model import FOREVER, SECOND, Camera, Micros, Window
from retention.rules import effective

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.context import Context

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
) -> dict[str, Any]:
    """The holds that keep something, oldest first: active, and those cooling off.

    `state`: only the active ones; of these the incomplete ones, those due for review,
    those whose release is pending; the released ones, cooling off or not; or all.
    `camera`: those that cover any camera of that id, now or once.  `reference`: those
    in whose reference that occurs, whatever its case.
    """
    if state is not None and state not in STATES:
        raise UsageError(
            f"{state!r} is no state of holds: use one of {', '.join(STATES)}"
        )
    with context.catalogue.read() as tx:
        keys = None if camera is None else _called(tx, camera)
        rows = [
            row
            for row in holds.listing(tx, context.now, all_=state in ("all", "released"))
            if (kind is None or row.kind == kind)
            and (reference is None or reference.casefold() in row.reference.casefold())
        ]
        seen = _seen(tx, rows, keys)
        two_people = effective(tx, context.settings).two_people
    return {
        "holds": [one for one in _shown(context, seen) if _is(one, state)],
        "two_person_release": two_people,
    }


def hold_show(context: Context, *, hold: int) -> dict[str, Any]:
    """One hold with everything that the log says of it."""
    with context.catalogue.read() as tx:
        seen = _seen(tx, [known(tx, hold)], None)
        entries = history.of_hold(tx, hold)
        two_people = effective(tx, context.settings).two_people
    (shown,) = _shown(context, seen)
    said = [
        {
            "number": entry["index"],
            "at": format_utc(entry["at"]),
            "kind": entry["kind"],
            "by": person(entry["actor"]["uid"], entry["actor"].get("name")),
        }
        for entry in entries
    ]
    return shown | {"history": said, "two_person_release": two_people}


class _Seen(NamedTuple):
    """A hold as it was read: row, cameras, the request for its release."""

    row: Row[Any]
    cameras: list[Camera]
    request: Row[Any] | None


def _seen(
    tx: Connection, rows: Collection[Row[Any]], cameras: set[int] | None
) -> list[_Seen]:
    """Holds with what belongs to them; with `cameras` (keys) those that cover any."""
    covered = holds.cameras_of_all(tx, {row.key for row in rows})
    waiting = holds.requests(tx)
    everyone = {one.key: one for one in register.everyone(tx)}
    return [
        _Seen(row, [everyone[key] for key in covered[row.key]], waiting.get(row.key))
        for row in rows
        if cameras is None or cameras & set(covered[row.key])
    ]


def _shown(context: Context, seen: Collection[_Seen]) -> list[dict[str, Any]]:
    """Holds for people.  Outside a transaction: asking the system for the members of a
    group can take its time."""
    pending = any(one.request is not None for one in seen)
    supervisors = members.of(context.settings, "supervisor") if pending else []
    return [_row(context.now, one, supervisors) for one in seen]


def state_of(row: Row[Any], now: Micros, *, pending: bool) -> str:
    """What a hold is at `now`: one of four words."""
    if row.free_at is None:
        return PENDING if pending else ACTIVE
    return COOLING if row.free_at > now else RELEASED


def _is(one: Mapping[str, Any], state: str | None) -> bool:
    active = one["state"] in (ACTIVE, PENDING)
    wanted: dict[str | None, bool] = {
        None: True,
        "all": True,
        "active": active,
        "incomplete": bool(one["incomplete"]),
        "review": one["review_due"],
        "pending": one["state"] == PENDING,
        "released": not active,
    }
    return wanted[state]


def _called(tx: Connection, id: str) -> set[int]:
    found = register.meaning(tx, id, Window(-FOREVER, FOREVER))
    if not found:
        raise UsageError(
            f"no camera was ever called {id!r}: look it up with `retention camera list`"
        )
    return {camera.key for camera in found}


def _row(now: Micros, seen: _Seen, supervisors: list[str]) -> dict[str, Any]:
    row, cameras, request = seen
    asked = asked_of(row).asked
    active = row.free_at is None
    return {
        "hold": row.key,
        "state": state_of(row, now, pending=request is not None),
        "kind": row.kind,
        "cameras": [
            {"camera": one.id, "location": one.location, "view": one.view}
            for one in cameras
        ],
        "asked": {"since": format_utc(asked.start), "until": end_of(asked.end)},
        "since": format_utc(row.since),
        "until": end_of(row.until),
        "margin_seconds": row.margin // SECOND,
        "typed": row.typed,
        "reference": row.reference,
        "reason": row.reason,
        "requester": row.requester,
        "officer": row.officer,
        "force": row.force,
        "power": row.power,
        "received": _instant(row.received),
        "incomplete": incomplete(row) if active else [],
        "placed": format_utc(row.placed),
        "placed_by": person(row.placed_by),
        "replaces": row.replaces,
        "review": format_utc(row.review),
        "review_due": active and row.review <= now,
        "release_requested": None if request is None else _request(request),
        "approvers": [] if request is None else others(supervisors, request.name),
        "released": _instant(row.released),
        "free_at": _instant(row.free_at),
    }


def _request(request: Row[Any]) -> dict[str, Any]:
    return {
        "at": format_utc(request.at),
        "by": request.name,
        "reason": request.reason,
        "entry": request.entry,
    }


def _instant(instant: Micros | None) -> str | None:
    return None if instant is None else format_utc(instant)
