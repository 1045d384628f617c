"""Tests of publication share the press beside them, and the daemon's own fixtures."""

import sys
from pathlib import Path

import pytest
from reserved import installed as installed
from reserved import small_reserve as small_reserve

sys.path.insert(0, str(Path(__file__).parent))

from press import Press


@pytest.fixture
def press(tmp_path):
    made = Press(tmp_path / "state")
    yield made
    made.close()
