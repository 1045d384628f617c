"""A hold taking effect: its transaction, the gate, and the answer that follows.

Stored first and answered after: from the commit on no unlink of a file that the hold
overlaps begins (the gate, design section 7).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from retention.catalogue import cameras as register
from retention.catalogue import holds, streams
from retention.catalogue.db import Priority
from retention.control.alarms import disk_full
from retention.control.gate import Rescue
from retention.holds.answer import Counted, answer_of
from retention.holds.terms import AskedTimes, asked_of, incomplete
from retention.model.answers.hold import HoldStretch, Inspection
from retention.model.errors import CatalogueError
from retention.model.localtime import format_utc, utc_or_null
from retention.model.policy import Holds
from retention.model.values import FOREVER, SECOND, Camera, Micros

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from retention.catalogue.db import Transaction
    from retention.control.context import Context
    from retention.holds.terms import Terms

T = TypeVar("T")

SETTLING_SECONDS = 2.0
"""How long an answer waits for files that are being unlinked as the hold comes."""

SCAN_SECONDS = 5.0
"""How long it waits, in all, for the disks to be read up to now."""

MOST_FILES, INSPECTION_SECONDS = 100_000, 2.0
"""How many of its files are looked at, and how long that may take."""

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
    context: Context, change: Callable[[Transaction], Kept], undone: str
) -> tuple[Kept, Rescue]:
    """Let `change` write a hold in one transaction, and save what waits to be unlinked.

    CatalogueError where it can't be written says `undone`: that it is not.  Lock order: writer lock, gate.  The gate stays shut until the commit is durable, so
    for each file either the hold or the unlink is first, never both.
    """
    rescue, committing = NOTHING_MET, False
    try:
        with ExitStack() as after_commit, context.write(Priority.HOLD) as tx:
            kept = change(tx)
            if context.gate is not None and kept.new:
                window = asked_of(kept.row).window
                after_commit.enter_context(context.gate.shut())
                rescue = context.gate.rescue(
                    {camera.key: (window,) for camera in kept.cameras}
                )
            committing = True
    except CatalogueError as error:
        raise _not_written(context, error, committing, undone) from error.__cause__
    if kept.new and context.clock is not None:
        kept = kept._replace(since=max(context.now, context.clock()))
    return kept, rescue


def _not_written(
    context: Context, error: CatalogueError, committing: bool, undone: str
) -> CatalogueError:
    """The same error, with what it means for who waits on the telephone.

    Of an error from COMMIT nobody knows whether it was done, but where the disk is full.
    """
    if committing and not disk_full(error):
        undone = (
            "It is NOT KNOWN whether this was done: look with `retention hold list`"
        )
    return type(error)(
        f"{error}. {undone}. This program begins no deletion while its catalogue can't be "
        "written, but the recorder may go on: try again at once, and call "
        f"{context.settings.contact}"
    )


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


def answer(
    context: Context, kept: Kept, rescue: Rescue, kind: Callable[..., T], **more: Any
) -> T:
    """What the caller is told: the hold, and what it keeps, as true as is known by now.

    `kind` is the answer's dataclass, `more` what it says besides.  Waits for files that
    are being unlinked, then for the disks to be read.
    """
    settled = context.gate is None or context.gate.wait_settled(
        rescue.unlinking, SETTLING_SECONDS
    )
    asked = asked_of(kept.row)
    said = said_of(asked, kept.row, kept.same_reference)
    if kept.since is not None:
        said["in_force_since"] = format_utc(kept.since)
    count = counted(context, asked, kept.cameras, rescue, settled=settled)
    return kind(**said | count._asdict() | more)


def counted(
    context: Context,
    asked: AskedTimes,
    cameras: list[Camera],
    rescue: Rescue = NOTHING_MET,
    *,
    settled: bool = True,
) -> Counted:
    """What there is of the time asked for, after another look at the disks."""
    unfinished = set()
    if context.rescan is not None and asked.window.start <= context.now:
        unfinished = context.rescan(_roots_of(context, cameras), SCAN_SECONDS)
    inspection = inspect(context, asked, cameras)
    found = answer_of(context, asked, cameras, rescue, settled, unfinished)
    # What can't be looked at may be anything: nobody is told that all of it is there.
    unreadable = inspection is not None and inspection.unreadable > 0
    return found._replace(
        inspection=inspection, all_preserved=found.all_preserved and not unreadable
    )


def said_of(
    asked: AskedTimes, hold: Row[Any] | Terms, same: list[int]
) -> dict[str, Any]:
    """What an answer says of the hold itself, by the names of its dataclass; `same`:
    holds of the same reference."""
    return {
        "hold": asked.number,
        "in_force_since": utc_or_null(asked.placed),
        "kind": hold.kind,
        "reference": hold.reference,
        "incomplete": incomplete(hold),
        "same_reference": same,
        "asked": HoldStretch(
            format_utc(asked.asked.start), utc_or_null(asked.asked.end)
        ),
        "since": format_utc(asked.window.start),
        "until": utc_or_null(asked.window.end),
        "margin_seconds": hold.margin // SECOND,
        "review": format_utc(hold.review),
        "dry_run": asked.number is None,
        "repeated": False,
        "note": NOTE,
    }


def inspect(
    context: Context, asked: AskedTimes, cameras: Collection[Camera]
) -> Inspection | None:
    """Have the files that a hold keeps looked at; None where nobody can, now."""
    if context.inspect is None:
        return None
    wanted = {camera.key: Holds((asked.window,)) for camera in cameras}
    names = _roots_of(context, cameras)
    return context.inspect(wanted, names, MOST_FILES, INSPECTION_SECONDS)


def _roots_of(context: Context, cameras: Collection[Camera]) -> set[str]:
    """The names of the roots that these cameras are recorded in, or may be."""
    with context.catalogue.read() as tx:
        return streams.recorded_in(tx)(camera.key for camera in cameras)
