"""Importing a list: all of it but what a person must rule on, or nothing."""

import csv
from pathlib import Path

import pytest

from retention.catalogue import log
from retention.model.errors import RetentionError

HEAD = "camera_id,location,lon,lat\n"
TWO = HEAD + "1,Market Place,-1.13,52.63\n2,London Road,-1.12,52.62\n"
METRE = 1 / 111_195


def north(metres):
    """Camera 1 so many metres further north, camera 2 as it was."""
    return (
        HEAD
        + f"1,Market Place,-1.13,{52.63 + metres * METRE:.9f}\n"
        + "2,London Road,-1.12,52.62\n"
    )


def ids(cameras):
    return [one["id"] for one in cameras]


def test_a_first_list_adds_every_camera(room):
    answer = room.load(TWO)
    assert ids(answer["added"]) == ["1", "2"]
    assert (answer["cameras"], answer["unchanged"], answer["refused"]) == (2, 0, [])


def test_the_same_list_again_changes_nothing_but_is_on_record(room):
    room.load(TWO)
    answer = room.load(TWO)
    assert (answer["unchanged"], answer["added"], answer["changed"]) == (2, [], [])
    assert len(room.entries("cameras.imported")) == 2
    assert len(room.entries("camera.added", "camera.changed")) == 2


def test_a_changed_text_is_taken_and_on_record(room):
    room.load(TWO)
    answer = room.load(TWO.replace("Market Place", "Market Square"))
    changes = {"location": ["Market Place", "Market Square"]}
    assert answer["changed"][0]["changes"] == changes
    assert room.entries("camera.changed")[0]["fields"]["changes"] == changes


def test_a_vanished_camera_becomes_unlisted_and_stays(room):
    room.load(TWO)
    before = room.show(id="2")
    answer = room.load(HEAD + "1,Market Place,-1.13,52.63\n")
    assert ids(answer["unlisted"]) == ["2"]
    assert room.show(id="2") == {**before, "listed": False}
    assert len(room.entries("camera.unlisted")) == 1


def test_an_unlisted_camera_is_unlisted_once_and_listed_again(room):
    room.load(TWO)
    for _ in range(2):
        room.load(HEAD + "1,Market Place,-1.13,52.63\n")
    answer = room.load(TWO)
    assert ids(answer["listed"]) == ["2"]
    assert room.show(id="2")["listed"]
    assert len(room.entries("camera.unlisted", "camera.listed")) == 2


def test_what_a_newer_list_leaves_out_stays_known(room):
    room.load("id,location,view,kind,lon,lat\n1,x,north,anpr,-1.13,52.63\n")
    before = room.show(id="1")
    answer = room.load("id,location\n1,x\n")
    assert answer["unchanged"] == 1
    assert room.show(id="1") == before


def test_the_same_id_up_to_fifty_metres_away_is_the_same_camera(room):
    room.load(TWO)
    key = room.key("1")
    assert ids(room.load(north(49.9))["changed"]) == ["1"]
    assert room.key("1") == key


def test_the_same_id_further_away_is_left_to_a_person_and_the_rest_is_imported(room):
    room.load(TWO)
    before = room.show(id="1")
    answer = room.load(north(50.1).replace("London Road", "Station") + "3,New,,\n")
    (row,) = answer["refused"]
    assert (row["line"], row["id"], row["metres"]) == (2, "1", 50)
    assert row["commands"][0].startswith("retention camera moved 1 --lon -1.13 --lat")
    assert row["commands"][1].startswith("retention camera replace 1 --lon -1.13 --lat")
    assert room.show(id="1") == before
    assert (ids(answer["changed"]), ids(answer["added"])) == (["2"], ["3"])
    assert answer["unlisted"] == []


