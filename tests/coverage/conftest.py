"""A desk where calls come in, for the tests of answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from watched_site import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "site")
    yield made
    made.close()
