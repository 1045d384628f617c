"""A log that somebody with its key wrote, each breaking one law: named by entry and law;
and what honest people do, which breaks none."""

from dataclasses import replace

import pytest

from retention.model.values import DAY, HOUR, MINUTE, SECOND, Actor
from retention.tlog.kinds import KINDS
from retention.tlog.lawful import shape
from retention.tlog.lawful.laws import LAWS
from tests.support.logs import NOW, SERVICE
from tests.support.story import ANNA, BEN, CARA, RULES, START, Story

HELD = START - 40 * DAY, START + 400 * DAY


@pytest.fixture
def story():
    return Story()


@pytest.fixture
def found(story, tmp_path):
    """(entry, law) of each violation, once all is written."""

    def look():
        verdict = story.verdict(tmp_path / "log")
        assert verdict.judged == story.size
        return [(one.entry, one.law) for one in verdict.violations]

    return look


def test_an_honest_year_is_lawful(story, tmp_path):
    rows = [
        story.row(camera, age=29 * DAY + n * MINUTE)
        for n in range(3)
        for camera in (1, 2)
    ]
    story.recorded(*rows)
    story.place(rows[0][2], rows[0][2] + MINUTE, hold=1)
    story.beat(6)
    story.delete(*rows[1:3], odd={1: "failed"})
    story.delete(rows[2])
    story.said("recordings.lost", (*rows[3][:6], 0, None), held=0)
    story.release(story.ask())
    story.beat(3)
    story.now += 8 * DAY
    story.delete(rows[0])
    story.beat(2)
    verdict = story.verdict(tmp_path / "log")
    assert verdict.violations == []
    assert (verdict.lawful, verdict.judged, verdict.in_flight) == (True, story.size, 0)
    assert verdict.unchecked == {"role": 1}  # who is a member is withheld


def test_every_law_has_its_number_and_its_sentence():
    assert [law.number for law in LAWS.values()] == list(range(1, len(LAWS) + 1))
    assert len({law.rule for law in LAWS.values()}) == len(LAWS)


# -- kind and chain -------------------------------------------------------------------------


def test_an_intent_without_rows_is_named(story, found):
    intent = story.intend(story.row())
    gone = dict.fromkeys(("rows", "rows_root", "rows_sha256"))
    story.altered(intent, **gone)
    assert found() == [(intent, "kind")]


@pytest.mark.parametrize(
    "fields",
    [
        {"hold": "one"}, {}, {"hold": 1, "colour": "red"}, {"hold": True},
    ],
)  # fmt: skip
def test_fields_that_the_kind_does_not_have_or_of_another_type_are_named(
    story, found, fields
):
    number = story.add("hold.cooled", hold=1)
    story.altered(number, fields=fields)
    assert found() == [(number, "kind")]


def test_free_text_in_clear_is_named(story, found):
    number = story.place(*HELD)
    story.altered(number, fields={**entry(story, number)["fields"], "reason": "theft"})
    assert found() == [(number, "kind")]


def test_another_subject_than_the_fields_say_is_named(story, found):
    number = story.place(*HELD)
    story.altered(number, subject="hold:2")
    assert found() == [(number, "kind")]


def test_kinds_and_fields_of_a_newer_program_are_not_checkable(story, tmp_path):
    story.origin["program"] = "retention 99"
    number = story.add("hold.cooled", hold=1)
    story.altered(number, fields={"hold": 1, "colour": "red"})
    newer = story.add("service.stopped")
    story.altered(newer, kind="hold.lent")
    verdict = story.verdict(tmp_path / "log")
    assert verdict.lawful
    assert verdict.unchecked["kind"] == 1


def entry(story, number):
    from retention.tlog.canonical import decode

    return decode(story.entries[number].data)


