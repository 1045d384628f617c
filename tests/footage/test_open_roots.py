"""Opening a root: only the right one, only once, only by its real path."""

import fcntl
import os
import resource
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from retention.footage.handles import Handle, is_network
from retention.footage.roots import IDENTITY, create_identity
from retention.model.errors import RootUnavailableError
from tests.support.disks import CATALOGUE, ROOT, locked_elsewhere

OTHER = "ffffffff-0000-4000-8000-000000000000"


def refused(opening, path, reason, **other):
    with pytest.raises(RootUnavailableError, match=reason) as caught:
        opening(path, **other)
    assert str(caught.value).startswith(f"footage root nvr1 ({path}): ")


def test_the_right_root_opens_and_stays_right(root, path):
    root.check()
    assert (root.key, root.name, root.path) == (1, "nvr1", path)
    assert root.device == path.stat().st_dev
    assert root.network is False


def test_a_missing_directory_is_unavailable(opening, tmp_path):
    refused(opening, tmp_path / "nvr1", "no such directory; mount the disk")


def test_a_file_in_its_place_is_unavailable(opening, tmp_path):
    (tmp_path / "nvr1").touch()
    refused(opening, tmp_path / "nvr1", "Not a directory")


def test_without_an_identity_it_is_unavailable(opening, path):
    os.unlink(path / IDENTITY)
    refused(opening, path, r"missing \(it is on the disk of")


def test_a_root_of_another_catalogue_is_unavailable(opening, path):
    refused(opening, path, "belongs to another catalogue", catalogue_uuid=OTHER)


def test_another_root_of_the_catalogue_is_unavailable(opening, path):
    refused(opening, path, "another root of this catalogue", uuid=OTHER)


@pytest.mark.parametrize("length", [0, 40, 100])
def test_a_truncated_identity_makes_it_unavailable(opening, path, length):
    os.truncate(path / IDENTITY, length)
    refused(opening, path, "damaged or cut short")


def test_an_identity_behind_a_link_is_none(opening, path, tmp_path):
    os.rename(path / IDENTITY, tmp_path / "moved")
    (path / IDENTITY).symlink_to(tmp_path / "moved")
    refused(opening, path, "can't be used")


def test_a_fifo_as_identity_does_not_stop_us(opening, path):
    os.unlink(path / IDENTITY)
    os.mkfifo(path / IDENTITY)
    refused(opening, path, "not a regular file")


def test_a_link_in_the_place_of_the_root_is_refused(opening, path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(path)
    refused(opening, link, "Not a directory|Too many levels")


def test_a_link_on_the_way_is_refused_with_the_real_path(opening, path, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    refused(opening, link / "nvr1", f"a part of this path is a link; write {path} in")


def test_a_root_that_another_process_has_is_unavailable(opening, path):
    with locked_elsewhere(path):
        refused(opening, path, "another process has it in use")
    opening(path)


def test_a_root_is_open_once_and_free_when_closed(opening, path):
    first = opening(path)
    refused(opening, path, "another process has it in use")
    first.close()
    opening(path).check()


def test_closing_frees_the_lock_whoever_still_has_the_handle(opening, path):
    first = opening(path)
    identity = first._identity
    first.close()
    opening(path).check()
    os.fstat(identity)


def test_another_device_within_one_boot_is_refused(opening, path):
    wrong = path.stat().st_dev + 1
    refused(opening, path, "on another device than before", device=wrong, boot="boot-1")


def test_another_device_after_a_start_is_fine(opening, path):
    opening(path, device=path.stat().st_dev + 1, boot="boot-0")


def test_device_numbers_are_not_compared_where_the_boot_is_not_known(opening, path):
    opening(path, device=path.stat().st_dev + 1, boot="", boot_now="")


def test_the_same_device_within_one_boot_is_fine(opening, path):
    opening(path, device=path.stat().st_dev, boot="boot-1")


def test_an_opening_that_fails_leaves_nothing_open(opening, path):
    for other in ({"uuid": OTHER}, {"catalogue_uuid": OTHER}):
        with suppress(RootUnavailableError):
            opening(path, **other)
    ours = [
        os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()
    ]
    assert [one for one in ours if one.startswith(str(path))] == []


def removed(path):
    os.unlink(path / IDENTITY)


def replaced(path):
    removed(path)
    create_identity(path, ROOT, CATALOGUE)


def linked(path):
    os.rename(path / IDENTITY, path / "other")
    (path / IDENTITY).symlink_to("other")


def truncated(path):
    os.truncate(path / IDENTITY, 0)


def rewritten(path):
    text = (path / IDENTITY).read_text()
    (path / IDENTITY).write_text(text.replace(ROOT, OTHER))


def moved_away(path):
    path.rename(path.with_name("old"))


def another_in_its_place(path):
    moved_away(path)
    path.mkdir()
    create_identity(path, ROOT, CATALOGUE)


def a_link_in_its_place(path):
    moved_away(path)
    path.symlink_to("old")


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (removed, "was removed"),
        (replaced, "was replaced"),
        (linked, "was replaced"),
        (truncated, "damaged or cut short"),
        (rewritten, "another root of this catalogue"),
        (moved_away, "No such file"),
        (another_in_its_place, "another directory or disk is there now"),
        (a_link_in_its_place, "Not a directory|Too many levels"),
    ],
)
def test_what_happens_to_an_open_root_shows(root, path, happens, reason):
    happens(path)
    with pytest.raises(RootUnavailableError, match=reason):
        root.check()


