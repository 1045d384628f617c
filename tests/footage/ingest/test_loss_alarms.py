"""What vanished is told to people: held footage, a camera's, most of a root's."""

import shutil

import pytest
from structlog.testing import capture_logs

from retention.catalogue import raised, roots
from retention.catalogue.db import Priority
from retention.control import alarms
from retention.footage.identity import create_identity
from retention.footage.ingest import losses
from retention.holds.views import hold_list, hold_show
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State, Window
from tests.support.premises import CATALOGUE_UUID
from tests.support.world import ACTOR, never

T0 = 1_784_541_600 * SECOND
FIRST = Window(T0 - 4 * HOUR, T0 - 3 * HOUR)


def fill(world, camera="1001", hours=range(6, 10), ago=0):
    """Files of an hour each, of one camera, of 20 July or as many days before."""
    return [
        world.write(
            f"{camera}/2026-07-{20 - ago:02}_{hour:02}-00-00.mp4",
            T0 - ago * DAY + (hour - 9) * HOUR,
        )
        for hour in hours
    ]


@pytest.fixture
def files(world, scan):
    made = fill(world)
    fill(world, "1002", hours=range(20), ago=1)
    scan()
    return made


def standing(world, name=None):
    """The alarms that stand, by name and scope."""
    with world.catalogue.read() as tx:
        found = raised.everyone(tx)
    return {
        (one.name, one.scope): one for one in found if name is None or one.name == name
    }


def overwrite(world, file, size=1):
    file.write_bytes(b"y" * size)
    world.touch(file, T0 - 2 * HOUR)


# -- held footage -----------------------------------------------------------------------


def test_a_held_recording_that_was_removed_is_an_alarm_on_its_hold(world, scan, files):
    hold = world.hold_camera(1, *FIRST)
    world.remove(files[0])
    scan()
    (one,) = standing(world, "held-lost").values()
    assert one.scope == f"{hold}/nvr1"
    assert one.cameras == (1,)
    assert one.detail.startswith(
        "footage under hold 1 vanished, and not by this program: 1 recording "
        "of camera 1001 in nvr1, from "
    )
    (entry,) = world.listed("recordings.lost")
    assert f"(entry {entry['index']})" in one.detail


def test_each_hold_that_kept_it_is_told_and_no_other(world, scan, files):
    world.hold_camera(1, *FIRST)
    world.hold_camera(1, T0 - HOUR, T0)
    world.hold_camera(2, *FIRST)
    world.hold_camera(1, T0 - 10 * HOUR, T0)
    world.remove(files[0])
    scan()
    assert standing(world, "held-lost").keys() == {
        ("held-lost", "1/nvr1"),
        ("held-lost", "4/nvr1"),
    }


def test_while_a_hold_cools_off_its_losses_are_told_and_not_after(world, scan, files):
    world.hold_camera(1, *FIRST)
    world.hold_camera(1, T0 - HOUR, T0)
    world.release(1, world.now - DAY, free_at=world.now + 1)
    world.release(2, world.now - DAY, free_at=world.now)
    for file in files:
        world.remove(file)
    scan()
    assert set(standing(world, "held-lost")) == {("held-lost", "1/nvr1")}


def test_one_loss_after_the_other_is_one_alarm_that_says_both(world, scan, files):
    world.hold_camera(1, T0 - 10 * HOUR, T0)
    world.remove(files[0])
    scan()
    world.remove(files[1])
    scan()
    (one,) = standing(world, "held-lost").values()
    first, second = world.listed("recordings.lost")
    assert f"(entry {first['index']})" in one.detail
    assert f"(entry {second['index']})" in one.detail
    assert len(world.listed("alarm.raised")) == 1
    assert one.detail.count("under hold 1") == 1  # the sentence is not said again


