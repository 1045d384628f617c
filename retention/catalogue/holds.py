"""Evidence holds in the catalogue, and the windows that deletion asks for.

Triggers move the holds' version with every change, whoever makes it.  Nothing here
decides who may change a hold; no function narrows one.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue.db import parts
from retention.catalogue.schema import hold, hold_camera, release_request
from retention.model.errors import CatalogueError, RetentionError, put_back
from retention.model.policy import Holds, merge
from retention.model.values import FOREVER, Micros, Window


class Moved(NamedTuple):
    """What a cache of holds compares: the version, and when it next goes stale."""

    version: int
    next_free: Micros | None


def moved(tx: Connection, now: Micros) -> Moved:
    """The holds' version, and the next instant at which cooling off ends.

    CatalogueError where it has none: somebody took the row out.
    """
    kept, free = tx.exec_driver_sql(_MOVED, (now,)).one()
    if kept is None:
        raise CatalogueError(
            "the catalogue does not say any more when its holds moved: it was changed. "
            f"Nothing is deleted. To mend it: {put_back()}"
        )
    return Moved(kept, free)


_MOVED = (
    "SELECT (SELECT value FROM version WHERE name = 'holds'), "
    "(SELECT min(free_at) FROM hold WHERE free_at > ?)"
)


def of_cameras(tx: Connection, cameras: Iterable[int], now: Micros) -> dict[int, Holds]:
    """The merged windows of each camera: active holds, and those cooling off."""
    windows: dict[int, list[Window]] = {camera: [] for camera in cameras}
    for camera, _, since, until in _in_force_on(tx, windows, now):
        windows[camera].append(Window(since, until))
    return {camera: Holds(merge(found)) for camera, found in windows.items()}


def windows_of(
    tx: Connection, cameras: Iterable[int], now: Micros
) -> dict[int, dict[int, Window]]:
    """By camera the window of each hold on it, active or cooling off."""
    windows: dict[int, dict[int, Window]] = {camera: {} for camera in cameras}
    for camera, key, since, until in _in_force_on(tx, windows, now):
        windows[camera][key] = Window(since, until)
    return windows


def _in_force_on(tx: Connection, cameras: Iterable[int], now: Micros) -> Sequence[Any]:
    """(camera, hold, since, until) of each hold in force on these cameras."""
    return tx.exec_driver_sql(
        "SELECT c.camera, h.key, h.since, h.until FROM json_each(?) asked "
        "CROSS JOIN hold_camera c ON c.camera=asked.value "
        "CROSS JOIN hold h ON h.key=c.hold WHERE h.free_at IS NULL OR h.free_at>?",
        (json.dumps(list(cameras)), now),
    ).fetchall()


def held_cameras(tx: Connection, now: Micros) -> tuple[int, int]:
    """How many holds are in force, and how many cameras they are on."""
    number = tx.scalar(
        sa.select(sa.func.count()).select_from(hold).where(_in_force(now))
    )
    cameras = tx.scalar(
        sa.select(sa.func.count(hold_camera.c.camera.distinct()))
        .join(hold, hold.c.key == hold_camera.c.hold)
        .where(_in_force(now))
    )
    return number or 0, cameras or 0


class HoldNumbers(NamedTuple):
    """Holds in force: the active ones, those cooling off; of the active those whose
    review date has passed, and the incomplete ones."""

    active: int
    cooling_off: int
    review_due: int
    incomplete: int


def counts(
    tx: Connection, now: Micros, wanted: Mapping[str, Collection[str]]
) -> HoldNumbers:
    """How many there are; `wanted`: by kind the columns without which one is
    incomplete."""
    active = hold.c.free_at.is_(None)
    lacking = sa.or_(
        *(
            sa.and_(hold.c.kind == kind, sa.func.ifnull(hold.c[name], "") == "")
            for kind, names in wanted.items()
            for name in names
        )
    )
    of = (active, ~active, active & (hold.c.review <= now), active & lacking)
    query = sa.select(*(sa.func.total(one) for one in of)).where(_in_force(now))
    return HoldNumbers._make(map(int, tx.execute(query).one()))


def _in_force(now: Micros) -> sa.ColumnElement[bool]:
    return sa.or_(hold.c.free_at.is_(None), hold.c.free_at > now)


def insert(tx: Connection, cameras: Iterable[int], **values: Any) -> int:
    """Write one hold and its list of cameras; returns its number."""
    key = newest(tx) + 1
    put(tx, key, cameras, **values)
    return key


def put(tx: Connection, key: int, cameras: Iterable[int], **values: Any) -> None:
    """Write one hold under the number that the log has for it."""
    tx.execute(hold.insert().values(key=key, **values))
    add_cameras(tx, key, cameras)


def cover(tx: Connection, key: int, window: Window, free_at: Micros | None) -> None:
    """Have a hold cover a window too, until `free_at` at the least (None: it is active),
    as the log says; never less than its row does."""
    kept = (
        sa.func.min(hold.c.since, window.start),
        sa.func.max(hold.c.until, window.end),
    )
    tx.execute(hold.update().where(_is(key)).values(since=kept[0], until=kept[1]))
    if free_at is None:
        until: dict[str, Any] = {"released": None, "free_at": None, "cooled": None}
    else:
        until = {"free_at": free_at, "cooled": None}
    earlier = hold.c.free_at < (FOREVER if free_at is None else free_at)
    tx.execute(hold.update().where(_is(key), earlier).values(until))


def add_cameras(tx: Connection, key: int, cameras: Iterable[int]) -> None:
    """The hold covers these cameras (keys) too from this transaction on.

    The caller writes the entry (`hold.extended`), and passes the gate where files of
    these cameras can be in flight.
    """
    rows = [{"hold": key, "camera": camera} for camera in cameras]
    if rows:
        tx.execute(hold_camera.insert().prefix_with("OR IGNORE"), rows)


def widen(
    tx: Connection, key: int, since: Micros, until: Micros, review: Micros
) -> None:
    """Give an active hold a window that contains the one it had, and a review date.

    RetentionError where it is not active, or would be narrower: nothing but a release
    may free footage.
    """
    done = tx.execute(
        hold.update()
        .where(hold.c.key == key, hold.c.free_at.is_(None))
        .where(hold.c.since >= since, hold.c.until <= until)
        .values(since=since, until=until, review=review)
    )
    _one(done.rowcount, key)


def amend(tx: Connection, key: int, **texts: str) -> None:
    """Change what is said of a hold (reference, officer, force, requester, reason)."""
    _one(tx.execute(hold.update().where(_is(key)).values(**texts)).rowcount, key)


def set_review(tx: Connection, key: int, review: Micros) -> None:
    """The next review date of an active hold."""
    done = tx.execute(hold.update().where(_active(key)).values(review=review))
    _one(done.rowcount, key)


def release(tx: Connection, key: int, now: Micros, free_at: Micros) -> None:
    """Start the cooling off of an active hold; a request for it is thereby done."""
    done = tx.execute(
        hold.update().where(_active(key)).values(released=now, free_at=free_at)
    )
    _one(done.rowcount, key)
    drop_request(tx, key)


def reinstate(tx: Connection, key: int, now: Micros) -> None:
    """Put a hold that is cooling off back in force."""
    done = tx.execute(
        hold.update()
        .where(_is(key), hold.c.free_at > now)
        .values(released=None, free_at=None, cooled=None)
    )
    _one(done.rowcount, key)


def uncooled(tx: Connection, now: Micros, limit: int = 1_000) -> list[int]:
    """Released holds whose cooling off is over and not yet on record as such."""
    sql = "SELECT key FROM hold WHERE cooled IS NULL AND free_at <= ? ORDER BY key LIMIT ?"
    return list(tx.exec_driver_sql(sql, (now, limit)).scalars())


def set_cooled(tx: Connection, key: int, now: Micros) -> None:
    """The end of a hold's cooling off is on record."""
    tx.execute(hold.update().where(_is(key)).values(cooled=now))