MISSHAPEN = {
    "when it was written": {"at": "today"},
    "under which policy": {"policy": None},
    "has no fields": {"fields": []},
    "lacks its review": {"fields": {"review": None}},
    "has the review 'soon', which is no int": {"fields": {"review": "soon"}},
    "shows its reason": {"fields": {"reason": "theft"}},
    "does not have: colour": {"fields": {"colour": "red"}},
    "commits to what hold.placed does not: colour": {"sd": {"colour": "A" * 43}},
    "commits to its reason by what is no digest": {"sd": {"reason": "A"}},
    "or half of what tells them": {"rows": 1},
    "has the subject 'hold:2'": {"subject": "hold:2"},
}


@pytest.mark.parametrize("told", MISSHAPEN)
def test_each_way_in_which_an_entry_is_not_as_its_kind_declares(story, told):
    right = entry(story, story.place(*HELD))
    changed = {
        name: {**right[name], **value} if isinstance(value, dict) else value
        for name, value in MISSHAPEN[told].items()
    }
    assert shape.misshapen(right, KINDS["hold.placed"], ours=True) is None
    assert told in shape.misshapen(right | changed, KINDS["hold.placed"], ours=True)


def test_rows_that_a_kind_has_not_or_must_have_are_told(story):
    intent = entry(story, story.intend(story.row()))
    rows = {name: intent[name] for name in ("rows", "rows_root", "rows_sha256")}
    bare = {name: value for name, value in intent.items() if name not in rows}
    cooled = entry(story, story.add("hold.cooled", hold=1))
    of = KINDS["deletion.intended"]
    assert "must have" in shape.misshapen(bare, of, ours=True)
    assert "has rows" in shape.misshapen(cooled | rows, KINDS["hold.cooled"], ours=True)


def test_free_text_that_must_be_there_and_is_not_is_told(story):
    number = story.add("policy.rejected", by=BEN, proposal=1, reason="r")
    right = entry(story, number)
    left = {**right, "sd": {}}
    told = shape.misshapen(left, KINDS["policy.rejected"], ours=True)
    assert told == "lacks its reason"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"site": None}, "does not say at which site"), ({"site": "derby"}, "is of the"),
        ({"prev": "x"}, "of the one before it"),
    ],
)  # fmt: skip
def test_each_way_in_which_an_entry_does_not_follow_the_one_before(
    story, changed, told
):
    right = entry(story, story.add("hold.cooled", hold=1))
    assert shape.unchained(right, right["prev"], right["site"]) is None
    assert told in shape.unchained(right | changed, right["prev"], right["site"])


@pytest.mark.parametrize(
    ("actor", "told"),
    [
        (None, "who did it"), ({"uid": "x", "login": 1, "pid": 1}, "who did it"),
        ({"uid": 1, "login": 1, "pid": 1}, "by which role"),
    ],
)  # fmt: skip
def test_each_way_in_which_an_entry_does_not_say_who_did_it(story, actor, told):
    right = entry(story, story.add("hold.cooled", hold=1))
    assert shape.anonymous(right) is None
    assert told in shape.anonymous(right | {"actor": actor})


def test_a_missing_actor_is_named(story, found):
    number = story.add("hold.cooled", hold=1)
    story.altered(number, actor=None)
    assert found() == [(number, "chain")]


def test_an_entry_of_another_site_is_named(story, found):
    story.origin["site"] = "derby"
    number = story.add("hold.cooled", hold=1)
    assert found() == [(number, "chain")]


def test_an_entry_that_does_not_name_the_one_before_it_is_named(story, found):
    number = story.add("hold.cooled", hold=1)
    story.altered(number, prev="AAAAAAAA")
    assert found() == [(number, "chain")]


# -- time -----------------------------------------------------------------------------------


def test_time_that_goes_back_to_1970_is_named(story, found):
    story.now, then = 0, story.now
    number = story.add("hold.cooled", hold=1)
    assert found() == [(number, "time")]
    story.now = then
    story.add("hold.cooled", hold=2)
    assert found() == [(number, "time")]


