"""Unknown files, cameras that are not registered or not ours, changed settings."""

import os

import pytest

from retention.catalogue import cameras
from retention.catalogue.db import Priority
from retention.model.values import DAY, HOUR, SECOND, Camera, Custody
from retention.reports.conditions import custody, strangers

T0 = 1_784_541_600 * SECOND
NAME = "2026-07-20_10-00-00.mp4"


def test_unknown_files_are_summed_up_by_directory_and_left_alone(world, scan):
    world.write("1001/holiday.mp4", T0 - DAY, 30)
    world.write("1001/notes.txt", T0, 12)
    result = scan()
    (row,) = world.unknown()
    assert (row.directory, row.files, row.size, row.oldest) == (
        b"1001", 2, 42, T0 - DAY,
    )  # fmt: skip
    assert (result.unknown, row.example, world.rows()) == (2, b"holiday.mp4", [])
    assert (world.directory / "nvr1/1001/holiday.mp4").exists()


def test_unknown_files_that_are_gone_are_no_longer_reported(world, scan):
    file = world.write("1001/notes.txt", T0)
    other = world.write("1001/more.txt", T0)
    scan()
    world.remove(file)
    scan()
    assert [row.files for row in world.unknown()] == [1]
    world.remove(other)
    scan()
    assert (world.unknown(), world.entries("recordings.lost")) == ([], [])


def test_unknown_files_that_went_while_nobody_looked_are_not_reported(world, scan):
    file = world.write("1001/notes.txt", T0)
    scan()
    world.remove(file)
    world.scanner().scan(world.NOW, lambda: False)
    assert world.unknown() == []


def test_unknown_files_of_a_directory_that_is_gone_are_not_reported(world, scan):
    file = world.write("odd/notes.txt", T0)
    scan()
    file.unlink()
    file.parent.rmdir()
    world.settle(world.directory / "nvr1")
    scan()
    assert world.unknown() == []


def test_old_unknown_files_are_told(world, scan):
    world.write("1001/notes.txt", world.NOW - 28 * DAY - SECOND, 5)
    world.write("1002/notes.txt", world.NOW - 28 * DAY + SECOND)
    scan()
    with world.catalogue.read() as tx:
        (found,) = strangers(world.asked(world.settings()), tx).where.values()
    assert found.detail.startswith("1 file, 5 B, in 1 directory: not named as")


@pytest.mark.parametrize("day", ["1969-12-31_23-00-00", "2026-02-31_09-00-00"])
def test_a_file_named_as_the_layout_says_of_no_possible_time_is_told_as_such(
    world, scan, day
):
    world.write(f"1001/{day}.mp4", T0 + HOUR)
    scan()
    (row,) = world.unknown()
    assert row.reason == (
        "named as the layout says, but of no time that can be, or of one before 1970"
    )


def test_the_folder_of_no_registered_camera_is_reported(world, scan):
    world.write(f"9999/{NAME}", T0 + HOUR)
    scan()
    (row,) = world.unknown()
    assert row.reason == "no camera of this name is registered"
    assert (world.rows(), world.streams()) == ([], [])


def test_registering_the_camera_takes_its_folder_in(world, scan):
    world.write(f"9999/{NAME}", T0 + HOUR)
    scan()
    world.camera("9999")
    result = scan()
    assert (result.added, len(world.rows()), world.unknown()) == (1, 1, [])


def not_ours(world):
    """The alarms about footage that the council must not hold."""
    with world.catalogue.read() as tx:
        return custody(world.context(), tx).where


