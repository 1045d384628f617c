"""What a file says of itself is held against when it was seen to arrive."""

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from retention.catalogue import raised, recordings
from retention.control import guards
from retention.footage.ingest.recordings import recording_resolve
from retention.model.errors import UsageError
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from tests.support.plant import PERIOD, T0, Plant

PACE = MINUTE
"""Between two scans."""


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.film(T0 - 2 * DAY)  # the archive that is taken in
    made.round(T0 - DAY)
    yield made
    made.close()


def doubts(plant):
    with plant.catalogue.read() as tx:
        found = [
            doubt
            for stream in plant.streams()
            for doubt in recordings.doubts(tx, stream.key, -(2**62), 2**62).values()
        ]
    return sorted(doubt.reason for doubt in found)


def resolve(plant, **given):
    return recording_resolve(
        plant.context(), ruling="times_right", reason="it was offline", **given
    )


def states(plant):
    return [row.state.name.lower() for row in plant.rows()]


def hourly(plant, hours, behind, *, pace=10 * MINUTE, first=T0):
    """A recorder that is `behind` brings an hour at its end; scans every few minutes."""
    plant.round(first)
    for hour in range(hours):
        end = first + (hour + 1) * HOUR
        for now in range(end - HOUR + pace, end, pace):
            plant.round(now)
        plant.film(end - HOUR - behind)
        plant.round(end + PACE)


@pytest.mark.parametrize("behind", [29 * DAY, 40 * DAY, 20_653 * DAY])
def test_footage_of_a_recorder_whose_clock_is_weeks_behind_is_not_deleted(
    plant, behind
):
    """It is its own file server, so that name and mtime agree."""
    plant.place("1001", T0, T0 + 2 * HOUR)
    hourly(plant, 3, behind)
    plant.round(T0 + 4 * HOUR)
    assert len(plant.there()) == 4
    assert states(plant).count("quarantined") == 3
    assert all(one.startswith("arrived ") for one in doubts(plant))


def test_footage_of_a_recorder_that_is_20_min_behind_is_in_doubt(plant):
    hourly(plant, 2, 20 * MINUTE)
    assert doubts(plant) == ["arrived 10 min after its own end"] * 2


def test_footage_of_a_recorder_that_is_right_is_not_in_doubt(plant):
    hourly(plant, 3, 0)
    assert states(plant) == ["present"] * 4


def test_an_old_file_put_back_with_its_times_is_not_deleted_within_seconds(plant):
    plant.round(T0)
    file = plant.film(T0 - 40 * DAY)
    plant.round(T0 + PACE)
    plant.round(T0 + 27 * DAY)
    assert file.exists()
    assert doubts(plant) == ["arrived 39 days 23 h after its own end"]
    plant.round(T0 + 29 * DAY)
    assert not file.exists()


def test_an_hour_written_in_place_by_a_clock_that_is_behind_is_not_missed(plant):
    """Once finished it ends after the look at which it was not there."""
    plant.watch(stable_after=HOUR)
    plant.round(T0)
    for minute in range(1, 60):
        now = T0 + minute * MINUTE
        file = plant.film(T0 - 20 * MINUTE, minute * MINUTE)
        with file.open("ab") as growing:
            growing.write(b"x" * minute)
        plant.touch(file, now - 20 * MINUTE)
        plant.round(now)
    plant.round(now + HOUR)
    assert doubts(plant) == ["arrived 19 min after its own end"]


# -- alarms ---------------------------------------------------------------------------


def alarms(plant):
    with plant.catalogue.read() as tx:
        found = raised.everyone(tx)
    return {one.scope: one for one in found if one.name == guards.LATE}


def test_a_late_delivery_is_one_alarm_however_many_files_it_has(plant):
    plant.round(T0)
    for hour in range(30):
        plant.film(T0 - 40 * DAY + hour * HOUR)
    plant.film(T0 - 40 * DAY, folder="1002")
    plant.round(T0 + PACE)
    assert sorted(alarms(plant)) == [
        "nvr1/1001/2026-07-20T10Z",
        "nvr1/1002/2026-07-20T10Z",
    ]
    one = alarms(plant)["nvr1/1001/2026-07-20T10Z"]
    assert one.cameras == (1,)
    assert "30 files of 2026-06-10T10:00:00Z to 2026-06-11T16:00:00Z" in one.detail


