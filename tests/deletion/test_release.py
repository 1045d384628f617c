"""Releasing a hold: who may, what is refused, and what a wrong clock may not do."""

from dataclasses import replace

import pytest

from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.catalogue.log_check import verify_catalogue
from retention.control import alarms, guards, rules
from retention.holds.release import note_cooled
from retention.model.errors import (
    GuardError,
    NotPermittedError,
    RetentionError,
    UsageError,
)
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, Actor
from retention.site.caller import UNSET_LOGIN
from tests.support.control_room import ANNA, BEN, CARA, EVENING, ControlRoom
from tests.support.site_ import ACTOR, NOW

WEEK = 7 * DAY


@pytest.fixture
def room(tmp_path):
    made = ControlRoom(tmp_path)
    made.place()
    yield made
    made.site.close()


@pytest.fixture
def alone(tmp_path):
    """A site of one person, with one hold."""
    made = ControlRoom(tmp_path, release_requires_two_people=False)
    made.place()
    yield made
    made.site.close()


def request(room, by=ANNA, hold=1):
    return room.ask("release", by, hold=hold, reason="copy handed over")


def approve(room, by=BEN, hold=1):
    return room.ask("approve", by, hold=hold)


def free_at(room):
    with room.site.catalogue.read() as tx:
        return holds.find(tx, 1).free_at


def doubt(room):
    author = room.site.log.by(ACTOR, room.now)
    with room.site.catalogue.write(Priority.DELETION, author) as tx:
        alarms.trip(tx, room.now, guards.CLOCK, "", "35 days ahead")


def test_a_hold_whose_release_is_asked_for_stays_in_force(room):
    answer = request(room)
    assert answer["state"] == "pending release"
    assert answer["free_at"] is None
    assert answer["approvers"] == ["daemon"]
    assert room.state() == "pending release"
    assert free_at(room) is None


def test_a_second_person_releases_and_the_hold_cools_off_for_a_week(room):
    request(room)
    room.now += HOUR
    answer = approve(room)
    assert answer["free_at"] == format_utc(NOW + HOUR + WEEK)
    assert answer["released"] == format_utc(NOW + HOUR)
    assert free_at(room) == NOW + HOUR + WEEK
    assert room.state() == "cooling off"
    room.now += WEEK
    assert room.state() == "released"


def test_the_entry_of_the_release_names_the_entry_of_the_request(room):
    request(room)
    approve(room)
    (asked,) = room.entries("hold.release_requested")
    (done,) = room.entries("hold.released")
    assert asked["actor"]["name"] == "anna"
    assert done["actor"]["name"] == "ben"
    assert done["fields"]["request"] == asked["index"]
    assert done["fields"]["reason"] == "copy handed over"


@pytest.mark.parametrize(
    "second",
    [
        ANNA,
        replace(BEN, uid=ANNA.uid),  # another login, the same user
        replace(BEN, login=ANNA.login),  # the same person through sudo
    ],
)
def test_nobody_approves_his_own_request(room, second):
    request(room)
    with pytest.raises(NotPermittedError, match="anna asked for the release of hold 1"):
        approve(room, second)
    assert room.state() == "pending release"


@pytest.mark.parametrize("verb", ["release", "approve", "reject", "reinstate"])
def test_root_has_no_part_in_a_release(room, verb):
    if verb in ("approve", "reject"):
        request(room)
    if verb == "reinstate":
        request(room)
        approve(room)
    more = {} if verb == "approve" else {"reason": "r"}
    with pytest.raises(NotPermittedError, match="not as root: run it again without"):
        room.ask(verb, Actor(0, 1000, 1, "supervisor", "root"), hold=1, **more)


def test_an_unset_login_can_not_ask_for_a_release(room):
    with pytest.raises(NotPermittedError, match="not known who logged in"):
        request(room, replace(ANNA, login=UNSET_LOGIN))
    assert room.state() == "active"


def test_an_unset_login_can_not_approve(room):
    request(room)
    with pytest.raises(NotPermittedError, match="not known who logged in"):
        approve(room, replace(BEN, login=UNSET_LOGIN))
    assert room.state() == "pending release"


