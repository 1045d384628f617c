"""The list of cameras for the public: CSV with its metadata (CSVW), or GeoJSON.  Pure.

What of a camera is published decides `Camera.publication`.  The same cameras give the
same bytes; `camera import` of them changes nothing, and in an empty register it makes one
that publishes the same.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple
from urllib.parse import quote

from retention.model.cells import shielded
from retention.model.values import Camera, Custody, PublicAs
from retention.register import grid
from retention.register.changes import controller_of, position
from retention.register.lists import NOWHERE, Position

LICENCE = "Open Government Licence v3.0"
LICENCE_URL = (
    "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"
)
ATTRIBUTION = f"Contains public sector information licensed under the {LICENCE}."


class PlaceGiven(StrEnum):
    """What the place of a camera in the list is worth."""

    GIVEN = "as given"
    ON_GRID = f"from the national grid, {grid.ACCURACY}"
    UNKNOWN = "not known"
    WITHHELD = "not published"


class PublicCamera(NamedTuple):
    """What the public list has of a camera, in the order of its columns.

    `lon` and `lat` in degrees (WGS84), `easting` and `northing` as they were given, where
    the degrees come from them.
    """

    camera_id: str
    location: str | None
    view: str | None
    kind: str
    custody: str
    controller: str
    published: PublicAs
    lon: float | None
    lat: float | None
    easting: float | None
    northing: float | None
    position: PlaceGiven


_DESCRIPTIONS = {
    "camera_id": "The camera's number or name; it may pass to another camera later.",
    "location": "Where the camera stands; empty where that is not published.",
    "view": "What the camera looks at.",
    "kind": "What it is for: public_space, anpr (number plates) and others.",
    "custody": "Whose data its footage is.",
    "controller": "Which body decides about the camera.",
    "published": "How much of the camera is published: full, or its number without its "
    "place.",
    "lon": "Longitude in degrees (WGS84), west is negative.",
    "lat": "Latitude in degrees (WGS84).",
    "easting": "Metres east on the British national grid (OSGB36), where the place was "
    "given so.",
    "northing": "Metres north on the British national grid (OSGB36), likewise.",
    "position": "What the place is worth: as given; computed from the national grid by "
    f"one Helmert transformation, which is right {grid.ACCURACY}; not known; or not "
    "published.",
}
_APOSTROPHES = (
    " A text that would begin with = + - @ or a tab has an apostrophe before it."
)
_NUMBERS = {
    "lon": (-180, 180),
    "lat": (-90, 90),
    "easting": (0, grid.EAST),
    "northing": (0, grid.NORTH),
}
_WORDS: dict[str, Iterable[StrEnum]] = {
    "custody": Custody,
    "published": (PublicAs.FULL, PublicAs.NUMBER),
    "position": PlaceGiven,
}
_REQUIRED = ("camera_id", "kind", "custody", "controller", "published", "position")


def public(camera: Camera, own: str) -> PublicCamera:
    """What is published of a camera; `own`: the site's own controller."""
    full = camera.publication is PublicAs.FULL
    at = position(camera) if full else NOWHERE
    return PublicCamera(
        camera_id=camera.id,
        location=(full and camera.location) or None,
        view=(full and camera.view) or None,
        kind=camera.kind,
        custody=str(camera.custody),
        controller=controller_of(camera, own),
        published=camera.publication,
        lon=at.degrees and at.degrees.lon,
        lat=at.degrees and at.degrees.lat,
        easting=at.easting,
        northing=at.northing,
        position=_worth(at) if full else PlaceGiven.WITHHELD,
    )


def _worth(at: Position) -> PlaceGiven:
    if at == NOWHERE:
        return PlaceGiven.UNKNOWN
    return PlaceGiven.GIVEN if at.easting is None else PlaceGiven.ON_GRID


def as_csv(cameras: Iterable[PublicCamera]) -> str:
    """RFC 4180; texts that a spreadsheet would run begin with an apostrophe."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(PublicCamera._fields)
    writer.writerows(map(_cell, camera) for camera in cameras)
    return out.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return shielded(value) if isinstance(value, str) else _decimal(value)


def _decimal(value: float) -> str:
    """The shortest text that is read back as this number, without an exponent."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").removesuffix(".") if "." in text else text


def metadata(name: str, controllers: Sequence[str]) -> str:
    """What the columns of the CSV in a file of that name mean: CSVW, of W3C."""
    return _json(
        {
            "@context": ["http://www.w3.org/ns/csvw", {"@language": "en"}],
            "url": quote(name),
            **_about("dc:", controllers, _APOSTROPHES),
            "dc:license": {"@id": LICENCE_URL},
            "dialect": {"encoding": "utf-8", "header": True},
            "tableSchema": {
                "columns": [_column(name) for name in PublicCamera._fields],
                "primaryKey": "camera_id",
            },
        }
    )


def _about(prefix: str, controllers: Sequence[str], more: str = "") -> dict[str, Any]:
    whose = "; ".join(controllers)
    return {
        f"{prefix}title": f"CCTV cameras: {whose}" if whose else "CCTV cameras",
        f"{prefix}publisher": whose,
        f"{prefix}rights": ATTRIBUTION,
        f"{prefix}description": "Cameras in use, as far as something is published of "
        "them. Longitudes and latitudes are WGS84; those that come from the British "
        f"national grid are right {grid.ACCURACY}, which position says.{more}",
    }


def _column(name: str) -> dict[str, Any]:
    kind: Any = "string"
    if name in _NUMBERS:
        low, high = _NUMBERS[name]
        kind = {"base": "decimal", "minimum": str(low), "maximum": str(high)}
    elif name in _WORDS:
        kind = {"base": "string", "format": "|".join(_WORDS[name])}
    return {
        "name": name,
        "titles": name,
        "dc:description": _DESCRIPTIONS[name],
        "datatype": kind,
        "required": name in _REQUIRED,
    }


def as_geojson(cameras: Iterable[PublicCamera], controllers: Sequence[str]) -> str:
    """RFC 7946; the geometry of a camera without a published place is null."""
    head = {
        "type": "FeatureCollection",
        **_about("", controllers),
        "licence": LICENCE,
        "license": LICENCE_URL,
    }
    lines = ",\n".join(map(_feature, cameras))
    return f'{_json(head)[:-3]},\n  "features": [\n{lines}\n  ]\n}}\n'


def _feature(camera: PublicCamera) -> str:
    said = camera._asdict()
    degrees = [said.pop("lon"), said.pop("lat")]
    known = None not in degrees
    feature = {
        "type": "Feature",
        "id": camera.camera_id,
        "geometry": {"type": "Point", "coordinates": degrees} if known else None,
        "properties": said,
    }
    return f"    {json.dumps(feature, ensure_ascii=False)}"


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
