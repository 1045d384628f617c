"""Published camera lists: named columns in, checked values out.  Pure.

Councils rename columns between editions, save from spreadsheets and leave cells empty;
what a file does not say stays None here and is never made up.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from retention.model.cells import bare
from retention.model.errors import UsageError
from retention.model.values import LONGEST_CONTROLLER, Custody, PublicAs
from retention.register import grid
from retention.register.grid import Degrees
from retention.register.rows import ListRow, decode, features, plain, read_rows, refuse

# Lists of one council; more rows than one transaction may write is another file.
MAX_ROWS = 5_000

USUAL: Mapping[str, tuple[str, ...]] = {
    "id": (
        "camera_id", "id", "camera_no", "camera_number", "camera_ref", "cam_id",
        "cam_num", "cam_no", "unique_id",
    ),
    "location": (
        "location", "camera_location", "location_name", "location_description", "site",
        "address", "street", "name",
    ),
    "lon": ("lon", "longitude", "lng", "long"),
    "lat": ("lat", "latitude"),
    "easting": ("easting", "eastings", "osgb_easting", "x_coord", "xcoord"),
    "northing": ("northing", "northings", "osgb_northing", "y_coord", "ycoord"),
    "view": ("view", "field_of_view", "coverage"),
    "kind": ("kind", "camera_kind"),
    "custody": ("custody",),
    "published": ("published",),
    "controller": ("controller", "data_controller"),
}  # fmt: skip
"""What the columns are usually called, written as `plain` writes them."""

_EXACTLY_ONE = ("id", "lon", "lat", "easting", "northing")
_TEXTS = ("id", "location", "view", "kind", "custody", "published", "controller")

SAME_PLACE_METRES = 50.0
"""Further apart than this, the same id is not taken for the same camera (design 6)."""

_METRES = re.compile(r"east(ing)?s?|north(ing)?s?|[xy]_?(coord\w*)?|osgb\w*", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?|[+-]?\.\d+", re.ASCII)
_KIND = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_ANPR = re.compile(r"\banpr\b", re.IGNORECASE)


class Position(NamedTuple):
    """Where a camera is: degrees (WGS84) or metres of the national grid, as it was given;
    neither where nobody says."""

    lon: float | None = None
    lat: float | None = None
    easting: float | None = None
    northing: float | None = None

    @property
    def degrees(self) -> Degrees | None:
        """The same in degrees; from the grid, `grid.ACCURACY`."""
        if self.lon is not None and self.lat is not None:
            return Degrees(self.lon, self.lat)
        if self.easting is not None and self.northing is not None:
            return grid.from_grid(self.easting, self.northing)
        return None


NOWHERE = Position()


class Listed(NamedTuple):
    """One camera as a file lists it; None where the file does not say."""

    line: int
    id: str
    location: str
    view: str | None = None
    kind: str | None = None
    custody: Custody | None = None
    published: PublicAs | None = None
    controller: str | None = None
    position: Position = NOWHERE


class CameraList(NamedTuple):
    """A whole file: which column was read as what, and its cameras in order."""

    columns: dict[str, str]
    ignored: list[str]
    encoding: str
    cameras: list[Listed]
    notes: list[str]


def read_cameras(
    data: bytes, name: str, columns: Mapping[str, str] | None = None
) -> CameraList:
    """The cameras of a CSV or GeoJSON file; `columns` says which column is what (a name of `USUAL`)
    where its name is not a usual one.

    RetentionError with the line for the first thing that is wrong, UsageError for
    columns that the file does not have.
    """
    text, encoding = decode(data, name)
    is_geojson = text.lstrip()[:1] == "{"
    header, *rows = features(text, name, USUAL) if is_geojson else read_rows(text, name)
    places = _places(header, name, columns or {})
    if not rows:
        raise refuse(name, header.line, "there is no camera below the column names")
    if len(rows) > MAX_ROWS:
        raise refuse(name, rows[MAX_ROWS].line, f"more than {MAX_ROWS:,} cameras")
    cameras = [_listed(row, places, name) for row in rows]
    _once(cameras, name)
    ignored = [c for n, c in enumerate(header.cells) if n not in places.values()]
    return CameraList(
        {what: header.cells[place] for what, place in places.items()},
        [column for column in ignored if column],
        encoding,
        cameras,
        [*_about_positions(places, ignored), *_about_anpr(rows, cameras)],
    )


def parse_columns(text: str) -> dict[str, str]:
    """`id=camera_id,location=site` as a mapping; UsageError where it is not that."""
    columns: dict[str, str] = {}
    for part in text.split(","):
        what, equals, column = (piece.strip() for piece in part.partition("="))
        if what not in USUAL or not equals or not column or what in columns:
            raise UsageError(
                f"--columns: {part.strip()!r} is not of the form id=COLUMN, with one of "
                f"{', '.join(USUAL)} before the sign and each at most once"
            )
        columns[what] = column
    return columns


def _places(header: ListRow, name: str, columns: Mapping[str, str]) -> dict[str, int]:
    """Which field is what: as told, else by the usual names."""
    places: dict[str, int] = {}
    for what in USUAL:
        if what in columns:
            found = _told(header, columns[what])
            if len(found) != 1:
                many = "more than one column" if found else "no column"
                raise UsageError(
                    f"{name} has {many} {columns[what]!r} for {what}; its columns are "
                    f"{_list(header.cells)}. Nothing was changed"
                )
        else:
            found = _usual(header, what, name, taken=columns.values())
        if found:
            places[what] = found[0]
    for what in ("id", "location"):
        if what not in places:
            raise refuse(
                name,
                header.line,
                f"no column for the {what} among {_list(header.cells)}; name it with "
                f"--columns {what}=COLUMN",
            )
    for one, other in ("lon", "lat"), ("easting", "northing"):
        if (one in places) != (other in places):
            what = f"a column for one of {one} and {other} only"
            raise refuse(name, header.line, what)
    return places


def _told(header: ListRow, column: str) -> list[int]:
    exact = [n for n, cell in enumerate(header.cells) if cell == column]
    wanted = plain(column)
    return exact or [n for n, cell in enumerate(header.cells) if plain(cell) == wanted]


def _usual(header: ListRow, what: str, name: str, taken: Iterable[str]) -> list[int]:
    cells = [plain(cell) for cell in header.cells]
    used = {plain(column) for column in taken}
    found = [
        n
        for usual in USUAL[what]
        for n, cell in enumerate(cells)
        if cell == usual and cell not in used
    ]
    if len(found) > 1 and (what in _EXACTLY_ONE or cells[found[0]] == cells[found[1]]):
        raise refuse(
            name,
            header.line,
            f"{_list([header.cells[n] for n in found])} could each be the {what}; say "
            f"which with --columns {what}=COLUMN",
        )
    return found[:1]


def _list(cells: list[str]) -> str:
    text = ", ".join(cells)
    return text if len(text) <= 200 else text[:200] + " ..."


def _listed(row: ListRow, places: Mapping[str, int], name: str) -> Listed:
    cells = {what: row.cells[place] for what, place in places.items()}
    said = {
        what: bare(cell) if what in _TEXTS else cell for what, cell in cells.items()
    }
    try:
        kind = check_kind(said.get("kind", ""))
        custody = check_custody(said.get("custody", ""))
        check_both(kind, custody)
        return Listed(
            row.line,
            check_id(said["id"]),
            check_text("location", said["location"]),
            check_text("view", said.get("view", "")) or None,
            kind,
            custody,
            check_published(said.get("published", "")),
            check_controller(said.get("controller", "")),
            check_position(**{what: said.get(what, "") for what in Position._fields}),
        )
    except UsageError as error:
        raise refuse(name, row.line, str(error)) from error


def _once(cameras: list[Listed], name: str) -> None:
    seen: dict[str, int] = {}
    for camera in cameras:
        if camera.id in seen:
            raise refuse(
                name,
                camera.line,
                f"id {camera.id} is on line {seen[camera.id]} already",
            )
        seen[camera.id] = camera.line


def check_id(id: str) -> str:
    """A published id as it may be typed on a command line; UsageError otherwise."""
    if not id:
        raise UsageError("the id is empty")
    if len(id) > 64 or not id.isprintable() or re.search(r"[*?\[\],]|^-|^\s|\s$", id):
        raise UsageError(
            f"{id[:64]!r} can't be an id: at most 64 printable characters, none of "
            "*?[], and no dash in front"
        )
    return id


def check_text(what: str, text: str) -> str:
    """A location or view: one line; UsageError otherwise."""
    text = " ".join(text.split())
    if len(text) > 400 or not text.isprintable():
        raise UsageError(f"the {what} is not one line of at most 400 characters")
    return text


def check_kind(text: str) -> str | None:
    """A kind in the register's spelling (`ANPR` is `anpr`); None for an empty text."""
    kind = plain(text)
    if text and not _KIND.fullmatch(kind):
        raise UsageError(f"{text[:60]!r} is no kind such as public_space or anpr")
    return kind or None


