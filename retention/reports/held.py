"""Holds as the log tells them: what each covered since when, who did what with it, and when
it was in force.

In force is from placing to the end of the cooling off after a release.  Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from retention.model.answers.books import HoldOver
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import FOREVER, Micros, Window
from retention.reports.columns import who
from retention.tlog.kinds import telling
from retention.tlog.source import Record

_COVER = telling("cover")


class HoldTerms(NamedTuple):
    """What a hold covers from an entry on."""

    at: Micros
    window: Window
    cameras: frozenset[int]

    def met(self, camera: int, start: Micros, end: Micros) -> bool:
        """Whether that is of this footage."""
        window = self.window
        return camera in self.cameras and start < window.end and window.start < end


_NOTHING = HoldTerms(0, Window(0, 0), frozenset())


class Act(NamedTuple):
    """Something that was done to a hold: which entry says so, when, and who did it, as
    "1001 (operator)" and by the uids of user and login."""

    entry: int
    at: Micros
    what: str
    who: str
    person: tuple[int, int]


@dataclass(slots=True)
class HoldLife:
    """A hold from its placing on."""

    number: int
    kind: str = ""
    received: Micros | None = None
    """When the request came that it is for, where that is on record."""
    terms: list[HoldTerms] = field(default_factory=list)
    freed: list[tuple[Micros, Micros | None]] = field(default_factory=list)
    """Each instant from which it was, or was to be, free (None: in force again)."""
    review: Micros = 0
    acts: list[Act] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)
    requested: Act | None = None
    """The request for a release that waits, or by which it was released."""
    released: Act | None = None
    cooled: bool = False

    @property
    def cameras(self) -> frozenset[int]:
        """The cameras that it covers at the end of the log."""
        return self._terms.cameras

    @property
    def window(self) -> Window:
        """The time that it covers then."""
        return self._terms.window

    @property
    def _terms(self) -> HoldTerms:
        return self.terms[-1] if self.terms else _NOTHING

    @property
    def free_at(self) -> Micros | None:
        """From when on it is free; None: it is in force."""
        return self.freed[-1][1] if self.freed else None

    @property
    def placed(self) -> Act:
        """How it began."""
        return self.acts[0]

    @property
    def reviewed(self) -> Act | None:
        """The last time that somebody looked at it."""
        return next((one for one in self.acts[::-1] if one.what == "reviewed"), None)

    def is_overdue(self, now: Micros) -> bool:
        """Whether somebody should have looked at it before an instant."""
        return self.free_at is None and self.review <= now

    def state(self, now: Micros) -> str:
        """What it is at an instant."""
        if self.free_at is None:
            return "in force, release asked for" if self.requested else "in force"
        return "released" if self.cooled or self.free_at <= now else "cooling off"

    def stood(self, window: Window) -> bool:
        """Whether it was in force at any time of these."""
        ended = FOREVER if self.free_at is None else self.free_at
        return self.placed.at < window.end and window.start < ended

    def met(self, camera: int, start: Micros, end: Micros) -> bool:
        """Whether it covers that footage at the end of the log."""
        return self._terms.met(camera, start, end)

    def reached(self, camera: int, start: Micros, end: Micros) -> Micros:
        """Since when it covers footage that it covers at the end of the log: it may have
        been extended to that."""
        return next(one.at for one in self.terms if one.met(camera, start, end))

    def covers(self, camera: int, start: Micros, end: Micros, at: Micros) -> bool:
        """Whether it was in force at an instant over that footage."""
        terms = [one for one in self.terms if one.at <= at]
        free = [free for said, free in self.freed if said <= at]
        if not terms or (free and free[-1] is not None and free[-1] <= at):
            return False
        return terms[-1].met(camera, start, end)

    def read(self, record: Record) -> None:
        """The next entry about it."""
        fields, kind, at = record.entry["fields"], record.kind, record.entry["at"]
        self.entries.append(record.number)
        if record.is_void:
            return
        actor = record.entry["actor"]
        act = Act(
            record.number, at, kind.partition(".")[2].replace("_", " "),
            who(record.entry), (actor["uid"], actor["login"]),
        )  # fmt: skip
        self.acts.append(act)
        self.kind = self.kind or str(fields.get("kind", ""))
        self.received = fields.get("received", self.received)
        self.review = fields.get("review", self.review)
        if kind in _COVER:
            self._cover(record)
        elif kind == "hold.release_requested":
            self.requested = act
        elif kind == "hold.release_rejected":
            self.requested = None
        elif kind == "hold.released":
            self.released = act
            self.freed.append((at, fields["free_at"]))
            if fields.get("request") is None:
                self.requested = None  # it took one person
        elif kind == "hold.reinstated":
            self.released = self.requested = None
            self.freed.append((at, None))
        elif kind == "hold.cooled":
            self.cooled = True

    def _cover(self, record: Record) -> None:
        """It covers that from now on; by an entry that came back unsigned no less."""
        fields, before = record.entry["fields"], self.window
        since, until = fields["since"], fields["until"]
        if self.terms and record.unsigned is not None and record.unsigned.came_back:
            since, until = min(since, before.start), max(until, before.end)
        cameras = self.cameras | record.cameras()
        self.terms.append(HoldTerms(record.entry["at"], Window(since, until), cameras))

    def told(self, in_force: bool, in_force_then: bool | None) -> HoldOver:
        """The hold itself, for people."""
        return HoldOver(
            hold=self.number,
            kind=self.kind,
            since=format_utc(self.window.start),
            until=utc_or_null(self.window.end),
            placed=format_utc(self.terms[0].at),
            released=None if self.released is None else format_utc(self.released.at),
            free_at=utc_or_null(self.free_at),
            entries=list(self.entries),
            in_force=in_force,
            in_force_then=in_force_then,
        )


class HoldHistory:
    """Reads entries about holds, in the order of the log."""

    def __init__(self) -> None:
        self._holds: dict[int, HoldLife] = {}

    def read(self, record: Record) -> None:
        """Enter one entry of kind `hold.*`; of a hold that was never placed none:
        `audit verify --deep` tells."""
        number = record.entry["fields"]["hold"]
        if record.kind in _COVER:
            self._holds.setdefault(number, HoldLife(number))
        if number in self._holds:
            self._holds[number].read(record)

    def all(self) -> list[HoldLife]:
        """Every hold, as they were placed."""
        return [one for one in self._holds.values() if one.terms]

    def over(
        self, camera: int, start: Micros, end: Micros, now: Micros, then: Micros | None
    ) -> Iterator[HoldOver]:
        """Every hold that ever covered that footage, and whether it is in force now and
        was `then`."""
        for hold in self._holds.values():
            if any(one.met(camera, start, end) for one in hold.terms):
                yield hold.told(
                    hold.covers(camera, start, end, now),
                    None if then is None else hold.covers(camera, start, end, then),
                )
