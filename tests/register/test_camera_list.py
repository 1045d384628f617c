"""Camera lists as councils save them: read in full, or refused with the line."""

import pytest

from retention.model.errors import RetentionError, UsageError
from retention.model.values import Custody
from retention.register.lists import NOWHERE, Position, parse_columns, read_cameras

HEAD = "camera_id,location,lon,lat\n"
GRID = "id,location,easting,northing\n"


def read(text, columns=None, encoding="utf-8"):
    data = text if isinstance(text, bytes) else text.encode(encoding)
    return read_cameras(data, "list.csv", columns)


def refusal(text, columns=None):
    with pytest.raises(RetentionError) as caught:
        read(text, columns)
    said = str(caught.value)
    assert "Nothing was changed" in said
    assert "\n" not in said
    return said


@pytest.mark.parametrize(
    "head",
    [
        "camera_id,location,longitude,latitude",
        "camera_id,location,lon,lat",
        "Camera ID,Location,LON,Lat",
        "id,name,lng,lat",
    ],
)
def test_usual_column_names_need_no_mapping(head):
    (camera,) = read(f"{head}\n7,Market Place,-1.13,52.63\n").cameras
    assert (camera.id, camera.location, *camera.position[:2]) == (
        "7", "Market Place", -1.13, 52.63,
    )  # fmt: skip


def test_named_columns_win_over_usual_ones():
    text = "camera_id,asset,location,where\nA,7,x,Market Place\n"
    (camera,) = read(text, {"id": "asset", "location": "where"}).cameras
    assert (camera.id, camera.location) == ("7", "Market Place")


def test_a_column_is_read_as_one_thing_only():
    found = read("id,location,site\n7,north,Market Place\n", {"view": "location"})
    assert found.columns == {"id": "id", "location": "site", "view": "location"}


def test_a_named_column_is_first_looked_for_to_the_letter():
    found = read("id,Place,place\n7,x,Market Place\n", {"location": "place"})
    assert found.cameras[0].location == "Market Place"


def test_kind_custody_and_view_are_read_where_they_are_columns():
    text = "id,location,kind,custody,view\n7,x,ANPR,police,north along London Road\n"
    (camera,) = read(text).cameras
    assert (camera.kind, camera.custody) == ("anpr", Custody.POLICE)
    assert camera.view == "north along London Road"


def test_what_a_row_leaves_empty_is_not_made_up():
    (camera,) = read("id,location,kind,custody,view,lon,lat\n7,x,,,,,\n").cameras
    assert camera[3:] == (None, None, None, None, None, NOWHERE)


def test_byte_order_mark_quoted_commas_and_crlf_are_read():
    text = 'camera_id,location,lon,lat\r\n7,"The Quadrant, Old Trafford",-2.2,53.4\r\n'
    found = read(text, encoding="utf-8-sig")
    assert found.cameras[0].location == "The Quadrant, Old Trafford"
    assert found.columns["id"] == "camera_id"


def test_windows_1252_is_recognised():
    found = read(HEAD + "7,Café – Queen’s Road,-2.2,53.4\n", encoding="cp1252")
    assert found.encoding == "cp1252"
    assert found.cameras[0].location == "Café – Queen’s Road"


@pytest.mark.parametrize("separator", [";", "\t"])
def test_separators_of_other_spreadsheets_are_recognised(separator):
    text = (HEAD + "7,x,-2.2,53.4\n").replace(",", separator)
    assert read(text).cameras[0].position.lat == 53.4


def test_empty_lines_count_as_lines_and_are_no_cameras():
    found = read(HEAD + "\n7,x,-2.2,53.4\n,,,\n8,x,-2.2,53.4\n\n")
    assert [(one.line, one.id) for one in found.cameras] == [(3, "7"), (5, "8")]


def test_a_quoted_line_break_does_not_shift_the_lines():
    found = read('id,location\n7,"Market\nPlace"\n8,x\n')
    assert [(one.line, one.location) for one in found.cameras] == [
        (2, "Market Place"), (4, "x"),
    ]  # fmt: skip


def features(*those):
    """A GeoJSON list: the first camera on line 3, others below it."""
    lines = ",\n".join(those)
    return f'{{"type": "FeatureCollection",\n "features": [\n{lines}\n]}}'