def test_a_clock_that_was_set_back_and_is_not_believed_is_lawful(story, found):
    story.now -= HOUR
    story.add("hold.cooled", hold=1)
    story.add("guard.tripped", guard="clock", scope="", detail="behind")
    story.add("hold.cooled", hold=2)
    story.now -= HOUR
    story.add("guard.cleared", guard="clock", scope="", reason="right")
    story.add("hold.cooled", hold=3)
    assert found() == []
    story.now -= 10 * SECOND
    number = story.add("hold.cooled", hold=4)
    assert found() == [(number, "time")]


def test_seconds_are_no_going_back(story, found):
    story.now -= 5 * SECOND
    story.add("hold.cooled", hold=1)
    assert found() == []


# -- hold -----------------------------------------------------------------------------------


def test_a_deletion_under_a_hold_is_named(story, found):
    story.place(*HELD)
    number = story.delete(story.row(2), story.row(1))
    assert found() == [(number, "hold")]


def test_a_deletion_under_a_hold_that_cools_off_is_named(story, found):
    story.place(*HELD)
    story.release(story.ask())
    story.now += 6 * DAY
    number = story.delete(story.row())
    story.now += 2 * DAY
    story.delete(story.row(age=33 * DAY))
    assert found() == [(number, "hold")]


def test_what_lies_beside_a_hold_is_free(story, found):
    row = story.row()
    story.place(row[2] + row[4], HELD[1])
    story.place(HELD[0], row[2], hold=2)
    story.delete(row)
    assert found() == []


def test_any_hold_on_the_camera_keeps_what_is_in_doubt(story, found):
    row = story.row(age=50 * DAY, seen=story.now - 29 * DAY)
    story.place(story.now, HELD[1])
    number = story.delete(row)
    assert found() == [(number, "hold")]


def test_a_row_that_says_another_camera_than_its_stream_is_named(story, found):
    story.place(*HELD, camera=2)
    number = story.delete(story.row(stream=102))
    assert found() == [(number, "hold")]


def test_a_hold_placed_before_the_batch_was_over_is_in_flight(story, tmp_path):
    rows = story.row(age=30 * DAY), story.row(age=31 * DAY), story.row(2)
    intent = story.intend(*rows)
    story.place(*HELD)
    story.complete(intent, rows, {1: "rescued"})
    verdict = story.verdict(tmp_path / "log")
    assert verdict.violations == []
    assert verdict.in_flight == 1


# -- period ---------------------------------------------------------------------------------


def test_a_deletion_400_days_early_is_named(story, tmp_path):
    row = story.row(age=-372 * DAY)
    number = story.delete((*row[:6], story.now, None, None))
    (one,) = story.verdict(tmp_path / "log").violations
    assert (one.entry, one.law) == (number, "period")
    assert one.sentence == (
        f"entry {number} has row 0, which is deleted 399 days 23 h before its period is "
        "over (rule 5: nothing is deleted before its period is over)"
    )


def test_a_cameras_own_period_counts(story, found):
    story.policy = 2
    story.add("policy.changed", version=2, days=28, cameras={"1": 31})
    story.delete(story.row(2))
    number = story.delete(story.row(1))
    assert found() == [(number, "period")]


def test_a_doubt_that_nothing_tells_of_is_no_reason_to_delete_early(story, found):
    """Its period would count from before its own end."""
    number = story.delete(story.row(age=DAY, seen=story.now - 29 * DAY))
    assert found() == [(number, "period")]


def test_what_was_dated_in_the_future_goes_by_when_it_was_seen(story, found):
    row = story.row(age=-300 * DAY)
    story.said("recordings.quarantined", (*row[:6], "future", None, story.now))
    seen = story.now
    story.now += 29 * DAY
    story.delete((*row[:6], seen + 28 * DAY, None, seen))
    assert found() == []