def test_the_alarm_of_a_delivery_ends_with_the_last_of_its_files_in_doubt(plant):
    plant.round(T0)
    plant.film(T0 - 40 * DAY)
    plant.round(T0 + PACE)
    assert len(plant.entries("alarm.raised")) == 1
    plant.round(T0 + 27 * DAY)
    assert len(alarms(plant)) == 1
    plant.round(T0 + 29 * DAY)
    plant.round(T0 + 29 * DAY + PACE)
    assert (alarms(plant), len(plant.entries("alarm.ended"))) == ({}, 1)


def test_a_delivery_that_ends_as_its_stream_is_in_doubt_has_not_left_quarantine(plant):
    hourly(plant, 12, 20 * MINUTE)
    assert "quarantined" in states(plant)
    assert alarms(plant) == {}
    reasons = {one["fields"]["reason"] for one in plant.opened("alarm.ended")}
    assert "none of its files is in quarantine for that alone any more" in reasons


def test_a_delivery_is_ruled_on_as_one_and_nothing_else_with_it(plant):
    """An FTP backlog of 30 hours is right; what comes an hour later is another."""
    plant.round(T0)
    for hour in range(30):
        plant.film(T0 - 5 * DAY + hour * HOUR)
    plant.film(T0 - 5 * DAY, folder="1002")
    plant.round(T0 + PACE)
    plant.film(T0 - 10 * DAY)
    plant.round(T0 + HOUR)
    one = alarms(plant)["nvr1/1001/2026-07-20T10Z"]
    told = guards.remedy(one.name, one.scope)
    assert "`retention recording resolve --delivery nvr1/1001/2026-07-20T10Z" in told
    done = resolve(plant, delivery=one.scope)
    assert (done.recordings, done.streams) == (30, [])
    plant.round(T0 + HOUR + PACE)
    assert sorted(alarms(plant)) == [
        "nvr1/1001/2026-07-20T11Z",
        "nvr1/1002/2026-07-20T10Z",
    ]
    assert states(plant).count("present") == 31
    plant.round(T0 - 5 * DAY + PERIOD + HOUR)
    assert states(plant).count("present") == 30


@pytest.mark.parametrize("path", ["", ".", "/", "./"])
def test_nobody_rules_on_everything_by_a_slip_of_the_hand(plant, path):
    with pytest.raises(UsageError, match="say on which recordings"):
        resolve(plant, path=path)


def test_a_delivery_that_nobody_knows_is_refused_with_where_to_look(plant):
    for unknown in ("nvr1/1001/2026-07-20T10Z", "nvr9/1/2026-07-20T10Z", "x", ""):
        with pytest.raises(UsageError, match="`retention alarm list` shows those"):
            resolve(plant, delivery=unknown)
    with pytest.raises(UsageError, match="one of them"):
        resolve(plant, delivery="x", camera="1001")


# -- what is known from before, and what is not ---------------------------------------


def test_files_of_the_time_in_which_the_service_was_down_are_not_late(plant):
    plant.round(T0)
    for hour in range(7 * 24):
        plant.film(T0 + hour * HOUR)
    plant.watch()
    plant.round(T0 + 7 * DAY)
    assert doubts(plant) == []


def test_a_file_put_back_while_the_service_was_down_is_late(plant):
    plant.round(T0)
    plant.film(T0 - 40 * DAY)
    plant.watch()
    plant.round(T0 + HOUR)
    assert doubts(plant) == ["arrived 39 days 22 h after its own end"]


def behind_a_link(plant, folder):
    """A directory that can't be read for now: the super-user could read any other."""
    hidden = folder.rename(plant.directory / "aside")
    folder.symlink_to(hidden)
    plant.settle(folder.parent)

    def back():
        folder.unlink()
        hidden.rename(folder)
        plant.settle(folder.parent)

    return back


