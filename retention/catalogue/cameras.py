"""The camera register in the catalogue: cameras by internal key, ids as their labels.

A label is an id with the time in which it meant one camera, [from, to).  A camera is
never removed and keeps its key for good; nothing here decides who gets an id.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import holds
from retention.catalogue.db import get_fact
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.schema import (
    camera,
    camera_id,
    hold,
    hold_camera,
    root,
    stream,
)
from retention.model.answers.status import CameraUnderHold
from retention.model.errors import StaleError
from retention.model.localtime import format_utc
from retention.model.values import Camera, Custody, Micros, PublicAs, Window
from retention.tlog.source import Query

Label = tuple[str, Micros, Micros | None]
"""(id, from, to): `to` is None while the id still means the camera."""

_EACH = (
    "SELECT c.key, i.id, c.location, c.view, c.kind, c.custody, c.lon, c.lat, c.listed, "
    "c.retired, c.published, c.controller, c.easting, c.northing "
    "FROM camera c JOIN camera_id i ON i.camera = c.key"
)


def _cameras(tx: Connection, where: str = "", *values: Any) -> list[Camera]:
    sql = f"{_EACH} {where} ORDER BY c.key, i.valid_from"
    rows = tx.exec_driver_sql(sql, values).all()
    # Labels of one camera follow each other, so the last row of a key is the newest.
    return [_camera(row) for row in {row[0]: row for row in rows}.values()]


def _camera(row: Sequence[Any]) -> Camera:
    key, id, location, view, kind, custody, lon, lat, listed, retired, published = row[
        :11
    ]
    return Camera(
        key, id, location, view, kind, Custody(custody), lon, lat, bool(listed),
        bool(retired), published and PublicAs(published), *row[11:],
    )  # fmt: skip


def today(tx: Connection, id: str) -> Camera | None:
    """The camera that `id` means today; retired and unlisted ones too."""
    found = _cameras(tx, "WHERE i.id = ? AND i.valid_to IS NULL", id)
    return found[0] if found else None


def put_custody(tx: Connection, key: int, custody: str) -> None:
    """Whose data a camera's footage is, as the log says."""
    tx.execute(camera.update().where(camera.c.key == key).values(custody=custody))


def keys(tx: Connection) -> set[int]:
    """The keys of all cameras, also of those that are in the register no more and have
    streams."""
    sql = "SELECT key FROM camera UNION SELECT camera FROM stream"
    return set(tx.exec_driver_sql(sql).scalars())


def by_key(tx: Connection, key: int) -> Camera | None:
    """The camera of that key, under today's id or, where it has none, its last."""
    found = _cameras(tx, "WHERE c.key = ?", key)
    return found[0] if found else None


def everyone(tx: Connection) -> list[Camera]:
    """Every camera that was ever registered, in order of key; ids as in `by_key`."""
    return _cameras(tx)


def nameless(tx: Connection) -> set[int]:
    """Keys of the cameras that have no id today: another camera was given it."""
    labelled = "SELECT camera FROM camera_id WHERE valid_to IS NULL"
    sql = f"SELECT key FROM camera WHERE key NOT IN ({labelled})"
    return set(tx.exec_driver_sql(sql).scalars())


def current(tx: Connection) -> dict[str, Camera]:
    """The camera of each id that means one today; retired and unlisted ones too."""
    without = nameless(tx)
    return {one.id: one for one in everyone(tx) if one.key not in without}


def ids(tx: Connection, key: int) -> list[Label]:
    """The labels of a camera, oldest first."""
    query = (
        sa.select(camera_id.c.id, camera_id.c.valid_from, camera_id.c.valid_to)
        .where(camera_id.c.camera == key)
        .order_by(camera_id.c.valid_from)
    )
    return [(row.id, row.valid_from, row.valid_to) for row in tx.execute(query)]


