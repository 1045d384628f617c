"""Quarantine, the zone check, ambiguous names, and files that change."""

import os

import pytest

from retention.catalogue import recordings
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State

T0 = 1_784_541_600 * SECOND  # 20 Jul 2026, 10:00:00 UTC; the world's now is 12:20


def doubts(world):
    return [
        row["reason"]
        for entry in world.entries("recordings.quarantined")
        for row in entry["rows"]
    ]


def doubt_of(world):
    """The one doubt about the one recording."""
    (row,) = world.rows()
    with world.catalogue.read() as tx:
        return recordings.doubt(tx, row.key)


@pytest.mark.parametrize(
    ("name", "mtime", "reason"),
    [
        ("2026-07-20_10-00-00", T0 - 6 * MINUTE, "name is later than mtime"),
        ("2026-07-20_02-00-00", T0, "mtime is long after name"),
        ("2026-07-21_10-00-00", T0 + DAY + MINUTE, "dated in the future"),
    ],
)
def test_a_name_that_does_not_fit_goes_into_quarantine(
    world, scan, name, mtime, reason
):
    world.write(f"1001/{name}.mp4", mtime)
    scan()
    scan(world.NOW + MINUTE)  # an mtime in the future waits from the first look
    (row,) = world.rows()
    assert (row.state, doubts(world)) == (State.QUARANTINED, [reason])


def test_what_a_recorder_that_is_ahead_writes_on_its_own_disk_is_in_doubt(world, scan):
    """Its clock sets name and mtime alike: only that they come too soon gives it away."""
    scan()
    world.write("1001/2026-07-20_12-00-00.mp4", world.NOW + 40 * MINUTE)
    scan(world.NOW + MINUTE)
    scan(world.NOW + 2 * MINUTE)
    assert doubts(world) == ["dated in the future"]


def test_a_file_that_grows_by_a_clock_that_is_ahead_comes_into_doubt(world, scan):
    path = "1001/2026-07-20_12-00-00.mp4"
    world.write(path, world.NOW)
    scan(world.NOW + MINUTE)
    world.write(path, world.NOW + 40 * MINUTE, size=40)
    scan(world.NOW + 2 * MINUTE)
    scan(world.NOW + 3 * MINUTE)
    assert doubts(world) == ["dated in the future"]


@pytest.mark.parametrize(
    ("name", "mtime"),
    [
        ("2026-07-20_10-00-00", T0 - 5 * MINUTE),
        ("2026-07-20_10-00-00", T0 + HOUR + 5 * MINUTE),
    ],
)
def test_a_clock_that_is_a_little_wrong_is_no_doubt(world, scan, name, mtime):
    world.write(f"1001/{name}.mp4", mtime)
    scan()
    assert [row.state for row in world.rows()] == [State.PRESENT]


def test_the_period_of_a_file_in_doubt_counts_from_when_it_was_seen(world, scan):
    world.write("1001/2026-07-20_02-00-00.mp4", T0)
    scan()
    assert doubt_of(world) == (world.NOW, T0, "mtime is long after name")


def test_a_backup_restored_without_its_times_is_in_doubt(world, scan):
    """cp without -p: all mtimes are now."""
    for hour in range(6):
        world.write(f"1001/2026-07-01_{hour:02}-00-00.mp4", world.NOW)
    assert scan().open == 6
    result = scan(world.NOW + MINUTE)
    assert (result.added, result.quarantined) == (6, 6)


def test_recordings_of_a_day_are_told_from_wrong_mtimes_by_the_next_start(world, scan):
    for day in (10, 11, 12):
        midnight = T0 - 10 * HOUR - (20 - day) * DAY
        world.write(f"1001/2026-07-{day}_00-00-00.mp4", midnight + DAY - SECOND)
    scan()
    (stream,) = world.streams()
    assert [row.state for row in world.rows()] == [State.PRESENT] * 3
    assert [row.duration for row in world.rows()] == [DAY, DAY, DAY - SECOND]
    assert stream.max_length == DAY


def test_one_long_file_without_a_second_witness_is_in_doubt(world, scan):
    midnight = T0 - 10 * HOUR
    world.write("1001/2026-07-19_00-00-00.mp4", midnight - SECOND)
    scan()
    assert doubts(world) == ["mtime is long after name"]


def test_a_file_of_more_than_a_day_is_in_doubt_whatever_follows(world, scan):
    world.write("1001/2026-07-15_00-00-00.mp4", T0 - SECOND)
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    assert doubts(world) == ["mtime is long after name"]


