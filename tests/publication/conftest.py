"""Tests of publication share the press beside them, and the daemon's own fixtures."""

import pytest

from retention.control import members
from tests.support.fixtures import fake_clock as fake_clock
from tests.support.fixtures import installed as installed
from tests.support.fixtures import small_reserve as small_reserve
from tests.support.installation import Installation
from tests.support.press import Press
from tests.support.station import Station


@pytest.fixture
def press(tmp_path):
    made = Press(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(autouse=True, scope="module")
def listed_people():
    """The people of the stations are members of whatever group there is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "of", lambda settings, role: ["anna", "ben", "cara"])
        yield


@pytest.fixture
def stations():
    """Makes them; each is ended."""
    made = []

    def station(installed):
        made.append(Station(installed))
        return made[-1]

    yield station
    for each in made:
        each.killed()


@pytest.fixture
def station(installed, stations):
    return stations(installed)


@pytest.fixture
def copied(tmp_path):
    """With a second directory."""
    (tmp_path / "worm").mkdir()
    made = Installation(tmp_path, log_copy="{directory}/worm")
    made.init()
    return made
