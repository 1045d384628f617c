"""Placing a hold: what it takes, what is refused, what is stored and told."""

from uuid import uuid4

import pytest

from retention.catalogue import cameras as register
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.catalogue.log_check import verify_catalogue
from retention.model.errors import NotPermittedError, RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import (
    DAY,
    FOREVER,
    HOUR,
    MINUTE,
    SECOND,
    Actor,
    Camera,
    Custody,
)
from tests.support.control_room import ANNA, BEN, EVENING
from tests.support.site_ import NOW

POLICE = {
    "kind": "police", "reference": None, "officer": "PC 4321 Singh",
    "force": "Leicestershire Police",
}  # fmt: skip


def utc(instant):
    return format_utc(instant)


def test_a_hold_is_answered_with_what_was_asked_and_what_is_kept(room):
    room.site.record("a", EVENING)
    answer = room.place(margin=None)
    assert answer["hold"] == 1
    assert answer["in_force_since"] == utc(NOW)
    assert answer["asked"] == {"since": utc(EVENING), "until": utc(EVENING + HOUR)}
    assert answer["since"] == utc(EVENING - 5 * MINUTE)
    assert answer["margin_seconds"] == 300
    assert answer["review"] == utc(NOW + 90 * DAY)
    assert answer["total"]["recordings"] == 1
    assert answer["incomplete"] == []
    assert (answer["dry_run"], answer["repeated"]) == (False, False)


def test_a_hold_is_said_to_be_in_force_since_its_commit_not_since_it_was_asked_for(
    room,
):
    def clock():
        assert room.numbers() == [1]  # asked once it is durable
        return NOW + 3 * SECOND

    room.clock = clock
    assert room.place()["in_force_since"] == utc(NOW + 3 * SECOND)


def test_the_entry_has_times_and_cameras_in_clear_and_people_only_as_commitments(room):
    room.place("a", "b", **POLICE, power="s.19 PACE", requester="control")
    (entry,) = room.entries("hold.placed")
    with room.site.catalogue.read() as tx:
        raw = tx.exec_driver_sql(
            "SELECT bytes FROM entry ORDER BY number DESC"
        ).scalar()
    for word in (b"Singh", b"Leicestershire", b"PACE", b"control", b"proceedings"):
        assert word not in raw
    said = entry["fields"]
    assert said["officer"] == "PC 4321 Singh"
    assert said["force"] == "Leicestershire Police"
    assert said["power"] == "s.19 PACE"
    assert said["cameras"] == [room.keys["a"], room.keys["b"]]
    assert (said["since"], said["until"]) == (EVENING, EVENING + HOUR)


def test_the_entry_is_found_by_camera_and_time_of_the_footage(room):
    room.place("b")
    with room.site.catalogue.read() as tx:
        at = {"since": EVENING, "until": EVENING + HOUR}
        kinds = [one["kind"] for one in listing(tx, camera=room.keys["b"], **at)]
        assert kinds == ["hold.placed"]
        assert listing(tx, camera=room.keys["a"], **at) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "favour"}, "no kind of hold"),
        ({"kind": "police"}, "officer and the force: give --officer and --force"),
        ({**POLICE, "force": " "}, "needs the force: give --force"),
        ({"kind": "sar"}, "date on which the request was received: give --received"),
        ({"reference": None}, "needs the reference: give --reference"),
        ({"reason": " "}, "needs the reason: give --reason"),
        ({"reason": "a\nb"}, "U\\+000A"),
        ({"reason": "a\x1b[2Jb"}, "U\\+001B"),
        ({"officer": "a\u202eb"}, "U\\+202E"),
        ({"reference": "x" * 501}, "501 characters"),
        ({"until": None}, "--to TIME, or --until-released"),
        ({"until_released": True}, "not both"),
        ({"until": utc(EVENING)}, "before it begins"),
        ({"review": utc(NOW + 367 * DAY)}, "within a year"),
        ({"review": "now"}, "is past"),
        ({"received": "+1h"}, "still to come"),
        ({"margin": "5"}, "has no unit"),
        ({"margin": "3000w"}, "is the most"),
        ({"cameras": []}, "which cameras"),
        ({"cameras": ["zz"]}, "'zz' today"),
        ({"cameras": ["a", "x*"]}, "'x\\*' today"),
        ({"cameras": [], "location": "moon"}, "'moon'"),
        ({"cameras": [], "location": ""}, "''"),
        ({"replaces": 9}, "no hold 9"),
        ({"request": "12"}, "uuid"),
    ],
)
def test_what_can_not_be_meant_is_refused_and_nothing_stored(room, changes, words):
    before = room.size()
    with pytest.raises(UsageError, match=words):
        room.place(**changes)
    assert room.numbers(state="all") == []
    assert room.size() == before


def test_a_police_hold_without_a_reference_is_placed_and_incomplete(room):
    answer = room.place(**POLICE)
    assert answer["incomplete"] == ["reference"]
    assert room.numbers(state="incomplete") == [1]


