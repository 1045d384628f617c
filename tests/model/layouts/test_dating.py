"""The dating rules of design section 5, and that no end is ever too early."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from retention.model.layouts.dating import (
    choose_start,
    disagreement,
    end_of,
    zone_error,
)
from retention.model.values import DAY, HOUR, MINUTE, SECOND

T = 20_000 * DAY  # some instant
TOLERANCE = 5 * MINUTE
LONGEST = HOUR


def end(mtime, next_start=None, longest=LONGEST):
    return end_of(T, mtime, next_start, longest, TOLERANCE)


def chosen(mtime, longest=LONGEST, neighbours=()):
    """The reading taken of a name that may mean T or an hour later."""
    starts = (T, T + HOUR)
    start = choose_start(starts, mtime, longest, TOLERANCE, neighbours=neighbours)
    return {T: "earlier", T + HOUR: "later"}[start]


class TestChooseStart:
    def test_one_reading_is_taken_whatever_the_mtime(self):
        assert choose_start((T,), T + 9 * DAY, LONGEST, TOLERANCE) == T

    def test_a_file_finished_before_the_later_reading_is_the_earlier(self):
        assert chosen(T + 15 * MINUTE) == "earlier"
        assert chosen(T + 59 * MINUTE) == "earlier"

    def test_a_file_finished_too_long_after_the_earlier_is_the_later(self):
        assert chosen(T + HOUR + 15 * MINUTE) == "later"
        assert chosen(T + HOUR + MINUTE, longest=10 * MINUTE) == "later"

    def test_an_hour_long_file_of_the_first_pass_is_not_taken_for_seconds(self):
        """Else a hold on its hour would miss it, and it would be deleted."""
        assert chosen(T + HOUR + 2 * SECOND) == "earlier"
        assert chosen(T + 2 * HOUR) == "later"

    @pytest.mark.parametrize("mtime", [0, T - 1, T, T + DAY])
    def test_an_mtime_that_fits_neither_leaves_the_later(self, mtime):
        assert chosen(mtime) == "later"

    def test_a_neighbour_that_ends_where_one_begins_decides(self):
        minute_long = T + HOUR + MINUTE
        assert chosen(minute_long, neighbours=[T + HOUR - 3 * SECOND]) == "later"
        assert chosen(minute_long, neighbours=[T + 5 * SECOND]) == "earlier"
        assert chosen(T + DAY, neighbours=[T - 5 * SECOND]) == "earlier"

    def test_no_neighbour_makes_a_file_end_before_it_begins(self):
        assert chosen(T + 15 * MINUTE, neighbours=[T + HOUR]) == "earlier"

    def test_a_neighbour_beats_an_mtime_that_is_too_late(self):
        """The file is longer than any before: what it covers is not cut off."""
        assert chosen(T + 2 * HOUR, neighbours=[T]) == "earlier"

    def test_neighbours_of_both_or_of_none_leave_it_to_the_mtime(self):
        for neighbours in ([T, T + HOUR], [T + 6 * SECOND], []):
            assert chosen(T + 15 * MINUTE, neighbours=neighbours) == "earlier"
            assert chosen(T + 2 * HOUR, neighbours=neighbours) == "later"

    @given(st.integers(1, HOUR), st.sampled_from([0, HOUR]), st.integers(0, MINUTE))
    def test_what_was_filmed_is_always_covered(self, length, passed, late):
        """Whichever reading is true and whatever the length up to the longest."""
        start, mtime = T + passed, T + passed + length + late
        taken = choose_start((T, T + HOUR), mtime, LONGEST, TOLERANCE)
        assert taken <= start
        assert end_of(taken, mtime, None, LONGEST, TOLERANCE) >= start + length


class TestDisagreement:
    def verdict(self, mtime, now=T + DAY, start=T):
        return disagreement(start, mtime, now, LONGEST, TOLERANCE)

    @pytest.mark.parametrize("mtime", [T - TOLERANCE, T, T + LONGEST + TOLERANCE])
    def test_within_the_tolerance_name_and_mtime_agree(self, mtime):
        assert self.verdict(mtime) is None

    def test_each_disagreement_has_its_reason(self):
        assert self.verdict(T - TOLERANCE - 1) == "name is later than mtime"
        assert self.verdict(T + LONGEST + TOLERANCE + 1) == "mtime is long after name"

    def test_the_future_begins_after_the_tolerance(self):
        assert self.verdict(T, now=T - TOLERANCE) is None
        assert self.verdict(T, now=T - TOLERANCE - 1) == "dated in the future"

    def test_nothing_ends_after_it_came(self):
        soon = T + 40 * MINUTE
        assert self.verdict(soon, now=soon - TOLERANCE) is None
        assert self.verdict(soon, now=soon - TOLERANCE - 1) == "dated in the future"

    def test_a_name_in_the_future_is_so_whatever_the_mtime(self):
        assert self.verdict(T - DAY, now=T - DAY) == "dated in the future"

    def test_a_name_in_utc_read_as_summer_time_is_long_before_its_mtime(self):
        """MediaMTX has been seen to flip to UTC within a stream (#5451)."""
        local_reading = T - HOUR
        assert self.verdict(T + HOUR, start=local_reading) == "mtime is long after name"


class TestEnd:
    def test_the_mtime_is_the_end(self):
        assert end(T + 10 * MINUTE) == T + 10 * MINUTE
        assert end(T + LONGEST + TOLERANCE) == T + LONGEST + TOLERANCE

    @pytest.mark.parametrize(
        ("gap", "later"),
        [(5 * SECOND, 5 * SECOND), (5 * SECOND + 1, 0), (-5 * SECOND, 0), (MINUTE, 0)],
    )
    def test_a_next_start_within_five_seconds_after_it_is(self, gap, later):
        mtime = T + 10 * MINUTE
        assert end(mtime, mtime + gap) == mtime + later

    @pytest.mark.parametrize("mtime", [0, T, T + LONGEST + TOLERANCE + 1])
    def test_an_implausible_mtime_gives_way_to_the_next_start(self, mtime):
        assert end(mtime, T + 10 * MINUTE) == T + 10 * MINUTE
        assert end(mtime, T + LONGEST) == T + LONGEST

    @pytest.mark.parametrize("next_start", [None, T, T - HOUR, T + LONGEST + 1])
    def test_without_a_next_start_it_ends_at_its_longest(self, next_start):
        assert end(T - HOUR, next_start) == T + LONGEST

    def test_an_mtime_a_little_before_the_start_makes_no_empty_recording(self):
        """The disk's clock is behind the recorder's: the length is not known."""
        assert end(T - MINUTE) == T + LONGEST

    def test_a_recording_is_at_least_a_microsecond_long(self):
        assert end(T, None, longest=0) == T + 1
        assert end(T + 1) == T + 1

    @given(
        st.integers(T - DAY, T + DAY),
        st.none() | st.integers(T - DAY, T + DAY),
        st.integers(0, 2 * HOUR),
    )
    @example(T - 1, T, 0)
    def test_an_end_is_after_the_start_and_never_before_a_believable_mtime(
        self, mtime, next_start, longest
    ):
        found = end(mtime, next_start, longest)
        assert found > T
        if T < mtime <= T + longest + TOLERANCE:
            assert mtime <= found <= mtime + 5 * SECOND


def pairs(*gaps):
    return [(T + at * HOUR, T + at * HOUR + gap) for at, gap in enumerate(gaps)]


class TestZoneError:
    @pytest.mark.parametrize(
        "error", [HOUR, -HOUR, 30 * MINUTE, -30 * MINUTE, 5 * HOUR + 30 * MINUTE]
    )
    def test_gaps_of_half_hours_are_a_wrong_zone(self, error):
        gaps = [error + SECOND, error - TOLERANCE, error + TOLERANCE]
        assert zone_error(pairs(*gaps), TOLERANCE) == error

    @pytest.mark.parametrize(
        "gap", [0, TOLERANCE, -TOLERANCE, 14 * MINUTE, HOUR + TOLERANCE + 1]
    )
    def test_other_gaps_are_not(self, gap):
        assert zone_error(pairs(gap, gap, gap), TOLERANCE) is None

    def test_two_recordings_say_nothing(self):
        assert zone_error(pairs(HOUR, HOUR), TOLERANCE) is None
        assert zone_error([], TOLERANCE) is None

    def test_only_the_last_twenty_count(self):
        assert zone_error(pairs(*[HOUR] * 50, *[0] * 20), TOLERANCE) is None
        assert zone_error(pairs(*[0] * 50, *[HOUR] * 20), TOLERANCE) == HOUR

    def test_a_few_interruptions_change_nothing(self):
        assert zone_error(pairs(0, 0, HOUR, 0, 9 * HOUR), TOLERANCE) is None
        assert zone_error(pairs(HOUR, HOUR, 9 * HOUR, HOUR, 0), TOLERANCE) == HOUR

    def test_a_camera_that_films_events_has_no_wrong_zone(self):
        """Its gaps have every size, and a median somewhere by chance."""
        gaps = [minute * MINUTE for minute in (1, 4, 9, 17, 28, 31, 44, 52, 90)]
        assert zone_error(pairs(*gaps), TOLERANCE) is None

    def test_a_camera_switched_on_daily_has_no_wrong_zone(self):
        assert zone_error(pairs(*[16 * HOUR] * 20), TOLERANCE) is None
