"""Control rooms for the tests of holds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.control_room import ControlRoom


@pytest.fixture
def room(tmp_path: Path) -> Iterator[ControlRoom]:
    made = ControlRoom(tmp_path)
    yield made
    made.site.close()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[ControlRoom]:
    """A site of one person."""
    made = ControlRoom(tmp_path, release_requires_two_people=False)
    yield made
    made.site.close()
