"""The report on exceptions: what went otherwise than it should, and how long it stood."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import counted, format_size, format_utc
from retention.model.values import Micros, Outcome
from retention.reports.access_report import denied, denied_table
from retention.reports.columns import CAMERA, ENTRY, SUMS, entries_of, seconds, sums
from retention.reports.deletions import KEPT
from retention.reports.evidence import Evidence, Selection
from retention.reports.standing import ALARMS, Stood, stood, stood_table
from retention.tlog.kinds import telling
from retention.tlog.source import DELETED, INTENDED, LOST, Record

FOUND = telling("odd")

_LATE = "arrived "
"""How the reasons of late footage begin: see `catalogue.recordings.ARRIVED`."""

_LEFT = "not deleted: "
_BROKEN = ("lost while held", "reappeared")
LISTED = 1_000
ALL_WELL = (
    "no recording was lost, moved, changed or in doubt, and none that was to be deleted "
    "was left"
)


@dataclass(slots=True)
class ExceptionSum:
    """Recordings of which the same is told, and the entries that tell it."""

    number: int = 0
    duration: Micros = 0
    size: int = 0
    entries: set[int] = field(default_factory=set)
    tried: set[tuple[Any, ...]] = field(default_factory=set)
    """Those that were not deleted: each is tried again and again."""

    def add(self, what: str, row: dict[str, Any], entry: int) -> None:
        """With one more, unless it is one of those that it has."""
        self.entries.add(entry)
        if what.startswith(_LEFT):
            one = row["stream"], row["start"], row["n"]
            if one in self.tried:
                return
            self.tried.add(one)
        self.number += 1
        self.duration += row.get("duration", 0)
        self.size += row.get("bytes", 0)


def exceptions(evidence: Evidence, asked: Selection) -> Report:
    """What went otherwise in the time asked for, of the cameras asked for."""
    sums_: dict[str, ExceptionSum] = {}
    listed: list[ReportRow] = []
    more = 0
    for what, row, record in _rows(evidence, asked):
        sums_.setdefault(what, ExceptionSum()).add(what, row, record.number)
        if len(listed) < LISTED:
            listed.append(_line(evidence, what, row, record))
        else:
            more += 1
    alarms = stood(evidence.source, asked.window)
    tables = [
        _by_kind(sums_),
        stood_table("alarms", "Alarms", alarms, evidence.written, ALARMS),
        denied_table(denied(evidence.source, asked.window)),
        ReportTable(
            "recordings",
            "Each of these recordings",
            _EACH,
            listed,
            more=more,
            evidence=[*FOUND],
        ),
    ]
    notes = [
        "Alarms, guards and refusals are of the whole site, whatever cameras are asked for",
        "How late deletions were, and why, is in `retention report deletions`",
    ]
    return evidence.report(
        "exceptions", "Exceptions", asked, _verdict(sums_, alarms), tables, notes
    )


def _verdict(found: dict[str, ExceptionSum], alarms: list[Stood]) -> list[ReportSaid]:
    said = [
        ReportSaid(
            f"{what}: {counted(one.number, 'recording')}, {format_size(one.size)}",
            False if what in _BROKEN else None,
        )
        for what, one in sorted(found.items())
    ] or [ReportSaid(ALL_WELL, True)]
    if not alarms:
        return [*said, ReportSaid("no alarm stood", True)]
    standing = sum(one.until is None for one in alarms)
    text = f"{counted(len(alarms), 'alarm')} stood"
    still = f", {standing:,} at the end of the log" if standing else ", all over"
    return [*said, ReportSaid(text + still, not standing)]


# -- recordings -----------------------------------------------------------------------------


def _rows(
    evidence: Evidence, asked: Selection
) -> Iterator[tuple[str, dict[str, Any], Record]]:
    """What was found of single recordings, and what of a batch was not deleted."""
    window = asked.window
    for record in evidence.source.of_kinds((*FOUND, DELETED)):
        entry = record.entry
        if not window.start <= entry["at"] < window.end:
            continue
        if record.kind == DELETED:
            found = _left(evidence, record)
        else:
            found = ((_what(record.kind, row), row) for row in rows_of(record))
        for what, row in found:
            if asked.cameras is None or row["camera"] in asked.cameras:
                yield what, row, record


def _what(kind: str, row: dict[str, Any]) -> str:
    if kind == LOST and row.get("held"):
        return "lost while held"
    if str(row.get("reason", "")).startswith(_LATE):
        return "arrived late"
    return kind.partition(".")[2]


def rows_of(record: Record) -> Iterator[dict[str, Any]]:
    """The rows of an entry, by the names of their columns."""
    columns = record.read().columns
    for cells in zip(*columns.values(), strict=True):
        yield dict(zip(columns, cells, strict=True))


def _left(evidence: Evidence, done: Record) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a completion says was not deleted, and stays to be."""
    if "rows_sha256" not in done.entry:
        return
    intent = evidence.source.entry(done.entry["fields"]["intent"])
    rows = list(rows_of(intent))
    for odd in rows_of(done):
        if (outcome := Outcome(odd["outcome"])) in KEPT:
            yield f"{_LEFT}{outcome}", rows[odd["row"]]


_EACH = [
    ReportColumn("at", "at", "instant"),
    ReportColumn("what", "what"),
    CAMERA,
    ReportColumn("start", "recorded from", "instant"),
    ReportColumn("duration", "length", "duration"),
    ReportColumn("bytes", "bytes", "bytes"),
    ReportColumn("reason", "reason"),
    ENTRY,
]


def _line(
    evidence: Evidence, what: str, row: dict[str, Any], record: Record
) -> ReportRow:
    reason = row.get("reason")
    cells = [
        format_utc(record.entry["at"]), what, evidence.cameras.name(row["camera"]),
        format_utc(row["start"]), seconds(row.get("duration", 0)), row.get("bytes"),
        None if reason is None else str(reason), record.number,
    ]  # fmt: skip
    return ReportRow(cells, entries_of([record.number]))


def _by_kind(found: dict[str, ExceptionSum]) -> ReportTable:
    rows = [
        ReportRow([what, *sums(one)], entries_of(one.entries))
        for what, one in sorted(found.items())
    ]
    return ReportTable(
        "by_kind", "What went otherwise", [ReportColumn("what", "what"), *SUMS], rows,
        evidence=[*FOUND, INTENDED, DELETED],
    )  # fmt: skip
