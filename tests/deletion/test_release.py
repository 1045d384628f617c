"""Releasing a hold: what is refused, and what a wrong clock may not do."""

from types import SimpleNamespace

import pytest
from site_ import ACTOR, NOW, Site

from retention import guards
from retention.catalogue import holds
from retention.context import Context
from retention.errors import GuardError, NotPermittedError, RetentionError, UsageError
from retention.holds import hold_release
from retention.model import DAY, HOUR


@pytest.fixture
def alone(tmp_path):
    """A site of one person, with one hold."""
    site = Site(tmp_path, release_requires_two_people=False)
    site.hold("a", NOW - DAY, NOW)
    yield site
    site.close()


def release(site, *, now=NOW, hold=1, reason="copy handed over"):
    settings = SimpleNamespace(retention=site.settings, timezone="Europe/London")
    context = Context(settings, site.catalogue, site.log, now, ACTOR)
    return hold_release(context, hold=hold, reason=reason)


def free_at(site):
    with site.catalogue.read() as tx:
        return holds.find(tx, 1).free_at


def test_a_released_hold_cools_off_for_the_time_in_the_settings(alone):
    release(alone)
    assert free_at(alone) == NOW + 7 * DAY


def test_a_hold_is_released_once(alone):
    release(alone)
    with pytest.raises(RetentionError, match="not active"):
        release(alone, now=NOW + HOUR)
    assert free_at(alone) == NOW + 7 * DAY


def test_a_release_needs_a_reason(alone):
    with pytest.raises(UsageError, match="--reason"):
        release(alone, reason=" ")


def test_one_person_can_not_release_where_it_takes_two(site):
    site.hold("a", NOW - DAY, NOW)
    with pytest.raises(NotPermittedError, match="two people"):
        release(site)


def test_by_a_clock_that_a_guard_doubts_nothing_is_released(alone):
    guards.trip(
        alone.catalogue, alone.log, NOW, ACTOR, guards.CLOCK, "", "35 days ahead"
    )
    with pytest.raises(GuardError, match="35 days ahead"):
        release(alone)
    assert free_at(alone) is None


def test_by_a_clock_behind_the_log_nothing_is_released(alone):
    with pytest.raises(GuardError, match="behind the audit log"):
        release(alone, now=NOW - 30 * DAY)
    assert free_at(alone) is None
