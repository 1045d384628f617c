"""A stream whose recordings arrive steadily late, or whose names are its mtimes."""

from itertools import pairwise

import pytest

from retention.catalogue import doubtful_times, raised
from retention.footage.ingest.recordings import recording_resolve
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from tests.support.alarmed import watch
from tests.support.plant import T0, Plant


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.round(T0 - DAY)
    yield made
    made.close()


def behind(plant, delay, count=4, *, of=("nvr1/1001",), first=T0):
    """Ten-minute files that come a minute after their end, by a recorder whose clock,
    and file server, are so much behind; a round every minute."""
    for number in range(count):
        end = first + (number + 1) * 10 * MINUTE
        for minute in range(11):
            plant.round(end - (10 - minute) * MINUTE)
        for root, folder in (one.split("/") for one in of):
            start = end - 10 * MINUTE - delay
            plant.film(start, 10 * MINUTE, folder=folder, root=root)
        plant.round(end + SECOND)
        plant.round(end + MINUTE)


def doubted(plant):
    with plant.catalogue.read() as tx:
        return doubtful_times.sentences(tx)


def standing(plant):
    watch(plant.context())
    with plant.catalogue.read() as tx:
        found = [one for one in raised.everyone(tx) if one.name == "stream"]
        return {one.scope: len(one.cameras) for one in found}


def resolve(plant, **given):
    return recording_resolve(plant.context(), reason="the clock was looked at", **given)


def test_a_recorder_20_minutes_behind_is_found_and_every_hold_answer_says_so(plant):
    behind(plant, 20 * MINUTE)
    (said,) = doubted(plant)
    assert said.startswith("the clock of nvr1/1001 is 20 min behind, or it delivers")
    assert standing(plant) == {"nvr1/1001": 1}
    assert [e["delay"] for e in plant.entries("stream.doubted")] == [20 * MINUTE]
    answer = plant.place("1001", T0 + 10 * MINUTE, T0 + 20 * MINUTE)
    assert answer["times_in_doubt"] == [said]
    assert not answer["all_preserved"]


def test_a_recorder_40_minutes_ahead_is_found_and_every_hold_answer_says_so(plant):
    behind(plant, -40 * MINUTE)  # seen a minute after it ended
    (said,) = doubted(plant)
    assert said.startswith("the clock of nvr1/1001 is 39 min ahead: compare the recor")
    assert standing(plant) == {"nvr1/1001": 1}
    assert [e["delay"] for e in plant.entries("stream.doubted")] == [-39 * MINUTE]
    answer = plant.place("1001", T0 + 10 * MINUTE, T0 + 20 * MINUTE)
    assert answer["times_in_doubt"] == [said]
    assert not answer["all_preserved"]


def test_who_says_that_names_ahead_are_right_is_not_asked_again(plant):
    """It is our own clock that is behind."""
    behind(plant, -40 * MINUTE)
    resolve(plant, path="nvr1", ruling="times_right")
    before = len(plant.entries("recordings.quarantined"))
    behind(plant, -40 * MINUTE, first=T0 + HOUR)
    assert (doubted(plant), standing(plant)) == ([], {})
    assert len(plant.entries("recordings.quarantined")) == before


def test_a_clock_that_is_put_right_the_other_way_is_counted_anew(plant):
    behind(plant, -40 * MINUTE, 2)
    behind(plant, 20 * MINUTE, 2, first=T0 + HOUR)
    assert doubted(plant) == []


def test_what_was_adopted_from_it_is_in_doubt_too(tmp_path):
    """Nobody saw when that arrived."""
    plant = Plant(tmp_path)
    plant.watch()
    for number in range(30):
        start = T0 - DAY + number * 10 * MINUTE - 20 * MINUTE
        plant.film(start, 10 * MINUTE)
    plant.round(T0 - HOUR)
    behind(plant, 20 * MINUTE)
    answer = plant.place("1001", T0 - 3 * DAY, T0 - 2 * DAY)
    assert answer["total"]["in_doubt"] == 34
    plant.close()


