"""The answer to a hold, in words: the verdict first, and nothing left out."""

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retention.cli.hold import answers as hold_answer
from retention.model import codec
from retention.model.answers.hold import HoldExtended, HoldPlaced, HoldReinstated
from tests.support.hold_examples import FROM, TO, camera, kept, placed, span

ZONE = "Europe/London"
GONE = span(FROM, "2026-10-24T20:30:00Z", at=TO, entry=812, entries=1, recordings=3)


def a_placed(*cameras, **more):
    return codec.from_json(HoldPlaced, placed(*cameras, **more))


def text(*cameras, **more):
    return click.unstyle(hold_answer.placed(a_placed(*cameras, **more), ZONE))


def lines(*cameras, **more):
    return text(*cameras, **more).splitlines()


def test_the_first_lines_say_since_when_and_whether_all_of_it_is_kept():
    first, second, *_ = lines()
    assert first == "Hold 17 is in force since Mon 26 Oct 2026 09:30:00 +00:00."
    assert second == (
        "All of it: 16 recordings, 2 h 40 min, 4.0 GB protected from deletion by this "
        "program."
    )


def test_the_times_asked_for_are_told_in_local_time_and_in_utc_with_their_length():
    shown = text()
    assert (
        "asked from  Sat 24 Oct 2026 21:00:00 +01:00 (2026-10-24T20:00:00Z)\n"
        "to          Sat 24 Oct 2026 23:30:00 +01:00 (2026-10-24T22:30:00Z)\n"
        "that is     2 h 30 min\n"
        "margin      5 min before and after\n"
        "for         police 26*123456\n"
    ) in shown


def test_the_night_the_clocks_go_back_is_five_hours_long():
    night = span("2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z")
    assert "that is     5 h\n" in text(asked=night)


def test_an_open_hold_ends_with_its_release():
    shown = text(asked=span(until=None), until=None, margin_seconds=0)
    assert "to          its release\n" in shown
    assert "margin      none\n" in shown


def test_a_dry_run_says_before_anything_else_that_nothing_is_placed():
    shown = text(hold=None, in_force_since=None, dry_run=True)
    assert shown.startswith("Dry run: NO hold is placed.")
    assert "in force" not in shown


def test_a_request_that_came_twice_names_the_first_ones_hold():
    assert lines(repeated=True)[0].startswith("Hold 17 was placed by this request")


def test_what_was_deleted_names_when_and_the_entry():
    shown = text(camera(deleted=[GONE]), all_preserved=False)
    assert "NOT ALL of it: 16 recordings" in shown
    assert (
        "Already deleted by this program:\n"
        "  1001\n"
        "    Sat 24 Oct 2026 21:00:00 +01:00 to Sat 24 Oct 2026 21:30:00 +01:00:\n"
        "      3 recordings, Sat 24 Oct 2026 23:30:00 +01:00, `retention audit show 812`"
    ) in shown


def test_many_entries_name_the_last_and_how_many():
    gone = GONE | {"entries": 4}
    shown = text(camera(deleted=[gone]), all_preserved=False)
    assert "`retention audit show 812` (the last of 4 entries)" in shown


def test_what_a_long_list_leaves_out_is_counted():
    rest = span(more=120)
    shown = text(camera(no_recording_seen=[span(), rest]), all_preserved=False)
    assert "\n    120 more within Sat 24 Oct 2026 21:00:00 +01:00 to Sat" in shown


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("lost", "Lost: it vanished, and not by this program"),
        ("no_recording_seen", "No recording was seen"),
    ],
)
def test_each_way_of_not_being_there_has_its_own_words(key, words):
    spans = [GONE if key == "lost" else span()]
    assert f"\n{words}:\n" in text(camera(**{key: spans}), all_preserved=False)


def test_what_is_not_known_says_why_with_local_times():
    why = "before the root was adopted at 2026-10-24T22:30:00Z"
    shown = text(camera(not_known=[span(why=why)]), all_preserved=False)
    assert ": before the root was adopted at Sat 24 Oct 2026 23:30:00 +01:00" in shown


def test_what_is_still_to_come_makes_it_all_so_far():
    shown = text(camera(pending=[span(why="being written")]))
    assert "All of it so far: 16 recordings" in shown