def test_a_lock_that_was_lost_to_another_shows(root, path):
    fcntl.flock(root._identity, fcntl.LOCK_UN)
    with (
        locked_elsewhere(path),
        pytest.raises(RootUnavailableError, match="another process has it in use"),
    ):
        root.check()


def test_a_closed_root_is_unavailable_and_gives_no_directory(root, put):
    put(b"cam/a.mp4")
    root.directory(b"cam")
    root.close()
    root.close()
    with pytest.raises(RootUnavailableError, match="was closed"):
        root.check()
    for path in (b"", b"cam"):
        with pytest.raises(OSError, match="was closed"):
            root.directory(path)


def test_a_directory_in_use_stays_open_after_closing(root, put):
    put(b"cam/a.mp4")
    handle = root.directory(b"cam")
    root.close()
    assert os.listdir(handle) == ["a.mp4"]


def test_handles_are_closed_with_their_last_user(tmp_path):
    handle = Handle(os.open(tmp_path, os.O_RDONLY))
    number = int(handle)
    del handle
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_many_directories_take_few_handles(root, put):
    for number in range(300):
        put(b"cam%d/day/a.mp4" % number)
    before = len(os.listdir("/proc/self/fd"))
    for number in range(300):
        root.directory(b"cam%d/day" % number)
    assert len(os.listdir("/proc/self/fd")) - before < 130


@contextmanager
def descriptors_left(count):
    """Only so many more files can be opened by this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = max(int(number) for number in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + count + 1, hard))
    taken = []
    try:
        with suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        for number in taken[-count:]:
            os.close(number)
        del taken[-count:]
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for number in taken:
            os.close(number)


def test_too_few_descriptors_are_got_along_with(root, put):
    for number in range(60):
        put(b"cam%d/a.mp4" % number)
    with descriptors_left(12):
        found = [
            os.fstat(root.directory(b"cam%d" % number)).st_ino for number in range(60)
        ]
    assert len(set(found)) == 60


@pytest.mark.parametrize(
    "way", [b"/", b"/cam", b"..", b"../nvr1", b"cam/..", b"cam/../..", b".", b"cam/",
             b"cam//day", b"cam/./day", b"cam\0"],
)  # fmt: skip
def test_no_path_leads_out_of_the_root(root, put, way):
    put(b"cam/day/a.mp4")
    with pytest.raises(OSError, match="not a path below the root"):
        root.directory(way)


def test_a_link_is_no_directory_at_any_depth(root, put, path, tmp_path):
    put(b"cam/day/a.mp4")
    (path / "link").symlink_to(path / "cam")
    for way in (b"link", b"link/day"):
        with pytest.raises(NotADirectoryError):
            root.directory(way)


@pytest.mark.parametrize("moved", ["cam", "cam/day"])
def test_a_kept_handle_is_not_used_after_its_directory_moved(root, put, path, moved):
    put(b"cam/day/a.mp4")
    root.directory(b"cam/day")
    (path / moved).rename(path / "elsewhere")
    with pytest.raises(FileNotFoundError):
        root.directory(b"cam/day")


@pytest.mark.parametrize("moved", ["cam", "cam/day"])
def test_a_moved_directory_is_not_reached_by_a_link_to_it(root, put, path, moved):
    put(b"cam/day/a.mp4")
    root.directory(b"cam/day")
    (path / moved).rename(path / "elsewhere")
    (path / moved).symlink_to(path / "elsewhere")
    with pytest.raises(NotADirectoryError):
        root.directory(b"cam/day")


def test_a_directory_made_anew_is_opened_anew(root, put, path):
    put(b"cam/a.mp4")
    root.directory(b"cam")
    (path / "cam").rename(path / "old")
    put(b"cam/b.mp4")
    assert os.listdir(root.directory(b"cam")) == ["b.mp4"]


def test_a_forgotten_directory_is_opened_anew(root, put):
    put(b"cam/a.mp4")
    root.directory(b"cam")
    root.forget(b"cam")
    root.forget(b"cam")
    assert os.listdir(root.directory(b"cam")) == ["a.mp4"]


def test_network_file_systems_are_told_by_type():
    networks = ("nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p", "ceph", "glusterfs")
    assert all(is_network(kind) for kind in networks)
    assert not any(is_network(kind) for kind in ("ext4", "xfs", "btrfs", "tmpfs"))
    assert is_network("")  # not seen in this namespace: not to be trusted