@pytest.mark.parametrize(("minutes", "hours_utc"), [(20, 0), (80, 1)])
def test_an_autumn_name_is_decided_by_its_mtime(world, scan, minutes, hours_utc):
    """25 Oct 2026, 01:10 comes twice: 00:10Z and 01:10Z."""
    ten_past = 1_792_887_000 * SECOND  # 00:10Z
    world.now = ten_past + 30 * DAY
    world.write("1001/2026-10-25_01-10-00.mp4", ten_past + minutes * MINUTE)
    world.scanner(timezone="Europe/London", max_length=30 * MINUTE).scan(
        world.now, lambda: False
    )
    assert [row.start for row in world.rows()] == [ten_past + hours_utc * HOUR]


def test_an_autumn_name_that_nothing_decides_is_the_later_and_is_in_doubt(world):
    ten_past = 1_792_887_000 * SECOND
    world.now = ten_past + 30 * DAY
    world.write("1001/2026-10-25_01-10-00.mp4", ten_past + 9 * HOUR)
    scanner = world.scanner(timezone="Europe/London")
    for _ in range(2):
        scanner.scan(world.now, lambda: False)
    (row,) = world.rows()
    assert (row.start, row.state) == (ten_past + HOUR, State.QUARANTINED)


def test_the_repeated_hour_is_one_row_for_each_path(world):
    """A scanner without memory meets the ambiguous name again: one path, one row."""
    ten_past = 1_792_887_000 * SECOND
    world.now = ten_past + 30 * DAY
    world.write("1001/2026-10-25_01-10-00.mp4", ten_past + HOUR + 40 * MINUTE)
    for _ in range(2):
        world.scanner(timezone="Europe/London").scan(world.now, lambda: False)
    assert len(world.rows()) == 1


def hourly(world, count, *, offset, camera="1001", first=T0 - 3 * DAY):
    """Hours of a recorder whose names are `offset` ahead of UTC; mtimes are true."""
    from datetime import UTC, datetime

    for number in range(count):
        start = first + number * HOUR
        shown = datetime.fromtimestamp((start + offset) / 1e6, UTC)
        world.write(f"{camera}/{shown:%Y-%m-%d_%H-%M-%S}.mp4", start + HOUR + SECOND)


def test_an_archive_with_the_wrong_zone_is_found_at_its_adoption(world, scan):
    """Names are summer time, settings say UTC."""
    hourly(world, 48, offset=HOUR)
    result = scan()
    (entry,) = world.entries("stream.quarantined")
    (adopted,) = world.entries("root.adopted")
    assert (entry["offset"], adopted["zone_error"]) == (HOUR, HOUR)
    assert {row.state for row in world.rows()} == {State.QUARANTINED}
    assert (result.quarantined, world.streams()[0].quarantined) == (48, world.NOW)


def test_names_in_utc_read_as_summer_time_are_found(world):
    hourly(world, 48, offset=0)
    world.scanner(timezone="Europe/London").scan(world.NOW, lambda: False)
    assert [e["offset"] for e in world.entries("stream.quarantined")] == [-HOUR]


def test_a_wrong_zone_is_found_in_the_summer_part_of_an_archive(world):
    """The clocks went back since: the newest 20 recordings look right."""
    back = 1_792_890_000 * SECOND  # 25 Oct 2026, 01:00Z
    world.now = back + 10 * DAY
    hourly(world, 40, offset=HOUR, first=back - 3 * DAY)
    hourly(world, 40, offset=0, first=back + 2 * DAY)
    world.scanner().scan(world.now, lambda: False)
    assert [e["offset"] for e in world.entries("stream.quarantined")] == [HOUR]


def test_the_right_zone_is_not_doubted(world):
    hourly(world, 48, offset=HOUR)
    world.scanner(timezone="Europe/London").scan(world.NOW, lambda: False)
    assert world.entries("stream.quarantined") == []
    assert {row.state for row in world.rows()} == {State.PRESENT}


def test_a_zone_that_goes_wrong_later_is_found_and_later_files_are_in_doubt(
    world, scan
):
    hourly(world, 30, offset=0)
    scan()
    # The recorder was switched to local time.
    hourly(world, 20, offset=HOUR, first=T0 - 3 * DAY + 31 * HOUR)
    scan()
    hourly(world, 1, offset=HOUR, first=T0 - 3 * DAY + 51 * HOUR)
    result = scan()
    assert len(world.entries("stream.quarantined")) == 1
    assert (result.added, result.quarantined) == (1, 1)


