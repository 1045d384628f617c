"""A report's page in a real Chromium: pictures drawn and told in words, figures that open
the entries behind them, nothing that a strict policy refuses, for every reader."""

import re
from dataclasses import replace
from itertools import chain

import pytest
from playwright.sync_api import expect

from retention.model.answers.report import (
    Report,
    ReportAsked,
    ReportColumn,
    ReportHead,
    ReportRow,
    ReportTable,
)
from retention.model.localtime import day_text, format_utc
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.forms.html import LONG, html_of
from retention.reports.forms.pictures import PICTURES, pictures_of
from retention.reports.forms.texts import sentence_of
from tests.support import browser as browsers
from tests.support import needs
from tests.support.reported import BST_NIGHT, Council, Reported
from tests.support.story import ANNA, CARA


def told() -> Council:
    """Ten days: one late deletion, a guard, an alarm, a hold in force and one released."""
    site = Council()
    for day in range(10):
        site.at(BST_NIGHT + day * DAY + 12 * HOUR)
        site.recorded(site.row(1 + day % 2, age=HOUR, length=12 * HOUR))
        site.delete(*(site.row(1 + n % 2, age=28 * DAY + MINUTE) for n in range(3)))
    site.add("guard.tripped", guard="clock", scope="", detail="d")
    site.now += 5 * HOUR
    site.add("guard.cleared", guard="clock", scope="", reason="r")
    site.delete(site.row(1, age=28 * DAY + 5 * HOUR))
    site.add("alarm.raised", alarm="silent", scope="nvr1", detail="d", cameras=[1])
    site.place(site.now - 2 * DAY, site.now - DAY, hold=1, camera=2)
    site.release(site.ask(1, by=ANNA), 1, by=CARA)
    site.place(site.now - DAY, site.now, hold=2, camera=1)
    site.now += 92 * DAY
    site.beat(0)
    return site


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    log = Reported(tmp_path_factory.mktemp("page") / "log", told().entries)
    asked = {"since": "2026-10-24", "until": "2026-11-05"}
    yield log.both("summary", **asked), log.both("coverage", **asked, hours=True)
    log.close()


@pytest.fixture(scope="module")
def summary(reports):
    return reports[0]


@pytest.fixture(scope="module")
def browser():
    with browsers.chromium() as found:
        yield found


@pytest.fixture
def shown(browser, tmp_path):
    """Shows a report's page; in the end its console must have nothing to complain of."""
    tabs = []

    def show(report: Report, **form: bool) -> browsers.Tab:
        page = tmp_path / f"{report.name}{len(tabs)}.html"
        page.write_text(html_of(report, **form), encoding="utf-8")
        tabs.append(browsers.Tab(browser))
        tabs[-1].page.goto(page.as_uri())
        return tabs[-1]

    yield show
    told = [error for tab in tabs for error in tab.errors]
    for tab in tabs:
        tab.close()
    assert told == []


