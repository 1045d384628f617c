"""Something lies or is lost, and every promise is kept all the same."""

from pathlib import Path
from typing import Any

import pytest

from tests.simulation.mendings import MENDINGS, without
from tests.simulation.oracle import Violation
from tests.simulation.scenarios import SCENARIOS
from tests.support import campaign, needs

AT_ONCE = 4
"""Scenarios that each run plays; a whole campaign plays all, by fresh seeds too."""


def drawn(names: list[str]) -> list[Any]:
    """Some of them, in order."""
    some = set(names)
    if not campaign.WHOLE:
        some = set(campaign.chance("scenarios").sample(names, AT_ONCE))
    marks = {name: needs.root if SCENARIOS[name].root else () for name in some}
    return [pytest.param(name, marks=marks[name]) for name in names if name in some]


def played(directory: Path, name: str, seed: int) -> list[Violation]:
    sim = SCENARIOS[name].play(directory, seed)
    try:
        return sim.oracle.violations
    finally:
        sim.close()


@pytest.mark.parametrize("name", drawn(list(SCENARIOS)))
def test_every_promise_is_kept_though(tmp_path, name):
    seeds = [SCENARIOS[name].seed]
    seeds += [
        campaign.chance(f"{name} {number}").randrange(10**6)
        for number in range(campaign.share(5) - 1)
    ]
    for seed in seeds:
        assert played(tmp_path / str(seed), name, seed) == [], seed


@pytest.mark.parametrize("name", campaign.some(list(MENDINGS), "mendings"))
def test_a_mending_that_is_taken_out_is_missed(tmp_path, name):
    with without(name) as mending:
        seed = SCENARIOS[mending.scenario].seed
        assert played(tmp_path / "site", mending.scenario, seed) != []
