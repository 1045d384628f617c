"""What every form for people writes in a cell: local times, readable sizes."""

from __future__ import annotations

from typing import Any

from retention.model.answers.report import ReportColumn, ReportSaid, ReportTable
from retention.model.localtime import (
    format_duration,
    format_local,
    format_size,
    instant_of,
    localised,
)
from retention.model.values import SECOND

RIGHT = ("number", "bytes", "duration", "share", "entry")
"""The kinds of columns that stand to the right."""


def text_of(column: ReportColumn, value: Any, zone: str) -> str:
    """A cell as a person reads it; "-" is not known."""
    if value is None:
        return "-"
    if column.kind == "instant":
        return format_local(instant_of(value) // SECOND * SECOND, zone)
    if column.kind == "bytes":
        return format_size(value)
    if column.kind == "duration":
        return format_duration(int(value) * SECOND)
    if column.kind == "share":
        return share_text(value)
    return f"{value:,}" if column.kind == "number" else str(value)


def sentence_of(said: ReportSaid, zone: str) -> str:
    """A sentence of the verdict, from its capital letter to its full stop."""
    text = localised(said.text, zone)
    return f"{text[:1].upper()}{text[1:]}."


def share_text(value: float) -> str:
    """A share in per cent, never rounded up to all or down to nothing."""
    if value in (0, 1):
        return f"{value:.0%}"
    return f"{min(max(value, 0.0001), 0.9999):.2%}"


def lines_of(table: ReportTable, zone: str) -> list[list[str]]:
    """Every row of a table, and the total last where there is one."""
    found = [
        [
            text_of(column, value, zone)
            for column, value in zip(table.columns, row.cells, strict=True)
        ]
        for row in table.rows
    ]
    if table.total is not None and len(found) > 1:
        found.append(["all"] + [
            "" if value is None else text_of(column, value, zone)
            for column, value in zip(table.columns[1:], table.total.cells[1:], strict=True)
        ])  # fmt: skip
    return found


def ranges_text(entries: list[list[int]]) -> str:
    """Entry numbers as ranges: "12, 20-31"."""
    return ", ".join(
        f"{first}" if first == last else f"{first}-{last}" for first, last in entries
    )