def test_what_is_in_quarantine_goes_by_no_sooner_than_when_it_was_seen(story, found):
    """What the catalogue says of that may have been changed."""
    rows = [story.row(age=40 * DAY), story.row(age=41 * DAY)]
    seen = story.now - 20 * DAY
    story.said(
        "recordings.quarantined", *((*row[:6], "late", None, seen) for row in rows)
    )
    sooner = (*rows[0][:6], seen - 9 * DAY + 28 * DAY, None, seen - 9 * DAY)
    numbers = [story.delete(sooner), story.delete(rows[1])]
    assert found() == [(number, "period") for number in numbers]


def test_another_version_of_the_periods_than_was_in_force_is_named(story, found):
    story.policy = 7
    number = story.delete(story.row())
    assert found() == [(number, "period")]


def test_an_older_log_says_of_no_row_whether_it_was_in_doubt(story, found, monkeypatch):
    kind = KINDS["deletion.intended"]
    former = kind.columns[: -kind.later]
    older = replace(kind, columns=former, later=0)
    monkeypatch.setitem(KINDS, kind.name, older)
    rows = story.row(), story.row(2, age=50 * DAY, seen=story.now - 29 * DAY)
    story.delete(*(row[:-1] for row in rows), names=former)
    number = story.delete(story.row(age=27 * DAY)[:-1], names=former)
    monkeypatch.setitem(KINDS, kind.name, kind)
    assert found() == [(number, "period")]


# -- twice ----------------------------------------------------------------------------------


def test_the_same_recording_deleted_twice_is_named(story, found):
    row, other = story.row(), story.row(age=30 * DAY)
    story.delete(row, other)
    number = story.delete(row, story.row(2)) + 1
    assert found() == [(number, "twice")]


def test_twice_in_one_batch_is_named(story, found):
    row = story.row()
    number = story.delete(row, row) + 1
    assert found() == [(number, "twice")]


@pytest.mark.parametrize(
    "outcome", ["rescued", "failed", "stopped", "changed", "absent"]
)
def test_what_was_not_deleted_may_be_tried_again(story, found, outcome):
    row, other = story.row(), story.row(age=30 * DAY)
    story.delete(row, other, odd={0: outcome})
    story.delete(row)
    assert found() == []


def test_what_came_again_may_be_deleted_again(story, found):
    row = story.row()
    story.delete(row)
    story.said("recordings.reappeared", (*row[:6], None))
    story.said("recordings.quarantined", (*row[:6], "late", None, story.now))
    seen = story.now
    story.now += 29 * DAY
    story.delete((*row[:6], seen + 28 * DAY, None, seen))
    number = story.delete(row) + 1
    assert found() == [(number, "twice")]


def test_what_was_left_out_of_a_run_may_go_later(story, found):
    rows = [story.row(age=29 * DAY + n * MINUTE) for n in range(9)]
    story.delete(*(row for n, row in enumerate(rows) if n not in (3, 4)))
    story.delete(rows[4])
    story.delete(rows[3])
    assert found() == []
    number = story.delete(rows[4]) + 1
    assert found() == [(number, "twice")]


# -- counts and heartbeat -------------------------------------------------------------------


def test_more_gone_than_was_recorded_is_named(story, found):
    rows = story.row(), story.row(age=40 * DAY)
    story.recorded(*rows)
    story.delete(rows[0])
    story.said("recordings.lost", (*rows[0][:6], 0, None), held=0)
    number = story.beat(0)
    story.beat(0)
    assert found() == [(number, "counts")]


def test_a_heartbeat_that_counts_another_number_than_the_books_is_named(story, found):
    story.recorded(story.row(), story.row(2))
    number = story.beat(3)
    story.beat(5, counted=None)
    story.beat(2)
    assert found() == [(number, "heartbeat")]


def test_moves_and_corrections_are_in_the_books(story, found):
    one, two = story.row(), story.row(2)
    story.recorded(one)
    story.recorded(two, origin="corrected")
    moved = one[2] + 2 * DAY
    story.said(
        "recordings.resolved", (*one[:6], "r", None, moved, moved + MINUTE),
        by=BEN, ruling="shift", reason="r",
    )  # fmt: skip
    story.beat(2)
    story.now += 3 * DAY
    story.delete((1, 101, moved, 0, MINUTE, 10, moved + MINUTE + 28 * DAY, None, None))
    story.beat(1)
    assert found() == []


