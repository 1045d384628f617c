"""The report on coverage: of how much of each day there was footage of each camera.

"All cameras record around the clock" is a claim; this is what was catalogued.  The log has
it by camera and UTC day: a recording counts to the day that it starts on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import day_text, times
from retention.model.values import DAY, Micros
from retention.reports.columns import CAMERA, seconds
from retention.reports.evidence import Evidence, Selection

RECORDED = "recordings.recorded"


@dataclass(slots=True)
class CameraDays:
    """What was catalogued of some camera days: `possible` is how long they were."""

    possible: Micros = 0
    number: int = 0
    duration: Micros = 0
    gaps: Micros = 0
    empty: int = 0
    """Camera days of which there was nothing."""

    def add(self, other: CameraDays) -> None:
        """With these too."""
        self.possible += other.possible
        self.number += other.number
        self.duration += other.duration
        self.gaps += other.gaps
        self.empty += other.empty

    @property
    def share(self) -> float | None:
        """How complete they are; None of no time."""
        if not self.possible:
            return None
        return min(self.duration, self.possible) / self.possible

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


def coverage(evidence: Evidence, asked: Selection) -> Report:
    """The days asked for, of the council's cameras that are in use, or were."""
    days = evidence.days(asked)
    by_day: dict[int, CameraDays] = defaultdict(CameraDays)
    by_camera: dict[int, CameraDays] = defaultdict(CameraDays)
    total = CameraDays()
    single = []
    for (camera, day), one in _all(evidence, asked, days).items():
        for place in (by_day[day], by_camera[camera], total):
            place.add(one)
        cells = [evidence.cameras.name(camera), day_text(day), *one.cells()]
        single.append(ReportRow(cells))
    names = evidence.cameras.name
    return evidence.report(
        "coverage", "Coverage", asked, _verdict(total),
        [
            _table("by_camera", "By camera", CAMERA,
                   ((names(key), one) for key, one in by_camera.items())),
            _table("by_day", "By day", _DAY,
                   ((day_text(key), one) for key, one in sorted(by_day.items()))),
            ReportTable("cells", "Each camera and day", [CAMERA, _DAY, *_CELLS], single,
                        evidence=[RECORDED]),
        ],
        [
            "Days here are those of UTC; a recording counts to the day that it starts on",
            "What became of one hour of a camera `retention audit find --camera ID --from "
            "--to` says: present, held, deleted, lost, no recording seen, or not known",
        ],
    )  # fmt: skip


def _all(
    evidence: Evidence, asked: Selection, days: range
) -> dict[tuple[int, int], CameraDays]:
    """Every camera day that was to be recorded; of the last only what is over."""
    found: dict[tuple[int, int], CameraDays] = {}
    for key, one in sorted(evidence.cameras.by_key.items()):
        theirs = one.said.get("custody", "council") != "council"
        if theirs or (asked.cameras is not None and key not in asked.cameras):
            continue
        for day in days:
            length = min(DAY, evidence.written - day * DAY)
            if length > 0 and not one.retired:
                found[key, day] = CameraDays(possible=length, empty=1)
    for day, key, number, duration, _, gaps in evidence.figures.recorded(asked.cameras):
        if day in days and (key, day) in found:
            possible = found[key, day].possible
            found[key, day] = CameraDays(possible, number, duration, gaps)
    return found


def _verdict(total: CameraDays) -> list[ReportSaid]:
    share = total.share
    if share is None:
        return [ReportSaid("no camera of the council's was in use in these days")]
    shown = "all" if share == 1 else f"{min(share, 0.9999):.2%}"
    said = [
        ReportSaid(f"{shown} of the time of these cameras was recorded", share == 1)
    ]
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
