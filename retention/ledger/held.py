"""Holds as the log tells them: which covered some footage, and when they were in force.

In force is from placing to the end of the cooling off after a release.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from retention.audit.records import Record
from retention.localtime import format_utc
from retention.model import FOREVER, Micros


class _Terms(NamedTuple):
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
    terms: list[_Terms] = field(default_factory=list)
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

    def answer(self) -> dict[str, Any]:
        """The hold itself, for people."""
        first, last = self.terms[0], self.terms[-1]
        free = self.freed[-1][1] if self.freed else None
        return {
            "hold": self.number,
            "kind": self.kind,
            "since": format_utc(last.since),
            "until": None if last.until >= FOREVER else format_utc(last.until),
            "placed": format_utc(first.at),
            "released": None if self.released is None else format_utc(self.released),
            "free_at": None if free is None else format_utc(free),
            "entries": self.entries,
        }


def _meets(terms: _Terms, camera: int, start: Micros, end: Micros) -> bool:
    return camera in terms.cameras and start < terms.until and terms.since < end


class Holds:
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
        if record.kind in ("hold.placed", "hold.extended"):
            cameras = fields["cameras"]
            if cameras is None:
                cameras = record.read().columns["camera"]
            before = hold.terms[-1].cameras if hold.terms else frozenset()
            hold.terms.append(
                _Terms(at, fields["since"], fields["until"], before | set(cameras))
            )
        elif record.kind == "hold.released":
            hold.released = at
            hold.freed.append((at, fields["free_at"]))
        elif record.kind == "hold.reinstated":
            hold.released = None
            hold.freed.append((at, None))

    def over(
        self, camera: int, start: Micros, end: Micros, now: Micros, then: Micros | None
    ) -> Iterator[dict[str, Any]]:
        """Every hold that ever covered that footage, and whether it is in force now and
        was `then`."""
        for hold in self._holds.values():
            if hold.ever(camera, start, end):
                yield {
                    **hold.answer(),
                    "in_force": hold.covers(camera, start, end, now),
                    "in_force_then": None
                    if then is None
                    else hold.covers(camera, start, end, then),
                }
