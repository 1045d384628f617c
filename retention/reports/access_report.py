"""The report on access: who did what and how often, who was refused, when roles changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.errors import UsageError
from retention.model.localtime import counted, format_utc, times
from retention.model.values import Micros
from retention.reports.columns import ENTRY, entries_of, who
from retention.reports.evidence import Evidence, Selection
from retention.tlog.kinds import KINDS, OF_PEOPLE
from retention.tlog.source import Record

DENIED, REFUSED, CHANGED = "access.denied", "request.refused", "access.changed"


class Deed(NamedTuple):
    """What somebody did, as "1001 (operator)" and a kind of entry."""

    who: str
    what: str


@dataclass(slots=True)
class Often:
    """How often, when first and last, and the first and last entry of it."""

    number: int
    first: Micros
    last: Micros
    entries: list[int]

    def cells(self) -> list[int | str]:
        """As rows have it."""
        return [self.number, format_utc(self.first), format_utc(self.last)]


_OFTEN = [
    ReportColumn("times", "times", "number"),
    ReportColumn("first", "first", "instant"),
    ReportColumn("last", "last", "instant"),
]


def access(evidence: Evidence, asked: Selection) -> Report:
    """Who did what in the time asked for; UsageError where cameras are asked for: what
    people do is not all about one."""
    if asked.cameras is not None:
        raise UsageError(
            "this report is of people: leave out --camera, --location and --controller; "
            "`retention report holds --camera ID` says who did what with its holds"
        )
    window = asked.window
    records = [
        one
        for one in evidence.source.of_kinds((*OF_PEOPLE, DENIED, REFUSED, CHANGED))
        if window.start <= one.entry["at"] < window.end and not one.is_void
    ]
    done = [one for one in records if KINDS[one.kind].by and _is_person(one)]
    denied = [one for one in records if one.kind in (DENIED, REFUSED)]
    changed = [one for one in records if one.kind == CHANGED]
    return evidence.report(
        "access", "Access", asked, _verdict(done, denied, changed),
        [_deeds(done), _denied(denied), _roles(changed)],
        [
            "People are uid and role, as the kernel named them; who was added to a role "
            "is in the log as a commitment only: `retention audit show ENTRY` opens it "
            "where that is still known",
            "What was only read is on no record, but for what was refused",
        ],
    )  # fmt: skip


def _is_person(record: Record) -> bool:
    return record.entry["actor"]["role"] not in ("service", "offline")


def _verdict(
    done: list[Record], denied: list[Record], changed: list[Record]
) -> list[ReportSaid]:
    people = {one.entry["actor"]["uid"] for one in done}
    text = counted(len(people), "person", "people")
    refused = sum(_refusals(one) for one in denied)
    said = [ReportSaid(f"{text} did {len(done):,} things that changed something")]
    said.append(
        ReportSaid(f"{times(refused)} somebody asked for what was refused")
        if refused
        else ReportSaid("nobody asked for what no role of theirs allows", True)
    )
    if changed:
        said.append(ReportSaid(f"the members of roles changed {times(len(changed))}"))
    return said


def _refusals(record: Record) -> int:
    return int(record.entry["fields"].get("count", 1))


def _often(records: Iterable[tuple[Deed, int, Record]]) -> dict[Deed, Often]:
    found: dict[Deed, Often] = {}
    for deed, number, record in records:
        at, entry = record.entry["at"], record.number
        one = found.setdefault(deed, Often(0, at, at, [entry, entry]))
        one.number += number
        one.last, one.entries[1] = at, entry
    return dict(sorted(found.items()))


def _deeds(done: list[Record]) -> ReportTable:
    found = _often((Deed(who(one.entry), one.kind), 1, one) for one in done)
    columns = [ReportColumn("who", "who"), ReportColumn("what", "what"), *_OFTEN]
    rows = [
        ReportRow([*deed, *one.cells()], [one.entries]) for deed, one in found.items()
    ]
    return ReportTable(
        "deeds", "Who did what", columns, rows, empty="nothing", evidence=list(OF_PEOPLE)
    )  # fmt: skip


def _denied(denied: list[Record]) -> ReportTable:
    found = _often(
        (
            Deed(who(one.entry), str(one.entry["fields"]["verb"])),
            _refusals(one),
            one,
        )
        for one in denied
    )
    columns = [ReportColumn("who", "who"), ReportColumn("verb", "asked for"), *_OFTEN]
    rows = [
        ReportRow([*deed, *one.cells()], [one.entries]) for deed, one in found.items()
    ]
    return ReportTable(
        "denied", "What was refused", columns, rows, evidence=[DENIED, REFUSED]
    )


def _roles(changed: list[Record]) -> ReportTable:
    columns = [
        ReportColumn("at", "at", "instant"),
        ReportColumn("role", "role"),
        ENTRY,
    ]
    rows = [
        ReportRow(
            [format_utc(one.entry["at"]), one.entry["fields"]["role"], one.number],
            entries_of([one.number]),
        )
        for one in changed
    ]
    return ReportTable(
        "roles", "When the members of a role changed", columns, rows, evidence=[CHANGED]
    )
