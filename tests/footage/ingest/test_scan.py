"""The scan: what on the disk becomes a recording, and with which end."""

import os
from pathlib import Path

import pytest

from retention.model.values import DAY, HOUR, MINUTE, SECOND, State

T0 = 1_784_541_600 * SECOND  # 20 Jul 2026, 10:00:00 UTC; the world's now is 12:20


def test_a_finished_file_becomes_a_recording(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR, 77)
    result = scan()
    (row,) = world.rows()
    assert (row.start, row.end, row.size, row.path) == (T0, T0 + HOUR, 77, None)
    assert (result.added, result.complete, result.errors) == (1, True, [])


def test_the_first_file_freezes_its_stream(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    (entry,) = world.entries("stream.opened")
    (stream,) = world.streams()
    assert (entry["layout"], entry["zone"]) == (world.LAYOUT, "UTC")
    assert (stream.name, stream.extension, stream.max_length) == ("1001", ".mp4", HOUR)


def test_a_second_scan_finds_nothing_new(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    result = scan()
    assert (result.added, result.directories_read, result.directories_skipped) == (
        0, 0, 2,
    )  # fmt: skip


def test_a_scanner_without_memory_knows_what_is_catalogued(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    result = world.scanner().scan(world.NOW, lambda: False)
    assert (result.added, result.directories_read, len(world.rows())) == (0, 2, 1)


def test_an_end_is_the_next_start_within_five_seconds_of_the_mtime(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR - 3 * SECOND)
    world.write("1001/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    scan()
    assert world.rows()[0].end == T0 + HOUR


def test_an_end_stays_the_mtime_where_the_next_start_is_later(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR - 6 * SECOND)
    world.write("1001/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    scan()
    assert world.rows()[0].end == T0 + HOUR - 6 * SECOND


def test_a_start_that_is_still_being_recorded_counts_as_next_start(world, scan):
    world.write("1001/2026-07-20_11-00-00.mp4", world.NOW - 5 * SECOND)
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR - 3 * SECOND)
    result = scan()
    (row,) = world.rows()
    assert (row.end, result.open) == (T0 + HOUR, 1)


def test_a_motion_clip_inside_a_recording_does_not_cut_it(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    world.write("1001/2026-07-20_10-20-00.mp4", T0 + 21 * MINUTE)
    scan()
    assert [row.end for row in world.rows()] == [T0 + HOUR, T0 + 21 * MINUTE]


def test_the_newest_file_waits_until_it_is_quiet(world, scan):
    world.write("1001/2026-07-20_12-00-00.mp4", world.NOW - 29 * SECOND)
    assert scan().open == 1
    assert scan(world.NOW + SECOND).added == 1


def test_a_file_whose_size_moves_while_its_mtime_stands_waits(world, scan):
    file = world.write("1001/2026-07-20_12-00-00.mp4", world.NOW - 20 * SECOND, 10)
    scan()
    file.write_bytes(b"x" * 20)
    world.touch(file, world.NOW - 20 * SECOND)
    assert scan(world.NOW + 15 * SECOND).open == 1
    assert scan(world.NOW + 44 * SECOND).open == 1
    assert scan(world.NOW + 45 * SECOND).added == 1


def test_an_earlier_neighbour_is_extended_to_a_start_that_comes_later(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR - 3 * SECOND)
    scan()
    world.write("1001/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    result = scan()
    (change,) = world.entries("recording.changed")
    assert world.rows()[0].end == T0 + HOUR
    assert result.changed == 1
    assert change["rows"][0]["duration"] == HOUR


def test_an_earlier_neighbour_is_never_shortened(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    world.write("1001/2026-07-20_10-59-58.mp4", T0 + 2 * HOUR)
    scan()
    assert world.rows()[0].end == T0 + HOUR


def test_in_dated_directories_the_next_start_is_known_across_midnight(world):
    layout = "{camera}/%Y-%m-%d/%H.%M.%S.mp4"
    world.write("1001/2026-07-18/23.00.00.mp4", T0 - 34 * HOUR - 4 * SECOND)
    world.write("1001/2026-07-19/00.00.00.mp4", T0 - 33 * HOUR)
    world.scanner(layout=layout).scan(world.NOW, lambda: False)
    assert [row.end for row in world.rows()] == [T0 - 34 * HOUR, T0 - 33 * HOUR]
    assert world.entries("recording.changed") == []


def test_two_recorders_may_record_one_camera_in_the_same_second(world):
    for name in ("nvr1", "nvr2"):
        world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR, root=name)
        world.scanner(name).scan(world.NOW, lambda: False)
    assert len(world.rows("nvr1")) == len(world.rows("nvr2")) == 1
    assert len({stream.root for stream in world.streams()}) == 2


def test_a_file_without_a_byte_is_a_recording_once_it_is_quiet(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR, 0)
    scan()
    assert [row.size for row in world.rows()] == [0]


def test_names_the_layout_can_not_render_keep_their_path(world):
    layout = "{camera}/{any}-%Y%m%d%H%M%S.mp4"
    world.write("1001/7-20260720100000.mp4", T0 + MINUTE)
    world.write("1001/8-20260720100000.mp4", T0 + 2 * MINUTE)
    for _ in range(2):
        world.scanner(layout=layout).scan(world.NOW, lambda: False)
    assert sorted((row.path, row.n) for row in world.rows()) == [
        (b"1001/7-20260720100000.mp4", 0),
        (b"1001/8-20260720100000.mp4", 1),
    ]


def test_the_name_of_a_recorder_is_mapped_to_a_camera_by_the_settings(world):
    world.write("market-place/2026-07-20_10-00-00.mp4", T0 + HOUR)
    world.scanner(cameras={"market-place": "1002"}).scan(world.NOW, lambda: False)
    (stream,) = world.streams()
    assert (stream.name, stream.camera) == ("market-place", 2)


def test_a_name_that_is_not_utf_8_is_catalogued(world):
    world.write(b"m\xe9/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scanner = world.scanner(cameras={"m%E9": "1001"})
    scanner.scan(world.NOW, lambda: False)
    (row,) = world.rows()
    assert scanner.scan(world.NOW, lambda: False).added == 0
    assert row.path is None


def test_a_file_of_the_tick_of_the_scan_is_not_missed(world, scan):
    """A directory changed within 2 s before its reading is read again."""
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    directory = world.directory / "nvr1" / "1001"
    os.utime(directory, ns=((world.NOW - 2 * SECOND) * 1000,) * 2)
    scan()
    (directory / "2026-07-20_11-00-00.mp4").write_bytes(b"x")
    os.utime(directory / "2026-07-20_11-00-00.mp4", ns=((T0 + HOUR) * 1000,) * 2)
    os.utime(directory, ns=((world.NOW - 2 * SECOND) * 1000,) * 2)
    assert scan().added == 1


def test_a_network_file_system_is_read_again_each_time(world):
    """Its directory times do not show what others change."""
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    world.root().network = True
    scanner = world.scanner()
    reads = [scanner.scan(world.NOW, lambda: False).directories_read for _ in "12"]
    assert reads == [2, 2]
    assert len(world.rows()) == 1


def test_a_directory_with_an_open_file_is_read_again(world, scan):
    world.write("1001/2026-07-20_12-00-00.mp4", world.NOW)
    assert scan().open == 1
    result = scan(world.NOW + MINUTE)
    assert (result.added, result.directories_read) == (1, 1)


def test_a_stopped_scan_goes_on_where_it_was(world):
    for hour in range(10):
        world.write(f"1001/{hour:02}/x", T0)
    scanner = world.scanner(layout="{camera}/%H/%Y-%m-%d_%M-%S.mp4")
    calls = iter([False] * 4)
    first = scanner.scan(world.NOW, lambda: next(calls, True))
    second = scanner.scan(world.NOW, lambda: False)
    assert (first.complete, second.complete) == (False, True)
    assert (first.directories_read, second.directories_read) == (4, 8)


@pytest.mark.parametrize("mode", ["symlink", "fifo", "hard link"])
def test_what_is_no_plain_file_is_no_recording(world, scan, mode):
    file = world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    other = file.with_name("2026-07-20_11-00-00.mp4")
    if mode == "symlink":
        other.symlink_to(file)
    elif mode == "fifo":
        os.mkfifo(other)
    else:
        os.link(file, other)
    world.settle(file.parent)
    scan()
    assert len(world.rows()) == (0 if mode == "hard link" else 1)
    assert sum(row.files for row in world.unknown()) == (
        2 if mode == "hard link" else 1
    )


def test_a_link_to_a_directory_is_not_followed(world, scan, tmp_path):
    (tmp_path / "else" / "1002").mkdir(parents=True)
    (tmp_path / "else" / "1002" / "2026-07-20_10-00-00.mp4").write_bytes(b"x")
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    (world.directory / "nvr1" / "1002").symlink_to(tmp_path / "else" / "1002")
    scan()
    assert len(world.rows()) == 1


def test_what_the_preset_excludes_is_neither_recording_nor_unknown(world):
    world.write("2026-07-20/10/1001/00.00.mp4", T0 + 10 * SECOND)
    world.write("exports/1001_x.mp4", T0)
    world.write("2026-07-20/10/1001/.keep", T0)
    scanner = world.scanner(layout="frigate", max_length=10 * MINUTE)
    result = scanner.scan(world.NOW, lambda: False)
    assert (len(world.rows()), world.unknown(), result.unknown) == (1, [], 0)


def test_what_is_being_written_under_another_name_is_open(world, scan):
    world.write("1001/incomplete.mp4", world.NOW - HOUR)
    result = scan()
    assert (result.open, world.unknown()) == (1, [])


def test_what_a_recorder_left_unfinished_for_days_is_reported(world, scan):
    world.write("1001/incomplete.mp4", world.NOW - 3 * DAY)
    scan()
    assert [row.reason for row in world.unknown()] == [
        "left unfinished by the recorder"
    ]


def test_the_first_complete_scan_adopts_a_root(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR, 7)
    world.write("1002/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR, 8)
    world.write("1002/readme.txt", T0)
    scan()
    scan()
    (entry,) = world.entries("root.adopted")
    assert (entry["recordings"], entry["bytes"], entry["unknown"]) == (2, 15, 1)
    assert (entry["oldest"], entry["newest"]) == (T0, T0 + 2 * HOUR)
    assert [(row["camera"], row["count"]) for row in entry["rows"]] == [(1, 1), (2, 1)]


def test_a_root_is_adopted_only_by_a_believed_clock(world, scan):
    """From then on footage is deleted, and before then nothing is called not seen."""
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan(believed=False)
    assert world.entries("root.adopted") == []
    scan()
    assert len(world.entries("root.adopted")) == 1


def test_a_stopped_scan_adopts_nothing(world):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    world.scanner().scan(world.NOW, lambda: True)
    assert world.entries("root.adopted") == []


def test_more_files_than_fit_in_one_transaction_are_all_taken_in(world, scan):
    directory = world.directory / "nvr1" / "1001"
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + SECOND)
    for number in range(1, 6_000):
        minutes, seconds = divmod(number, 60)
        hours, minutes = divmod(minutes, 60)
        name = f"2026-07-19_{hours:02}-{minutes:02}-{seconds:02}.mp4"
        Path(directory / name).touch()
    world.settle(directory)
    result = scan(world.NOW + 100 * 365 * DAY)
    assert (result.added, result.complete) == (6_000, True)


def test_what_a_scan_added_before_an_error_is_told_all_the_same(world, scan):
    for number in range(300):
        world.write(
            f"1001/{number:03}/2026-07-20_10-00-00.mp4", T0 + (300 - number) * SECOND
        )
    scanner = world.scanner(layout="{camera}/{any}/%Y-%m-%d_%H-%M-%S.mp4")
    feed = world.catalogue.feed()
    calls = iter([False] * 299)

    def breaks():
        if next(calls, True):
            raise RuntimeError("a disk went away")
        return False

    with pytest.raises(RuntimeError):
        scanner.scan(world.NOW, breaks)
    done = len(world.rows())
    assert 0 < done < 300
    assert list(feed.take().values()) == [min(row.end for row in world.rows())]
    assert feed.take() == {}
    result = scanner.scan(world.NOW, lambda: False)
    assert done + result.added == 300
    assert len(feed.take()) == 1


def test_all_of_it_leaves_a_log_that_verifies(world, scan):
    world.write("1001/2026-07-20_10-00-00.mp4", T0 + HOUR)
    world.write("1001/2026-07-20_02-00-00.mp4", T0 + HOUR)
    scan()
    assert [row.state for row in world.rows()] == [State.QUARANTINED, State.PRESENT]
    assert world.verified()
