"""A footage root with files in it, and other disks to mount."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.footage.roots import create_identity, open_root
from tests.support.disks import CATALOGUE, ROOT
from tests.support.fixtures import mount as mount


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """On a disk: elsewhere tests may lie in memory, whose file system is another."""
    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="retention-") as made:
        yield Path(made)


@pytest.fixture
def path(tmp_path):
    """The directory of a root, with its identity."""
    path = tmp_path / "nvr1"
    path.mkdir()
    create_identity(path, ROOT, CATALOGUE)
    return path


@pytest.fixture
def opening():
    """Opens roots; what it opened is closed in the end."""
    opened = []

    def opening(path, **other):
        known = {"uuid": ROOT, "catalogue_uuid": CATALOGUE, "device": None}
        known |= {"boot": None, "boot_now": "boot-1"}
        root = open_root(key=1, name="nvr1", path=path, **(known | other))
        opened.append(root)
        return root

    yield opening
    for root in opened:
        root.close()


@pytest.fixture
def root(path, opening):
    return opening(path)


@pytest.fixture
def put(path):
    """Puts a file of 4 bytes below the root."""

    def put(name, content=b"film"):
        file = os.path.join(os.fsencode(path), name)
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as new:
            new.write(content)
        return file

    return put