def labels(tx: Connection) -> dict[int, list[Label]]:
    """Those of every camera, as in `ids`, by its key."""
    found: dict[int, list[Label]] = {}
    for row in tx.execute(sa.select(camera_id).order_by(camera_id.c.valid_from)):
        found.setdefault(row.camera, []).append((row.id, row.valid_from, row.valid_to))
    return found


def meaning(tx: Connection, id: str, window: Window) -> list[Camera]:
    """Every camera that `id` meant at some instant of `window`, in order of time.

    The first camera ever to have the id is taken to have had it always: footage is
    older than the register wherever an archive was adopted.
    """
    labels = tx.execute(
        sa.select(camera_id)
        .where(camera_id.c.id == id)
        .order_by(camera_id.c.valid_from)
    ).all()
    keys = dict.fromkeys(
        label.camera
        for number, label in enumerate(labels)
        if (number == 0 or label.valid_from < window.end)
        and (label.valid_to is None or window.start < label.valid_to)
    )
    return [found for key in keys if (found := by_key(tx, key)) is not None]


def last_holder(tx: Connection, id: str) -> tuple[Camera, Micros] | None:
    """The camera that last lost `id`, and when; None where nobody has lost it."""
    row = tx.execute(
        sa.select(camera_id.c.camera, camera_id.c.valid_to)
        .where(camera_id.c.id == id, camera_id.c.valid_to.is_not(None))
        .order_by(camera_id.c.valid_to.desc())
        .limit(1)
    ).one_or_none()
    found = None if row is None else by_key(tx, row.camera)
    return None if row is None or found is None else (found, row.valid_to)


def former_ids(tx: Connection) -> set[str]:
    """Every id that some camera has lost."""
    lost = sa.select(camera_id.c.id).where(camera_id.c.valid_to.is_not(None))
    return set(tx.scalars(lost.distinct()))


def _columns(values: Camera) -> dict[str, Any]:
    return {
        "location": values.location,
        "view": values.view,
        "kind": values.kind,
        "custody": str(values.custody),
        "lon": values.lon,
        "lat": values.lat,
        "listed": int(values.listed),
        "retired": int(values.retired),
        "published": None if values.published is None else str(values.published),
        "controller": values.controller,
        "easting": values.easting,
        "northing": values.northing,
    }


def insert(tx: Connection, values: Camera, at: Micros) -> int:
    """Register a camera (its `key` is ignored), its id valid from `at`; the new key.

    Keys are never used twice: the highest is never removed.
    """
    highest = sa.select(sa.func.coalesce(sa.func.max(camera.c.key), 0))
    key = int(tx.execute(highest).scalar_one()) + 1
    tx.execute(camera.insert().values(key=key, **_columns(values)))
    _open(tx, [(key, values.id)], at)
    return key


def update(tx: Connection, old: Camera, new: Camera) -> None:
    """Change what the register says of one camera; its ids stay.

    StaleError where the camera is no longer as `old` says.
    """
    same = [camera.c[name].is_not_distinct_from(v) for name, v in _columns(old).items()]
    done = tx.execute(
        camera.update().where(camera.c.key == old.key, *same).values(_columns(new))
    )
    if done.rowcount != 1:
        raise StaleError(f"camera {old.id} was changed meanwhile; try again")


def next_instant(tx: Connection, ids: Iterable[str], now: Micros) -> Micros:
    """`now`, or the first instant at which a change of these labels leaves no label
    empty or upside down: they may have changed within this microsecond, or under a
    clock that was ahead.
    """
    wanted = list(ids)
    named = sa.select(camera_id.c.camera).where(camera_id.c.id.in_(wanted))
    ends = sa.func.coalesce(camera_id.c.valid_to, camera_id.c.valid_from)
    last = tx.scalar(
        sa.select(sa.func.max(ends)).where(
            sa.or_(camera_id.c.id.in_(wanted), camera_id.c.camera.in_(named))
        )
    )
    return now if last is None else max(now, int(last) + 1)


