"""What people see of recordings, and their rulings on those in quarantine."""

from datetime import UTC, datetime

import pytest

from retention.catalogue import log, recordings, restored
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State
from tests.support.json_schema import verb

recording_list = verb("recording.list")
recording_resolve = verb("recording.resolve")
recording_show = verb("recording.show")

T0 = 1_784_541_600 * SECOND
NAME = "2026-07-20_10-00-00.mp4"


@pytest.fixture
def filled(world, scan):
    """Two good recordings and a copied one."""
    world.write(f"1001/{NAME}", T0 + HOUR)
    world.write("1002/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    world.write("1001/2026-07-10_10-00-00.mp4", T0)
    scan()
    return world


def hourly(world, count=24):
    """Names in summer time where the settings say UTC."""
    first = T0 - 3 * DAY
    for number in range(count):
        start = first + number * HOUR
        shown = datetime.fromtimestamp((start + HOUR) / 1e6, UTC)
        world.write(f"1001/{shown:%Y-%m-%d_%H-%M-%S}.mp4", start + HOUR + SECOND)
    return first


def test_recordings_are_listed_oldest_first(filled):
    answer = recording_list(filled.context())
    assert [one["start"] for one in answer["recordings"]] == [
        "2026-07-10T10:00:00Z", "2026-07-20T10:00:00Z", "2026-07-20T11:00:00Z",
    ]  # fmt: skip
    assert [one["state"] for one in answer["recordings"]] == [
        "quarantined", "present", "present",
    ]  # fmt: skip
    assert answer["more"] is False


def test_a_list_is_narrowed_by_camera_time_and_state(filled):
    def starts(**given):
        answer = recording_list(filled.context(), **given)
        return [one["start"] for one in answer["recordings"]]

    assert starts(camera="1002") == ["2026-07-20T11:00:00Z"]
    assert starts(since="2026-07-20T11:00Z") == ["2026-07-20T11:00:00Z"]
    assert starts(until="2026-07-20T10:00Z") == ["2026-07-10T10:00:00Z"]
    assert starts(state="quarantined") == ["2026-07-10T10:00:00Z"]
    with pytest.raises(UsageError, match="no camera"):
        starts(camera="nobody")
    with pytest.raises(UsageError, match="no state"):
        starts(state="purged")


def test_a_list_says_that_there_is_more(filled):
    answer = recording_list(filled.context(), limit=2)
    assert (len(answer["recordings"]), answer["more"]) == (2, True)


@pytest.mark.parametrize("form", ["below", "absolute", "printed", "key"])
def test_a_recording_is_shown_by_path_or_key(filled, form):
    row = next(row for row in filled.rows() if row.start == T0)
    path = {
        "below": f"1001/{NAME}",
        "printed": f"nvr1/1001/{NAME}",
        "absolute": f"{filled.directory}/nvr1/1001/{NAME}",
        "key": f"{row.stream}/{row.start}/{row.n}",
    }[form]
    (shown,) = recording_show(filled.context(), path=path)["recordings"]
    assert (shown["camera"], shown["path"]) == ("1001", f"1001/{NAME}")
    assert (shown["due"], shown["held"]) == ("2026-08-17T11:00:00Z", False)


def test_a_recording_is_shown_by_camera_and_time(filled):
    filled.hold_camera(1, T0, T0 + 1)
    answer = recording_show(filled.context(), camera="1001", at="2026-07-20T10:30Z")
    assert [one["held"] for one in answer["recordings"]] == [True]
    nothing = recording_show(filled.context(), camera="1001", at="2026-07-20T11:00Z")
    assert nothing["recordings"] == []


def test_a_quarantined_recording_shows_why_and_counts_from_when_it_was_seen(filled):
    (shown,) = recording_show(filled.context(), path="1001/2026-07-10_10-00-00.mp4")[
        "recordings"
    ]
    assert shown["quarantine"]["reason"] == "mtime is long after name"
    assert shown["due"] == "2026-08-17T12:20:00Z"


def test_a_recording_of_a_doubtful_stream_counts_from_its_own_end(filled):
    """As deletion counts it: the doubt is older than the recording."""
    with filled.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("UPDATE stream SET quarantined = ?", (T0 - 2 * DAY,))
    (shown,) = recording_show(filled.context(), path=f"1001/{NAME}")["recordings"]
    assert shown["due"] == "2026-08-17T11:00:00Z"


def test_a_quarantined_file_that_could_not_be_deleted_is_held_by_any_hold(filled):
    filled.hold_camera(1, T0, T0 + 1)
    with filled.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "UPDATE recording SET state = ? WHERE state = ?",
            (int(State.FAILED), int(State.QUARANTINED)),
        )
    (shown,) = recording_show(filled.context(), path="1001/2026-07-10_10-00-00.mp4")[
        "recordings"
    ]
    assert shown["held"]


