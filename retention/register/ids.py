"""Ids passing from camera to camera, inside a caller's transaction.

Ids are labels: a camera that loses its id to another keeps its key, its footage and
its holds, and counts as retired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import cameras
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import Camera, Entry, Micros
from retention.register.changes import entry_of
from retention.register.importing import displaceable
from retention.register.lists import check_id
from retention.register.pairs import Typed

if TYPE_CHECKING:
    from sqlalchemy import Connection


def holder(tx: Connection, id: str) -> Camera:
    """Today's camera of `id`; RetentionError says who had it last."""
    camera = cameras.today(tx, id)
    if camera is None:
        raise unknown(tx, id)
    return camera


def unknown(tx: Connection, id: str) -> RetentionError:
    """There is no camera of that id today; who had it, if anybody."""
    lost = cameras.last_holder(tx, id)
    if lost is None:
        return RetentionError(
            f"no camera has the id {id[:64]!r}: `retention camera list` shows them all"
        )
    camera, until = lost
    named = cameras.ids(tx, camera.key)[-1][2] is None
    return RetentionError(
        f"no camera has the id {id!r} today: until {format_utc(until)} it was that of "
        + (f"camera {camera.id} " if named else "a camera that has none now ")
        + f"({camera.location})"
        + (f"; type {camera.id} if you mean that one" if named else "")
    )


def displace(tx: Connection, camera: Camera) -> None:
    """A camera that loses its id to another is out of use."""
    gone = replace(camera, listed=False, retired=True)
    if gone != camera:
        cameras.update(tx, camera, gone)


def replaced_entry(at: Micros, id: str, old: Camera, new: Camera) -> Entry:
    """`camera.replaced`: `old` lost `id` to `new`, and is retired by that."""
    keys = (old.key, new.key)
    fields = {"id": id, "old": old.key, "new": new.key}
    return entry_of(at, "camera.replaced", keys, **fields)


class Renumbering(NamedTuple):
    """Pairs that may be applied: who is meant, and who loses an id to them for good."""

    pairs: Sequence[Typed]
    cameras: Mapping[str, Camera]
    displaced: Mapping[str, Camera]

    def apply(self, tx: Connection, now: Micros) -> Micros:
        """Pass the ids on, all at once; the instant from which they are valid."""
        ids = [id for pair in self.pairs for id in (pair.old, pair.new)]
        at = cameras.next_instant(tx, ids, now)
        losers = {self.cameras[pair.old].key: pair.old for pair in self.pairs}
        losers |= {camera.key: id for id, camera in self.displaced.items()}
        gainers = {self.cameras[pair.old].key: pair.new for pair in self.pairs}
        for camera in self.displaced.values():
            displace(tx, camera)
        cameras.relabel(tx, losers, gainers, at)
        return at

    def renamed(self) -> list[Camera]:
        """The cameras of the pairs under their new ids."""
        return [replace(self.cameras[pair.old], id=pair.new) for pair in self.pairs]

    def entries(self, at: Micros) -> list[Entry]:
        """One a pair, and one for each camera that another took the id from."""
        entries = []
        for pair in self.pairs:
            camera = self.cameras[pair.old]
            if pair.new in self.displaced:
                loser = self.displaced[pair.new]
                entries.append(replaced_entry(at, pair.new, loser, camera))
            fields = {"camera": camera.key, "old": pair.old, "new": pair.new}
            entries.append(entry_of(at, "camera.renumbered", [camera.key], **fields))
        return entries


def judge(tx: Connection, pairs: Sequence[Typed], name: str | None) -> Renumbering:
    """The pairs as they can be applied; `name` is the file that they came from.

    RetentionError names every bad pair, with its line where there is a file.
    """
    current = cameras.current(tx)
    free = displaceable(tx)
    given_up = {pair.old for pair in pairs}
    seen: dict[str, int] = {}
    displaced, wrong = {}, []
    for pair in pairs:
        taken = None if pair.new in given_up else current.get(pair.new)
        fault = _fault(tx, current, pair, seen)
        if fault is None and taken is not None:
            displaced[pair.new] = taken
            if not taken.retired and taken.key not in free:
                fault = (
                    f"{pair.new} is another camera's id ({taken.location}); "
                    f"`retention camera retire {pair.new}` first if that is out of use"
                )
        if fault:
            wrong.append(f"line {pair.line}: {fault}" if name else fault)
    if wrong:
        more = f"; and {len(wrong) - 10} more" if len(wrong) > 10 else ""
        raise RetentionError(
            (f"{name}: " if name else "")
            + f"{'; '.join(wrong[:10])}{more}. Nothing was renumbered"
        )
    return Renumbering(pairs, current, displaced)


def _fault(
    tx: Connection, current: Mapping[str, Camera], pair: Typed, seen: dict[str, int]
) -> str | None:
    """What is wrong with a pair by itself or with one before it."""
    try:
        check_id(pair.new)
    except UsageError as error:
        return str(error)
    if pair.old == pair.new:
        return f"{pair.old} can't become itself"
    if pair.old not in current:
        return str(unknown(tx, pair.old))
    for side in (f"old {pair.old}", f"new {pair.new}"):
        if side in seen:
            return f"{side} is on line {seen[side]} already"
        seen[side] = pair.line
    return None
