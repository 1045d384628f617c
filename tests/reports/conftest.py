"""A site whose books are kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from retention.control import in_force
from tests.support.bookkeeping import Bookkeeper


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Bookkeeper]:
    made = Bookkeeper(tmp_path / "site")
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def entries_alone():
    """The logs of these tests are written by hand: their holds are entries without rows,
    which would stop all deletion."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(in_force, "refuse_less", lambda *_: None)
        yield
