"""How late deletions were: sums of them, as every report has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from retention.catalogue.figures import CellsWanted, Figures
from retention.model.answers.report import ReportColumn, ReportRow, ReportSaid
from retention.model.localtime import counted, format_duration
from retention.model.values import SECOND, Micros, Outcome
from retention.reports.columns import SUMS, seconds, sums
from retention.reports.evidence import Evidence, Selection
from retention.reports.forms.texts import share_text
from retention.tlog.figures import EDGES, ON_TIME, Count
from retention.tlog.source import DELETED, INTENDED

OURS = tuple(str(one) for one in Outcome if one.ours)
EVIDENCE = [INTENDED, DELETED]

COLUMNS = [
    *SUMS,
    ReportColumn("on_time", "on time", "share"),
    ReportColumn("median_lateness", "half within", "duration"),
    ReportColumn("worst_lateness", "worst lateness", "duration"),
]


class Lateness(NamedTuple):
    """Recordings, their duration and bytes; how many were on time; how late at most half of
    them were, and the worst; and the completions that they lie between."""

    number: int = 0
    duration: int = 0
    size: int = 0
    on_time: int = 0
    median: Micros = 0
    worst: Micros = 0
    first: int = 0
    last: int = 0

    @property
    def share(self) -> float | None:
        """The part that was on time; None of nothing."""
        return self.on_time / self.number if self.number else None

    @property
    def late(self) -> int:
        """How many were late."""
        return self.number - self.on_time

    @property
    def entries(self) -> list[list[int]]:
        """The completions, as a row has them."""
        return [[self.first, self.last]] if self.number else []

    def row(self, *cells: Any) -> ReportRow:
        """A row of `COLUMNS`, behind these cells."""
        late = [self.share, seconds(self.median), seconds(self.worst)]
        return ReportRow([*cells, *sums(self), *late], self.entries)

    def said(self) -> ReportSaid:
        """The sentence that every verdict on deletions has."""
        if self.share is None:
            return ReportSaid("nothing was deleted")
        late = f", {self.late:,} LATE" if self.late else ""
        worst = format_duration(self.worst // SECOND * SECOND)
        return ReportSaid(
            f"deleted on time: {share_text(self.share)} of "
            f"{counted(self.number, 'recording')}{late}; the longest wait was {worst}",
            not self.late,
        )


def lateness(steps: Iterable[tuple[int, Count]]) -> Lateness:
    """Sums by step of lateness as one."""
    found = sorted(steps)
    total = sum(one.number for _, one in found)
    if not total:
        return Lateness()
    worst = max(0, *(one.worst for _, one in found))
    passed, median = 0, worst
    for step, one in found:
        passed += one.number
        if 2 * passed >= total:
            median = min(EDGES[step], worst) if step < len(EDGES) else worst
            break
    return Lateness(
        number=total,
        duration=sum(one.duration for _, one in found),
        size=sum(one.size for _, one in found),
        on_time=sum(one.number for step, one in found if step < ON_TIME),
        median=median,
        worst=worst,
        first=min(one.first for _, one in found),
        last=max(one.last for _, one in found),
    )


def wanted_of(evidence: Evidence, asked: Selection) -> CellsWanted:
    """What was deleted of the cameras, on the days that are asked for."""
    days = evidence.days(asked)
    return CellsWanted(days.start, days.stop, asked.cameras, OURS)


def total_of(figures: Figures, wanted: CellsWanted) -> Lateness:
    """All of that as one."""
    return lateness((key[0], one) for key, one in figures.summed(("step",), wanted))


def grouped(
    figures: Figures, by: Sequence[str], wanted: CellsWanted
) -> list[tuple[tuple[Any, ...], Lateness]]:
    """It summed by some of `figures.GROUPS`, in order."""
    found: dict[tuple[Any, ...], list[tuple[int, Count]]] = defaultdict(list)
    for key, one in figures.summed((*by, "step"), wanted):
        found[key[:-1]].append((key[-1], one))
    return [(key, lateness(steps)) for key, steps in found.items()]
