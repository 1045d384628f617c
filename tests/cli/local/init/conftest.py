"""A configuration without an installation yet."""

import os

import pytest

from retention.site import reserve
from tests.support.installation import Installation


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch):
    monkeypatch.setattr(reserve, "SIZE", 4096)


@pytest.fixture
def site(tmp_path):
    os.umask(0o022)
    return Installation(tmp_path)
