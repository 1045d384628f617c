"""A disk that says what no disk can hold: files of 7 EiB, of the year 12000, without end.

Whatever made them, a broken recorder or somebody in the building, all else goes on.
"""

import os
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from retention.catalogue import raised, unread
from retention.footage import read
from retention.footage.read import NOT_THERE, as_seen
from retention.footage.roots import DEEPEST
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.reports import conditions
from tests.support.plant import Plant
from tests.support.world import World, never

T0 = 1_784_541_600 * SECOND  # 20 Jul 2026, 10:00:00 UTC; the world's now is 12:20
NAME = "2026-07-20_10-00-00.mp4"
HUGE = 7 << 60  # 7 EiB: two of them are more than SQLite counts


@pytest.fixture
def tmp_path():
    """In memory: that file system takes every size and every time."""
    made = tempfile.mkdtemp(dir="/dev/shm", prefix="retention-")
    yield Path(made) / "site"
    subprocess.run(["rm", "-rf", made], check=True)  # however deep it is


def strangers(world: World) -> str:
    with world.catalogue.read() as tx:
        found = conditions.strangers(world.context(), tx)
    return "".join(one.detail for one in found.where.values())


def standing(world: World, name: str) -> list[str]:
    with world.catalogue.read() as tx:
        return [one.detail for one in raised.everyone(tx) if one.name == name]


def grow(file: Path, size: int) -> None:
    """It says so many bytes, and takes none."""
    there = file.stat()
    os.truncate(file, size)
    os.utime(file, ns=(there.st_mtime_ns, there.st_mtime_ns))


