"""A site whose books are kept."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from bookkeeping import Bookkeeper


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Bookkeeper]:
    made = Bookkeeper(tmp_path / "site")
    yield made
    made.close()
