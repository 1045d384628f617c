"""A desk where calls come in, for the tests of answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.watched_site import Watched


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path / "site")
    yield made
    made.close()
