"""The newest signed head beside a root's identity: two slots, written in turn."""

import os
import threading

import pytest

from retention.footage import kept_head
from retention.footage.handles import open_directory
from retention.footage.kept_head import NAME, SLOT
from retention.footage.read import read_directory
from retention.tlog import merkle, note
from retention.tlog.note import Checkpoint
from tests.support import needs
from tests.support.disks import remount
from tests.support.publishing import KEY, OTHER_KEY, VERIFIER
from tests.support.publishing import NAME as LOG


def signed(size, key=KEY, name=LOG):
    root = merkle.root([bytes([size % 256]) * 32] * max(size % 5, 1))
    return note.sign(Checkpoint(name, size, root).text, name, key).encode()


@pytest.fixture
def directory(path):
    return open_directory(path)


@pytest.fixture
def made(directory):
    kept_head.make(directory)
    return directory


def size_in(directory, path):
    found = kept_head.newest(directory, VERIFIER, path)
    return None if found is None else found.size


def slots(path):
    data = (path / NAME).read_bytes()
    return [data[:SLOT].rstrip(b"\0"), data[SLOT:].rstrip(b"\0")]


def test_the_newest_is_read_back(made, path):
    assert size_in(made, path) is None
    for size in (3, 4, 9):
        kept_head.keep(made, signed(size), VERIFIER)
        assert size_in(made, path) == size
    assert slots(path) == [signed(9), signed(4)]
    assert (path / NAME).stat().st_size == 2 * SLOT


def test_it_says_where_it_is(made, path):
    kept_head.keep(made, signed(3), VERIFIER)
    assert kept_head.newest(made, VERIFIER, path).where == str(path / NAME)


def test_writing_never_touches_the_root(made, path):
    """A scan skips a directory by its mtime."""
    os.utime(path, (1_000_000, 1_000_000))
    inode = (path / NAME).stat().st_ino
    for size in range(3, 9):
        kept_head.keep(made, signed(size), VERIFIER)
        kept_head.make(made)
    assert path.stat().st_mtime == 1_000_000
    assert (path / NAME).stat().st_ino == inode


@pytest.mark.parametrize("length", [0, 1, 60, 150])
@pytest.mark.parametrize("slot", [0, 1])
def test_power_cut_in_the_middle_of_a_slot_leaves_the_other(made, path, slot, length):
    for size in (3, 4)[: slot + 1]:
        kept_head.keep(made, signed(size), VERIFIER)
    before = size_in(made, path)
    newer = signed(7)
    with (path / NAME).open("r+b") as file:
        file.seek((1 - slot) * SLOT)
        file.write(newer[:length])
    assert size_in(made, path) == before
    kept_head.keep(made, newer, VERIFIER)
    assert size_in(made, path) == 7
    assert before in [note.unverified(one).size for one in slots(path)]


def test_a_file_that_was_cut_is_written_whole_again(made, path):
    kept_head.keep(made, signed(3), VERIFIER)
    os.truncate(path / NAME, SLOT + 17)
    assert size_in(made, path) == 3
    kept_head.make(made)
    kept_head.keep(made, signed(4), VERIFIER)
    assert slots(path) == [signed(3), signed(4)]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"rubbish",
        b"\xff" * SLOT,
        signed(99, OTHER_KEY),
        signed(99, name="leicester/other"),
        signed(99).replace(b"\n99\n", b"\n98\n"),
    ],
)
def test_what_is_damaged_or_of_another_key_or_log_says_nothing(made, path, rubbish):
    kept_head.keep(made, signed(3), VERIFIER)
    with (path / NAME).open("r+b") as file:
        file.seek(SLOT)
        file.write(rubbish)
    assert size_in(made, path) == 3
    kept_head.keep(made, signed(4), VERIFIER)
    assert slots(path)[0] == signed(3)


def test_a_newer_one_is_never_overwritten(made, path):
    kept_head.keep(made, signed(9), VERIFIER)
    for size in (3, 4, 9):
        kept_head.keep(made, signed(size), VERIFIER)
    assert slots(path) == [signed(9), b""]


def test_a_root_without_the_file_says_nothing(directory, path):
    assert size_in(directory, path) is None


def test_a_pipe_or_a_link_in_its_place_holds_nobody_up(directory, path):
    os.mkfifo(path / NAME)
    for act in (kept_head.make, lambda d: kept_head.newest(d, VERIFIER, path)):
        with pytest.raises(OSError, match="not a regular file"):
            act(directory)
    (path / NAME).unlink()
    (path / NAME).symlink_to(path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        kept_head.make(directory)


@needs.root
def test_a_disk_that_is_read_only_or_full_is_an_error(tmp_path, mount):
    here = open_directory(mount(tmp_path))
    kept_head.make(here)
    kept_head.keep(here, signed(3), VERIFIER)
    remount(tmp_path, "ro")
    with pytest.raises(OSError, match="Read-only"):
        kept_head.keep(here, signed(4), VERIFIER)
    assert kept_head.newest(here, VERIFIER, tmp_path).size == 3


def test_it_is_nobodys_file(root, made, put):
    put(b"a.mp4")
    assert read_directory(root, b"").files == [b"a.mp4"]


class Silent:
    """A root whose disk does not answer."""

    name = "silent"

    def __init__(self):
        self.answer = threading.Event()

    @property
    def path(self):
        self.answer.wait(60)
        raise OSError


def test_a_disk_that_hangs_keeps_the_others_from_nothing(made, path):
    kept_head.keep(made, signed(3), VERIFIER)

    class Here:
        name = "here"

    Here.path = path
    silent = Silent()
    found = kept_head.in_roots([silent, Here], VERIFIER, seconds=0.2)
    silent.answer.set()
    assert [note.unverified(data).size for _, data in found] == [3]
