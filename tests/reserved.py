"""Fixtures of tests whose installations and daemons make a reserve on the disk."""

import os

import pytest
from installation import Installation

from retention import reserve


@pytest.fixture(autouse=True)
def small_reserve(monkeypatch, tmp_path):
    """64 MiB for each test would fill the disk; also what a daemon made is given back."""
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
