"""Tests of the audit log share the builders beside them."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import logs


@pytest.fixture
def catalogue(tmp_path):
    opened = logs.a_catalogue(tmp_path)
    yield opened
    opened.close()
