"""An installation for each test, and what it left running is ended."""

import pytest
from installation import Clock
from reserved import installed as installed
from reserved import small_reserve as small_reserve

from retention import clock


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
