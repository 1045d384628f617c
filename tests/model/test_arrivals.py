"""When a stream is steadily late, and when its mtimes say no more than its names."""

from hypothesis import given
from hypothesis import strategies as st

from retention.model.arrivals import (
    MANY,
    NOTHING,
    Allowed,
    Late,
    arrived,
    count_named,
    steady_delay,
)
from retention.model.values import HOUR, MINUTE, SECOND

TOLERANCE = 5 * MINUTE
ALLOWED = Allowed(TOLERANCE, TOLERANCE)


def looks(steps, behind, stable=30 * SECOND):
    """What looks so far apart say of a stream whose clock is so much behind: one
    recording arrives between two of them."""
    known = NOTHING
    for step, into in steps:
        known = arrived(
            known, Late(behind - into, behind - into + step + stable, 1), ALLOWED
        )
    return known.late


steps = st.lists(
    st.integers(1, 60).flatmap(
        lambda minutes: st.tuples(
            st.just(minutes * MINUTE), st.integers(0, minutes * MINUTE)
        )
    ),
    max_size=40,
)


@given(steps, st.integers(-TOLERANCE, TOLERANCE))
def test_a_clock_that_is_right_is_never_doubted(found, behind):
    """However seldom it is looked at: a look before the end says nothing against it."""
    assert steady_delay(looks(found, behind), ALLOWED) is None


@given(st.integers(3, 30), st.integers(8, 60 * 24 * 40))
def test_a_clock_that_is_behind_is_found_at_the_third_recording(number, minutes):
    behind = minutes * MINUTE
    found = looks([(MINUTE, 20 * SECOND)] * number, behind)
    assert steady_delay(found, ALLOWED) == behind
    assert steady_delay(found[:2], ALLOWED) is None


def test_it_is_found_too_where_it_is_looked_at_every_quarter_of_an_hour():
    found = looks([(15 * MINUTE, at * MINUTE) for at in (1, 14, 7)], 40 * MINUTE)
    assert steady_delay(found, ALLOWED) is not None


def test_a_clock_that_is_ahead_is_found_at_the_third_recording():
    found = [Late(-HOUR - MINUTE, -HOUR, 1)] * 3
    assert steady_delay(found, ALLOWED) == -HOUR
    assert steady_delay(found[:2], ALLOWED) is None


def test_one_that_is_out_the_other_way_ends_what_was_before():
    known = NOTHING
    for by in (HOUR, HOUR, -HOUR, -HOUR):
        known = arrived(known, Late(by - MINUTE, by, 1), ALLOWED)
    assert [one.most for one in known.late] == [-HOUR, -HOUR]


def test_one_delivery_of_two_days_is_no_clock():
    """A card that was synchronised: 48 files at one look."""
    known = arrived(NOTHING, Late(HOUR, HOUR + MINUTE, 48), ALLOWED)
    assert steady_delay(known.late, ALLOWED) is None


def test_one_that_arrives_in_time_ends_what_was_before():
    known = NOTHING
    for least in (HOUR, HOUR, -MINUTE, HOUR):
        known = arrived(known, Late(least, least + MINUTE, 1), ALLOWED)
    assert len(known.late) == 1


def test_a_recorder_that_delivers_every_six_hours_delivers_late():
    found = [Late((at % 5 + 1) * HOUR, (at % 5 + 2) * HOUR, 6) for at in range(8)]
    assert steady_delay(found, ALLOWED) is not None


@given(st.lists(st.integers(3, 3_600), min_size=1, max_size=60))
def test_recordings_with_an_end_of_their_own_are_never_counted(lengths):
    spans, at = [], 0
    for length in lengths:
        spans.append((at * SECOND, (at + length) * SECOND))
        at += length
    assert count_named(0, spans, None) == 0


def test_files_of_two_seconds_end_when_the_next_begins():
    spans = [(at * 2 * SECOND, (at + 1) * 2 * SECOND) for at in range(100)]
    assert count_named(0, spans, -2 * SECOND) == 0


def test_names_that_are_their_mtimes_are_counted_up_to_many():
    spans = [(at * HOUR, at * HOUR + SECOND) for at in range(100)]
    assert count_named(0, spans[:7], None) == 7
    assert count_named(7, spans[7:], spans[6][0]) == MANY
    assert count_named(19, [(HOUR, HOUR + 3 * SECOND)], None) == 0