@pytest.mark.parametrize("whose", [Custody.POLICE, Custody.THIRD_PARTY])
def test_footage_that_is_not_ours_alarms_and_is_never_catalogued(world, scan, whose):
    key = world.camera("anpr", whose)
    world.write(f"anpr/{NAME}", T0 + HOUR)
    world.write("anpr/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    scan()
    (alarm,) = not_ours(world).values()
    assert alarm.cameras == (key,)
    assert alarm.detail.startswith("2 files, 20 B, in 1 directory: of camera anpr, ")
    assert "one is anpr/2026-07-20_1" in alarm.detail
    assert (world.rows(), world.streams()) == ([], [])
    assert [row.files for row in world.unknown()] == [2]


def test_each_of_these_cameras_is_an_alarm_in_each_root_while_its_files_are_there(
    world,
):
    for id in ("anpr", "shop"):
        world.camera(id, Custody.POLICE)
    files = [
        world.write(f"{id}/{NAME}", T0 + HOUR, root=root)
        for id, root in (("anpr", "nvr1"), ("shop", "nvr1"), ("anpr", "nvr2"))
    ]
    scanners = [world.scanner(root) for root in ("nvr1", "nvr2")]
    for scanner in scanners:
        scanner.scan(world.NOW, lambda: False)
    assert set(not_ours(world)) == {"nvr1/anpr", "nvr1/shop", "nvr2/anpr"}
    world.remove(files[0])
    for scanner in scanners:
        scanner.scan(world.NOW, lambda: False)
    assert set(not_ours(world)) == {"nvr1/shop", "nvr2/anpr"}


def test_what_was_catalogued_before_a_camera_went_to_the_police_stays(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("UPDATE camera SET custody = 'police' WHERE key = 1")
    result = world.scanner().scan(world.NOW, lambda: False)
    assert (len(world.rows()), result.lost, not_ours(world)) == (1, 0, {})


def test_another_zone_in_the_settings_gives_old_files_no_second_row(world):
    world.write(f"1001/{NAME}", T0 + HOUR)
    world.scanner().scan(world.NOW, lambda: False)
    changed = world.scanner(timezone="Europe/London")
    changed.scan(world.NOW, lambda: False)
    assert (len(world.rows()), len(world.streams())) == (1, 1)
    world.write("1001/2026-07-20_12-00-00.mp4", T0 + 2 * HOUR)
    changed.scan(world.NOW, lambda: False)
    assert [stream.zone for stream in world.streams()] == ["UTC", "Europe/London"]
    assert [row.start for row in world.rows()] == [T0, T0 + HOUR]


def test_another_layout_in_the_settings_gives_old_files_no_second_row(world):
    world.write(f"1001/{NAME}", T0 + HOUR)
    world.scanner().scan(world.NOW, lambda: False)
    other = "{camera}/%Y%m%d%H%M%S.mp4"
    world.write("1001/20260720110000.mp4", T0 + 2 * HOUR)
    for _ in range(2):
        world.scanner(layout=other).scan(world.NOW, lambda: False)
    assert (len(world.rows()), world.unknown()) == (2, [])
    assert [stream.layout for stream in world.streams()] == [world.LAYOUT, other]


def test_an_old_file_that_vanished_is_lost_whatever_the_settings_say_now(world):
    file = world.write(f"1001/{NAME}", T0 + HOUR)
    world.scanner().scan(world.NOW, lambda: False)
    changed = world.scanner(layout="{camera}/%Y%m%d%H%M%S.mp4")
    changed.scan(world.NOW, lambda: False)
    world.remove(file)
    assert changed.scan(world.NOW, lambda: False).lost == 1


def test_another_camera_for_a_name_gets_new_files_only(world):
    world.write(f"door/{NAME}", T0 + HOUR)
    world.scanner(cameras={"door": "1001"}).scan(world.NOW, lambda: False)
    world.write("door/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    world.scanner(cameras={"door": "1002"}).scan(world.NOW, lambda: False)
    assert [stream.camera for stream in world.streams()] == [1, 2]
    assert len(world.rows()) == 2


def relabel(world, losers, gainers):
    with world.catalogue.write(Priority.SCAN) as tx:
        cameras.relabel(tx, losers, gainers, world.NOW + SECOND)


def test_a_renumbered_camera_keeps_the_folder_of_its_recorder(world, scan):
    """Also where another camera has its old id now (the published list was redone)."""
    world.write(f"1001/{NAME}", T0 + HOUR)
    scan()
    relabel(world, {1: "1001", 2: "1002"}, {1: "2001", 2: "1001"})
    world.write("1001/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    scan()
    assert {stream.camera for stream in world.streams()} == {1}
    assert len(world.rows()) == 2


def test_a_camera_that_replaced_another_gets_its_folder(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        cameras.relabel(tx, {1: "1001"}, {}, world.NOW + SECOND)
        cameras.insert(tx, Camera(0, "1001", "a new one"), world.NOW + SECOND)
    world.write("1001/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    scan()
    assert [stream.camera for stream in world.streams()] == [1, 3]


def test_a_camera_without_an_id_keeps_its_footage(world, scan):
    world.write(f"1001/{NAME}", T0 + HOUR)
    scan()
    relabel(world, {1: "1001"}, {})
    world.write("1001/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    scan()
    assert [stream.camera for stream in world.streams()] == [1]
    assert len(world.rows()) == 2


def test_a_link_that_is_gone_makes_the_file_a_recording(world, scan):
    """Found by the scan of everything that follows the daily reconciliation."""
    file = world.write(f"1001/{NAME}", T0 + HOUR)
    os.link(file, world.directory / "elsewhere")
    scan()
    (world.directory / "elsewhere").unlink()
    assert scan().added == 0
    scan.scanner.reconcile(world.NOW, lambda: False)
    assert scan().added == 1
    assert scan().directories_read == 0
    assert world.unknown() == []
