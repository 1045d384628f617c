"""The failure scenarios that the design prevents, from the file to its deletion.

Where each is tested; this module has those that need scan, holds and deletion at once.

| scenario | tests |
|---|---|
| motion clip inside a continuous recording | here; ingest/test_scan.py (the end) |
| NAS unmounted at boot with an open intent | test_disks.py; deletion/test_recovery.py |
| zone or layout changed over an archive | here; ingest/test_strangers.py (rows) |
| zone wrong from the start, hourly, in summer | here; ingest/test_doubts.py (finding) |
| a camera set to another id | here; ingest/test_strangers.py (streams) |
| footage restored from a backup | here; ingest/test_losses.py, test_doubts.py |
| two NVRs with the same camera and second | here; ingest/test_scan.py (rows) |
| recordings of 24 hours | here; ingest/test_doubts.py (the end) |
| a file created in the tick of the scan | ingest/test_scan.py |
| a scan racing a batch | here; ingest/test_losses.py (the mutex) |
| a hold placed after the intent | here; deletion/test_recovery.py, test_gate.py |
| clock an hour and 35 days ahead and back | test_clock.py; daemon/test_clock_jumps.py |
| quarantine that ends | here; deletion/test_cycle.py |
| a file that grew | deletion/test_cycle.py; crash/test_kill_everywhere.py |
| catalogue disk full | test_disks.py; daemon/test_trouble.py |
| more than 10,000 exceptions in one batch | deletion/test_cycle.py |
| kill -9 and errors at each system call | crash/test_kill_everywhere.py |
| bad input | test_bad_input.py, with its own table |
"""

import shutil
import threading
import time

import pytest

from retention.catalogue.db import Priority
from retention.deletion import batch as procedure
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Custody, State
from retention.register.register import camera_renumber
from tests.support.plant import PERIOD, T0, Plant
from tests.support.premises import ADMINISTRATOR
from tests.support.world import never


def test_a_clip_inside_a_recording_shortens_neither_its_period_nor_its_hold(watched):
    watched.film(T0)
    watched.film(T0 + 20 * MINUTE, MINUTE)
    hour, _ = watched.there()
    watched.round(T0 + 2 * HOUR)
    watched.round(T0 + 21 * MINUTE + PERIOD)
    assert watched.there() == [hour]
    watched.place("1001", T0 + 50 * MINUTE, T0 + 51 * MINUTE)
    watched.round(T0 + 99 * DAY)
    assert watched.there() == [hour]


@pytest.mark.parametrize("zone", ["Europe/London", "Asia/Tokyo", "America/New_York"])
def test_another_zone_in_the_settings_moves_no_deletion(watched, zone):
    file = watched.film(T0)
    watched.round(T0 + 2 * HOUR)
    watched.watch(timezone=zone)
    watched.round(T0 + HOUR + PERIOD - 1)
    assert file.exists()
    watched.round(T0 + HOUR + PERIOD)
    assert not file.exists()
    assert watched.outcomes("deleted") == 1
    assert watched.entries("recordings.lost") == []


def test_another_zone_in_the_settings_moves_no_hold(watched):
    """Also a hold that is placed afterwards finds the time at which it was filmed."""
    files = [watched.film(T0 + hour * HOUR) for hour in range(3)]
    watched.round(T0 + 4 * HOUR)
    watched.watch(timezone="Europe/London")
    watched.place("1001", T0 + HOUR, T0 + 2 * HOUR)
    watched.round(T0 + 99 * DAY)
    assert [file.exists() for file in files] == [False, True, False]


def test_another_layout_in_the_settings_leaves_old_files_theirs(watched):
    old = watched.film(T0)
    watched.round(T0 + 2 * HOUR)
    watched.watch(layout="{camera}/%Y/%m/%d/%H%M%S.mp4")
    new = watched.film(T0 + 2 * HOUR, name="%Y/%m/%d/%H%M%S")
    watched.round(T0 + 4 * HOUR)
    assert len(watched.rows()) == 2
    watched.round(T0 + HOUR + PERIOD)
    assert (old.exists(), new.exists()) == (False, True)
    watched.round(T0 + 3 * HOUR + PERIOD)
    assert not new.exists()
    assert watched.unknown() == []


