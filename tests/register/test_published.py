"""What of a camera is published and whose it is: said, by default, changed, on record."""

import pytest

from retention.model.errors import RetentionError, UsageError
from tests.support.register import Register

OTHER = "Oadby and Wigston Borough Council"
HEAD = "id,location,kind,published,controller\n"


def shown(room, id):
    camera = room.show(id=id)
    return camera["published"], camera["controller"]


@pytest.mark.parametrize(
    ("kind", "said", "published"),
    [
        ("public_space", "", "full"),
        ("anpr", "", "number"),
        ("anpr", "full", "full"),
        ("public_space", "number", "number"),
        ("car_park", "no", "no"),
    ],
)
def test_of_an_anpr_camera_the_number_alone_is_published_unless_said_otherwise(
    room, kind, said, published
):
    room.add(id="1", location="x", kind=kind, published=said)
    assert shown(room, "1") == (published, Register.OWN)
    (entry,) = room.entries("camera.added")
    assert entry["fields"]["published"] == (said or None)


def test_a_list_says_both_by_columns_of_these_names(room):
    room.load(f"{HEAD}1,x,,no,{OTHER}\n2,y,,,\n")
    assert shown(room, "1") == ("no", OTHER)
    assert shown(room, "2") == ("full", Register.OWN)
    assert room.entries("camera.added")[0]["fields"]["controller"] == OTHER


def test_the_sites_own_name_in_a_list_is_no_other_controller(room):
    room.load(f"{HEAD}1,x,,,{OTHER}\n2,y,,,LEICESTER City Council\n")
    again = room.load(f"{HEAD}1,x,,,{Register.OWN}\n2,y,,,{Register.OWN}\n")
    (changed,) = again["changed"]
    assert changed["changes"] == {"controller": [OTHER, None]}
    assert again["unchanged"] == 1


def test_one_councils_list_says_nothing_of_the_others_cameras(room):
    """One room serves two: the other's cameras stay in the public list."""
    room.add(id="1", location="x")
    room.add(id="2", location="y", controller=OTHER)
    room.add(id="4", location="w", controller=OTHER)
    text = f"{HEAD}1,x,,,\n2,y,,,\n3,z,,,\n5,v,,,{Register.OWN}\n"
    answer = room.load(text, controller=OTHER.upper())
    assert [one["id"] for one in answer["unlisted"]] == ["4"]
    assert [one["id"] for one in answer["added"]] == ["3"]
    (refused,) = answer["refused"]
    assert refused["reason"] == f"camera 1 (x) is one of {Register.OWN} in the register"
    assert refused["commands"] == [
        f"retention camera amend 1 --controller '{OTHER.upper()}'"
    ]
    assert shown(room, "1") == ("full", Register.OWN)
    assert answer["changed"] == []
    assert shown(room, "3") == ("full", OTHER.upper())
    theirs = room.publish(controller=Register.OWN)
    again = room.load(theirs["text"], controller=Register.OWN)
    assert (again["unchanged"], again["unlisted"]) == (1, [])


def test_the_list_of_another_council_takes_no_camera_out_of_ones_own(room):
    """The wrong file, or the wrong name: all cameras of that council would be unlisted."""
    room.load(f"{HEAD}1,x,,,\n2,y,,,{OTHER}\n")
    theirs = room.publish(controller=OTHER)["text"]
    with pytest.raises(UsageError, match=r"another's than 'Leicester City Council'"):
        room.load(theirs, controller=Register.OWN)
    assert room.publish()["cameras"] == 2


def test_what_a_list_does_not_say_stays(room):
    room.load(f"{HEAD}1,x,,number,{OTHER}\n")
    assert room.load("id,location\n1,x\n")["unchanged"] == 1
    assert shown(room, "1") == ("number", OTHER)


@pytest.mark.parametrize(
    ("before", "after"), [("full", "number"), ("number", "number"), ("no", "no")]
)
def test_a_camera_that_turns_out_to_be_anpr_is_not_published_in_full_by_an_older_word(
    room, before, after
):
    room.load(f"{HEAD}1,x,public_space,{before},\n")
    room.load("id,location,kind\n1,x,anpr\n")
    assert shown(room, "1")[0] == after


