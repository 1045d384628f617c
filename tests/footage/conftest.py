"""A footage root with files in it, and other disks to mount."""

import os
import subprocess

import pytest
from footage.disks import CATALOGUE, ROOT

from retention.footage.roots import create_identity, open_root


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


@pytest.fixture
def mount():
    """Mounts something; all is unmounted in the end, used or not."""
    mounted = []

    def mount(where, *options):
        options = options or ("-t", "tmpfs", "none")
        subprocess.run(["mount", *options, where], check=True)
        mounted.append(where)
        return where

    yield mount
    for where in reversed(mounted):
        subprocess.run(["umount", "-l", where], capture_output=True, check=False)
