"""A published list, the register and the disk: each way in which they can differ, once,
with what to do; and nothing where they agree."""

import base64
from types import MappingProxyType

import pytest

from retention.model.values import DAY
from tests.support.json_schema import verb
from tests.support.world import World, never

NAME = "2026-07-20_10-00-00.mp4"
HEAD = "camera_id,location,kind,custody,controller,lon,lat\n"
AGREED = "1001,at 1001,,,,,\n1002,at 1002,,,,,\n"
OTHER = "Oadby and Wigston Borough Council"


class Office(World):
    """Two cameras that are recorded, and lists to hold against them."""

    names = MappingProxyType({"steps": "1002"})

    def __init__(self, directory):
        super().__init__(directory)
        self.recorded("1001")
        self.recorded("steps")

    def recorded(self, name):
        self.write(f"{name}/{NAME}", self.now - DAY)

    def asked_by(self, name, **arguments):
        context = self.context(cameras=self.names)
        return verb(f"camera.{name}")(context, **arguments)

    def scanned(self):
        self.scanner(cameras=self.names).scan(self.now, never)

    def reconciled(self, rows=AGREED, **arguments):
        """The answer, after a scan."""
        self.scanned()
        data = base64.b64encode((HEAD + rows).encode()).decode()
        return self.asked_by("reconcile", file="list.csv", data=data, **arguments)

    def differing(self, rows=AGREED, **arguments):
        """By id what differs: finding, detail, what to do."""
        return {
            one["id"]: (one["finding"], one["detail"], one["do"])
            for one in self.reconciled(rows, **arguments)["differing"]
        }


@pytest.fixture
def office(tmp_path):
    made = Office(tmp_path)
    yield made
    made.close()


def test_where_all_three_say_the_same_nothing_differs(office):
    answer = office.reconciled()
    assert answer["differing"] == []
    counts = [answer[n] for n in ("published", "registered", "seen", "agreeing")]
    assert counts == [2, 2, 2, 2]


def test_a_camera_that_is_only_published_is_to_be_registered(office):
    found = office.differing(f"{AGREED}1003,High Street,,,,,\n")
    finding, detail, do = found.pop("1003")
    assert (finding, detail) == ("published only", "not in the register")
    assert do.startswith("`retention camera import list.csv`")
    assert found == {}


def test_a_camera_that_is_only_registered_is_to_be_retired_or_published(office):
    office.asked_by("add", id="1003", location="High Street")
    finding, detail, do = office.differing()["1003"]
    assert finding == "registered only"
    assert detail == "not in the list, and no footage of it is here"
    assert do.startswith(
        "`retention camera retire 1003` if it is out of use, else publi"
    )


def test_a_folder_that_is_only_on_disk_is_nobodys(office):
    office.recorded("yard")
    office.write("yard/2026-07-20_11-00-00.mp4", office.now - DAY)
    answer = office.reconciled()
    (one,) = answer["differing"]
    assert (one["finding"], one["location"]) == ("seen only", "nvr1/yard")
    assert one["detail"] == (
        "2 files, no camera of this name is registered; no hold covers them, and nothing "
        "deletes them"
    )
    assert (one["published"], one["registered"], one["seen"]) == (False, False, True)
    assert answer["seen"] == 3


def test_a_folder_that_differs_by_its_capitals_says_from_which_camera(office):
    office.asked_by("add", id="Yard", location="Yard", custody="third_party")
    office.recorded("yard")
    assert (
        'but "Yard" is one' in office.differing(f"{AGREED}Yard,Yard,,,,,\n")["yard"][1]
    )


def test_a_folder_of_a_published_camera_shows_that_it_should_be_registered(office):
    office.recorded("1003")
    found = office.differing(f"{AGREED}1003,High Street,,,,,\n")
    assert found["1003"][:2] == (
        "published and seen",
        "not in the register, and no hold can cover its footage",
    )


def test_a_recorded_camera_that_is_not_in_the_list_is_to_be_published(office):
    finding, detail, do = office.differing("1001,at 1001,,,,,\n")["1002"]
    assert (finding, detail) == ("registered and seen", "not in the list")
    assert do.startswith("publish the list anew")
    assert "retention camera amend 1002 --published no" in do


def test_an_unlisted_camera_is_first_said_to_be_published_again(office):
    data = base64.b64encode((HEAD + "1001,at 1001,,,,,\n").encode()).decode()
    office.asked_by("import", file="list.csv", data=data)
    do = office.differing("1001,at 1001,,,,,\n")["1002"][2]
    assert do.startswith(
        "`retention camera amend 1002 --published full` and publish the"
    )


