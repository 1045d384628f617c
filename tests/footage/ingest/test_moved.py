"""Footage that is moved to another disk, copied there first, or comes back."""

import pytest

from retention.catalogue import lost, raised, recordings
from retention.model.values import DAY, HOUR, MINUTE, Outcome
from tests.support.json_schema import verb
from tests.support.plant import PERIOD, T0, Plant
from tests.support.world import never

PACE = MINUTE


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.root("disk2")
    made.watch("disk2")
    made.film(T0 - 2 * DAY)
    made.round(T0 - DAY)
    yield made
    made.close()


def doubts(plant):
    with plant.catalogue.read() as tx:
        return sorted(
            doubt
            for stream in plant.streams()
            for doubt in recordings.doubts(tx, stream.key, -(2**62), 2**62).values()
        )


def standing(plant):
    with plant.catalogue.read() as tx:
        return {(one.name, one.scope) for one in raised.everyone(tx)}


def to_disk2(plant, file, *, copy=False):
    target = plant.directory / "disk2" / file.relative_to(plant.directory / "nvr1")
    target.parent.mkdir(parents=True, exist_ok=True)
    mtime = file.stat().st_mtime_ns // 1000
    target.write_bytes(file.read_bytes())
    plant.touch(target, mtime)
    if not copy:
        plant.remove(file)
    return target


def filmed(plant, start, **more):
    """A file that is seen to come at its end."""
    plant.round(start)
    file = plant.film(start, **more)
    plant.round(start + HOUR + PACE)
    return file


# -- another disk -------------------------------------------------------------------------


def test_a_week_that_goes_to_the_archive_day_by_day_says_nothing_of_the_clock(plant):
    files = [filmed(plant, T0 + day * DAY) for day in range(6)]
    for day, file in enumerate(files):
        now = T0 + (8 + day) * DAY
        plant.round(now)
        to_disk2(plant, file)
        plant.round(now + PACE)
    assert (doubts(plant), plant.entries("stream.doubted")) == ([], [])
    for day in range(6):
        plant.round(T0 + HOUR + day * DAY + PERIOD - PACE)
        assert len(plant.there()) == 6 - day
        plant.round(T0 + HOUR + day * DAY + PERIOD + PACE)
    assert plant.there() == []


def late_one(plant):
    plant.round(T0)
    file = plant.film(T0 - 40 * DAY)
    plant.round(T0 + PACE)
    return file


def test_what_came_late_keeps_its_doubt_on_a_disk_that_nobody_had_looked_at(plant):
    """Its first scan says of nothing that it was late."""
    file = late_one(plant)
    (before,) = doubts(plant)
    plant.round(T0 + 20 * DAY)
    plant.root("nas")
    target = plant.directory / "nas" / file.relative_to(plant.directory / "nvr1")
    target.parent.mkdir(parents=True)
    file.rename(target)
    plant.settle(file.parent)
    plant.touch(target, T0 - 40 * DAY + HOUR)
    plant.watch("nas")
    plant.round(T0 + 20 * DAY + PACE)
    plant.round(T0 + 28 * DAY - HOUR)
    assert (doubts(plant), target.exists()) == ([before], True)
    plant.round(T0 + 28 * DAY + HOUR)
    assert not target.exists()


# -- copied first, then removed -----------------------------------------------------------


def test_what_is_copied_first_and_removed_later_is_not_lost(plant):
    file = filmed(plant, T0)
    plant.place("1001", T0, T0 + HOUR)
    plant.round(T0 + 3 * DAY)
    target = to_disk2(plant, file, copy=True)
    plant.round(T0 + 3 * DAY + PACE)
    plant.round(T0 + 4 * DAY)
    plant.remove(file)
    plant.round(T0 + 4 * DAY + PACE)
    assert plant.entries("recordings.lost") == []
    (entry,) = plant.entries("recording.moved")
    assert (entry["origin"], entry["count"]) == ("there", 1)
    assert standing(plant) == set()
    assert verb("audit.balance")(plant.context())["balanced"]
    plant.round(T0 + PERIOD + 2 * HOUR)
    assert target.exists()
    plant.free(1)
    plant.round(T0 + PERIOD + 3 * HOUR)
    plant.round(T0 + PERIOD + 4 * HOUR)
    assert not target.exists()


