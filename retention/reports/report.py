"""The reports by name: asked of this site (the verbs report.*), or of a published copy.

A new one is a function of `Evidence` and `Selection` that returns a `Report`, a line in
`REPORTS`, a verb with its arguments here, its row in `control/verbs.py`, and a command in
`cli/report`; every form comes with the value.
"""

from __future__ import annotations

from collections.abc import Callable
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
)
from retention.reports.evidence import Evidence, ReportRequest
from retention.reports.gathering import Tell, figures_at, live, published
from retention.reports.hold_register import holds, opened

if TYPE_CHECKING:
    from retention.control.context import Context

Made = Callable[..., Report]
"""Makes a report of evidence and what was asked, with options of its own."""

REPORTS: dict[str, Made] = {
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


def report_deletions(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
    files: bool = False,
) -> Report:
    """What was deleted, when, why and how late: see `deletions`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "deletions", request, files=files)


def report_holds(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> Report:
    """The register of holds, and what they kept: see `holds`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "holds", request)


def report_holds_open(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> ReportOpened:
    """The same with people's details, on record before they are shown: see `opened`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    with live(context) as evidence:
        found, numbers = opened(evidence, evidence.asked(request))
    with context.write(Priority.HOLD) as tx:
        entry = tx.append(
            "details.opened", report="holds", holds=numbers[:LISTED], count=len(numbers)
        )
    return ReportOpened(found, entry)


def report_compliance(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> Report:
    """Whether footage was deleted in time, and what stood in the way: see `compliance`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "compliance", request)


def report_exceptions(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> Report:
    """What went otherwise than it should: see `exceptions`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "exceptions", request)


def report_seizures(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> Report:
    """Who asked for footage to be kept, and how it is kept: see `seizures`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "seizures", request)


def report_access(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> Report:
    """Who did what, and who was refused: see `access`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "access", request)


def report_foi(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
    suppress: bool = False,
) -> Report:
    """What is asked under the Freedom of Information Act: see `foi`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "foi", request, suppress=suppress)


def report_certificate(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
    requested_on: str | None = None,
) -> Report:
    """What became of the footage of a camera in a time: see `certificate`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "certificate", request, requested_on=requested_on)


def report_coverage(
    context: Context,
    *,
    since: str | None = None,
    until: str | None = None,
    on: str | None = None,
    camera: str | None = None,
    location: str | None = None,
    controller: str | None = None,
) -> Report:
    """How much of each day was recorded: see `coverage`."""
    request = ReportRequest(since, until, on, camera, location, controller)
    return _of_site(context, "coverage", request)


def _of_site(
    context: Context, name: str, request: ReportRequest, **options: Any
) -> Report:
    with live(context) as evidence:
        return _made(evidence, name, request, **options)


def _made(
    evidence: Evidence, name: str, request: ReportRequest, **options: Any
) -> Report:
    return REPORTS[name](evidence, evidence.asked(request), **options)


class CopiedReports:
    """Reports of a published copy; `key` is whatever `audit verify` takes, None for the
    key that the copy names.  What it adds up to is kept in the directory `cache`."""

    def __init__(
        self, directory: Path, key: str | None, cache: Path, now: Micros, tell: Tell
    ) -> None:
        self._where = directory, key, cache, now, tell

    def report(self, name: str, request: ReportRequest, **options: Any) -> Report:
        """As the verb `report.NAME`, of the copy."""
        with published(*self._where) as evidence:
            return _made(evidence, name, request, **options)

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
