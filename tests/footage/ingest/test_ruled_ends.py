"""A ruling keeps whatever it may mean, and no answer calls a time recorded that no file
was ever said to have filmed."""

import pytest

from retention.catalogue import recordings
from retention.catalogue.db import Priority
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE
from tests.support.control_room import BEN, CARA
from tests.support.json_schema import verb
from tests.support.plant import T0, Plant

GAP_NOT_KNOWN = "a recording of then is kept, but when it ended is not known"


@pytest.fixture
def plant(tmp_path):
    """Its archive began 40 days ago."""
    made = Plant(tmp_path)
    made.watch()
    made.now = T0 - DAY
    made.film(T0 - 40 * DAY)
    made.round(T0 - DAY)
    made.round(T0)
    yield made
    made.close()


def ask(plant, name, by=BEN, **given):
    return verb(f"recording.{name}")(plant.asked(plant.settings(), by), **given)


def shift(plant, by, **what):
    said = what or {"camera": "1001"}
    return ask(plant, "resolve", ruling="shift", shift=by, reason="clock", **said)


def right(plant, **what):
    return ask(plant, "resolve", ruling="times_right", reason="it is so", **what)


def lengths(plant):
    return {row.duration for row in plant.rows() if row.start > T0 - 39 * DAY}


def told(plant, since, until):
    """All of it?, minutes of it recorded, and minutes of which that is not known."""
    answer = plant.place("1001", since, until)
    (line,) = answer["cameras"]
    unknown = [one["why"] for one in line["not_known"]]
    return answer["all_preserved"], line["protected"]["seconds"] / 60, unknown


def test_clips_of_a_clock_15_minutes_behind_fill_no_gap_between_them(plant):
    """Seven of a minute each, one every five minutes, that came together."""
    first = T0 - 49 * MINUTE
    for number in range(7):
        plant.film(first + number * 5 * MINUTE, MINUTE)
    plant.round(T0 + MINUTE)
    done = shift(plant, "15m", delivery="nvr1/1001/2026-07-20T10Z")
    assert (done["recordings"], lengths(plant)) == (7, {MINUTE})
    true = first + 15 * MINUTE
    assert max(row.end for row in plant.rows()) == true + 31 * MINUTE
    assert told(plant, true + MINUTE, true + 5 * MINUTE)[:2] == (False, 0)
    assert told(plant, true, true + 31 * MINUTE)[:2] == (False, 7)
    assert told(plant, true, true + MINUTE)[:2] == (True, 1)


def test_two_clips_are_no_longer_by_a_shift_over_their_own_length(plant):
    first = T0 - 30 * MINUTE
    for number in range(2):
        plant.film(first + number * MINUTE, MINUTE)
    plant.round(T0 + MINUTE)
    shift(plant, "20m")
    end = first + 22 * MINUTE
    assert told(plant, end - 2 * MINUTE, end)[:2] == (True, 2)
    assert told(plant, end, end + 3 * MINUTE)[:2] == (False, 0)


def test_clips_that_are_shifted_back_are_not_recorded_until_they_were_written(plant):
    """Three of 11:48 to 11:52, two hours back."""
    first = T0 - 12 * MINUTE
    for number in range(3):
        plant.film(first + number * 2 * MINUTE, MINUTE)
    plant.round(T0 + MINUTE)
    shift(plant, "-2h")
    assert lengths(plant) == {MINUTE}
    assert told(plant, T0 - 90 * MINUTE, T0 - 30 * MINUTE)[:2] == (False, 0)


def test_a_clip_shifted_by_a_month_is_no_month_long(plant):
    """A hold kept it where it was: a second person agreed."""
    plant.film(T0 - 12 * MINUTE, MINUTE)
    plant.round(T0 + MINUTE)
    plant.place("1001", T0 - 15 * MINUTE, T0)
    number = shift(plant, "-30d")["waiting"]["request"]
    assert lengths(plant) == {MINUTE}
    assert ask(plant, "approve", CARA, request=number)["recordings"] == 1
    assert lengths(plant) == {MINUTE}
    for days in (29, 10, 1):
        since = T0 - days * DAY
        assert told(plant, since, since + HOUR)[:2] == (False, 0)


@pytest.mark.parametrize("out", [HOUR, -HOUR, 2 * HOUR])
def test_names_of_another_zone_move_and_the_times_of_a_right_server_stay(plant, out):
    """Ten minutes each, one after the other."""
    for number in range(20):
        start = T0 - 5 * HOUR + number * 10 * MINUTE
        plant.film(start, 10 * MINUTE, shown=start + out)
    plant.round(T0 + MINUTE)
    shift(plant, f"{-out // MINUTE}m")
    assert lengths(plant) == {10 * MINUTE}
    assert told(plant, T0 - 5 * HOUR, T0 - 100 * MINUTE)[:2] == (True, 200)
    assert told(plant, T0 - 6 * HOUR, T0 - 5 * HOUR)[:2] == (False, 0)


