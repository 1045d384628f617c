"""A camera changes while evidence holds cover it: on record, and asked about."""

import pytest

from retention.catalogue import cameras, db, holds
from retention.model.values import DAY
from tests.support.dated import Dated
from tests.support.dated import append as append_dated

LIST = "id,location\n1,Market Place\n2,Station\n"

CHANGES = {
    "renumbered": lambda room: room.renumber(old="1", new="1001"),
    "moved": lambda room: room.moved(id="1", lon="-1.14", lat="52.63"),
    "replaced": lambda room: room.replace(id="1", location="High Street"),
    "retired": lambda room: room.retire(id="1"),
}


@pytest.fixture
def room(room):
    room.load(LIST)
    return room


def waiting(room):
    """What people are asked about, as (change, id, holds)."""
    with room.catalogue.read() as tx:
        return [(one.change, one.camera, one.holds) for one in cameras.unruled(tx)]


def review(room, hold):
    """A person looked at the hold and keeps it."""
    fields = {"hold": hold, "review": 3, "old_review": 2, "reason": "it is the same"}
    with room.catalogue.write(db.Priority.HOLD) as tx:
        append_dated(room.log, tx, Dated("hold.reviewed", room.now, room.actor, fields))


def cameras_of(room, hold):
    with room.catalogue.read() as tx:
        return sorted(holds.cameras_of(tx, hold))


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_under_an_active_hold_is_on_record_and_asked_about(room, change):
    key = room.key("1")
    hold = room.hold(key)
    CHANGES[change](room)
    (entry,) = room.entries("camera.under_hold")
    id_ = "1001" if change == "renumbered" else "1"
    assert entry["fields"] == {
        "camera": key, "id": id_, "change": change, "holds": [hold], "count": 1,
    }  # fmt: skip
    assert waiting(room) == [(change, id_, [hold])]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_a_camera_that_no_hold_covers_is_not(room, change):
    room.hold(room.key("2"))
    CHANGES[change](room)
    assert room.entries("camera.under_hold") == []
    assert waiting(room) == []


def test_a_hold_covers_the_camera_that_replaced_its_own_on_record(room):
    old = room.key("1")
    hold = room.hold(old)
    answer = room.replace(id="1")
    new = answer["camera"]["key"]
    assert answer["holds_covering_both"] == [hold]
    assert cameras_of(room, hold) == [old, new]
    (entry,) = room.entries("hold.extended")
    fields = entry["fields"]
    assert (fields["hold"], fields["cameras"]) == (hold, [new])
    assert (fields["since"], fields["until"]) == (
        fields["old_since"],
        fields["old_until"],
    )
    assert room.show(id="1")["holds"] == [hold]


def test_each_hold_on_a_replaced_camera_covers_the_new_one(room):
    old = room.key("1")
    both = [room.hold(old), room.hold(old, free_at=room.now + 100 * DAY)]
    other = room.hold(room.key("2"))
    assert room.replace(id="1")["holds_covering_both"] == both
    assert cameras_of(room, other) == [room.key("2")]


def test_a_new_camera_in_police_custody_is_under_no_hold_of_ours(room):
    hold = room.hold(room.key("1"))
    answer = room.replace(id="1", kind="anpr")
    assert (answer["holds"], answer["holds_covering_both"]) == ([hold], [])
    assert len(cameras_of(room, hold)) == 1
    assert waiting(room) == [("replaced", "1", [hold])]


def test_a_review_of_the_hold_rules_on_the_change(room):
    first, second = room.hold(room.key("1")), room.hold(room.key("1"))
    room.retire(id="1")
    review(room, first)
    assert waiting(room) == [("retired", "1", [second])]
    review(room, second)
    assert waiting(room) == []


def test_a_review_rules_on_what_was_changed_before_it_only(room):
    hold = room.hold(room.key("1"))
    review(room, hold)
    room.moved(id="1", lon="-1.14", lat="52.63")
    review(room, hold)
    room.retire(id="1")
    assert waiting(room) == [("retired", "1", [hold])]


def test_a_released_hold_is_not_asked_about(room):
    hold = room.hold(room.key("1"))
    room.retire(id="1")
    with room.catalogue.write(db.Priority.HOLD) as tx:
        holds.release(tx, hold, room.now, room.now + 7 * DAY)
    assert waiting(room) == []


def test_what_was_ruled_on_is_forgotten_with_the_next_change(room):
    hold = room.hold(room.key("1"))
    room.moved(id="1", lon="-1.14", lat="52.63")
    review(room, hold)
    room.retire(id="1")
    with room.catalogue.read() as tx:
        assert len(db.get_fact(tx, "cameras.under_hold")) == 1


def test_many_reviews_since_are_all_seen(room):
    hold = room.hold(room.key("1"))
    room.retire(id="1")
    review(room, hold)
    fields = {"hold": 99, "review": 3, "old_review": 2}
    with room.catalogue.write(db.Priority.HOLD) as tx:
        for _ in range(600):
            append_dated(
                room.log, tx, Dated("hold.reviewed", room.now, room.actor, fields)
            )
    assert waiting(room) == []


def test_many_cameras_renumbered_at_once_are_each_asked_about(room):
    holds_ = [room.hold(room.key("1")), room.hold(room.key("2"))]
    file = room.file("old,new,apply\n1,1001,yes\n2,1002,yes\n", "pairs.csv")
    done = room.renumber(file=file)["renumbered"]
    assert [one["holds"] for one in done] == [[holds_[0]], [holds_[1]]]
    assert [one[1] for one in waiting(room)] == ["1001", "1002"]


def test_a_change_that_fails_leaves_no_question(room):
    room.hold(room.key("1"))
    room.actor = None
    with pytest.raises(AttributeError):
        room.retire(id="1")
    assert waiting(room) == []
