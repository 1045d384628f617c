"""What was put in the place of another under the same name is seen with the next cycle,
though no name tells of it."""

import os
from itertools import count

import pytest

from retention.footage.ingest.reconcile import PAGE
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State
from tests.support.world import never

T0 = 1_784_541_600 * SECOND
NAMES = [f"1001/2026-07-20_{hour:02}-00-00.mp4" for hour in range(6, 10)]


@pytest.fixture
def files(world, scan):
    """Four hours of one camera, which nobody holds."""
    made = [
        world.write(name, T0 - 3 * HOUR + number * HOUR)
        for number, name in enumerate(NAMES)
    ]
    world.now = T0 + HOUR
    scan()
    scan()
    return made


def put_over(world, file, text=b"of another time"):
    """As a recorder does it whose clock is back at that time: written beside, renamed."""
    aside = world.directory / "aside"
    aside.write_bytes(text)
    world.touch(aside, T0 - 2 * HOUR)
    aside.rename(file)
    world.settle(file.parent)


def in_doubt(world, camera=1):
    with world.catalogue.write(0) as tx:
        tx.exec_driver_sql(
            "UPDATE stream SET quarantined = ? WHERE camera = ?", (T0, camera)
        )


def compared(world, scan, stop=never):
    return scan.scanner.compare_written_over(world.now, stop)


def test_a_file_put_over_one_of_a_stream_that_nobody_doubts(world, scan, files):
    put_over(world, files[1])
    scan()
    assert compared(world, scan).quarantined == 1
    assert len(world.entries("recordings.quarantined")) == 1


def test_its_period_counts_from_when_it_was_seen_not_from_a_day_later(
    world, scan, files
):
    world.now += DAY
    put_over(world, files[1])
    scan()
    compared(world, scan)
    with world.catalogue.read() as tx:
        seen = tx.exec_driver_sql("SELECT seen FROM quarantine").scalar_one()
    assert seen == world.now


def test_a_file_written_over_in_place_in_a_stream_in_doubt(world, scan, files):
    """Its directory does not show it."""
    in_doubt(world)
    scan()
    files[0].write_bytes(b"of another time")
    at = (T0 - 3 * HOUR) * 1000
    os.utime(files[0], ns=(at, at))
    assert compared(world, scan).quarantined == 1


def test_where_nothing_hints_at_it_nothing_is_compared(world, scan, files):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR - 30 * SECOND)
    scan()
    scan()
    assert compared(world, scan).files == 0


def test_a_directory_is_compared_once(world, scan, files):
    put_over(world, files[1], b"x" * files[1].stat().st_size)
    scan()
    assert compared(world, scan).files == 4
    scan()
    assert compared(world, scan).files == 0


def test_what_this_program_deleted_is_no_hint(world, scan, files):
    files[2].unlink()
    scan.scanner.forget([NAMES[2].encode()])
    world.settle(files[2].parent)
    scan()
    assert compared(world, scan).files == 0


def test_what_its_recorder_deleted_is_no_hint(world, scan, files):
    world.remove(files[0])
    scan()
    assert compared(world, scan).files == 0


def test_a_name_aside_that_went_when_it_was_put_over_hides_nothing(world, scan, files):
    part = files[1].with_suffix(".part")
    part.write_bytes(b"of another time")
    world.touch(part, T0 - 2 * HOUR)
    world.settle(part.parent)
    scan()
    assert compared(world, scan).files == 0
    part.rename(files[1])
    world.settle(part.parent)
    os.utime(part.parent, ns=(T0 * 1000, (T0 + MINUTE) * 1000))
    scan()
    assert compared(world, scan).quarantined == 1


def test_more_than_a_cycle_compares_is_compared_in_the_next(world, scan, files):
    in_doubt(world)
    number = PAGE + 10
    for second in range(number):
        minute, rest = divmod(second, 60)
        at = T0 - 20 * HOUR + second * SECOND
        world.write(f"1001/2026-07-19_14-{minute:02}-{rest:02}.mp4", at + SECOND)
    scan()
    found = []
    for _ in range(3):
        pages = count()
        found.append(compared(world, scan, stop=lambda: next(pages) >= 1))  # noqa: B023
    assert sum(one.files for one in found) >= number
    assert not found[0].complete
    assert found[0].files <= PAGE


# -- a larger one, which might have been written on ------------------------------------------


def ten_minutes(world, scan, count=4, seen=None):
    """Files of a recorder that goes on with the next as one ends."""
    made = []
    for number in range(count):
        end = T0 + (number + 1) * 10 * MINUTE
        name = f"1003/2026-07-20_10-{10 * number:02}-00.mp4"
        made.append(world.write(name, end, 2_000))
    world.now = seen or T0 + count * 10 * MINUTE + MINUTE
    scan()
    scan()
    return made


@pytest.mark.parametrize("late", [False, True])
def test_a_larger_file_put_over_a_finished_one_is_no_growth(world, scan, late):
    """Within the longest that a recording may be, and under a hold; also where it came
    late."""
    camera = world.camera("1003")
    world.write("1003/2026-07-20_09-00-00.mp4", T0 - 59 * MINUTE)
    world.now = T0 - 50 * MINUTE if not late else T0 + 50 * MINUTE
    scan()
    scan()
    made = ten_minutes(world, scan, seen=T0 + 51 * MINUTE)
    (row,) = [r for r in world.rows() if r.start == T0]
    assert (row.state is State.QUARANTINED) == late
    world.hold_camera(camera, T0, T0 + HOUR)
    for number in (1, 2):
        world.now += 5 * MINUTE
        made[0].write_bytes(b"y" * (2_000 + number))
        world.touch(made[0], world.now - MINUTE)
        scan()
        compared(world, scan)
        scan()
    (changed,) = [r for r in world.rows() if r.start == T0]
    assert (changed.state, changed.end) == (State.QUARANTINED, row.end)
    assert {one["alarm"] for one in world.entries("alarm.raised")} >= {"held-lost"}


def test_what_was_not_at_rest_when_it_was_compared_is_looked_at_until_it_is(
    world, scan
):
    world.camera("1003")
    made = ten_minutes(world, scan)
    world.now += MINUTE
    made[1].write_bytes(b"y" * 3_000)
    world.touch(made[1], world.now)
    scan()
    assert compared(world, scan).quarantined == 0
    world.now += 2 * MINUTE
    assert scan().quarantined == 1


def test_a_file_put_over_one_beside_what_is_being_written(world, scan, files):
    """The camera records on, into the same day's directory."""
    world.write("1001/2026-07-20_10-00-00.mp4", world.now)
    scan()
    put_over(world, files[1])
    scan()
    assert compared(world, scan).quarantined == 1


@pytest.mark.parametrize("size", [2_000, 2_001])
def test_the_newest_recording_is_no_longer_for_being_touched(world, scan, size):
    """Half an hour after it ended: by a copy, a backup, or another put in its place.  One
    that has more may have been written on, buffered."""
    world.camera("1003")
    made = ten_minutes(world, scan)
    end = T0 + 40 * MINUTE
    world.hold_camera(3, T0, T0 + 2 * HOUR)
    world.now = end + 40 * MINUTE
    made[-1].write_bytes(b"y" * size)
    world.touch(made[-1], end + 10 * MINUTE)
    scan()
    newest = max(world.rows(), key=lambda one: one.start)
    grew = size > 2_000
    assert newest.end == (end + 10 * MINUTE if grew else end)
    assert newest.state is (State.PRESENT if grew else State.QUARANTINED)
    alarms = {one["alarm"] for one in world.entries("alarm.raised")}
    assert ("held-lost" in alarms) is not grew