def _is(key: int) -> sa.ColumnElement[bool]:
    return hold.c.key == key


def _active(key: int) -> sa.ColumnElement[bool]:
    return sa.and_(_is(key), hold.c.released.is_(None), hold.c.free_at.is_(None))


def _one(rows: int, key: int) -> None:
    if rows != 1:
        raise RetentionError(
            f"hold {key} is not active any more: `retention hold show {key}` shows what "
            "became of it"
        )


def request_release(tx: Connection, key: int, **values: Any) -> None:
    """A release of the hold waits for a second person; one request a hold."""
    tx.execute(release_request.insert().values(hold=key, **values))


def request_of(tx: Connection, key: int) -> sa.Row[Any] | None:
    """The release of this hold that waits for a second person, or None."""
    query = sa.select(release_request).where(release_request.c.hold == key)
    return tx.execute(query).one_or_none()


def requests(tx: Connection) -> dict[int, sa.Row[Any]]:
    """Every release that waits for a second person, by hold."""
    return {
        row.hold: row for row in tx.exec_driver_sql("SELECT * FROM release_request")
    }


def drop_request(tx: Connection, key: int) -> None:
    """The release of this hold waits no more."""
    tx.execute(release_request.delete().where(release_request.c.hold == key))


def newest(tx: Connection) -> int:
    """The number of the newest hold; 0 where there is none."""
    return tx.scalar(sa.select(sa.func.max(hold.c.key))) or 0


