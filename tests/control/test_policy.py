"""The rules of retention, one behaviour a test."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from retention.model.policy import (
    Holds,
    Policy,
    Reason,
    adopt,
    decide,
    merge,
    overlaps,
)
from retention.model.values import DAY, FOREVER, HOUR, Window

PERIOD = 28 * DAY

instants = st.integers(0, 60)
windows = st.lists(
    st.tuples(instants, st.integers(1, 20)).map(lambda w: Window(w[0], w[0] + w[1])),
    max_size=8,
)
spans = st.tuples(instants, st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1]))


def reason(start, end, now, *held, doubtful_since=None):
    return decide(
        start,
        end,
        holds=Holds(merge(Window(*window) for window in held)),
        period=PERIOD,
        now=now,
        doubtful_since=doubtful_since,
    ).reason


def test_a_recording_exactly_28_days_old_is_due():
    assert reason(0, HOUR, HOUR + PERIOD) is Reason.DUE


def test_a_recording_one_microsecond_younger_is_not():
    assert reason(0, HOUR, HOUR + PERIOD - 1) is Reason.NOT_YET


def test_the_period_counts_from_the_end_and_not_from_the_start():
    assert reason(0, DAY, PERIOD) is Reason.NOT_YET


def test_a_recording_that_ends_where_a_hold_begins_is_not_held():
    assert reason(0, HOUR, 99 * DAY, (HOUR, 2 * HOUR)) is Reason.DUE


def test_a_recording_that_begins_where_a_hold_ends_is_not_held():
    assert reason(2 * HOUR, 3 * HOUR, 99 * DAY, (HOUR, 2 * HOUR)) is Reason.DUE


def test_one_shared_microsecond_holds_a_recording():
    assert reason(0, HOUR + 1, 99 * DAY, (HOUR, 2 * HOUR)) is Reason.HELD


def test_a_hold_wins_over_any_age():
    assert reason(0, HOUR, FOREVER, (0, 1)) is Reason.HELD


def test_a_quarantined_recording_counts_from_when_it_was_seen():
    assert reason(0, 1, 5 * DAY + PERIOD - 1, doubtful_since=5 * DAY) is Reason.NOT_YET
    assert reason(0, 1, 5 * DAY + PERIOD, doubtful_since=5 * DAY) is Reason.DUE


def test_any_hold_of_its_camera_holds_a_quarantined_recording():
    assert reason(0, 1, 99 * DAY, (50 * DAY, 51 * DAY), doubtful_since=0) is Reason.HELD


@given(windows, spans)
def test_merged_windows_overlap_exactly_where_one_of_them_does(found, span):
    start, end = span
    assert overlaps(merge(found), start, end) == any(
        w.start < end and w.end > start for w in found
    )


@given(windows)
def test_merged_windows_are_sorted_and_apart(found):
    merged = merge(found)
    assert all(a.end < b.start for a, b in pairwise(merged))


@given(
    windows,
    spans,
    st.integers(0, 100),
    st.integers(0, 100),
)
def test_once_due_a_recording_stays_due_while_no_hold_comes(found, span, now, later):
    holds = Holds(merge(found))
    at = {"holds": holds, "period": 10}
    if decide(*span, now=now, **at).reason is Reason.DUE:
        assert decide(*span, now=now + later, **at).reason is Reason.DUE


def test_a_longer_period_applies_at_once():
    effective, waiting = adopt(Policy(3, 28), Policy(0, 31))
    assert (effective.days, waiting) == (31, [])


def test_a_shorter_period_waits():
    effective, waiting = adopt(Policy(3, 28), Policy(0, 21))
    assert effective.days == 28
    assert [(w.camera, w.now, w.proposed) for w in waiting] == [(None, 28, 21)]


def test_a_removed_override_that_would_shorten_waits():
    effective, waiting = adopt(Policy(3, 28, {7: 60}), Policy(0, 28))
    assert effective.days_of(7) == 60
    assert [(w.camera, w.now, w.proposed) for w in waiting] == [(7, 60, 28)]


def test_a_removed_override_that_lengthens_applies():
    effective, waiting = adopt(Policy(3, 28, {7: 14}), Policy(0, 28))
    assert (effective.days_of(7), waiting) == (28, [])


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.dictionaries(st.integers(1, 4), st.integers(1, 40)),
    st.dictionaries(st.integers(1, 4), st.integers(1, 40)),
)
def test_settings_alone_never_shorten_the_period_of_any_camera(a, b, over_a, over_b):
    current, proposed = Policy(1, a, over_a), Policy(0, b, over_b)
    effective, _ = adopt(current, proposed)
    for camera in range(6):
        assert effective.days_of(camera) == max(
            current.days_of(camera), proposed.days_of(camera)
        )
