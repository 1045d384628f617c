"""`retention camera`, as typed."""

import shutil
from pathlib import Path

import pytest

LISTS = Path(__file__).parents[1] / "data"

CAMERA_KEYS = {
    "key", "id", "location", "view", "kind", "custody", "published", "controller",
    "lon", "lat", "easting", "northing", "listed", "retired",
}  # fmt: skip


@pytest.fixture
def cameras(site):
    site.ok(
        *("camera", "add", "1101", "--location", "Market Place, clock tower"),
        *("--lat", "52.6353", "--lon", "-1.1330"),
    )
    site.ok("camera", "add", "1102", "--location", "High Street")
    return site


def test_an_added_camera_is_in_the_list(cameras):
    assert cameras.ok("camera", "list").splitlines() == [
        "2 cameras",
        "  id  location                   kind          custody  note",
        "1101  Market Place, clock tower  public_space  council",
        "1102  High Street                public_space  council",
    ]


def test_json_of_the_list_is_the_verbs_answer(cameras):
    answer = cameras.json("camera", "list")
    assert [one["id"] for one in answer["cameras"]] == ["1101", "1102"]
    assert set(answer["cameras"][0]) == CAMERA_KEYS | {"current"}


def test_json_may_be_said_before_or_after_the_command(cameras):
    assert cameras.ok("--json", "camera", "list") == cameras.ok(
        "camera", "list", "--json"
    )


def test_json_of_one_camera_keeps_its_shape(cameras):
    answer = cameras.json("camera", "show", "1101")
    assert set(answer) == CAMERA_KEYS | {"current", "ids", "others", "streams", "holds"}
    assert set(answer["ids"][0]) == {"id", "from", "to"}


def test_show_says_where_a_camera_is_and_since_when(cameras):
    text = cameras.ok("camera", "show", "1101")
    assert "52.6353, -1.133" in text
    assert "today" in text


def test_an_unknown_camera_is_one_sentence(cameras):
    done = cameras.run("camera", "show", "9999")
    assert done.status == 1
    assert done.out == ""
    assert "9999" in done.err


def test_a_camera_is_not_added_without_its_location(site):
    done = site.run("camera", "add", "1101")
    assert done.status == 2
    assert "--location" in done.err


def test_renumbered_moved_replaced_and_retired_say_what_they_did(cameras):
    assert "1101  2101  Market Place" in cameras.ok(
        "camera", "renumber", "1101", "2101"
    )
    moved = cameras.ok(
        "camera", "moved", "2101", "--lat", "52.6363", "--lon", "-1.1330"
    )
    assert moved == "Camera 2101 moved by 111 m.\n"
    replaced = cameras.ok("camera", "replace", "2101", "--location", "Gallowtree Gate")
    assert "2101 is another camera (Gallowtree Gate)" in replaced
    assert cameras.ok("camera", "retire", "1102") == "Camera 1102 is retired.\n"
    assert "retired" in cameras.ok("camera", "list", "--all")


def test_a_published_list_is_imported_from_a_relative_path(site, tmp_path, monkeypatch):
    text = "camera_id,location,lon,lat\n1,Wharf Road,-2.28,53.46\n3,Way,-2.29,53.46\n"
    (tmp_path / "list.csv").write_text(text)
    monkeypatch.chdir(tmp_path)
    first = site.ok("camera", "import", "list.csv")
    assert first.startswith("2 cameras added, 0 changed, 0 unchanged")
    again = site.json("camera", "import", "list.csv")
    assert again["unchanged"] == 2


def test_renumberings_are_proposed_edited_and_applied(site, tmp_path):
    old, new = tmp_path / "old.csv", tmp_path / "new.csv"
    old.write_text("camera_id,location,lon,lat\n1,Wharf Road,-2.284777,53.464515\n")
    new.write_text("camera_id,location,lon,lat\n1001,Wharf Road,-2.284777,53.464515\n")
    pairs = tmp_path / "pairs.csv"
    site.ok("camera", "import", str(old))
    text = site.ok("camera", "import", str(new), "--propose", str(pairs))
    assert text.startswith(f"1 pair written to {pairs}; nothing was changed.")
    assert "1 camera renumbered" in site.ok("camera", "renumber", "--file", str(pairs))
    assert site.json("camera", "list")["cameras"][0]["id"] == "1001"


def test_a_refused_row_comes_with_the_commands_that_rule_on_it(site, tmp_path):
    near, far = tmp_path / "near.csv", tmp_path / "far.csv"
    near.write_text("camera_id,location,lon,lat\n1,Wharf Road,-2.284777,53.464515\n")
    far.write_text("camera_id,location,lon,lat\n1,Elsewhere,-2.184777,53.464515\n")
    site.ok("camera", "import", str(near))
    done = site.run("camera", "import", str(far))
    assert done.status == 1
    text = done.out
    assert "1 refused" in text.splitlines()[0]
    assert "retention camera moved 1" in text
    assert "retention camera replace 1" in text


def _ids(site):
    return [one["id"] for one in site.json("camera", "list")["cameras"]]


def test_the_help_says_of_wrong_lines_and_of_refused_cameras_what_is_done(
    site, tmp_path
):
    help_ = " ".join(site.ok("camera", "import", "--help").split())
    path, head = tmp_path / "list.csv", "camera_id,location,kind,custody,lon,lat\n"
    path.write_text(f"{head}1,Wharf Road,,council,-2.28,53.46\n")
    site.ok("camera", "import", str(path))

    path.write_text(f"{head}2,Way,,,-2.29,53.46\n3,Lane,,,west,53.46\n")
    done = site.run("camera", "import", str(path))
    assert (done.status, done.out) == (1, "")
    assert "line 3: lon 'west' is no number. Nothing was changed" in done.err
    assert _ids(site) == ["1"]
    assert "A file with a line that can't be read is not imported at all." in help_

    path.write_text(f"{head}1,Wharf Road,anpr,,-2.28,53.46\n2,Way,,,-2.29,53.46\n")
    path.write_text(path.read_text().replace("-2.28", "-2.18"))
    done = site.run("camera", "import", str(path))
    assert (done.status, _ids(site)) == (1, ["1", "2"])
    assert done.out.startswith("1 camera added, 0 changed, 0 unchanged")
    assert "refused: a person rules on it, all others are imported." in help_
    assert "nothing was imported, or all but the cameras that were refused." in help_


def test_a_councils_published_lists_import_one_after_another(site, tmp_path):
    lists = sorted(LISTS.glob("**/cameras-*.csv"))
    assert len(lists) > 1
    for number, path in enumerate(lists):
        copy = shutil.copy(path, tmp_path / f"{number}.csv")
        done = site.run("camera", "import", str(copy))
        assert done.status in (0, 1), done  # 1: some rows are for a person to decide
        assert "added" in done.out
