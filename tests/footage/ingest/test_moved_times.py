"""Modification times that were moved all at once: the disk's doing, not the footage's."""

import os

import pytest

from retention.catalogue import raised
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State
from tests.support.alarmed import watch
from tests.support.plant import PERIOD, T0, Plant


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.round(T0 - DAY)
    made.round(T0 - DAY + SECOND)
    yield made
    made.close()


def watch_a_day(plant, hours=30):
    """Hourly files, each catalogued when it was made."""
    files = []
    for hour in range(hours):
        files.append(plant.film(T0 + hour * HOUR))
        for minute in (62, 70, 80, 90, 100, 110, 120):
            plant.round(T0 + hour * HOUR + minute * MINUTE)
    return files


def move(plant, files, shift):
    for file in files:
        mtime = file.stat().st_mtime_ns // 1000
        plant.touch(file, mtime + shift)


def compare(plant, now):
    plant.now = now
    return plant.scanners["nvr1"].reconcile(now, lambda: False)


@pytest.mark.parametrize(
    "shift", [HOUR, -2 * HOUR, -2 * MINUTE, 5 * HOUR + 30 * MINUTE]
)
def test_all_times_of_a_root_moved_is_one_event_and_dates_stay(plant, shift):
    files = watch_a_day(plant)
    before = plant.rows()
    move(plant, files, shift)
    for day in (10, 11):
        compare(plant, T0 + day * DAY)
    assert plant.rows() == before
    assert [e["shift"] for e in plant.entries("root.times_moved")] == [shift]
    assert plant.entries("recordings.quarantined") == []
    assert plant.entries("recording.changed") == []


def test_a_scan_that_meets_moved_times_first_doubts_no_newest_file(plant):
    """A scan looks at each stream's newest file; the comparison may be a day away."""
    for name in ("2001", "2002"):
        plant.camera(name)
    files = []
    for hour in range(30):
        files += [
            plant.film(T0 + hour * HOUR, folder=name) for name in ("2001", "2002")
        ]
        for minute in (62, 70, 90, 110, 120):
            plant.round(T0 + hour * HOUR + minute * MINUTE)
    before = plant.rows()
    move(plant, files, HOUR)
    for minute in (30, 31, 40, 60):
        plant.round(T0 + 31 * HOUR + minute * MINUTE)
    assert plant.rows() == before
    assert [e["shift"] for e in plant.entries("root.times_moved")] == [HOUR]
    assert plant.entries("recordings.quarantined") == []


def test_it_is_one_alarm_for_a_week(plant):
    move(plant, watch_a_day(plant), HOUR)
    compare(plant, T0 + 10 * DAY)
    for day, number in ((10, 1), (16, 1), (18, 0)):
        plant.now = T0 + day * DAY
        watch(plant.context())
        with plant.catalogue.read() as tx:
            found = [one for one in raised.everyone(tx) if one.name == "times-moved"]
        assert len(found) == number


@pytest.mark.parametrize("compared", [True, False])
def test_all_times_moved_by_an_hour_give_nothing_a_second_period(plant, compared):
    """Also where deletion meets them first, one by one."""
    files = watch_a_day(plant)
    move(plant, files, HOUR)
    if compared:
        compare(plant, T0 + 10 * DAY)
    late = 0 if compared else HOUR
    for number in range(len(files)):
        plant.round(T0 + number * HOUR + HOUR + PERIOD)
        plant.round(T0 + number * HOUR + HOUR + PERIOD + late)
        assert not files[number].exists()
    assert all(file.exists() for file in files[number + 1 :])


def test_times_that_move_there_and_back_are_as_they_were(plant):
    """FAT keeps local time: an hour later in summer, and back in winter."""
    files = watch_a_day(plant)
    before = plant.rows()
    for day, shift in ((5, HOUR), (6, -HOUR), (7, HOUR)):
        move(plant, files, shift)
        compare(plant, T0 + day * DAY)
    assert plant.rows() == before
    assert [e["shift"] for e in plant.entries("root.times_moved")] == [HOUR]


def test_a_file_that_is_other_than_the_rest_is_still_in_doubt(plant):
    files = watch_a_day(plant)
    move(plant, files, HOUR)
    plant.touch(files[3], T0 + 9 * HOUR)
    files[4].write_bytes(b"x")
    plant.touch(files[4], T0 + 6 * HOUR)
    compare(plant, T0 + 10 * DAY)
    doubtful = [row.start for row in plant.rows() if row.state is State.QUARANTINED]
    assert doubtful == [T0 + 3 * HOUR, T0 + 4 * HOUR]


def test_a_few_files_that_were_touched_are_no_moved_root(plant):
    files = watch_a_day(plant)
    move(plant, files[:5], 3 * HOUR)
    compare(plant, T0 + 10 * DAY)
    assert plant.entries("root.times_moved") == []
    assert sum(row.state is State.QUARANTINED for row in plant.rows()) == 5


def test_buffers_of_many_cameras_written_at_one_moment_are_growth(plant):
    """Files of a fixed size: each stream's newest ends later by the same two minutes."""
    files = []
    for number in range(25):
        plant.camera(f"2{number:03}")
        files.append(plant.film(T0, folder=f"2{number:03}"))
    plant.round(T0 + HOUR + MINUTE)
    move(plant, files, 2 * MINUTE)
    plant.round(T0 + HOUR + 5 * MINUTE)
    assert plant.entries("root.times_moved") == []
    assert {row.end for row in plant.rows()} == {T0 + HOUR + 2 * MINUTE}
    assert os.stat(files[0]).st_size == 10
