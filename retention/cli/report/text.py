"""A report on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from retention.cli.display import (
    alarm,
    fitted_table,
    good,
    local,
    number,
    safe,
    sentence,
)
from retention.model.answers.report import (
    FiguresRebuilt,
    Report,
    ReportHead,
    ReportSaid,
    ReportTable,
)
from retention.reports.forms.texts import lines_of, ranges_text, sentence_of

_SHOWN = 60
"""Rows of a table on a terminal; whole with --table."""

_LONG = 40
"""Characters that are not said again in the row below."""


def report_text(name: str | None, explain: bool) -> Callable[[Report, str], str]:
    """How a report is told: all of it, or the table of that name whole; `explain`: with
    the entries behind each row."""

    def told(report: Report, zone: str) -> str:
        if name is not None:
            from retention.reports.forms.csv_ import table_of

            return _table(table_of(report, name), zone, explain, None)
        parts = ["\n".join(_said(one, zone) for one in report.verdict)]
        parts += [_table(one, zone, explain, _SHOWN) for one in report.tables]
        parts.append("\n".join([*_notes(report, zone), head_text(report.head, zone)]))
        return "\n\n".join(parts)

    return told


def _said(said: ReportSaid, zone: str) -> str:
    text = f"{sentence(sentence_of(said, zone), zone)}."
    if said.good is None:
        return text
    return good(text) if said.good else alarm(text)


def _notes(report: Report, zone: str) -> Iterator[str]:
    for text in report.notes:
        yield f"{sentence(text, zone)}."


def head_text(head: ReportHead, zone: str) -> str:
    """The head that a report rests on."""
    return (
        f"Rests on {safe(head.origin)}, signed up to entry {number(head.size - 1)}, which "
        f"is of {local(head.written, zone)}; root {head.root}."
    )


def _table(table: ReportTable, zone: str, explain: bool, most: int | None) -> str:
    if not table.rows:
        return f"{table.title}: {safe(table.empty)}."
    headings = [column.heading for column in table.columns]
    of = replace(table, rows=table.rows[:most])  # a year has more than are ever shown
    lines = lines_of(of, zone)
    total = lines[len(of.rows) :]
    if explain:
        headings.append("entries")
        lines = [
            [*line, ranges_text(row.entries)]
            for line, row in zip(lines, of.rows, strict=False)
        ]
        total = [[*line, ""] for line in total]
    shown = list(_without_repeats(lines[: len(of.rows)]))
    text = [f"{table.title}", fitted_table(headings, [*shown, *total])]
    left = len(table.rows) - len(shown)
    if left:
        text.append(
            f"... and {number(left)} more rows: --table {table.name} shows them"
        )
    if table.more:
        text.append(f"... {number(table.more)} more are not listed: ask for less")
    if explain and table.evidence:
        text.append(f"Entries are those of {' and '.join(table.evidence)}.")
    return "\n".join(text)


def _without_repeats(lines: list[list[str]]) -> Iterator[list[str]]:
    """A long cell that says what the one above it says is a ditto mark."""
    above: list[str] = []
    for line in lines:
        yield [
            '"' if above[place : place + 1] == [cell] and len(cell) > _LONG else cell
            for place, cell in enumerate(line)
        ]
        above = line


def rebuilt_text(found: FiguresRebuilt, zone: str) -> str:
    """How the figures that were made anew are told."""
    lines = [
        f"{number(found.files)} files of deletions were added up in {safe(found.path)}."
    ]
    lines += [alarm(f"{sentence(one, zone)}.") for one in found.faults]
    if not found.faults:
        lines.append(good("Every entry is what it says."))
    return "\n".join([*lines, head_text(found.head, zone)])
