"""A plant for each test; the first root is watched, and empty, from the day before."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import Clock
from reserved import small_reserve as small_reserve
from scenarios.plant import T0, Plant

from retention import clock
from retention.model import DAY, SECOND


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.close()


@pytest.fixture
def watched(plant: Plant) -> Plant:
    """Adopted while it was empty, and caught up since: nothing is a surprise."""
    plant.watch()
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    return plant


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


@pytest.fixture
def mount():
    """Mounts something; all is unmounted in the end, used or not."""
    mounted = []

    def mount(where, *options):
        subprocess.run(["mount", *options, where], check=True)
        mounted.append(where)
        return where

    yield mount
    for where in reversed(mounted):
        while (
            subprocess.run(["umount", "-l", where], capture_output=True).returncode == 0
        ):
            pass