def test_a_subject_access_request_says_when_it_was_received(room):
    room.place(kind="sar", received="yesterday 09:00")
    assert room.show()["received"] == "2026-09-20T08:00:00Z"


def test_patterns_and_locations_are_resolved_once_and_stored_as_a_list(room):
    room.add(Camera(0, "a2", "Market Place", "towards the clock"))
    room.add(Camera(0, "c", "High Street", "MARKET stalls"))
    room.place(cameras=["a*"], location="market")
    room.add(Camera(0, "a3", "market"))
    assert [one["camera"] for one in room.show()["cameras"]] == ["a", "a2", "c"]


def test_an_id_is_never_read_as_a_pattern_where_it_is_somebodys(room):
    room.add(Camera(0, "[a]", "odd"))
    room.place("[a]")
    assert [one["camera"] for one in room.show()["cameras"]] == ["[a]"]


def test_a_camera_asked_for_twice_is_held_once(room):
    room.place("a", "*a*", location="at a")
    assert [one["camera"] for one in room.show()["cameras"]] == ["a"]


@pytest.mark.parametrize(("id", "who"), [("p", "police"), ("t", "third-party")])
def test_a_camera_of_others_refuses_the_whole_and_says_who_has_the_data(room, id, who):
    with pytest.raises(NotPermittedError, match=f"{who} custody.*No hold was placed"):
        room.place("a", id)
    assert room.numbers(state="all") == []


def test_a_pattern_that_meets_a_camera_of_others_is_refused_too(room):
    with pytest.raises(
        NotPermittedError, match=r"cameras p .* and third-party custody"
    ):
        room.place("*")


def renumber(room, old, new):
    room.now += HOUR
    with room.site.catalogue.write(Priority.SCAN) as tx:
        key = room.keys[old]
        register.relabel(tx, {key: old}, {key: new}, room.now)


def test_an_old_number_is_told_the_new_one(room):
    renumber(room, "a", "1001")
    room.now += DAY
    with pytest.raises(UsageError, match="camera a has another id today: type 1001"):
        room.place("a")


def test_an_id_that_meant_another_camera_in_that_time_holds_both(room):
    renumber(room, "a", "1001")
    other = room.add(Camera(0, "a", "new place"))
    room.now += DAY
    room.place("a", since=utc(NOW - HOUR), until=utc(NOW + 2 * HOUR))
    covered = {one["location"] for one in room.show()["cameras"]}
    assert covered == {"at a", "new place"}
    assert other in room.entries("hold.placed")[0]["fields"]["cameras"]


def test_an_id_that_meant_another_camera_within_the_margin_holds_both(room):
    renumber(room, "a", "1001")
    room.add(Camera(0, "a", "new place"))
    changed = room.now
    room.now += DAY
    room.place("a", since=utc(changed + MINUTE), until=utc(changed + HOUR), margin="5m")
    assert {one["location"] for one in room.show()["cameras"]} == {"at a", "new place"}


def test_a_camera_of_others_that_had_the_id_before_is_no_obstacle(room):
    renumber(room, "p", "9001")
    room.add(Camera(0, "p", "new place"))
    room.now += DAY
    room.place("p")
    assert [one["location"] for one in room.show()["cameras"]] == ["new place"]


def test_open_ended_and_future_holds(room):
    answer = room.place(since="now", until=None, until_released=True)
    assert answer["until"] is None
    assert answer["asked"]["until"] is None
    with room.site.catalogue.read() as tx:
        stored = tx.exec_driver_sql("SELECT until FROM hold").scalar()
    assert stored == FOREVER


def test_times_are_kept_as_a_person_typed_them(room):
    room.place(typed="last Saturday 21:00 to 22:00")
    assert room.show()["typed"] == "last Saturday 21:00 to 22:00"


def test_a_dry_run_answers_alike_and_stores_nothing(room):
    room.site.record("a", EVENING)
    before = room.size()
    seen = room.place(dry_run=True)
    assert room.size() == before
    assert room.numbers(state="all") == []
    placed = room.place()
    assert seen["dry_run"]
    assert (seen["hold"], seen["in_force_since"]) == (None, None)
    for name in ("cameras", "total", "since", "until", "review", "all_preserved"):
        assert seen[name] == placed[name]
    assert seen.keys() == placed.keys()


def test_active_holds_of_the_same_reference_are_named(room):
    room.place(reference="CAD 77")
    room.place(reference="other")
    assert room.place(reference="cad 77")["same_reference"] == [1]
    room.ask("release", hold=1, reason="done")
    room.ask("approve", BEN, hold=1)
    assert room.place(reference="CAD 77")["same_reference"] == [3]
    assert room.place(**POLICE)["same_reference"] == []
    assert room.place(**POLICE)["same_reference"] == []


def test_the_disks_are_read_before_the_answer_unless_all_is_to_come(room):
    asked = []

    def look(names, seconds):
        asked.append((set(names), seconds))
        room.site.record("a", EVENING)
        return set()

    room.look = look
    assert room.place(since="+1h", until="+2h")["total"]["recordings"] == 0
    assert asked == []
    assert room.place("a")["total"]["recordings"] == 1
    assert asked == [({"nvr1"}, 5.0)]


