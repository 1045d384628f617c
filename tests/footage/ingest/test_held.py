"""What a hold keeps is looked at: hourly, and before each answer about it."""

import os

import pytest

from retention.catalogue import holds
from retention.footage.ingest.held import compared
from retention.footage.ingest.rulings import recording_resolve
from retention.model.errors import RootUnavailableError
from retention.model.policy import Holds
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State, Window
from tests.support.world import never

T0 = 1_784_541_600 * SECOND
NAMES = [f"1001/2026-07-20_{hour:02}-00-00.mp4" for hour in range(6, 10)]
SECOND_HOUR = Window(T0 - 3 * HOUR, T0 - 2 * HOUR)


@pytest.fixture
def files(world, scan):
    """Four hours of one camera, the second of them under hold 1."""
    made = [
        world.write(name, T0 - 3 * HOUR + number * HOUR)
        for number, name in enumerate(NAMES)
    ]
    world.write("1002/2026-07-20_06-00-00.mp4", T0 - 3 * HOUR)
    scan()
    world.hold_camera(1, *SECOND_HOUR)
    return made


@pytest.fixture
def scanner(world):
    """As after a start: it remembers no name, so a scan would miss nothing."""
    return world.scanner()


def inspect(world, scanner, *windows, camera=1, most=100_000, stop=never):
    wanted = {camera: Holds(tuple(windows or (SECOND_HOUR,)))}
    return scanner.inspect(wanted, world.now, most, stop).said()


def age(world):
    with world.catalogue.read() as tx:
        return compared(tx, world.root().key)


def test_a_held_recording_that_was_removed_is_lost_with_the_next_comparison(
    world, scanner, files
):
    for file in files:
        file.unlink()
    result = scanner.compare_held(world.now, never)
    (entry,) = world.entries("recordings.lost")
    assert (result.lost, entry["held"], len(world.rows())) == (1, 1, 4)
    assert result.complete


def test_a_held_recording_that_shrank_is_in_quarantine_with_the_next_comparison(
    world, scanner, files
):
    files[1].write_bytes(b"x")
    world.touch(files[1], T0 - 2 * HOUR)
    assert scanner.compare_held(world.now, never).quarantined == 1
    states = {row.start: row.state for row in world.rows()}
    assert states[T0 - 3 * HOUR] is State.QUARANTINED


def test_a_held_recording_in_whose_place_a_larger_one_was_put_is_told(
    world, scanner, files
):
    """The folders of two cameras were exchanged: names and times are the same."""
    files[1].write_bytes(b"y" * 99)
    world.touch(files[1], T0 - 2 * HOUR)
    assert inspect(world, scanner).overwritten == 1
    (alarm,) = world.entries("alarm.raised")
    assert alarm["alarm"] == "held-lost"


def test_what_no_hold_keeps_is_left_to_the_reconciliation(world, scanner, files):
    files[0].unlink()
    files[3].write_bytes(b"")
    result = scanner.compare_held(world.now, never)
    assert (result.lost, result.quarantined) == (0, 0)


def test_a_hold_that_cools_off_is_looked_at_and_one_that_is_over_is_not(
    world, scanner, files
):
    files[1].unlink()
    world.release(1, world.now - DAY, free_at=world.now)
    assert scanner.compare_held(world.now, never).lost == 0
    with world.catalogue.write(0) as tx:
        tx.exec_driver_sql("UPDATE hold SET free_at = ?", (world.now + 1,))
    assert scanner.compare_held(world.now, never).lost == 1


def test_any_hold_of_the_camera_has_its_recordings_in_doubt_looked_at(
    world, scan, scanner, files
):
    doubtful = world.write("1001/2026-07-20_02-00-00.mp4", T0)
    scan()
    doubtful.unlink()
    assert scanner.compare_held(world.now, never).lost == 1


def test_all_of_a_stream_in_doubt_is_looked_at(world, scanner, files):
    with world.catalogue.write(0) as tx:
        tx.exec_driver_sql("UPDATE stream SET quarantined = ? WHERE camera = 1", (T0,))
    for file in files:
        file.unlink()
    assert scanner.compare_held(world.now, never).lost == 4


def test_a_comparison_that_gave_way_goes_on_where_it_was(world, scan, scanner, files):
    world.write("1002/2026-07-20_07-00-00.mp4", T0 - 2 * HOUR)
    scan()
    world.hold_camera(2, T0 - 4 * HOUR, T0)
    asked = iter([False, True])
    assert not scanner.compare_held(world.now, lambda: next(asked)).complete
    assert age(world) is None
    began, world.now = world.now, world.now + MINUTE
    assert scanner.compare_held(world.now, never).complete
    assert age(world) == began


def test_a_held_file_that_comes_back_is_met_again(world, scan, files):
    files[1].rename(kept := world.directory / "kept.mp4")
    assert scan.scanner.compare_held(world.now, never).lost == 1
    kept.rename(files[1])
    world.touch(files[1], T0 - 2 * HOUR)
    scan()
    assert len(world.rows()) == 5


