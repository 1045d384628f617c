"""A control room with real users: their groups are its roles."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from retention.site import reserve
from tests.support.office import Office
from tests.support.people import People


@pytest.fixture(autouse=True, scope="module")
def _small_reserve() -> Iterator[None]:
    """64 MiB for each test would fill the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reserve, "SIZE", 4096)
        yield


@contextmanager
def _directory() -> Iterator[Path]:
    """A directory that every user can enter, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="retention-api-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


@contextmanager
def _office(people: People) -> Iterator[Office]:
    with _directory() as directory, ExitStack() as stack:
        made = Office(directory, people.groups)
        made.init()
        made.open(stack)
        yield made


@pytest.fixture
def directory() -> Iterator[Path]:
    with _directory() as made:
        yield made


@pytest.fixture(scope="module")
def still_directory() -> Iterator[Path]:
    """One for all tests of a module."""
    with _directory() as made:
        yield made


@pytest.fixture
def office(people: People) -> Iterator[Office]:
    """An installation whose API answers in this process."""
    with _office(people) as made:
        yield made


@pytest.fixture(scope="module")
def still(people: People) -> Iterator[Office]:
    """One for all tests of a module, which leave it as it was."""
    with _office(people) as made:
        yield made
