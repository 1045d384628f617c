"""A site whose books are kept."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retention.control import in_force
from tests.support.bookkeeping import Bookkeeper
from tests.support.reported import Council, Reported


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


@pytest.fixture
def site() -> Council:
    """A log that is still to be written."""
    return Council()


@pytest.fixture
def reported(tmp_path: Path) -> Iterator[Callable[[Council], Reported]]:
    """Makes what was written so far a log, live and copied."""
    made: list[Reported] = []

    def make(story: Council) -> Reported:
        made.append(Reported(tmp_path / f"log{len(made)}", story.entries, story.texts))
        return made[-1]

    yield make
    for one in made:
        one.close()