def test_a_loss_of_another_kind_is_said_in_its_own_words(world, scan, files):
    world.hold_camera(1, T0 - 10 * HOUR, T0)
    world.remove(files[0])
    scan()
    overwrite(world, files[1])
    scan.scanner.compare_held(world.now, never)
    world.remove(files[2])
    scan()
    (one,) = standing(world, "held-lost").values()
    said = [part.split(":")[0] for part in one.detail.split("; ")]
    gone = f"footage under hold 1 {losses.GONE}"
    assert said == [gone, f"footage under hold 1 {losses.OTHER}", gone]


def test_a_broken_promise_is_an_error_in_the_journal(world, scan, files):
    world.hold_camera(1, *FIRST)
    world.remove(files[0])
    with capture_logs() as told:
        scan()
    levels = {one["alarm"]: one["log_level"] for one in told if "alarm" in one}
    assert levels["held-lost"] == "error"


def test_an_alarm_does_not_grow_for_ever(world, scan, files):
    world.hold_camera(2, T0 - 30 * DAY, T0)
    for file in sorted((world.directory / "nvr1/1002").iterdir())[:8]:
        world.remove(file)
        scan()
    (one,) = standing(world, "held-lost").values()
    assert len(one.detail) <= losses.LONGEST + 20
    assert one.detail.endswith("; and more since")


@pytest.mark.parametrize("size", [1, 10])
def test_a_held_recording_that_was_overwritten_is_an_alarm(world, scan, files, size):
    """A tool put another file in its place: shorter, or with older times."""
    world.hold_camera(1, *FIRST)
    files[0].write_bytes(b"y" * size)
    world.touch(files[0], T0 - 5 * HOUR)
    assert scan.scanner.compare_held(world.now, never).quarantined == 1
    (one,) = standing(world, "held-lost").values()
    assert (one.scope, one.cameras) == ("1/nvr1", (1,))
    assert "is other than catalogued" in one.detail


def test_a_hold_goes_on_to_say_what_was_overwritten_once_its_alarm_is_acknowledged(
    world, scan, files
):
    """Whoever reads the hold next, in court or for a release, has to know; one that is
    written over again is the same one."""
    world.hold_camera(1, *FIRST)
    for size in (3, 2):
        overwrite(world, files[0], size)
        scan.scanner.compare_held(world.now, never)
        with world.catalogue.write(Priority.HOLD, world.log.by(ACTOR, world.now)) as tx:
            assert alarms.clear_in(tx, "held-lost", "1/nvr1", "told", acknowledged=True)
    assert standing(world, "held-lost") == {}
    (listed,) = hold_list(world.context()).holds
    for found in (listed, hold_show(world.context(), hold=1)):
        assert (found.overwritten, found.lost) == (1, 0)


def test_the_second_0100_of_an_autumn_night_written_over_the_first_is_an_alarm(
    world, scan, files
):
    world.hold_camera(1, *FIRST)
    files[0].write_bytes(b"y" * 11)
    world.touch(files[0], T0 - 3 * HOUR + 2 * HOUR)
    scan.scanner.compare_held(world.now, never)
    assert set(standing(world)) == {("held-lost", "1/nvr1")}


def test_held_footage_that_grows_is_no_alarm(world, scan, files):
    world.hold_camera(1, *FIRST)
    files[0].write_bytes(b"y" * 20)
    world.touch(files[0], T0 - 3 * HOUR + MINUTE)
    assert scan.scanner.compare_held(world.now, never).changed == 1
    assert standing(world) == {}


@pytest.fixture
def growing(world, scan):
    """A held file of 20 bytes, written on by a clock that is 20 minutes behind: what was
    added came late, and is in doubt."""
    scan(T0 + HOUR)
    path, at = "1001/2026-07-20_11-40-00.mp4", T0 + 2 * HOUR
    world.hold_camera(1, at - 20 * MINUTE, at + HOUR)
    file = world.write(path, at - 20 * MINUTE + SECOND)
    scan(at + MINUTE)
    scan(at + 28 * MINUTE)
    file.write_bytes(b"y" * 20)
    world.touch(file, at + 10 * MINUTE)
    scan(at + 31 * MINUTE)
    (row,) = world.rows()
    assert row.state is State.QUARANTINED
    return file