@pytest.mark.parametrize(("ahead", "zone"), [(HOUR, "UTC"), (-HOUR, "Europe/London")])
def test_with_a_wrong_zone_from_the_start_a_hold_keeps_what_was_filmed_then(
    plant, ahead, zone
):
    """Local names read as UTC, and UTC names read as local, hour after hour in July.

    Nobody needs to know which: while the stream is in doubt any hold keeps all of it,
    and once the hold is over its period ends.
    """
    plant.watch(timezone=zone)
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    shift = ahead if zone == "UTC" else 0
    files = []
    for hour in range(12):
        start = T0 + hour * HOUR
        files.append(plant.film(start, HOUR + SECOND, shown=start + shift))
        plant.round(start + HOUR + MINUTE)
    placed = plant.place("1001", T0 + 5 * HOUR, T0 + 6 * HOUR)
    assert "one hour out" in placed["times_in_doubt"][0].replace("1 h", "one hour")
    plant.round(T0 + 99 * DAY)
    assert all(file.exists() for file in files)
    plant.free(placed["hold"])
    plant.round(T0 + 99 * DAY + SECOND)
    assert not any(file.exists() for file in files)


def test_quarantine_ends_a_period_after_the_file_was_seen(watched):
    """A name from last year: nobody knows when it was filmed, but before it was seen."""
    file = watched.film(T0, shown=T0 - 365 * DAY)
    watched.round(T0 + 2 * HOUR)
    assert [row.state for row in watched.rows()] == [State.QUARANTINED]
    watched.round(T0 + 2 * HOUR + PERIOD - 1)
    assert file.exists()
    watched.round(T0 + 2 * HOUR + PERIOD)
    assert not file.exists()


def test_any_hold_of_the_camera_keeps_what_is_in_quarantine(watched):
    file = watched.film(T0, shown=T0 - 365 * DAY)
    watched.round(T0 + 2 * HOUR)
    placed = watched.place("1001", T0 + 9 * DAY, T0 + 10 * DAY)
    watched.round(T0 + 99 * DAY)
    assert file.exists()
    watched.free(placed["hold"])
    watched.round(T0 + 99 * DAY + SECOND)
    assert not file.exists()


def test_a_folder_set_to_another_camera_leaves_old_footage_its_camera_and_holds(plant):
    plant.watch(cameras={"door": "1001"})
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    old = plant.film(T0, folder="door")
    plant.round(T0 + 2 * HOUR)
    plant.place("1001", T0, T0 + DAY)
    plant.watch(cameras={"door": "1002"})
    new = plant.film(T0 + 2 * HOUR, folder="door")
    plant.round(T0 + 4 * HOUR)
    plant.round(T0 + 99 * DAY)
    assert (old.exists(), new.exists()) == (True, False)


def test_a_hold_on_the_new_camera_of_a_folder_keeps_nothing_of_the_old(plant):
    plant.watch(cameras={"door": "1001"})
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    old = plant.film(T0, folder="door")
    plant.round(T0 + 2 * HOUR)
    plant.watch(cameras={"door": "1002"})
    new = plant.film(T0 + 2 * HOUR, folder="door")
    plant.round(T0 + 4 * HOUR)
    assert plant.place("1002", T0, T0 + DAY)["total"]["recordings"] == 1
    plant.round(T0 + 99 * DAY)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_renumbered_camera_is_held_under_its_new_id(watched):
    file = watched.film(T0)
    watched.round(T0 + 2 * HOUR)
    camera_renumber(
        watched.asked(watched.settings(), ADMINISTRATOR), old="1001", new="2001"
    )
    assert watched.place("2001", T0, T0 + HOUR)["total"]["recordings"] == 1
    watched.round(T0 + 99 * DAY)
    assert file.exists()