def long_coverage(cameras: int = LONG // 90 + 1) -> Report:
    """Of so many cameras and days that their list would fill a book."""
    rows = [
        ReportRow([f"c{n}", day_text(20_000 + day), 1 - (day + n) % 2 * 0.5])
        for n in range(cameras)
        for day in range(90)
    ]
    columns = [
        ReportColumn("camera", "camera"),
        ReportColumn("day", "day", "day"),
        ReportColumn("complete", "complete", "share"),
    ]
    head = ReportHead("leicester/0c", 9, "00ff", format_utc(20_090 * DAY))
    return Report(
        "coverage", "Coverage", "leicester", "Europe/London", head, ReportAsked(), [],
        [ReportTable("cells", "Each camera and day", columns, rows)],
    )  # fmt: skip


# -- pictures -----------------------------------------------------------------------------


def test_every_picture_is_of_some_table(reports):
    drawn = {
        int(one.name.rpartition("-")[2]) for one in chain(*map(pictures_of, reports))
    }
    assert drawn == set(range(len(PICTURES)))


def test_what_each_hour_is_is_counted_by_what_most_of_it_is(reports):
    coverage = reports[1]
    (picture,) = (one for one in pictures_of(coverage) if one.table == "hours")
    numbers = [int(one) for one in re.findall("[0-9]+", picture.says)]
    (table,) = (one for one in coverage.tables if one.name == "hours")
    assert sum(numbers) == len(table.rows)
    kinds = {mark.kind for panel in picture.panels for mark in panel.marks}
    assert {kind for kind, _ in picture.legend} <= kinds


def test_a_picture_says_in_words_what_it_shows(summary):
    said = {one.title: one.says for one in pictures_of(summary)}
    assert "31 on 10 days; the most 4 on 2026-11-03" in said["Deletions a day"]
    assert "some late on 1 day" in said["Deletions a day"]
    assert "over an hour on 1 of" in said["How late, day by day"]
    assert said["Life lines of holds"].startswith("2 in all; 1 of them stand")
    assert "10 in part" in said["How complete each camera's days are"]


def test_a_picture_shows_the_days_between_as_empty(summary):
    table = summary.tables[0]
    rows = [table.rows[0], table.rows[-1]]
    report = replace(summary, tables=[replace(table, rows=rows)])
    bars = [
        mark for mark in pictures_of(report)[0].panels[0].marks if mark.kind == "bar"
    ]
    first, last = (float(mark.path[1:].split()[0]) for mark in bars)
    assert last - first == pytest.approx(9 * 44)


def test_a_table_without_rows_has_no_picture(summary):
    table = replace(summary.tables[0], rows=[])
    assert pictures_of(replace(summary, tables=[table])) == []


def test_a_quarter_of_200_cameras_is_a_page_of_less_than_three_megabytes():
    """At the worst: each day of each camera another than the one before."""
    assert len(html_of(long_coverage(200))) < 3_000_000


# -- the page in a browser ------------------------------------------------------------------


@needs.chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(shown, summary, scheme):
    tab = shown(summary, explain=True)
    tab.page.emulate_media(color_scheme=scheme)
    drawn = tab.page.locator("svg[role=img]")
    assert drawn.count() == len(pictures_of(summary))
    for n in range(drawn.count()):
        box = drawn.nth(n).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 20
        assert drawn.nth(n).get_attribute("aria-label")
    assert tab.violations() == []
    tab.picture(f"report-{scheme}")


@needs.chromium
def test_the_verdict_comes_first(shown, summary):
    first = shown(summary).page.locator("main > *").first
    assert first.get_attribute("class") == "verdict"
    for said in summary.verdict:
        expect(first).to_contain_text(sentence_of(said, summary.zone))


@needs.chromium
def test_a_figure_opens_the_entries_behind_it_by_keyboard_too(shown, summary):
    tab = shown(summary)
    figure = tab.page.locator("#table-by_day ~ .scroll button").first
    entries = tab.page.locator("#entries-by_day-0")
    expect(entries).to_be_hidden()
    figure.focus()
    tab.page.keyboard.press("Enter")
    first, last = summary.tables[0].rows[0].entries[0]
    assert summary.tables[0].name == "by_day"
    expect(entries).to_contain_text(f"{first}-{last}" if first != last else f"{first}")
    expect(entries).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(entries).to_be_hidden()


@needs.chromium
def test_colours_are_drawn_from_the_style_sheet_under_the_policy(shown, summary):
    tab = shown(summary)
    colour = "getComputedStyle(document.querySelector('path.bar')).fill"
    assert tab.page.evaluate(colour) not in ("rgb(0, 0, 0)", "none")


@needs.chromium
def test_on_paper_nothing_is_cut_off(shown, summary):
    """A4 is 186 mm wide within its margins, 703 pixels; wide tables lie on their side."""
    tab = shown(summary, explain=True)
    tab.page.emulate_media(media="print")
    tab.page.set_viewport_size({"width": 703, "height": 1000})
    narrow = tab.page.locator("section:not(.wide) table:not(.matrix)")
    for n in range(narrow.count()):
        box = narrow.nth(n).bounding_box()
        assert box is not None
        assert box["width"] <= 703
    tab.page.set_viewport_size({"width": 1031, "height": 700})
    wide = tab.page.locator("section.wide table")
    for n in range(wide.count()):
        box = wide.nth(n).bounding_box()
        assert box is not None
        assert box["width"] <= 1031


@needs.chromium
def test_what_would_fill_a_book_is_a_matrix(shown):
    tab = shown(long_coverage())
    cells = tab.page.locator(".matrix tbody tr").first.locator("td")
    assert cells.count() == 90
    assert [cells.nth(n).inner_text() for n in (0, 1)] == ["100", "50"]
    assert tab.page.locator("svg[role=img]").count() == 1
    tab.picture("report-matrix")
