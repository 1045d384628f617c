"""Extracts: some days of a log for a browser, and the pages that are put beside it."""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from retention import cli
from retention.model.errors import UsageError
from retention.model.values import DAY
from retention.publication import explorer, extract
from retention.tlog import merkle, note, tiles
from retention.tlog.canonical import decode
from retention.tlog.directory import Published
from tests.support.publishing import VERIFIER, publish
from tests.support.story import START, Story

TREE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def story():
    """Six days, each with a batch, a hold and enough heartbeats for a bundle."""
    made = Story()
    for day in range(6):
        made.now = START + day * DAY
        made.place(START, START + DAY, hold=day + 1)
        made.delete(made.row())
        while made.size < 300 * (day + 1):
            made.beat(1)
    return made


@pytest.fixture(scope="module")
def log(story, tmp_path_factory):
    directory = tmp_path_factory.mktemp("extracted") / "log"
    return publish(directory, story.entries, kept=(300, 600, 900))


@pytest.fixture
def take(capsys, monkeypatch, log):
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def take(to, *options):
        words = ["audit", "copy", str(to), "--from", str(log), *options]
        status = cli.run(words)
        return status, *capsys.readouterr()

    return take


def files(directory):
    return sorted(one for one in directory.rglob("*") if one.is_file())


def pack(path):
    """The records of a pack: number to bytes."""
    data, found = path.read_bytes(), {}
    while data:
        number, length = struct.unpack(">QI", data[:12])
        found[number], data = data[12 : 12 + length], data[12 + length :]
    return found


def test_it_has_the_days_and_what_lasts_of_others(take, log, story, tmp_path):
    status, out, err = take(tmp_path / "usb", "--days", "2")
    assert (status, err) == (0, "")
    about = json.loads((tmp_path / "usb/extract/about").read_text())
    assert (about["first"], about["last"]) == (1024, 1800)  # whole bundles
    assert "Entries 1024 to 1799" in out
    assert note.fingerprint(VERIFIER.vkey) in out
    alone = pack(tmp_path / "usb/extract/entries")
    kinds = {story_kind(story, number) for number in alone}
    assert kinds == {"log.opened", "policy.changed", "rules.changed", "stream.opened",
                     "hold.placed"}  # fmt: skip
    assert all(number < 1024 for number in alone)


def story_kind(story, number):
    return decode(story.entries[number].data)["kind"]


def test_what_it_has_alone_leads_to_the_head(take, log, story, tmp_path):
    take(tmp_path / "usb", "--days", "2")
    head = note.unverified((tmp_path / "usb/checkpoint").read_bytes())
    alone = pack(tmp_path / "usb/extract/entries")
    for number, record in alone.items():
        end = 1 + 32 * record[0]
        path, data = tiles.split(record[1:end]), record[end:]
        assert data == story.entries[number].data
        leaf = merkle.leaf(data)
        merkle.check_inclusion(number, head.size, leaf, path, head.root)


def test_its_rows_are_packed_by_day(take, log, story, tmp_path):
    take(tmp_path / "usb", "--days", "2")
    packs = sorted((tmp_path / "usb/extract").glob("rows-*"))
    assert len(packs) == 2
    assert not (tmp_path / "usb/rows").exists()
    for path in packs:
        for number, data in pack(path).items():
            assert data == Published(log).rows(number)


def test_it_may_end_in_the_past_and_has_the_last_entry_all_the_same(
    take, log, story, tmp_path
):
    words = ["--since", "2025-10-14 00:00", "--until", "2025-10-15 00:00"]
    status, out, err = take(tmp_path / "usb", *words)
    assert (status, err) == (0, ""), out
    assert story.size - 1 in pack(tmp_path / "usb/extract/entries")
    assert not (tmp_path / "usb/tile/entries/006").exists()


def test_it_says_how_many_files_it_has(take, tmp_path, log):
    (log / "FORMAT.md").write_text("x")
    try:
        take(tmp_path / "usb", "--days", "2")
    finally:
        (log / "FORMAT.md").unlink()
    counted = len(files(tmp_path / "usb"))
    days = extract.Days(last=2)
    made = extract.extract(log, tmp_path / "other", days, lambda *_: None)
    assert made.files == counted


def test_more_files_than_a_browser_opens_are_refused_before_any_is_written(
    log, tmp_path, monkeypatch
):
    monkeypatch.setattr(extract, "FILES", 20)
    with pytest.raises(UsageError, match="ask for fewer days"):
        extract.extract(log, tmp_path / "usb", extract.Days(6), lambda *_: None)
    assert not (tmp_path / "usb").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--since", "2030-01-01 00:00"], "no entry"),
        (["--days", "2", "--until", "2025-10-15 00:00"], "say one of them"),
        (["--since", "whenever"], "whenever"),
    ],
)
def test_days_that_can_t_be_meant_are_refused(take, tmp_path, words, why):
    status, _, err = take(tmp_path / "usb", *words)
    assert status != 0
    assert why in err
    assert not (tmp_path / "usb").exists()