def test_a_published_camera_without_footage_is_looked_for(office):
    office.asked_by("add", id="1003", location="High Street")
    finding, _, do = office.differing(f"{AGREED}1003,High Street,,,,,\n")["1003"]
    assert finding == "not seen"
    assert do.startswith("look whether a recorder writes it")


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ("1001,Market Place,,,,,", "location is 'Market Place' in the list, 'at 1001'"),
        ("1001,at 1001,car_park,,,,", "kind is 'car_park' in the list, 'public_space'"),
        ("1001,at 1001,,,,-1.13,52.63", "lon is '-1.13' in the list, nothing in the"),
    ],
)
def test_what_the_list_says_otherwise_is_imported_or_published_anew(
    office, row, detail
):
    rows = f"{row}\n1002,at 1002,,,,,\n"
    finding, said, do = office.differing(rows)["1001"]
    assert finding == "differs"
    assert detail in said
    assert do.startswith(
        "`retention camera import list.csv` if the list is right, else"
    )


def test_another_place_is_for_a_person_to_rule_on(office):
    office.asked_by("moved", id="1001", lon="-1.13", lat="52.63")
    rows = "1001,at 1001,,,,-1.13,52.64\n1002,at 1002,,,,,\n"
    finding, detail, do = office.differing(rows)["1001"]
    assert (finding, "1,112 m from camera 1001" in detail) == ("differs", True)
    assert "retention camera moved 1001 --lon -1.13 --lat 52.64" in do
    assert "` or `retention camera replace 1001" in do


def test_what_is_not_to_be_published_must_not_be(office):
    office.asked_by("amend", id="1001", published="no")
    office.asked_by("amend", id="1002", published="number")
    assert office.differing("1002,,,,,,\n") == {}
    found = office.differing()
    assert found["1001"][:2] == ("published too much", "it is not for publication")
    assert found["1002"][1] == "only its number is for publication"


def test_a_retired_camera_is_not_to_be_in_the_list(office):
    office.asked_by("retire", id="1001")
    assert office.differing()["1001"][:2] == (
        "out of use",
        "published, and retired here",
    )
    assert office.differing("1002,at 1002,,,,,\n") == {}


def test_a_police_camera_is_not_looked_for_on_disk_and_is_told_where_it_is_there(
    office,
):
    office.asked_by("add", id="9001", location="Ring Road", kind="anpr")
    rows = f"{AGREED}9001,,anpr,police,,,\n"
    assert office.differing(rows) == {}
    office.recorded("9001")
    finding, detail, _ = office.differing(rows)["9001"]
    assert finding == "not ours"
    assert detail == "1 file in nvr1/9001, and its data is not the council's"


def test_a_list_of_one_controller_is_held_against_its_cameras_alone(office):
    office.asked_by("amend", id="1002", controller=OTHER)
    mine = {"controller": "test"}
    assert office.differing("1001,at 1001,,,,,\n", **mine) == {}
    assert office.differing(f"1001,at 1001,,,,,\n1002,x,,,{OTHER},,\n", **mine) == {}
    assert office.differing(**mine)["1002"][:2] == (
        "differs",
        f"registered as a camera of {OTHER}",
    )


def test_files_of_the_others_cameras_are_not_counted_to_ones_own(office):
    office.asked_by("add", id="9001", location="Ring Road", kind="anpr")
    office.asked_by("amend", id="1002", controller=OTHER)
    office.recorded("9001")
    answer = office.reconciled(f"1002,at 1002,,,{OTHER},,\n", controller=OTHER)
    assert [answer[n] for n in ("published", "registered", "seen")] == [1, 1, 1]
    assert answer["differing"] == []


def test_a_root_that_was_not_read_yet_is_said(office):
    data = base64.b64encode((HEAD + AGREED).encode()).decode()
    answer = office.asked_by("reconcile", file="list.csv", data=data)
    assert [one["finding"] for one in answer["differing"]] == ["not seen", "not seen"]
    assert any("nvr1 was not read in full yet" in note for note in answer["notes"])


def test_the_published_list_of_the_register_itself_agrees(office):
    office.asked_by("add", id="9001", location="Ring Road", kind="anpr")
    office.asked_by("amend", id="1001", location="=Market", controller=OTHER)
    office.asked_by("moved", id="1001", easting="458861", northing="304562")
    office.scanned()
    text = office.asked_by("publish")["text"]
    data = base64.b64encode(text.encode()).decode()
    answer = office.asked_by("reconcile", file="list.csv", data=data)
    assert answer["differing"] == []
    assert answer["ignored_columns"] == ["position"]
