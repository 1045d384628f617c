"""The report on exceptions: what went otherwise than it should, and how long it stood."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import format_size, format_utc
from retention.model.values import FOREVER, Micros, Outcome
from retention.reports.deletions import KEPT, seconds
from retention.reports.evidence import Evidence, Selection
from retention.tlog.kinds import telling
from retention.tlog.source import DELETED, INTENDED, LOST, Record

RAISED, TRIPPED, CLEARED = "alarm.raised", "guard.tripped", "guard.cleared"
ALARMS, FOUND = telling("stands"), telling("odd")

_LATE = "arrived "
"""How the reasons of late footage begin: see `catalogue.recordings.ARRIVED`."""

_BROKEN = ("lost while held", "reappeared")
LISTED = 1_000


class Standing(NamedTuple):
    """An alarm or a guard: where, from when until when (None: it stands), and how it
    ended; the entries that say so."""

    what: str
    scope: str
    since: Micros
    until: Micros | None
    how: str
    entries: list[int]


@dataclass(slots=True)
class _Sum:
    number: int
    duration: Micros
    size: int
    entries: list[list[int]]

    def add(self, row: dict[str, Any], entry: int) -> None:
        self.number += 1
        self.duration += row.get("duration", 0)
        self.size += row.get("bytes", 0)
        if self.entries[-1:] != [[entry, entry]]:
            self.entries.append([entry, entry])


def exceptions(evidence: Evidence, asked: Selection) -> Report:
    """What went otherwise in the time asked for, of the cameras asked for."""
    sums: dict[str, _Sum] = {}
    listed: list[ReportRow] = []
    more = 0
    for what, row, record in _rows(evidence, asked):
        sums.setdefault(what, _Sum(0, 0, 0, [])).add(row, record.number)
        if len(listed) < LISTED:
            listed.append(_line(evidence, what, row, record))
        else:
            more += 1
    stood = [
        one
        for one in standing(evidence.source.of_kinds(ALARMS))
        if one.since < asked.window.end
        and asked.window.start < (FOREVER if one.until is None else one.until)
    ]
    tables = [
        _by_kind(sums),
        _alarms(stood, evidence.written),
        ReportTable(
            "recordings", "Each recording", _EACH, listed, more=more, evidence=[*FOUND]
        ),
    ]
    notes = ["Alarms and guards are of the whole site, whatever cameras are asked for"]
    return evidence.report(
        "exceptions", "Exceptions", asked, _verdict(sums, stood), tables, notes
    )


def _verdict(sums: dict[str, _Sum], stood: list[Standing]) -> list[ReportSaid]:
    said = [
        ReportSaid(
            f"{what}: {_count(one.number)}, {format_size(one.size)}",
            False if what in _BROKEN else None,
        )
        for what, one in sorted(sums.items())
    ] or [ReportSaid("no recording went otherwise than it should", True)]
    open_ = [one for one in stood if one.until is None]
    if not stood:
        return [*said, ReportSaid("no alarm stood", True)]
    text = "1 alarm stood" if len(stood) == 1 else f"{len(stood):,} alarms stood"
    still = f", {len(open_):,} at the end of the log" if open_ else ", all over"
    return [*said, ReportSaid(text + still, not open_)]


def _count(number: int) -> str:
    return "1 recording" if number == 1 else f"{number:,} recordings"


# -- recordings -----------------------------------------------------------------------------


def _rows(
    evidence: Evidence, asked: Selection
) -> Iterator[tuple[str, dict[str, Any], Record]]:
    """What was found of single recordings, and what of a batch was not deleted."""
    window = asked.window
    for record in evidence.source.of_kinds((*FOUND, DELETED)):
        entry = record.entry
        if record.is_void or not window.start <= entry["at"] < window.end:
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
        return "late"
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
            yield f"not deleted: {outcome}", rows[odd["row"]]


_EACH = [
    ReportColumn("at", "at", "instant"),
    ReportColumn("what", "what"),
    ReportColumn("camera", "camera"),
    ReportColumn("start", "recorded from", "instant"),
    ReportColumn("duration", "length", "duration"),
    ReportColumn("bytes", "bytes", "bytes"),
    ReportColumn("reason", "reason"),
    ReportColumn("entry", "entry", "entry"),
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
    return ReportRow(cells, [[record.number, record.number]])


def _by_kind(sums: dict[str, _Sum]) -> ReportTable:
    columns = [
        ReportColumn("what", "what"),
        ReportColumn("recordings", "recordings", "number"),
        ReportColumn("duration", "footage", "duration"),
        ReportColumn("bytes", "bytes", "bytes"),
    ]
    rows = [
        ReportRow([what, one.number, seconds(one.duration), one.size], one.entries)
        for what, one in sorted(sums.items())
    ]
    return ReportTable(
        "by_kind", "What it was", columns, rows, evidence=[*FOUND, INTENDED, DELETED]
    )


# -- alarms ---------------------------------------------------------------------------------


def standing(records: Iterable[Record]) -> list[Standing]:
    """Every alarm and guard of these entries, in the order in which they began."""
    found: list[Standing] = []
    open_: dict[tuple[str, str], int] = {}
    for record in records:
        if record.is_void:
            continue
        fields, at = record.entry["fields"], record.entry["at"]
        guard = record.kind in (TRIPPED, CLEARED)
        what = f"guard {fields['guard']}" if guard else str(fields["alarm"])
        key = what, str(fields["scope"])
        if record.kind in (RAISED, TRIPPED):
            if key not in open_:
                open_[key] = len(found)
                found.append(Standing(*key, at, None, "stands", [record.number]))
        elif (place := open_.pop(key, None)) is not None:
            one = found[place]
            found[place] = one._replace(
                until=at, how=_how(record), entries=[*one.entries, record.number]
            )
    return found


def _how(record: Record) -> str:
    """A guard that a person acknowledged has that person as its actor."""
    by_person = record.entry["actor"]["role"] not in ("service", "offline")
    acknowledged = record.entry["fields"].get("acknowledged", by_person)
    return "acknowledged" if acknowledged else "over"


def _alarms(stood: list[Standing], written: Micros) -> ReportTable:
    columns = [
        ReportColumn("alarm", "alarm"),
        ReportColumn("where", "where"),
        ReportColumn("since", "since", "instant"),
        ReportColumn("until", "until", "instant"),
        ReportColumn("duration", "for", "duration"),
        ReportColumn("ended", "ended"),
        ReportColumn("entry", "entry", "entry"),
    ]
    rows = [
        ReportRow(
            [
                one.what, one.scope or None, format_utc(one.since),
                None if one.until is None else format_utc(one.until),
                seconds((one.until or written) - one.since), one.how, one.entries[0],
            ],
            [[entry, entry] for entry in one.entries],
        )
        for one in stood
    ]  # fmt: skip
    return ReportTable("alarms", "Alarms", columns, rows, evidence=[*ALARMS])