def test_events_half_an_hour_apart_are_no_wrong_zone(world):
    """Clips of 20 s can't be clips of half an hour."""
    from datetime import UTC, datetime

    for number in range(30):
        start = T0 - 3 * DAY + number * 30 * MINUTE
        shown = datetime.fromtimestamp(start / 1e6, UTC)
        world.write(f"1001/{shown:%Y-%m-%d_%H-%M-%S}.mp4", start + 20 * SECOND)
    world.scanner(max_length=2 * MINUTE).scan(world.NOW, lambda: False)
    assert world.entries("stream.quarantined") == []


def test_a_newest_file_that_is_written_on_ends_later(world, scan):
    file = world.write("1001/2026-07-20_11-00-00.mp4", T0 + HOUR + 20 * MINUTE, 10)
    scan(T0 + HOUR + 21 * MINUTE)
    file.write_bytes(b"x" * 20)
    os.utime(file, ns=((T0 + HOUR + 50 * MINUTE) * 1000,) * 2)
    result = scan(world.NOW + MINUTE)
    (row,) = world.rows()
    assert (row.end, row.size) == (T0 + HOUR + 50 * MINUTE, 20)
    assert (result.changed, len(world.entries("recording.changed"))) == (1, 1)


def buffered(world, scan):
    """A file catalogued while its recorder buffers: 48 bytes, not written for a while;
    then the rest of it, in the very moment in which the next file begins."""
    first = world.write("1001/2026-07-20_11-00-00.mp4", T0 + HOUR + SECOND, 48)
    scan(T0 + HOUR + MINUTE)
    first.write_bytes(b"x" * 25_000)
    os.utime(first, ns=((T0 + HOUR + 10 * MINUTE) * 1000,) * 2)
    world.write("1001/2026-07-20_11-10-00.mp4", T0 + HOUR + 20 * MINUTE)


def test_a_file_that_ends_as_the_next_one_begins_gets_its_true_end(world, scan):
    buffered(world, scan)
    scan(world.NOW + MINUTE)
    first = world.rows()[0]
    assert (first.end, first.size) == (T0 + HOUR + 10 * MINUTE, 25_000)


def test_so_it_does_when_several_began_since_and_after_a_restart(world, scan):
    buffered(world, scan)
    for minute in (20, 30, 40):
        name = f"1001/2026-07-20_11-{minute}-00.mp4"
        world.write(name, T0 + HOUR + (minute + 10) * MINUTE)
    world.scanner().scan(world.NOW + MINUTE, lambda: False)
    first = world.rows()[0]
    assert (first.end, first.size) == (T0 + HOUR + 10 * MINUTE, 25_000)


def test_one_that_is_not_quiet_yet_is_looked_at_until_it_is(world, scan):
    """A clip that began and ended inside it is the stream's newest by then."""
    now = world.NOW
    first = world.write("1001/2026-07-20_12-10-00.mp4", now - 10 * MINUTE + SECOND, 48)
    scan()
    first.write_bytes(b"x" * 25_000)
    os.utime(first, ns=(now * 1000,) * 2)
    world.write("1001/2026-07-20_12-15-00.mp4", now - 4 * MINUTE)
    scan(now + 10 * SECOND)
    assert world.rows()[0].size == 48
    scan(now + MINUTE)
    assert (world.rows()[0].end, world.rows()[0].size) == (now, 25_000)


def test_growth_is_noted_once_the_file_is_quiet(world, scan):
    file = world.write("1001/2026-07-20_11-00-00.mp4", T0 + HOUR + 20 * MINUTE)
    scan()
    os.utime(file, ns=(world.NOW * 1000,) * 2)
    assert (scan().open, world.entries("recording.changed")) == (1, [])


def test_an_autumn_name_that_is_used_again_keeps_the_whole_time(world):
    """The recorder overwrote the first 01:10 with the second one."""
    ten_past = 1_792_887_000 * SECOND
    world.now = ten_past + 50 * MINUTE
    file = world.write("1001/2026-10-25_01-10-00.mp4", ten_past + 40 * MINUTE)
    scanner = world.scanner(timezone="Europe/London", max_length=2 * HOUR)
    scanner.scan(world.now, lambda: False)
    os.utime(file, ns=((ten_past + 100 * MINUTE) * 1000,) * 2)
    scanner.scan(ten_past + 3 * HOUR, lambda: False)
    assert [(r.start, r.end) for r in world.rows()] == [
        (ten_past, ten_past + 100 * MINUTE)
    ]


