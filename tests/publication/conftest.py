"""Tests of publication share the press beside them, and the daemon's own fixtures."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from installation import Installation
from press import Press

from retention import reserve


@pytest.fixture
def press(tmp_path):
    made = Press(tmp_path / "state")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch, tmp_path):
    """64 MiB for each test would fill the disk."""
    monkeypatch.setattr(reserve, "SIZE", 4096)
    yield
    made = tmp_path / "state" / reserve.NAME
    if made.exists():
        os.truncate(made, 0)


@pytest.fixture
def installed(tmp_path):
    made = Installation(tmp_path)
    made.init()
    return made
