"""A recorder's name is given to its right camera: what it recorded goes there, on record.

A stream's row is frozen, its camera too; so recordings move to a stream of the right
camera that names files alike, page by page, each with its entry.  Holds on the wrong
camera that cover any of them cover the right one from then on, until people rule on
them: nothing leaves a hold by this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import (
    cameras,
    cover,
    doubtful_times,
    holds,
    recordings,
    roots,
    streams,
)
from retention.catalogue.db import Priority
from retention.catalogue.recordings import OURS_TO_CHANGE, Move
from retention.control import in_force
from retention.holds import entries
from retention.holds.effect import Kept, read_back, take_effect
from retention.model.answers.camera import AssignedFrom, CameraAssigned
from retention.model.errors import RetentionError, StaleError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import (
    FOREVER,
    Camera,
    Custody,
    Entry,
    Micros,
    Recording,
    Rows,
    State,
    Stream,
    Window,
)
from retention.model.wording import reason_of
from retention.register import changes, ids, under_hold

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.control.context import Context

PAGE = 1_000

_COLUMNS = (
    "camera", "stream", "start", "n", "duration", "bytes", "path", "new_camera",
    "new_stream", "new_n",
)  # fmt: skip


class _Assignment(NamedTuple):
    """What is to be given to whom: a recorder's name in a root, from an instant on."""

    root: roots.Root
    name: str
    camera: Camera
    since: Micros
    reason: str


class _Covered(NamedTuple):
    """What one stream of another camera has of it, and the holds that cover any."""

    stream: Stream
    recordings: int
    size: int
    busy: int
    holds: list[int]


def camera_assign(
    context: Context,
    *,
    name: str,
    camera: str,
    reason: str,
    since: str | None = None,
    dry_run: bool = False,
) -> CameraAssigned:
    """Give what a recorder wrote as `name` ("root/name") to its right camera.

    `since`: only recordings that begin at that instant or later; one that began before
    stays where it is.  `dry_run`: nothing is changed, the answer says what would be.
    What is being deleted at the moment is left, and counted.  Broken off, it can be
    given again.
    """
    with context.catalogue.read() as tx:
        asked = _asked(context, tx, name, camera, since, reason)
        found = [
            _look(context, tx, stream, asked)
            for stream in streams.of_root(tx, asked.root.key)
            if stream.name == asked.name and stream.camera != asked.camera.key
        ]
        found = [one for one in found if one.recordings or one.busy]
        known = {one.key: one.id for one in cameras.everyone(tx)}
        held = cameras.active_holds(tx, [asked.camera.key], context.now)
    if not found:
        raise RetentionError(
            f"no recording of {name} in that time is of another camera than {camera}: "
            "there is nothing to give to it"
        )
    extended = sorted({hold for one in found for hold in one.holds})
    extended = [hold for hold in extended if hold not in held[asked.camera.key]]
    if not dry_run:
        for hold in extended:
            _extend(context, asked, hold)
        _note_holds(context, found)
        for one in found:
            _give(context, one.stream, asked)
    return CameraAssigned(
        root=asked.root.name,
        name=asked.name,
        camera=changes.describe(asked.camera, context.settings.own_controller),
        since=None if since is None else format_utc(asked.since),
        recordings=sum(one.recordings for one in found),
        bytes=sum(one.size for one in found),
        being_deleted=sum(one.busy for one in found),
        taken_from=[
            AssignedFrom(known[one.stream.camera], one.recordings, one.holds)
            for one in found
        ],
        holds_covering_both=extended,
        holds=held[asked.camera.key],
        dry_run=dry_run,
    )


def _asked(
    context: Context,
    tx: Connection,
    name: str,
    camera: str,
    since: str | None,
    reason: str,
) -> _Assignment:
    root_name, _, own = name.partition("/")
    root = roots.by_name(tx, root_name)
    if root is None or not own:
        raise UsageError(
            f"{name!r} is no recorder's name in a footage root: write ROOT/NAME, as "
            "`retention camera show ID` lists them"
        )
    if all(stream.name != own for stream in streams.of_root(tx, root.key)):
        raise UsageError(
            f"nothing was recorded as {own!r} in footage root {root.name}: `retention "
            "camera show ID` lists the recorder's names of a camera"
        )
    right = ids.holder(tx, camera)
    if right.custody is not Custody.COUNCIL:
        raise RetentionError(
            f"camera {camera} is not the council's ({right.custody}): the council holds "
            "no footage of it, so nothing can be given to it"
        )
    first = -FOREVER if since is None else context.moment.instant(since)
    return _Assignment(
        root, own, right, first, reason_of(reason, "it is that camera's")
    )


def _pages(tx: Connection, stream: Stream, since: Micros) -> Iterator[list[Recording]]:
    after = (since, -1)
    while rows := recordings.page(tx, stream.key, after, PAGE):
        yield rows
        after = rows[-1].start, rows[-1].n