def test_a_directory_that_failed_in_the_last_walk_vouches_for_nothing_afterwards(plant):
    """Its files may have been there all the time."""
    folder = plant.film(T0, folder="1002", length=PACE).parent
    plant.round(T0 + HOUR)
    plant.film(T0 - 40 * DAY, folder="1002")
    back = behind_a_link(plant, folder)
    plant.round(T0 + HOUR + PACE)
    plant.watch()  # the service starts anew
    back()
    plant.round(T0 + HOUR + 2 * PACE)
    assert (len(plant.rows()), doubts(plant)) == (3, [])


def test_while_it_runs_the_look_before_that_does(plant):
    folder = plant.film(T0, folder="1002", length=PACE).parent
    plant.round(T0 + HOUR)
    back = behind_a_link(plant, folder)
    plant.round(T0 + HOUR + PACE)
    back()
    plant.film(T0 + 10 * MINUTE, folder="1002", length=PACE)
    plant.film(T0 + HOUR, folder="1002", length=PACE)
    plant.round(T0 + 3 * HOUR)
    assert doubts(plant) == ["arrived 49 min after its own end"]


def test_what_was_a_link_and_is_a_directory_now_was_there_all_the_time(plant):
    folder = plant.film(T0 - 40 * DAY, folder="1002").parent
    back = behind_a_link(plant, folder)
    plant.round(T0)
    back()
    plant.round(T0 + PACE)
    assert (len(plant.rows()), doubts(plant)) == (2, [])


def test_files_of_a_camera_that_is_registered_late_are_not_late_themselves(plant):
    plant.film(T0 - 5 * HOUR, folder="1003")
    plant.round(T0)
    plant.camera("1003")
    plant.round(T0 + PACE)
    assert (len(plant.rows()), doubts(plant)) == (2, [])


def test_the_same_after_a_restart(plant):
    plant.film(T0 - 5 * HOUR, folder="1003")
    plant.round(T0)
    plant.camera("1003")
    plant.watch()
    plant.round(T0 + PACE)
    assert (len(plant.rows()), doubts(plant)) == (2, [])


def test_a_directory_made_today_is_as_late_as_its_parent_says(plant):
    plant.watch(layout="%Y-%m-%d/{camera}/%H-%M-%S.mp4")
    plant.round(T0)
    plant.round(T0 + PACE)
    plant.film(T0, folder="2026-07-20/1001", name="%H-%M-%S", length=PACE)
    plant.film(T0 - 40 * DAY, folder="2026-06-10/1001", name="%H-%M-%S")
    plant.round(T0 + 2 * PACE)
    assert doubts(plant) == ["arrived 39 days 23 h after its own end"]


def test_a_look_by_a_clock_that_is_not_believed_is_no_witness(plant):
    plant.round(T0)
    plant.scanners["nvr1"].scan(T0 + 40 * DAY, lambda: False, believed=False)
    plant.film(T0)
    plant.round(T0 + HOUR + PACE)
    assert doubts(plant) == []


def test_a_walk_that_was_stopped_leaves_the_rest_as_it_was(plant):
    for camera in ("1001", "1002"):
        plant.film(T0 - HOUR, folder=camera)
    plant.round(T0)
    for camera in ("1001", "1002"):
        plant.film(T0, folder=camera)
    plant.now = T0 + HOUR
    plant.scanners["nvr1"].scan(plant.now, lambda: True)
    plant.round(T0 + HOUR + 30 * MINUTE)
    assert doubts(plant) == []


# -- what the log calls deleted ---------------------------------------------------------


def restored(plant, files, batches):
    """An hour that was deleted in so many batches and is put back from a backup."""
    kept = {}
    first = T0 - DAY
    for number in range(files):
        file = plant.film(first + number * SECOND, SECOND)
        kept[file] = (file.read_bytes(), first + (number + 1) * SECOND)
    plant.round(first + HOUR)
    for number in range(batches):
        at = first + 28 * DAY + (number + 1) * files // batches * SECOND
        plant.round(at)
    plant.round(at + HOUR)
    assert not any(file.exists() for file in kept)
    for file, (content, mtime) in kept.items():
        file.write_bytes(content)
        plant.touch(file, mtime)
    return at + 2 * HOUR


