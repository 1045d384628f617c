"""`retention demo` as somebody who has just installed the program runs it."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from retention.demo_archive import archive, seed
from retention.model import SECOND, Window

NOW = 1_790_000_000 * SECOND


def run(*options: str, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "retention", "demo", *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=200, check=False,
        env=os.environ | {"TMPDIR": str(home)},
    )  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """One run that leaves its directory: what it said, where, and how long it took."""
    home = tmp_path_factory.mktemp("demo")
    began = time.monotonic()
    done = run("--keep", home=home)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    (directory,) = home.iterdir()
    return done.stdout, directory, took


def test_the_demo_ends_by_itself_and_says_that_all_is_as_it_must_be(kept):
    said, _, _ = kept
    assert re.search(
        r"\d+ recordings were due and are gone; [1-9]\d* were due and", said
    )
    assert "The audit log is intact" in said


def test_the_police_s_file_and_the_stranger_s_are_untouched(kept):
    _, directory, _ = kept
    assert list((directory / "footage/nvr1/anpr-mill-lane").glob("*.mp4"))
    assert (directory / "footage/nvr2/copied by hand.mp4").exists()


def test_the_alarm_about_the_police_s_camera_is_on_record(kept):
    assert "custody.alarm" in kept[0]


def test_a_directory_that_is_kept_can_be_looked_around_in(kept):
    said, directory, _ = kept
    commands = re.findall(r"^    retention (--config .*)$", said, re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "retention", *command.split()],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 3), done.stderr  # 3: no service runs any more
    assert str(directory) in said


def test_without_keep_nothing_is_left(tmp_path):
    done = run(home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_archive_knows_what_goes_and_what_a_hold_keeps():
    files = archive(NOW)
    old = [file for file in files if file.camera == "1001" and file.due <= NOW]
    hold = ("1001", Window(old[0].start, old[0].end))
    assert old[0].goes(NOW, [])
    assert not old[0].goes(NOW, [hold])


def test_the_seed_clip_is_a_small_mp4():
    clip = seed()
    assert clip[4:8] == b"ftyp"
    assert len(clip) < 60_000
