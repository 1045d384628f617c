"""A site for the tests of deletion."""

import pytest

from tests.support.site_ import Site


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    yield made
    made.close()
