"""A plant for each test; the first root is watched, and empty, from the day before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.model.values import DAY, SECOND
from tests.support.fixtures import daemon as daemon
from tests.support.fixtures import fake_clock as fake_clock
from tests.support.fixtures import mount as mount
from tests.support.fixtures import small_reserve as small_reserve
from tests.support.plant import T0, Plant


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    made.invented = False
    yield made
    made.close()


@pytest.fixture
def watched(plant: Plant) -> Plant:
    """Adopted while it was empty, and caught up since: nothing is a surprise."""
    plant.watch()
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    return plant
