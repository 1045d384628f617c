"""Machines that systemd runs, on which the program is installed."""

from pathlib import Path

import pytest

from tests.support import booted
from tests.support.once import once


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's first step writes on a machine, once for all of them."""
    return once(tmp_path_factory, "machine", booted.install)
