"""The report on seizures: who asked for footage to be kept, how it is kept, what became of
it."""

from __future__ import annotations

from collections import Counter

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import format_utc, utc_or_null
from retention.reports.deletions import faults
from retention.reports.evidence import Evidence, Selection
from retention.reports.hold_register import HoldLife, account, chosen
from retention.tlog.kinds import HOLDS


def seizures(evidence: Evidence, asked: Selection) -> Report:
    """The holds that stood in the time asked for, as what they are for others: footage
    that somebody asked for."""
    found = chosen(evidence, asked)
    account(evidence, found)
    kinds = Counter(hold.kind for hold in found)
    said = [
        ReportSaid(
            ", ".join(
                f"{number:,} for {kind}" for kind, number in sorted(kinds.items())
            )
            if found
            else "nobody asked for footage to be kept"
        )
    ]
    if empty := [hold for hold in found if hold.before.number]:
        said.append(
            ReportSaid(f"{len(empty):,} came too late for some of what they ask for")
        )
    return evidence.report(
        "seizures", "Seizures", asked, [*said, *faults(evidence)],
        [_by_kind(evidence, found), _each(evidence, found)],
        [
            "Requesters, officers and references are in the log as commitments only",
            "What was handed over, and returned, is on no record yet: this program keeps "
            "footage, and does not export it",
        ],
    )  # fmt: skip


def _by_kind(evidence: Evidence, found: list[HoldLife]) -> ReportTable:
    columns = [
        ReportColumn("kind", "asked for by"),
        ReportColumn("holds", "holds", "number"),
        ReportColumn("standing", "still kept", "number"),
        ReportColumn("released", "released", "number"),
    ]
    rows = []
    for kind in sorted({hold.kind for hold in found}):
        of_it = [hold for hold in found if hold.kind == kind]
        standing = sum(hold.state(evidence.written) != "released" for hold in of_it)
        entries = [pair for hold in of_it for pair in hold.entries[:1]]
        cells = [kind, len(of_it), standing, len(of_it) - standing]
        rows.append(ReportRow(cells, entries))
    return ReportTable(
        "by_kind", "By who asks", columns, rows, empty="nothing", evidence=[*HOLDS]
    )


def _each(evidence: Evidence, found: list[HoldLife]) -> ReportTable:
    columns = [
        ReportColumn("hold", "hold", "number"),
        ReportColumn("kind", "asked for by"),
        ReportColumn("placed", "placed", "instant"),
        ReportColumn("placed_by", "by"),
        ReportColumn("cameras", "cameras"),
        ReportColumn("since", "from", "instant"),
        ReportColumn("until", "to", "instant"),
        ReportColumn("kept", "how it is kept"),
        ReportColumn("too_late", "gone before", "number"),
        ReportColumn("lost", "lost while held", "number"),
        ReportColumn("free_at", "kept until", "instant"),
    ]
    rows = [
        ReportRow(
            [
                hold.number, hold.kind, format_utc(hold.placed.at), hold.placed.who,
                " ".join(sorted(map(evidence.cameras.name, hold.cameras))),
                format_utc(hold.window.start), utc_or_null(hold.window.end),
                _how(evidence, hold), hold.before.number, hold.lost.number,
                None if hold.free_at is None else format_utc(hold.free_at),
            ],
            hold.entries,
        )
        for hold in found
    ]  # fmt: skip
    return ReportTable(
        "seizures", "Each of them", columns, rows, empty="nothing", evidence=[*HOLDS]
    )


def _how(evidence: Evidence, hold: HoldLife) -> str:
    """A hold keeps this program from deleting; copies come with the evidence store."""
    if hold.state(evidence.written) == "released":
        return "not any more"
    return "not deleted by this program"
