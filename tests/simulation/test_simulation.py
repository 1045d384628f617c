"""Many days of a site whose truth is known, in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from retention.model.values import DAY
from tests.simulation.recorders import Growing, Recorder
from tests.simulation.simulation import Simulation
from tests.support import campaign

RIGHT = [Recorder, Growing, Recorder, Growing]
FIXED = [1, 2] if campaign.WHOLE else [1]
FRESH = [campaign.chance("simulation").randrange(10**6) for _ in range(1)]


@contextmanager
def a_simulation(directory: Path, *given: Any, **more: Any) -> Iterator[Simulation]:
    sim = Simulation(directory, *given, **more)
    try:
        yield sim
    finally:
        sim.close()


@pytest.mark.parametrize("seed", [*FIXED, *FRESH])
def test_recorders_that_are_right_see_no_alarm_and_every_promise_kept(tmp_path, seed):
    with a_simulation(tmp_path, seed, RIGHT, busy=20, crashes=0.5) as sim:
        sim.run(campaign.share(365) * DAY)
        assert sim.oracle.violations == []
        assert sim.oracle.deleted > 50
        assert sim.crashed > 0
        assert sim.people.holds


def test_the_same_seed_is_the_same_story(tmp_path):
    told = []
    for run in ("once", "again"):
        with a_simulation(tmp_path / run, 3, RIGHT, crashes=2) as sim:
            sim.run(10 * DAY)
            told.append((sim.digest, sim.files, sim.crashed))
    assert told[0] == told[1]
