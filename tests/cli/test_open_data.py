"""`retention camera publish` and `reconcile`, as typed."""

import json

import pytest

OTHER = "Oadby and Wigston Borough Council"


@pytest.fixture
def street(site):
    site.ok(
        *("camera", "add", "1101", "--location", "High Street"),
        *("--lat", "52.6353", "--lon", "-1.1330"),
    )
    site.ok(
        *("camera", "add", "1102", "--location", "Station", "--controller", OTHER),
        *("--easting", "458861", "--northing", "304562"),
    )
    site.ok("camera", "add", "9001", "--location", "Ring Road", "--kind", "anpr")
    site.ok("camera", "add", "2001", "--location", "Depot", "--published", "no")
    return site


def test_the_list_is_printed_and_what_it_lacks_is_said_beside_it(street):
    done = street.run("camera", "publish")
    assert done.status == 0
    assert done.out.splitlines()[0].startswith("camera_id,location,view,kind")
    assert len(done.out.splitlines()) == 4
    assert "Ring Road" not in done.out
    assert done.err.splitlines() == [
        "Note: 1 by their number alone, without their place.",
        "Note: the degrees of 1 come from the national grid, right to about 5 m.",
        "Note: not in it: 2001, not for publication.",
    ]


def test_a_file_has_its_metadata_beside_it_and_is_not_written_over(street, tmp_path):
    out, beside = tmp_path / "list.csv", tmp_path / "list.csv-metadata.json"
    text = street.ok("camera", "publish", "--out", str(out))
    said = f"3 cameras in {out}; what its columns mean is in {beside}."
    assert (text.splitlines()[0], text.count("\nNote: ")) == (said, 3)
    assert out.read_bytes().decode() == street.run("camera", "publish").out
    assert json.loads(beside.read_text())["url"] == "list.csv"
    again = street.run("camera", "publish", "--out", str(out))
    assert (again.status, "say --replace" in again.err) == (2, True)
    beside.write_text("old")
    street.ok("camera", "publish", "--out", str(out), "--replace")
    assert json.loads(beside.read_text())["url"] == "list.csv"
    assert {one.name for one in tmp_path.glob("list*")} == {out.name, beside.name}


@pytest.mark.parametrize("format", ["csv", "geojson"])
def test_what_is_written_is_imported_without_a_change(street, tmp_path, format):
    out = str(tmp_path / "list")
    street.ok("camera", "publish", "--format", format, "--out", out)
    assert street.ok("camera", "import", out).startswith(
        "0 cameras added, 0 changed, 3 unchanged, 0 no longer listed, 0 refused."
    )


def test_geojson_of_one_controller_in_json(street, tmp_path):
    out = str(tmp_path / "list.geojson")
    words = ("--format", "geojson", "--controller", OTHER, "--out", out)
    answer = street.json("camera", "publish", *words)
    assert (answer["cameras"], answer["wrote"], "text" in answer) == (1, [out], False)
    (feature,) = json.loads((tmp_path / "list.geojson").read_text())["features"]
    assert feature["id"] == "1102"


def test_a_list_that_can_t_be_written_is_one_sentence(street, tmp_path):
    out = str(tmp_path / "nowhere" / "list.csv")
    for words in ((), ("--replace",)):
        done = street.run("camera", "publish", "--out", out, *words)
        assert done.status == 1
        assert done.err.count("\n") == 1
        assert "can't be written" in done.err


def test_cameras_are_listed_by_controller_and_amended(street):
    assert street.ok("camera", "list", "--controller", OTHER).splitlines() == [
        "1 camera",
        "  id  location  kind          custody  note",
        "1102  Station   public_space  council",
    ]
    lines = street.ok("camera", "list").splitlines()
    assert lines[1].split() == [
        "id",
        "location",
        "kind",
        "custody",
        "controller",
        "note",
    ]
    assert lines[-1].endswith("place not for publication")
    assert street.ok("camera", "amend", "2001", "--published", "number") == (
        "Camera 2001 is amended.\n  published: number\n"
    )
    assert street.ok("camera", "amend", "1101", "--custody", "third_party") == (
        "Camera 1101 is amended.\n  custody: third_party\n"
        "Footage that is already catalogued keeps its period and its holds.\n"
    )
    shown = street.ok("camera", "show", "1102")
    assert "458861, 304562" in shown
    assert OTHER in shown
    nothing = street.run("camera", "amend", "2001")
    assert (nothing.status, "what is to be corrected" in nothing.err) == (2, True)


def test_lists_that_agree_end_with_0_others_with_8_and_what_to_do(site, tmp_path):
    site.ok("camera", "add", "9001", "--location", "Ring Road", "--kind", "anpr")
    out = tmp_path / "list.csv"
    site.run("camera", "publish", "--out", str(out))
    done = site.run("camera", "reconcile", str(out))
    assert done.status == 0
    assert done.out.splitlines()[0] == (
        "1 published, 1 registered, 0 on disk: all agree."
    )
    out.write_text("id,location\n9001,Ring Road\n1101,High Street\n")
    done = site.run("camera", "reconcile", str(out))
    assert done.status == 8
    assert done.out.splitlines()[:8] == [
        "2 published, 1 registered, 0 on disk; 0 agree in all.",
        "",
        "Only published: 1",
        "  1101  High Street: not in the register.",
        f"      `retention camera import {out}`; or have it taken out of the list.",
        "",
        "More is published than is to be: 1",
        "  9001  Ring Road: only its number is for publication.",
    ]
    answer = site.json_anyway("camera", "reconcile", str(out))
    assert {one["id"]: one["finding"] for one in answer["differing"]} == {
        "1101": "published only", "9001": "published too much",
    }  # fmt: skip
