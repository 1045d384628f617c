"""Tests with real recorders share what lies beside them, and end what they started."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from recording_site import Recorder, RecordingSite

from retention import reserve


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch, tmp_path):
    """64 MiB for each test would fill the disk; also what a daemon made is given back."""
    monkeypatch.setattr(reserve, "SIZE", 4096)
    yield
    made = tmp_path / "state" / reserve.NAME
    if made.exists():
        os.truncate(made, 0)


@pytest.fixture
def site(tmp_path):
    """Makes a site with one root of that layout; its daemon ends with the test."""
    made = []

    def make(layout, zone, stable_after="3s", max_length="1m"):
        made.append(RecordingSite(tmp_path, layout, zone, stable_after, max_length))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def recorder(tmp_path):
    """Starts recorders, and ends those that a failed test left."""
    started = []

    def start(command, **environment):
        log = tmp_path / f"recorder-{len(started)}.log"
        started.append(Recorder(command, log, environment))
        return started[-1]

    yield start
    for each in started:
        each.kill()