def test_the_names_of_a_zone_move_though_each_file_was_closed_late(plant):
    for number in range(20):
        start = T0 - 30 * HOUR + number * HOUR
        plant.film(start, HOUR + 10_000_000, shown=start + HOUR)
    plant.round(T0 + MINUTE)
    shift(plant, "-1h")
    assert told(plant, T0 - 30 * HOUR, T0 - 10 * HOUR)[:2] == (True, 20 * 60)


def test_one_clip_that_may_have_ended_twice_is_kept_and_not_called_recorded(plant):
    """Its clock was 30 minutes ahead; or its name was, and it was written until then."""
    start = T0 - 2 * HOUR
    plant.film(start, MINUTE)
    plant.round(T0 + MINUTE)
    shift(plant, "-30m")
    assert lengths(plant) == {31 * MINUTE}
    said = told(plant, start - 25 * MINUTE, start - 10 * MINUTE)
    assert said == (False, 0, [GAP_NOT_KNOWN])
    (shown,) = ask(plant, "show", camera="1001", at=format_utc(start))["recordings"]
    assert shown["held"] is True


def test_a_second_person_agrees_to_what_it_says_and_its_end_is_known_no_better(plant):
    start = T0 - 2 * HOUR
    plant.film(start, MINUTE)
    plant.round(T0 + MINUTE)
    plant.place("1001", start - 12 * HOUR, start - 11 * HOUR)
    number = shift(plant, "-30m")["waiting"]["request"]
    ask(plant, "approve", CARA, request=number)
    said = told(plant, start - 25 * MINUTE, start - 10 * MINUTE)
    assert said == (False, 0, [GAP_NOT_KNOWN])


def test_a_copy_whose_name_is_right_is_kept_and_not_called_days_long(plant):
    """`cp -r`: it was modified when it was copied, and filmed for an hour at most."""
    plant.film(T0 - 10 * DAY, 10 * DAY)
    plant.round(T0 + MINUTE)
    right(plant, camera="1001")
    assert told(plant, T0 - 5 * DAY, T0 - 4 * DAY) == (False, 0, [GAP_NOT_KNOWN])
    plant.now += 24 * DAY  # it ends with its mtime, so that it is there
    plant.round(plant.now)
    assert max(row.end for row in plant.rows()) == T0


def test_a_shift_mistyped_by_days_and_put_right_is_as_long_as_it_was(plant):
    start = T0 - 12 * MINUTE
    plant.film(start, MINUTE)
    plant.round(T0 + MINUTE)
    shift(plant, "-3d")
    shift(plant, "+3d", camera="1001", again=True)
    assert told(plant, start, start + MINUTE)[:2] == (True, 1)
    assert lengths(plant) == {MINUTE}


def test_of_files_longer_than_was_thought_none_is_cut_to_where_another_clock_has_it(
    plant,
):
    """Two hours each, named an hour ahead, where an hour is the longest that is known:
    of the last nothing says which clock wrote its end, so it is kept until the later."""
    for number in range(10):
        start = T0 - 20 * HOUR + number * 2 * HOUR
        plant.film(start, 2 * HOUR, shown=start + HOUR)
    plant.round(T0 + MINUTE)
    assert shift(plant, "-1h")["recordings"] == 9  # the last was not late
    assert told(plant, T0 - 20 * HOUR, T0 - 4 * HOUR)[:2] == (True, 16 * 60)
    said = told(plant, T0 - 4 * HOUR, T0 - 2 * HOUR)
    assert said == (False, 0, [GAP_NOT_KNOWN])


def test_what_came_before_it_can_have_ended_by_its_own_clock_ended_when_written(plant):
    """Named 20 minutes early and written by a right clock: it came as it ended."""
    start = T0 + 10 * MINUTE
    plant.film(start, 30 * MINUTE, shown=start - 20 * MINUTE)
    plant.round(start + 31 * MINUTE)
    path = "1001/2026-07-20_09-50-00.mp4"
    with plant.catalogue.write(Priority.SCAN) as tx:
        (row,) = [row for row in plant.rows() if row.start > T0 - DAY]
        doubt = recordings.Doubt(plant.now, row.end, "looked at")
        assert recordings.quarantine(tx, row, row.size + 1, doubt)
    shift(plant, "20m", path=path)
    (row,) = [row for row in plant.rows() if row.start > T0 - DAY]
    assert (row.start, row.end) == (start, start + 30 * MINUTE)


def test_what_nobody_knew_the_end_of_is_known_again_by_the_right_ruling(plant):
    start = T0 - 2 * HOUR
    plant.film(start, MINUTE)
    plant.round(T0 + MINUTE)
    shift(plant, "-30m")
    shift(plant, "+30m", camera="1001", again=True)
    assert lengths(plant) == {MINUTE}
    assert told(plant, start, start + 2 * MINUTE)[:2] == (False, 1)
