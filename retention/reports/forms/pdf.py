"""A report as PDF, made by typst: the same report gives the same bytes."""

from __future__ import annotations

import json
from importlib.resources import files

from retention.model.answers.report import Report
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import instant_of, localised
from retention.model.values import SECOND
from retention.reports.forms.texts import RIGHT, lines_of, sentence_of

MOST = 1_000
"""Rows in one PDF: more takes typst a gigabyte."""


def pdf_of(report: Report) -> bytes:
    """The whole file.  RetentionError where the extra is not installed, UsageError where
    the report is too long."""
    rows = sum(len(table.rows) for table in report.tables)
    if rows > MOST:
        raise UsageError(
            f"this report has {rows:,} rows, and a PDF takes {MOST:,}: ask for a shorter "
            "time or fewer cameras, or print --html FILE"
        )
    try:
        import typst
    except ImportError:
        raise RetentionError(
            "PDF needs the extra `pdf` of this program (typst): `pip install "
            "'cctv-retention[pdf]'`, or print --html FILE"
        ) from None
    page = files("retention.reports.forms").joinpath("report.typ").read_bytes()
    written = instant_of(report.head.written) // SECOND
    found: bytes = typst.compile(
        page,
        format="pdf",
        sys_inputs={"report": json.dumps(_shown(report))},
        timestamp=max(written, 0),
        ignore_system_fonts=True,
        pdf_standards=["a-2b"],
    )
    return found


def _shown(report: Report) -> dict[str, object]:
    head = report.head
    return {
        "title": f"{report.title}: {report.site}",
        "verdict": [
            [sentence_of(one, report.zone), one.good] for one in report.verdict
        ],
        "tables": [
            {
                "title": table.title,
                "headings": [column.heading for column in table.columns],
                "right": [column.kind in RIGHT for column in table.columns],
                "lines": lines_of(table, report.zone),
                "empty": table.empty,
                "more": table.more,
            }
            for table in report.tables
        ],
        "notes": [localised(one, report.zone) for one in report.notes],
        "head": f"Log {head.origin}, signed up to entry {head.size - 1:,}, which is of "
        f"{localised(head.written, report.zone)}; root {head.root}. Local times and days are those of "
        f"{report.zone}.",
    }
