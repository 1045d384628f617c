"""The reports of this site: the verbs report.*."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature, signature
from typing import TYPE_CHECKING, Any

from retention.catalogue.db import Priority
from retention.catalogue.figures import NAME
from retention.model.answers.report import FiguresRebuilt, Report, ReportOpened
from retention.model.values import LISTED
from retention.reports import by_name
from retention.reports.by_name import rebuilt
from retention.reports.evidence import ReportRequest
from retention.reports.gathering import figures_at
from retention.reports.hold_register import opened
from retention.reports.live import live

if TYPE_CHECKING:
    from retention.control.context import Context


def _verb(name: str, *, open_: bool = False) -> Callable[..., Any]:
    """The verb of a report: asked as every one is, and with the options of its own."""
    made = by_name.made(name)

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


def report_rebuild(context: Context) -> FiguresRebuilt:
    """Add up the whole log anew, and check it against what each entry says of itself."""
    with figures_at(context.catalogue.path.with_name(NAME)).used() as kept:
        kept.forget()
        with live(context) as evidence:
            return rebuilt(evidence)
