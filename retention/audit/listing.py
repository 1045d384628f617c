"""Entries of the catalogue's log by what they are and what they are about."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.audit import kinds
from retention.audit.canonical import decode
from retention.audit.rows import LONG
from retention.catalogue.schema import entry as entry_table
from retention.model import HOUR, Micros


def listing(
    tx: Connection,
    *,
    kind: str | None = None,
    subject: str | None = None,
    camera: int | None = None,
    since: Micros | None = None,
    until: Micros | None = None,
    limit: int = 100,
    before: int | None = None,
) -> list[dict[str, Any]]:
    """Entries as they are stored, newest first, numbers below `before`.

    [since, until) is when the entry was written; with `camera` (its key) it is the time
    of the footage that the entry is about, to the hour.  `subject` is as entries have
    it, such as `hold:17`.
    """
    where: list[str] = []
    values: dict[str, Any] = {}
    for condition, name, value in (
        ("number < :before", "before", before),
        ("kind = :kind", "kind", kind),
        ("instr(bytes, :subject)", "subject", subject and kinds.mark(subject)),
        ("at >= :since", "since", since if camera is None else None),
        ("at < :until", "until", until if camera is None else None),
    ):
        if value is not None:
            where.append(condition)
            values[name] = value
    if camera is not None:
        where.append(f"number IN ({OF_CAMERA})")
        values |= {
            "camera": camera,
            "first": 0 if since is None else since // HOUR,
            "last": 2**62 if until is None else (until - 1) // HOUR,
            "long": LONG,
        }
    about = () if subject is None else (entry_table.c.kind.in_(kinds.about(subject)),)
    query = (
        sa.select(entry_table.c.bytes)
        .where(*map(sa.text, where), *about)
        .order_by(entry_table.c.number.desc())
        .limit(limit)
    )
    return [decode(data) for data in tx.execute(query, values).scalars()]


# Two searches: with OR, SQLite would read everything of the camera.
OF_CAMERA = """
    SELECT entry FROM entry_camera
    WHERE camera = :camera AND hour BETWEEN :first AND :last
    UNION ALL SELECT entry FROM entry_camera WHERE camera = :camera AND hour = :long"""
