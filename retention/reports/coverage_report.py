"""The report on coverage: of how much of each day there was footage of each camera, and what
became of it hour by hour.

"All cameras record around the clock" is a claim; this is what was catalogued.  The log has
it by camera and UTC day, with the hours of which there was footage: a recording counts to the
day that it starts on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.errors import UsageError
from retention.model.localtime import counted, day_text, format_utc, times
from retention.model.values import DAY, HOUR, Micros, Window
from retention.reports.columns import CAMERA, seconds
from retention.reports.disposal import NOT_OURS, WORDS, findings, is_ours, pieces, told
from retention.reports.evidence import Evidence, Selection
from retention.reports.forms.texts import share_text
from retention.tlog.figures import Recorded, ranges, silent_hours

RECORDED = "recordings.recorded"

HOURS = 10_000
"""Hours in one answer, of all cameras."""


@dataclass(slots=True)
class CameraDays:
    """What was catalogued of some camera days: `possible` is how long the camera was in
    use on them, `covered` how much of that there was footage of."""

    possible: Micros = 0
    number: int = 0
    duration: Micros = 0
    covered: Micros = 0
    gaps: Micros = 0
    empty: int = 0
    """Whole camera days of which there was nothing."""
    silent: int | None = None
    """Whole hours of which there was nothing; None where of no day that is known."""
    which: list[int] | None = None
    """Of one day: which these are."""
    told: list[list[int]] = field(default_factory=list)
    """Of one day: the entries that tell of it."""

    def add(self, other: CameraDays) -> None:
        """With these too."""
        for name in ("possible", "number", "duration", "covered", "gaps", "empty"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.silent is not None:
            self.silent = (self.silent or 0) + other.silent

    @property
    def share(self) -> float | None:
        """How complete they are; None of no time."""
        return self.covered / self.possible if self.possible else None

    def cells(self) -> list[int | float | None]:
        """As rows have it."""
        return [
            self.number, seconds(self.duration), self.share, seconds(self.gaps),
            self.silent,
        ]  # fmt: skip


_DAY = ReportColumn("day", "day", "day")
_CELLS = [
    ReportColumn("recordings", "recordings", "number"),
    ReportColumn("duration", "footage", "duration"),
    ReportColumn("complete", "complete", "share"),
    ReportColumn("gaps", "gaps between them", "duration"),
    ReportColumn("silent", "hours without any", "number"),
]
_WHICH = ReportColumn("hours", "which hours (UTC)")


def coverage(evidence: Evidence, asked: Selection, *, hours: bool = False) -> Report:
    """The days asked for, of the council's cameras; `hours`: with what each hour is, also
    of cameras that are not the council's."""
    days = evidence.days(asked)
    by_day: dict[int, CameraDays] = defaultdict(CameraDays)
    by_camera: dict[int, CameraDays] = defaultdict(CameraDays)
    total = CameraDays()
    single = []
    for (camera, day), one in camera_days(evidence, asked, days).items():
        for place in (by_day[day], by_camera[camera], total):
            place.add(one)
        cells = [evidence.cameras.name(camera), day_text(day), *one.cells()]
        single.append(ReportRow([*cells, _hours_text(one.which)], one.told))
    names = evidence.cameras.name
    tables = [
        _table("by_camera", "By camera", CAMERA,
               ((names(key), one) for key, one in by_camera.items())),
        _table("by_day", "By day", _DAY,
               ((day_text(key), one) for key, one in sorted(by_day.items()))),
        ReportTable("cells", "Each camera and day", [CAMERA, _DAY, *_CELLS, _WHICH],
                    single, evidence=[RECORDED]),
    ]  # fmt: skip
    if hours:
        tables.insert(0, _hours(evidence, asked, days))
    return evidence.report(
        "coverage", "Coverage", asked, _verdict(total), tables,
        [
            "Days and hours here are those of UTC; a recording counts to the day that it "
            "starts on, and time counts from when a camera was in the register, or recorded",
            "Which hours of a day there was footage of is on record since this program "
            "tells it: of days before that it is not known",
            "`--hours` says what each hour of a camera is: present, held, deleted, lost, no "
            "recording seen, not known, or not ours",
        ],
    )  # fmt: skip


