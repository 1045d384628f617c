"""The summary: what the other reports say first, and those of their tables of which there
are pictures, on one page.  It is what `--html` is made for."""

from __future__ import annotations

from retention.control.guards import CATALOGUE, LOG, UNLAWFUL
from retention.model.answers.report import Report, ReportSaid
from retention.model.localtime import format_utc
from retention.model.values import Outcome
from retention.reports.compliance import HEARTBEAT, compliance
from retention.reports.coverage_report import coverage
from retention.reports.deletions import deletions
from retention.reports.evidence import Evidence, Selection
from retention.reports.exceptions import exceptions
from retention.reports.hold_register import register
from retention.reports.standing import stood

_PARTS = (
    (deletions, ("by_day",)),
    (compliance, ("overdue", "policies")),
    (register, ("holds",)),
    (exceptions, ("by_kind", "alarms")),
    (coverage, ("by_camera", "cells")),
)
"""The reports that it is of, and which of their tables."""

_LOST = ("lost", "lost while held", f"not deleted: {Outcome.ABSENT}")


def summary(evidence: Evidence, asked: Selection) -> Report:
    """All of it at a glance: whether the log is lawful and intact, what is overdue or was
    lost, and of each other report the first sentence, whatever is wrong, and the tables
    that have pictures."""
    found = [make(evidence, asked) for make, _ in _PARTS]
    said = [_log(evidence, asked), _overdue(evidence), _lost(found[3])]
    for one in found:
        said += [one.verdict[0], *(it for it in one.verdict[1:] if it.good is False)]
    tables = [
        table
        for one, (_, names) in zip(found, _PARTS, strict=True)
        for table in one.tables
        if table.name in names
    ]
    notes = [note for one in found for note in one.notes]
    return evidence.report(
        "summary", "Retention, deletion and evidence", asked,
        list(dict.fromkeys(said)), tables, list(dict.fromkeys(notes)),
    )  # fmt: skip


def _log(evidence: Evidence, asked: Selection) -> ReportSaid:
    """What the service found when it last held the log against its rules."""
    size, at = evidence.head.size, format_utc(evidence.written)
    where = f"to entry {size - 1:,}, which is signed and of {at}"
    against = [
        one.what
        for one in stood(evidence.source, asked.window)
        if one.what in (UNLAWFUL, f"guard {LOG}", f"guard {CATALOGUE}")
    ]
    if against:
        text = f"NOT known to be lawful and intact {where}: {', '.join(against)} stood"
        return ReportSaid(text, False)
    return ReportSaid(f"lawful and intact {where}, by the service's own checks", True)


def _overdue(evidence: Evidence) -> ReportSaid:
    last = None
    for one in evidence.source.of_kinds((HEARTBEAT,)):
        last = one
    if last is None:
        return ReportSaid(
            "what is overdue is not known: the service never counted", False
        )
    number = last.entry["fields"]["overdue"]
    text = f"{number:,} overdue at {format_utc(last.entry['at'])}"
    return ReportSaid(text, not number)


def _lost(found: Report) -> ReportSaid:
    (table,) = (one for one in found.tables if one.name == "by_kind")
    lost = sum(row.cells[1] for row in table.rows if row.cells[0] in _LOST)
    return ReportSaid(f"{lost:,} lost", not lost)
