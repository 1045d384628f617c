"""The list for the public: what is in it, what is not, and that it is read back as it is."""

import csv
import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.model.cells import shielded
from retention.model.errors import RetentionError, UsageError
from tests.support import campaign
from tests.support.register import Register

OTHER = "Oadby and Wigston Borough Council"
EDITIONS = ("2018-07", "2021-02", "2024-03", "2025-03", "2026-06")
NOTHING = {name: [] for name in ("added", "changed", "listed", "unlisted", "refused")}


def rows(room, **arguments):
    """The published CSV by camera."""
    text = room.publish(**arguments)["text"]
    return {one["camera_id"]: one for one in csv.DictReader(io.StringIO(text))}


def features(room):
    found = json.loads(room.publish(format="geojson")["text"])["features"]
    return {one["id"]: one for one in found}


def changed_by(room, text):
    answer = room.load(text)
    return {name: answer[name] for name in NOTHING}


def comes_back(room):
    """Whether both forms of the list change nothing where they are imported."""
    texts = [room.publish(format=format)["text"] for format in ("csv", "geojson")]
    return all(changed_by(room, text) == NOTHING for text in texts)


@pytest.fixture
def street(room):
    """One camera in full, one of the grid, one without a place, one ANPR."""
    room.add(id="1", location="High Street", view="north", lon="-1.10", lat="52.6353")
    room.add(id="2", location="Station", easting="458861", northing="304562.5")
    room.add(id="10", location="Somewhere", controller=OTHER)
    room.add(id="9", location="Ring Road", kind="anpr", lon="-1.14", lat="52.64")
    return room


def test_a_camera_is_published_with_what_is_known_of_its_place(street):
    found = rows(street)
    assert list(found) == ["1", "2", "9", "10"]
    assert found["1"] == {
        "camera_id": "1", "location": "High Street", "view": "north",
        "kind": "public_space", "custody": "council", "controller": Register.OWN,
        "lon": "-1.1", "lat": "52.6353", "easting": "", "northing": "",
        "published": "full", "position": "as given",
    }  # fmt: skip
    grid = found["2"]
    assert (grid["easting"], grid["northing"]) == ("458861", "304562.5")
    assert (grid["lon"], grid["lat"]) == ("-1.13168", "52.63563")
    assert grid["position"] == "from the national grid, to about 5 m"
    assert (found["10"]["lon"], found["10"]["position"]) == ("", "not known")
    assert found["10"]["controller"] == OTHER


def test_of_an_anpr_camera_there_is_the_number_and_not_the_place(street):
    assert rows(street)["9"] == {
        "camera_id": "9", "location": "", "view": "", "kind": "anpr",
        "custody": "police", "controller": Register.OWN, "published": "number",
        "lon": "", "lat": "",
        "easting": "", "northing": "", "position": "not published",
    }  # fmt: skip
    for format in ("csv", "geojson"):
        assert "Ring Road" not in street.publish(format=format)["text"]
    street.amend(id="9", published="full")
    assert rows(street)["9"]["location"] == "Ring Road"


def test_what_is_retired_unlisted_or_not_for_publication_is_left_out_and_named(street):
    street.add(id="3", location="Yard", published="no")
    street.retire(id="10")
    street.load("id,location\n1,High Street\n9,Ring Road\n")
    answer = street.publish()
    assert list(rows(street)) == ["1", "9"]
    assert [(one["id"], one["why"]) for one in answer["left_out"]] == [
        ("2", "unlisted"), ("3", "not for publication"), ("10", "retired"),
    ]  # fmt: skip


def test_each_controller_can_publish_its_own(street):
    assert list(rows(street, controller=OTHER)) == ["10"]
    assert street.publish(controller=OTHER.lower())["controllers"] == [OTHER]
    with pytest.raises(UsageError, match="the controllers are"):
        street.publish(controller="Nobody")


def test_a_list_of_nothing_is_refused(room):
    room.add(id="1", location="x", published="no")
    with pytest.raises(RetentionError, match="no camera to publish"):
        room.publish()


@pytest.mark.parametrize("format", ["csv", "geojson"])
def test_a_register_made_from_a_published_list_publishes_the_same(
    street, tmp_path, format
):
    """The number alone of a camera stays all that is published of it."""
    street.amend(id="10", published="number")
    first = street.publish()
    other = Register(tmp_path / "other")
    other.load(street.publish(format=format)["text"])
    assert {one["id"]: one["published"] for one in other.list()["cameras"]} == {
        "1": "full", "2": "full", "9": "number", "10": "number",
    }  # fmt: skip
    assert other.publish() == first
    other.catalogue.close()


def test_another_format_is_refused(street):
    with pytest.raises(UsageError, match="csv or geojson, not 'xlsx'"):
        street.publish(format="xlsx")


def test_the_metadata_name_file_licence_columns_and_how_right_places_are(street):
    answer = street.publish(file="/srv/www/our cameras.csv")
    found = json.loads(answer["metadata"])
    assert found["@context"][0] == "http://www.w3.org/ns/csvw"
    assert found["url"] == "our%20cameras.csv"
    assert "open-government-licence/version/3" in found["dc:license"]["@id"]
    assert "Open Government Licence v3.0" in found["dc:rights"]
    assert "to about 5 m" in found["dc:description"]
    assert found["dc:publisher"] == f"{Register.OWN}; {OTHER}"
    header = next(csv.reader(io.StringIO(answer["text"])))
    assert [one["name"] for one in found["tableSchema"]["columns"]] == header