def _look(
    context: Context, tx: Connection, stream: Stream, asked: _Assignment
) -> _Covered:
    """Count what would go; which holds cover any of it."""
    number = size = busy = 0
    covering: Counter[int] = Counter()
    for rows in _pages(tx, stream, asked.since):
        doubts = recordings.doubts(tx, stream.key, rows[0].start, rows[-1].start + 1)
        ours = [row for row in rows if row.state in OURS_TO_CHANGE]
        number, size = number + len(ours), size + sum(row.size for row in ours)
        busy += len(rows) - len(ours)
        footings = [
            recordings.footing(stream, row, doubts.get(row.key)) for row in ours
        ]
        for numbers in cover.covering(tx, footings, context.now):
            covering.update(numbers)
    return _Covered(stream, number, size, busy, sorted(covering))


def _extend(context: Context, asked: _Assignment, hold: int) -> None:
    """A hold on the wrong camera covers the right one, too."""

    def change(tx: Transaction) -> Kept:
        row = holds.find(tx, hold)
        if row is None:
            raise StaleError(f"hold {hold} is not there any more; try again")
        covered = sorted({*holds.cameras_of(tx, hold), asked.camera.key})
        holds.add_cameras(tx, hold, [asked.camera.key])
        entry = entries.extended(
            row, window=Window(row.since, row.until), review=row.review,
            added=[asked.camera.key], covered=covered,
            reason=f"{asked.root.name}/{asked.name} is camera {asked.camera.id}: "
            + asked.reason,
        )  # fmt: skip
        tx.append(*entry)
        return read_back(tx, hold)

    take_effect(context, change, f"Hold {hold} does NOT cover the right camera yet")


def _note_holds(context: Context, found: list[_Covered]) -> None:
    """People are asked whether these holds still cover what was meant."""
    keys = {one.stream.camera for one in found if one.holds}
    with context.write(Priority.SCAN) as tx:
        wrong = [one for one in cameras.everyone(tx) if one.key in keys]
        under_hold.note(context, tx, wrong, "assigned")


def _give(context: Context, old: Stream, asked: _Assignment) -> None:
    with context.write(Priority.SCAN) as tx:
        both = {old.camera, asked.camera.key}
        in_force.refuse_less(context.catalogue, tx, both, context.now)
        new = _stream_for(tx, old, asked)
    while True:
        with context.write(Priority.SCAN) as tx:
            rows = next(_movable(tx, old, asked.since), None)
            if rows is None:
                return
            moves = [
                Move(row, row._replace(stream=new.key, state=state), doubt)
                for row in rows
                for doubt in [recordings.doubt(tx, row.key)]
                for state in [_state(row, doubt is not None and not doubt.settled)]
            ]
            done, refused = recordings.change(tx, moves, context.now)
            if refused:
                raise StaleError(
                    "a hold on the camera came meanwhile; give the same command again"
                )
            tx.append(*_entry(old, new, asked, done))


def _state(row: Recording, doubtful: bool) -> State:
    """One that could not be deleted is tried again as if for the first time."""
    return State.QUARANTINED if doubtful else State.PRESENT


def _movable(
    tx: Connection, stream: Stream, since: Micros
) -> Iterator[list[Recording]]:
    for rows in _pages(tx, stream, since):
        if ours := [row for row in rows if row.state in OURS_TO_CHANGE]:
            yield ours


def _stream_for(tx: Transaction, old: Stream, asked: _Assignment) -> Stream:
    """The stream of the right camera that names files as `old` does; in doubt where that
    is."""
    alike = [
        one
        for one in streams.of_camera(tx, asked.camera.key)
        if (one.root, one.layout, one.zone, one.name, one.extension)
        == (old.root, old.layout, old.zone, old.name, old.extension)
    ]
    if alike:
        new = alike[0]
    else:
        new = streams.add(
            tx, root=old.root, camera=asked.camera.key, layout=old.layout,
            zone=old.zone, name=old.name, extension=old.extension,
            max_length=old.max_length,
        )  # fmt: skip
        tx.append(*streams.opened(new, asked.root.name))
    doubtful_times.inherit(tx, old, new)
    return new


def _entry(old: Stream, new: Stream, asked: _Assignment, moves: list[Move]) -> Entry:
    values = [
        (
            old.camera,
            *was.key,
            was.duration,
            was.size,
            was.path,
            new.camera,
            new.key,
            now.n,
        )
        for was, now, _ in moves
    ]
    return Entry(
        "recordings.assigned",
        {
            "camera": new.camera, "id": asked.camera.id, "old_camera": old.camera,
            "root": asked.root.name, "name": asked.name, "count": len(moves),
            "reason": asked.reason,
        },
        Rows(_COLUMNS, values),
        tuple((new.camera, now.start, now.end) for _, now, _ in moves),
    )  # fmt: skip
