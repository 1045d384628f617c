"""Disks that come, go and change under a root: noticed, and never crossed."""

import os

import pytest

from retention.footage.delete import delete, remove_empty
from retention.footage.read import FOREIGN, look, read_directory
from retention.footage.roots import create_identity
from retention.model.errors import RootUnavailableError
from retention.model.values import Outcome
from tests.support import needs
from tests.support.disks import CATALOGUE, LATER, ROOT, remount, unmount

pytestmark = needs.root


@pytest.fixture
def disk(tmp_path, mount):
    """A disk of its own, mounted, with an identity and one file."""
    path = tmp_path / "nvr1"
    path.mkdir()
    mount(path)
    create_identity(path, ROOT, CATALOGUE)
    (path / "cam").mkdir()
    (path / "cam" / "a.mp4").write_bytes(b"film")
    return path


@pytest.fixture
def other(tmp_path):
    """A directory outside of the root, with a file."""
    path = tmp_path / "other"
    path.mkdir()
    (path / "a.mp4").write_bytes(b"film")
    return path


def test_an_unmounted_disk_has_no_identity(opening, disk):
    opening(disk).close()
    unmount(disk, "-l")
    with pytest.raises(RootUnavailableError, match=r"missing \(it is on the disk of"):
        opening(disk)


def test_a_disk_unmounted_while_open_is_noticed(opening, disk):
    root = opening(disk)
    unmount(disk, "-l")
    with pytest.raises(RootUnavailableError, match="another directory or disk"):
        root.check()


def test_a_missing_file_of_an_unmounted_disk_is_not_absent(opening, disk):
    root = opening(disk)
    unmount(disk, "-l")
    assert delete(root, b"cam/b.mp4", 4, LATER)[0] is Outcome.FAILED
    with pytest.raises(RootUnavailableError):
        look(root, b"cam/b.mp4")
    with pytest.raises(RootUnavailableError):
        read_directory(root, b"cam2")


def test_another_disk_mounted_over_it_is_noticed(opening, disk, mount):
    root = opening(disk)
    mount(disk)
    create_identity(disk, ROOT, CATALOGUE)
    with pytest.raises(RootUnavailableError, match="another directory or disk"):
        root.check()


def test_the_same_disk_mounted_anew_is_noticed(opening, path, mount):
    root = opening(path)
    mount(path, "--bind", path)
    with pytest.raises(RootUnavailableError, match="mounted anew"):
        root.check()
    root.close()
    opening(path).check()


def test_a_disk_that_turned_read_only_is_unavailable(opening, disk):
    root = opening(disk)
    remount(disk, "ro")
    with pytest.raises(RootUnavailableError, match="read-only"):
        root.check()
    root.close()
    with pytest.raises(RootUnavailableError, match="read-only"):
        opening(disk)


def test_a_read_only_file_system_is_a_failure_not_an_exception(opening, disk):
    root = opening(disk)
    remount(disk, "ro")
    assert delete(root, b"cam/a.mp4", 4, LATER) == (
        Outcome.FAILED,
        "Read-only file system",
    )


def test_a_disk_mounted_inside_a_root_is_not_ours(root, put, path, mount):
    put(b"cam/a.mp4")
    put(b"cam/other/hidden.mp4")
    mount(path / "cam" / "other")
    (path / "cam" / "other" / "b.mp4").write_bytes(b"film")
    seen = read_directory(root, b"cam")
    assert (seen.apart, seen.directories, seen.complete) == (
        {b"other": FOREIGN},
        [],
        True,
    )
    assert not read_directory(root, b"cam/other").complete
    assert delete(root, b"cam/other/b.mp4", 4, LATER)[0] is Outcome.FAILED
    assert (path / "cam" / "other" / "b.mp4").exists()


def test_a_directory_bound_into_a_root_is_not_ours(root, put, path, mount, other):
    """Its device number is the root's: the mount tells it apart."""
    put(b"cam/a.mp4")
    (path / "bound").mkdir()
    mount(path / "bound", "--bind", other)
    seen = read_directory(root, b"")
    assert (seen.apart, seen.directories) == ({b"bound": FOREIGN}, [b"cam"])
    assert delete(root, b"bound/a.mp4", 4, LATER)[0] is Outcome.FAILED
    assert (other / "a.mp4").exists()


def test_a_disk_mounted_over_a_directory_in_use_is_not_entered(
    root, put, path, mount, other
):
    put(b"cam/a.mp4")
    root.directory(b"cam")
    mount(path / "cam", "--bind", other)
    with pytest.raises(OSError, match="another mount is there: make it a root"):
        root.directory(b"cam")
    assert delete(root, b"cam/a.mp4", 4, LATER)[0] is Outcome.FAILED
    assert (other / "a.mp4").exists()


def test_a_file_mounted_over_a_file_stays(root, put, path, mount, other):
    put(b"cam/a.mp4")
    mount(path / "cam" / "a.mp4", "--bind", other / "a.mp4")
    assert delete(root, b"cam/a.mp4", 4, LATER)[0] is Outcome.FAILED
    unmount(path / "cam" / "a.mp4")
    assert (path / "cam" / "a.mp4").exists()
    assert (other / "a.mp4").exists()


def test_an_empty_mount_point_is_not_removed(root, path, mount):
    (path / "cam" / "day").mkdir(parents=True)
    mount(path / "cam" / "day")
    assert "another mount" in remove_empty(root, b"cam/day", lambda _: False)
    assert os.path.ismount(path / "cam" / "day")


def test_a_root_may_itself_be_mounted_below_another_disk(opening, disk):
    root = opening(disk)
    assert read_directory(root, b"cam").files == [b"a.mp4"]
    assert delete(root, b"cam/a.mp4", 4, LATER) == (Outcome.DELETED, "")