def test_a_copy_is_deleted_when_its_original_is_and_no_sooner(plant):
    file = filmed(plant, T0)
    plant.round(T0 + 3 * DAY)
    target = to_disk2(plant, file, copy=True)
    plant.round(T0 + 3 * DAY + PACE)
    plant.round(T0 + HOUR + PERIOD - PACE)
    assert file.exists()
    assert target.exists()
    plant.round(T0 + HOUR + PERIOD + PACE)
    assert not file.exists()
    assert not target.exists()


def test_a_doubt_that_came_after_the_copy_goes_with_the_original(plant):
    file = late_one(plant)
    (before,) = doubts(plant)
    target = to_disk2(plant, file, copy=True)
    plant.round(T0 + 2 * PACE)
    with plant.catalogue.write(0) as tx:
        tx.exec_driver_sql(
            "DELETE FROM quarantine WHERE stream IN (SELECT key FROM stream WHERE root = "
            "(SELECT key FROM root WHERE name = 'disk2'))"
        )
        tx.exec_driver_sql(
            "UPDATE recording SET state = 0 WHERE stream IN (SELECT key FROM stream "
            "WHERE root = (SELECT key FROM root WHERE name = 'disk2'))"
        )
    plant.remove(file)
    plant.scanners["nvr1"].scan(T0 + 3 * PACE, never)
    assert doubts(plant) == [before]
    assert target.exists()


def test_where_the_copy_goes_too_it_is_lost(plant):
    file = filmed(plant, T0)
    plant.place("1001", T0, T0 + HOUR)
    target = to_disk2(plant, file, copy=True)
    plant.round(T0 + 2 * HOUR)
    for one in (file, target):
        plant.remove(one)
        plant.round(plant.now + HOUR)
    assert plant.entries("recordings.lost")[0]["count"] == 1
    assert ("held-lost", "1/disk2") in standing(plant)


# -- lost and back ------------------------------------------------------------------------


