"""Tests with real recorders share what lies beside them, and end what they started."""

import pytest

from tests.support.fixtures import small_reserve as small_reserve
from tests.support.recording_site import Recorder, RecordingSite


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