def test_what_is_not_catalogued_is_a_sentence(filled):
    with pytest.raises(RetentionError, match="no catalogued recording"):
        recording_show(filled.context(), path="1001/nothing.mp4")


@pytest.mark.parametrize("path", ["1001/2026-07-10_10-00-00.mp4", "1001", "nvr1"])
def test_times_are_right_lets_a_file_out_with_its_end_by_the_mtime(filled, path):
    answer = recording_resolve(
        filled.context(), path=path, ruling="times_right", reason="copied by IT"
    )
    row = min(filled.rows(), key=lambda row: row.start)
    assert (answer["recordings"], row.state) == (1, State.PRESENT)
    assert row.end == T0
    (entry,) = filled.entries("recordings.resolved")
    assert (entry["ruling"], entry["count"]) == ("times are right", 1)
    assert entry["rows"][0]["new_end"] == row.end
    assert filled.verified()


def test_a_ruled_file_is_not_doubted_again_by_the_daily_look(filled):
    recording_resolve(
        filled.context(), path="1001", ruling="times-right", reason="copied"
    )
    before = filled.rows()
    result = filled.scanner().reconcile(filled.NOW, lambda: False)
    assert (result.changed, filled.rows()) == (0, before)


def test_a_shift_puts_a_wrong_zone_right_and_keeps_the_paths(world, scan):
    first = hourly(world)
    scan()
    answer = recording_resolve(
        world.context(), camera="1001", ruling="shift", shift="-1h", reason="BST"
    )
    assert (answer["recordings"], answer["streams"]) == (24, [1])
    rows = world.rows()
    assert [row.start for row in rows] == [first + h * HOUR for h in range(24)]
    assert {row.state for row in rows} == {State.PRESENT}
    assert rows[0].end == first + HOUR + SECOND
    assert all(row.path for row in rows)
    assert world.streams()[0].quarantined is None
    assert world.verified()


def test_a_ruling_is_found_under_both_times_also_after_a_restoration(world, scan):
    """Which reads the entry back from the published log, and indexes it anew."""
    hourly(world)
    scan()
    recording_resolve(
        world.context(), camera="1001", ruling="shift", shift="-1h", reason="BST"
    )
    of_entry = "FROM entry_camera WHERE entry = :entry"
    with world.catalogue.write(Priority.SCAN) as tx:
        found = listing(tx, kind="recordings.resolved")
        (entry,) = (one for one in found if one["fields"]["stream"] is None)
        rows = log.read_rows(tx, entry["index"])
        said = {"entry": entry["index"]}
        before = set(tx.exec_driver_sql(f"SELECT * {of_entry}", said))
        tx.exec_driver_sql("DROP TRIGGER entry_camera_delete")
        tx.exec_driver_sql(f"DELETE {of_entry}", said)
        restored.index(tx, entry["index"], entry, rows)
        assert set(tx.exec_driver_sql(f"SELECT * {of_entry}", said)) == before
    assert len(before) == 25


def test_after_a_shift_each_path_still_has_one_row(world, scan):
    hourly(world)
    scan()
    recording_resolve(
        world.context(), camera="1001", ruling="shift", shift="-1h", reason="BST"
    )
    right = world.scanner(timezone="Europe/London")
    result = right.scan(world.NOW, lambda: False)
    assert (result.added, result.lost, len(world.rows())) == (0, 0, 24)
    assert right.reconcile(world.NOW, lambda: False).changed == 0