# -- batch ----------------------------------------------------------------------------------


def test_an_entry_of_the_right_form_that_nobody_understands_is_named(story, found):
    number = story.add("policy.changed", version=2, days=28, cameras={"x": 30})
    assert (number, "kind") in found()


def test_a_second_completion_of_a_batch_is_named(story):
    """By the service; to who verifies the log it is not even intact."""
    row = story.row()
    intent = story.delete(row)
    number = story.complete(intent, (row,), {})
    found = [(one.entry, one.law) for one in story.disclosed().violations]
    assert found == [(number, "batch")]


def test_a_batch_that_begins_before_the_last_is_over_is_named(story, found):
    story.intend(story.row())
    number = story.intend(story.row(2))
    story.intend(story.row(2), root="nvr2")
    assert (number, "batch") in found()


def test_an_open_batch_is_no_violation(story, found):
    story.intend(story.row())
    assert found() == []


# -- release --------------------------------------------------------------------------------


def told(story, number):
    (one,) = [one for one in story.disclosed().violations if one.entry == number]
    assert one.law == "release"
    return one.what


def test_a_request_for_what_was_released_or_asked_for_before_is_named(story):
    story.place(*HELD)
    story.ask()
    assert "for which entry" in told(story, story.ask(by=CARA))
    story.place(*HELD, hold=2)
    story.release(story.ask(hold=2), hold=2)
    assert "hold 2, which was released" in told(story, story.ask(hold=2))


def test_a_request_for_a_hold_that_was_never_placed_is_named(story):
    assert "hold 7, which was never placed" in told(story, story.ask(hold=7))


def test_a_second_release_is_named(story):
    story.place(*HELD)
    story.release(story.ask())
    number = story.release(None)
    found = [one.what for one in story.disclosed().violations if one.entry == number]
    assert "releases hold 1, which was released before" in found


def test_a_rejection_of_what_does_not_wait_is_named(story):
    placed = story.place(*HELD)
    number = story.add(
        "hold.release_rejected", by=BEN, hold=1, request=placed, reason="r"
    )
    assert "which is no request that waits" in told(story, number)


def test_a_hold_in_force_that_is_put_in_force_again_is_named(story):
    story.place(*HELD)
    number = story.add("hold.reinstated", by=BEN, hold=1, free_at=story.now, reason="r")
    assert "reinstates hold 1, which is in force" in told(story, number)


def test_a_release_by_the_same_person_is_named(story, found):
    story.place(*HELD)
    both = replace(ANNA, role="supervisor")
    number = story.release(story.ask(), by=both)
    assert found() == [(number, "release")]


def test_a_release_under_another_account_of_the_same_person_is_named(story, found):
    story.place(*HELD)
    number = story.release(story.ask(), by=replace(BEN, login=ANNA.login))
    assert found() == [(number, "release")]


def test_a_release_of_which_nobody_knows_who_logged_in_is_named(story, found):
    story.place(*HELD)
    number = story.release(story.ask(), by=replace(BEN, login=4_294_967_295))
    assert found() == [(number, "release")]


def test_a_release_that_nobody_asked_for_is_named(story, found):
    story.place(*HELD)
    number = story.release(None)
    assert found() == [(number, "release")]


def test_a_release_before_its_request_is_named(story, found):
    story.place(*HELD)
    number = story.release(story.size + 1)
    story.ask()
    assert (number, "release") in found()


def test_a_release_of_a_hold_that_did_not_stand_is_named(story, found):
    number = story.release(None)
    assert found() == [(number, "release")]


