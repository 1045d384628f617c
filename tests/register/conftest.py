"""What the tests of the register share."""

from pathlib import Path

import pytest
from register_room import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """An empty register."""
    return Room(tmp_path)