def test_a_camera_given_to_the_police_keeps_its_old_footage_no_longer(watched):
    """Custody changes what is taken in, not what happens to what is there."""
    file = watched.film(T0)
    watched.round(T0 + 2 * HOUR)
    with watched.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "UPDATE camera SET custody=? WHERE key=1", (str(Custody.POLICE),)
        )
    watched.round(T0 + HOUR + PERIOD)
    assert not file.exists()


def restored(plant, count):
    """Files that were deleted on time and come back from a backup, with their times."""
    backup = plant.directory / "backup"
    for hour in range(count):
        plant.film(T0 + hour * HOUR)
    plant.round(T0 + (count + 1) * HOUR)
    shutil.copytree(plant.directory / "nvr1" / "1001", backup)
    plant.round(T0 + 30 * DAY)
    folder = plant.directory / "nvr1" / "1001"
    assert list(folder.iterdir()) == []
    shutil.copytree(backup, folder, dirs_exist_ok=True)
    shutil.rmtree(backup)
    plant.now = T0 + 40 * DAY
    plant.settle(folder)


def test_footage_restored_from_a_backup_is_told_and_kept_for_a_period(watched):
    """Whoever put it back has time to place a hold."""
    restored(watched, 3)
    watched.round(T0 + 40 * DAY)
    assert [entry["count"] for entry in watched.entries("recordings.reappeared")] == [3]
    watched.round(T0 + 40 * DAY + PERIOD - 1)
    assert len(watched.there()) == 3
    watched.round(T0 + 40 * DAY + PERIOD)
    assert watched.there() == []
    assert watched.outcomes("deleted") == 6


def test_much_footage_restored_from_a_backup_stops_no_other_deletion(tmp_path):
    plant = Plant(tmp_path, deletion_floor=2)
    plant.watch()
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    restored(plant, 4)
    due = plant.film(T0 + 39 * DAY, folder="1002")
    plant.round(T0 + 40 * DAY)
    assert len(plant.there()) == 5
    plant.round(T0 + 40 * DAY + PERIOD - HOUR)
    assert (plant.blocked["nvr1"], due.exists()) == (None, False)
    assert len(plant.there()) == 4
    plant.close()


def test_restored_footage_is_held_by_any_hold_on_its_camera(watched):
    restored(watched, 3)
    watched.place("1001", T0 + HOUR, T0 + 2 * HOUR)
    watched.round(T0 + 40 * DAY)
    watched.round(T0 + 40 * DAY + 2 * PERIOD)
    assert len(watched.there()) == 3


def test_footage_restored_without_its_times_is_kept_in_doubt_for_a_period(watched):
    restored(watched, 3)
    for name in watched.there():
        watched.touch(watched.directory / name, T0 + 40 * DAY - HOUR)
    watched.round(T0 + 40 * DAY)
    watched.round(T0 + 40 * DAY + PERIOD - 1)
    assert len(watched.there()) == 3
    watched.round(T0 + 40 * DAY + PERIOD)
    assert watched.there() == []


def test_two_recorders_of_one_camera_and_second_are_two_recordings(watched):
    watched.watch("nvr2")
    watched.round(T0 - HOUR)
    watched.round(T0 - HOUR + SECOND)
    one, other = watched.film(T0), watched.film(T0, root="nvr2")
    watched.round(T0 + 2 * HOUR)
    assert watched.place("1001", T0, T0 + HOUR)["total"]["recordings"] == 2
    watched.round(T0 + 99 * DAY)
    assert one.exists()
    assert other.exists()


