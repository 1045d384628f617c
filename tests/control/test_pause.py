"""A pause only keeps: it is at most a day long, and no second one cuts it short."""

from dataclasses import replace

import pytest

from retention.catalogue.db import PAUSE_FACT, Priority, get_fact, put_fact
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.raised import log_size
from retention.control import alarms, guards
from retention.control.acknowledge import guard_acknowledge
from retention.control.approvals import deletion_pause, deletion_resume
from retention.model.errors import RetentionError, UsageError
from retention.model.values import DAY, HOUR, MINUTE
from retention.tlog.in_force import KINDS, InForce
from tests.support.site_ import ACTOR, NOW


def pause(desk, length, reason="disk array is being repaired"):
    return deletion_pause(desk.context, length=length, reason=reason).paused_until


def test_nothing_is_deleted_until_the_pause_is_over(desk):
    file = desk.site.record("1001", NOW - 29 * 24 * HOUR)
    pause(desk, "4h")
    desk.site.cycle(NOW + 4 * HOUR - 1)
    assert file.exists()
    desk.site.cycle(NOW + 4 * HOUR)
    assert not file.exists()


def test_a_second_shorter_pause_does_not_end_the_first_early(desk):
    """An operator may pause; only a supervisor or an administrator resumes."""
    until = pause(desk, "20h")
    desk.now += HOUR
    assert pause(desk, "1s") == until
    assert desk.fields("deletion.paused")[-1]["until"] == NOW + 20 * HOUR


def test_a_second_longer_pause_goes_on_for_longer(desk):
    pause(desk, "1h")
    desk.now += 30 * MINUTE
    pause(desk, "1h")
    assert desk.fields("deletion.paused")[-1]["until"] == NOW + 90 * MINUTE


def test_after_a_resume_a_pause_is_as_long_as_it_says(desk):
    pause(desk, "20h")
    deletion_resume(desk.context, reason="repair is finished")
    pause(desk, "1h")
    assert desk.fields("deletion.paused")[-1]["until"] == NOW + HOUR


@pytest.mark.parametrize("length", ["25h", "2d"])
def test_a_pause_of_more_than_a_day_is_refused(desk, length):
    with pytest.raises(UsageError, match="at most 24h"):
        pause(desk, length)


def test_what_is_not_paused_is_not_resumed(desk):
    with pytest.raises(RetentionError, match="not paused"):
        deletion_resume(desk.context, reason="repair is finished")


def test_a_pause_needs_a_reason(desk):
    with pytest.raises(UsageError, match="--reason"):
        pause(desk, "1h", " ")


# -- by a clock that is later put right ----------------------------------------------------


@pytest.fixture(params=[40 * DAY, -40 * DAY], ids=["ahead", "behind"])
def doubted(desk, request):
    """A desk whose clock jumped, which the guard saw; 4 h were asked for by it."""
    desk.now = NOW + request.param
    with desk.site.catalogue.write(Priority.SCAN, author(desk)) as tx:
        alarms.trip(tx, desk.now, guards.CLOCK, "", "the clock jumped")
    return desk


def author(desk):
    return desk.site.log.by(ACTOR, desk.now)


def put_right(desk, now):
    """An administrator looks at another clock, sets this one, and says so."""
    desk.now = now
    admin = replace(ACTOR, role="administrator")
    context = desk.site.asked(desk.settings, admin, now=now, gate=None)
    guard_acknowledge(context, guard="clock", reason="it is right now")


def paused_until(desk):
    with desk.site.catalogue.read() as tx:
        return get_fact(tx, PAUSE_FACT)["until"]


def test_a_pause_by_a_clock_in_doubt_is_counted_from_when_it_is_right(doubted):
    answer = deletion_pause(doubted.context, length="4h", reason="disk array")
    assert answer.clock_in_doubt == "the clock jumped"
    file = doubted.site.record("1001", NOW - 29 * DAY)
    put_right(doubted, NOW + HOUR)
    assert paused_until(doubted) == NOW + 5 * HOUR
    assert doubted.fields("deletion.paused")[-1]["until"] == NOW + 5 * HOUR
    doubted.site.cycle(NOW + 5 * HOUR - 1)
    assert file.exists()
    doubted.site.cycle(NOW + 5 * HOUR)
    assert not file.exists()


def test_the_log_has_the_same_pause_once_the_clock_is_right(doubted):
    """Else the rows would protect less than the log says, and nothing would go."""
    pause(doubted, "4h")
    put_right(doubted, NOW + HOUR)
    with doubted.site.catalogue.read() as tx:
        said = InForce()
        said.take(CatalogueSource(tx).of_kinds(KINDS), log_size(tx))
    assert said.paused == NOW + 5 * HOUR


def test_a_pause_in_doubt_cuts_none_short_that_the_right_clock_counted(desk):
    pause(desk, "20h")
    desk.now = NOW + 40 * DAY
    with desk.site.catalogue.write(Priority.SCAN, author(desk)) as tx:
        alarms.trip(tx, desk.now, guards.CLOCK, "", "the clock jumped")
    pause(desk, "2h")
    pause(desk, "1h")
    put_right(desk, NOW + HOUR)
    assert paused_until(desk) == NOW + 20 * HOUR


def test_a_pause_by_a_clock_that_nobody_doubted_is_a_day_at_most_once_it_is(desk):
    """A machine without a battery whose clock was 40 days ahead from the start."""
    desk.now = NOW + 40 * DAY
    pause(desk, "4h")
    desk.now = NOW
    with desk.site.catalogue.write(Priority.SCAN, author(desk)) as tx:
        alarms.trip(tx, NOW, guards.CLOCK, "", "behind the log")
    put_right(desk, NOW)
    assert paused_until(desk) == NOW + DAY


def test_a_pause_by_the_right_clock_stays_as_it_is(desk):
    pause(desk, "4h")
    with desk.site.catalogue.write(Priority.SCAN, author(desk)) as tx:
        alarms.trip(tx, NOW + HOUR, guards.CLOCK, "", "the clock jumped")
    put_right(desk, NOW + HOUR)
    assert paused_until(desk) == NOW + 4 * HOUR
    assert len(desk.fields("deletion.paused")) == 1


@pytest.mark.parametrize(
    "name", ["schema.repair", "log.successor.asked", "root.replace.1"]
)
def test_what_waits_a_day_for_a_second_person_does_not_wait_again_in_40_days(
    desk, name
):
    """A wrong clock dated it: it is of now, once the clock is right."""
    desk.now = NOW + 40 * DAY
    with desk.site.catalogue.write(Priority.SCAN, author(desk)) as tx:
        alarms.trip(tx, desk.now, guards.CLOCK, "", "the clock jumped")
        put_fact(tx, name, [desk.now, 1001, 1001, "anna"])
    put_right(desk, NOW + HOUR)
    with desk.site.catalogue.read() as tx:
        assert get_fact(tx, name) == [NOW + HOUR, 1001, 1001, "anna"]
