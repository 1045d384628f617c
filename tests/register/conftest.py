"""What the tests of the register share."""

from pathlib import Path

import pytest

from tests.support.register import Register


@pytest.fixture
def room(tmp_path: Path) -> Register:
    """An empty register."""
    return Register(tmp_path)