def test_held_footage_that_grows_by_a_clock_that_is_behind_is_no_alarm(
    world, scan, growing
):
    assert standing(world, "held-lost") == {}
    growing.write_bytes(b"y" * 30)
    world.touch(growing, world.now + 9 * MINUTE)
    world.now += 30 * MINUTE
    result = scan.scanner.compare_held(world.now, never)
    assert (result.quarantined, result.said().overwritten) == (1, 0)
    assert standing(world, "held-lost") == {}


@pytest.mark.parametrize(("size", "later"), [(19, 5 * MINUTE), (30, 2 * HOUR)])
def test_it_is_one_where_it_shrinks_or_is_written_long_after(
    world, scan, growing, size, later
):
    growing.write_bytes(b"y" * size)
    world.touch(growing, T0 + 2 * HOUR + 10 * MINUTE + later)
    world.now += 5 * HOUR
    result = scan.scanner.compare_held(world.now, never)
    assert (result.quarantined, result.said().overwritten) == (1, 1)
    assert set(standing(world, "held-lost")) == {("held-lost", "1/nvr1")}


def test_held_footage_that_grows_by_a_clock_put_ahead_meanwhile_is_no_alarm(
    world, scan, files
):
    world.hold_camera(1, T0, T0 + HOUR)
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + 10 * MINUTE)
    scan(T0 + 11 * MINUTE)
    file.write_bytes(b"y" * 20)
    world.touch(file, T0 + 55 * MINUTE)
    for minute in (15, 16):
        world.now = T0 + minute * MINUTE
        scan.scanner.compare_held(world.now, never)
    assert [row.state for row in world.rows()].count(State.QUARANTINED) == 1
    assert standing(world, "held-lost") == {}


def test_what_no_hold_kept_is_lost_all_the_same(world, scan, files):
    world.hold_camera(1, *FIRST)
    world.remove(files[2])
    overwrite(world, files[3])
    scan()
    scan.scanner.reconcile(world.now, never)
    (one,) = standing(world).values()
    assert (one.name, one.scope, one.cameras) == ("lost", "nvr1", (1,))
    assert one.detail.startswith(
        "1 recording of camera 1001 vanished, and not by this program, from "
    )


# -- all of a camera, most of a root ------------------------------------------------------


def test_all_of_a_camera_gone_is_an_alarm(world, scan, files):
    shutil.rmtree(files[0].parent)
    world.settle(world.directory / "nvr1")
    scan()
    (one,) = standing(world, "camera-gone").values()
    assert (one.scope, one.cameras) == ("nvr1/1001", (1,))


def test_a_camera_that_still_records_elsewhere_is_not_gone(world, scan, files):
    world.write("1001/2026-07-20_06-00-00.mp4", T0 - 3 * HOUR, root="nvr2")
    world.scanner("nvr2").scan(world.now, never)
    shutil.rmtree(files[0].parent)
    world.settle(world.directory / "nvr1")
    scan()
    assert standing(world, "camera-gone") == {}