def deepen(directory: Path, name: bytes, levels: int) -> None:
    """Make so many directories of that name in each other: too long for any path."""
    at = os.open(directory, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir(name, dir_fd=at)
        below = os.open(name, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_a_file_of_7_eib_is_nobody_s_and_is_told_at_once(world, scan):
    for minute in range(3):
        name = f"1001/2026-07-20_10-0{minute}-00.mp4"
        grow(world.write(name, T0 + minute * MINUTE), HUGE)
    world.write(f"1002/{NAME}", T0 + HOUR)
    result = scan()
    assert (result.errors, result.complete) == ([], True)
    assert [row.size for row in world.rows()] == [10]
    (row,) = world.unknown()
    assert (row.directory, row.files, row.size) == (b"1001", 3, 0)
    assert "3 files" in strangers(world)
    assert "larger than any recording" in strangers(world)


@pytest.mark.parametrize(
    "seconds", [316_516_000_000, -(2**63), 2**63 - 1, 2**40, -(2**31) - 1]
)
def test_a_file_of_no_time_is_nobody_s_and_is_told_at_once(world, scan, seconds):
    odd = world.write(f"1001/{NAME}", T0)
    os.utime(odd, (seconds, seconds))
    world.write(f"1002/{NAME}", T0 + HOUR)
    world.write("1001/notes.txt", T0)
    os.utime(world.directory / "nvr1" / "1001" / "notes.txt", (seconds, seconds))
    scan()
    assert len(world.rows()) == 1
    said = strangers(world)
    assert "changed at a time that no recording can be of" in said
    assert "not named as the layout says" in said
    assert "of no possible time" in said


def test_what_was_put_right_is_taken_in(world, scan):
    file = world.write(f"1001/{NAME}", T0)
    os.utime(file, (2**40, 2**40))
    scan()
    assert world.rows() == []
    os.utime(file, (T0 // SECOND + 60, T0 // SECOND + 60))
    world.settle(file.parent)
    scan(world.NOW + MINUTE, full=True)
    assert len(world.rows()) == 1
    assert strangers(world) == ""


def test_a_recording_that_is_made_7_eib_is_lost_and_its_hold_says_so(tmp_path):
    """Nothing can be said of what it has now; put right, it is the same again."""
    plant = Plant(tmp_path)
    plant.watch()
    file = plant.film(T0 - 2 * HOUR)
    plant.round(T0)
    plant.place("1001", T0 - 2 * HOUR, T0)
    (row,) = plant.rows()
    size = file.stat().st_size
    grow(file, HUGE)
    plant.scanners["nvr1"].reconcile(T0 + HOUR, never)
    plant.round(T0 + HOUR)
    assert plant.rows() == []
    assert len(standing(plant, "held-lost")) == 1
    grow(file, size)
    plant.settle(file.parent)
    plant.scanners["nvr1"].scan(T0 + 2 * HOUR, never, full=True)
    assert [(one.start, one.size) for one in plant.rows()] == [(row.start, row.size)]
    assert standing(plant, "held-lost") == []
    assert file.exists()
    plant.close()


def test_six_hundred_files_of_15_tib_made_and_removed_leave_the_books_whole(
    world, scan
):
    file = world.write("1001/2026-07-20_09-00-00.mp4", T0 - HOUR)
    grow(file, 15 << 40)
    for n in range(1, 600):
        name = f"2026-07-20_09-{n // 60:02}-{n % 60:02}.mp4"
        other = file.with_name(name)
        other.touch()
        grow(other, 15 << 40)
        os.utime(other, ns=(T0 * 1000, T0 * 1000))
    world.settle(file.parent)
    scan()
    assert world.rows() == []
    for one in file.parent.iterdir():
        one.unlink()
    world.settle(file.parent)
    scan(world.NOW + MINUTE)
    assert (world.rows(), strangers(world)) == ([], "")
    assert world.verified()


def test_ten_thousand_files_of_1_tib_are_in_nobody_s_sums(world, scan):
    """No one of them is too large, but all together are more than an entry can say."""
    for n in range(10_000):
        name = f"2026-07-{1 + n // 1440:02}_{n // 60 % 24:02}-{n % 60:02}-00.mp4"
        made = world.root().path / "1001" / name
        made.parent.mkdir(exist_ok=True)
        made.touch()
        os.truncate(made, 1 << 40)
    world.write(f"1002/{NAME}", T0 + HOUR)
    world.settle(world.directory / "nvr1" / "1001")
    result = scan()
    assert (result.added, result.unknown, result.errors) == (1, 10_000, [])
    assert "larger than what of it is on the disk" in strangers(world)


@pytest.mark.parametrize(("there", "odd"), [(2 << 30, None), (1 << 30, NOT_THERE)])
def test_a_large_file_is_a_recording_if_enough_of_it_is_there(there, odd):
    """A disk that compresses has less of it than it says, but not that much."""
    size, blocks = 16 << 30 | 1, there // 512 + 1
    fields = (stat.S_IFREG, 0, 0, 1, 0, 0, size, 0, 1_700_000_000, 0)
    found = os.stat_result(fields, {"st_blocks": blocks, "st_mtime_ns": 17 * 10**17})
    assert as_seen(b"a.mp4", found).odd == odd


def test_directories_1200_deep_are_told_as_not_reached(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    deepen(world.directory / "nvr1" / "1001", b"d", 1_200)
    world.settle(world.directory / "nvr1")
    result = scan()
    assert result.complete
    assert len(world.rows()) == 1
    (said,) = standing(world, "unreached")
    assert said.startswith("1001/" + "d/" * 5)
    assert f"more than {DEEPEST} directories deep" in said
    with world.catalogue.read() as tx:
        (path,) = unread.parts(tx, world.root().key).parts
    assert path.count(b"/") == DEEPEST


def test_names_as_long_as_they_can_be_are_told_as_not_reached(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    deepen(world.directory / "nvr1", b"\xff" * 255, 20)
    world.settle(world.directory / "nvr1")
    result = scan()
    assert result.complete
    assert len(world.rows()) == 1
    (said,) = standing(world, "unreached")
    assert "longer than" in said


def test_a_directory_of_more_names_than_memory_holds_is_told(world, scan, monkeypatch):
    monkeypatch.setattr(read, "MOST_NAMES", 100)
    for n in range(101):
        world.write(f"1002/{n}", T0)
    world.write(f"1001/{NAME}", T0 + HOUR)
    result = scan()
    assert (result.complete, len(world.rows())) == (True, 1)
    (said,) = standing(world, "unreached")
    assert said == "1002 (more than 100 names in it)"


def test_a_link_to_itself_hides_no_recording_beside_it(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    (world.directory / "nvr1" / "1001" / "loop").symlink_to("loop")
    world.settle(world.directory / "nvr1" / "1001")
    result = scan()
    assert (result.errors, len(world.rows())) == ([], 1)
    assert [row.reason for row in world.unknown()] == ["not named as the layout says"]


def test_old_clips_of_no_time_are_told(world):
    world.camera("front")
    world.write("2026-07-20/10/front/00.00.mp4", T0 + 10 * SECOND)
    clip = world.write("clips/front/a.jpg", T0 - DAY, 300)
    os.utime(clip, (2**50, 2**50))
    scanner = world.scanner(layout="frigate")
    scanner.scan(world.NOW, never)
    scanner.reconcile(world.NOW, never)
    assert "1 file" in "".join(standing(world, "left-alone"))