@pytest.mark.parametrize("verb", ["moved", "replace"])
def test_once_a_person_has_ruled_the_row_is_taken(room, verb):
    room.load(TWO)
    assert room.load(north(300))["refused"]
    lat = f"{52.63 + 300 * METRE:.9f}"
    getattr(room, verb)(id="1", lon="-1.13", lat=lat, location="Market Place")
    answer = room.load(north(300))
    assert (answer["refused"], answer["unchanged"]) == ([], 2)


def test_the_typed_command_survives_a_shell(room):
    room.load(TWO)
    (row,) = room.load(north(300).replace("Market Place", "St John's; Road"))["refused"]
    assert """--location 'St John'"'"'s; Road'""" in row["commands"][0]


def test_refused_rows_name_the_holds_on_the_camera(room):
    room.load(TWO)
    number = room.hold(room.key("1"))
    assert room.load(north(300))["refused"][0]["holds"] == [number]


def test_a_new_id_at_an_old_place_is_a_new_camera_and_pointed_out(room):
    room.load(TWO)
    answer = room.load(TWO.replace("\n1,", "\n1001,"))
    assert (ids(answer["added"]), ids(answer["unlisted"])) == (["1001"], ["1"])
    assert "1 of the new ids are at the place" in answer["notes"][0]


def test_an_older_list_is_pointed_out(room):
    room.load(TWO)
    room.renumber(old="1", new="1001")
    answer = room.load(TWO)
    assert any("may be an older list" in note for note in answer["notes"])


def test_a_camera_that_becomes_anpr_goes_to_the_police_with_a_note(room):
    room.load(TWO)
    answer = room.load("id,location,kind\n1,Market Place,anpr\n2,London Road,\n")
    assert room.show(id="1")["custody"] == "police"
    assert any(note.startswith("custody changed: 1;") for note in answer["notes"])


def test_an_anpr_camera_does_not_become_the_councils_by_a_list(room):
    room.add(id="1", location="x", kind="anpr")
    answer = room.load("id,location,custody\n1,x,council\n2,y,council\n")
    assert "police's" in answer["refused"][0]["reason"]
    assert room.show(id="1")["custody"] == "police"
    assert ids(answer["added"]) == ["2"]


def test_a_retired_camera_in_a_list_stays_retired_and_is_pointed_out(room):
    room.load(TWO)
    room.retire(id="1")
    answer = room.load(TWO)
    assert any("retired here: 1;" in note for note in answer["notes"])
    assert room.show(id="1")["retired"]


def test_the_entry_says_what_became_of_every_camera(room):
    room.load(TWO)
    room.load(north(300) + "3,New,,\n")
    entry = room.entries("cameras.imported")[-1]
    fields = entry["fields"]
    assert [fields[name] for name in ("added", "unchanged", "refused")] == [1, 1, 1]
    with room.catalogue.read() as tx:
        rows = log.read_rows(tx, entry["index"])
    outcomes = {row[rows.columns.index("id")]: row[-2:] for row in rows.values}
    assert outcomes["1"][0] == "refused"
    assert "300 m from camera 1 (Market Place)" in outcomes["1"][1]
    assert (outcomes["2"], outcomes["3"]) == (("unchanged", None), ("added", None))


@pytest.mark.parametrize(
    "text",
    ["", "not a list", HEAD + "1,x,-1,52\n1,y,-1,52\n", HEAD + "3,y,-1,52\n4,y,a,b\n"],
)
def test_a_file_that_is_wrong_anywhere_changes_nothing(room, text):
    room.load(TWO)
    before = room.state()
    with pytest.raises(RetentionError):
        room.load(text)
    assert room.state() == before


def test_a_missing_file_is_named(room):
    with pytest.raises(RetentionError, match=r"/nowhere\.csv can't be read"):
        getattr(room, "import")(path="/nowhere.csv")


class FullLog(log.Log):
    """A log that takes so many entries and then fails, as on a full disk."""

    room_for = 3

    def time(self, now):
        """One entry fewer to go."""
        self.room_for -= 1
        if self.room_for < 0:
            raise RetentionError("the disk is full")
        return super().time(now)