class Queries:
    """The row files that are read, and what was so when they were."""

    def __init__(self, root):
        self.locked = []

        def before(conn, cursor, statement, parameters, context, many):
            if "entry_rows" in statement and "SELECT" in statement:
                self.locked.append(root.mutex.locked())

        self.listener = before

    def __enter__(self):
        event.listen(Engine, "before_cursor_execute", self.listener)
        return self

    def __exit__(self, *_):
        event.remove(Engine, "before_cursor_execute", self.listener)


def test_restored_files_are_told_and_each_batch_is_read_once_with_no_batch_waiting(
    plant,
):
    now = restored(plant, 72, 24)
    with Queries(plant.root()) as queries:
        plant.round(now)
    (entry,) = plant.entries("recordings.reappeared")
    assert entry["count"] == 72
    assert len(queries.locked) <= 24 + 2
    assert not any(queries.locked)
    assert states(plant).count("quarantined") == 72


def test_what_was_deleted_and_comes_again_where_nobody_looked_is_late_too(plant):
    """A directory that could not be read until then."""
    now = restored(plant, 3, 1)
    folder = plant.directory / "nvr1" / "1001"
    hidden = folder.rename(plant.directory / "aside")
    folder.symlink_to(hidden)
    plant.settle(folder.parent)
    plant.watch()
    plant.round(now)
    folder.unlink()
    hidden.rename(folder)
    plant.settle(folder.parent)
    plant.watch()
    plant.round(now + MINUTE)
    plant.round(now + 2 * MINUTE)
    assert states(plant) == ["quarantined"] * 3
    assert len(list(folder.iterdir())) == 3


# -- moved, not late --------------------------------------------------------------------


def to_disk2(plant, file):
    target = plant.directory / "disk2" / file.relative_to(plant.directory / "nvr1")
    target.parent.mkdir(parents=True, exist_ok=True)
    mtime = file.stat().st_mtime_ns // 1000
    file.rename(target)
    plant.settle(file.parent)
    plant.touch(target, mtime)
    return target


def test_a_recording_that_is_moved_to_another_disk_keeps_its_dates(plant):
    plant.root("disk2")
    plant.watch("disk2")
    plant.round(T0 - 23 * HOUR)
    file = plant.film(T0 - 23 * HOUR)
    plant.round(T0 - 21 * HOUR)
    plant.round(T0 + 3 * DAY)
    to_disk2(plant, file)
    plant.round(T0 + 3 * DAY + PACE)
    assert [row.state.name for row in plant.rows("disk2")] == ["PRESENT"]
    (entry,) = plant.entries("recording.moved")
    assert (entry["count"], doubts(plant), alarms(plant)) == (1, [], {})
    (loss,) = plant.entries("recordings.lost")
    assert entry["rows"][0]["stream"] == loss["rows"][0]["stream"]


def test_one_in_doubt_that_is_moved_keeps_its_doubt_and_starts_no_new_period(plant):
    plant.root("disk2")
    plant.watch("disk2")
    plant.round(T0)
    file = plant.film(T0 - 40 * DAY)
    plant.round(T0 + PACE)
    (before,) = doubts(plant)
    plant.round(T0 + 20 * DAY)
    target = to_disk2(plant, file)
    plant.round(T0 + 20 * DAY + PACE)
    assert doubts(plant) == [before]
    plant.round(T0 + 28 * DAY + HOUR)
    assert not target.exists()


def test_a_copy_of_a_recording_that_is_there_is_not_late(plant):
    """Copied first, and only then removed."""
    plant.root("disk2")
    plant.watch("disk2")
    plant.round(T0)
    file = plant.film(T0)
    plant.round(T0 + HOUR + PACE)
    plant.round(T0 + 2 * HOUR)
    target = plant.write(
        f"1001/{file.name}", T0 + HOUR, root="disk2", size=file.stat().st_size
    )
    plant.round(T0 + 3 * DAY)
    assert [row.state.name for row in plant.rows("disk2")] == ["PRESENT"]
    assert (doubts(plant), target.exists()) == ([], True)


def test_another_file_of_that_time_is_no_copy(plant):
    plant.root("disk2")
    plant.watch("disk2")
    plant.round(T0)
    file = plant.film(T0)
    plant.round(T0 + HOUR + PACE)
    plant.round(T0 + 2 * HOUR)
    plant.write(f"1001/{file.name}", T0 + HOUR, root="disk2", size=11)
    plant.round(T0 + 3 * DAY)
    assert len(doubts(plant)) == 1