def test_geojson_is_in_degrees_and_says_why_there_is_no_place(street):
    text = street.publish(format="geojson")["text"]
    found = json.loads(text)
    assert (found["type"], "crs" in found) == ("FeatureCollection", False)
    assert found["licence"] == "Open Government Licence v3.0"
    places = features(street)
    assert places["1"]["geometry"] == {"type": "Point", "coordinates": [-1.1, 52.6353]}
    assert places["2"]["geometry"]["coordinates"] == [-1.13168, 52.63563]
    for id, word in ("9", "not published"), ("10", "not known"):
        assert places[id]["geometry"] is None
        assert places[id]["properties"]["position"] == word
    assert set(places["1"]["properties"]) == set(rows(street)["1"]) - {"lon", "lat"}


def test_no_cell_is_run_by_a_spreadsheet_and_numbers_stay_numbers(room):
    room.add(
        id="=1+1", location="@Market", view="-north", controller="+44 Ltd",
        lon="-1.13", lat="52.63",
    )  # fmt: skip
    (found,) = rows(room).values()
    texts = [found[name] for name in ("camera_id", "location", "view", "controller")]
    assert texts == ["'=1+1", "'@Market", "'-north", "'+44 Ltd"]
    assert found["lon"] == "-1.13"
    assert comes_back(room)


@pytest.mark.parametrize("lon", ["-1.1300000001", "0.00000012", "-2.2880219999999998"])
def test_a_number_keeps_all_its_digits_and_has_no_exponent(room, lon):
    room.add(id="1", location="x", lon=lon, lat="52.63")
    found = rows(room)["1"]["lon"]
    assert float(found) == float(lon)
    assert "e" not in found


def test_lines_end_as_rfc_4180_says(street):
    text = street.publish()["text"]
    assert text.count("\r\n") == text.count("\n") == 5


def test_the_same_register_gives_the_same_bytes_whenever_it_is_asked(street):
    for format in ("csv", "geojson"):
        first = street.publish(format=format)
        street.now += street.step
        assert street.publish(format=format) == first


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_real_list_comes_back_unchanged(room, edition):
    room.edition(edition)
    first = room.publish()
    assert first["cameras"] == len(room.list()["cameras"])
    assert comes_back(room)
    assert room.publish() == first


def test_after_all_real_editions_the_list_is_the_last_but_for_what_a_person_must_rule_on(
    room,
):
    """1033 vanished, and came back elsewhere."""
    for edition in EDITIONS:
        last = room.edition(edition)
    answer = room.publish()
    assert (last["cameras"], answer["cameras"]) == (163, 162)
    assert "1033" in {one["id"] for one in answer["left_out"]}
    assert changed_by(room, answer["text"]) == NOTHING


ROOM = st.sampled_from(["=", "+", "-", "@", "'", '"', ",", ";", " ", "\t", "é", "a"])
TEXTS = st.text(ROOM, min_size=1, max_size=8).filter(str.strip)
DEGREES = st.tuples(
    st.floats(-180, 180).map(repr), st.floats(-90, 90).map(repr)
).filter(lambda place: any(map(float, place)))
GRID = st.tuples(st.floats(1, 700_000).map(repr), st.floats(1, 1_300_000).map(repr))
PLACES = st.one_of(
    st.just({}),
    DEGREES.map(lambda place: dict(zip(("lon", "lat"), place, strict=True))),
    GRID.map(lambda place: dict(zip(("easting", "northing"), place, strict=True))),
)
CAMERAS = st.fixed_dictionaries(
    {
        "location": TEXTS,
        "view": st.one_of(st.just(""), TEXTS),
        "kind": st.sampled_from(["", "anpr", "car_park"]),
        "published": st.sampled_from(["", "full", "number", "no"]),
        "controller": st.one_of(st.just(""), st.just(Register.OWN.upper()), TEXTS),
        "place": PLACES,
        "retired": st.booleans(),
        "unlisted": st.booleans(),
    }
)
SAID = ("location", "view", "kind", "published", "controller")
IDS = st.text(st.sampled_from("=+@'-1aé "), min_size=1, max_size=6).filter(
    lambda id: id == id.strip() and not id.startswith("-")
)


def a_list(ids):
    """A published list that says no more than that these are in it."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("id", "location"), *((shielded(id), "") for id in ids)])
    return out.getvalue()


@settings(max_examples=campaign.share(200))
@given(st.dictionaries(IDS, CAMERAS, min_size=1, max_size=5))
def test_any_register_comes_back_unchanged(cameras):
    with tempfile.TemporaryDirectory() as directory:
        room = Register(Path(directory))
        for id, camera in cameras.items():
            said = {name: camera[name] for name in SAID}
            room.add(id=id, **said, **camera["place"])
            if camera["retired"]:
                room.retire(id=id)
        kept = [id for id, camera in cameras.items() if not camera["unlisted"]]
        if kept:
            room.load(a_list(kept))
        before = room.state()["camera"]
        try:
            first = room.publish()
        except RetentionError:
            assert all(
                one["retired"] or one["published"] == "no" or one["unlisted"]
                for one in cameras.values()
            )
        else:
            assert comes_back(room)
            assert room.publish() == first
        assert room.state()["camera"] == before
        room.catalogue.close()