@pytest.mark.parametrize("shift", ["-1h", "+1h"])
def test_a_shift_over_many_pages_moves_each_file_once(world, scan, monkeypatch, shift):
    from retention.footage.ingest import rulings

    monkeypatch.setattr(rulings, "PAGE", 5)
    first = hourly(world)
    scan()
    recording_resolve(
        world.context(), camera="1001", ruling="shift", shift=shift, reason="why"
    )
    by = HOUR if shift == "-1h" else -HOUR
    assert [row.start for row in world.rows()] == [
        first + (hour + 1) * HOUR - by for hour in range(24)
    ]
    counts = [entry["count"] for entry in world.entries("recordings.resolved")]
    assert counts == [5, 5, 5, 5, 4, 0]


def test_files_catalogued_before_the_doubt_move_with_the_stream(world, scan):
    hourly(world)
    scan()
    with world.catalogue.write(0) as tx:
        tx.exec_driver_sql(
            "UPDATE recording SET state = 0 WHERE start < ?", (T0 - 3 * DAY + 5 * HOUR,)
        )
        tx.exec_driver_sql(
            "DELETE FROM quarantine WHERE start < ?", (T0 - 3 * DAY + 5 * HOUR,)
        )
    recording_resolve(
        world.context(), camera="1001", ruling="shift", shift="-1h", reason="BST"
    )
    rows = world.rows()
    assert [row.start for row in rows] == [T0 - 3 * DAY + h * HOUR for h in range(24)]
    assert {row.state for row in rows} == {State.PRESENT}


def test_an_offset_that_a_person_said_is_none_is_not_asked_about_again(world, scan):
    hourly(world)
    scan(T0 - 2 * DAY + 30 * MINUTE)
    recording_resolve(
        world.context(), camera="1001", ruling="times_right", reason="hourly patrol"
    )
    last = datetime.fromtimestamp((T0 - 3 * DAY + 25 * HOUR) / 1e6, UTC)
    world.write(f"1001/{last:%Y-%m-%d_%H-%M-%S}.mp4", T0 - 3 * DAY + 25 * HOUR + SECOND)
    scan(T0)
    assert len(world.entries("stream.quarantined")) == 1
    assert {row.state for row in world.rows()} == {State.PRESENT}


def test_a_wrong_zone_left_in_the_settings_is_found_again_after_a_shift(world, scan):
    hourly(world)
    scan()
    recording_resolve(
        world.context(), camera="1001", ruling="shift", shift="-1h", reason="BST"
    )
    for number in range(25, 46):
        start = T0 - 3 * DAY + number * HOUR
        shown = datetime.fromtimestamp((start + HOUR) / 1e6, UTC)
        world.write(f"1001/{shown:%Y-%m-%d_%H-%M-%S}.mp4", start + HOUR + SECOND)
    scan()
    assert len(world.entries("stream.quarantined")) == 2


def test_a_ruling_on_one_file_leaves_its_stream_in_quarantine(world, scan):
    hourly(world)
    scan()
    path = recording_list(world.context())["recordings"][0]["path"]
    answer = recording_resolve(
        world.context(), path=path, ruling="shift", shift="-1h", reason="BST"
    )
    assert (answer["recordings"], answer["streams"]) == (1, [])
    assert world.streams()[0].quarantined is not None


def test_a_ruling_given_twice_moves_nothing_twice(world, scan):
    hourly(world)
    scan()
    given = {"camera": "1001", "ruling": "shift", "shift": "-1h", "reason": "BST"}
    recording_resolve(world.context(), **given)
    before = world.rows()
    with pytest.raises(RetentionError, match="nothing of 1001 is in quarantine"):
        recording_resolve(world.context(), **given)
    assert world.rows() == before


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"ruling": "guess", "reason": "r"}, "no ruling"),
        ({"ruling": "times_right", "reason": " "}, "say why"),
        ({"ruling": "shift", "reason": "r"}, "by how much"),
        ({"ruling": "times_right", "reason": "r", "shift": "1h"}, "only there"),
        ({"ruling": "shift", "reason": "r", "shift": "300d"}, "first seen"),
    ],
)
def test_a_ruling_that_can_not_be_meant_is_refused(filled, given, text):
    before = filled.rows()
    with pytest.raises(UsageError, match=text):
        recording_resolve(filled.context(), path="1001", **given)
    assert filled.rows() == before