def test_what_is_in_quarantine_is_there_and_not_said_to_come():
    stretches = [span(why="in quarantine"), span(TO, None, why="future")]
    shown = text(camera(pending=stretches), all_preserved=False)
    assert (
        "\nKept, but its times are in doubt: whether it is of this time is not certain:\n"
        "  1001\n    Sat 24 Oct 2026 21:00:00 +01:00 to Sat 24 Oct 2026 23:30:00 +01:00: in "
        "quarantine\n"
    ) in shown
    coming = shown[shown.index("Not there yet") :]
    assert "future" in coming
    assert "quarantine" not in coming


def test_what_was_being_deleted_is_not_said_to_come():
    going = camera(pending=[span(why="deletion under way")])
    shown = text(going, all_preserved=False)
    assert "Being deleted as the hold came: the outcome follows:\n  1001\n" in shown
    assert "Not there yet" not in shown


def test_recordings_none_of_which_is_surely_of_that_time_are_not_told_as_a_part_of_it():
    """Nobody at 3 a.m. knows what 3 recordings of 0 s are."""
    one = camera(recordings=3)
    one["protected"] |= {"seconds": 0, "in_doubt": 3}
    assert lines(one, all_preserved=False)[1] == (
        "NONE of it for certain: 3 recordings, 750.0 MB protected from deletion by this "
        "program."
    )


def test_nothing_at_all_is_said_plainly():
    shown = text(camera(recordings=0), all_preserved=False)
    assert "NOTHING of it is protected yet" in shown


def test_a_hold_on_the_future_is_no_failure():
    future = camera(recordings=0, pending=[span(until=None, why="future")])
    shown = text(future)
    assert "Nothing of it is recorded yet: it is protected as it comes." in shown
    assert "the hold covers it as it comes:\n  1001\n" in shown
    assert "+01:00 to its release: future" in shown


def test_cameras_with_the_same_gap_share_its_line():
    many = [
        camera(str(1000 + n), pending=[span(why="being written")]) for n in range(104)
    ]
    shown = text(*many)
    assert shown.count("being written") == 1
    assert "  1000, 1001, 1002, 1003, 1004, 1005 and 98 more\n" in shown


def test_when_the_recorder_deletes_the_first_is_told_for_the_earliest_camera():
    at = [
        {"first_at": moment, "known": True}
        for moment in ("2026-11-29T21:10:00Z", "2026-11-28T21:10:00Z")
    ]
    shown = text(
        camera("1001", recorder_deletes=at[0]), camera("1002", recorder_deletes=at[1])
    )
    assert (
        "The recorder itself deletes the first of this at Sat 28 Nov 2026 21:10:00 "
        "+00:00 (camera 1002): have a copy made before then."
    ) in shown
    assert "have a copy made now" not in shown


def test_a_recorder_of_which_that_is_not_known_asks_for_a_copy_now():
    shown = text()
    assert "is not known for 1001: have a copy made now." in shown
    assert "A hold does not stop the recorder's own clean-up." in shown


def test_surplus_doubt_and_files_in_flight_are_told():
    one = camera(surplus_seconds=600)
    one["protected"]["in_doubt"] = 2
    shown = text(
        one,
        outcome_follows=3,
        times_in_doubt=["times of nvr1/x look one hour out"],
    )
    assert "10 min more than asked for is kept (surplus)" in shown
    assert "2 recordings of these only since the times are in doubt." in shown
    assert "3 files being deleted as the hold came" in shown
    assert "Doubtful: times of nvr1/x look one hour out." in shown


def test_an_incomplete_hold_says_how_to_complete_it():
    shown = text(incomplete=["reference"])
    assert "`retention hold amend 17 --reference ...`" in shown


def test_another_hold_with_the_same_reference_is_named():
    assert "In force with the same reference: hold 12, 13." in text(
        same_reference=[12, 13]
    )


def test_a_replaced_hold_is_in_force_until_its_release_is_approved():
    shown = text(replaced={"hold": 12, "release_requested": True, "why": None})
    assert "The release of hold 12 is asked for; it stays in force" in shown
    assert "`retention hold approve 12`" in shown


