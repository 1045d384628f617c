"""A report as one HTML file that needs nothing else: no script, no other file.

The verdict first, then pictures, then tables; a figure opens the entries behind it.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from retention.model.answers.report import Report
from retention.model.localtime import (
    day_of,
    day_text,
    format_date,
    format_local,
    instant_of,
    localised,
    midnight,
)
from retention.model.values import Micros
from retention.reports.forms.pictures import WIDE, Columns, matrix, pictures_of
from retention.reports.forms.texts import RIGHT, lines_of, ranges_text, sentence_of

LONG = 2_000
"""Rows from which on shares by camera and day stand as a matrix, not in a list."""

FIGURES = ("number", "bytes", "duration", "share")
"""The kinds of columns whose cells open the entries behind them."""


class Matrix(NamedTuple):
    """Whole per cent, cut off, by camera and day; "-" where it is not known."""

    days: list[str]
    rows: list[tuple[str, list[str]]]


def html_of(report: Report, *, explain: bool = False) -> str:
    """The whole file; `explain`: with the entries behind each row beside it, too."""
    here = files("retention.reports.forms")
    style = here.joinpath("report.css").read_text(encoding="utf-8")
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string(
        here.joinpath("report.html").read_text(encoding="utf-8")
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return template.render(
        report=report,
        explain=explain,
        style=Markup(style),  # noqa: S704 - our own file, which nobody's words are in
        policy=f"default-src 'none'; style-src 'sha256-{digest}'",
        asked=_asked(report),
        local=lambda text: localised(text, report.zone),
        pictures=pictures_of(report),
        wide=WIDE,
        matrices=_matrices(report),
        lines=lines_of,
        ranges=ranges_text,
        right=RIGHT,
        figures=FIGURES,
        sentence=lambda said: sentence_of(said, report.zone),
    )


def _asked(report: Report) -> str:
    """What was asked for, in words; nothing where that is everything."""
    asked, zone = report.asked, report.zone
    said = [
        f"{word} {_instant(instant_of(text), zone)}"
        for word, text in (("from", asked.since), ("until", asked.until))
        if text is not None
    ]
    said += [
        f"{word} {text}"
        for word, text in (
            ("camera", asked.camera),
            ("at", asked.location),
            ("of", asked.controller),
        )
        if text is not None
    ]
    return " ".join(said)


def _instant(instant: Micros, zone: str) -> str:
    """A midnight is told by its day."""
    day = midnight(day_of(instant, ZoneInfo(zone)), ZoneInfo(zone))
    return (format_date if instant == day else format_local)(instant, zone)


def _matrices(report: Report) -> dict[str, Matrix]:
    """Of long lists of shares by camera and day."""
    found = {}
    for table in report.tables:
        columns = Columns(table, report)
        if len(table.rows) > LONG and columns.has(("camera", "day", "complete")):
            rows = matrix(columns)
            days = sorted({day for row in rows.values() for day in row})
            found[table.name] = Matrix(
                [day_text(day) for day in days],
                [
                    (camera, [_percent(row.get(day)) for day in days])
                    for camera, row in rows.items()
                ],
            )
    return found


def _percent(share: float | None) -> str:
    return "-" if share is None else str(int(share * 100))