def test_a_hold_of_the_rows_alone_takes_two_people_too(story, found):
    asked = story.add("hold.release_requested", by=ANNA, hold=9, unlogged=True)
    released = {"hold": 9, "free_at": story.now + 9 * DAY, "unlogged": True}
    story.add("hold.released", by=BEN, request=asked, **released)
    assert found() == []
    asked = story.add("hold.release_requested", by=BEN, hold=8, unlogged=True)
    number = story.add("hold.released", by=BEN, request=asked, **released | {"hold": 8})
    assert found() == [(number, "release")]


def test_a_hold_of_the_log_is_not_called_one_of_the_rows_alone(story, found):
    story.place(*HELD)
    number = story.add("hold.release_requested", by=ANNA, hold=1, unlogged=True)
    assert found() == [(number, "release")]


def test_a_hold_that_cools_off_too_short_is_named(story, found):
    story.place(*HELD)
    number = story.release(story.ask(), free_at=story.now + DAY)
    assert found() == [(number, "release")]


def test_one_person_is_enough_where_that_was_the_rule(story, found):
    story.add("rules.proposed", proposal=1, rule="r", old="true", new="false")
    weaker = {"release_requires_two_people": "false"}
    story.add("rules.changed", by=BEN, old=RULES, new=weaker, proposal=1)
    story.place(*HELD)
    story.release(None, by=ANNA)
    assert found() == []


def test_an_extension_that_covers_less_is_named(story, found):
    story.place(*HELD)
    number = story.add(
        "hold.extended", by=ANNA, hold=1, cameras=[], since=HELD[0], until=START,
        review=NOW, old_since=HELD[0], old_until=HELD[1], old_review=NOW,
    )  # fmt: skip
    assert found() == [(number, "release")]


def test_a_second_hold_of_the_same_number_is_named(story, found):
    story.place(*HELD)
    number = story.place(START, START + 1)
    assert found() == [(number, "release")]


def test_a_rejected_request_releases_nothing(story, found):
    story.place(*HELD)
    request = story.ask()
    story.add("hold.release_rejected", by=BEN, hold=1, request=request, reason="r")
    number = story.release(request)
    assert found() == [(number, "release")]


# -- approval -------------------------------------------------------------------------------


def test_a_shorter_period_that_nobody_approved_is_named(story, found):
    story.policy = 2
    number = story.add("policy.changed", version=2, days=1, cameras={})
    assert found() == [(number, "approval")]


def test_a_shorter_period_of_one_camera_by_a_proposal_never_made_is_named(story, found):
    story.policy = 2
    number = story.add(
        "policy.changed", by=BEN, version=2, days=30, cameras={"2": 9}, proposal=4
    )
    assert found() == [(number, "approval")]


def test_a_shorter_period_that_was_proposed_and_approved_is_lawful(story, found):
    story.add("policy.proposed", days=14, cameras={}, proposal=4)
    story.policy = 2
    story.add("policy.changed", by=BEN, version=2, days=14, cameras={}, proposal=4)
    assert found() == []


@pytest.mark.parametrize(
    "weaker",
    [
        {"release_requires_two_people": "false"}, {"require_login_uid": "false"},
        {"cooling_off": "1 h"},
    ],
)  # fmt: skip
def test_a_weaker_rule_that_nobody_approved_is_named(story, found, weaker):
    number = story.add("rules.changed", old=RULES, new=weaker)
    assert found() == [(number, "approval")]


# -- role -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "role", ["operator", "administrator", "auditor", "service", "boss"]
)
def test_a_release_approved_by_another_role_is_named(story, found, role):
    story.place(*HELD)
    number = story.release(story.ask(), by=replace(BEN, role=role))
    assert found() == [(number, "role")]


def test_a_plan_approved_by_the_service_itself_is_named(story, found):
    number = story.add("plan.approved", plan=1, digest="d")
    assert found() == [(number, "role")]


def test_a_role_that_there_is_not_is_named(story, found):
    number = story.add("hold.cooled", by=Actor(1, 1, 1, "boss"), hold=1)
    assert found() == [(number, "role")]


