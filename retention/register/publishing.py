"""`camera publish`: the list for the public made from the register, and what is not in it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from retention.catalogue import cameras
from retention.model.answers.camera import CameraLeftOut, CamerasPublished
from retention.model.errors import RetentionError, UsageError
from retention.model.values import Camera, PublicAs
from retention.register.changes import controller_of, of_controller
from retention.register.open_data import (
    PlaceGiven,
    as_csv,
    as_geojson,
    metadata,
    public,
)

if TYPE_CHECKING:
    from retention.control.context import Context

FILE = "cctv-cameras.csv"


def camera_publish(
    context: Context,
    *,
    format: str = "csv",
    controller: str | None = None,
    file: str = FILE,
) -> CamerasPublished:
    """The list of cameras for the public, as text; of one controller, or of all.

    `file` is how the CSV will be called, which its `metadata` (CSVW) name; GeoJSON says
    all by itself.  Retired and unlisted cameras and those of which nothing is to be
    published are left out, and named.
    """
    if format not in ("csv", "geojson"):
        raise UsageError(
            f"the list is published as csv or geojson, not {format[:40]!r}"
        )
    own = context.settings.own_controller
    with context.catalogue.read() as tx:
        current = cameras.current(tx)
    asked = of_controller(current.values(), own, controller)
    left = [(one, why) for one in asked if (why := _left_out(one)) is not None]
    without = {one.key for one, _ in left}
    there = [one for one in asked if one.key not in without]
    if not there:
        raise RetentionError(
            "there is no camera to publish: `retention camera list --all` shows why"
        )
    rows = [public(one, own) for one in there]
    whose = sorted({controller_of(one, own) for one in there})
    as_table = format == "csv"
    return CamerasPublished(
        format=format,
        text=as_csv(rows) if as_table else as_geojson(rows, whose),
        metadata=metadata(PurePath(file).name or FILE, whose) if as_table else None,
        cameras=len(rows),
        controllers=whose,
        withheld=sum(one.position is PlaceGiven.WITHHELD for one in rows),
        on_grid=sum(one.position is PlaceGiven.ON_GRID for one in rows),
        unknown=sum(one.position is PlaceGiven.UNKNOWN for one in rows),
        left_out=[CameraLeftOut(one.id, one.location, why) for one, why in left],
    )


def _left_out(camera: Camera) -> str | None:
    """Why a camera is not in the public list; None where it is."""
    if camera.publication is PublicAs.NO:
        return "not for publication"
    if camera.retired:
        return "retired"
    return None if camera.listed else "unlisted"