def relabel(
    tx: Connection, losers: Mapping[int, str], gainers: Mapping[int, str], at: Micros
) -> None:
    """At `at`, the cameras of `losers` lose their ids and `gainers` get theirs.

    Takes both at once, so ids can be exchanged.  StaleError where a loser does not
    have that id today; an id that is still somebody's breaks a unique index.
    """
    for key, lost in losers.items():
        done = tx.execute(
            camera_id.update()
            .where(
                camera_id.c.camera == key,
                camera_id.c.id == lost,
                camera_id.c.valid_to.is_(None),
            )
            .values(valid_to=at)
        )
        if done.rowcount != 1:
            raise StaleError(f"camera {lost} was renumbered meanwhile; try again")
    _open(tx, gainers.items(), at)


def _open(tx: Connection, pairs: Iterable[tuple[int, str]], at: Micros) -> None:
    for key, id in pairs:
        tx.execute(camera_id.insert().values(id=id, valid_from=at, camera=key))


def bare(tx: Connection, keys: Iterable[int]) -> set[int]:
    """Those of `keys` that no stream and no hold ever named: nothing hangs on them."""
    wanted = set(keys)
    for used in (stream.c.camera, hold_camera.c.camera):
        wanted -= set(tx.scalars(sa.select(used).distinct()))
    return wanted


def active_holds(
    tx: Connection, keys: Iterable[int], now: Micros
) -> dict[int, list[int]]:
    """The numbers of the holds, active or cooling off, on each of `keys`."""
    found: dict[int, list[int]] = {key: [] for key in keys}
    query = (
        sa.select(hold_camera.c.camera, hold.c.key)
        .join(hold, hold.c.key == hold_camera.c.hold)
        .where(sa.or_(hold.c.free_at.is_(None), hold.c.free_at > now))
        .order_by(hold.c.key)
    )
    for key, number in tx.execute(query):
        if key in found:
            found[key].append(number)
    return found


def streams(tx: Connection, key: int) -> list[sa.Row[Any]]:
    """The streams of a camera with the name of their root, oldest first."""
    return list(
        tx.execute(
            sa.select(stream, root.c.name.label("root_name"))
            .join(root, root.c.key == stream.c.root)
            .where(stream.c.camera == key)
            .order_by(stream.c.key)
        )
    )


UNDER_HOLD = "cameras.under_hold"
"""What keeps the changes to cameras under holds that nobody has ruled on yet."""

NAMED = 500
"""Holds named in one entry; it has room for no more than some thousands."""


def unruled(tx: Connection) -> list[CameraUnderHold]:
    """Each change under a hold that nobody has ruled on, as answers show it."""
    return [
        CameraUnderHold(number, format_utc(at), id_, change, numbers)
        for number, at, _, id_, change, numbers in noted_under_hold(tx)
    ]


def noted_under_hold(tx: Connection) -> list[list[Any]]:
    """The changes noted, with those of their holds that are active and not reviewed
    since."""
    noted = get_fact(tx, UNDER_HOLD) or []
    if not noted:
        return []
    numbers = {hold for one in noted for hold in one[-1]}
    active = {hold for hold in numbers if _active(tx, hold)}
    reviewed = _reviews(tx, noted[0][0])
    left = []
    for number, *about, under in noted:
        open_ = [
            hold for hold in under if hold in active and reviewed.get(hold, -1) < number
        ]
        if open_:
            left.append([number, *about, open_])
    return left


def _active(tx: Connection, number: int) -> bool:
    row = holds.find(tx, number)
    return row is not None and row.free_at is None


def _reviews(tx: Connection, after: int) -> dict[int, int]:
    """By hold its last review, of those on record after entry `after`."""
    found: dict[int, int] = {}
    for record in CatalogueSource(tx).backwards(Query(("hold.reviewed",))):
        if record.number < after:
            break
        if not record.is_void:
            found.setdefault(record.entry["fields"]["hold"], record.number)
    return found
