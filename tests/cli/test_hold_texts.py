"""Holds as they are listed and shown, and what is said after each act."""

import click
import pytest

from retention.cli.hold import texts as hold_texts
from retention.model import codec
from retention.model.answers.hold import (
    HoldList,
    HoldReleased,
    HoldRow,
    HoldShown,
    Inspection,
    ReleaseAsked,
)
from tests.support.hold_examples import row

ZONE = "Europe/London"
FREE = "2026-11-03T08:00:00Z"
REQUEST = {
    "at": "2026-10-27T08:00:00Z",
    "by": "anna",
    "reason": "copy handed over",
    "entry": 42,
}


def listed(*rows):
    answer = {"holds": list(rows), "two_person_release": True}
    return click.unstyle(hold_texts.holds(codec.from_json(HoldList, answer), ZONE))


def shown(**more):
    usual = {"history": [], "inspection": None, "two_person_release": True}
    found = row(**(usual | more))
    return click.unstyle(hold_texts.hold(codec.from_json(HoldShown, found), ZONE))


def test_a_hold_is_a_few_short_lines():
    assert listed(row()).splitlines() == [
        "1 hold.",
        "",
        "hold 17  active  police 26*123456",
        "  cameras    1001 Market Place, north",
        "  from       Sat 24 Oct 2026 21:00:00 +01:00 to Sat 24 Oct 2026 23:30:00 +01:00",
        "  why        assault in Market Place",
        "  asked by   PC 4321 Singh, Leicestershire Police",
        "  review by  Sun 24 Jan 2027 09:30:00 +00:00",
    ]


def test_what_was_lost_is_said_though_its_alarm_was_acknowledged():
    text = listed(row(lost=2))
    assert text.startswith("1 hold: 1 with footage that is lost.")
    said = "LOST while it kept it, and not back: 2 recordings; `retention audit list"
    assert said in text
    assert said in shown(lost=2)


def test_no_hold_is_said():
    assert listed() == "No hold."


def test_what_somebody_must_act_on_comes_first_and_is_counted():
    text = listed(
        row(1),
        row(2, review_due=True),
        row(3, incomplete=["reference"], reference=""),
        row(4, release_requested=REQUEST, state="pending release", approvers=["ben"]),
    )
    assert text.startswith(
        "4 holds: 1 incomplete, 1 due for review, 1 waiting for the approval of a release."
    )
    order = [line for line in text.splitlines() if line.startswith("hold ")]
    assert [line.split()[1] for line in order] == ["2", "3", "4", "1"]


def test_an_incomplete_hold_says_what_to_type():
    text = listed(row(incomplete=["reference"], reference=""))
    assert "hold 17  active, INCOMPLETE  police without a reference\n" in text
    assert "`retention hold amend 17 --reference ...`" in text


def test_a_passed_review_says_both_ways_on():
    text = listed(row(review_due=True))
    assert "active, REVIEW DUE" in text
    assert "`retention hold review 17 --reason ...`" in text
    assert "`retention hold release 17 --reason ...`" in text


def test_a_pending_release_names_who_asked_why_and_who_can_approve():
    text = listed(row(release_requested=REQUEST, approvers=["ben", "carol"]))
    assert (
        "  Release asked for by anna at Tue 27 Oct 2026 08:00:00 +00:00: copy handed "
        "over\n"
        "  To approve it: ben, carol, with `retention hold approve 17` or `reject`."
    ) in text


def test_a_pending_release_that_nobody_can_approve_says_so():
    text = listed(row(release_requested=REQUEST, approvers=[]))
    assert "Nobody can approve it: no supervisor is known." in text


def test_a_hold_that_cools_off_says_until_when_instead_of_its_review():
    text = listed(row(state="cooling off", free_at="2026-11-03T08:00:00Z"))
    assert "free from  Tue 3 Nov 2026 08:00:00 +00:00" in text
    assert "review by" not in text


def test_a_shown_hold_has_all_that_is_known_and_leaves_out_what_is_not():
    text = shown(power="PACE s.19", replaces=12)
    assert "\npower used  PACE s.19\n" in text
    assert "\nreplaces    hold 12\n" in text
    assert "\nmargin      5 min before and after\n" in text
    assert "\nas typed    yesterday 21:00 to yesterday 23:30\n" in text
    assert "placed      Mon 26 Oct 2026 09:30:00 +00:00 by anna" in text
    assert "received" not in text
    assert "None" not in text


