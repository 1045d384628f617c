"""The verbs of the register: what each changes, what it refuses, what is on record."""

import pytest

from retention.catalogue import cameras
from retention.catalogue.entries import listing
from retention.model.errors import RetentionError, UsageError
from retention.model.values import DAY, Custody, Window

HEAD = "camera_id,location,lon,lat\n"
TWO = HEAD + "1,Market Place,-1.13,52.63\n2,London Road,-1.12,52.62\n"


def refused(do, **arguments):
    with pytest.raises(RetentionError) as caught:
        do(**arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# add, list, show


def test_an_added_camera_is_listed_and_on_record(room):
    room.add(id="1", location="Market Place", lon="-1.13", lat="52.63")
    (camera,) = room.list()["cameras"]
    assert (camera["id"], camera["lat"], camera["custody"]) == ("1", 52.63, "council")
    (entry,) = room.entries("camera.added")
    assert entry["fields"] == {
        "camera": camera["key"], "id": "1", "kind": "public_space",
        "custody": "council", "source": "add", "location": "Market Place", "view": "",
        "lon": "-1.13", "lat": "52.63", "easting": None, "northing": None,
        "published": None, "controller": None,
    }  # fmt: skip


def test_an_anpr_camera_is_the_polices_unless_said_otherwise(room):
    assert room.add(id="1", location="x", kind="ANPR")["camera"]["custody"] == "police"
    third = room.add(id="2", location="x", kind="anpr", custody="third_party")
    assert third["camera"]["custody"] == "third_party"


def test_an_anpr_camera_can_not_be_the_councils(room):
    with pytest.raises(UsageError, match="police's"):
        room.add(id="1", location="x", kind="anpr", custody="council")


def test_an_id_that_means_a_camera_can_not_be_added(room):
    room.add(id="1", location="x")
    assert "camera replace" in refused(room.add, id="1", location="y")


def test_adding_an_id_that_another_camera_had_says_so(room):
    room.load(TWO)
    room.renumber(old="1", new="1001")
    assert room.add(id="1", location="x")["formerly"]["id"] == "1001"


def test_ids_are_sorted_as_people_count(room):
    for id in ("10", "9", "A2", "A10", "100"):
        room.add(id=id, location="x")
    assert room.ids() == ["9", "10", "100", "A2", "A10"]


def test_retired_cameras_are_listed_only_with_all(room):
    room.load(TWO)
    room.retire(id="2")
    assert [one["id"] for one in room.list()["cameras"]] == ["1"]
    assert [one["retired"] for one in room.list(all=True)["cameras"]] == [False, True]


def test_unlisted_cameras_are_always_listed(room):
    room.load(TWO)
    room.load(HEAD + "1,Market Place,-1.13,52.63\n")
    assert [one["listed"] for one in room.list()["cameras"]] == [True, False]


def test_show_tells_the_ids_with_their_validity(room):
    room.load(TWO)
    room.renumber(old="1", new="1001")
    first, second = room.show(id="1001")["ids"]
    assert (first["id"], second["id"]) == ("1", "1001")
    assert first["to"] == second["from"]
    assert second["to"] is None


def test_show_finds_a_camera_by_an_id_that_it_lost(room):
    room.load(TWO)
    room.renumber(old="1", new="1001")
    assert room.show(id="1")["id"] == "1001"


def test_show_names_the_other_cameras_of_an_id(room):
    room.load(TWO)
    old = room.key("1")
    room.replace(id="1")
    assert [one["key"] for one in room.show(id="1")["others"]] == [old]


def test_show_tells_streams_and_holds(room):
    room.load(TWO)
    room.footage(room.key("1"))
    number = room.hold(room.key("1"))
    shown = room.show(id="1")
    assert (shown["streams"][0]["root"], shown["holds"]) == ("nvr1", [number])
    assert shown["streams"][0]["max_length"] == 3600


def test_an_unknown_id_is_said_to_be_unknown(room):
    assert "no camera has the id '7'" in refused(room.show, id="7")


# renumber


def test_a_renumbered_camera_keeps_its_key(room):
    room.load(TWO)
    key = room.key("1")
    answer = room.renumber(old="1", new="1001")
    assert answer["renumbered"] == [
        {
            "key": key, "old": "1", "new": "1001", "location": "Market Place",
            "holds": [],
        }
    ]  # fmt: skip
    assert room.key("1001") == key
    (entry,) = room.entries("camera.renumbered")
    assert entry["fields"] == {"camera": key, "old": "1", "new": "1001"}


def test_a_former_id_is_refused_with_the_one_of_today(room):
    room.load(TWO)
    room.renumber(old="1", new="1001")
    assert "type 1001 if you mean" in refused(room.renumber, old="1", new="7")


def test_an_id_of_another_camera_is_refused(room):
    room.add(id="1", location="x")
    room.add(id="2", location="y")
    said = refused(room.renumber, old="1", new="2")
    assert "2 is another camera's id (y)" in said


def test_the_id_of_a_retired_camera_can_be_given_to_another(room):
    room.add(id="1", location="x")
    room.add(id="2", location="y")
    one, two = room.key("1"), room.key("2")
    room.retire(id="2")
    assert [c["key"] for c in room.renumber(old="1", new="2")["displaced"]] == [two]
    assert room.key("2") == one
    (entry,) = room.entries("camera.replaced")
    assert entry["fields"] == {"id": "2", "old": two, "new": one}


def test_a_file_of_pairs_is_applied_as_a_whole(room):
    room.load(TWO)
    path = room.file("old,new\n1,1001\n2,1002\n", "pairs.csv")
    assert len(room.renumber(file=path)["renumbered"]) == 2
    assert room.ids() == ["1001", "1002"]


def test_ids_can_be_exchanged_within_a_file(room):
    room.load(TWO)
    one, two = room.key("1"), room.key("2")
    room.footage(one)
    room.footage(two)
    room.renumber(file=room.file("old,new\n1,2\n2,1\n", "pairs.csv"))
    assert (room.key("2"), room.key("1")) == (one, two)
    assert not any(one["retired"] for one in room.list(all=True)["cameras"])


def test_bad_pairs_are_all_named_with_their_lines_and_none_is_applied(room):
    room.load(HEAD + "".join(f"{n},x{n},,\n" for n in range(1, 7)))
    room.load(HEAD + "".join(f"{n},x{n},,\n" for n in range(1, 8)))
    pairs = "old,new\n1,1001\n9,1009\n2,2\n3,1001\n1,77\n4,5\n6,\n"
    before = room.state()
    said = refused(room.renumber, file=room.file(pairs, "pairs.csv"))
    assert room.state() == before
    assert said.startswith("pairs.csv: line 3: no camera has the id '9'")
    for part in (
        "line 4: 2 can't become itself",
        "line 5: new 1001 is on line 2 already",
        "line 6: old 1 is on line 2 already",
        "line 7: 5 is another camera's id",
        "line 8: the id is empty",
        "Nothing was renumbered",
    ):
        assert part in said
    assert "line 2:" not in said


def test_renumber_wants_a_pair_or_a_file(room):
    for given in ({}, {"old": "1"}, {"old": "1", "new": "2", "file": "x"}):
        with pytest.raises(UsageError, match="OLD and NEW"):
            room.renumber(**given)


# moved, replace, retire


def test_a_moved_camera_is_the_same_camera(room):
    room.load(TWO)
    key = room.key("1")
    answer = room.moved(id="1", lon="-1.13", lat="52.64", location="Clock Tower")
    assert (room.key("1"), answer["metres"]) == (key, 1112)
    (entry,) = room.entries("camera.moved")
    assert entry["fields"]["changes"] == {
        "location": ["Market Place", "Clock Tower"], "lat": ["52.63", "52.64"],
    }  # fmt: skip


def test_moving_nowhere_is_refused(room):
    room.load(TWO)
    assert "is there already" in refused(room.moved, id="1", lon="-1.13", lat="52.63")
    with pytest.raises(UsageError, match="--lon and --lat"):
        room.moved(id="1", lon="", lat="")


def test_a_replaced_camera_loses_the_id_and_keeps_its_key(room):
    room.load(TWO)
    old = room.key("1")
    answer = room.replace(id="1", location="Clock Tower", lon="-1.13", lat="52.64")
    new = answer["camera"]["key"]
    assert room.key("1") == new != old
    everyone = {one["key"]: one for one in room.list(all=True)["cameras"]}
    assert everyone[old]["retired"]
    assert (everyone[old]["current"], everyone[new]["current"]) == (False, True)
    kinds = [one["kind"] for one in room.entries("camera.replaced", "camera.added")]
    assert kinds[-2:] == ["camera.added", "camera.replaced"]


def test_the_replaced_camera_is_what_the_id_meant_before(room):
    room.load(TWO)
    old = room.key("1")
    room.replace(id="1")
    new, at = room.key("1"), room.now - DAY
    with room.catalogue.read() as tx:

        def meant(since, until):
            found = cameras.meaning(tx, "1", Window(since, until))
            return [camera.key for camera in found]

        assert meant(at - 1, at) == [old]
        assert meant(at, at + 1) == [new]
        assert meant(at - 1, at + 1) == [old, new]
        assert meant(0, 1) == [old], "footage is older than the register"


def test_a_replacement_is_of_the_same_kind_and_custody_unless_told(room):
    room.add(id="1", location="x", kind="anpr")
    assert room.replace(id="1")["camera"]["custody"] == "police"
    council = room.replace(id="1", kind="public_space")["camera"]
    assert council["custody"] == Custody.COUNCIL
    room.replace(id="1", custody="police")
    assert room.replace(id="1")["camera"]["custody"] == Custody.POLICE


def test_a_retired_camera_keeps_its_id(room):
    room.load(TWO)
    key = room.key("1")
    room.retire(id="1")
    assert room.key("1") == key
    assert room.entries("camera.retired")[0]["fields"] == {"camera": key, "id": "1"}
    assert "retired already" in refused(room.retire, id="1")


def test_active_holds_are_told_whenever_a_camera_changes(room):
    room.load(TWO)
    active = [room.hold(room.key("1"), free_at=room.now + 100 * DAY)]
    assert room.moved(id="1", lon="-1.14", lat="52.63")["holds"] == active
    assert room.retire(id="1")["holds"] == active
    assert room.replace(id="1")["holds"] == active


def test_changes_within_one_instant_leave_no_empty_label(room):
    room.step = 0
    room.load(TWO)
    for old, new in (("1", "3"), ("3", "1"), ("1", "3"), ("3", "1")):
        room.renumber(old=old, new=new)
    with room.catalogue.read() as tx:
        labels = cameras.ids(tx, room.key("1"))
    assert [label[0] for label in labels] == ["1", "3", "1", "3", "1"]
    assert all(until is None or since < until for _, since, until in labels)


def test_a_hold_that_has_cooled_off_is_not_told(room):
    room.load(TWO)
    room.hold(room.key("1"), free_at=room.now + DAY)
    assert room.retire(id="1")["holds"] == []


def test_changes_are_found_in_the_log_by_their_camera(room):
    room.load(TWO)
    room.renumber(old="1", new="1001")
    with room.catalogue.read() as tx:
        found = listing(tx, camera=room.key("1001"))
    assert {one["kind"] for one in found} == {"camera.added", "camera.renumbered"}