def test_a_replaced_hold_whose_release_could_not_be_asked_for_says_why():
    why = "the role administrator may not ask for a release"
    shown = text(replaced={"hold": 12, "release_requested": False, "why": why})
    assert f"The release of hold 12 is NOT asked for: {why}." in shown


def test_an_extended_hold_says_that_a_pending_release_came_to_nothing():
    found = kept(extended=True, request_dropped=True)
    answer = codec.from_json(HoldExtended, found)
    shown = hold_answer.extended(answer, ZONE)
    assert shown.startswith("Hold 17 is extended, in force from now on.\nIts release")
    assert "`retention hold release 17` asks anew" in shown


def test_an_extension_that_was_covered_before_says_so():
    found = kept(extended=False, request_dropped=False)
    answer = codec.from_json(HoldExtended, found)
    assert hold_answer.extended(answer, ZONE).startswith("Hold 17 covered all of that")


def test_a_reinstated_hold_is_in_force_again_and_says_what_it_keeps():
    found = kept(state="active", reason="the wrong one")
    shown = hold_answer.reinstated(codec.from_json(HoldReinstated, found), ZONE)
    assert shown.startswith("Hold 17 is in force again: its release is undone.\n")
    assert "16 recordings" in shown


def test_a_camera_that_nobody_typed_is_asked_about():
    """An id that was given to another camera holds both, and the operator must know."""
    answer = a_placed(camera("1001"), camera("1050", location="High Street"))
    asked = "Camera 1050 (High Street, north) is held too"
    assert asked in hold_answer.placed(answer, ZONE, ["1001"])
    assert asked not in hold_answer.placed(answer, ZONE, ["10*"])
    assert asked not in hold_answer.placed(answer, ZONE)


def test_two_cameras_of_one_id_are_asked_about():
    answer = a_placed(camera("1001"), camera("1001", location="High Street"))
    assert "The id 1001 meant more than one camera" in hold_answer.placed(answer, ZONE)


@pytest.mark.parametrize(("all_of_it", "status"), [(True, 0), (False, 7)])
def test_the_exit_status_is_7_unless_all_is_preserved(all_of_it, status):
    assert hold_answer.status(a_placed(all_preserved=all_of_it)) == status


def _of(words):
    one = camera(location=words, view="", not_known=[span(why=words)])
    return lines(one, times_in_doubt=[words], all_preserved=False)


@given(st.text(min_size=1, max_size=40))
def test_no_text_of_the_catalogue_ends_a_line(words):
    assert len(_of(words)) == len(_of("x"))


def test_an_answer_by_a_clock_in_doubt_says_so():
    shown = text(clock_in_doubt="the clock jumped ahead by 40 days")
    assert "The clock is in doubt: the clock jumped ahead by 40 days. What is" in shown


def test_the_worst_eight_alarms_are_told_and_how_many_more_there_are():
    alarms = [
        {
            "number": number, "alarm": "stream", "scope": f"nvr1/{number}",
            "rank": "person", "since": FROM, "detail": "late", "remedy": "look",
            "cameras": [], "acknowledged_by": 1, "asked_by": None,
        }
        for number in range(20, 30)
    ]  # fmt: skip
    told = [line for line in lines(alarms=alarms) if "alarm" in line.lower()]
    assert len(told) == 9
    assert told[0] == "ALARM stream: late; `retention alarm show 20`."
    assert told[-1] == "And 2 alarms more: `retention alarm list`."


def test_a_file_of_nothing_is_not_all_of_it():
    one = camera(recordings=3)
    one["protected"]["empty"] = 1
    shown = text(one, all_preserved=False)
    assert "NOT ALL of it: 3 recordings" in shown
    assert "Of these 1 file of 0 bytes" in shown
    assert hold_answer.status(a_placed(one, all_preserved=False)) == 7


def test_files_beside_the_recordings_are_told_with_why_no_hold_keeps_them():
    beside = {
        "root": "nvr1", "reason": "not named as the layout says",
        "example": "1001/x.mkv", "files": 2, "bytes": 5_000,
    }  # fmt: skip
    assert (
        "Beside the recordings of camera 1001: 2 files, 5.0 kB, that no hold keeps (not "
        "named as the layout says), such as 1001/x.mkv in nvr1."
    ) in lines(camera(files_beside=[beside]))
