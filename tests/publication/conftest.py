"""Tests of publication share the press beside them, and the daemon's own fixtures."""

import pytest

from tests.support.fixtures import installed as installed
from tests.support.fixtures import small_reserve as small_reserve
from tests.support.press import Press


@pytest.fixture
def press(tmp_path):
    made = Press(tmp_path / "state")
    yield made
    made.close()