def test_what_can_not_be_logged_is_not_done(room):
    room.load(TWO)
    before = room.state()
    room.log = FullLog(site="s", host="h", program="p")
    with pytest.raises(RetentionError, match="full"):
        room.load("id,location\n" + "".join(f"{n},x\n" for n in range(10, 20)))
    assert room.state() == before


# --propose


def renumbered(shift=1000):
    return HEAD + "".join(f"{n + shift},L{n},-1.13,{52 + n / 100}\n" for n in range(4))


def test_propose_writes_pairs_and_imports_nothing(room, tmp_path):
    room.load(renumbered(1))
    before = room.state()
    pairs = tmp_path / "pairs.csv"
    answer = room.load(renumbered(1001), propose=str(pairs))
    assert room.state() == before
    assert answer["wrote"] == str(pairs)
    rows = list(csv.DictReader(pairs.read_text("utf-8-sig").splitlines()))
    assert [(row["apply"], row["old"], row["new"], row["metres"]) for row in rows] == [
        ("yes", str(n + 1), str(n + 1001), "0") for n in range(4)
    ]


def test_the_written_pairs_can_be_applied_and_the_list_imported(room, tmp_path):
    room.load(renumbered(1))
    keys = [room.key(str(n + 1)) for n in range(4)]
    room.load(renumbered(1001), propose=str(tmp_path / "pairs.csv"))
    room.renumber(file=str(tmp_path / "pairs.csv"))
    answer = room.load(renumbered(1001))
    assert (answer["unchanged"], answer["added"], answer["unlisted"]) == (4, [], [])
    assert [room.key(str(n + 1001)) for n in range(4)] == keys


def test_propose_never_writes_over_a_file(room):
    room.load(renumbered(1))
    edited = room.file("edited by hand", "pairs.csv")
    with pytest.raises(RetentionError, match="exists already"):
        room.load(renumbered(1001), propose=edited)
    assert Path(edited).read_text() == "edited by hand"


def test_propose_without_pairs_writes_nothing(room, tmp_path):
    room.load(TWO)
    answer = room.load(TWO, propose=str(tmp_path / "pairs.csv"))
    assert (answer["wrote"], answer["pairs"]) == (None, [])
    assert not (tmp_path / "pairs.csv").exists()


def test_an_import_done_before_the_renumbering_can_be_put_right(room, tmp_path):
    room.load(renumbered(1))
    keys = [room.key(str(n + 1)) for n in range(4)]
    room.load(renumbered(1001))
    answer = room.load(renumbered(1001), propose=str(tmp_path / "pairs.csv"))
    assert len(answer["pairs"]) == 4
    done = room.renumber(file=str(tmp_path / "pairs.csv"))
    assert len(done["displaced"]) == 4
    assert [room.key(str(n + 1001)) for n in range(4)] == keys


def test_but_not_where_footage_has_come_in_under_the_new_id(room, tmp_path):
    room.load(renumbered(1))
    room.load(renumbered(1001))
    room.footage(room.key("1002"))
    with pytest.raises(RetentionError, match="1002 is another camera's id"):
        room.renumber(old="2", new="1002")


def test_a_neighbour_that_was_there_all_along_is_no_new_id(room, tmp_path):
    """Two on one pole; one goes, and the other is not it."""
    room.load(HEAD + "1,Pole,-1.13,52.63\n")
    room.load(HEAD + "1,Pole,-1.13,52.63\n2,Pole,-1.13,52.63\n")
    answer = room.load(HEAD + "2,Pole,-1.13,52.63\n", propose=str(tmp_path / "p.csv"))
    assert (answer["pairs"], answer["unpaired"]) == ([], ["1"])


def test_a_camera_of_an_earlier_import_is_never_displaced(room):
    room.load(TWO)
    room.load(TWO + "3,New,,\n")
    with pytest.raises(RetentionError, match="2 is another camera's id"):
        room.renumber(old="1", new="2")
