"""What every report answers: one value, from which each renderer makes its form.

A report rests on the log alone, up to the signed head that it names.  Its cells are plain:
an instant is text in UTC, a day a date in the site's zone, a duration seconds, a size
bytes, a share between 0 and 1, an entry its number; null is "not known".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from retention.model.answers.changed import Changed

Kind = Literal[
    "text", "number", "bytes", "instant", "duration", "day", "share", "entry"
]
"""What a column's cells are, and so how each form writes them."""


@dataclass(frozen=True, slots=True)
class ReportHead:
    """The signed head that a report rests on: the log's name, how many entries the head
    covers, the root over them (hex), and when the last of them was written: a report is
    as of then."""

    origin: str
    size: int
    root: str
    written: str


@dataclass(frozen=True, slots=True)
class ReportAsked:
    """What was asked for; null is everything.  `since` and `until` are instants in UTC."""

    since: str | None = None
    until: str | None = None
    camera: str | None = None
    location: str | None = None
    controller: str | None = None


@dataclass(frozen=True, slots=True)
class ReportSaid:
    """A sentence of the verdict, without its full stop; `good`: that is as it must be,
    or is not; null where it only tells."""

    text: str
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column: its name for programs, its heading for people, what its cells are."""

    name: str
    heading: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A row: a cell a column, in their order.  `entries` are the ranges of entry numbers,
    both ends included, behind it: of the table's `evidence` kinds, those that speak of
    what the row is about."""

    cells: list[Any]
    entries: list[list[int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReportTable:
    """A table; `more` rows were left out.  `total` is a row over all of them, null where
    there is none; `empty` is what is said where there is no row."""

    name: str
    title: str
    columns: list[ReportColumn]
    rows: list[ReportRow]
    total: ReportRow | None = None
    more: int = 0
    empty: str = "none"
    evidence: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """A report: the verdict first, then tables; `notes` say what it can't tell.  Local
    times and days are those of `zone`."""

    name: str
    title: str
    site: str
    zone: str
    head: ReportHead
    asked: ReportAsked
    verdict: list[ReportSaid]
    tables: list[ReportTable]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReportOpened(Changed):
    """A report with people's details, each of them that to which the log is committed;
    `entry` is the one that puts on record that they were shown."""

    report: Report
    entry: int


@dataclass(frozen=True, slots=True)
class FiguresRebuilt:
    """The figures that reports go by were made anew, in the file at `path`: of so many
    files of completed batches.  `faults` are entries that can't be read, or that are not
    what they say."""

    path: str
    head: ReportHead
    files: int
    faults: list[str]
