"""An installation for each test, and what it left running is ended."""

import os

import pytest
from installation import Clock, Installation

from retention import clock, reserve


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch, tmp_path):
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
        if each.process.poll() is None:
            each.process.kill()
            each.process.wait()
        each.out.close()