def test_one_of_two_recorders_that_is_away_keeps_its_file_for_later(watched):
    watched.watch("nvr2")
    watched.round(T0 - HOUR)
    watched.round(T0 - HOUR + SECOND)
    one, other = watched.film(T0), watched.film(T0, root="nvr2")
    watched.round(T0 + 2 * HOUR)
    away = watched.scanners.pop("nvr2")
    watched.round(T0 + 30 * DAY)
    assert (one.exists(), other.exists()) == (False, True)
    watched.scanners["nvr2"] = away
    watched.round(T0 + 31 * DAY)
    assert not other.exists()
    assert watched.outcomes("deleted") == 2
    assert watched.entries("recordings.reappeared") == []


def test_a_minute_under_hold_keeps_the_whole_day_that_it_is_in(watched):
    """Files of 24 hours in a root that expects an hour; the hold is near the end."""
    midnight = T0 - 10 * HOUR
    days = [watched.film(midnight + n * DAY, DAY) for n in range(4)]
    watched.round(midnight + 4 * DAY + MINUTE)
    minute = midnight + 2 * DAY - 30 * MINUTE
    assert watched.place("1001", minute, minute + MINUTE)["total"]["recordings"] == 1
    watched.round(midnight + DAY + PERIOD - 1)
    assert all(day.exists() for day in days)
    watched.round(midnight + DAY + PERIOD)
    assert [day.exists() for day in days] == [False, True, True, True]
    watched.round(T0 + 99 * DAY)
    assert [day.exists() for day in days] == [False, True, False, False]


def test_a_hold_placed_after_the_intent_is_kept_and_says_what_it_kept(
    watched, monkeypatch
):
    """The operator's command comes while the first file is being unlinked."""
    files = [watched.film(T0 + hour * HOUR) for hour in range(4)]
    watched.round(T0 + 5 * HOUR)
    answers = []
    real = procedure.delete

    def delete(*args):
        if not answers:
            answers.append(watched.place("1001", T0 + 2 * HOUR, T0 + 9 * HOUR))
        return real(*args)

    monkeypatch.setattr(procedure, "delete", delete)
    watched.round(T0 + 40 * DAY)
    (intent,) = watched.entries("deletion.intended")
    assert intent["count"] == 4
    assert answers[0]["total"]["recordings"] == 2
    assert [file.exists() for file in files] == [False, False, True, True]
    assert (watched.outcomes("rescued"), watched.outcomes("deleted")) == (2, 2)
    watched.round(T0 + 99 * DAY)
    assert files[2].exists()
    assert watched.verified()


def test_scans_that_race_batches_call_nothing_lost_and_nothing_new(tmp_path):
    """Two threads for as long as the deletion of 400 files in batches of 10 takes;
    scanners with and without memory, which asks about every name that it meets."""
    plant = Plant(tmp_path, deletion_floor=1000)
    plant.deleter._batch = 10
    plant.watch()
    plant.round(T0 - DAY)
    plant.round(T0 - DAY + SECOND)
    for n in range(400):
        plant.film(T0 + n * MINUTE, MINUTE, folder=("1001", "1002")[n % 2])
    plant.round(T0 + DAY)
    assert len(plant.rows()) == 400
    plant.now = T0 + 30 * DAY
    done, scans, failures = threading.Event(), [], []

    def scan():
        try:
            while not done.is_set():
                for scanner in (plant.scanners["nvr1"], plant.scanner()):
                    scans.append(scanner.scan(T0 + 30 * DAY, never, full=True))
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    thread = threading.Thread(target=scan)
    thread.start()
    result = plant.deleter.cycle(plant.root(), T0 + 30 * DAY, never)
    while len(scans) <= 2 and thread.is_alive():
        time.sleep(0.01)
    done.set()
    thread.join(120)
    assert failures == []
    assert len(scans) > 2
    assert result.deleted == 400
    assert [sum((s.added, s.lost, s.reappeared)) for s in scans] == [0] * len(scans)
    assert plant.rows() == []
    assert plant.verified()
    plant.close()
