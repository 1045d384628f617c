"""A configuration without an installation yet."""

import os

import pytest
from installation import Installation

from retention import reserve


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch):
    monkeypatch.setattr(reserve, "SIZE", 4096)


@pytest.fixture
def site(tmp_path):
    os.umask(0o022)
    return Installation(tmp_path)