def test_a_root_that_went_away_loses_nothing(world, scanner, files):
    (world.directory / "nvr1").rename(world.directory / "elsewhere")
    with pytest.raises(RootUnavailableError):
        scanner.compare_held(world.now, never)
    assert len(world.rows()) == 5
    assert age(world) is None


def test_the_third_hour_of_a_file_longer_than_any_should_be_is_looked_at(world, scan):
    """A person has ruled that it is so long: it is held, so it is compared."""
    long = world.write("1001/2026-07-20_02-00-00.mp4", T0 - 4 * HOUR)
    scan()
    recording_resolve(world.context(), path="1001", ruling="times_right", reason="long")
    window = Window(T0 - 5 * HOUR, T0 - 5 * HOUR + MINUTE)
    world.hold_camera(1, *window)
    assert inspect(world, scan.scanner, window).files == 1
    long.unlink()
    assert scan.scanner.compare_held(world.now, never).lost == 1


# -- the inspection for an answer ---------------------------------------------------------------


def test_a_look_counts_what_the_hold_keeps_and_what_is_not_as_it_was(
    world, scanner, files
):
    files[0].unlink()
    files[1].write_bytes(b"x")
    world.touch(files[1], T0 - 2 * HOUR)
    found = inspect(world, scanner, Window(T0 - 4 * HOUR, T0))
    assert (found.files, found.lost, found.overwritten) == (4, 1, 1)
    assert found.not_looked_at == 0


def test_a_look_finds_what_holds_will_keep_before_they_are_placed(
    world, scanner, files
):
    files[3].unlink()
    assert inspect(world, scanner, Window(T0 - HOUR, T0)).lost == 1
    with world.catalogue.read() as tx:
        assert len(list(holds.listing(tx, world.now))) == 1


def test_what_a_look_had_no_time_for_is_counted(world, scanner, files):
    found = inspect(world, scanner, Window(T0 - 4 * HOUR, T0), stop=lambda: True)
    assert (found.files, found.not_looked_at) == (0, 4)


def test_more_files_than_a_look_takes_are_counted(world, scan, scanner, files):
    for minute in range(60, 160):
        at = T0 - 20 * HOUR + minute * MINUTE
        hour, rest = divmod(minute, 60)
        world.write(f"1001/2026-07-19_{14 + hour}-{rest:02}-00.mp4", at + MINUTE)
    scan()
    found = inspect(world, scanner, Window(T0 - 30 * HOUR, T0), most=50)
    assert 50 <= found.files < 104
    assert found.files + found.not_looked_at == 104


def test_a_file_that_is_written_on_is_no_loss(world, scanner, files):
    files[1].write_bytes(b"x" * 20)
    world.touch(files[1], world.now)
    found = inspect(world, scanner)
    assert (found.lost, found.overwritten, found.written_on) == (0, 0, 1)


def test_what_can_t_be_read_is_counted(world, scanner, files):
    """Whether it is there behind a link that is never followed, nobody can say."""
    files[1].parent.rename(aside := world.directory / "aside")
    files[1].parent.symlink_to(aside)
    found = inspect(world, scanner)
    assert (found.files, found.unreadable, found.lost) == (1, 1, 0)


# -- something else in a file's place -----------------------------------------------------


def linked(file, aside):
    file.rename(aside)
    file.symlink_to(aside)


def in_its_place(file, aside):
    file.rename(aside)
    file.mkdir()


def piped(file, aside):
    file.rename(aside)
    os.mkfifo(file)


@pytest.mark.parametrize("replace", [linked, in_its_place, piped])
def test_a_held_recording_that_is_only_a_link_now_is_lost_until_it_is_back(
    world, scan, files, replace
):
    replace(files[1], world.directory / "another disk")
    assert scan.scanner.compare_held(world.now, never).lost == 1
    (entry,) = world.entries("recordings.lost")
    assert (entry["held"], len(world.rows())) == (1, 4)
    files[1].rmdir() if files[1].is_dir() else files[1].unlink()
    (world.directory / "another disk").rename(files[1])
    world.touch(files[1], T0 - 2 * HOUR)
    scan()
    assert len(world.rows()) == 5
    (ended,) = world.entries("alarm.ended")
    assert ended["alarm"] == "held-lost"


def test_before_an_answer_a_link_is_seen_to_be_no_recording(world, scanner, files):
    linked(files[1], world.directory / "another disk")
    found = inspect(world, scanner)
    assert (found.files, found.lost, found.unreadable) == (1, 1, 0)


def test_a_link_where_no_hold_is_is_lost_with_the_reconciliation(world, scanner, files):
    linked(files[3], world.directory / "another disk")
    assert scanner.reconcile(world.now, never).lost == 1
    assert world.entries("recordings.lost")[0]["held"] == 0
