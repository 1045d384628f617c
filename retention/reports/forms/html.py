"""A report as one HTML file that needs nothing else: no script, no other file."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from retention.model.answers.report import Report
from retention.reports.forms.texts import RIGHT, lines_of, ranges_text, sentence_of


def html_of(report: Report, *, explain: bool = False) -> str:
    """The whole file; `explain`: with the entries behind each row."""
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
        lines=lines_of,
        ranges=ranges_text,
        right=RIGHT,
        sentence=sentence_of,
    )
