"""The table of footage roots: which disk each name stands for, and how far we are."""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import looks, schema
from retention.catalogue.db import PROGRESS, get_fact, put_fact
from retention.model.answers.status import ReplacementWaiting
from retention.model.errors import StaleError
from retention.model.localtime import format_utc
from retention.model.values import DAY, Micros

_t = schema.root


class Root(NamedTuple):
    """One footage root.

    `uuid` is in its identity file.  `device` and `boot` are its file system's number
    and the start of the machine in which that was seen.  `adopted`: its first complete
    scan; nothing in it is deleted before.  `caught_up`: the `now` of the last cycle
    that left nothing due behind.  `scanned`, `reconciled`: the last complete ones.
    """

    key: int
    name: str
    path: str
    uuid: str
    device: int | None
    boot: str | None
    adopted: Micros | None
    caught_up: Micros | None
    scanned: Micros | None
    reconciled: Micros | None


_SELECT = f"SELECT {', '.join(Root._fields)} FROM root"


def _roots(tx: Connection, where: str = "", *values: str | int) -> list[Root]:
    found = tx.exec_driver_sql(f"{_SELECT} {where} ORDER BY key", values)
    return [Root(*row) for row in found]


def get(tx: Connection, key: int) -> Root | None:
    """The root of that key, or None."""
    found = _roots(tx, "WHERE key = ?", key)
    return found[0] if found else None


def by_name(tx: Connection, name: str) -> Root | None:
    """The root of that name, or None."""
    found = _roots(tx, "WHERE name = ?", name)
    return found[0] if found else None


def everyone(tx: Connection) -> list[Root]:
    """Every root, oldest first."""
    return _roots(tx)


def add(tx: Connection, *, name: str, path: str, uuid: str) -> Root:
    """A new root, not scanned yet; the same name or uuid twice is refused."""
    row = _t.insert().values(name=name, path=path, uuid=uuid).returning(_t)
    return Root(*tx.execute(row).one())


def put_back(
    tx: Connection, key: int | None, *, name: str, path: str, uuid: str
) -> None:
    """A root whose row is gone, or has another name: under `key`, where it is known."""
    values = {"name": name, "path": path, "uuid": uuid}
    if key is not None and get(tx, key) is not None:
        _update(tx, key, **values)
    else:
        tx.execute(_t.insert().values(key=key, **values))


def note(tx: Connection, key: int, *, path: str, device: int, boot: str) -> None:
    """Where a verified root was found, and on which device in which boot."""
    _update(tx, key, path=path, device=device, boot=boot)


def replace(tx: Connection, root: Root, uuid: str) -> None:
    """Another disk stands for a root from now on: it is to be scanned completely, and
    all that is due then is a surprise.  Rows of recordings stay.

    StaleError where the root is not the one that was read any more.
    """
    done = tx.execute(
        _t.update()
        .where(_t.c.key == root.key, _t.c.uuid == root.uuid)
        .values(uuid=uuid, device=None, boot=None, adopted=None, caught_up=None)
        .values(scanned=None, reconciled=None)
    )
    _one(done.rowcount, root.key)
    looks.forget(tx, root.key)
    put_fact(tx, f"{_NEW_DISK}{root.key}", 1)


_NEW_DISK = "root.new_disk."


def is_new_disk(tx: Connection, key: int) -> bool:
    """Whether people said that another disk is there now, and not all rows were compared
    with it since."""
    return get_fact(tx, f"{_NEW_DISK}{key}") is not None


def forget_device(tx: Connection, key: int) -> None:
    """The same disk under another device number: the next one seen is right."""
    _update(tx, key, device=None, boot=None)


def set_adopted(tx: Connection, key: int, at: Micros) -> None:
    """The first complete scan was at `at`: what was due then is a surprise."""
    _update(tx, key, adopted=at, caught_up=at)


def set_caught_up(tx: Connection, key: int, at: Micros) -> None:
    """Nothing that was due at `at` was left behind."""
    _note_progress(tx, key, "caught_up", at)


def set_scanned(tx: Connection, key: int, at: Micros) -> None:
    """A complete scan began at `at`."""
    _note_progress(tx, key, "scanned", at)


def set_reconciled(tx: Connection, key: int, at: Micros) -> None:
    """Catalogue and disk were compared completely, beginning at `at`."""
    _update(tx, key, reconciled=at)
    put_fact(tx, f"{_NEW_DISK}{key}", None)


def not_reconciled(tx: Connection, key: int) -> None:
    """What is on its disk now was not compared with the catalogue."""
    _update(tx, key, reconciled=None)


def count_recordings(tx: Connection, key: int, camera: int | None = None) -> int:
    """How many recordings a root has in the catalogue, in any state; with `camera` (its
    key) of that alone."""
    recording, stream = schema.recording.c, schema.stream.c
    of_root = sa.select(stream.key).where(stream.root == key)
    if camera is not None:
        of_root = of_root.where(stream.camera == camera)
    query = sa.select(sa.func.count()).where(recording.stream.in_(of_root))
    return int(tx.scalar(query.select_from(schema.recording)) or 0)


def _update(tx: Connection, key: int, **values: str | int | None) -> None:
    these = ", ".join(f"{name} = ?" for name in values)
    sql = f"UPDATE root SET {these} WHERE key = ?"
    _one(tx.exec_driver_sql(sql, (*values.values(), key)).rowcount, key)


def _note_progress(tx: Connection, key: int, name: str, at: Micros) -> None:
    sql = f"UPDATE root SET {name} = ? WHERE key = ?"
    _one(tx.exec_driver_sql(sql, (at, key), PROGRESS).rowcount, key)


def _one(count: int, key: int) -> None:
    if count != 1:
        raise StaleError(f"footage root {key} changed meanwhile: try again")


PATIENCE: Micros = DAY
"""How long a replacement waits for a second person."""

REPLACEMENT = "root.replace."
"""How the facts begin that hold the requests: the rest is the root's key."""


class Replacement(NamedTuple):
    """Who asked for a replacement, when, and what was there then."""

    at: Micros
    uid: int
    login: int
    name: str
    old: str
    same_disk: bool
    device: int
    entry: int


def replacement_of(tx: Connection, row: Root, now: Micros) -> Replacement | None:
    """The request for a replacement of this root that waits for a second person."""
    kept = get_fact(tx, _fact(row))
    asked = None if kept is None else Replacement(*kept)
    return asked if asked and asked.at <= now < asked.at + PATIENCE else None


def put_replacement(tx: Connection, row: Root, asked: Replacement | None) -> None:
    """Keep the request, or forget the one that is kept."""
    put_fact(tx, _fact(row), None if asked is None else list(asked))


def _fact(row: Root) -> str:
    return f"{REPLACEMENT}{row.key}"


def replacements_waiting(tx: Connection, now: Micros) -> list[ReplacementWaiting]:
    """Each replacement that waits for a second person, as `status` shows it."""
    found = []
    for row in everyone(tx):
        asked = replacement_of(tx, row, now)
        if asked is not None:
            found.append(
                ReplacementWaiting(
                    root=row.name,
                    requested=format_utc(asked.at),
                    by=asked.name,
                    until=format_utc(asked.at + PATIENCE),
                )
            )
    return found
