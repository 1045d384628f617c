"""How holds are listed and shown."""

import json

import pytest

from retention.catalogue import cameras as register
from retention.catalogue.db import Priority
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR
from tests.support.control_room import ANNA, BEN, EVENING
from tests.support.site_ import NOW


def test_a_hold_is_shown_with_everything_that_was_given(room):
    room.place(
        "b", "a", kind="police", officer="PC 1", force="Kent", power="s.19 PACE",
        requester="desk", typed="yesterday 9 to 10", margin="1m",
    )  # fmt: skip
    shown = room.show()
    history = shown.pop("history")
    assert shown == {
        "hold": 1, "state": "active", "kind": "police", "reference": "A/1",
        "reason": "proceedings", "officer": "PC 1", "force": "Kent",
        "power": "s.19 PACE", "requester": "desk", "received": None,
        "typed": "yesterday 9 to 10", "incomplete": [],
        "cameras": [
            {"camera": "a", "location": "at a", "view": ""},
            {"camera": "b", "location": "at b", "view": ""},
        ],
        "asked": {"since": format_utc(EVENING), "until": format_utc(EVENING + HOUR)},
        "since": format_utc(EVENING - 60_000_000),
        "until": format_utc(EVENING + HOUR + 60_000_000),
        "margin_seconds": 60, "placed": format_utc(NOW), "placed_by": "uid 61001",
        "replaces": None, "review": format_utc(NOW + 90 * DAY), "review_due": False,
        "release_requested": None, "approvers": [], "released": None, "free_at": None,
        "alarms": [], "lost": 0, "overwritten": 0, "not_in_log": [], "by_log_alone": [], "inspection": None, "two_person_release": True,
    }  # fmt: skip
    assert [(one["kind"], one["by"]) for one in history] == [("hold.placed", "anna")]


def test_the_history_of_a_hold_is_its_own_alone(room):
    room.place("a")
    room.place("b")
    room.ask("release", hold=1, reason="done")
    room.ask("amend", hold=2, reason="other")
    room.ask("approve", BEN, hold=1)
    history = room.show(1)["history"]
    assert [(one["kind"], one["by"]) for one in history] == [
        ("hold.placed", "anna"),
        ("hold.release_requested", "anna"),
        ("hold.released", "ben"),
    ]
    numbers = [one["number"] for one in history]
    assert numbers == sorted(numbers)


def test_a_pending_release_names_who_asked_and_who_can_approve(room):
    room.place()
    room.ask("release", ANNA, hold=1, reason="done")
    (one,) = room.ask("list")["holds"]
    assert one["state"] == "pending release"
    asked = one["release_requested"]
    assert (asked["by"], asked["reason"], asked["at"]) == (
        "anna",
        "done",
        format_utc(NOW),
    )
    assert one["approvers"] == ["daemon"]


@pytest.fixture
def many(room):
    """1 active, 2 incomplete and due, 3 pending, 4 cooling off, 5 free."""
    five = [room.place(reference=f"Case {n}")["hold"] for n in range(1, 6)]
    room.place(kind="police", officer="PC", force="Kent", reference=None, review="+1h")
    for number in five[2:]:
        room.ask("release", hold=number, reason="done")
    room.ask("approve", BEN, hold=5)
    room.now += 7 * DAY
    room.ask("approve", BEN, hold=4)
    return room


@pytest.mark.parametrize(
    ("state", "numbers"),
    [
        (None, [1, 2, 3, 4, 6]),
        ("active", [1, 2, 3, 6]),
        ("incomplete", [6]),
        ("review", [6]),
        ("pending", [3]),
        ("released", [4, 5]),
        ("all", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_holds_are_listed_by_state(many, state, numbers):
    assert many.numbers(state=state) == numbers


def test_a_state_that_there_is_not_is_refused(room):
    with pytest.raises(UsageError, match="use one of active, incomplete"):
        room.ask("list", state="old")


def test_holds_are_listed_by_kind_and_by_a_part_of_the_reference(many):
    assert many.numbers(kind="police") == [6]
    assert many.numbers(reference="case 1") == [1]
    assert many.numbers(reference="CASE", state="active") == [1, 2, 3]
    assert many.numbers(reference="*") == []


def test_holds_are_listed_by_camera_under_any_id_that_it_ever_had(room):
    room.place("a")
    room.place("a", "b")
    room.now += HOUR
    with room.site.catalogue.write(Priority.SCAN) as tx:
        register.relabel(tx, {room.keys["a"]: "a"}, {room.keys["a"]: "1001"}, room.now)
    assert room.numbers(camera="1001") == room.numbers(camera="a") == [1, 2]
    assert room.numbers(camera="b") == [2]
    assert room.numbers(camera="p") == []
    with pytest.raises(UsageError, match="no camera was ever called 'x'"):
        room.numbers(camera="x")


def test_every_list_says_whether_a_release_takes_two(alone):
    assert alone.ask("list")["two_person_release"] is False


def test_a_hold_that_is_not_there_can_not_be_shown(room):
    with pytest.raises(RetentionError, match="no hold 3"):
        room.show(3)


def test_every_answer_is_json(many):
    for answer in (many.ask("list", state="all"), many.show(4), many.place("b")):
        json.dumps(answer, allow_nan=False)