@pytest.mark.parametrize(
    ("size", "mtime", "reason"),
    [
        (5, T0 + HOUR, "the file is smaller than it was"),
        (10, T0 + 30 * MINUTE, "the file is older than it was"),
        (10, T0 + 2 * HOUR, "the file was changed long after its name"),
    ],
)
def test_a_file_that_changed_in_no_good_way_is_kept_and_in_doubt(
    world, scan, size, mtime, reason
):
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    file.write_bytes(b"x" * size)
    os.utime(file, ns=(mtime * 1000,) * 2)
    scan(world.NOW + MINUTE)
    (row,) = world.rows()
    assert (row.state, row.size) == (State.QUARANTINED, size)
    assert row.end == T0 + HOUR
    assert doubts(world) == [reason]


def test_a_file_in_quarantine_that_changes_again_starts_nothing_anew(world, scan):
    file = world.write("1001/2026-07-20_02-00-00.mp4", T0)
    scan()
    os.utime(file, ns=((T0 + MINUTE) * 1000,) * 2)
    scan(world.NOW + MINUTE)
    assert doubt_of(world) == (
        world.NOW, T0 + MINUTE, "the file was changed while in quarantine",
    )  # fmt: skip


def test_one_that_grew_in_quarantine_has_new_footage_and_counts_anew(world, scan):
    file = world.write("1001/2026-07-20_02-00-00.mp4", T0)
    scan()
    world.write("1001/2026-07-20_02-00-00.mp4", T0, size=20)
    scan(world.NOW + MINUTE)
    assert file.stat().st_size == 20
    assert doubt_of(world).seen == world.NOW + MINUTE


def test_a_doubt_that_comes_later_starts_no_second_period(world, scan):
    """Watched since before it was recorded; ten days later somebody touches it."""
    for minute in range(-60, 60, 5):
        scan(T0 + minute * MINUTE)
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    for minute in range(60, 180, 5):
        scan(T0 + minute * MINUTE)
    world.touch(file, T0 + 9 * DAY)
    scan(T0 + 10 * DAY)
    assert doubt_of(world) == (
        T0 + HOUR, T0 + 9 * DAY, "the file was changed long after its name",
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 10, 20])
def test_one_whose_name_a_right_clock_comes_to_counts_from_its_own_end(
    world, scan, size
):
    """The clock was two days ahead; once it is put right, a file takes the same name."""
    for minute in range(-60, 60, 5):
        scan(T0 - 2 * DAY + minute * MINUTE)
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    for minute in (120, 125):
        scan(T0 - 2 * DAY + minute * MINUTE)
    file.write_bytes(b"x" * size)
    world.touch(file, T0 + HOUR + 20 * SECOND)
    scan(T0 + 2 * HOUR)
    assert doubt_of(world).seen >= T0 + HOUR + 20 * SECOND


def test_other_bytes_may_be_new_footage_and_count_anew(world, scan):
    """A recorder whose clock went back came to that name again, and took it."""
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    file.write_bytes(b"x")
    world.touch(file, T0 + HOUR)
    scan(T0 + 10 * DAY)
    assert doubt_of(world).seen == T0 + 10 * DAY


def test_it_counts_from_the_first_scan_after_a_weekend_without_one(world, scan):
    """Recorded while the service was down: it may have come at any time of it."""
    scan(T0 - DAY)
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    for day in (2, 3):
        scan(T0 + day * DAY)
    world.touch(file, T0 + 30 * MINUTE)
    scan(T0 + 10 * DAY)
    assert doubt_of(world).seen == T0 + 2 * DAY


def test_it_counts_from_the_adoption_of_what_was_there_before(world, scan):
    file = world.write("1001/2026-07-01_10-00-00.mp4", T0 - 19 * DAY + HOUR)
    scan()
    scan(world.NOW + MINUTE)
    world.touch(file, T0 - 19 * DAY + 30 * MINUTE)
    scan(world.NOW + 10 * DAY)
    assert doubt_of(world).seen == world.START


def test_scans_by_a_clock_that_is_not_believed_are_no_looks(world, scan):
    scan(T0 - DAY)
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    for day in (1, 2):
        scan(T0 + day * DAY, believed=False)
    scan(T0 + 3 * DAY)
    world.touch(file, T0 + 30 * MINUTE)
    scan(T0 + 4 * DAY)
    assert doubt_of(world).seen == T0 + 3 * DAY


def test_a_row_of_a_batch_in_flight_is_left_to_it(world, scan):
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    with world.catalogue.write(0) as tx:
        tx.exec_driver_sql("UPDATE recording SET state = 1")
    os.utime(file, ns=((T0 + HOUR + MINUTE) * 1000,) * 2)
    assert scan(world.NOW + MINUTE).changed == 0
