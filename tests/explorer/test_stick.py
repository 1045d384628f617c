"""The explorer from a stick: opened as files, the log or an extract picked once."""

import re

import pytest
from playwright.sync_api import expect

from retention.publication import explorer, extract
from retention.tlog.canonical import decode
from tests.explorer.conftest import Log
from tests.support import needs
from tests.support.audited import AT
from tests.support.publishing import head

pytestmark = needs.chromium


@pytest.fixture(scope="module")
def stick(long, tmp_path_factory):
    """An extract of the last day: two of three bundles."""
    directory = tmp_path_factory.mktemp("stick") / "day"
    extract.extract(long.directory, directory, extract.Days(1), lambda *_: None)
    return Log(directory, long.key, long.size)


def test_a_page_that_was_opened_as_a_file_asks_for_the_directory(tab, stick):
    tab.page.goto((stick.directory / "explorer/index.html").as_uri())
    tab.says("where", "pick the directory of the log")
    tab.give(stick.key)
    tab.says("refused", "Open the directory of a log first.")


def test_an_extract_is_read_from_one_pick(tab, stick):
    tab.pick(stick.directory).give(stick.key)
    said = tab.says("verdict", "SIGNED")
    assert "It covers 700 entries" in said
    assert "This is an extract: it has the entries 512 to 699" in said
    assert "extends 2 heads of earlier days" in said
    tab.picture("extract")
    assert tab.violations() == []


def test_an_hour_of_a_camera_is_found_in_an_extract(tab, stick):
    tab.pick(stick.directory).give(stick.key).says("verdict", "SIGNED")
    said = tab.about("2001", "2025-09-18", 11)
    assert len(re.findall(r"row \d+: .*: deleted", said)) > 60
    tab.page.click("#found tbody button")
    tab.says("entry", "PROVEN: all 3 rows")


def test_a_hold_of_another_day_is_in_an_extract_with_its_proof(tab, stick):
    tab.pick(stick.directory).give(stick.key).says("verdict", "SIGNED")
    tab.page.fill("#hold", "1")
    tab.page.click("#hold-form button")
    tab.says("found-text", "3 entries found.")
    tab.page.click("#found tbody button")
    tab.says("entry", "PROVEN")


def test_a_kind_of_another_day_is_in_an_extract(tab, stick):
    tab.pick(stick.directory).give(stick.key).says("verdict", "SIGNED")
    tab.page.select_option("#kind", "camera.renumbered")
    tab.page.click("#kind-form button")
    tab.says("found-text", "1 entry found.")


def test_what_is_not_in_an_extract_is_not_called_changed(tab, stick, story, tmp_path):
    log = stick.copy(tmp_path / "day")
    (log.directory / "tile/0/000").unlink()
    tab.pick(log.directory).give(log.key).says("verdict", "SIGNED")
    tab.page.fill("#number", "100")
    tab.page.click("#number-form button")
    tab.says("refused", "NOT HERE: Entry 100 is not in this extract")
    tab.bring("kept", head(story.entries, 100))
    tab.says("refused", "NOT HERE: tile/0/000 is not here.")
    tab.bring("kept", head(story.entries, 350)).says("older-found", "CONSISTENT")
    tab.says("verdict", "SIGNED")


def test_all_that_an_extract_has_is_checked(tab, stick):
    tab.pick(stick.directory).give(stick.key)
    tab.says("verdict", "SIGNED")
    tab.page.click("#all-form button")
    said = tab.says("verdict", "CHECKED")
    assert "are what was signed." in said


@pytest.mark.parametrize(
    "name", ["entries", "rows-2025-10-17", "tile/entries/002.p/188"]
)
def test_a_changed_pack_is_refused(tab, stick, tmp_path, name):
    log = stick.copy(tmp_path / "day")
    path = log.directory / ("" if "/" in name else "extract") / name
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    tab.pick(log.directory).give(log.key)
    if "/" not in name:
        tab.says("verdict", "SIGNED")
        tab.page.click("#all-form button")
    assert "was changed" in tab.says("refused", "REFUSED")
    tab.says("verdict", "NOT PROVEN")


def test_a_whole_log_is_read_from_one_pick(tab, real):
    tab.pick(real.directory).give(real.key).says("verdict", "SIGNED")
    assert "deleted (entry" in tab.about("1101", AT[:10], 12)


def test_a_kept_head_in_the_directory_that_the_log_does_not_extend_is_refused(
    tab, long, story, tmp_path
):
    log = long.copy(tmp_path / "log")
    forged = head(list(reversed(story.entries)), 300)
    (log.directory / "checkpoints/2026-11-03").write_bytes(forged)
    tab.pick(log.directory).give(log.key)
    said = tab.says("refused", "REFUSED")
    assert "checkpoints/2026-11-03" in said


def test_a_second_copy_has_no_head_but_its_kept_ones(tab, long, tmp_path):
    log = long.copy(tmp_path / "log")
    (log.directory / "checkpoint").unlink()
    tab.pick(log.directory).give(log.key)
    assert "It covers 350 entries" in tab.says("verdict", "SIGNED")


def test_a_directory_without_a_log_is_said_to_have_none(tab, tmp_path):
    explorer.write(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing")
    tab.pick(tmp_path)
    tab.says("refused", "There is no log in that directory")


def test_pages_of_her_own_open_a_log_that_is_elsewhere(tab, long, tmp_path):
    explorer.write(tmp_path / "mine")
    tab.page.goto((tmp_path / "mine/explorer/index.html").as_uri())
    tab.page.set_input_files("#directory", long.directory)
    tab.give(long.key)
    tab.says("verdict", "SIGNED")


def test_another_directory_takes_the_first_one_s_findings_away(tab, long, real):
    tab.pick(long.directory).give(long.key).says("verdict", "SIGNED")
    tab.show(7)
    tab.page.fill("#key", "")
    tab.page.set_input_files("#directory", real.directory)
    tab.says("verdict", "Not checked yet.")
    expect(tab.page.locator("#entry-section")).to_be_hidden()
    tab.give(real.key).says("verdict", "SIGNED")


def test_an_extract_is_read_over_http_too(tab, served, stick):
    tab.open(served(stick), stick.key).says("verdict", "SIGNED")
    tab.page.fill("#hold", "1")
    tab.page.click("#hold-form button")
    tab.says("found-text", "3 entries found.")
    tab.told.clear()  # of what was looked for in vain


def test_what_an_extract_does_not_have_is_not_called_open(tab, long, story, tmp_path):
    """An intent at its end, whose completion is behind it."""
    kinds = [decode(one.data)["kind"] for one in story.entries]
    intents = [n for n, kind in enumerate(kinds) if kind == "deletion.intended"]
    directory = tmp_path / "day"
    days = extract.Days(until=decode(story.entries[256].data)["at"])
    extract.extract(long.directory, directory, days, lambda *_: None)
    tab.pick(directory).give(long.key).says("verdict", "SIGNED")
    at_the_end = 255
    assert at_the_end in intents
    tab.show(at_the_end)
    tab.says("entry", "not in this extract")
    assert "No entry in this extract speaks" in tab.about("2001", "2025-09-18", 11)