def test_it_goes_into_an_empty_directory_only(take, log, tmp_path):
    assert take(tmp_path / "usb")[0] == 0  # a copy
    status, _, err = take(tmp_path / "usb", "--days", "2")
    assert status != 0
    assert "is not empty" in err


def test_a_copy_into_an_extract_is_refused_and_leaves_it_as_it_was(take, tmp_path):
    """With a newer head in it the pages called what it has by itself changed."""
    take(tmp_path / "usb", "--days", "2")
    before = {one: one.read_bytes() for one in files(tmp_path / "usb")}
    for more in ([], ["--public"]):
        status, out, err = take(tmp_path / "usb", *more)
        assert (status != 0, out, len(err.splitlines())) == (True, "", 1)
    assert {one: one.read_bytes() for one in files(tmp_path / "usb")} == before


def test_it_is_taken_of_a_log_that_verifies_alone(take, log, tmp_path, monkeypatch):
    place = log / "tile/0/002"
    data = place.read_bytes()
    place.write_bytes(bytes(32) + data[32:])
    try:
        status, out, _ = take(tmp_path / "usb", "--days", "2")
    finally:
        place.write_bytes(data)
    assert status == 5
    assert "tile" in out
    assert not (tmp_path / "usb").exists()


def test_other_commands_say_that_it_is_no_whole_log(take, tmp_path, capsys):
    take(tmp_path / "usb", "--days", "2")
    for words in (
        ["audit", "verify", str(tmp_path / "usb"), "--key", VERIFIER.vkey],
        ["audit", "list", "--dir", str(tmp_path / "usb")],
    ):
        assert cli.run(words) != 0
        assert "is an extract of a log" in capsys.readouterr().err


# -- the pages beside ------------------------------------------------------------------


@pytest.fixture
def beside(capsys):
    def beside(directory):
        status = cli.run(["audit", "explorer", str(directory)])
        return status, *capsys.readouterr()

    return beside


def test_the_pages_are_small_and_beside_the_log(beside, log, tmp_path):
    directory = publish(tmp_path / "log", Story().entries)
    before = files(directory)
    status, out, err = beside(directory)
    assert (status, err) == (0, "")
    assert str(directory / "explorer/index.html") in out
    assert "none lies beside these pages" not in out
    new = set(files(directory)) - set(before)
    assert {one.parent for one in new} == {directory / "explorer"}
    assert sum(one.stat().st_size for one in new) <= explorer.SIZE_LIMIT
    assert {oct(one.stat().st_mode & 0o777) for one in new} == {"0o644"}


def test_pages_where_no_log_is_say_that_one_is_to_be_picked(beside, tmp_path):
    """Meant so, for an auditor's own; or a name that was mistyped."""
    for _ in range(2):
        assert "pick a log there (none lies beside these pages)" in beside(tmp_path)[1]


def test_a_log_with_the_pages_still_verifies(beside, tmp_path, capsys):
    directory = publish(tmp_path / "log", Story().entries)
    beside(directory)
    words = ["audit", "verify", str(directory), "--key", VERIFIER.vkey, "--deep"]
    assert cli.run(words) == 0
    assert "explorer" not in capsys.readouterr().out


def test_they_are_written_once_and_an_older_version_is_replaced(beside, tmp_path):
    directory = publish(tmp_path / "log", Story().entries)
    beside(directory)
    assert "(0 written)" in beside(directory)[1]
    page = directory / "explorer/main.js"
    page.write_text('"use strict";\n/* cctv-retention explorer: of last year */\n')
    assert "(1 written)" in beside(directory)[1]
    assert page.read_bytes() == explorer.pages()["main.js"]


def test_a_file_of_somebody_else_is_never_overwritten(beside, tmp_path):
    directory = publish(tmp_path / "log", Story().entries)
    (directory / "explorer").mkdir()
    (directory / "explorer/main.js").write_text("my own notes")
    status, _, err = beside(directory)
    assert status != 0
    assert "main.js is there and is none of the explorer's pages" in err
    assert [one.name for one in files(directory / "explorer")] == ["main.js"]
    assert (directory / "explorer/main.js").read_text() == "my own notes"


def test_they_go_beside_logs_and_into_empty_directories_alone(beside, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.jpg").write_text("x")
    assert "something else than a published log" in beside(tmp_path / "photos")[2]
    assert "is not there" in beside(tmp_path / "no/such")[2]
    assert "is no directory" in beside(tmp_path / "photos/cat.jpg")[2]
    assert beside(tmp_path / "new")[0] == 0


def test_a_full_disk_is_said_in_one_sentence(beside, tmp_path, monkeypatch):
    directory = publish(tmp_path / "log", Story().entries)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("retention.publication.files._write_all", full)
    status, _, err = beside(directory)
    assert status == 1
    assert "the explorer's pages can't be written" in err
    assert "No space left on device" in err


def test_the_wheel_has_the_pages(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path]
    done = subprocess.run([*command, TREE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    pages = {f"retention/publication/pages/{name}" for name in explorer.pages()}
    assert pages - {"retention/publication/pages/words.js"} <= names
