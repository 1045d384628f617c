"""What a loss means for people: held footage that is lost, a camera or a root emptied.

All are raised in the transaction that books the loss, as its last steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import cameras as register
from retention.catalogue import holds, lost, raised, recordings, roots, streams
from retention.catalogue.db import Transaction, get_fact, put_fact
from retention.control import alarms, guards
from retention.model.localtime import format_utc
from retention.model.policy import Holds
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    Micros,
    Recording,
    State,
    Stream,
    Window,
)

if TYPE_CHECKING:
    from retention.catalogue.lost import Lost
    from retention.footage.ingest.intake import Parts

GONE = "vanished, and not by this program"
OTHER = "is other than catalogued (shrunk, overwritten, or its times moved)"

LONGEST = 600
"""Characters of an alarm that says one loss after another."""

_MORE = "; and more since"
_HELD = "footage under hold "
_FEW = 3
_FLOOR = 20
"""So many recordings may vanish, whatever part of a root they are."""

_LATELY = "lost.lately."
_AGES = "lost.ages."
_REMEMBERED, _ENOUGH, _MOST = 50, 20, 0.8


class Loss(NamedTuple):
    """A recording that was lost or overwritten; `doubtful`: its times were in doubt."""

    row: Recording
    camera: int
    doubtful: bool

    @classmethod
    def of(cls, stream: Stream, row: Recording) -> Loss:
        """The loss of a recording, as it was in the catalogue."""
        doubtful = stream.quarantined is not None or row.state is State.QUARANTINED
        return cls(row, stream.camera, doubtful)


def note_held(
    tx: Transaction,
    parts: Parts,
    now: Micros,
    losses: Sequence[Loss],
    what: str,
    entry: int,
) -> None:
    """Raise an alarm for each hold in force that keeps any of these; `what` became of
    them, and the entry that says so.  A later loss is added to the alarm that stands."""
    windows = holds.windows_of(tx, {one.camera for one in losses}, now)
    by_hold: dict[int, list[Loss]] = {}
    for one in losses:
        start, end = one.row.start, one.row.end
        for hold, window in windows[one.camera].items():
            if Holds((window,)).hold(start, end, doubtful=one.doubtful):
                by_hold.setdefault(hold, []).append(one)
    for hold, found in sorted(by_hold.items()):
        if what == OTHER:
            lost.keep_overwritten(tx, hold, (one.row for one in found))
        _raise_held(tx, now, f"{hold}/{parts.root.name}", found, what, entry)


def _raise_held(
    tx: Transaction,
    now: Micros,
    scope: str,
    found: Sequence[Loss],
    what: str,
    entry: int,
) -> None:
    hold, _, root = scope.partition("/")
    cameras = {one.camera for one in found}
    said = (
        f"{_number(found)} of {_called(tx, cameras)} in {root}, from "
        f"{format_utc(min(one.row.start for one in found))} to "
        f"{format_utc(max(one.row.end for one in found))} (entry {entry})"
    )
    head = f"{_HELD}{hold} {what}: "
    _add(tx, now, guards.HELD_LOST, scope, said, cameras, head)


def _add(
    tx: Transaction, now: Micros, name: str, scope: str, said: str, cameras: set[int],
    head: str = "",
) -> None:  # fmt: skip
    """Raise an alarm, or say this too in the one that stands; after `head`, unless that
    was the last one said."""
    before = raised.find(tx, name, scope)
    if before is None:
        said = head + said
    else:
        again = head and before.detail.rfind(_HELD) == before.detail.rfind(head)
        said = _besides(before.detail, said if again else head + said)
        cameras = cameras | set(before.cameras)
    alarms.trip(tx, now, name, scope, said, cameras=cameras)


def _number(found: Sequence[Loss]) -> str:
    return "1 recording" if len(found) == 1 else f"{len(found)} recordings"


def _called(tx: Connection, keys: Collection[int]) -> str:
    """A few cameras by their ids, else how many there are."""
    if len(keys) > _FEW:
        return f"{len(keys)} cameras"
    return f"camera {', '.join(_id(tx, key) for key in sorted(keys))}"


def _id(tx: Connection, key: int) -> str:
    found = register.by_key(tx, key)
    return str(key) if found is None else found.id


def _besides(before: str, said: str) -> str:
    if len(before) + len(said) > LONGEST:
        # That some is other than catalogued is said whatever it takes: see `note_back`.
        more = (
            f"{_MORE} that {OTHER}" if OTHER in said and OTHER not in before else _MORE
        )
        return before if before.endswith(more) else before + more
    return f"{before}; {said}"


def note_back(tx: Transaction, back: Iterable[Lost], now: Micros) -> None:
    """These were lost and are there again, known as such no more: the alarms end of
    which all is back.  What is other than catalogued is not."""
    keys = sorted({one.root for one in back})
    for root in (roots.get(tx, key) for key in keys):
        if root is not None:
            _end_where_back(tx, root, now)


def _end_where_back(tx: Transaction, root: roots.Root, now: Micros) -> None:
    standing = [
        one
        for one in raised.everyone(tx)
        if one.name in (guards.HELD_LOST, guards.CAMERA_GONE, guards.LOST)
        and root.name in one.scope.split("/")
        and OTHER not in one.detail
        # What no hold kept is known again for a week only: later nobody can say so.
        and (one.name == guards.HELD_LOST or one.since > now - lost.LATELY)
    ]
    if not standing:
        return
    left = lost.of_root(tx, root.key, min(one.since for one in standing))
    owners = {s.key: s for s in streams.by_keys(tx, {one.row.stream for one in left})}
    windows = holds.windows_of(tx, {s.camera for s in owners.values()}, now)
    for alarm in standing:
        hold = alarm.scope.partition("/")[0] if alarm.name == guards.HELD_LOST else None
        missing = (
            (stream, one)
            for one in left
            for stream in [owners[one.row.stream]]
            if one.at >= alarm.since and stream.camera in alarm.cameras
        )
        if not any(
            hold is None or _keeps(windows[stream.camera].get(int(hold)), stream, one)
            for stream, one in missing
        ):
            over = "all that was lost is there again, or elsewhere"
            alarms.clear_in(tx, alarm.name, alarm.scope, over)


def _keeps(window: Window | None, stream: Stream, one: Lost) -> bool:
    doubtful = one.doubt is not None and not one.doubt.settled
    doubtful = doubtful or stream.quarantined is not None
    return window is not None and Holds((window,)).hold(
        one.row.start, one.row.end, doubtful=doubtful
    )


def note_emptied(
    tx: Transaction, parts: Parts, now: Micros, gone: Sequence[Loss]
) -> None:
    """Trip the guard where over half of a root's recordings, and over 20, vanished within
    the last hour, none so old that its recorder deletes it; raise an alarm for each
    camera of which nothing is left.

    Their rows are out of the catalogue.  The last hour, not one scan: a tree is removed
    in minutes, while scans go on, and a reconciliation finds that page by page.  All
    that one scan finds bears the one reading of its clock, so it is within the hour,
    whatever time it took.  Where people said that another disk is there now, until that
    was compared with the rows, what it did not bring along is told and no more.
    """
    root = parts.root
    replaced = roots.is_new_disk(tx, root.key)
    # Not learned anew from what vanishes now.
    lately = _lately(tx, root.key, now)
    odd = [
        one
        for one in gone
        if not _is_ordinary(now - one.row.end, lately["age"], parts.recorder_keeps)
    ]
    cameras = {one.camera for one in odd}
    held = holds.of_cameras(tx, cameras, now)
    _raise_lost(
        tx,
        root.name,
        [
            one
            for one in odd
            if not held[one.camera].hold(
                one.row.start, one.row.end, doubtful=one.doubtful
            )
        ],
        now,
    )
    if replaced:
        return
    for camera in sorted(cameras):
        if not _has_any(tx, camera):
            detail = (
                f"all footage that there was of camera {_id(tx, camera)} is gone: the rest "
                f"in {root.name} vanished, and not by this program"
            )
            scope = f"{root.name}/{_id(tx, camera)}"
            alarms.trip(tx, now, guards.CAMERA_GONE, scope, detail, cameras={camera})
    remember_ages(tx, root.key, [one.row for one in gone], now)
    past: list[list[int]] = lately["past"]
    if not past or now - past[-1][0] >= MINUTE:
        past.append([now, 0, 0])
    past[-1][1:] = [past[-1][1] + len(odd), past[-1][2] + len(gone)]
    put_fact(tx, f"{_LATELY}{root.key}", lately)
    lost = sum(one[1] for one in past)
    if lost <= _FLOOR:  # counting reads every row
        return
    before = roots.count_recordings(tx, root.key) + sum(one[2] for one in past)
    if 2 * lost > before:
        detail = (
            f"{lost} of {before} recordings of {root.name} vanished since "
            f"{format_utc(past[0][0])}, and neither this program nor, by their age, the "
            "recorder deleted them"
        )
        alarms.trip(tx, now, guards.VANISHED, root.name, detail, cameras=cameras)


def _lately(tx: Connection, root: int, now: Micros) -> dict[str, Any]:
    """What vanished of a root in the last hour: `past`, by its minutes, (since, out of
    the ordinary, all); `age`, at which its recorder seemed to delete before that."""
    known = get_fact(tx, f"{_LATELY}{root}") or {}
    past = [one for one in known.get("past", ()) if now - HOUR < one[0] <= now]
    return {"past": past, "age": known["age"] if past else recorder_deletes(tx, root)}


def _raise_lost(tx: Transaction, root: str, found: Sequence[Loss], now: Micros) -> None:
    """Footage that no hold keeps vanished before its recorder deletes it."""
    if not found:
        return
    cameras = {one.camera for one in found}
    said = (
        f"{_number(found)} of {_called(tx, cameras)} {GONE}, from "
        f"{format_utc(min(one.row.start for one in found))} to "
        f"{format_utc(max(one.row.end for one in found))}"
    )
    _add(tx, now, guards.LOST, root, said, cameras)


def _is_ordinary(age: Micros, learned: int | None, keeps: Micros | None) -> bool:
    """Whether the recorder itself deletes at such an age, by the settings or by what was
    seen of it."""
    if keeps is not None:
        return age >= keeps - DAY
    return learned is not None and abs(age // DAY - learned) <= 1


def _has_any(tx: Connection, camera: int) -> bool:
    return any(
        recordings.page(tx, stream.key, None, 1)
        for stream in streams.of_camera(tx, camera)
    )


def remember_ages(
    tx: Connection, root: int, gone: Iterable[Recording], now: Micros
) -> None:
    """Keep the ages, in whole days, at which the last few files of a root vanished."""
    ages = get_fact(tx, f"{_AGES}{root}") or []
    ages += [(now - row.end) // DAY for row in list(gone)[-_REMEMBERED:]]
    put_fact(tx, f"{_AGES}{root}", ages[-_REMEMBERED:])


def recorder_deletes(tx: Connection, root: int) -> int | None:
    """The age in days at which the recorder seems to delete by itself: most of what
    vanished in this root lately was about that old."""
    ages = sorted(get_fact(tx, f"{_AGES}{root}") or [])
    if len(ages) < _ENOUGH:
        return None
    middle: int = ages[len(ages) // 2]
    near = sum(abs(age - middle) <= 1 for age in ages)
    return middle if near >= _MOST * len(ages) else None
