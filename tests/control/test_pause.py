"""A pause only keeps: it is at most a day long, and no second one cuts it short."""

import pytest

from retention.control.approvals import deletion_pause, deletion_resume
from retention.model.errors import RetentionError, UsageError
from retention.model.values import HOUR, MINUTE
from tests.support.site_ import NOW


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