@pytest.mark.parametrize("delay", [0, MINUTE, 4 * MINUTE, -4 * MINUTE])
def test_a_clock_within_the_tolerance_is_not_doubted(plant, delay):
    behind(plant, delay, 12)
    assert doubted(plant) == []
    assert plant.entries("recordings.quarantined") == []


def test_late_but_right_is_not_asked_about_again_and_hold_answers_say_so(plant):
    behind(plant, 20 * MINUTE)
    resolve(plant, path="nvr1", ruling="times_right")
    assert (doubted(plant), standing(plant)) == ([], {})
    behind(plant, 20 * MINUTE, first=T0 + HOUR)
    assert doubted(plant) == []
    answer = plant.place("1001", T0 + HOUR, T0 + HOUR + 10 * MINUTE)
    (said,) = answer["times_in_doubt"]
    assert said.endswith("its times can't be checked to within 20 min")


def test_later_than_that_is_asked_about_again(plant):
    behind(plant, 20 * MINUTE)
    resolve(plant, path="nvr1", ruling="times_right")
    behind(plant, 2 * HOUR, first=T0 + HOUR)
    assert len(doubted(plant)) == 1


def test_a_recorder_that_is_off_comes_into_doubt_again_until_it_is_put_right(plant):
    behind(plant, 20 * MINUTE)
    resolve(plant, path="nvr1", ruling="shift", shift="+20m")
    assert (doubted(plant), standing(plant)) == ([], {})
    behind(plant, 20 * MINUTE, first=T0 + HOUR)
    assert len(doubted(plant)) == 1


def test_all_streams_of_a_root_out_by_the_same_are_one_alarm(plant):
    behind(plant, 20 * MINUTE, of=("nvr1/1001", "nvr1/1002"))
    assert standing(plant) == {"nvr1": 2}


def test_all_streams_of_all_roots_out_by_the_same_are_this_machines_clock(tmp_path):
    plant = Plant(tmp_path)
    for root in ("nvr1", "nvr2"):
        plant.watch(root)
    plant.round(T0 - DAY)
    behind(plant, 20 * MINUTE, of=("nvr1/1001", "nvr2/1002"))
    assert standing(plant) == {"": 2}
    with plant.catalogue.read() as tx:
        (one,) = [one for one in raised.everyone(tx) if one.name == "stream"]
    assert one.detail == (
        "all 2 streams of all 2 roots arrive about 20 min after their own ends: this "
        "machine's clock is ahead, or every recorder's is behind"
    )
    plant.close()


def test_one_of_two_is_an_alarm_of_its_own(plant):
    plant.film(T0 - 2 * HOUR, folder="1002")
    behind(plant, 20 * MINUTE)
    assert standing(plant) == {"nvr1/1001": 1}


# -- names that are the mtimes ---------------------------------------------------------


@pytest.mark.parametrize("length", [10 * MINUTE, 15 * MINUTE, 50 * MINUTE])
@pytest.mark.parametrize("late", [0, 1, 2])
def test_names_that_say_when_a_recording_ended_are_in_doubt(tmp_path, length, late):
    """A hold is not told "all of it", and keeps whatever the camera has."""
    plant = Plant(tmp_path)
    plant.watch()
    for number in range(25):
        plant.film(T0 - 9 * DAY + number * length, late * SECOND)
    plant.round(T0)
    (said,) = doubted(plant)
    assert said.startswith("the names of nvr1/1001 say when recordings ended, or its")
    at = T0 - 9 * DAY + 10 * length
    answer = plant.place("1001", at, at + length)
    assert (answer["all_preserved"], answer["times_in_doubt"]) == (False, [said])
    assert answer["total"]["in_doubt"] == 25
    plant.close()