def test_without_what_opens_the_log_membership_is_not_checkable(story, tmp_path):
    story.add(
        "access.changed",
        role="supervisor",
        added={"names": ["cara"]},
        removed={"names": []},
    )
    story.place(*HELD)
    story.release(story.ask())
    verdict = story.verdict(tmp_path / "log")
    assert verdict.lawful
    assert verdict.unchecked == {"role": 1}


def member(story, name, role="supervisor"):
    names = {"names": [name]}
    story.add("access.changed", role=role, added=names, removed={"names": []})


def test_whoever_was_no_member_of_the_role_is_named_where_that_is_disclosed(story):
    member(story, "cara")
    member(story, "ben", role="operator")
    story.place(*HELD)
    number = story.release(story.ask())
    verdict = story.disclosed()
    assert [(one.entry, one.law) for one in verdict.violations] == [(number, "role")]
    assert "was done by ben, who was no supervisor then" in verdict.violations[0].what


def test_a_member_of_the_role_may(story):
    member(story, "ben")
    story.place(*HELD)
    story.release(story.ask())
    verdict = story.disclosed()
    assert (verdict.violations, verdict.unchecked) == ([], {})


# -- what is not known, and what was seen to ------------------------------------------------


def test_what_is_not_intact_is_not_judged(story, tmp_path):
    row = story.row()
    story.delete(row)
    whole = story.size
    story.delete(row)
    story.entries[whole - 1] = story.entries[whole - 1]._replace(data=b"{}")
    verdict = story.verified(tmp_path / "log").verdict
    assert verdict.violations == []
    assert verdict.judged == whole - 1


def test_what_two_people_acknowledged_is_listed_apart(story, tmp_path):
    number = story.add("plan.approved", plan=1, digest="d")
    raised = story.add(
        "alarm.raised", alarm="unlawful", scope="role", detail="d", cameras=[]
    )
    story.add(
        "alarm.end_asked",
        by=BEN,
        alarm="unlawful",
        scope="role",
        raised=raised,
        reason="r",
    )
    later = story.add("plan.approved", plan=2, digest="d")
    story.add(
        "alarm.ended", by=CARA, alarm="unlawful", scope="role", raised=raised,
        acknowledged=True, reason="a test",
    )  # fmt: skip
    verdict = story.verdict(tmp_path / "log")
    assert [one.entry for one in verdict.acknowledged] == [number]
    assert [one.entry for one in verdict.violations] == [later]


def test_the_service_can_not_acknowledge_what_it_did(story, tmp_path):
    story.add("plan.approved", plan=1, digest="d")
    raised = story.add(
        "alarm.raised", alarm="unlawful", scope="role", detail="d", cameras=[]
    )
    story.add(
        "alarm.ended", by=SERVICE, alarm="unlawful", scope="role", raised=raised,
        acknowledged=True, reason="a test",
    )  # fmt: skip
    verdict = story.verdict(tmp_path / "log")
    assert verdict.acknowledged == []
    assert not verdict.lawful


# -- what came back under no head -------------------------------------------------------------


def restored(story, first):
    """All from entry `first` on came back unsigned."""
    story.add(
        "catalogue.restored", old_size=first, size=story.size, signed=first, holds=0,
        recordings=0,
    )  # fmt: skip


def test_what_came_back_unsigned_breaks_no_law_whoever_wrote_it(story, found):
    first = story.size
    story.place(*HELD)
    intent = story.intend(story.row())
    story.beat(10**9)
    story.release(None, by=SERVICE)
    restored(story, first)
    story.complete(intent, (story.row(),), {0: "stopped"})
    assert found() == []
    number = story.delete(story.row())
    assert found() == [(number, "hold")]  # the hold keeps, and nobody released it


def test_a_deletion_by_an_intent_that_came_back_unsigned_is_named(story, found):
    first = story.size
    row = story.row()
    intent = story.intend(row)
    restored(story, first)
    number = story.complete(intent, (row,), {})
    assert found() == [(number, "batch")]