def find(tx: Connection, key: int) -> sa.Row[Any] | None:
    """One hold's row."""
    return tx.execute(sa.select(hold).where(_is(key))).one_or_none()


def by_request(tx: Connection, request: str) -> sa.Row[Any] | None:
    """The hold that was placed by the request of this number (a uuid), or None."""
    return tx.execute(sa.select(hold).where(hold.c.request == request)).one_or_none()


def cameras_of(tx: Connection, key: int) -> list[int]:
    """The keys of a hold's cameras."""
    return list(
        tx.scalars(sa.select(hold_camera.c.camera).where(hold_camera.c.hold == key))
    )


def by_keys(tx: Connection, keys: Collection[int]) -> dict[int, sa.Row[Any]]:
    """The rows of these holds, those that there are."""
    return {
        row.key: row
        for part in parts(sorted(keys))
        for row in tx.execute(sa.select(hold).where(hold.c.key.in_(part)))
    }


def cameras_of_all(
    tx: Connection, keys: Collection[int], among: Collection[int] | None = None
) -> dict[int, list[int]]:
    """The keys of the cameras of each of these holds, all or those `among` some, in one
    reading."""
    found: dict[int, list[int]] = {key: [] for key in keys}
    wanted = None if among is None else frozenset(among)
    query = sa.select(hold_camera.c.hold, hold_camera.c.camera)
    for part in parts(sorted(found)):
        for key, camera in tx.execute(query.where(hold_camera.c.hold.in_(part))):
            if wanted is None or camera in wanted:
                found[key].append(camera)
    for cameras in found.values():
        cameras.sort()
    return found


def listing(
    tx: Connection,
    now: Micros,
    *,
    all_: bool = False,
    after: int = 0,
    cameras: Collection[int] | None = None,
) -> Iterator[sa.Row[Any]]:
    """Holds in force (with `all_`: every hold) with numbers above `after`, oldest
    first; only those that cover one of these `cameras` (keys), where some are given.
    Read as far as they are taken."""
    query = sa.select(hold).where(hold.c.key > after).order_by(hold.c.key)
    if cameras is not None:
        on = sa.select(hold_camera.c.hold).where(hold_camera.c.camera.in_(cameras))
        query = query.where(hold.c.key.in_(on))
    with tx.execute(query if all_ else query.where(_in_force(now))) as rows:
        yield from rows
