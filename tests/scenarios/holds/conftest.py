"""A control room for each test, in a directory that everybody can enter."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.people import People
from tests.support.room import Room


@pytest.fixture
def directory() -> Iterator[Path]:
    """Unlike pytest's own, not closed to others."""
    made = Path(tempfile.mkdtemp(prefix="retention-room-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def room(directory: Path, people: People) -> Iterator[Callable[..., Room]]:
    """Makes a control room at a given time; `install` starts its service."""
    with ExitStack() as stack:

        def make(now: str, **more: Any) -> Room:
            made = Room(directory, people, now, **more)
            stack.callback(made.close)
            return made

        yield make