def empty(world, scan, count):
    """Have so many of a camera's 40 files removed, in two scans."""
    fill(world, "1002", hours=range(20), ago=2)
    scan()
    doomed = sorted((world.directory / "nvr1/1002").iterdir())[:count]
    for part in (doomed[: count // 2], doomed[count // 2 :]):
        for file in part:
            world.remove(file)
        world.now += MINUTE
        scan()


def test_over_half_of_a_root_gone_stops_its_deletion(world, scan, files):
    empty(world, scan, 23)
    (one,) = standing(world, "vanished").values()
    assert one.scope == "nvr1"
    assert "23 of 44 recordings of nvr1 vanished" in one.detail


def test_half_of_a_root_or_less_does_not(world, scan, files):
    empty(world, scan, 22)
    assert standing(world, "vanished") == {}


def test_twenty_files_may_vanish_whatever_part_they_are(world, scan):
    files = fill(world, "1001", hours=range(21), ago=1)
    scan()
    for file in files[1:]:
        world.remove(file)
    scan()
    assert standing(world, "vanished") == {}


def test_two_looks_a_minute_apart_are_one_however_long_files_vanished_before(
    world, scan, files
):
    """The hour is the last one, not one that a lone loss began."""
    fill(world, "1002", hours=range(20), ago=2)
    scan()
    doomed = sorted((world.directory / "nvr1/1002").iterdir())
    for minutes, part in ((0, doomed[:1]), (59, doomed[1:16]), (2, doomed[16:32])):
        world.now += minutes * MINUTE
        for file in part:
            world.remove(file)
        scan()
    (one,) = standing(world, "vanished").values()
    assert one.detail.startswith("31 of 43 recordings of nvr1 vanished since ")


def replace_disk(world):
    """Two people said that another disk is root nvr1 now: an empty one."""
    path = world.directory / "nvr1"
    world.let_go()
    shutil.rmtree(path)
    path.mkdir()
    create_identity(path, "new", CATALOGUE_UUID)
    with world.catalogue.write(Priority.HOLD) as tx:
        roots.replace(tx, roots.get(tx, 1), "new")
    world.roots["nvr1"] = world.open_root(1, "nvr1", path, "new")
    return world.scanner()


def test_what_lay_on_the_disk_that_people_replaced_needs_no_second_ruling(
    world, scan, files
):
    """What it did not bring along is told, once, and so is what a hold kept."""
    world.hold_camera(1, *FIRST)
    scanner = replace_disk(world)
    scanner.scan(world.now, never)
    assert scanner.reconcile(world.now, never).lost == 24
    assert set(standing(world)) == {("held-lost", "1/nvr1"), ("lost", "nvr1")}


def test_what_vanishes_from_the_new_disk_is_as_on_any_other(world, scan, files):
    scanner = replace_disk(world)
    scanner.scan(world.now, never)
    scanner.reconcile(world.now, never)
    fill(world, "1001", hours=range(21), ago=1)
    world.now += MINUTE
    scanner.scan(world.now, never)
    shutil.rmtree(world.directory / "nvr1/1001")
    world.settle(world.directory / "nvr1")
    assert scanner.scan(world.now, never).lost == 21
    assert ("vanished", "nvr1") in standing(world)


def test_a_root_emptied_while_the_service_was_down_is_found_page_by_page(
    world, scan, files
):
    fill(world, "1002", hours=range(20), ago=2)
    scan()
    for name in ("1001", "1002"):
        shutil.rmtree(world.directory / "nvr1" / name)
    world.scanner().reconcile(world.now, never)
    assert ("vanished", "nvr1") in standing(world)


def test_what_the_recorder_deletes_at_its_age_is_no_alarm(world):
    fill(world, "1002", hours=range(23), ago=1)
    scanner = world.scanner(recorder_keeps=3 * DAY)
    scanner.scan(world.now, never)
    shutil.rmtree(world.directory / "nvr1/1002")
    world.settle(world.directory / "nvr1")
    world.now += 3 * DAY
    assert scanner.scan(world.now, never).lost == 23
    assert standing(world) == {}


def test_nor_what_vanishes_at_the_age_at_which_it_was_seen_to_delete(world, scan):
    fill(world, "1001", hours=range(22), ago=1)
    fill(world, "1002", hours=range(22), ago=1)
    scan()
    world.now += 3 * DAY
    for camera in ("1001", "1002"):
        for file in (world.directory / "nvr1" / camera).iterdir():
            world.remove(file)
        scan()
        world.now += 2 * HOUR
    names = [name for name, _ in standing(world)]
    assert names.count("camera-gone") == 1