def taken(plant, count=2):
    """Held files that vanish, and where somebody has them."""
    files = [filmed(plant, T0 + number * HOUR) for number in range(count)]
    plant.place("1001", T0, T0 + 10 * HOUR)
    kept = []
    for file in files:
        kept.append((file, file.read_bytes(), file.stat().st_mtime_ns // 1000))
        plant.remove(file)
    plant.round(T0 + 5 * HOUR)
    assert ("held-lost", "1/nvr1") in standing(plant)
    return kept


def put_back(plant, kept, *, root="nvr1", content=None):
    file, had, mtime = kept
    target = plant.directory / root / file.relative_to(plant.directory / "nvr1")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content or had)
    plant.touch(target, mtime)
    plant.round(plant.now + HOUR)
    return target


@pytest.mark.parametrize("root", ["nvr1", "disk2"])
def test_the_alarm_of_held_footage_that_was_lost_ends_when_all_is_back(plant, root):
    first, second = taken(plant)
    put_back(plant, first, root=root)
    assert ("held-lost", "1/nvr1") in standing(plant)
    put_back(plant, second, root=root)
    assert standing(plant) == set()
    assert plant.entries("alarm.ended")[-1]["alarm"] == "held-lost"
    assert [e["origin"] for e in plant.entries("recording.moved")] == ["lost"] * 2
    assert doubts(plant) == []


def test_another_file_in_its_place_does_not_end_it(plant):
    first, second = taken(plant)
    put_back(plant, first, content=b"other")
    put_back(plant, second)
    assert standing(plant) == {("held-lost", "1/nvr1")}
    (doubt,) = doubts(plant)
    assert doubt.reason.startswith("it was lost while a hold covered it")


def test_the_alarm_of_a_camera_whose_footage_is_gone_ends_when_it_is_back(plant):
    kept = []
    for file in (plant.directory / "nvr1" / "1001").iterdir():
        kept.append((file, file.read_bytes(), file.stat().st_mtime_ns // 1000))
        plant.remove(file)
    plant.round(T0)
    assert standing(plant) == {("camera-gone", "nvr1/1001"), ("lost", "nvr1")}
    for one in kept:
        put_back(plant, one, root="disk2")
    assert standing(plant) == set()


def known(plant):
    with plant.catalogue.read() as tx:
        return lost.of_root(tx, plant.root("nvr1").key, 0)


def test_what_was_lost_is_known_for_a_week_and_held_footage_as_long_as_it_is_held(
    plant,
):
    taken(plant, 1)
    other = filmed(plant, T0 + 20 * HOUR)
    plant.remove(other)
    plant.round(T0 + DAY)
    assert len(known(plant)) == 2
    plant.round(T0 + 8 * DAY + HOUR)
    assert [one.held for one in known(plant)] == [True]
    plant.free(1)
    plant.round(T0 + 9 * DAY)
    assert known(plant) == []


# -- gone here, and there, at the same moment ---------------------------------------------


def before_the_next_write(plant, do):
    """`do` comes between what a scan reads and what it writes."""
    write = plant.catalogue.write

    def later(*how):
        plant.catalogue.write = write
        do()
        return write(*how)

    plant.catalogue.write = later


def test_what_is_found_lost_just_while_it_is_taken_in_elsewhere_was_moved(plant):
    """Two roots are read at once: whichever comes first, it is not lost for ever."""
    filmed(plant, T0 - HOUR, root="disk2")
    file = filmed(plant, T0)
    plant.place("1001", T0, T0 + HOUR)
    plant.now = T0 + 3 * DAY
    to_disk2(plant, file)

    def meanwhile():
        plant.scanners["nvr1"].scan(plant.now, never)
        assert ("held-lost", "1/nvr1") in standing(plant)

    before_the_next_write(plant, meanwhile)
    plant.scanners["disk2"].scan(plant.now, never)
    assert standing(plant) == set()
    assert (known(plant), doubts(plant)) == ([], [])
    (entry,) = plant.entries("recording.moved")
    assert (entry["origin"], entry["count"]) == ("lost", 1)


def test_what_was_recorded_a_minute_before_it_vanished_is_known_when_it_is_back(plant):
    plant.round(T0)
    file = plant.film(T0)
    plant.round(T0 + HOUR + PACE)
    aside = plant.directory / "aside"
    file.parent.rename(aside)
    plant.settle(plant.directory / "nvr1")
    plant.round(plant.now + PACE)
    assert ("camera-gone", "nvr1/1001") in standing(plant)
    aside.rename(file.parent)
    plant.settle(file.parent)
    plant.round(plant.now + PACE)
    assert (standing(plant), known(plant)) == (set(), [])


def test_a_loss_that_nobody_can_know_again_is_not_called_back(plant):
    """After a week what vanished is not known any more: its alarm stands until somebody
    has acknowledged it, whatever else comes back."""
    first, second = filmed(plant, T0), filmed(plant, T0 + HOUR)
    plant.remove(first)
    plant.round(T0 + 5 * HOUR)
    assert standing(plant) == {("lost", "nvr1")}
    plant.round(T0 + 9 * DAY)
    had, mtime = second.read_bytes(), second.stat().st_mtime_ns // 1000
    plant.remove(second)
    plant.round(plant.now + HOUR)
    put_back(plant, (second, had, mtime))
    assert standing(plant) == {("lost", "nvr1")}


def test_what_was_gone_when_it_was_to_be_deleted_is_known_when_it_comes_back(plant):
    """Somebody took it aside just as it fell due, and put it on another disk."""
    file = filmed(plant, T0)
    over = T0 + HOUR + PERIOD
    plant.round(over - PACE)
    aside = file.rename(plant.directory / "aside.mp4")
    (result,) = plant.deleter.cycle(plant.root("nvr1"), over + PACE, never).results
    assert result.outcomes[Outcome.ABSENT] == 1
    plant.scanners["nvr1"].forget(result.gone)
    target = plant.directory / "disk2" / "1001" / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    plant.touch(aside.rename(target), T0 + HOUR)
    for pace in (0, PACE):
        plant.round(over + 2 * DAY + pace)
    (entry,) = plant.entries("recording.moved")
    assert (entry["origin"], entry["count"]) == ("lost", 1)
    assert (doubts(plant), plant.entries("recordings.reappeared")) == ([], [])
    assert standing(plant) == {("volume", "disk2")}
    assert verb("audit.balance")(plant.context())["balanced"]
