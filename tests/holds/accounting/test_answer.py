"""What a hold's answer says: protected, gone and when, not seen, not known, to come."""

import threading

import pytest

from retention.catalogue import roots, spans, streams, unknown, unread
from retention.catalogue.db import Priority
from retention.catalogue.unknown import Unknown
from retention.control.gate import Flight, GateFile, Rescue
from retention.holds.answer import MOST
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Outcome, State, Window
from tests.support.site_ import NOW, never
from tests.support.watched_site import WATCHED, Watched, asked, empty

FOUR = NOW - 10 * HOUR
"""Ten hours ago: scanned long since, no file of then is still being written."""


def span(since, until, **more):
    return {"since": format_utc(since), "until": format_utc(until), **more}


def test_a_window_full_of_recordings_is_all_preserved(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    answer = desk.answer("a", FOUR, FOUR + HOUR)
    (line,) = answer["cameras"]
    assert answer["all_preserved"]
    assert line["protected"] == {
        "recordings": 60, "seconds": 3600, "bytes": 600, "in_doubt": 0, "empty": 0,
    }  # fmt: skip
    assert empty(line)
    assert line["surplus_seconds"] == 0


def test_the_answer_has_exactly_what_was_agreed(desk):
    answer = desk.answer("a", FOUR, FOUR + HOUR)
    assert set(answer) == {
        "cameras", "total", "outcome_follows", "clock_in_doubt", "times_in_doubt", "alarms",
        "inspection", "all_preserved",
    }  # fmt: skip
    assert set(answer["cameras"][0]) == {
        "camera", "location", "view", "protected", "recorder_deletes", "deleted",
        "lost", "no_recording_seen", "not_known", "pending", "files_beside",
        "surplus_seconds",
    }  # fmt: skip
    assert set(answer["total"]) == {
        "recordings", "seconds", "bytes", "in_doubt", "empty", "surplus_seconds",
    }  # fmt: skip


def test_files_longer_than_the_window_are_surplus(desk):
    desk.row("a", FOUR - 20 * MINUTE, HOUR)
    line = desk.line("a", FOUR, FOUR + 10 * MINUTE)
    assert line["protected"]["seconds"] == 600
    assert line["surplus_seconds"] == 3000


def test_what_the_margin_keeps_is_counted_and_is_surplus(desk):
    desk.rows("a", FOUR - HOUR, FOUR + HOUR)
    line = desk.line("a", FOUR, FOUR + 10 * MINUTE, margin=5 * MINUTE)
    assert line["protected"]["recordings"] == 20
    assert line["protected"]["seconds"] == 600
    assert line["surplus_seconds"] == 600


def test_a_gap_in_the_margin_alone_does_not_matter(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    assert desk.answer("a", FOUR, FOUR + HOUR, margin=5 * MINUTE)["all_preserved"]


def test_a_missing_recording_is_one_that_was_not_seen(desk):
    desk.rows("a", FOUR, FOUR + 10 * MINUTE)
    desk.rows("a", FOUR + 11 * MINUTE, FOUR + 20 * MINUTE)
    answer = desk.answer("a", FOUR, FOUR + 20 * MINUTE)
    (line,) = answer["cameras"]
    gap = span(FOUR + 10 * MINUTE, FOUR + 11 * MINUTE)
    assert line["no_recording_seen"] == [gap]
    assert empty(line, "no_recording_seen")
    assert not answer["all_preserved"]


def test_seconds_that_a_recorder_drops_between_two_files_are_no_gap(desk):
    for number in range(10):
        desk.row("a", FOUR + number * (MINUTE + SECOND), MINUTE)
    end = FOUR + 9 * (MINUTE + SECOND) + MINUTE
    assert desk.answer("a", FOUR, end)["all_preserved"]


def test_two_seconds_between_two_files_are_a_gap(desk):
    desk.row("a", FOUR)
    desk.row("a", FOUR + MINUTE + 2 * SECOND)
    line = desk.line("a", FOUR, FOUR + 2 * MINUTE)
    gap = span(FOUR + MINUTE, FOUR + MINUTE + 2 * SECOND)
    assert line["no_recording_seen"] == [gap]


def test_a_window_that_begins_between_two_files_has_no_gap_at_its_edge(desk):
    desk.row("a", FOUR - MINUTE - SECOND, MINUTE)
    desk.row("a", FOUR + SECOND // 2, MINUTE)
    desk.row("a", FOUR + SECOND + MINUTE + SECOND // 2, MINUTE)
    answer = desk.answer("a", FOUR, FOUR + MINUTE + SECOND)
    assert answer["all_preserved"]
    assert answer["total"]["recordings"] == 1


def test_what_was_deleted_says_when_and_which_entry(desk):
    desk.rows("a", FOUR, FOUR + 10 * MINUTE)
    starts = [FOUR - n * MINUTE for n in (3, 2, 1)]
    number = desk.deleted("a", *starts, at=NOW - HOUR)
    line = desk.line("a", FOUR - 3 * MINUTE, FOUR + 10 * MINUTE)
    assert line["deleted"] == [
        span(
            FOUR - 3 * MINUTE, FOUR, at=format_utc(NOW - HOUR + SECOND), entry=number,
            entries=1, recordings=3,
        )
    ]  # fmt: skip
    assert empty(line, "deleted")


def test_what_one_batch_after_the_other_deleted_is_one_span_with_its_last_entry(desk):
    numbers = [
        desk.deleted("a", FOUR + n * MINUTE, at=NOW - HOUR + n * MINUTE)
        for n in range(5)
    ]
    (found,) = desk.line("a", FOUR, FOUR + 5 * MINUTE)["deleted"]
    assert found["entry"] == numbers[-1]
    assert (found["entries"], found["recordings"]) == (5, 5)


@pytest.mark.parametrize(
    ("outcome", "where"),
    [
        (Outcome.ABSENT_AFTER_CRASH, "deleted"),
        (Outcome.ABSENT, "lost"),
        (Outcome.RESCUED, "no_recording_seen"),
        (Outcome.FAILED, "no_recording_seen"),
    ],
)
def test_a_file_of_a_batch_counts_as_what_became_of_it(desk, outcome, where):
    desk.deleted("a", FOUR, _0=outcome)
    line = desk.line("a", FOUR, FOUR + MINUTE)
    assert len(line[where]) == 1
    assert empty(line, where)


def test_a_window_that_begins_just_after_what_is_lost_is_answered_with_its_entry(desk):
    """The second that the recorder dropped belongs to the file before it."""
    number = desk.lost("a", FOUR - MINUTE - SECOND // 2)
    desk.row("a", FOUR + SECOND, 10 * MINUTE)
    (found,) = desk.line("a", FOUR, FOUR + 10 * MINUTE)["lost"]
    assert (found["entry"], found["recordings"]) == (number, 1)


def test_another_camera_of_the_same_batch_says_nothing_of_this_one(desk):
    desk.deleted("b", FOUR)
    line = desk.line("a", FOUR, FOUR + MINUTE)
    assert empty(line, "no_recording_seen")


def test_what_vanished_is_lost_with_its_entry(desk):
    number = desk.lost("a", FOUR, at=NOW - HOUR)
    line = desk.line("a", FOUR, FOUR + MINUTE)
    assert line["lost"] == [
        span(
            FOUR, FOUR + MINUTE, at=format_utc(NOW - HOUR), entry=number, entries=1,
            recordings=1,
        )
    ]  # fmt: skip
    assert empty(line, "lost")


def test_a_file_that_reappeared_is_protected_whatever_the_log_says(desk):
    desk.deleted("a", FOUR)
    desk.row("a", FOUR)
    assert desk.answer("a", FOUR, FOUR + MINUTE)["all_preserved"]


def test_rows_that_were_altered_are_not_looked_up_and_nothing_else_is_lost(desk):
    desk.deleted("a", FOUR)
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql("DROP TRIGGER entry_rows_update")
        tx.exec_driver_sql("UPDATE entry_rows SET bytes = x'00'")
    line = desk.line("a", FOUR, FOUR + MINUTE)
    assert line["not_known"][0]["why"].startswith("not looked up")
    assert empty(line, "not_known")


def test_a_batch_of_another_time_of_the_hour_is_not_even_read(desk):
    """An hour of many cameras is deleted in many batches; an instant is in one."""
    desk.deleted("a", FOUR + 30 * MINUTE)
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql("DROP TRIGGER entry_rows_update")
        tx.exec_driver_sql("UPDATE entry_rows SET bytes = x'00'")
    line = desk.line("a", FOUR, FOUR + MINUTE)
    assert empty(line, "no_recording_seen")


def test_a_window_that_begins_between_two_deleted_files_has_no_gap_at_its_edge(desk):
    """The first of them is in another hour, and wholly outside the window."""
    hour = FOUR // HOUR * HOUR
    desk.deleted("a", hour - MINUTE - SECOND // 2)
    desk.deleted("a", hour + SECOND)
    line = desk.line("a", hour, hour + MINUTE)
    assert empty(line, "deleted")


def test_too_many_deletions_are_read_newest_first_and_the_rest_is_not_known(
    desk, monkeypatch
):
    day = NOW - 3 * DAY
    for hour in range(6):
        desk.deleted("a", day + hour * HOUR, length=HOUR)
    monkeypatch.setattr("retention.holds.gone.MOST_ROWS", 2)
    line = desk.line("a", day, day + 6 * HOUR)
    assert line["deleted"][0]["until"] == format_utc(day + 6 * HOUR)
    assert line["not_known"][0]["since"] == format_utc(day)
    assert line["not_known"][0]["why"].startswith("not looked up")
    assert empty(line, "deleted", "not_known")


def test_the_future_is_pending_and_spoils_nothing(desk):
    desk.rows("a", NOW - 10 * MINUTE, NOW)
    answer = desk.answer("a", NOW - 10 * MINUTE, NOW + 2 * HOUR)
    (line,) = answer["cameras"]
    assert line["pending"] == [span(NOW, NOW + 2 * HOUR, why="future")]
    assert answer["all_preserved"]


def test_an_open_ended_future_has_no_end(desk):
    line = desk.line("a", NOW + HOUR, 2**53 - 1)
    assert line["pending"] == [
        {"since": format_utc(NOW + HOUR), "until": None, "why": "future"}
    ]
    assert empty(line, "pending")


def test_the_minute_that_is_being_recorded_is_being_written(desk):
    desk.rows("a", NOW - 10 * MINUTE, NOW - MINUTE)
    answer = desk.answer("a", NOW - 10 * MINUTE, NOW)
    (line,) = answer["cameras"]
    assert line["pending"] == [span(NOW - MINUTE, NOW, why="being written")]
    assert not answer["all_preserved"]


def test_what_came_after_the_last_scan_is_not_scanned_yet(desk):
    desk.scanned(NOW - 30 * MINUTE)
    line = desk.line("a", NOW - 20 * MINUTE, NOW)
    assert line["pending"] == [span(NOW - 20 * MINUTE, NOW, why="not scanned yet")]


def test_an_unavailable_root_is_named(desk):
    desk.scanned(NOW - 30 * MINUTE)
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql(
            "INSERT INTO alarm VALUES (7, 'root', 'nvr1', ?, '', '[]', NULL)", (NOW,)
        )
    line = desk.line("a", NOW - 20 * MINUTE, NOW)
    assert line["pending"][0]["why"] == "root nvr1 unavailable"


def test_what_is_catalogued_in_an_unavailable_root_is_kept_and_pending(desk):
    """Whether it is still there nobody can say before the storage is back."""
    desk.rows("a", FOUR, FOUR + HOUR)
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql(
            "INSERT INTO alarm VALUES (7, 'root', 'nvr1', ?, '', '[]', NULL)", (NOW,)
        )
    answer = desk.answer("a", FOUR, FOUR + HOUR)
    (line,) = answer["cameras"]
    assert line["pending"] == [span(FOUR, FOUR + HOUR, why="root nvr1 unavailable")]
    assert line["protected"] == {
        "recordings": 60, "seconds": 0, "bytes": 600, "in_doubt": 0, "empty": 0,
    }  # fmt: skip
    assert not answer["all_preserved"]


def test_from_now_on_is_all_to_come_though_it_was_read_a_moment_ago(desk):
    answer = desk.answer("a", NOW - SECOND, NOW + 2 * HOUR)
    (line,) = answer["cameras"]
    assert line["pending"] == [span(NOW - SECOND, NOW + 2 * HOUR, why="future")]
    assert answer["all_preserved"]
    assert not desk.answer("a", NOW - 2 * SECOND, NOW + HOUR)["all_preserved"]


def test_while_the_root_was_away_it_is_not_known(tmp_path):
    desk = Watched(tmp_path / "site", since=NOW)
    signs = [
        *desk.signs(WATCHED, NOW),
        desk.guard(True, FOUR),
        desk.guard(False, FOUR + HOUR),
    ]
    desk.note(*sorted(signs, key=lambda entry: entry.at))
    line = desk.line("a", FOUR - HOUR, FOUR + 2 * HOUR)
    assert line["not_known"] == [span(FOUR, FOUR + HOUR, why="root nvr1 unavailable")]
    assert [one["until"] for one in line["no_recording_seen"]] == [
        format_utc(FOUR), format_utc(FOUR + 2 * HOUR),
    ]  # fmt: skip


MOUNT = "another file system is mounted there"


def unreached(desk, *paths):
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        unread.note(tx, desk.site.root_key, dict.fromkeys(paths, MOUNT))


def test_where_a_part_was_not_reached_nothing_is_called_silent_and_the_part_is_named(
    desk,
):
    desk.rows("a", FOUR, FOUR + HOUR)
    unreached(desk, b"a")
    line = desk.line("a", FOUR - HOUR, FOUR + HOUR)
    why = f"not all of root nvr1 was reached (a: {MOUNT})"
    assert line["not_known"] == [span(FOUR - HOUR, FOUR, why=why)]
    assert empty(line, "not_known")


@pytest.mark.parametrize("path", [b"old disk", b"a/archive", b""])
def test_a_part_that_may_be_anybody_s_or_is_its_own_is_a_part_of_its_camera(desk, path):
    desk.rows("a", FOUR, FOUR + HOUR)
    unreached(desk, path)
    assert desk.line("a", FOUR - HOUR, FOUR)["not_known"]


def test_a_part_that_is_another_camera_s_hides_nothing_of_this_one(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    desk.rows("b", FOUR, FOUR + HOUR)
    unreached(desk, b"b", b"b/archive")
    assert empty(desk.line("a", FOUR - HOUR, FOUR), "no_recording_seen")
    assert desk.line("b", FOUR - HOUR, FOUR)["not_known"]


def test_of_many_parts_some_are_named_and_the_others_hide_something_too(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    desk.rows("b", FOUR, FOUR + HOUR)
    unreached(desk, *(b"b/%02d" % number for number in range(unread.MOST + 1)))
    (gap,) = desk.line("a", FOUR - HOUR, FOUR)["not_known"]
    assert gap["why"] == "not all of root nvr1 was reached"


def beside(desk, directory, oldest, reason="not named as the layout says"):
    found = Unknown(
        desk.site.root_key, directory, reason, b"x.mkv", 2, 5_000, oldest, NOW
    )
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        unknown.replace(tx, desk.site.root_key, directory, [found])


def test_an_mkv_beside_the_mp4_is_told_and_its_time_is_not_called_silent(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    beside(desk, b"a", FOUR - 30 * MINUTE)
    line = desk.line("a", FOUR - HOUR, FOUR + HOUR)
    assert line["files_beside"] == [
        {
            "root": "nvr1", "reason": "not named as the layout says",
            "example": "a/x.mkv", "files": 2, "bytes": 5_000,
        }
    ]  # fmt: skip
    why = "files of nobody lie there: a/x.mkv and 1 more"
    assert line["not_known"] == [span(FOUR - HOUR, FOUR, why=why)]


def test_where_all_is_there_a_file_beside_it_changes_nothing_but_is_told(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    beside(desk, b"a", FOUR)
    answer = desk.answer("a", FOUR, FOUR + HOUR)
    assert answer["all_preserved"]
    assert answer["cameras"][0]["files_beside"]


@pytest.mark.parametrize(("directory", "age"), [(b"b", 0), (b"a", 5 * HOUR)])
def test_files_of_another_camera_or_written_long_after_are_not_told(
    desk, directory, age
):
    desk.rows("a", FOUR, FOUR + HOUR)
    desk.rows("b", FOUR, FOUR + HOUR)
    beside(desk, directory, FOUR + age)
    line = desk.line("a", FOUR - HOUR, FOUR)
    assert line["files_beside"] == []
    assert empty(line, "no_recording_seen")


def test_a_file_of_nothing_is_counted_apart_and_that_is_not_all_of_it(desk):
    desk.rows("a", FOUR, FOUR + 59 * MINUTE)
    desk.row("a", FOUR + 59 * MINUTE, size=0)
    answer = desk.answer("a", FOUR, FOUR + HOUR)
    assert answer["total"]["recordings"] == 60
    assert answer["total"]["empty"] == 1
    assert not answer["all_preserved"]


def test_before_adoption_it_is_not_known(desk):
    desk.adopted(FOUR)
    line = desk.line("a", FOUR - HOUR, FOUR)
    assert line["not_known"] == [span(FOUR - HOUR, FOUR, why="before adoption")]
    assert empty(line, "not_known")


def test_before_the_service_began_it_is_not_known(desk):
    line = desk.line("a", WATCHED - DAY, WATCHED - HOUR)
    assert line["not_known"][0]["why"] == "service down"
    assert empty(line, "not_known")


def test_what_is_lost_is_told_although_something_in_quarantine_claims_its_time(desk):
    """The clocks went back: the first pass was overwritten, and what lies beside it says
    it is of that hour.  `audit find` has the loss, so the hold's answer has it too."""
    number = desk.lost("a", FOUR + MINUTE, FOUR + 2 * MINUTE, at=NOW - HOUR)
    desk.row("a", FOUR, 10 * MINUTE, state=State.QUARANTINED)
    line = desk.line("a", FOUR, FOUR + 10 * MINUTE)
    assert line["lost"] == [
        span(
            FOUR + MINUTE, FOUR + 3 * MINUTE, at=format_utc(NOW - HOUR), entry=number,
            entries=1, recordings=2,
        )
    ]  # fmt: skip
    (doubtful,) = line["pending"]
    assert doubtful == span(FOUR, FOUR + 10 * MINUTE, why="in quarantine")


def test_what_was_deleted_is_told_although_something_in_quarantine_claims_its_time(
    desk,
):
    number = desk.deleted("a", FOUR + MINUTE)
    desk.row("a", FOUR, 10 * MINUTE, state=State.QUARANTINED)
    (found,) = desk.line("a", FOUR, FOUR + 10 * MINUTE)["deleted"]
    assert (found["entry"], found["recordings"]) == (number, 1)


def test_what_is_lost_of_a_time_that_another_file_has_is_no_loss_of_it(desk):
    """Two roots recorded it; one of them is enough."""
    desk.lost("a", FOUR + MINUTE)
    desk.row("a", FOUR, 10 * MINUTE)
    assert empty(desk.line("a", FOUR, FOUR + 10 * MINUTE))


def test_a_file_in_quarantine_is_kept_in_doubt_and_its_time_is_pending(desk):
    desk.row("a", FOUR, state=State.QUARANTINED)
    desk.row("a", NOW - 20 * DAY, state=State.QUARANTINED)
    answer = desk.answer("a", FOUR, FOUR + MINUTE)
    (line,) = answer["cameras"]
    assert line["protected"]["recordings"] == line["protected"]["in_doubt"] == 2
    assert line["protected"]["seconds"] == 0
    assert line["pending"] == [span(FOUR, FOUR + MINUTE, why="in quarantine")]
    assert not answer["all_preserved"]


def test_a_camera_with_footage_in_doubt_is_not_called_silent(desk):
    """It may be of any time: of the hour that was asked for, too."""
    desk.row("a", NOW - 20 * DAY, state=State.QUARANTINED)
    (line,) = desk.answer("a", FOUR, FOUR + HOUR)["cameras"]
    assert line["not_known"] == [
        span(FOUR, FOUR + HOUR, why="when 1 recording in doubt was made is not known")
    ]
    assert empty(line, "not_known")


def test_a_stream_in_doubt_is_kept_whole_and_no_minute_of_it_is_certain(desk):
    desk.rows("a", FOUR, FOUR + HOUR)
    key = desk.site.stream("a").key
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        streams.quarantine(tx, key, NOW)
    answer = desk.answer("a", FOUR, FOUR + MINUTE)
    (line,) = answer["cameras"]
    assert line["protected"]["in_doubt"] == 60
    assert line["pending"] == [span(FOUR, FOUR + MINUTE, why="in quarantine")]
    assert len(answer["times_in_doubt"]) == 1


def test_a_file_that_could_not_be_deleted_is_protected(desk):
    desk.row("a", FOUR, state=State.FAILED)
    assert desk.answer("a", FOUR, FOUR + MINUTE)["all_preserved"]


def test_a_file_of_an_open_batch_is_neither_kept_nor_gone(desk):
    desk.row("a", FOUR, state=State.DELETING)
    open_batch(desk)
    answer = desk.answer("a", FOUR, FOUR + MINUTE)
    (line,) = answer["cameras"]
    assert answer["outcome_follows"] == 1
    assert line["pending"] == [span(FOUR, FOUR + MINUTE, why="deletion under way")]
    assert line["protected"]["recordings"] == 0


def test_a_file_that_the_hold_saved_is_protected_before_its_row_says_so(desk):
    desk.row("a", FOUR, state=State.DELETING)
    open_batch(desk)
    rescue = Rescue([saved(desk, FOUR)], [])
    answer = desk.answer("a", FOUR, FOUR + MINUTE, rescue=rescue)
    assert answer["all_preserved"]
    assert answer["outcome_follows"] == 0
    assert answer["total"]["recordings"] == 1


def test_a_saved_file_whose_batch_has_ended_is_counted_once(desk):
    desk.row("a", FOUR)
    rescue = Rescue([saved(desk, FOUR)], [])
    answer = desk.answer("a", FOUR, FOUR + MINUTE, rescue=rescue)
    assert answer["total"]["recordings"] == 1


def test_a_saved_file_in_doubt_is_kept_wherever_its_time_is(desk):
    desk.row("a", NOW - 20 * DAY, state=State.DELETING)
    open_batch(desk)
    rescue = Rescue([saved(desk, NOW - 20 * DAY, doubtful=True)], [])
    total = desk.answer("a", FOUR, FOUR + MINUTE, rescue=rescue)["total"]
    assert (total["recordings"], total["in_doubt"], total["seconds"]) == (1, 1, 0)


def test_a_file_in_doubt_that_is_being_unlinked_follows_until_it_is_settled(desk):
    flight = Flight([saved(desk, NOW - 20 * DAY, doubtful=True)])
    rescue = Rescue([], [(flight, 0)])
    given = {"rescue": rescue, "settled": False}
    assert desk.answer("a", FOUR, FOUR + MINUTE, **given)["outcome_follows"] == 1
    given["settled"] = True
    assert desk.answer("a", FOUR, FOUR + MINUTE, **given)["outcome_follows"] == 0


def test_the_recorder_takes_the_first_of_it_after_what_it_keeps(desk):
    desk.keeps = 30 * DAY
    desk.rows("a", FOUR, FOUR + HOUR)
    line = desk.line("a", FOUR, FOUR + HOUR)
    first = format_utc(FOUR + MINUTE + 30 * DAY)
    assert line["recorder_deletes"] == {"first_at": first, "known": True}


def test_when_the_recorder_deletes_is_not_known_where_nobody_said(desk):
    desk.rows("a", FOUR, FOUR + MINUTE)
    line = desk.line("a", FOUR, FOUR + MINUTE)
    assert line["recorder_deletes"] == {"first_at": None, "known": False}


def test_many_spans_end_with_one_that_says_how_many_more(desk):
    for number in range(80):
        desk.row("a", FOUR + 2 * number * MINUTE)
    end = FOUR + 160 * MINUTE
    found = desk.line("a", FOUR, end)["no_recording_seen"]
    assert len(found) == MOST
    assert found[-1]["more"] == 80 - (MOST - 1)
    assert found[-1]["until"] == format_utc(end)
    assert "more" not in found[-2]


def test_two_streams_of_a_camera_fill_each_others_gaps(desk):
    stream = desk.site.stream("a")
    desk.rows("a", FOUR, FOUR + 10 * MINUTE)
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        other = streams.add(
            tx, root=desk.site.root_key, camera=stream.camera, layout=stream.layout,
            zone="UTC", name="a2", extension=".mp4", max_length=HOUR,
        )  # fmt: skip
        tx.exec_driver_sql(
            "INSERT INTO recording VALUES (?, ?, 0, ?, 10, 0)",
            (other.key, FOUR + 5 * MINUTE, 15 * MINUTE),
        )
    answer = desk.answer("a", FOUR, FOUR + 20 * MINUTE)
    assert answer["all_preserved"]
    assert answer["total"]["recordings"] == 11
    assert answer["total"]["seconds"] == 20 * 60


def test_a_camera_that_nobody_ever_met_may_be_in_any_root(desk):
    desk.rows("a", FOUR, FOUR + MINUTE)
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        roots.add(tx, name="new", path="/new", uuid="u")
    line = desk.line("a", FOUR + HOUR, FOUR + 2 * HOUR)
    assert line["pending"][0]["why"] == "not scanned yet"


def test_a_real_cycle_is_told_as_it_was(desk):
    old = NOW - 40 * DAY
    for number in range(5):
        desk.site.record("a", old + number * MINUTE)
    assert desk.site.cycle().deleted == 5
    (found,) = desk.line("a", old, old + 5 * MINUTE)["deleted"]
    assert found["recordings"] == 5
    answer = desk.answer("a", old, old + 5 * MINUTE)
    assert answer["total"]["recordings"] == 0


def test_beside_a_running_deletion_each_file_is_kept_gone_or_follows(desk):
    """Answers that come while batches run, of one file each: nothing is in none."""
    old, count = NOW - 40 * DAY, 300
    files = [desk.site.record("a", old + n * MINUTE) for n in range(count)]
    desk.site.batch = 7
    desk.site.restart()
    window = asked(old, old + count * MINUTE)
    answers = []

    def ask():
        while len(answers) < 200 and any(path.exists() for path in files):
            answers.append(desk.answer("a", *window.asked))

    thread = threading.Thread(target=ask)
    thread.start()
    desk.site.cycle(NOW, never)
    thread.join()
    answers.append(desk.answer("a", *window.asked))
    for answer in answers:
        (line,) = answer["cameras"]
        gone = sum(one["recordings"] for one in line["deleted"])
        there = line["protected"]["recordings"]
        assert gone + there + answer["outcome_follows"] == count
        assert empty(line, "deleted", "pending")
    assert answers[-1]["total"]["recordings"] == 0


def open_batch(desk):
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql("INSERT INTO batch VALUES (1, ?)", (desk.site.root_key,))


def saved(desk, start, doubtful=False):
    camera = desk.site.stream("a").camera
    return GateFile(camera, start, start + MINUTE, 10, doubtful)


def test_islands_are_the_union_of_what_overlaps(desk):
    """Also where a long recording lies over several short ones."""
    desk.row("a", FOUR, 30 * MINUTE)
    desk.row("a", FOUR + 5 * MINUTE)
    desk.row("a", FOUR + 10 * MINUTE)
    desk.row("a", FOUR + 40 * MINUTE)
    desk.cameras("a")
    with desk.site.catalogue.read() as tx:
        stream = streams.by_key(tx, desk.site.stream("a").key)
        window = Window(FOUR, FOUR + HOUR)
        found = spans.sums(tx, stream, window)
        islands = spans.islands(tx, stream, window, found.last_end, 2 * SECOND)
    assert islands == [
        Window(FOUR, FOUR + 30 * MINUTE),
        Window(FOUR + 40 * MINUTE, FOUR + 41 * MINUTE),
    ]
