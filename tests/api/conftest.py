"""A control room with real users: their groups are its roles."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import needs
import pytest
from api.office import Office
from api.people import People, everybody

from retention import reserve


@pytest.fixture(autouse=True)
def _small_reserve(monkeypatch):
    """64 MiB for each test would fill the disk."""
    monkeypatch.setattr(reserve, "SIZE", 4096)


@pytest.fixture(scope="session")
def people() -> Iterator[People]:
    """Users for the whole run: a test that takes a role away gives it back."""
    if os.geteuid() != 0 and not needs.CI:
        pytest.skip("needs to run as root")
    with everybody() as made:
        yield made


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory that every user can enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="retention-api-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def office(directory: Path, people: People) -> Iterator[Office]:
    """An installation whose API answers in this process."""
    made = Office(directory, people.groups)
    made.init()
    with ExitStack() as stack:
        made.open(stack)
        yield made