def test_a_request_without_a_login_counts_no_more_once_logins_are_required(tmp_path):
    room = ControlRoom(tmp_path, require_login_uid=False)
    room.place()
    request(room, replace(ANNA, login=UNSET_LOGIN))
    stronger = room.settings.retention.model_copy(update={"require_login_uid": True})
    room.settings = room.settings.model_copy(update={"retention": stronger})
    with pytest.raises(NotPermittedError, match="the first person's session has no"):
        approve(room)
    room.ask("reject", BEN, hold=1, reason="ask anew")
    request(room)
    approve(room)
    room.site.close()


def test_where_login_uids_are_not_required_two_users_are_enough(tmp_path):
    room = ControlRoom(tmp_path, require_login_uid=False)
    room.place()
    request(room, replace(ANNA, login=UNSET_LOGIN))
    with pytest.raises(NotPermittedError, match="another person must approve"):
        approve(room, replace(ANNA, login=UNSET_LOGIN))
    approve(room, replace(BEN, login=UNSET_LOGIN))
    assert room.state() == "cooling off"
    room.site.close()


def test_a_known_login_counts_even_where_it_is_not_required(tmp_path):
    room = ControlRoom(tmp_path, require_login_uid=False)
    room.place()
    request(room)
    with pytest.raises(NotPermittedError, match="another person must approve"):
        approve(room, replace(BEN, login=ANNA.login))
    room.site.close()


def test_a_release_is_asked_for_once(room):
    request(room)
    with pytest.raises(RetentionError, match="asked for by anna already"):
        request(room, CARA)
    assert len(room.entries("hold.release_requested")) == 1


def test_what_nobody_asked_for_is_not_approved_or_rejected(room):
    with pytest.raises(RetentionError, match="nobody has asked"):
        approve(room)
    with pytest.raises(RetentionError, match="nobody has asked"):
        room.ask("reject", BEN, hold=1, reason="no")


def test_a_rejected_release_leaves_the_hold_as_it_was(room):
    request(room)
    (asked,) = room.entries("hold.release_requested")
    answer = room.ask("reject", BEN, hold=1, reason="receipt is missing")
    assert answer["requested_by"] == "anna"
    assert room.state() == "active"
    (entry,) = room.entries("hold.release_rejected")
    assert entry["fields"] == {
        "hold": 1, "request": asked["index"], "reason": "receipt is missing",
    }  # fmt: skip
    with pytest.raises(RetentionError, match="nobody has asked"):
        approve(room)


@pytest.mark.parametrize("verb", ["release", "reject", "reinstate"])
def test_each_act_needs_a_reason(room, verb):
    with pytest.raises(UsageError, match="--reason"):
        room.ask(verb, BEN, hold=1, reason=" ")


@pytest.mark.parametrize(
    "verb", ["release", "approve", "reject", "reinstate", "review"]
)
def test_a_hold_that_is_not_there_is_said(room, verb):
    more = {} if verb == "approve" else {"reason": "r"}
    with pytest.raises(RetentionError, match="no hold 9: `retention hold list`"):
        room.ask(verb, BEN, hold=9, **more)


@pytest.mark.parametrize("verb", ["release", "approve", "reject", "review", "extend"])
def test_a_released_hold_is_not_released_or_changed(room, verb):
    request(room)
    approve(room)
    more = {} if verb == "approve" else {"reason": "r"}
    more |= {"until": "+1h"} if verb == "extend" else {}
    with pytest.raises(RetentionError, match="hold 1 is not active, it was released"):
        room.ask(verb, CARA, hold=1, **more)
    assert free_at(room) == NOW + WEEK


def test_approving_reads_anew_who_the_supervisors_are(room):
    request(room)
    approve(room)
    roles = {entry["fields"]["role"] for entry in room.entries("access.changed")}
    assert "supervisor" in roles


# -- putting it back in force ---------------------------------------------------------


def test_while_it_cools_off_a_hold_is_put_back_in_force(room):
    room.site.record("a", EVENING)
    request(room)
    approve(room)
    room.now += WEEK - 1
    answer = room.ask("reinstate", CARA, hold=1, reason="appeal")
    assert room.state() == "active"
    assert answer["total"]["recordings"] == 1
    (entry,) = room.entries("hold.reinstated")
    assert entry["fields"] == {"hold": 1, "free_at": NOW + WEEK, "reason": "appeal"}


