"""Fixtures of tests with installations, daemons and disks; a conftest imports its own."""

import os
import subprocess

import pytest

from retention.site import clock, reserve
from tests.support.audited import Audited, build
from tests.support.installation import Clock, Installation
from tests.support.once import once


@pytest.fixture(autouse=True)
def small_reserve(monkeypatch, tmp_path):
    """64 MiB for each test would fill the disk; also what a daemon made is given back."""
    monkeypatch.setattr(reserve, "SIZE", 4096)
    yield
    made = tmp_path / "state" / reserve.NAME
    if made.exists():
        os.truncate(made, 0)


@pytest.fixture
def installed(tmp_path):
    made = Installation(tmp_path)
    made.init()
    return made


@pytest.fixture
def fake_clock(monkeypatch):
    """To be asked for before an installation, so that init sees it too."""
    made = Clock()
    monkeypatch.setattr(clock, "read", made)
    return made


@pytest.fixture
def daemon():
    """Starts daemons, and ends those that a failed test left."""
    started = []

    def start(installation, **environment):
        started.append(installation.start(**environment))
        return started[-1].running()

    yield start
    for each in started:
        each.kill()


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
        while not subprocess.run(
            ["umount", "-l", where], capture_output=True
        ).returncode:
            pass


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """A site that deleted, held and published; made once for all, and copied."""
    return Audited(once(tmp_path_factory, "published", build))
