"""The forms of a report: CSV that no spreadsheet runs, a page that needs nothing else, a PDF
that is the same each time."""

import builtins
import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from retention.model.answers.report import (
    Report,
    ReportAsked,
    ReportColumn,
    ReportHead,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.cells import bare
from retention.model.errors import RetentionError, UsageError
from retention.reports.forms.csv_ import csv_of
from retention.reports.forms.html import html_of
from retention.reports.forms.markdown import markdown_of
from retention.reports.forms.pdf import MOST, _shown, pdf_of
from retention.reports.forms.texts import share_text

NASTY = [
    "=1+1",
    "+44 116",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=1",
    "a,b",
    'say "x"',
    "z\n2",
]
HEAD = ReportHead("=leicester/0c", 48, "00ff", "2026-10-27T01:00:09Z")


def a_report(rows: int = len(NASTY)) -> Report:
    columns = [
        ReportColumn("what", "what"),
        ReportColumn("lon", "longitude", "number"),
        ReportColumn("at", "at", "instant"),
        ReportColumn("lateness", "lateness", "duration"),
        ReportColumn("share", "on time", "share"),
        ReportColumn("gone", "gone", "bytes"),
    ]
    instant = "2026-10-25T00:30:00.5Z"
    found = [
        ReportRow(
            [NASTY[n % len(NASTY)], -1.1397, instant, 90.5, 0.99999, None], [[1, 3]]
        )
        for n in range(rows)
    ]
    table = ReportTable("first", "<First>", columns, found, empty="nothing")
    return Report(
        "x", "<b>X</b>", "leicester", "Europe/London", HEAD, ReportAsked(),
        [ReportSaid("<i>fine</i>", True), ReportSaid("bad", False)],
        [table, replace(table, name="second", rows=[])], ["<script>"],
    )  # fmt: skip


def lines(report: Report) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(report), newline="")))


def test_no_text_cell_begins_like_a_formula_and_all_come_back():
    headings, *rows = lines(a_report())
    texts = [row[headings.index("what")] for row in rows]
    assert not any(text[0] in "=+-@\t\r" for text in texts)
    assert [bare(text) for text in texts] == NASTY
    assert {row[headings.index("log")] for row in rows} == {"'=leicester/0c"}


def test_a_number_is_never_touched():
    headings, row, *_ = lines(a_report())
    assert row[headings.index("lon")] == "-1.1397"
    assert row[headings.index("lateness_seconds")] == "90.5"
    assert row[headings.index("gone")] == ""
    assert row[headings.index("log_size")] == "48"


def test_an_instant_is_there_in_utc_and_in_local_time():
    headings, row, *_ = lines(a_report())
    assert row[headings.index("at_utc")] == "2026-10-25T00:30:00.5Z"
    assert row[headings.index("at_local")] == "2026-10-25T01:30:00.500000+01:00"


def test_lines_end_as_rfc_4180_has_them():
    text = csv_of(a_report())
    assert text.count("\r\n") == 1 + len(NASTY)
    assert text.endswith("\r\n")
    assert csv_of(a_report(), "second").count("\r\n") == 1


def test_a_table_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(UsageError, match="no table third: it has first, second"):
        csv_of(a_report(), "third")


def test_a_share_is_never_rounded_to_all_or_nothing():
    shares = {1: "100%", 0.99999: "99.99%", 0.5: "50.00%", 0.00001: "0.01%", 0: "0%"}
    assert {share: share_text(share) for share in shares} == shares


class Page(HTMLParser):
    """What a browser would make of it, roughly."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def test_a_page_shows_what_people_wrote_and_runs_none_of_it():
    text = html_of(a_report(), explain=True)
    page = Page(text)
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "b", "i", "img", "link", "iframe"}
    assert "&lt;script&gt;" in text
    assert "&lt;i&gt;fine&lt;/i&gt;" in text
    assert not any("style" in attributes for _, attributes in page.tags)
    assert not re.search(r"https?://", text)
    (policy,) = (a["content"] for _, a in page.tags if "http-equiv" in a)
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    heads = [a for tag, a in page.tags if tag == "th"]
    assert heads
    assert {one["scope"] for one in heads} == {"col", "row"}
    assert "1-3" in text


def test_a_pdf_is_the_same_each_time():
    first, second = pdf_of(a_report()), pdf_of(a_report())
    assert first.startswith(b"%PDF-")
    assert first == second
    assert pdf_of(a_report(1)) != first


def test_a_pdf_of_too_many_rows_is_refused():
    with pytest.raises(UsageError, match="1,001 rows, and a PDF takes 1,000"):
        pdf_of(a_report(MOST + 1))


def test_without_the_extra_a_pdf_is_refused_in_a_sentence(monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "typst":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(RetentionError, match="needs the extra `pdf`"):
        pdf_of(a_report())


@pytest.mark.parametrize("form", [html_of, markdown_of, lambda one: str(_shown(one))])
def test_people_read_local_times_in_every_sentence(form):
    """In summer, where an hour more or less is another recording."""
    at, local = "2026-10-24T20:00:00.500000Z", "Sat 24 Oct 2026 21:00:00 +01:00"
    names = "1001/2026-99-99T00:00:00Z and 2026-12-01T12Z"
    said = [ReportSaid(f"0 overdue at {at}", True), ReportSaid(names)]
    head = replace(HEAD, written=at)
    found = form(replace(a_report(), verdict=said, notes=[f"as of {at}"], head=head))
    assert f"0 overdue at {local}." in found
    assert f"as of {local}" in found
    assert at not in found
    assert names in found
