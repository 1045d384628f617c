"""A report as Markdown (CommonMark with tables), for a letter or a page."""

from __future__ import annotations

import re

from retention.model.answers.report import Report, ReportTable
from retention.model.localtime import localised
from retention.reports.forms.texts import RIGHT, lines_of, sentence_of

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")


def markdown_of(report: Report) -> str:
    """All of it."""
    parts = [f"# {_plain(report.title)}"]
    said = (sentence_of(one, report.zone) for one in report.verdict)
    parts.append("\n".join(f"- {_plain(one)}" for one in said))
    parts += [_table(table, report.zone) for table in report.tables]
    notes = (localised(note, report.zone) for note in report.notes)
    parts.append("\n".join(f"- {_plain(note)}." for note in notes))
    head = report.head
    parts.append(
        f"From the audit log {_plain(head.origin)}, entries 0 to {head.size - 1}, root "
        f"{head.root}."
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(table: ReportTable, zone: str) -> str:
    title = f"## {_plain(table.title)}"
    if not table.rows:
        return f"{title}\n\n{_plain(table.empty)}"
    rules = ["---:" if one.kind in RIGHT else "---" for one in table.columns]
    rows = [[_plain(one.heading) for one in table.columns], rules]
    rows += [[_plain(cell) for cell in line] for line in lines_of(table, zone)]
    lines = [f"| {' | '.join(row)} |" for row in rows]
    more = [f"\n{table.more:,} more are not shown."] if table.more else []
    return "\n".join([title, "", *lines, *more])


def _plain(text: str) -> str:
    """Text in which nothing is mark-up."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
