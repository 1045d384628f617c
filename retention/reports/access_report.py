"""The report on access: who did what and how often, who was refused, when roles changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.errors import UsageError
from retention.model.localtime import counted, format_utc, times
from retention.model.values import Micros, Window
from retention.reports.columns import ENTRY, entries_of, who
from retention.reports.evidence import Evidence, Selection
from retention.tlog.kinds import KINDS, OF_PEOPLE
from retention.tlog.source import Believed, Record

DENIED, REFUSED, CHANGED = "access.denied", "request.refused", "access.changed"
_DENIED = DENIED, REFUSED


@dataclass(slots=True)
class Often:
    """How often something was done, when first and last, and the first and last entry of
    it."""

    number: int
    first: Micros
    last: Micros
    entries: list[int]


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
        for one in evidence.source.of_kinds((*OF_PEOPLE, CHANGED))
        if window.start <= one.entry["at"] < window.end
    ]
    done = [one for one in records if KINDS[one.kind].by and _is_person(one)]
    changed = [one for one in records if one.kind == CHANGED]
    refused = denied(evidence.source, window)
    deeds = _deeds(
        "deeds", "Who did what", ReportColumn("what", "what"), done, OF_PEOPLE
    )
    return evidence.report(
        "access", "Access", asked, _verdict(done, refused, changed),
        [deeds, denied_table(refused), _roles(changed)],
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
    done: list[Record], refused: list[Record], changed: list[Record]
) -> list[ReportSaid]:
    people = {one.entry["actor"]["uid"] for one in done}
    text = counted(len(people), "person", "people")
    often = sum(_refusals(one) for one in refused)
    said = [ReportSaid(f"{text} did {len(done):,} things that changed something")]
    said.append(
        ReportSaid(f"{times(often)} somebody asked for what was refused")
        if often
        else ReportSaid("nobody asked for what no role of theirs allows", True)
    )
    if changed:
        said.append(ReportSaid(f"the members of roles changed {times(len(changed))}"))
    return said


def _refusals(record: Record) -> int:
    return int(record.entry["fields"].get("count", 1))


def denied(source: Believed, window: Window) -> list[Record]:
    """What somebody asked for in that time, and was refused."""
    return [
        one
        for one in source.of_kinds(_DENIED)
        if window.start <= one.entry["at"] < window.end
    ]


def denied_table(records: list[Record]) -> ReportTable:
    """Who asked for what, and how often."""
    verb = ReportColumn("verb", "asked for")
    return _deeds("denied", "What was refused", verb, records, _DENIED)


def _deeds(
    name: str, title: str, what: ReportColumn, records: list[Record],
    kinds: Iterable[str],
) -> ReportTable:  # fmt: skip
    """Who did each thing how often: of what was refused the verb, else a kind of entry."""
    found: dict[tuple[str, str], Often] = {}
    for record in records:
        at, entry = record.entry["at"], record.number
        refused = record.kind in _DENIED
        said = str(record.entry["fields"]["verb"] if refused else record.kind)
        one = found.setdefault((who(record.entry), said), Often(0, at, at, [entry] * 2))
        one.number += _refusals(record) if refused else 1
        one.last, one.entries[1] = at, entry
    columns = [
        ReportColumn("who", "who"),
        what,
        ReportColumn("times", "times", "number"),
        ReportColumn("first", "first", "instant"),
        ReportColumn("last", "last", "instant"),
    ]
    rows = [
        ReportRow(
            [*deed, one.number, format_utc(one.first), format_utc(one.last)],
            [one.entries],
        )
        for deed, one in sorted(found.items())
    ]
    return ReportTable(name, title, columns, rows, evidence=[*kinds])


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