def test_what_was_lost_longer_ago_is_late(plant):
    plant.round(T0)
    file = plant.film(T0)
    plant.round(T0 + HOUR + PACE)
    hidden = file.rename(plant.directory / "aside.mp4")
    plant.settle(file.parent)
    plant.round(T0 + 2 * HOUR)
    plant.round(T0 + 8 * DAY)
    hidden.rename(file)
    plant.touch(file, T0 + HOUR)
    plant.round(T0 + 8 * DAY + PACE)
    assert len(doubts(plant)) == 1


def test_a_file_is_written_on_by_a_clock_that_went_behind(plant):
    """It was catalogued in time; what was added says that it is older."""
    plant.round(T0)
    file = plant.film(T0, 10 * MINUTE)
    plant.round(T0 + 10 * MINUTE + PACE)
    plant.round(T0 + HOUR)
    with file.open("ab") as growing:
        growing.write(b"more")
    plant.touch(file, T0 + 12 * MINUTE)
    plant.round(T0 + HOUR + PACE)
    assert doubts(plant) == ["arrived 48 min after its own end"]


@pytest.mark.parametrize("restart", [False, True])
def test_what_was_added_while_nobody_could_look_is_not_late(plant, restart):
    file = plant.film(T0, 10 * MINUTE, folder="1002")
    plant.round(T0 + 10 * MINUTE + PACE)
    plant.round(T0 + 20 * MINUTE)
    back = behind_a_link(plant, file.parent)
    plant.round(T0 + 3 * HOUR)
    plant.round(T0 + 4 * HOUR)
    if restart:
        plant.watch()
    back()
    with file.open("ab") as growing:
        growing.write(b"more")
    plant.touch(file, T0 + HOUR)
    for now in (5 * HOUR, 5 * HOUR + PACE):
        plant.round(T0 + now)
    assert doubts(plant) == []


def grow(plant, file, at):
    """More is written, and the last of it then."""
    with file.open("ab") as growing:
        growing.write(b"more")
    plant.touch(file, at)


@pytest.fixture(params=[False, True], ids=["running", "restarted"])
def start_anew(plant, request):
    return plant.watch if request.param else lambda: None


def test_what_was_written_on_is_no_later_for_the_time_in_which_it_came_to_rest(
    plant, start_anew
):
    """The disk hung, so that a look is long after the end: it was there at that look."""
    now = T0 + 20 * MINUTE
    plant.round(T0)
    file = plant.film(T0, 10 * MINUTE)
    plant.round(now)
    grow(plant, file, now + 10 * SECOND)
    plant.round(now + 12 * SECOND)
    grow(plant, file, now + MINUTE)
    plant.round(now + 10 * MINUTE)
    start_anew()
    plant.round(now + 12 * MINUTE)
    assert doubts(plant) == []
    assert [row.end for row in plant.rows()][-1] == now + MINUTE


def test_a_new_file_is_no_later_for_the_time_in_which_it_came_to_rest(
    plant, start_anew
):
    plant.round(T0)
    file = plant.film(T0, MINUTE)
    plant.round(T0 + MINUTE + 2 * SECOND)
    grow(plant, file, T0 + 2 * MINUTE)
    plant.round(T0 + 12 * MINUTE)
    start_anew()
    plant.round(T0 + 14 * MINUTE)
    assert doubts(plant) == []
    assert len(plant.rows()) == 2


def test_what_was_met_before_it_was_at_rest_is_late_after_a_start_too(
    plant, start_anew
):
    """Its clock is behind, and it was seen to grow by that clock."""
    behind = 20 * MINUTE
    plant.round(T0)
    file = plant.film(T0 - behind, MINUTE)
    plant.round(T0 + MINUTE)
    grow(plant, file, T0 + 2 * MINUTE - behind)
    plant.round(T0 + 2 * MINUTE)
    start_anew()
    plant.round(T0 + 5 * MINUTE)
    (reason,) = doubts(plant)
    assert reason.startswith("arrived ")
