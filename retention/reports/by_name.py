"""The reports by name, and those of a published copy: no database is started for them.

A new one is a function of `Evidence` and `Selection` that returns a `Report`, a line in
`REPORTS`, one for its verb in `report.py`, its name in `control/verbs.py`, and a command in
`cli/report`; every form comes with the value.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from retention.control.verbs import resolve
from retention.model.answers.report import FiguresRebuilt, Report
from retention.model.values import Micros
from retention.reports.evidence import Evidence, ReportRequest
from retention.reports.gathering import Tell, published

Made = Callable[..., Report]
"""Makes a report of evidence and what was asked, with options of its own."""

REPORTS = {
    "summary": "reports.summary:summary",
    "deletions": "reports.deletions:deletions",
    "holds": "reports.hold_register:holds",
    "compliance": "reports.compliance:compliance",
    "coverage": "reports.coverage_report:coverage",
    "exceptions": "reports.exceptions:exceptions",
    "seizures": "reports.seizures:seizures",
    "access": "reports.access_report:access",
    "foi": "reports.foi:foi",
    "certificate": "reports.certificate:certificate",
}
"""Every report by its name: `report.NAME` is its verb, `retention report NAME` its
command.  Only what is asked for is loaded: who types one waits for it."""

PUBLIC = "foi"
"""The one that tells what it can from a public copy, too."""


def made(name: str) -> Made:
    """What makes the report of that name."""
    return resolve(REPORTS[name])


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
            return made(name)(evidence, evidence.asked(request), **options)

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