def test_a_list_need_not_have_what_is_not_published_or_out_of_use(room):
    room.load(f"{HEAD}1,x,,no,\n2,y,,,\n3,z,,,\n4,z,,number,\n")
    room.retire(id="2")
    answer = room.load("id,location\n9,elsewhere\n")
    assert [one["id"] for one in answer["unlisted"]] == ["3", "4"]


def test_a_camera_is_amended_on_record_and_nothing_else_of_it_changes(room):
    before = room.add(id="1", location="x", view="the clock")["camera"]
    answer = room.amend(id="1", published="no", controller=OTHER, view="the steps")
    now = {"published": "no", "controller": OTHER, "view": "the steps"}
    assert answer["camera"] == before | now
    (entry,) = room.entries("camera.changed")
    assert entry["fields"]["changes"] == answer["changes"]
    assert answer["changes"] == {
        "view": ["the clock", "the steps"],
        "published": [None, "no"],
        "controller": [None, OTHER],
    }


def test_a_camera_that_is_amended_to_anpr_is_the_polices_and_its_place_is_no_more(room):
    room.add(id="1", location="x", published="full")
    now = room.amend(id="1", kind="anpr")["camera"]
    assert (now["custody"], now["published"]) == ("police", "number")
    with pytest.raises(UsageError, match="police's"):
        room.amend(id="1", custody="council")


def test_amending_to_what_it_says_already_is_refused(room):
    room.add(id="1", location="x", published="no")
    with pytest.raises(RetentionError, match="already; nothing was changed"):
        room.amend(id="1", published="no")


def test_what_is_to_be_published_again_is_listed_again(room):
    room.load(f"{HEAD}1,x,,full,\n2,y,,,\n")
    room.load(f"{HEAD}2,y,,,\n")
    assert not room.show(id="1")["listed"]
    room.amend(id="1", view="the steps")
    assert not room.show(id="1")["listed"]
    assert room.amend(id="1", published="full")["changes"] == {}
    assert room.show(id="1")["listed"]
    assert len(room.entries("camera.listed")) == 1


def test_cameras_of_one_controller_alone_are_listed(room):
    room.load(f"{HEAD}1,x,,,{OTHER}\n2,y,,,\n10,z,,,\n")
    mine = room.list(controller=Register.OWN)["cameras"]
    assert [one["id"] for one in mine] == ["2", "10"]
    theirs = room.list(controller=OTHER.upper())["cameras"]
    assert [one["id"] for one in theirs] == ["1"]
    with pytest.raises(UsageError, match=f"controllers are: {Register.OWN}, {OTHER}"):
        room.list(controller="Nobody")


def test_a_camera_on_the_grid_is_the_same_one_in_degrees_and_moves_on_the_grid(room):
    room.add(id="1", location="x", easting="458861", northing="304562")
    near = room.load("id,location,lon,lat\n1,x,-1.1318,52.6357\n")
    assert near["changed"][0]["changes"]["easting"] == ["458861.0", None]
    far = room.load("id,location,easting,northing\n1,x,458961,304562\n")
    (refused,) = far["refused"]
    assert (refused["metres"], room.show(id="1")["lon"]) == (108, -1.1318)
    assert "--easting 458961.0 --northing 304562.0" in refused["commands"][0]
    moved = room.moved(id="1", easting="458961", northing="304562")
    assert moved["metres"] == 108
    assert moved["camera"]["lon"] is None


def test_a_replacement_is_what_the_old_one_was_but_for_its_place(room):
    room.add(
        id="1", location="x", view="v", published="number", controller=OTHER,
        lon="-1.13", lat="52.63",
    )  # fmt: skip
    new = room.replace(id="1")["camera"]
    assert (new["published"], new["controller"], new["lon"]) == ("number", OTHER, None)
    assert (new["view"], new["custody"]) == ("", "council")
    assert room.replace(id="1", kind="anpr")["camera"]["custody"] == "police"
