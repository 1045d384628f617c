"""The reports by name, and those of a published copy: no database is started for them.

A new one is a function of `Evidence` and `Selection` that returns a `Report`, a line in
`REPORTS`, one for its verb in `report.py`, its name in `control/verbs.py`, and a command in
`cli/report`; every form comes with the value.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from retention.model.answers.report import FiguresRebuilt, Report
from retention.model.values import Micros
from retention.reports import (
    access_report,
    certificate,
    compliance,
    coverage_report,
    deletions,
    exceptions,
    foi,
    seizures,
    summary,
)
from retention.reports.evidence import Evidence, ReportRequest
from retention.reports.gathering import Tell, published
from retention.reports.hold_register import holds

Made = Callable[..., Report]
"""Makes a report of evidence and what was asked, with options of its own."""

REPORTS: dict[str, Made] = {
    "summary": summary.summary,
    "deletions": deletions.deletions,
    "holds": holds,
    "compliance": compliance.compliance,
    "coverage": coverage_report.coverage,
    "exceptions": exceptions.exceptions,
    "seizures": seizures.seizures,
    "access": access_report.access,
    "foi": foi.foi,
    "certificate": certificate.certificate,
}
"""Every report by its name: `report.NAME` is its verb, `retention report NAME` its
command."""

PUBLIC = "foi"
"""The one that tells what it can from a public copy, too."""


class CopiedReports:
    """Reports of a published copy; `key` is whatever `audit verify` takes, None for the
    key that the copy names.  What it adds up to is kept in the directory `cache`."""

    def __init__(
        self, directory: Path, key: str | None, cache: Path, now: Micros, tell: Tell
    ) -> None:
        self._where = directory, key, cache, now, tell

    def report(self, name: str, request: ReportRequest, **options: Any) -> Report:
        """As the verb `report.NAME`, of the copy."""
        with published(*self._where, public=name == PUBLIC) as evidence:
            return REPORTS[name](evidence, evidence.asked(request), **options)

    def rebuild(self) -> FiguresRebuilt:
        """As the verb report.rebuild, of the copy."""
        with published(*self._where, anew=True) as evidence:
            return rebuilt(evidence)


def rebuilt(evidence: Evidence) -> FiguresRebuilt:
    """What was added up of the whole log."""
    sums = [one for _, one in evidence.figures.summed(("outcome",))]
    return FiguresRebuilt(
        path=str(evidence.figures.path),
        head=evidence.head,
        files=sum(one.number for one in sums),
        faults=[f"entry {entry}: {what}" for entry, what in evidence.figures.faults()],
    )
