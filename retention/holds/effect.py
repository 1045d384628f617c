"""A hold taking effect: its transaction, the gate, and the answer that follows.

Stored first and answered after: from the commit on no unlink of a file that the hold
overlaps begins (the gate, design section 7).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import cameras as register
from retention.catalogue import holds, roots, streams
from retention.catalogue.db import Priority
from retention.deletion.gate import Rescue
from retention.holds.answer import answer_of
from retention.holds.asked import Asked, asked_of, incomplete
from retention.localtime import format_utc
from retention.model import FOREVER, SECOND, Camera, Micros

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.context import Context
    from retention.holds.asked import Terms

SETTLING_SECONDS = 2.0
"""How long an answer waits for files that are being unlinked as the hold comes."""

LOOKING_SECONDS = 5.0
"""How long it waits, in all, for the disks to be read up to now."""

NOTHING_MET = Rescue([], [])

NOTE = "protected from deletion by this program; the recorder's own clean-up is not stopped"


class Kept(NamedTuple):
    """A hold as it is in force: its row, its cameras, others with its reference."""

    row: Row[Any]
    cameras: list[Camera]
    same_reference: list[int]
    new: bool = True
    """Whether this transaction made it cover more: else the gate is not needed."""
    since: Micros | None = None
    """When that was durable: from here on no unlink of what it covers begins."""


def take_effect(
    context: Context, change: Callable[[Connection], Kept]
) -> tuple[Kept, Rescue]:
    """Let `change` write a hold in one transaction, and save what waits to be unlinked.

    Lock order: writer lock, gate.  The gate stays shut until the commit is durable, so
    for each file either the hold or the unlink is first, never both.
    """
    rescue = NOTHING_MET
    with ExitStack() as after_commit, context.catalogue.write(Priority.HOLD) as tx:
        kept = change(tx)
        if context.gate is not None and kept.new:
            window = asked_of(kept.row).window
            after_commit.enter_context(context.gate.shut())
            rescue = context.gate.rescue(
                {camera.key: (window,) for camera in kept.cameras}
            )
    if kept.new and context.clock is not None:
        kept = kept._replace(since=max(context.now, context.clock()))
    return kept, rescue


def read_back(tx: Connection, number: int, *, new: bool = True) -> Kept:
    """A hold as the catalogue has it now; its number is one that is there."""
    row = holds.find(tx, number)
    assert row is not None  # noqa: S101 never removed, and just written
    keys = holds.cameras_of(tx, number)
    known = {camera.key: camera for camera in register.everyone(tx)}
    same = same_reference(tx, row.reference, number)
    return Kept(row, [known[key] for key in sorted(keys)], same, new)


def same_reference(tx: Connection, reference: str, but: int | None) -> list[int]:
    """The active holds with the same reference, whatever its case."""
    wanted = reference.casefold()
    return [
        row.key
        for row in holds.listing(tx, FOREVER)  # none that cools off
        if wanted and row.reference.casefold() == wanted and row.key != but
    ]


def answer(context: Context, kept: Kept, rescue: Rescue) -> dict[str, Any]:
    """What the caller is told: the hold, and what it keeps, as true as is known by now.

    Waits for files that are being unlinked, then for the disks to be read.
    """
    settled = context.gate is None or context.gate.wait_settled(
        rescue.unlinking, SETTLING_SECONDS
    )
    asked = asked_of(kept.row)
    said = said_of(asked, kept.row, kept.same_reference)
    if kept.since is not None:
        said["in_force_since"] = format_utc(kept.since)
    return said | counted(context, asked, kept.cameras, rescue, settled=settled)


def counted(
    context: Context,
    asked: Asked,
    cameras: list[Camera],
    rescue: Rescue = NOTHING_MET,
    *,
    settled: bool = True,
) -> dict[str, Any]:
    """What there is of the time asked for, after another look at the disks."""
    unfinished = _look(context, asked, cameras)
    return answer_of(context, asked, cameras, rescue, settled, unfinished)


def said_of(asked: Asked, hold: Row[Any] | Terms, same: list[int]) -> dict[str, Any]:
    """What an answer says of the hold itself; `same`: holds of the same reference."""
    return {
        "hold": asked.number,
        "in_force_since": None if asked.placed is None else format_utc(asked.placed),
        "kind": hold.kind,
        "reference": hold.reference,
        "incomplete": incomplete(hold),
        "same_reference": same,
        "asked": {
            "since": format_utc(asked.asked.start),
            "until": end_of(asked.asked.end),
        },
        "since": format_utc(asked.window.start),
        "until": end_of(asked.window.end),
        "margin_seconds": hold.margin // SECOND,
        "review": format_utc(hold.review),
        "dry_run": asked.number is None,
        "repeated": False,
        "note": NOTE,
    }


def end_of(instant: Micros) -> str | None:
    """The end of a window as text; None while it is open."""
    return None if instant == FOREVER else format_utc(instant)


def _look(context: Context, asked: Asked, cameras: list[Camera]) -> set[str]:
    """Have the roots of these cameras read now; the names of those not finished.

    A camera whose files nobody has met yet may record into any root.
    """
    if context.look is None or asked.window.start > context.now:
        return set()
    with context.catalogue.read() as tx:
        names = {root.key: root.name for root in roots.everyone(tx)}
        used = {camera.key: streams.of_camera(tx, camera.key) for camera in cameras}
    wanted = set(names.values())
    if all(used.values()):
        wanted = {names[one.root] for found in used.values() for one in found}
    return context.look(wanted, LOOKING_SECONDS)