def camera_days(
    evidence: Evidence, asked: Selection, days: range
) -> dict[tuple[int, int], CameraDays]:
    """Every camera day of the council's that was to be recorded; of the first and the last
    of a camera only what it was in use."""
    recorded = {
        (key, day): one
        for day, key, one in evidence.figures.recorded(asked.cameras)
        if key in evidence.cameras.by_key and is_ours(evidence, key)
    }
    began = dict(sorted(recorded, reverse=True))
    found: dict[tuple[int, int], CameraDays] = {}
    for key, one in sorted(evidence.cameras.by_key.items()):
        if not is_ours(evidence, key) or key not in (asked.cameras or (key,)):
            continue
        day = one.added // DAY
        first = began.get(key, day)
        since = one.added if first >= day else _beginning(first, recorded[key, first])
        until = evidence.written if one.retired is None else one.retired
        for day in days:
            used = Window(max(day * DAY, since), min((day + 1) * DAY, until))
            if used.start < used.end:
                there = recorded.get((key, day)), recorded.get((key, day - 1))
                found[key, day] = _of_day(used, evidence.written, *there)
    return found


def _beginning(day: int, told: Recorded) -> Micros:
    """When a camera began that recorded before it was in the register: nobody says what was
    there before, on the first of its days either."""
    hours = told.hours or 1
    return day * DAY + ((hours & -hours).bit_length() - 1) * HOUR


def _of_day(
    used: Window, written: Micros, told: Recorded | None, before: Recorded | None
) -> CameraDays:
    """A day of a camera that was in use so long, by what is told of it and of the day
    before in a log that ends with `written`."""
    length, silent = used.end - used.start, None
    hours = silent_hours(used.start // DAY, told, before, written)
    if hours is not None:
        within = [
            one for one in hours if used.start <= one.start and one.end <= used.end
        ]
        silent = [one.start // HOUR % 24 for one in within]
    number = None if silent is None else len(silent)
    if told is None:
        return CameraDays(length, empty=length == DAY, silent=number, which=silent)
    return CameraDays(
        length, told.number, told.duration, min(told.duration, length), told.gaps,
        not told.number and length == DAY, number, silent, [[told.first, told.last]],
    )  # fmt: skip


def _hours_text(hours: list[int] | None) -> str | None:
    """ "03-05, 17": from the beginning of the first to the end of the last."""
    if hours is None:
        return None
    return ", ".join(
        f"{first:02}" if first == last else f"{first:02}-{last:02}"
        for first, last in ranges(hours)
    )


def _hours(evidence: Evidence, asked: Selection, days: range) -> ReportTable:
    """What each hour is, by the time that it is that."""
    keys = sorted(evidence.cameras.by_key if asked.cameras is None else asked.cameras)
    window = Window(days.start * DAY, min(days.stop * DAY, evidence.written))
    number = len(keys) * -(-(window.end - window.start) // HOUR)
    if number > HOURS:
        raise UsageError(
            f"these are {number:,} hours, and {HOURS:,} are told one by one: ask for fewer "
            "cameras or days"
        )
    found = findings(evidence, window, frozenset(keys), None)
    lengths: dict[tuple[int, int], dict[str, Micros]] = defaultdict(dict)
    for key in keys:
        for piece in pieces(found, key):
            word, _ = told(evidence, key, piece)
            for hour in range(piece.start // HOUR, -(-piece.end // HOUR)):
                start, end = max(piece.start, hour * HOUR), (hour + 1) * HOUR
                one = lengths[key, hour]
                one[word] = one.get(word, 0) + min(piece.end, end) - start
    words = [*WORDS.values(), NOT_OURS]
    rows = []
    for (key, hour), one in sorted(lengths.items()):
        cells: list[Any] = [evidence.cameras.name(key), format_utc(hour * HOUR)]
        rows.append(ReportRow(cells + [seconds(one.get(word, 0)) for word in words]))
    columns = [
        CAMERA,
        ReportColumn("hour", "hour from", "instant"),
        *(ReportColumn(one.replace(" ", "_"), one, "duration") for one in words),
    ]
    return ReportTable("hours", "Each camera and hour", columns, rows)


def _verdict(total: CameraDays) -> list[ReportSaid]:
    share = total.share
    if share is None:
        return [ReportSaid("no camera of the council's was in use in these days")]
    text = f"{share_text(share)} of the time of these cameras was recorded"
    said = [ReportSaid(text, share == 1)]
    if total.empty:
        text = f"{times(total.empty)} a camera had nothing for a whole day"
        said.append(ReportSaid(text, False))
    if total.silent:
        hours = counted(total.silent, "whole hour")
        text = f"{hours} had nothing at all, counted camera by camera"
        said.append(ReportSaid(text, False))
    return said


def _table(
    name: str, title: str, first: ReportColumn, rows: Iterable[tuple[str, CameraDays]]
) -> ReportTable:
    columns = [first, *_CELLS, ReportColumn("empty", "days of nothing", "number")]
    found = [ReportRow([key, *one.cells(), one.empty]) for key, one in rows]
    return ReportTable(name, title, columns, found, evidence=[RECORDED])
