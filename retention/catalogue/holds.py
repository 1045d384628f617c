"""Evidence holds in the catalogue, and the windows that deletion asks for.

Triggers move the holds' version with every change, whoever makes it.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue.schema import hold, hold_camera, version
from retention.errors import RetentionError
from retention.model import Micros, Window
from retention.policy import Holds, merge


class Moved(NamedTuple):
    """What a cache of holds compares: the version, and when it next goes stale."""

    version: int
    next_free: Micros | None


def moved(tx: Connection, now: Micros) -> Moved:
    """The holds' version, and the next instant at which cooling off ends."""
    return Moved(
        tx.execute(
            sa.select(version.c.value).where(version.c.name == "holds")
        ).scalar_one(),
        tx.scalar(sa.select(sa.func.min(hold.c.free_at)).where(hold.c.free_at > now)),
    )


def of_cameras(tx: Connection, cameras: Iterable[int], now: Micros) -> dict[int, Holds]:
    """The merged windows of each camera: active holds, and those cooling off."""
    windows: dict[int, list[Window]] = {camera: [] for camera in cameras}
    for camera, since, until in tx.execute(
        sa.select(hold_camera.c.camera, hold.c.since, hold.c.until)
        .join(hold, hold.c.key == hold_camera.c.hold)
        .where(_in_force(now))
    ):
        if camera in windows:
            windows[camera].append(Window(since, until))
    return {camera: Holds(merge(found)) for camera, found in windows.items()}


def _in_force(now: Micros) -> sa.ColumnElement[bool]:
    return sa.or_(hold.c.free_at.is_(None), hold.c.free_at > now)


def insert(tx: Connection, cameras: Iterable[int], **values: Any) -> int:
    """Write one hold and its list of cameras; returns its number."""
    key: int = tx.execute(
        sa.select(sa.func.coalesce(sa.func.max(hold.c.key), 0) + 1)
    ).scalar_one()
    tx.execute(hold.insert().values(key=key, **values))
    tx.execute(
        hold_camera.insert(), [{"hold": key, "camera": camera} for camera in cameras]
    )
    return key


def release(tx: Connection, key: int, now: Micros, free_at: Micros) -> None:
    """Start the cooling off of an active hold."""
    done = tx.execute(
        hold.update()
        .where(hold.c.key == key, hold.c.released.is_(None))
        .values(released=now, free_at=free_at)
    )
    if done.rowcount != 1:
        raise RetentionError(
            f"hold {key} is not active: `retention hold list --all` shows what became "
            "of it"
        )


def find(tx: Connection, key: int) -> sa.Row[Any] | None:
    """One hold's row."""
    return tx.execute(sa.select(hold).where(hold.c.key == key)).one_or_none()


def cameras_of(tx: Connection, key: int) -> list[int]:
    """The keys of a hold's cameras."""
    return list(
        tx.scalars(sa.select(hold_camera.c.camera).where(hold_camera.c.hold == key))
    )


def listing(tx: Connection, now: Micros, *, all_: bool = False) -> list[sa.Row[Any]]:
    """Holds in force (with `all_`: every hold), oldest first."""
    query = sa.select(hold).order_by(hold.c.key)
    return list(tx.execute(query if all_ else query.where(_in_force(now))))
