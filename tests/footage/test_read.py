"""Reading directories and files: names as they are, never through a link."""

import os
import socket

import pytest

from retention.footage.read import NOT_REGULAR, FileSeen, look, read_directory
from tests.support import needs
from tests.support.disks import CATALOGUE, ROOT, nobody, under_strace

NAMES = [b"a.mp4", b"caf\xe9.mp4", b"two\nlines.mp4", b" ", b"-rf", b"\xff\xfe", b"'\""]


def test_a_directory_gives_files_and_directories(root, put):
    put(b"cam/a.mp4")
    put(b"cam/day/b.mp4")
    seen = read_directory(root, b"cam")
    assert (seen.path, seen.files, seen.directories) == (b"cam", [b"a.mp4"], [b"day"])
    assert (seen.complete, seen.error, seen.apart, seen.gone) == (
        True,
        None,
        {},
        False,
    )


def test_the_identity_is_nobodys_file(root, put):
    put(b"a.mp4")
    put(b"cam/.cctv-retention-root")
    assert read_directory(root, b"").files == [b"a.mp4"]
    assert read_directory(root, b"cam").files == [b".cctv-retention-root"]


def test_names_are_the_bytes_that_they_are(root, put):
    for name in NAMES:
        put(b"cam\xff/" + name)
    assert read_directory(root, b"").directories == [b"cam\xff"]
    assert sorted(read_directory(root, b"cam\xff").files) == sorted(NAMES)
    for name in NAMES:
        assert look(root, b"cam\xff/" + name).size == 4


def test_whatever_is_no_directory_is_listed_and_not_regular(root, put, path, tmp_path):
    put(b"cam/a.mp4")
    (path / "link").symlink_to(path / "cam" / "a.mp4")
    (path / "linked").symlink_to(path / "cam")
    os.mkfifo(path / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path / "socket"))
    seen = read_directory(root, b"")
    assert sorted(seen.files) == [b"fifo", b"link", b"linked", b"socket"]
    assert seen.directories == [b"cam"]
    assert all(look(root, name).odd == NOT_REGULAR for name in [*seen.files, b"cam"])


def test_a_linked_directory_is_not_read(root, put, path):
    put(b"cam/a.mp4")
    (path / "linked").symlink_to(path / "cam")
    seen = read_directory(root, b"linked")
    assert (seen.files, seen.complete, seen.gone) == ([], False, False)
    assert seen.error == "Not a directory"


def test_the_time_is_that_of_before_reading(root, put, path):
    put(b"cam/a.mp4")
    os.utime(path / "cam", ns=(0, 1_700_000_000_123_456_789))
    assert read_directory(root, b"cam").mtime == 1_700_000_000_123_456


def test_a_missing_directory_is_gone_but_not_read(root):
    seen = read_directory(root, b"cam")
    assert (seen.complete, seen.gone, seen.error) == (False, True, "no such directory")


def test_a_directory_removed_after_it_was_opened_is_gone(root, path):
    (path / "cam").mkdir()
    assert read_directory(root, b"cam").complete
    (path / "cam").rmdir()
    assert read_directory(root, b"cam").gone


def test_reading_twice_gives_the_same(root, put):
    put(b"cam/a.mp4")
    assert read_directory(root, b"cam") == read_directory(root, b"cam")


@needs.root
def test_an_unreadable_directory_is_not_complete(root, put, path):
    put(b"cam/a.mp4")
    (path / "cam").chmod(0o700)
    with nobody():
        seen = read_directory(root, b"cam")
    assert (seen.complete, seen.error, seen.gone) == (False, "Permission denied", False)


@needs.root
def test_a_file_that_cannot_be_looked_at_is_not_missing(root, put, path):
    put(b"cam/a.mp4")
    (path / "cam").chmod(0o700)
    with nobody(), pytest.raises(PermissionError):
        look(root, b"cam/a.mp4")


READ = f"""
import sys
from pathlib import Path
from retention.footage.read import read_directory
from retention.footage.roots import open_root
root = open_root(key=1, name="nvr1", path=Path(sys.argv[1]), uuid="{ROOT}",
                 catalogue_uuid="{CATALOGUE}", device=None, boot=None, boot_now="")
seen = read_directory(root, b"cam")
print(seen.complete, seen.gone, seen.error)
"""


@needs.strace
def test_an_error_while_names_are_read_is_not_complete(put, path):
    put(b"cam/a.mp4")
    said = under_strace("getdents64:error=EIO:when=2+", path / "cam", READ, path)
    assert said == "False False Input/output error\n"


def test_a_look_says_what_is_there(root, put):
    file = put(b"cam/a.mp4", b"four")
    os.utime(file, ns=(0, 1_700_000_000_123_456_789))
    os.link(file, file + b"2")
    assert look(root, b"cam/a.mp4") == FileSeen(
        b"cam/a.mp4", 4, 1_700_000_000_123_456, 2
    )


def test_a_look_at_nothing_is_none(root, put):
    put(b"cam/a.mp4")
    assert look(root, b"cam/b.mp4") is None
    assert look(root, b"nocam/a.mp4") is None


@pytest.mark.parametrize("way", [b"", b"..", b"/etc/passwd", b"cam/..", b"cam/\0"])
def test_a_look_never_leaves_the_root(root, put, way):
    put(b"cam/a.mp4")
    with pytest.raises(OSError, match="not a path below the root"):
        look(root, way)


def test_a_look_never_goes_through_a_link(root, put, path, tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"film")
    (path / "cam").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError):
        look(root, b"cam/a.mp4")
