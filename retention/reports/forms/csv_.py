"""A table of a report as CSV (RFC 4180, UTF-8).

An instant has two columns, in UTC and in the site's zone, both ISO 8601; durations are
seconds, sizes bytes.  The last columns name the log and the size of the signed head that it
all rests on.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from retention.model.answers.report import Report, ReportColumn, ReportTable
from retention.model.cells import shielded
from retention.model.errors import UsageError
from retention.model.localtime import iso_local
from retention.reports.forms.texts import ranges_text


def table_of(report: Report, name: str | None) -> ReportTable:
    """The table of that name, or the first; UsageError where there is none."""
    for table in report.tables:
        if name in (None, table.name):
            return table
    names = ", ".join(table.name for table in report.tables)
    raise UsageError(f"this report has no table {name}: it has {names}")


def csv_of(report: Report, name: str | None = None, *, explain: bool = False) -> str:
    """The table of that name, or the first; `explain`: with the entries behind each row."""
    table = table_of(report, name)
    out = io.StringIO(newline="")
    lines = csv.writer(out, lineterminator="\r\n")
    headings = [name for column in table.columns for name in _names(column)]
    lines.writerow([*headings, *["entries"][:explain], "log", "log_size"])
    for row in table.rows:
        cells = [
            cell
            for column, value in zip(table.columns, row.cells, strict=True)
            for cell in _cells(column, value, report.zone)
        ]
        cells += [ranges_text(row.entries)][:explain]
        lines.writerow([*cells, shielded(report.head.origin), report.head.size])
    return out.getvalue()


def _names(column: ReportColumn) -> list[str]:
    if column.kind == "instant":
        return [f"{column.name}_utc", f"{column.name}_local"]
    return [f"{column.name}_seconds" if column.kind == "duration" else column.name]


def _cells(column: ReportColumn, value: Any, zone: str) -> list[Any]:
    if column.kind == "instant":
        return ["", ""] if value is None else [value, iso_local(value, zone)]
    if value is None:
        return [""]
    return [shielded(value) if isinstance(value, str) else value]
