"""Changes to a camera that evidence holds cover: on record, and told until ruled on.

A hold keeps the camera that it was placed on, under whatever id.  Whether that is still
the one that was meant only people can say; until a review of the hold says so (`hold
review`), `status` asks, and where the id passed to another camera the hold covers both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from retention.audit.listing import listing
from retention.cameras.changes import entry_of
from retention.catalogue import cameras, holds
from retention.catalogue.db import get_fact, put_fact
from retention.holds import entries
from retention.localtime import format_utc
from retention.model import Camera, Custody, Window

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context

_FACT = "cameras.under_hold"

NAMED = 500
"""Holds named in one entry; it has room for no more than some thousands."""


def note(
    context: Context, tx: Connection, changed: Sequence[Camera], change: str
) -> dict[int, list[int]]:
    """Put on record that cameras were `change`d under holds; by key, which holds.

    To be called when the entry of the change itself was appended: the two lie together.
    """
    found = cameras.active_holds(tx, [one.key for one in changed], context.now)
    noted = []
    for camera in changed:
        numbers = found[camera.key]
        if numbers:
            entry = entry_of(
                context.now, context.actor, "camera.under_hold", [camera.key],
                camera=camera.key, id=camera.id, change=change,
                holds=numbers[:NAMED], count=len(numbers),
            )  # fmt: skip
            number = context.log.append(tx, entry)
            noted.append([number, context.now, camera.key, camera.id, change, numbers])
    if noted:
        put_fact(tx, _FACT, [*_unruled(tx), *noted])
    return found


def cover(
    context: Context, tx: Connection, numbers: Iterable[int], old: Camera, new: Camera
) -> list[int]:
    """Let holds on `old` cover `new` too, which has its id now; the holds that do.

    Nothing of a new camera can be in flight yet, so the gate is not needed.  Data in
    others' custody is not ours to hold.
    """
    if new.custody is not Custody.COUNCIL:
        return []
    covering = []
    for number in numbers:
        row = holds.find(tx, number)
        if row is None:
            continue
        covered = sorted({*holds.cameras_of(tx, number), new.key})
        holds.add_cameras(tx, number, [new.key])
        entry = entries.extended(
            context.now, context.actor, row, window=Window(row.since, row.until),
            review=row.review, added=[new.key], covered=covered,
            reason=f"camera {old.id} was replaced by another under the same id",
        )  # fmt: skip
        context.log.append(tx, entry)
        covering.append(number)
    return covering


def unruled(tx: Connection) -> list[dict[str, Any]]:
    """Each change under a hold that nobody has ruled on, as answers show it."""
    return [
        {
            "entry": number,
            "at": format_utc(at),
            "camera": id_,
            "change": change,
            "holds": numbers,
        }
        for number, at, _, id_, change, numbers in _unruled(tx)
    ]


def _unruled(tx: Connection) -> list[list[Any]]:
    """The changes noted, with those of their holds that are active and not reviewed
    since."""
    noted = get_fact(tx, _FACT) or []
    if not noted:
        return []
    numbers = {hold for one in noted for hold in one[-1]}
    active = {hold for hold in numbers if _active(tx, hold)}
    reviewed = _reviews(tx, noted[0][0])
    left = []
    for number, *about, under in noted:
        open_ = [
            hold for hold in under if hold in active and reviewed.get(hold, -1) < number
        ]
        if open_:
            left.append([number, *about, open_])
    return left


def _active(tx: Connection, number: int) -> bool:
    row = holds.find(tx, number)
    return row is not None and row.free_at is None


def _reviews(tx: Connection, after: int) -> dict[int, int]:
    """By hold its last review, of those on record after entry `after`."""
    found: dict[int, int] = {}
    before: int | None = None
    while True:
        page = listing(tx, kind="hold.reviewed", before=before, limit=500)
        for entry in page:
            if entry["index"] < after:
                return found
            found.setdefault(entry["fields"]["hold"], entry["index"])
        if len(page) < 500:
            return found
        before = page[-1]["index"]
