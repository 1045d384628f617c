"""The report on coverage: of how much of each day there was footage of each camera, and what
became of it hour by hour.

"All cameras record around the clock" is a claim; this is what was catalogued.  The log has
it by camera and UTC day: a recording counts to the day that it starts on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.errors import UsageError
from retention.model.localtime import day_text, format_utc, times
from retention.model.values import DAY, HOUR, Micros, Window
from retention.reports.columns import CAMERA, seconds
from retention.reports.disposal import NOT_OURS, WORDS, findings, is_ours, pieces, told
from retention.reports.evidence import Evidence, Selection
from retention.reports.forms.texts import share_text

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

    def add(self, other: CameraDays) -> None:
        """With these too."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def share(self) -> float | None:
        """How complete they are; None of no time."""
        return self.covered / self.possible if self.possible else None

    def cells(self) -> list[int | float | None]:
        """As rows have it."""
        return [self.number, seconds(self.duration), self.share, seconds(self.gaps)]


_DAY = ReportColumn("day", "day", "day")
_CELLS = [
    ReportColumn("recordings", "recordings", "number"),
    ReportColumn("duration", "footage", "duration"),
    ReportColumn("complete", "complete", "share"),
    ReportColumn("gaps", "gaps between them", "duration"),
]


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
        single.append(ReportRow(cells))
    names = evidence.cameras.name
    tables = [
        _table("by_camera", "By camera", CAMERA,
               ((names(key), one) for key, one in by_camera.items())),
        _table("by_day", "By day", _DAY,
               ((day_text(key), one) for key, one in sorted(by_day.items()))),
        ReportTable("cells", "Each camera and day", [CAMERA, _DAY, *_CELLS], single,
                    evidence=[RECORDED]),
    ]  # fmt: skip
    if hours:
        tables.insert(0, _hours(evidence, asked, days))
    return evidence.report(
        "coverage", "Coverage", asked, _verdict(total), tables,
        [
            "Days here are those of UTC; a recording counts to the day that it starts on, "
            "and time counts from when a camera was in the register, or recorded",
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
        (key, day): rest
        for day, key, *rest in evidence.figures.recorded(asked.cameras)
        if key in evidence.cameras.by_key and is_ours(evidence, key)
    }
    began = dict(sorted(recorded, reverse=True))
    found: dict[tuple[int, int], CameraDays] = {}
    for key, one in sorted(evidence.cameras.by_key.items()):
        if not is_ours(evidence, key) or key not in (asked.cameras or (key,)):
            continue
        day = one.added // DAY
        since = one.added if began.get(key, day) >= day else began[key] * DAY
        until = evidence.written if one.retired is None else one.retired
        for day in days:
            length = min((day + 1) * DAY, until) - max(day * DAY, since)
            if length > 0:
                number, duration, _, gaps = recorded.get((key, day), (0, 0, 0, 0))
                empty = not number and length == DAY
                found[key, day] = CameraDays(
                    length, number, duration, min(duration, length), gaps, empty
                )
    return found


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
    return said


def _table(
    name: str, title: str, first: ReportColumn, rows: Iterable[tuple[str, CameraDays]]
) -> ReportTable:
    columns = [first, *_CELLS, ReportColumn("empty", "days of nothing", "number")]
    found = [ReportRow([key, *one.cells(), one.empty]) for key, one in rows]
    return ReportTable(name, title, columns, found, evidence=[RECORDED])