def test_the_hold_is_in_force_before_anybody_looks(room):
    room.look = lambda names, seconds: {*names} if room.state() == "active" else set()
    assert room.place()["hold"] == 1


# -- the same request again -----------------------------------------------------------


def test_the_same_request_again_gives_the_same_hold_and_stores_nothing(room):
    request = str(uuid4())
    first = room.place(request=request)
    size = room.size()
    again = room.place(request=request.upper())
    assert room.size() == size
    assert again == first | {"repeated": True}


def test_a_repeated_request_is_answered_though_its_times_mean_others_by_now(room):
    request = str(uuid4())
    first = room.place(request=request, review="+1h", since="now", until="+1h")
    room.now += DAY
    again = room.place(
        request=request, review=utc(NOW + HOUR), since="now", until="+1h"
    )
    assert again["asked"] == first["asked"]
    assert again["in_force_since"] == first["in_force_since"]


def test_the_request_of_somebody_else_is_refused(room):
    request = str(uuid4())
    room.place(request=request)
    with pytest.raises(UsageError, match="another hold, 1"):
        room.place(by=BEN, request=request)


def test_a_request_whose_hold_was_released_says_so(room):
    request = str(uuid4())
    room.place(request=request)
    room.ask("release", hold=1, reason="done")
    room.ask("approve", BEN, hold=1)
    with pytest.raises(RetentionError, match="hold 1, which was released"):
        room.place(request=request)


# -- in the place of a mistyped one ---------------------------------------------------


def test_the_right_hold_asks_for_the_release_of_the_mistyped_one(room):
    room.place("a")
    answer = room.place("b", replaces=1)
    assert answer["replaced"] == {"hold": 1, "release_requested": True, "why": None}
    assert room.state(1) == "pending release"
    assert room.show(1)["release_requested"]["reason"] == "replaced by hold 2"
    assert room.show(2)["replaces"] == 1
    (entry,) = room.entries("hold.release_requested")
    assert entry["fields"]["replaced_by"] == 2
    room.ask("approve", BEN, hold=1)
    assert room.state(1) == "cooling off"


def test_the_same_request_again_says_of_the_replaced_hold_what_it_said_first(room):
    room.place("a")
    request = str(uuid4())
    first = room.place("b", replaces=1, request=request)
    room.ask("reject", BEN, hold=1, reason="no")
    assert room.place("b", replaces=1, request=request) == first | {"repeated": True}


@pytest.mark.parametrize(
    ("by", "why"),
    [
        (Actor(0, 1000, 1, "operator"), "not as root"),
        (Actor(61001, 4294967295, 1, "operator"), "not known who logged in"),
        (Actor(61001, 61001, 1, "administrator"), "administrator may not"),
    ],
)
def test_the_right_hold_stands_where_the_release_of_the_other_may_not_be_asked_for(
    room, by, why
):
    room.place("a")
    answer = room.place("b", by=by, replaces=1)
    assert not answer["replaced"]["release_requested"]
    assert why in answer["replaced"]["why"]
    assert room.numbers(state="active") == [1, 2]
    assert room.state(1) == "active"


def test_a_hold_whose_release_waits_already_is_replaced_all_the_same(room):
    room.place("a")
    room.ask("release", hold=1, reason="mistyped")
    answer = room.place("b", replaces=1)
    assert "anna asked for the release" in answer["replaced"]["why"]
    assert room.show(1)["release_requested"]["reason"] == "mistyped"


def test_a_hold_of_many_cameras_has_its_list_beside_the_entry(room):
    for number in range(501):
        room.add(Camera(0, f"m{number}", "many"))
    room.place("m*")
    (entry,) = room.entries("hold.placed")
    assert entry["fields"]["cameras"] is None
    assert entry["rows"] == 501
    assert verify_catalogue(room.site.catalogue, deep=True).ok


def test_police_cameras_stay_out_of_a_location_search(room):
    room.add(Camera(0, "r", "Ring Road", custody=Custody.COUNCIL))
    with pytest.raises(NotPermittedError, match="camera p"):
        room.place(cameras=None, location="ring road")


def test_who_placed_a_hold_is_what_the_kernel_says(room):
    room.place(by=ANNA)
    with room.site.catalogue.read() as tx:
        row = tx.exec_driver_sql("SELECT placed_by, placed_login FROM hold").one()
    assert tuple(row) == (61001, 61001)


@pytest.mark.parametrize("pattern", ["[" * 60_000, "*a" * 500])
def test_a_pattern_that_others_would_wait_for_is_refused_at_once(room, pattern):
    with pytest.raises(UsageError, match="at most 200 characters long"):
        room.place(pattern)


def test_so_are_many_patterns_in_one_request(room):
    with pytest.raises(UsageError, match="at most 100 ids with"):
        room.place(*(f"a*{number}" for number in range(101)))
    assert room.numbers() == []