def test_hourly_ones_look_an_hour_out_which_is_as_good(tmp_path):
    plant = Plant(tmp_path)
    plant.watch()
    for number in range(25):
        plant.film(T0 - 9 * DAY + number * HOUR, 0)
    plant.round(T0)
    assert doubted(plant)[0].startswith("times of nvr1/1001 look 1 h out")
    resolve(plant, path="nvr1", ruling="times_right")
    for number in range(25, 50):
        plant.film(T0 - 9 * DAY + number * HOUR, 0)
    plant.round(T0 + MINUTE)
    assert doubted(plant) == []
    plant.close()


def test_it_is_found_while_they_come_and_ends_are_the_next_start(plant):
    for number in range(25):
        plant.film(T0 + number * 10 * MINUTE, 0)
        plant.round(T0 + number * 10 * MINUTE + 2 * MINUTE)
        assert (doubted(plant) != []) == (number >= 19)
    resolve(plant, path="nvr1", ruling="times_right")
    assert doubted(plant) == []
    assert all(one.end >= two.start for one, two in pairwise(plant.rows()))
    plant.film(T0 + 250 * MINUTE, SECOND)
    plant.film(T0 + 260 * MINUTE, SECOND)
    plant.round(T0 + 262 * MINUTE)
    assert doubted(plant) == []
    assert plant.rows()[-2].end == T0 + 260 * MINUTE


def test_compared_with_the_disk_they_are_as_they_were(plant):
    for number in range(25):
        plant.film(T0 - 9 * DAY + number * 10 * MINUTE, SECOND)
    plant.round(T0)
    before = plant.rows()
    plant.now = T0 + DAY
    plant.scanners["nvr1"].reconcile(T0 + DAY, lambda: False)
    assert plant.rows() == before


# -- what a second witness says of a gap, and after a ruling ---------------------------


