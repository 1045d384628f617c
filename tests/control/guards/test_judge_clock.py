"""The clock guard's judgement: every rule of its row in the design, section 10."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.control.clock_guard import (
    BEHIND,
    FORGIVEN,
    SETTLING,
    STEP,
    UNWATCHED,
    ClockState,
    judge_clock,
    stepped,
)
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.site.clock import Reading

NOON = 1_795_521_600 * SECOND  # 2026-11-24 12:00 UTC


def reading(elapsed=0, jump=0, *, boot="a", synchronised=False, wall=None):
    """A reading `elapsed` after noon by boot time, its wall clock `jump` ahead."""
    told = NOON + elapsed + jump if wall is None else wall
    return Reading(told, DAY + elapsed, DAY + elapsed, boot, synchronised)


def judge(state, now, **known):
    """Judge with nothing else known than what the test says."""
    known = {"last_entry_at": None, "newest_recording": None, **known}
    return judge_clock(state, now, **known)


def after(*readings, state=None, **known):
    """The state after these readings, one by one."""
    state = state or ClockState()
    for each in readings:
        state = judge(state, each, **known)
    return state


def settle(state, start, jump=0, **known):
    """Let it see a synchronised clock every minute for the settling time."""
    for minute in range(SETTLING // MINUTE + 1):
        now = reading(start + minute * MINUTE, jump, synchronised=True)
        state = judge(state, now, **known)
    return state


def test_a_clock_that_runs_evenly_is_believed():
    assert after(*(reading(n * MINUTE) for n in range(100))).believed


@pytest.mark.parametrize("jump", [HOUR, DAY, 35 * DAY, STEP + 1])
def test_a_jump_ahead_of_boot_time_is_not_believed(jump):
    state = after(reading(), reading(MINUTE, jump))
    assert not state.believed
    assert state.jump == jump


def test_a_step_of_a_minute_is_still_believed():
    assert after(reading(), reading(MINUTE, STEP)).believed


def test_a_jump_is_seen_however_long_the_last_cycle_is_ago():
    assert not after(reading(), reading(9 * DAY, HOUR)).believed


def test_a_long_cycle_alone_is_no_jump():
    assert after(reading(), reading(9 * DAY)).believed


def test_the_kernels_word_does_not_excuse_a_jump():
    assert not after(reading(), reading(MINUTE, HOUR, synchronised=True)).believed


def test_small_steps_add_up():
    """Half a minute with every cycle would otherwise reach any date unseen."""
    state = after(*(reading(n * MINUTE, n * 30 * SECOND) for n in range(3)))
    assert state.believed
    assert not judge(state, reading(4 * MINUTE, 90 * SECOND)).believed


def test_small_steps_add_up_even_when_the_kernel_says_synchronised():
    """Faster than the clock settles: 50 s in every nine minutes."""
    readings = [
        reading(n * MINUTE, n // 9 * 50 * SECOND, synchronised=True) for n in range(30)
    ]
    assert not after(*readings).believed


def test_a_small_step_is_forgotten_once_the_clock_has_settled():
    """A nightly backup that pauses the machine for 40 s must not trip on day two."""
    state = ClockState()
    for night in range(5):
        state = settle(state, night * DAY, night * 40 * SECOND)
    assert state.believed


def test_a_jump_back_and_ahead_again_is_a_jump_ahead():
    state = after(reading(), reading(MINUTE, -2 * HOUR))
    assert state.believed  # no entry says otherwise; it can only delete later
    assert not judge(state, reading(2 * MINUTE)).believed


def test_a_clock_behind_the_last_entry_is_not_believed():
    assert not after(reading(), last_entry_at=NOON + BEHIND + 1).believed


def test_a_clock_five_seconds_behind_the_last_entry_is_believed():
    assert after(reading(), last_entry_at=NOON + BEHIND).believed


def test_after_a_restart_a_day_and_more_in_silence_is_not_believed():
    state = after(reading(), reading(boot="b", wall=NOON + UNWATCHED + 1))
    assert not state.believed


def test_after_a_restart_within_a_day_it_is_believed():
    assert after(reading(), reading(boot="b", wall=NOON + UNWATCHED)).believed


def test_after_a_restart_the_kernels_word_is_enough():
    now = reading(boot="b", wall=NOON + 9 * DAY, synchronised=True)
    assert after(reading(), now).believed


def test_after_a_restart_a_kernel_that_will_not_say_is_not_enough():
    now = reading(boot="b", wall=NOON + 9 * DAY, synchronised=None)
    assert not after(reading(), now).believed


def test_the_newest_recording_is_a_sign_of_life():
    now = reading(boot="b", wall=NOON + UNWATCHED + HOUR)
    state = after(reading(), now, newest_recording=NOON + 2 * HOUR)
    assert state.believed


def test_a_recording_from_far_ahead_vouches_for_nothing():
    """What a wrong clock dated must not make that clock believable."""
    now = reading(boot="b", wall=NOON + 35 * DAY)
    assert not after(reading(), now, newest_recording=NOON + 35 * DAY).believed


def test_entries_written_since_do_not_vouch_for_the_clock_across_a_restart():
    """An offline command may have written them by the same wrong clock."""
    now = reading(boot="b", wall=NOON + 35 * DAY)
    assert not after(reading(), now, last_entry_at=NOON + 35 * DAY).believed


def test_without_a_boot_id_no_two_readings_are_of_one_boot():
    assert not after(reading(boot=""), reading(2 * DAY, boot="")).believed


def test_the_very_first_reading_is_measured_by_the_log():
    first = reading(wall=NOON + 2 * DAY)
    assert not judge(ClockState(), first, last_entry_at=NOON).believed
    assert judge(ClockState(), first, last_entry_at=NOON + 2 * DAY).believed


@pytest.mark.parametrize("word", [False, None])
def test_where_synchronisation_is_required_its_absence_is_not_believed(word):
    state = after(reading(synchronised=word), require_synchronised=True)
    assert not state.believed


def test_a_short_jump_clears_after_ten_minutes_synchronised():
    tripped = after(reading(), reading(MINUTE, HOUR))
    assert settle(tripped, 2 * MINUTE, HOUR).believed


def test_it_does_not_clear_before():
    state = after(reading(), reading(MINUTE, HOUR))
    for elapsed in (2 * MINUTE, 2 * MINUTE + SETTLING - 1):
        state = judge(state, reading(elapsed, HOUR, synchronised=True))
    assert not state.believed


def test_it_does_not_clear_unsynchronised():
    state = after(reading(), *(reading(n * MINUTE, HOUR) for n in range(1, 1000)))
    assert not state.believed


def test_ten_minutes_start_again_when_the_kernel_loses_synchronisation():
    state = after(reading(), reading(MINUTE, HOUR))
    for elapsed, word in ((2, True), (8, True), (9, False), (10, True), (13, True)):
        state = judge(state, reading(elapsed * MINUTE, HOUR, synchronised=word))
    assert not state.believed


def test_ten_minutes_start_again_after_another_step():
    state = after(reading(), reading(MINUTE, HOUR))
    for elapsed, jump in ((2, 60), (8, 60), (9, 70), (13, 70)):
        now = reading(elapsed * MINUTE, jump * MINUTE, synchronised=True)
        state = judge(state, now)
    assert not state.believed


def test_a_jump_of_a_day_never_clears_by_itself():
    tripped = after(reading(), reading(MINUTE, FORGIVEN))
    assert not settle(tripped, 2 * MINUTE, FORGIVEN).believed


def test_a_long_jump_stays_in_doubt_when_the_clock_is_put_back():
    tripped = after(reading(), reading(MINUTE, 35 * DAY))
    assert not settle(tripped, 2 * MINUTE, 0).believed


def test_two_short_jumps_make_a_long_one():
    state = after(reading(), reading(MINUTE, 20 * HOUR), reading(2 * MINUTE, 40 * HOUR))
    assert not settle(state, 3 * MINUTE, 40 * HOUR).believed


def test_a_long_jump_after_a_restart_in_doubt_needs_a_person_too():
    """The anchor is of another boot, so only the step itself shows it."""
    behind = {"last_entry_at": NOON + HOUR}
    state = after(reading(), reading(boot="b"), **behind)
    state = judge(state, reading(MINUTE, 35 * DAY, boot="b", synchronised=True))
    for minute in range(2, 20):
        now = reading(minute * MINUTE, 35 * DAY, boot="b", synchronised=True)
        state = judge(state, now)
    assert not state.believed


def test_a_longer_jump_says_so():
    state = after(reading(), reading(MINUTE, HOUR), reading(2 * MINUTE, 35 * DAY))
    assert "35 days" in state.fault


def test_a_paused_machine_whose_boot_time_stood_still_clears_by_itself():
    """Three hours paused: boot time stopped, then NTP put the wall clock right."""
    state = after(reading(), reading(MINUTE, 3 * HOUR))
    assert not state.believed
    assert settle(state, 2 * MINUTE, 3 * HOUR).believed


def test_a_paused_machine_whose_boot_time_ran_on_is_believed_throughout():
    assert after(reading(), reading(3 * HOUR)).believed


def test_a_machine_put_back_to_a_snapshot_is_behind_its_log():
    """Boot time and wall clock are both old; the catalogue, elsewhere, is not."""
    state = after(reading(5 * HOUR), reading(HOUR), last_entry_at=NOON + 5 * HOUR)
    assert not state.believed


def test_a_reading_tells_a_step_from_the_passing_of_time():
    assert not stepped(reading(), reading(DAY, SECOND))
    assert stepped(reading(), reading(10 * SECOND, -HOUR))
    assert not stepped(reading(), reading(boot="b", wall=0))


steps = st.lists(
    st.tuples(
        st.integers(1, 2 * HOUR),
        st.sampled_from([0, 0, 0, SECOND, 59 * SECOND, HOUR, -HOUR, 2 * DAY]),
        st.sampled_from([True, False, None]),
    ),
    max_size=30,
)


@given(steps)
def test_a_believed_clock_is_never_more_than_a_step_ahead_unless_it_settled(changes):
    """Whatever happens in one boot: ahead and believed means ten steady minutes."""
    state, elapsed, jump = judge(ClockState(), reading()), 0, 0
    settled_jump = 0
    for wait, change, word in changes:
        elapsed, jump = elapsed + wait, jump + change
        state = judge(state, reading(elapsed, jump, synchronised=word))
        since = state.steady_since
        if since is not None and DAY + elapsed - since >= SETTLING:
            settled_jump = jump if state.believed else settled_jump
        assert not state.believed or jump - settled_jump <= STEP


@given(steps)
def test_a_day_ahead_is_believed_by_nobody_whatever_follows(changes):
    state = after(reading(), reading(MINUTE, DAY))
    elapsed, jump = MINUTE, DAY
    for wait, change, word in changes:
        elapsed, jump = elapsed + wait, jump + change
        state = judge(state, reading(elapsed, jump, synchronised=word))
        assert not state.believed
