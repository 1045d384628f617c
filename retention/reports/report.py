"""The reports by name: asked of this site (the verbs report.*), or of a published copy.

A new one is a function of `Evidence` and `Selection` that returns a `Report`, a line in
`REPORTS` and one for its verb here, its name in `control/verbs.py`, and a command in
`cli/report`; every form comes with the value.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.catalogue.db import Priority
from retention.catalogue.figures import NAME
from retention.model.answers.report import FiguresRebuilt, Report, ReportOpened
from retention.model.values import LISTED, Micros
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
from retention.reports.gathering import Tell, figures_at, live, published
from retention.reports.hold_register import holds, opened

if TYPE_CHECKING:
    from retention.control.context import Context

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


def _verb(name: str, *, open_: bool = False) -> Callable[..., Any]:
    """The verb of a report: asked as every one is, and with the options of its own."""
    made = REPORTS[name]

    def verb(context: Context, **given: Any) -> Report | ReportOpened:
        asked = {one: given.pop(one) for one in ReportRequest._fields if one in given}
        request = ReportRequest(**asked)
        if open_:
            return _opened(context, request)
        with live(context) as evidence:
            return made(evidence, evidence.asked(request), **given)

    own = [] if open_ else list(signature(made, eval_str=True).parameters.values())[2:]
    asks = [
        Parameter(one, Parameter.KEYWORD_ONLY, default=None, annotation=str | None)
        for one in ReportRequest._fields
    ]
    takes = [Parameter("context", Parameter.POSITIONAL_ONLY), *asks, *own]
    verb.__signature__ = Signature(takes)  # type: ignore[attr-defined]
    verb.__annotations__ = {one.name: one.annotation for one in (*asks, *own)}
    verb.__annotations__["return"] = ReportOpened if open_ else Report
    verb.__doc__ = made.__doc__
    return verb


def _opened(context: Context, request: ReportRequest) -> ReportOpened:
    """The register of holds with people's details, on record before they are shown."""
    with live(context) as evidence:
        found, numbers = opened(evidence, evidence.asked(request))
    with context.write(Priority.HOLD) as tx:
        entry = tx.append(
            "details.opened", report="holds", holds=numbers[:LISTED], count=len(numbers)
        )
    return ReportOpened(found, entry)


report_summary = _verb("summary")
report_deletions = _verb("deletions")
report_holds = _verb("holds")
report_holds_open = _verb("holds", open_=True)
report_compliance = _verb("compliance")
report_coverage = _verb("coverage")
report_exceptions = _verb("exceptions")
report_seizures = _verb("seizures")
report_access = _verb("access")
report_foi = _verb("foi")
report_certificate = _verb("certificate")


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
            return _rebuilt(evidence)


def report_rebuild(context: Context) -> FiguresRebuilt:
    """Add up the whole log anew, and check it against what each entry says of itself."""
    with figures_at(context.catalogue.path.with_name(NAME)).used() as kept:
        kept.forget()
        with live(context) as evidence:
            return _rebuilt(evidence)


def _rebuilt(evidence: Evidence) -> FiguresRebuilt:
    sums = [one for _, one in evidence.figures.summed(("outcome",))]
    return FiguresRebuilt(
        path=str(evidence.figures.path),
        head=evidence.head,
        files=sum(one.number for one in sums),
        faults=[f"entry {entry}: {what}" for entry, what in evidence.figures.faults()],
    )
