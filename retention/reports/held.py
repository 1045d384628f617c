"""Holds as the log tells them: which covered some footage, and when they were in force.

In force is from placing to the end of the cooling off after a release.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from retention.model.answers.books import HoldOver
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import Micros
from retention.tlog.kinds import telling
from retention.tlog.source import Record

_COVER = telling("cover")


class _Cover(NamedTuple):
    """What a hold covers from an entry on."""

    at: Micros
    since: Micros
    until: Micros
    cameras: frozenset[int]


@dataclass(slots=True)
class Hold:
    """One hold: what it covered since when, and each instant from which it was, or was
    to be, free (None: in force again)."""

    number: int
    kind: str
    terms: list[_Cover] = field(default_factory=list)
    freed: list[tuple[Micros, Micros | None]] = field(default_factory=list)
    released: Micros | None = None
    entries: list[int] = field(default_factory=list)

    def covers(self, camera: int, start: Micros, end: Micros, at: Micros) -> bool:
        """Whether it was in force at an instant over that footage."""
        terms = [one for one in self.terms if one.at <= at]
        free = self._free_at(at)
        if not terms or (free is not None and free <= at):
            return False
        return _meets(terms[-1], camera, start, end)

    def ever(self, camera: int, start: Micros, end: Micros) -> bool:
        """Whether it ever covered that footage."""
        return any(_meets(one, camera, start, end) for one in self.terms)

    def _free_at(self, at: Micros) -> Micros | None:
        known = [free for said, free in self.freed if said <= at]
        return known[-1] if known else None

    def told(self, in_force: bool, in_force_then: bool | None) -> HoldOver:
        """The hold itself, for people."""
        first, last = self.terms[0], self.terms[-1]
        free = self.freed[-1][1] if self.freed else None
        return HoldOver(
            hold=self.number,
            kind=self.kind,
            since=format_utc(last.since),
            until=utc_or_null(last.until),
            placed=format_utc(first.at),
            released=utc_or_null(self.released),
            free_at=utc_or_null(free),
            entries=list(self.entries),
            in_force=in_force,
            in_force_then=in_force_then,
        )


def _meets(terms: _Cover, camera: int, start: Micros, end: Micros) -> bool:
    return camera in terms.cameras and start < terms.until and terms.since < end


def _cover(record: Record, before: _Cover | None) -> _Cover:
    """What the hold covers from that entry on; by one that came back unsigned no less."""
    fields = record.entry["fields"]
    since, until, cameras = fields["since"], fields["until"], record.cameras()
    if before is not None:
        cameras |= before.cameras
        if record.unsigned is not None and record.unsigned.came_back:
            since, until = min(since, before.since), max(until, before.until)
    return _Cover(record.entry["at"], since, until, cameras)


class HoldHistory:
    """Reads entries about holds, in the order of the log."""

    def __init__(self) -> None:
        self._holds: dict[int, Hold] = {}

    def read(self, record: Record) -> None:
        """Enter one entry of kind `hold.*`."""
        fields, at = record.entry["fields"], record.entry["at"]
        number = fields["hold"]
        if record.kind == "hold.placed":
            self._holds[number] = Hold(number, fields["kind"])
        hold = self._holds.get(number)
        if hold is None:
            return  # placed for other footage than was asked for
        hold.entries.append(record.number)
        if record.is_void:
            return
        if record.kind in _COVER:
            hold.terms.append(_cover(record, hold.terms[-1] if hold.terms else None))
        elif record.kind == "hold.released":
            hold.released = at
            hold.freed.append((at, fields["free_at"]))
        elif record.kind == "hold.reinstated":
            hold.released = None
            hold.freed.append((at, None))

    def over(
        self, camera: int, start: Micros, end: Micros, now: Micros, then: Micros | None
    ) -> Iterator[HoldOver]:
        """Every hold that ever covered that footage, and whether it is in force now and
        was `then`."""
        for hold in self._holds.values():
            if hold.ever(camera, start, end):
                yield hold.told(
                    hold.covers(camera, start, end, now),
                    None if then is None else hold.covers(camera, start, end, then),
                )
