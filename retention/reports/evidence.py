"""What a report rests on, as one value: the signed entries of a log, and what they add up
to.  Whether it is the log of this site or a published copy, a report can't tell: at the same
head it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from retention.catalogue.figures import CellsWanted, Figures
from retention.model.answers.report import (
    Report,
    ReportAsked,
    ReportHead,
    ReportSaid,
    ReportTable,
)
from retention.model.errors import UsageError
from retention.model.localtime import Moment, day_of, format_utc, midnight
from retention.model.values import FOREVER, Micros, Window
from retention.reports.request import of_cameras
from retention.tlog.cameras import LoggedCameras
from retention.tlog.figures import Grounds
from retention.tlog.source import DELETED, INTENDED, Believed, Record, apart
from retention.tlog.unsigned import Stretch

_BARE = re.compile(r"(?!now\b|[+-])[^:]+", re.IGNORECASE)
"""A day without a time: its midnight is meant."""


class ReportRequest(NamedTuple):
    """What somebody asks of a report, as typed.

    [since, until): by days or instants, or `on` one day; cameras by the id that they had then, by words of
    their location, and by whose they are.
    """

    since: str | None = None
    until: str | None = None
    on: str | None = None
    camera: str | None = None
    location: str | None = None
    controller: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The same, understood: `window` ends with the evidence at the latest, `cameras` are
    keys, None for all."""

    shown: ReportAsked
    window: Window
    cameras: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Signed entries: the first of them was written when the log `began`, the last when it
    says `written`, and as of then a report is; `figures` add up exactly
    these, and `known` is what lateness went by at their end."""

    source: Believed
    figures: Figures
    known: Grounds
    head: ReportHead
    began: Micros
    written: Micros
    site: str
    zone: str
    cameras: LoggedCameras
    moment: Moment
    public: bool = False
    """All that the public has: nothing else is in the source, and nothing in figures."""

    def day(self, instant: Micros) -> int:
        """The local day of an instant."""
        return day_of(instant, ZoneInfo(self.zone))

    def batches(self, first: int, last: int) -> Iterator[tuple[Record, Record]]:
        """Intent and completion of each batch that is completed by an entry from `first`
        to `last`, in the order of the completions."""
        intents: dict[int, Record] = {}
        for record in self.source.of_kinds((INTENDED, DELETED), first):
            if record.number > last:
                return
            if record.kind == INTENDED:
                intents[record.number] = record
            elif record.kind == DELETED:
                number = record.entry["fields"]["intent"]
                if (intent := intents.pop(number, None)) is None:
                    intent = self.source.entry(number)
                yield intent, record

    def of_footage(
        self, cameras: Collection[int], windows: Sequence[Window]
    ) -> Iterator[tuple[Record, Record]]:
        """The batches, as `batches` gives them, that may have footage of these cameras in
        the windows: figures say where they lie."""
        sums = self.figures.summed(("footage",), CellsWanted(cameras=cameras))
        met = [one for (day,), one in sums if self._meets(day, windows)]
        if not met:
            return
        first, last = min(one.first for one in met), max(one.last for one in met)
        for intent, done in self.batches(first, last):
            if any(one.first <= done.number <= one.last for one in met) and not apart(
                intent.entry["fields"], windows
            ):
                yield intent, done

    def _meets(self, day: int, windows: Iterable[Window]) -> bool:
        """Whether a recording that starts on that day may be of a window: it may begin on
        the day before."""
        return any(
            self.day(max(window.start, 0)) - 1
            <= day
            <= self.day(min(window.end, self.written + 1) - 1)
            for window in windows
        )

    def asked(self, request: ReportRequest) -> Selection:
        """What a request means here; UsageError where that is nothing."""
        window = self._window(request)
        bounded = request.on is not None
        shown = ReportAsked(
            since=format_utc(window.start) if bounded or request.since else None,
            until=format_utc(window.end) if bounded or request.until else None,
            camera=request.camera,
            location=request.location,
            controller=request.controller,
        )
        return Selection(shown, window, self._cameras(request, window))

    def _window(self, request: ReportRequest) -> Window:
        since, until = (_with_time(text) for text in request[:2])
        if request.on is None:
            always = Window(-FOREVER, self.written + 1)
            return self.moment.window(since, until, always)
        if since is not None or until is not None:
            raise UsageError("--on is one day: leave out --from and --to")
        return self.moment.day(request.on)

    def _cameras(self, request: ReportRequest, window: Window) -> frozenset[int] | None:
        if request[3:] == (None, None, None):
            return None
        known = self.cameras.by_key
        found = set(known)
        if request.camera is not None:
            with of_cameras(public=self.public):
                found = self.cameras.meant(request.camera, window)
        if (place := request.location) is not None:
            words = place.casefold()
            found &= {
                key
                for key, one in known.items()
                if words
                in f"{one.said.get('location')} {one.said.get('view')}".casefold()
            }
        if request.controller is not None:
            found &= self.cameras.of_controller(request.controller)
        if not found:
            raise UsageError(
                "no camera of this log is meant: `retention camera list` shows their "
                "ids, locations and controllers"
            )
        return frozenset(found)

    def days(self, asked: Selection) -> range:
        """The local days asked for of which the log tells; UsageError where they are not
        whole ones.  What is summed up is summed up by days."""
        zone = ZoneInfo(self.zone)
        first, last = self.figures.span() or (self.day(self.began),) * 2
        first, last = (
            min(first, self.day(self.began)),
            max(last, self.day(self.written)),
        )
        if asked.shown.since is not None:
            first = max(first, self.day(asked.window.start))
        if asked.shown.until is not None:
            last = min(last, self.day(asked.window.end - 1))
        for text, instant in (
            (asked.shown.since, asked.window.start),
            (asked.shown.until, asked.window.end),
        ):
            if text is not None and midnight(day_of(instant, zone), zone) != instant:
                raise UsageError(
                    f"this report is by whole days of {self.zone}, and {text} is within "
                    "one: give days, such as --from 2026-10-24 --to 2026-10-25"
                )
        return range(first, last + 1)

    def report(
        self,
        name: str,
        title: str,
        asked: Selection,
        verdict: list[ReportSaid],
        tables: list[ReportTable],
        notes: list[str],
    ) -> Report:
        """A report on this evidence; it says which entries are not wholly in its figures,
        or not what they say."""
        faults = [
            ReportSaid(
                f"the figures are not to be relied on by entry {n}: {what}", False
            )
            for n, what in self.figures.faults()
        ]
        return Report(
            name, title, self.site, self.zone, self.head, asked.shown,
            [*verdict, *faults, *map(_came_back, self.source.back)], tables, notes,
        )  # fmt: skip


def _came_back(one: Stretch) -> ReportSaid:
    entries = f"entries {one.first:,} to {one.end - 1:,}"
    if one.end - one.first == 1:
        entries = f"entry {one.first:,}"
    said = "" if one.entry is None else f", as entry {one.entry:,} says"
    text = (
        f"{entries} came back under no signed head{said}: anybody may have written that, "
        "and only what it keeps by a hold or a pause counts here"
    )
    return ReportSaid(text, None)


def _with_time(text: str | None) -> str | None:
    if text is not None and _BARE.fullmatch(text.strip()):
        return f"{text.strip()} 00:00"
    return text