def scheduled(plant, count, length=5 * MINUTE, pace=30 * MINUTE):
    """A recorder that films by a schedule, in place; a round every minute."""
    for number in range(count):
        start = T0 + number * pace
        for minute in range(1, pace // MINUTE + 1):
            if minute * MINUTE <= length:
                file = plant.film(start, minute * MINUTE)
                file.write_bytes(b"x" * minute)
                plant.touch(file, start + minute * MINUTE)
            plant.round(start + minute * MINUTE)


def test_five_minutes_of_every_half_hour_are_no_wrong_zone(plant):
    """The next one begins 25 minutes after each, and each was seen to grow."""
    scheduled(plant, 8)
    assert doubted(plant) == []
    assert plant.entries("recordings.quarantined") == []


@pytest.fixture
def ruled(tmp_path):
    """An archive of hour-long files, named an hour ahead, on which was ruled at T0."""
    plant = Plant(tmp_path)
    plant.watch()
    for number in range(-30, 0):
        plant.film(T0 + number * HOUR, shown=T0 + (number + 1) * HOUR)
    plant.round(T0 + MINUTE)
    assert len(doubted(plant)) == 1
    resolve(plant, path="nvr1", ruling="shift", shift="-1h")
    assert doubted(plant) == []
    yield plant
    plant.close()


def test_a_zone_that_was_ruled_out_is_in_doubt_with_the_next_file_that_shows_it(ruled):
    ruled.film(T0, shown=T0 + HOUR)
    ruled.round(T0 + HOUR + MINUTE)
    assert len(doubted(ruled)) == 1


def test_once_its_names_are_right_again_one_pause_of_an_hour_is_no_wrong_zone(ruled):
    half, short = T0 + 30 * MINUTE, 4 * MINUTE
    for start, length in (
        (half, HOUR), (half + HOUR, HOUR), (half + 2 * HOUR, short),
        (half + 3 * HOUR + short, short),
    ):  # fmt: skip
        ruled.film(start, length)
        ruled.round(start + length + MINUTE)
    assert doubted(ruled) == []


def named_by_their_ends(plant, count, first):
    for number in range(count):
        end = first + number * 5 * MINUTE
        plant.film(end, 0)
        plant.round(end + MINUTE)


def test_names_that_were_ruled_to_be_ends_are_in_doubt_with_the_next_such_file(plant):
    named_by_their_ends(plant, 20, T0)
    assert len(doubted(plant)) == 1
    resolve(plant, path="nvr1", ruling="shift", shift="-5m")
    assert doubted(plant) == []
    named_by_their_ends(plant, 1, T0 + 20 * 5 * MINUTE)
    assert len(doubted(plant)) == 1


# -- recordings in doubt one by one ---------------------------------------------------


def in_doubt(plant):
    watch(plant.context())
    with plant.catalogue.read() as tx:
        return [one for one in raised.everyone(tx) if one.name == "doubt"]


def test_names_of_another_zone_by_no_half_hours_are_an_alarm_of_the_root(plant):
    """Nepal is 5 h 45 min ahead: each file contradicts itself, and none is late.  The
    third says that it is the clock."""
    ahead = 5 * HOUR + 45 * MINUTE
    for number in range(2):
        start = T0 + number * 10 * MINUTE
        plant.film(start, 10 * MINUTE, shown=start + ahead)
        plant.round(start + 11 * MINUTE)
    (alarm,) = in_doubt(plant)
    assert (alarm.scope, len(alarm.cameras)) == ("nvr1", 1)
    assert alarm.detail.startswith("2 recordings in doubt: 2 of 1001 (dated in the fut")
    (line,) = plant.place("1001", T0, T0 + HOUR)["cameras"]
    assert (line["no_recording_seen"], line["protected"]["in_doubt"]) == ([], 2)
    plant.film(T0 + HOUR, 10 * MINUTE, shown=T0 + HOUR + ahead)
    plant.round(T0 + HOUR + 11 * MINUTE)
    assert (in_doubt(plant), standing(plant)) == ([], {"nvr1/1001": 1})


def test_the_alarm_ends_when_it_was_ruled_on(plant):
    plant.film(T0, 10 * MINUTE, shown=T0 + DAY)
    plant.round(T0 + 11 * MINUTE)
    assert len(in_doubt(plant)) == 1
    resolve(plant, path="nvr1", ruling="shift", shift="-24h")
    assert in_doubt(plant) == []


def test_footage_put_back_without_its_times_is_an_alarm(plant):
    """`cp -r`: the name is of 40 days ago, the time of modification is now."""
    plant.write("1001/2026-06-10_10-00-00.mp4", T0)
    plant.round(T0 + MINUTE)
    plant.round(T0 + 2 * MINUTE)
    (alarm,) = in_doubt(plant)
    assert "1 of 1001 (mtime is long after name)" in alarm.detail


@pytest.mark.parametrize("days", [(20,), (1, 20)])
def test_a_known_file_that_is_touched_is_an_alarm_and_goes_in_its_time(plant, days):
    file = plant.film(T0)
    plant.round(T0 + HOUR + MINUTE)
    for day in days:
        plant.now = T0 + day * DAY
        plant.touch(file, plant.now)
        plant.scanners["nvr1"].reconcile(plant.now + HOUR, lambda: False)
    (alarm,) = in_doubt(plant)
    assert "1 of 1001 (the file was changed " in alarm.detail
    plant.round(T0 + 28 * DAY + HOUR)
    assert file.exists()
    plant.round(T0 + 28 * DAY + HOUR + 2 * MINUTE)
    assert (file.exists(), in_doubt(plant)) == (False, [])


def test_a_right_recorder_that_writes_a_file_s_head_and_then_buffers_is_no_doubt(plant):
    """Each file is met just after its start, when its mtime is its name's; then it grows."""
    for number in range(22):
        start = T0 + number * HOUR
        file = plant.film(start, SECOND)
        plant.round(start + MINUTE)
        plant.round(start + 2 * MINUTE)
        with file.open("ab") as growing:
            growing.write(b"more")
        plant.touch(file, start + HOUR)
        plant.round(start + HOUR)
    assert doubted(plant) == []