def check_custody(text: str) -> Custody | None:
    """A custody; None for an empty text, UsageError for a word that is none."""
    try:
        return Custody(plain(text)) if text else None
    except ValueError:
        raise UsageError(
            f"{text[:60]!r} is no custody: {', '.join(Custody)} are"
        ) from None


def check_both(kind: str | None, custody: Custody | None) -> None:
    """UsageError for an ANPR camera in the council's custody.

    Its data goes straight to the police, the council must hold none (design 1).
    """
    if kind == "anpr" and custody is Custody.COUNCIL:
        raise UsageError(
            "an anpr camera can't be in the custody of the council: its data is the "
            "police's; say police, or another kind"
        )


def check_published(text: str) -> PublicAs | None:
    """How much is published; None for an empty text, UsageError for another word."""
    try:
        return PublicAs(plain(text)) if text else None
    except ValueError:
        raise UsageError(
            f"{text[:60]!r} does not say how much of a camera is published: "
            f"{', '.join(PublicAs)} do"
        ) from None


def check_controller(text: str) -> str | None:
    """Whose camera it is; None for an empty text."""
    text = check_text("controller", text)
    if len(text) > LONGEST_CONTROLLER:
        raise UsageError(f"the controller has over {LONGEST_CONTROLLER} characters")
    return text or None


