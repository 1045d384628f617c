"""The table of streams: what each recorder writes for each camera into each root.

A stream's row is frozen: nothing here changes how its files are named.  Only
`max_length` rises, and the quarantine of its times comes and goes.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import schema
from retention.model import Micros, Stream

_t = schema.stream


def _streams(tx: Connection, *where: sa.ColumnElement[bool]) -> list[Stream]:
    found = tx.execute(sa.select(_t).where(*where).order_by(_t.c.key))
    return [Stream(*row) for row in found]


def by_key(tx: Connection, key: int) -> Stream | None:
    """The stream of that key, or None."""
    found = _streams(tx, _t.c.key == key)
    return found[0] if found else None


def of_root(tx: Connection, root: int) -> list[Stream]:
    """All streams of a footage root, oldest first."""
    return _streams(tx, _t.c.root == root)


def of_camera(tx: Connection, camera: int) -> list[Stream]:
    """All streams of a camera in every root, oldest first."""
    return _streams(tx, _t.c.camera == camera)


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


def raise_max_length(tx: Connection, key: int, length: Micros) -> None:
    """Note that a recording of `length` exists, so that look-ups reach back that far.

    Belongs in the transaction that inserts or extends that recording; never lowers.
    """
    tx.execute(
        _t.update()
        .where(_t.c.key == key, _t.c.max_length < length)
        .values(max_length=length)
    )


def raise_max_lengths(tx: Connection, longest: Mapping[int, Micros]) -> None:
    """As `raise_max_length`, by stream."""
    tx.exec_driver_sql(
        "UPDATE stream SET max_length = ? WHERE key = ? AND max_length < ?",
        [(length, key, length) for key, length in longest.items()],
    )


def quarantine(tx: Connection, key: int, at: Micros) -> bool:
    """Mark the stream's times as in doubt since `at`; False where they were already."""
    done = tx.execute(
        _t.update()
        .where(_t.c.key == key, _t.c.quarantined.is_(None))
        .values(quarantined=at)
    )
    return done.rowcount == 1


def lift_quarantine(tx: Connection, key: int) -> bool:
    """A person ruled that the stream's times are understood; False where not in doubt."""
    done = tx.execute(
        _t.update()
        .where(_t.c.key == key, _t.c.quarantined.is_not(None))
        .values(quarantined=None)
    )
    return done.rowcount == 1


def by_keys(tx: Connection, keys: Iterable[int]) -> list[Stream]:
    """The streams of these keys, oldest first; those that are not there are left out."""
    wanted = sorted(set(keys))
    parts = [wanted[first : first + 500] for first in range(0, len(wanted), 500)]
    return [stream for part in parts for stream in _streams(tx, _t.c.key.in_(part))]
