"""A recorder that deletes by itself is named, with the age at which it does."""

import pytest

from retention.catalogue.db import Priority
from retention.footage.ingest.losses import recorder_deletes, remember_ages
from retention.model.values import DAY, MINUTE, Recording


@pytest.fixture
def lose(world):
    """Files that vanished at these ages, in days; what is concluded from them."""

    def losing(*days):
        rows = [
            Recording(1, world.NOW - day * DAY - MINUTE, 0, MINUTE, 1) for day in days
        ]
        with world.catalogue.write(Priority.SCAN) as tx:
            remember_ages(tx, 1, rows, world.NOW)
            return recorder_deletes(tx, 1)

    return losing


def test_a_few_lost_files_prove_nothing(lose):
    assert lose(*[20] * 19) is None


def test_most_lost_at_one_age_is_the_recorder(lose):
    assert lose(*[20] * 17, 21, 19, 3) == 20


def test_losses_of_all_ages_are_not(lose):
    assert lose(*range(1, 25)) is None


def test_only_the_last_losses_count(lose):
    lose(*range(1, 50))
    assert lose(*[14] * 50) == 14