def test_after_the_cooling_off_only_a_new_hold_helps(room):
    request(room)
    approve(room)
    room.now += WEEK
    with pytest.raises(RetentionError, match=r"may be gone.*`retention hold place`"):
        room.ask("reinstate", CARA, hold=1, reason="appeal")


def test_a_hold_in_force_is_not_reinstated(room):
    with pytest.raises(RetentionError, match="nothing to reinstate"):
        room.ask("reinstate", CARA, hold=1, reason="appeal")


def test_a_reinstated_hold_is_released_again_only_by_two(room):
    request(room)
    approve(room)
    room.ask("reinstate", CARA, hold=1, reason="appeal")
    with pytest.raises(RetentionError, match="nobody has asked"):
        approve(room)
    request(room)
    approve(room)
    assert room.state() == "cooling off"


# -- the end of the cooling off -------------------------------------------------------


def cooled(room):
    return note_cooled(room.site.catalogue, room.site.log.by(ACTOR, room.now))


def test_the_end_of_the_cooling_off_goes_on_record_once(room):
    request(room)
    approve(room)
    room.now += WEEK - 1
    assert cooled(room) == 0
    room.now += 1
    assert cooled(room) == 1
    assert cooled(room) == 0
    (entry,) = room.entries("hold.cooled")
    assert entry["at"] == NOW + WEEK
    assert verify_catalogue(room.site.catalogue).ok


def test_a_cooling_off_that_only_a_wrong_clock_ended_is_put_on_record_again(room):
    request(room)
    approve(room)
    room.now += WEEK
    cooled(room)
    room.now -= DAY
    room.ask("reinstate", CARA, hold=1, reason="the clock was wrong")
    room.now += 2 * DAY
    request(room)
    approve(room)
    room.now += WEEK
    assert cooled(room) == 1


# -- one person -----------------------------------------------------------------------


def test_where_one_person_is_enough_a_release_is_done_at_once(alone):
    answer = request(alone)
    assert answer["state"] == "cooling off"
    assert free_at(alone) == NOW + WEEK
    (entry,) = alone.entries("hold.released")
    assert entry["fields"]["request"] is None


def test_where_one_person_is_enough_he_approves_what_replaced_a_hold(alone):
    alone.place("b", replaces=1)
    approve(alone, ANNA)
    assert alone.state() == "cooling off"


def test_root_is_refused_there_too(alone):
    with pytest.raises(NotPermittedError, match="not as root"):
        request(alone, Actor(0, 1000, 1, "operator"))


def test_settings_that_weaken_the_rule_do_not_apply_by_themselves(tmp_path):
    """Once two people were the rule, the file alone does not make it one."""
    room = ControlRoom(tmp_path)
    with room.site.catalogue.write(Priority.HOLD) as tx:
        rules.adopt(tx, room.settings.retention)
    weaker = room.settings.retention.model_copy(
        update={"release_requires_two_people": False, "cooling_off": MINUTE}
    )
    room.settings = room.settings.model_copy(update={"retention": weaker})
    room.place()
    assert request(room)["state"] == "pending release"
    approve(room)
    assert free_at(room) == NOW + WEEK
    room.site.close()


# -- by a clock that is not believed --------------------------------------------------


def test_by_a_clock_that_a_guard_doubts_nothing_is_released(alone):
    doubt(alone)
    with pytest.raises(GuardError, match="35 days ahead"):
        request(alone)
    assert free_at(alone) is None


def test_by_a_clock_that_a_guard_doubts_nothing_is_approved(room):
    request(room)
    doubt(room)
    with pytest.raises(GuardError, match="35 days ahead"):
        approve(room)
    assert room.state() == "pending release"


def test_by_a_clock_behind_the_log_nothing_is_released(alone):
    alone.now -= 30 * DAY
    with pytest.raises(GuardError, match="behind the audit log"):
        request(alone)
    assert free_at(alone) is None


def test_whatever_the_clock_a_release_can_be_asked_for_and_rejected(room):
    doubt(room)
    request(room)
    room.ask("reject", BEN, hold=1, reason="no")
    assert room.state() == "active"