def test_the_due_instant_follows_a_ruling(filled):
    recording_resolve(
        filled.context(), path="1001", ruling="times_right", reason="copied"
    )
    (shown,) = recording_show(filled.context(), path="1001/2026-07-10_10-00-00.mp4")[
        "recordings"
    ]
    assert (shown["quarantine"], shown["due"]) == (None, "2026-08-17T10:00:00Z")
    assert shown["duration"] == 10 * DAY / SECOND


def test_a_file_of_40_hours_is_not_cut_by_saying_that_its_times_are_right(world, scan):
    """A hold on its thirtieth hour keeps it as it did before the ruling."""
    path = "1001/2026-07-18_10-00-00.mp4"
    start = T0 - 2 * DAY
    world.write(path, start + 40 * HOUR)
    scan()
    hour = start + 30 * HOUR
    world.hold_camera(1, hour, hour + HOUR)
    recording_resolve(world.context(), path=path, ruling="times_right", reason="long")
    (row,) = world.rows()
    assert (row.state, row.end) == (State.PRESENT, start + 40 * HOUR)
    (found,) = recording_list(
        world.context(), since=format_utc(hour), until=format_utc(hour + HOUR)
    )["recordings"]
    (shown,) = recording_show(world.context(), path=path)["recordings"]
    assert (found["key"], shown["held"]) == (shown["key"], True)


def test_one_long_file_that_is_right_makes_no_other_believed(world, scan):
    """Look-ups reach back that far; the next file of ten days is asked about again."""
    world.write("1001/2026-07-10_10-00-00.mp4", T0)
    scan()
    recording_resolve(
        world.context(), path="1001", ruling="times_right", reason="copied"
    )
    world.write("1001/2026-07-09_08-00-00.mp4", T0)
    scan()
    (stream,) = world.streams()
    assert (stream.max_length, stream.longest) == (HOUR, 10 * DAY)
    assert [row.state for row in sorted(world.rows())] == [
        State.QUARANTINED, State.PRESENT,
    ]  # fmt: skip


@pytest.mark.parametrize("ahead", [HOUR, 300 * DAY])
def test_an_mtime_that_lies_in_the_future_ends_no_recording(world, ahead):
    world.write("1001/2026-07-10_10-00-00.mp4", world.NOW + ahead)
    scanner = world.scanner()
    for later in (0, MINUTE):  # whether it is still being written
        scanner.scan(world.NOW + later, lambda: False)
    recording_resolve(world.context(), path="1001", ruling="times_right", reason="so")
    (row,) = world.rows()
    assert row.end == T0 - 10 * DAY + HOUR


@pytest.mark.parametrize("shift", ["+20m", "-20m"])
def test_a_shift_makes_no_recording_shorter(world, scan, shift):
    """A recorder whose clock was out wrote name and mtime by it."""
    world.write(f"1001/{NAME}", T0 + HOUR)
    scan()
    (row,) = world.rows()
    with world.catalogue.write(Priority.SCAN) as tx:
        assert recordings.quarantine(
            tx, row, row.size, recordings.Doubt(world.NOW, T0 + HOUR, "late")
        )
    recording_resolve(
        world.context(), path="1001", ruling="shift", shift=shift, reason="clock"
    )
    (row,) = world.rows()
    by = (1 if shift[0] == "+" else -1) * 20 * MINUTE
    assert (row.start, row.end) == (T0 + by, T0 + by + HOUR)


def test_a_shift_can_not_put_a_recording_after_it_was_seen(filled):
    before = filled.rows()
    with pytest.raises(UsageError, match="after its file was first seen"):
        recording_resolve(
            filled.context(), path="1001", ruling="shift", shift="11d", reason="clock"
        )
    assert filled.rows() == before


def test_a_shift_can_not_put_a_recording_before_the_first_of_its_camera(filled):
    before = filled.rows()
    with pytest.raises(UsageError, match="long before the first day"):
        recording_resolve(
            filled.context(), path="1001", ruling="shift", shift="-30d", reason="clock"
        )
    assert filled.rows() == before
