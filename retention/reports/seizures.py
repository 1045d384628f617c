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
from retention.model.localtime import counted
from retention.reports.columns import entries_of
from retention.reports.evidence import Evidence, Selection
from retention.reports.held import HoldLife
from retention.reports.hold_register import SAR, WIDER, account, chosen, hold_table

_EACH = (
    "hold kind received placed placed_by cameras since until kept too_late lost free_at"
)


def seizures(evidence: Evidence, asked: Selection) -> Report:
    """The holds that stood in the time asked for, as what they are for others: footage
    that somebody asked for."""
    found = chosen(evidence, asked)
    footage = account(evidence, found)
    kinds = Counter(hold.kind for hold in found)
    said = [
        ReportSaid(
            f"{counted(len(found), 'hold')}: "
            + ", ".join(
                f"{number:,} for {kind}" for kind, number in sorted(kinds.items())
            )
            if found
            else "nobody asked for footage to be kept"
        )
    ]
    if late := [one for one in footage.values() if one.before.number]:
        said.append(
            ReportSaid(f"{len(late):,} came too late for some of what they ask for")
        )
    return evidence.report(
        "seizures", "Seizures", asked, said,
        [_by_kind(evidence, found), hold_table("seizures", "Each of them", evidence, found, footage, _EACH)],
        [
            WIDER, SAR,
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
        entries = entries_of(hold.placed.entry for hold in of_it)
        cells = [kind, len(of_it), standing, len(of_it) - standing]
        rows.append(ReportRow(cells, entries))
    return ReportTable(
        "by_kind", "By who asks", columns, rows, empty="nothing", evidence=["hold.*"]
    )
