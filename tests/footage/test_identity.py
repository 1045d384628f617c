"""The identity file: made once, completed after a crash, never overwritten."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.footage.identity import (
    IDENTITY,
    Identity,
    create_identity,
    decode,
    read_identity,
)
from retention.model.errors import RootUnavailableError
from tests.support import needs
from tests.support.disks import CATALOGUE, ROOT, locked_elsewhere, remount

OURS = Identity(ROOT, CATALOGUE)
OTHER = "ffffffff-0000-4000-8000-000000000000"


def test_what_was_made_is_read_back(path):
    assert read_identity(path) == OURS


def test_a_directory_without_one_has_none(tmp_path):
    assert read_identity(tmp_path) is None


def test_making_it_again_is_fine(path):
    create_identity(path, ROOT, CATALOGUE)
    assert read_identity(path) == OURS


@pytest.mark.parametrize("theirs", [(OTHER, CATALOGUE), (ROOT, OTHER)])
def test_another_identity_is_never_overwritten(path, theirs):
    with pytest.raises(RootUnavailableError, match="is a footage root already"):
        create_identity(path, *theirs)
    assert read_identity(path) == OURS


@pytest.mark.parametrize("length", [0, 1, 80, len(OURS.encode()) - 1])
def test_what_a_crash_left_of_it_is_completed(tmp_path, length):
    (tmp_path / IDENTITY).write_bytes(OURS.encode()[:length])
    create_identity(tmp_path, ROOT, CATALOGUE)
    assert read_identity(tmp_path) == OURS


def test_an_empty_file_counts_as_none(tmp_path):
    (tmp_path / IDENTITY).touch()
    assert read_identity(tmp_path) is None


def test_a_damaged_one_is_an_error_with_a_remedy(path):
    (path / IDENTITY).write_bytes(OURS.encode()[:-2])
    with pytest.raises(RootUnavailableError, match="damaged or cut short; if this"):
        read_identity(path)


def test_it_is_not_written_through_a_link(tmp_path):
    target = tmp_path / "target"
    target.touch()
    (tmp_path / IDENTITY).symlink_to(target)
    with pytest.raises(RootUnavailableError, match="can't be made"):
        create_identity(tmp_path, ROOT, CATALOGUE)
    assert target.read_bytes() == b""


def test_a_fifo_in_its_place_does_not_stop_us(tmp_path):
    os.mkfifo(tmp_path / IDENTITY)
    with pytest.raises(RootUnavailableError, match="not a regular file"):
        create_identity(tmp_path, ROOT, CATALOGUE)
    with pytest.raises(RootUnavailableError, match="not a regular file"):
        read_identity(tmp_path)


def test_a_root_that_is_in_use_is_left_alone(path):
    with (
        locked_elsewhere(path),
        pytest.raises(RootUnavailableError, match="in use by another process"),
    ):
        create_identity(path, ROOT, CATALOGUE)


@needs.root
def test_a_read_only_disk_is_an_error_that_names_the_file(tmp_path, mount):
    remount(mount(tmp_path), "ro")
    with pytest.raises(RootUnavailableError, match=f"{IDENTITY}.*Read-only"):
        create_identity(tmp_path, ROOT, CATALOGUE)


@given(st.uuids(), st.uuids())
def test_every_identity_is_what_it_was_after_writing(root, catalogue):
    identity = Identity(str(root), str(catalogue))
    assert decode(identity.encode()) == identity


@given(st.integers(0, len(OURS.encode()) - 1), st.binary(max_size=3))
def test_nothing_but_the_very_bytes_is_an_identity(length, rest):
    content = OURS.encode()[:length] + rest
    assert decode(content) is None or content == OURS.encode()
