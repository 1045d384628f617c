"""`retention audit copy`: whoever may read the published directory takes a copy of it
that verifies, whatever the service does meanwhile."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from retention import cli
from retention.publication import files
from retention.tlog import format
from retention.tlog.directory import Published
from retention.tlog.verify.published import verify_directory
from tests.support.logs import released
from tests.support.press import NOW, Press, heartbeat, intent, rows
from tests.support.publishing import forge

WRITER = """
import sys
from pathlib import Path
from retention.model.values import DAY
from tests.support.press import NOW, Press, heartbeat, intent, rows

press = Press(Path(sys.argv[1]))
for day in range(10**6):
    for _ in range(40):
        press.append(heartbeat(), intent(rows(2)))
        press.publish(now=NOW + day * DAY)
    press.append_at_once(200)
"""


@pytest.fixture
def take(capsys, monkeypatch):
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def take(source, to, *options):
        capsys.readouterr()
        words = ["audit", "copy", str(to), "--from", str(source), *options]
        status = cli.run(words)
        return status, *capsys.readouterr()

    return take


def verified(directory, key, depth="deep"):
    report = verify_directory(directory, key, depth=depth)
    assert report.ok, report.faults
    assert (report.unsigned, report.strangers) == (0, [])
    return report.size


def names(directory):
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}


def test_each_of_thirty_copies_verifies_while_the_service_writes_without_pause(
    press, tmp_path, take
):
    press.append(heartbeat())
    size = press.publish()
    key, source = press.vkey, press.published
    press.close()
    service = subprocess.Popen([sys.executable, "-c", WRITER, press.directory])
    try:
        for number in range(30):
            while service.poll() is None and press.head().size < size + 20:
                pass  # it has not published much yet
            size = press.head().size
            again = number % 3 == 2  # into the copy before
            to = tmp_path / f"copy-{number - again}"
            status, out, err = take(source, to)
            assert (status, err) == (0, ""), out
            there = verified(to, key, "tree")
            assert there >= size
            assert f"Entries 0 to {there - 1}, signed at" in out
        assert service.poll() is None
    finally:
        service.kill()
        service.wait()
    assert size > 2 * 256


def test_it_takes_the_description_along(press, tmp_path, take):
    press.append(heartbeat())
    press.publish()
    assert take(press.published, tmp_path / "copy")[0] == 0
    assert (tmp_path / "copy" / format.NAME).read_text() == format.text()
    (tmp_path / "copy" / format.NAME).write_text("of an older program")
    assert take(press.published, tmp_path / "copy")[0] == 0
    assert format.text() in [
        path.read_text() for path in (tmp_path / "copy").glob("FORMAT*.md")
    ]
    verified(tmp_path / "copy", press.vkey)


def test_it_says_what_it_has(press, tmp_path, take):
    press.append(intent(rows(3)))
    size = press.publish()
    status, out, _ = take(press.published, tmp_path / "usb")
    assert status == 0
    assert out.startswith(f"Entries 0 to {size - 1}, signed at ")
    assert "verified" in out.splitlines()[0]
    found = json.loads(take(press.published, tmp_path / "usb", "--json")[1])
    assert (found["ok"], found["entries"], found["intact"]) == (True, size, size)
    assert found["directory"] == str(tmp_path / "usb")


def test_nothing_beyond_the_head_is_taken(press, tmp_path, take):
    press.append(heartbeat())
    size = press.publish()
    forge(press.published, released())
    assert take(press.published, tmp_path / "usb")[0] == 0
    assert verified(tmp_path / "usb", press.vkey) == size
    assert not [
        name for name in names(tmp_path / "usb") if name.endswith(f"/{size + 1}")
    ]


@pytest.mark.parametrize("at", [1, 3, 8, 11, 12])
def test_one_that_was_broken_off_goes_on_where_it_was(
    press, tmp_path, take, monkeypatch, at
):
    press.append(*[intent(rows(2))] * 6)
    press.append_at_once(300)
    press.publish()
    usb, wrote, write = tmp_path / "usb", [], files.PublishedFiles._write

    def full(self, path, data):
        if len(wrote) == at:
            error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            raise self.failed(path, "written", error)
        wrote.append(path)
        write(self, path, data)

    monkeypatch.setattr(files.PublishedFiles, "_write", full)
    status, out, err = take(press.published, usb)
    assert (status, out) == (1, "")
    assert "No space left on device" in err
    assert "nothing is deleted" not in err  # the service is not concerned
    assert not (usb / "checkpoint").exists()
    monkeypatch.setattr(files.PublishedFiles, "_write", write)
    before = {path: os.stat(path).st_mtime_ns for path in wrote}
    assert take(press.published, usb)[0] == 0
    assert {path: os.stat(path).st_mtime_ns for path in wrote} == before
    verified(usb, press.vkey)


def test_the_next_month_s_copy_adds_what_is_new(press, tmp_path, take):
    usb = tmp_path / "usb"
    press.append_at_once(300)
    press.publish()
    take(press.published, usb)
    before = {name: os.stat(usb / name).st_mtime_ns for name in names(usb)}
    press.append_at_once(700)
    size = press.publish(now=NOW + 3 * 24 * 3600 * 10**6)
    assert take(press.published, usb)[0] == 0
    assert verified(usb, press.vkey) == size
    changed = {n for n, at in before.items() if os.stat(usb / n).st_mtime_ns != at}
    assert changed == {"checkpoint"}
    assert len(Published(usb).kept()) == 1


def test_a_copy_that_was_made_by_hand_is_mended(press, tmp_path, take):
    """Its head was copied last and its row files first: some are not there."""
    press.append(*[intent(rows(2))] * 3)
    press.append_at_once(300)
    press.publish()
    usb = tmp_path / "usb"
    shutil.copytree(press.published, usb)
    (usb / "rows/001").unlink()
    (usb / "tile/entries/000").unlink()
    assert not verify_directory(usb, press.vkey).ok
    assert take(press.published, usb)[0] == 0
    verified(usb, press.vkey)


def test_a_log_that_was_altered_is_copied_and_said_to_be(press, tmp_path, take):
    press.append(intent(rows(3)))
    press.publish()
    (press.published / "rows/001").write_bytes(b"x")
    status, out, _ = take(press.published, tmp_path / "usb")
    assert status == 5
    assert "NOT INTACT: entry 1 has a row file that was changed" in out


def test_a_copy_of_another_log_or_history_is_not_written_over(press, tmp_path, take):
    press.append(heartbeat())
    press.publish()
    usb = tmp_path / "usb"
    take(press.published, usb)
    other = Press(tmp_path / "other")
    other.append(heartbeat(), heartbeat())
    other.publish()
    there = {name: (usb / name).read_bytes() for name in names(usb)}
    status, _, err = take(other.published, usb)
    assert (status, len(err.splitlines())) == (1, 1)
    assert "is a copy of another log" in err
    assert {name: (usb / name).read_bytes() for name in names(usb)} == there
    other.close()


def test_a_log_that_was_rolled_back_does_not_replace_the_longer_copy(
    press, tmp_path, take
):
    press.append(heartbeat())
    press.publish()
    shutil.copytree(press.published, tmp_path / "older")
    press.append_at_once(20)
    size = press.publish()
    usb = tmp_path / "usb"
    take(press.published, usb)
    status, _, err = take(tmp_path / "older", usb)
    assert status == 1
    assert f"has a signed head of {size} entries that this log does not extend" in err
    assert verified(usb, press.vkey) == size


def test_a_directory_of_something_else_is_left_alone(press, tmp_path, take):
    press.append(heartbeat())
    press.publish()
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"x")
    for to, words in (
        (tmp_path / "photos", "holds something else"),
        (tmp_path / "no" / "usb", "is not there"),
        (press.published, "is the log itself"),
        (press.published / "usb", "is the log itself"),
    ):
        status, out, err = take(press.published, to)
        assert (status, out, len(err.splitlines())) == (2, "", 1), err
        assert words in err
    assert names(tmp_path / "photos") == {"cat.jpg"}
    assert take(tmp_path / "photos", tmp_path / "usb")[0] in (1, 2, 5)