POINT = (
    '{"type": "Feature", "id": 7, "properties": {"name": " =Market  Place", "ward": []}, '
    '"geometry": {"type": "Point", "coordinates": [-1.13, 52.63, 61.5]}}'
)
ROAD = (
    '{"type": "Feature", "id": 8, "properties": {"name": "Ring Road"}, '
    '"geometry": {"type": "LineString", "coordinates": [[-1.13, 52.63], [-1.12, 52.6]]}}'
)


def test_another_councils_geojson_is_read_by_the_ids_and_points_of_its_features():
    nowhere = '{"id": "N 8", "geometry": null, "properties": {"lng": 5, "name": "x"}}'
    found = read(features(POINT, nowhere))
    assert [(one.line, one.id, one.location) for one in found.cameras] == [
        (3, "7", "=Market Place"), (4, "N 8", "x"),
    ]  # fmt: skip
    assert [one.position for one in found.cameras] == [Position(-1.13, 52.63), NOWHERE]
    assert found.columns == {"id": "id", "location": "name", "lon": "lon", "lat": "lat"}
    assert found.ignored == ["ward"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (HEAD + "7,x,-2,53\n7,y,-2,53\n", 3, "id 7 is on line 2 already"),
        (HEAD + "7,x,-2,53\n,y,-2,53\n", 3, "the id is empty"),
        (HEAD + "7,x,west,53\n", 2, "lon 'west' is no number"),
        (HEAD + "7,x,nan,53\n", 2, "lon 'nan' is no number"),
        (HEAD + "7,x,-2,1_0\n", 2, "lat '1_0' is no number"),
        (HEAD + "7,x,-2,\n", 2, "lat is empty but the other is not"),
        (HEAD + "7,x,-2,91\n", 2, "not within 90 degrees"),
        (HEAD + "7,x,0,0\n", 2, "in the sea off Africa"),
        (HEAD + "7,x,458900,304500\n", 2, "which are easting and northing"),
        (HEAD + "7,Market Place, Leicester,-2,53\n", 2, "5 fields"),
        (HEAD + "7,x\n", 2, "2 fields"),
        (HEAD + '7,"x,-2,53\n8,y,-2,53\n', 2, "this is not CSV"),
        (HEAD + "7*,x,-2,53\n", 2, "can't be an id"),
        (HEAD + "--all,x,-2,53\n", 2, "can't be an id"),
        (HEAD, 1, "no camera below the column names"),
        ("", 1, "the file is empty"),
        ("number,location\n7,x\n", 1, "--columns id=COLUMN"),
        ("id,ward\n7,x\n", 1, "no column for the location"),
        ("id,location,lon\n7,x,-2\n", 1, "one of lon and lat only"),
        ("id,camera_id,location\n7,8,x\n", 1, "could each be the id"),
        ("id,location,location\n7,x,y\n", 1, "could each be the location"),
        ("id,location,custody\n7,x,ours\n", 2, "'ours' is no custody"),
        ("id,location,published\n7,x,yes\n", 2, "full, number, no do"),
        (f"id,location,controller\n7,x,{101 * 'y'}\n", 2, "over 100 characters"),
        (GRID + "7,x,458900,\n", 2, "northing is empty but the other is not"),
        (GRID + "7,x,458900,1304500\n", 2, "which goes to 1,300,000 metres"),
        (GRID + "7,x,0,0\n", 2, "is not on the British national grid"),
        (GRID + "7,x,-1.13,52.6\n", 2, "is not on the British national grid"),
        ("id,location,easting\n7,x,1\n", 1, "one of easting and northing only"),
        (
            "id,location,lon,lat,easting,northing\n7,x,-1.13,52.63,304500,458900\n",
            2,
            "m from easting and northing; leave two empty",
        ),
        ("id,location,kind\n7,x,???\n", 2, "'???' is no kind"),
        ("id,location,kind,custody\n7,x,anpr,council\n", 2, "data is the police's"),
        ('[{"id": 7}]', 1, "JSON, not CSV"),
        ('{"type": "FeatureCollection"}', 1, "no GeoJSON FeatureCollection"),
        ('{"type": "Topology", "features": [{}]}', 1, "no GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection", "features": []}', 1, "no camera in it"),
        (
            '{"type": "FeatureCollection",\n"features": [{}, ',
            2,
            "neither CSV nor GeoJSON",
        ),
        (features("7"), 3, "no feature with properties"),
        (features('{"properties": null}'), 3, "no feature with properties"),
        (features(POINT, "\n" + ROAD), 5, "is a point, and this is none"),
        (features(POINT, POINT), 4, "id 7 is on line 3 already"),
        (features(POINT.replace("-1.13", "458900")), 3, "not within 180 degrees"),
        (features(POINT.replace("-1.13", '"west"')), 3, "lon 'west' is no number"),
        ("<!DOCTYPE html>\n<html></html>", 1, "HTML or XML, not CSV"),
        ("Dear Sir\nplease find attached\n", 1, "no column for the id"),
        (b"PK\x03\x04rest", 1, "a spreadsheet"),
        ((HEAD + "7,x,-2,53\n").encode("utf-16"), 1, "UTF-16"),
        (b"id,location\n7,x\0y\n", 2, "not text"),
        (b"id,location\n7,x\n8,\x81\x8d\n", 3, "neither UTF-8 nor Windows-1252"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence_with_its_line(text, line, says):
    said = refusal(text)
    assert f"list.csv, line {line}:" in said
    assert says in said


def test_a_column_that_is_named_must_be_there():
    assert "no column 'asset' for id" in refusal("id,location\n7,x\n", {"id": "asset"})


def test_more_cameras_than_one_transaction_may_write_are_refused():
    rows = "".join(f"{n},x,,\n" for n in range(5_001))
    assert "line 5002: more than 5,000" in refusal(HEAD + rows)


@pytest.mark.parametrize("text", ["id", "id=", "key=x", "id=a,id=b", ""])
def test_a_mapping_that_is_none_is_wrong_usage(text):
    with pytest.raises(UsageError, match="--columns"):
        parse_columns(text)


def test_a_mapping_is_read():
    text = "id=camera_id, location=location,lon=lon"
    assert parse_columns(text)["location"] == "location"


def test_a_place_on_the_national_grid_is_kept_as_it_is_given():
    found = read(GRID + "7,x,458900,304500\n8,y,,\n")
    assert [one.position for one in found.cameras] == [
        Position(None, None, 458_900, 304_500), NOWHERE,
    ]  # fmt: skip
    assert "right to about 5 m" in found.notes[0]


def test_columns_that_may_be_of_the_grid_are_named_where_no_position_was_read():
    found = read("id,location,X,Y\n7,x,458900,304500\n")
    assert found.cameras[0].position == NOWHERE
    assert "say --columns easting=X,northing=Y: no positions" in found.notes[0]
    columns = parse_columns("easting=X,northing=Y")
    told = read("id,location,X,Y\n7,x,458900,304500\n", columns)
    assert told.cameras[0].position.easting == 458_900


@pytest.mark.parametrize(
    ("lon", "lat", "kept"),
    [
        ("-1.13168", "52.63562", Position(None, None, 458_861, 304_562)),
        ("-1.1317", "52.6356", Position(-1.1317, 52.6356)),
    ],
)
def test_degrees_beside_the_grid_count_unless_they_are_the_grid_s(lon, lat, kept):
    head = "id,location,lon,lat,easting,northing\n"
    (one,) = read(f"{head}7,x,{lon},{lat},458861,304562\n").cameras
    assert one.position == kept


@pytest.mark.parametrize(
    ("cell", "text"),
    [("'=1+1", "=1+1"), ("'@x", "@x"), ("''-x", "'-x"), ("'tis", "'tis"), ("''", "''")],
)
def test_an_apostrophe_that_keeps_a_spreadsheet_from_running_a_cell_comes_off(
    cell, text
):
    (camera,) = read(f'id,location\n7,"{cell}"\n').cameras
    assert camera.location == text


def test_a_row_that_speaks_of_anpr_without_a_kind_is_pointed_out():
    found = read("id,location,type\n7,x,ANPR\n8,y,PTZ\n")
    assert any(note.startswith("line 2: speaks of ANPR") for note in found.notes)


def test_columns_that_are_not_read_are_named():
    assert read("id,location,area_name\n7,x,y\n").ignored == ["area_name"]