def test_a_shown_hold_has_its_history():
    entry = {
        "number": 42, "at": "2026-10-26T09:30:00Z", "kind": "hold.placed", "by": "anna",
        "came_back": False,
    }  # fmt: skip
    assert shown(history=[entry]).endswith(
        "entry  time                             what         by\n"
        "   42  Mon 26 Oct 2026 09:30:00 +00:00  hold.placed  anna"
    )


def test_a_request_for_release_says_that_the_hold_stays_and_who_approves():
    asked = ReleaseAsked(
        hold=17, state="pending release", requested=FREE, requested_by="anna",
        reason="copy handed over", released=None, free_at=None, approvers=["ben"],
        note="",
    )  # fmt: skip
    text = hold_texts.released(asked, ZONE)
    assert "STAYS IN FORCE until a second person approves" in text
    assert "ben, with `retention hold approve 17`" in text


def test_a_release_says_until_when_it_can_be_taken_back_and_how():
    released = HoldReleased(
        hold=17, state="cooling off", released=FREE, free_at=FREE, note=""
    )
    text = hold_texts.approved(released, ZONE)
    assert "stays until Tue 3 Nov 2026 08:00:00 +00:00 (cooling off)" in text
    assert "`retention hold reinstate 17 --reason" in text


def test_a_hostile_name_does_not_reach_the_terminal():
    text = listed(row(officer="\x1b[2J", reference="\x1b[2J", reason="a\nb"))
    assert "\x1b" not in hold_texts.title(
        codec.from_json(HoldRow, row(reference="\x1b[2J"))
    )
    assert "a\\nb" in text


LOOK = codec.to_json(Inspection(files=16))


def test_a_shown_hold_says_that_its_files_are_as_they_were():
    text = shown(inspection=LOOK)
    assert "Looked at just now: 16 files, all as catalogued." in text


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"lost": 2}, "2 files of it gone, and not by this program"),
        ({"overwritten": 1}, "1 file other than catalogued"),
        ({"written_on": 1}, "1 file of it being written just now"),
        ({"unreadable": 3}, "3 files of it can't be read"),
        ({"not_looked_at": 84_000}, "84,000 files of it not looked at now, 16 were"),
        (
            {"roots_not_looked_at": [{"root": "nvr2", "why": "the clock is in doubt"}]},
            "Nothing was looked at in nvr2 (the clock is in doubt): what is said",
        ),
    ],
)
def test_what_a_look_found_amiss_is_said(found, words):
    text = shown(inspection=LOOK | found)
    assert words in text
    assert "as catalogued." not in text


def test_without_a_look_nothing_is_said_of_one():
    assert "ooked at" not in shown()
    assert "ooked at" not in shown(inspection=codec.to_json(Inspection()))


LOST = {
    "number": 57,
    "alarm": "held-lost",
    "scope": "17/nvr1",
    "rank": "broken",
    "since": "2026-10-27T08:00:00Z",
    "detail": "footage under hold 17 vanished: 1 recording of camera 1001 in nvr1",
    "remedy": "look for another copy",
    "cameras": ["1001"],
    "acknowledged_by": 2,
    "asked_by": None,
}


def test_a_hold_whose_footage_is_lost_comes_first_and_says_so():
    text = listed(row(1), row(17, alarms=[LOST]))
    assert text.startswith("2 holds: 1 with footage that is lost.")
    assert text.index("hold 17 ") < text.index("hold 1 ")
    assert "ALARM held-lost: footage under hold 17 vanished: 1 recording" in text
    assert "`retention alarm show 57`" in text


def test_a_shown_hold_has_all_alarms_that_concern_it_and_the_list_only_its_losses():
    late = LOST | {"alarm": "late", "detail": "arrived 3 days late", "number": None}
    assert "ALARM late: arrived 3 days late." in shown(alarms=[late])
    assert "ALARM" not in listed(row(17, alarms=[late]))


def test_a_hold_goes_on_to_say_what_was_overwritten_whoever_acknowledged_that():
    told = (
        "OTHER THAN CATALOGUED since it keeps it (shrunk, overwritten, or its times "
        "moved): 2 recordings; `retention audit list --kind recordings.quarantined`."
    )
    text = listed(row(1), row(17, overwritten=2))
    assert text.startswith("2 holds: 1 with footage that is lost.")
    assert told in text
    assert told in shown(overwritten=2, inspection=LOOK)
