"""The table of unknown files: what lies in a root and is nobody's recording.

Summed up by directory and reason; reported, never touched (promise P8).
"""

from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import roots, schema
from retention.model.answers.status import UnknownFiles
from retention.model.localtime import format_utc
from retention.model.values import LONG_AGO, Micros
from retention.tlog.canonical import path_text

UNREGISTERED = "no camera of this name is registered"
"""How the reason begins where no camera has the recorder's name."""

_t = schema.unknown


class Unknown(NamedTuple):
    """The unknown files of one directory and reason; `oldest` is an mtime,
    LONG_AGO where one is of no time that can be."""

    root: int
    directory: bytes
    reason: str
    example: bytes
    files: int
    size: int
    oldest: Micros
    seen: Micros


def replace(
    tx: Connection, root: int, directory: bytes, found: Sequence[Unknown]
) -> None:
    """What is unknown in this directory is now `found`, and nothing else."""
    tx.execute(_t.delete().where(_t.c.root == root, _t.c.directory == directory))
    if found:
        names = [column.name for column in _t.c]
        tx.execute(_t.insert(), [dict(zip(names, row, strict=True)) for row in found])


def _unknown(
    tx: Connection, limit: int, *where: sa.ColumnElement[bool]
) -> list[Unknown]:
    query = (
        sa.select(_t)
        .where(*where)
        .order_by(_t.c.root, _t.c.directory, _t.c.reason)
        .limit(limit)
    )
    return [Unknown(*row) for row in tx.execute(query)]


def listing(
    tx: Connection, root: int | None = None, limit: int = 1_000
) -> list[Unknown]:
    """The directories with unknown files, of one root or of all."""
    return _unknown(tx, limit, *(() if root is None else (_t.c.root == root,)))


def count(tx: Connection, root: int) -> tuple[int, int]:
    """How many unknown files a root holds, and their bytes."""
    row = tx.execute(
        sa.select(
            sa.func.coalesce(sa.func.sum(_t.c.count), 0),
            sa.func.coalesce(sa.func.sum(_t.c.size), 0),
        ).where(_t.c.root == root)
    ).one()
    return int(row[0]), int(row[1])


def told(tx: Connection, before: Micros) -> list[UnknownFiles]:
    """The unknown files as answers show them; overdue are those from `before` then."""
    names = {row.key: row.name for row in roots.everyone(tx)}
    return [
        UnknownFiles(
            root=names[row.root],
            directory=path_text(row.directory),
            reason=row.reason,
            example=path_text(row.example),
            files=row.files,
            bytes=row.size,
            oldest=None if row.oldest <= LONG_AGO else format_utc(row.oldest),
            overdue=row.oldest <= before,
        )
        for row in listing(tx)
    ]
