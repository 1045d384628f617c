"""The one deleter removes the catalogued file and nothing else."""

import errno
import os
import threading
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.footage.delete import delete, sync
from retention.footage.roots import create_identity, open_root
from retention.model.values import Outcome
from tests.support import needs
from tests.support.disks import CATALOGUE, LATER, ROOT, nobody, under_strace

DELETED = (Outcome.DELETED, "")
ABSENT = (Outcome.ABSENT, "no such file")


@pytest.fixture
def outside(tmp_path):
    """A directory elsewhere, with a file of the same name and size."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.mp4").write_bytes(b"film")
    return outside


def test_the_catalogued_file_goes_and_its_neighbour_stays(root, put):
    file, neighbour = put(b"cam/a.mp4"), put(b"cam/b.mp4")
    assert delete(root, b"cam/a.mp4", 4, LATER) == DELETED
    assert not os.path.exists(file)
    assert os.path.exists(neighbour)


def test_a_file_right_below_the_root_goes(root, put):
    put(b"a.mp4")
    assert delete(root, b"a.mp4", 4, LATER) == DELETED


@pytest.mark.parametrize(
    "name", [b"caf\xe9.mp4", b"two\nlines.mp4", b" ", b"-rf", b"\xff", b"*", b"~"]
)
def test_any_name_is_just_a_name(root, put, name):
    put(b"cam/a.mp4")
    put(b"cam/" + name)
    assert delete(root, b"cam/" + name, 4, LATER) == DELETED
    assert os.listdir(root.directory(b"cam")) == ["a.mp4"]


@pytest.mark.parametrize("size", [0, 3, 5])
def test_another_size_stays(root, put, size):
    file = put(b"cam/a.mp4")
    assert delete(root, b"cam/a.mp4", size, LATER) == (Outcome.CHANGED, "another size")
    assert os.path.exists(file)


def test_a_file_changed_a_microsecond_too_late_stays(root, put):
    file = put(b"cam/a.mp4")
    os.utime(file, ns=(0, 5_000_000_000))
    assert delete(root, b"cam/a.mp4", 4, 4_999_999) == (
        Outcome.CHANGED,
        "changed later",
    )
    assert os.path.exists(file)
    assert delete(root, b"cam/a.mp4", 4, 5_000_000) == DELETED


def test_a_file_last_changed_before_its_recording_began_stays(root, put):
    file = put(b"cam/a.mp4")
    os.utime(file, ns=(0, 5_000_000_000))
    assert delete(root, b"cam/a.mp4", 4, LATER, 5_000_001) == (
        Outcome.CHANGED,
        "changed before it began",
    )
    assert delete(root, b"cam/a.mp4", 4, LATER, 5_000_000) == DELETED


def test_a_file_with_two_links_stays(root, put, tmp_path):
    file = put(b"cam/a.mp4")
    os.link(file, tmp_path / "evidence.mp4")
    assert delete(root, b"cam/a.mp4", 4, LATER) == (Outcome.CHANGED, "several links")
    assert os.path.exists(file)


def a_link(file, outside):
    os.symlink(outside / "a.mp4", file)


def a_directory(file, outside):
    os.mkdir(file)


def a_fifo(file, outside):
    os.mkfifo(file)


@pytest.mark.parametrize("make", [a_link, a_directory, a_fifo])
def test_what_is_no_regular_file_stays(root, put, outside, make):
    file = put(b"cam/a.mp4")
    os.unlink(file)
    make(file, outside)
    for size in (4, os.lstat(file).st_size):
        assert delete(root, b"cam/a.mp4", size, LATER) == (
            Outcome.CHANGED,
            "not a regular file",
        )
    assert os.path.lexists(file)
    assert (outside / "a.mp4").exists()


@pytest.mark.parametrize("way", [b"cam/b.mp4", b"other/a.mp4", b"cam/day/a.mp4"])
def test_a_missing_file_or_directory_is_absent(root, put, way):
    put(b"cam/a.mp4")
    assert delete(root, way, 4, LATER) == ABSENT


def test_a_missing_file_of_a_root_that_moved_is_a_failure(root, put, path):
    put(b"cam/a.mp4")
    path.rename(path.with_name("old"))
    assert delete(root, b"cam/b.mp4", 4, LATER) == (
        Outcome.FAILED,
        "the root became unavailable",
    )


@pytest.mark.parametrize(
    "way",
    [b"", b".", b"..", b"/", b"../outside/a.mp4", b"cam/../../outside/a.mp4",
     b"/cam/a.mp4", b"cam//a.mp4", b"cam/a.mp4\0", b"cam/a.mp4/", b"./cam/a.mp4"],
)  # fmt: skip
def test_no_path_leads_out_of_the_root(root, put, outside, way):
    file = put(b"cam/a.mp4")
    assert delete(root, way, 4, LATER)[0] is Outcome.FAILED
    assert os.path.exists(file)
    assert (outside / "a.mp4").exists()


def test_an_absolute_path_is_no_path(root, outside):
    absolute = os.fsencode(outside / "a.mp4")
    assert delete(root, absolute, 4, LATER)[0] is Outcome.FAILED
    assert (outside / "a.mp4").exists()


@pytest.mark.parametrize("name", [b".cctv-retention-root", b".cctv-retention-head"])
def test_our_own_files_are_never_deleted(root, path, name):
    ours = path / os.fsdecode(name)
    ours.touch()
    size = ours.stat().st_size
    assert delete(root, name, size, LATER)[0] is Outcome.FAILED
    assert ours.exists()


def test_a_link_to_a_directory_is_not_followed(root, path, outside):
    (path / "cam").symlink_to(outside)
    assert delete(root, b"cam/a.mp4", 4, LATER) == (Outcome.FAILED, "Not a directory")
    assert (outside / "a.mp4").exists()


def test_a_link_swapped_in_between_two_deletions_is_not_followed(
    root, put, path, outside
):
    put(b"cam/a.mp4")
    put(b"cam/b.mp4")
    assert delete(root, b"cam/b.mp4", 4, LATER) == DELETED
    (path / "cam").rename(path / "old")
    (path / "cam").symlink_to(outside)
    assert delete(root, b"cam/a.mp4", 4, LATER)[0] is Outcome.FAILED
    assert (outside / "a.mp4").exists()
    assert (path / "old" / "a.mp4").exists()


@pytest.mark.parametrize("back_by_link", [False, True])
@pytest.mark.parametrize("moved", ["cam", "cam/day"])
def test_a_directory_moved_out_of_the_root_is_out_of_reach(
    root, put, path, tmp_path, moved, back_by_link
):
    """Somebody seizes a directory by moving it, between two files of one batch."""
    put(b"cam/day/a.mp4")
    put(b"cam/day/b.mp4")
    assert delete(root, b"cam/day/b.mp4", 4, LATER) == DELETED
    (path / moved).rename(tmp_path / "seized")
    if back_by_link:
        (path / moved).symlink_to(tmp_path / "seized")
    assert delete(root, b"cam/day/a.mp4", 4, LATER)[0] is not Outcome.DELETED
    assert [*tmp_path.glob("seized/**/a.mp4")]


def test_a_closed_root_deletes_nothing(root, put):
    file = put(b"cam/a.mp4")
    root.close()
    assert delete(root, b"cam/a.mp4", 4, LATER) == (
        Outcome.FAILED,
        "the root was closed",
    )
    assert os.path.exists(file)


@needs.root
def test_missing_rights_are_an_outcome(root, put):
    file = put(b"cam/a.mp4")
    with nobody():
        assert delete(root, b"cam/a.mp4", 4, LATER) == (
            Outcome.FAILED,
            "Permission denied",
        )
    assert os.path.exists(file)


def test_a_swapping_of_links_never_leads_out(root, put, path, outside):
    """A race: one thread swaps a link in and out while another deletes through it."""
    names = [b"%d.mp4" % number for number in range(400)]
    for name in names:
        put(b"cam/" + name)
        with open(os.fsencode(outside) + b"/" + name, "wb") as file:
            file.write(b"film")
    cam, old, stop = path / "cam", path / "old", threading.Event()

    def swap():
        while not stop.is_set():
            cam.rename(old)
            cam.symlink_to(outside)
            cam.unlink()
            old.rename(cam)

    swapping = threading.Thread(target=swap)
    swapping.start()
    found = Counter(delete(root, b"cam/" + name, 4, LATER)[0] for name in names * 3)
    stop.set()
    swapping.join()
    assert len(os.listdir(outside)) == len(names) + 1
    assert found[Outcome.DELETED] == len(names) - len(os.listdir(cam))


def test_many_threads_delete_each_file_once(root, put):
    ways = [b"cam%d/day/%d.mp4" % (n % 100, n) for n in range(1000)]
    for way in ways:
        put(way)
    found = Counter()
    lock = threading.Lock()

    def work():
        mine = Counter(delete(root, way, 4, LATER)[0] for way in ways)
        with lock:
            found.update(mine)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {Outcome.DELETED: 1000, Outcome.ABSENT: 3000}


@settings(max_examples=60, deadline=None)
@given(
    way=st.lists(
        st.sampled_from([b"cam", b"day", b"a.mp4", b"..", b".", b"", b"link", b"\0"]),
        max_size=6,
    ).map(b"/".join)
)
def test_no_path_whatever_removes_more_than_a_file_of_the_root(tmp_path_factory, way):
    top = tmp_path_factory.mktemp("top")
    path = top / "nvr1"
    (path / "cam" / "day").mkdir(parents=True)
    (path / "link").symlink_to(top)
    (top / "a.mp4").write_bytes(b"film")
    (path / "cam" / "day" / "a.mp4").write_bytes(b"film")
    create_identity(path, ROOT, CATALOGUE)
    root = open_root(
        key=1, name="nvr1", path=path, uuid=ROOT, catalogue_uuid=CATALOGUE,
        device=None, boot=None, boot_now="",
    )  # fmt: skip
    outcome, _ = delete(root, way, 4, LATER)
    root.close()
    assert (outcome is Outcome.DELETED) == (way == b"cam/day/a.mp4")
    assert (path / "cam/day/a.mp4").exists() == (outcome is not Outcome.DELETED)
    assert (top / "a.mp4").exists()


def test_directories_are_synced_once_each_and_missing_ones_by_their_parent(root, put):
    put(b"cam/day/a.mp4")
    sync(root, [b"cam/day", b"cam/day", b"cam/gone/hour", b"", b"never"])


def test_a_directory_that_is_no_directory_can_not_be_synced(root, put, path):
    put(b"cam")
    with pytest.raises(NotADirectoryError):
        sync(root, [b"cam"])


SCRIPT = f"""
import sys
from pathlib import Path
from retention.footage.delete import delete, sync
from retention.footage.roots import open_root
root = open_root(key=1, name="nvr1", path=Path(sys.argv[1]), uuid="{ROOT}",
                 catalogue_uuid="{CATALOGUE}", device=None, boot=None, boot_now="")
print(*delete(root, b"cam/a.mp4", 4, 2**53))
try:
    sync(root, [b"cam"])
except OSError as error:
    print(error.errno)
"""


@needs.strace
@pytest.mark.parametrize("call", ["newfstatat", "unlinkat"])
def test_a_failing_disk_is_an_outcome(put, path, call):
    file = put(b"cam/a.mp4")
    said = under_strace(f"{call}:error=EIO", path / "cam", SCRIPT, path)
    assert said.startswith("failed Input/output error\n")
    assert os.path.exists(file)


@needs.strace
def test_a_sync_that_fails_is_an_error(put, path):
    put(b"cam/a.mp4")
    said = under_strace("fsync:error=EIO", path / "cam", SCRIPT, path)
    assert said == f"deleted \n{errno.EIO}\n"
