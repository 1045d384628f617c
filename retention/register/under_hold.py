"""Changes to a camera that evidence holds cover: on record, and told until ruled on.

A hold keeps the camera that it was placed on, under whatever id.  Whether that is still
the one that was meant only people can say; until a review of the hold says so (`hold
review`), `status` asks, and where the id passed to another camera the hold covers both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from retention.catalogue import cameras, holds
from retention.catalogue.cameras import NAMED, UNDER_HOLD, noted_under_hold
from retention.catalogue.db import put_fact
from retention.holds import entries
from retention.model.values import Camera, Custody, Window
from retention.register.changes import entry_of

if TYPE_CHECKING:
    from retention.catalogue.db import Transaction
    from retention.control.context import Context


def note(
    context: Context, tx: Transaction, changed: Sequence[Camera], change: str
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
                context.now, "camera.under_hold", [camera.key],
                camera=camera.key, id=camera.id, change=change,
                holds=numbers[:NAMED], count=len(numbers),
            )  # fmt: skip
            number = tx.append(*entry)
            noted.append([number, context.now, camera.key, camera.id, change, numbers])
    if noted:
        put_fact(tx, UNDER_HOLD, [*noted_under_hold(tx), *noted])
    return found


def cover(
    context: Context, tx: Transaction, numbers: Iterable[int], old: Camera, new: Camera
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
            row, window=Window(row.since, row.until),
            review=row.review, added=[new.key], covered=covered,
            reason=f"camera {old.id} was replaced by another under the same id",
        )  # fmt: skip
        tx.append(*entry)
        covering.append(number)
    return covering