def check_position(
    lon: str | float = "",
    lat: str | float = "",
    easting: str | float = "",
    northing: str | float = "",
) -> Position:
    """Where a camera is; an empty text says nothing.

    Degrees and grid may both be given.  Degrees that are no more than the grid's,
    computed, leave the grid; others are what counts, and UsageError where the two lie too
    far apart.
    """
    degrees = Position(*_pair("lon", lon, "lat", lat, _degrees))
    metres = _pair("easting", easting, "northing", northing, _metres)
    on_grid = Position(None, None, *metres)
    if degrees.lon == degrees.lat == 0:
        raise UsageError(
            "lon 0, lat 0 is in the sea off Africa; leave both empty if unknown"
        )
    one, other = degrees.degrees, on_grid.degrees
    if one is None or other is None or one == other:
        return on_grid if other is not None else degrees
    apart = grid.metres(one, other)
    if apart > SAME_PLACE_METRES:
        raise UsageError(
            f"lon and lat are {apart:,.0f} m from easting and northing; leave two empty"
        )
    return degrees


def _pair(
    one: str,
    first: str | float,
    two: str,
    second: str | float,
    read: Callable[[str, str | float], float],
) -> tuple[float, float] | tuple[None, None]:
    if first == "" and second == "":
        return None, None
    return read(one, first), read(two, second)


def _number(what: str, text: str | float) -> float:
    text = str(text)
    if not _NUMBER.fullmatch(text):
        said = (
            f"{text[:40]!r} is no number" if text else "is empty but the other is not"
        )
        raise UsageError(f"{what} {said}")
    return float(text)


def _degrees(what: str, text: str | float) -> float:
    limit = 180 if what == "lon" else 90
    value = _number(what, text)
    if abs(value) <= limit:
        return value
    on_grid = abs(value) >= 1000
    hint = (
        "; it looks like metres of the national grid, which are easting and northing"
        if on_grid
        else ""
    )
    raise UsageError(f"{what} {text!s:.40} is not within {limit} degrees{hint}")


def _metres(what: str, text: str | float) -> float:
    limit = grid.EAST if what == "easting" else grid.NORTH
    value = _number(what, text)
    if 0 < value <= limit:
        return value
    raise UsageError(
        f"{what} {text!s:.40} is not on the British national grid, which goes to "
        f"{limit:,} metres"
    )


def _about_positions(places: Mapping[str, int], ignored: list[str]) -> list[str]:
    if "lon" in places:
        return []
    if "easting" in places:
        return [
            "positions are on the national grid: distances and what is published in "
            f"degrees are right {grid.ACCURACY}"
        ]
    metres = [column for column in ignored if _METRES.fullmatch(plain(column))]
    seen = (
        f"columns {' and '.join(metres)} may be eastings and northings of the national "
        f"grid; if so, say --columns easting={metres[0]},northing={metres[-1]}"
        if len(metres) > 1
        else "the file has no longitude and latitude"
    )
    return [f"{seen}: no positions were read, so no camera could be checked by place"]


def _about_anpr(rows: list[ListRow], cameras: list[Listed]) -> list[str]:
    lines = [
        str(row.line)
        for row, camera in zip(rows, cameras, strict=True)
        if camera.kind is None and any(_ANPR.search(cell) for cell in row.cells)
    ]
    if not lines:
        return []
    return [
        f"line {', '.join(lines[:10])}: speaks of ANPR, but no column that is read says "
        "so; if these are ANPR cameras name it with --columns kind=COLUMN"
    ]
