"""The scheduler only triggers, and survives any clock."""

import threading
import time
from datetime import UTC, datetime, timedelta

import freezegun
import pytest

from retention.model.values import SECOND
from retention.service.schedule import Every, Schedule

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def crashes():
    return []


@pytest.fixture
def schedule(crashes):
    made = Schedule(lambda name, error: crashes.append((name, error)))
    yield made
    made.stop()


def wait_for(condition):
    for _ in range(6000):  # counted, since freezegun stops the monotonic clock too
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("waited two minutes")


def test_a_trigger_fires_at_once_and_again(schedule):
    fired = []
    schedule.add("scan", SECOND, lambda: fired.append(1))
    schedule.start()
    wait_for(lambda: len(fired) >= 2)


def test_the_next_time_is_never_in_the_past_however_far_the_clock_jumped():
    """APScheduler would list each missed run up to the year 2200."""
    ahead = NOON + timedelta(days=365 * 174)
    after = Every(30 * SECOND).get_next_fire_time(NOON, ahead)
    assert after == ahead + timedelta(seconds=30)


def test_set_to_another_century_it_fires_once_and_goes_on(schedule):
    """The wall clock alone is frozen; the scheduler waits by the monotonic one."""
    fired = []
    schedule.add("scan", 3600 * SECOND, lambda: fired.append(1))
    schedule.start()
    wait_for(lambda: fired == [1])
    year_2200 = NOON + timedelta(days=365 * 174)
    with freezegun.freeze_time(year_2200, ignore=["threading"]):
        schedule.wake(int(year_2200.timestamp()) * SECOND)
        wait_for(lambda: fired == [1, 1])


def test_set_back_it_does_not_stall(schedule):
    fired = []
    schedule.add("scan", 3600 * SECOND, lambda: fired.append(1))
    schedule.start()
    wait_for(lambda: fired == [1])
    back = NOON - timedelta(days=365)
    with freezegun.freeze_time(back, ignore=["threading"]):
        schedule.wake(int(back.timestamp()) * SECOND)
        wait_for(lambda: fired == [1, 1])
        (job,) = schedule._scheduler.get_jobs()
        assert job.next_run_time <= back + timedelta(hours=1, seconds=5)


def test_a_trigger_that_fails_is_counted_and_told(schedule, crashes):
    schedule.add("scan", 3600 * SECOND, lambda: 1 / 0)
    schedule.start()
    wait_for(lambda: crashes)
    ((name, error),) = crashes
    assert (name, type(error)) == ("scan", ZeroDivisionError)
    assert schedule.trouble["failed"] == 1


def test_a_trigger_that_is_still_at_it_is_counted_and_not_started_twice(schedule):
    running, go = [], threading.Event()

    def slow():
        running.append(1)
        go.wait(60)

    schedule.add("scan", SECOND, slow)
    schedule.start()
    wait_for(lambda: schedule.trouble["overrun"] >= 1)
    assert running == [1]
    go.set()
