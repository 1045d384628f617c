"""The table of streams: what each recorder writes for each camera into each root.

A stream's row is frozen: nothing changes how its files are named, but a repair that puts
back what the log says.  Only its lengths rise, and the quarantine of its times comes and
goes.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import schema
from retention.catalogue.db import Transaction
from retention.model.policy import BEGINNING
from retention.model.values import Entry, Micros, Stream

_t = schema.stream


_SELECT = f"SELECT {', '.join(_t.c.keys())} FROM stream"
_THESE = "IN (SELECT value FROM json_each(?))"


def _streams(tx: Connection, where: str = "", *values: Any) -> list[Stream]:
    found = tx.exec_driver_sql(f"{_SELECT} {where} ORDER BY key", values).all()
    return [Stream(*row) for row in found]


def by_key(tx: Connection, key: int) -> Stream | None:
    """The stream of that key, or None."""
    found = _streams(tx, "WHERE key = ?", key)
    return found[0] if found else None


def of_root(tx: Connection, root: int) -> list[Stream]:
    """All streams of a footage root, oldest first."""
    return _streams(tx, "WHERE root = ?", root)


def in_use(tx: Connection, root: int) -> list[Stream]:
    """The streams of a footage root that have recordings, oldest first."""
    used = "EXISTS (SELECT 1 FROM recording r WHERE r.stream = stream.key)"
    return _streams(tx, f"WHERE root = ? AND {used}", root)


def count(tx: Connection, root: int) -> int:
    """How many streams a footage root has."""
    query = sa.select(sa.func.count()).where(_t.c.root == root)
    return int(tx.scalar(query) or 0)


def of_camera(tx: Connection, camera: int) -> list[Stream]:
    """All streams of a camera in every root, oldest first."""
    return of_cameras(tx, [camera])


def of_cameras(tx: Connection, cameras: Collection[int]) -> list[Stream]:
    """The streams of these cameras (keys)."""
    return _streams(tx, f"WHERE camera {_THESE}", json.dumps(list(cameras)))


def recorded_in(tx: Connection) -> Callable[[Iterable[int]], set[str]]:
    """What tells the names of the roots that cameras (keys) are recorded in.  A camera
    whose files nobody has met yet may record into any root."""
    everywhere = set(tx.scalars(sa.select(schema.root.c.name)))
    found: dict[int, set[str]] = {}
    query = sa.select(_t.c.camera, schema.root.c.name).distinct()
    for camera, name in tx.execute(
        query.join(schema.root, _t.c.root == schema.root.c.key)
    ):
        found.setdefault(camera, set()).add(name)
    return lambda cameras: set().union(*(found.get(one, everywhere) for one in cameras))


def everyone(tx: Connection) -> list[Stream]:
    """Every stream, oldest first."""
    return _streams(tx)


def add(
    tx: Connection,
    *,
    root: int,
    camera: int,
    layout: str,
    zone: str,
    name: str,
    extension: str,
    max_length: Micros,
) -> Stream:
    """Freeze a new stream; the same one twice is refused by the database."""
    values = {
        "root": root, "camera": camera, "layout": layout, "zone": zone, "name": name,
        "extension": extension, "max_length": max_length,
    }  # fmt: skip
    done = tx.execute(_t.insert().values(quarantined=None, **values))
    key = int(done.inserted_primary_key[0])  # type: ignore[index]  # always there
    return Stream(key, root, camera, layout, zone, name, extension, max_length)


def put_back(tx: Transaction, key: int, **values: Any) -> None:
    """A stream is as it was opened: its camera, its root, how its files are named."""
    tx.execute(_t.update().where(_t.c.key == key).values(values))
    tx.touch(key, BEGINNING)


def opened(stream: Stream, root: str) -> Entry:
    """The entry of a stream that `add` made: how one camera's files are named, frozen."""
    fields = {
        "stream": stream.key, "root": root, "camera": stream.camera,
        "layout": stream.layout, "zone": stream.zone, "name": stream.name,
        "extension": stream.extension, "max_length": stream.max_length,
    }  # fmt: skip
    return Entry("stream.opened", fields)


def longest(tx: Connection, key: int) -> Micros:
    """The length of the longest recording of a stream; 0 where it has none."""
    statement = "SELECT ifnull(max(duration), 0) FROM recording WHERE stream = ?"
    return int(tx.exec_driver_sql(statement, (key,)).scalar_one())


def raise_lengths(
    tx: Connection, longest: Mapping[int, Micros], *, believed: bool
) -> None:
    """Note, by stream, that recordings so long exist, so that look-ups reach back that far.

    `believed`: others may well be as long, so that none of them is in doubt for it.
    Belongs in the transaction that inserts or extends them; never lowers.
    """
    for column in ("reach", "max_length") if believed else ("reach",):
        tx.exec_driver_sql(
            f"UPDATE stream SET {column} = ? WHERE key = ? AND {column} < ?",
            [(length, key, length) for key, length in longest.items()],
        )


def quarantine(tx: Transaction, key: int, at: Micros) -> bool:
    """Mark the stream's times as in doubt since `at`; False where they were already."""
    done = tx.execute(
        _t.update()
        .where(_t.c.key == key, _t.c.quarantined.is_(None))
        .values(quarantined=at)
    )
    tx.touch(key, BEGINNING)
    return done.rowcount == 1


def lift_quarantine(tx: Transaction, key: int) -> bool:
    """A person ruled that the stream's times are understood; False where not in doubt."""
    done = tx.execute(
        _t.update()
        .where(_t.c.key == key, _t.c.quarantined.is_not(None))
        .values(quarantined=None)
    )
    tx.touch(key, BEGINNING)
    return done.rowcount == 1


def by_keys(tx: Connection, keys: Iterable[int]) -> list[Stream]:
    """The streams of these keys, oldest first; those that are not there are left out."""
    return _streams(tx, f"WHERE key {_THESE}", json.dumps(list(keys)))
