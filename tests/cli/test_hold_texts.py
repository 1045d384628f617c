"""Holds as they are listed and shown, and what is said after each act."""

import click
from hold_examples import row

from retention.cli import hold_texts

ZONE = "Europe/London"
REQUEST = {
    "at": "2026-10-27T08:00:00Z",
    "by": "anna",
    "reason": "copy handed over",
}


def listed(*rows):
    answer = {"holds": list(rows), "two_person_release": True}
    return click.unstyle(hold_texts.holds(answer, ZONE))


def shown(**more):
    return click.unstyle(hold_texts.hold(row(**more), ZONE))


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
    }  # fmt: skip
    assert shown(history=[entry]).endswith(
        "entry  time                             what         by\n"
        "   42  Mon 26 Oct 2026 09:30:00 +00:00  hold.placed  anna"
    )


def test_a_request_for_release_says_that_the_hold_stays_and_who_approves():
    text = hold_texts.released(
        {"hold": 17, "free_at": None, "approvers": ["ben"]}, ZONE
    )
    assert "STAYS IN FORCE until a second person approves" in text
    assert "ben, with `retention hold approve 17`" in text


def test_a_release_says_until_when_it_can_be_taken_back_and_how():
    text = hold_texts.approved({"hold": 17, "free_at": "2026-11-03T08:00:00Z"}, ZONE)
    assert "stays until Tue 3 Nov 2026 08:00:00 +00:00 (cooling off)" in text
    assert "`retention hold reinstate 17 --reason" in text


def test_a_hostile_name_does_not_reach_the_terminal():
    text = listed(row(officer="\x1b[2J", reference="\x1b[2J", reason="a\nb"))
    assert "\x1b" not in hold_texts.title(row(reference="\x1b[2J"))
    assert "a\\nb" in text
