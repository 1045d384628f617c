"""Writes entries of a published log back into an older catalogue, as they are.

The bytes stand as they were written; what they are found by is made again from them.
People's data is not in the published log and stays withheld.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from retention.audit import rows as row_files
from retention.audit.stored import Stored
from retention.catalogue import holds
from retention.errors import StaleError
from retention.merkle import Frontier
from retention.model import DAY, Micros, Rows


def insert(tx: Connection, stored: Stored, entry: dict[str, Any]) -> None:
    """One entry with its row file; its index follows with `index`."""
    tx.exec_driver_sql(
        "INSERT INTO entry (number, at, kind, bytes) VALUES (?, ?, ?, ?)",
        (stored.number, entry["at"], entry["kind"], stored.data),
    )
    if stored.rows is not None:
        tx.exec_driver_sql(
            "INSERT INTO entry_rows (entry, bytes) VALUES (?, ?)",
            (stored.number, stored.rows),
        )


def move_head(tx: Connection, old: int, tree: Frontier) -> None:
    """The log is that much longer from this transaction on."""
    moved = tx.exec_driver_sql(
        "UPDATE log_head SET size = ?, frontier = ? WHERE id = 1 AND size = ?",
        (tree.size, tree.to_bytes(), old),
    )
    if moved.rowcount != 1:
        raise StaleError("the audit log grew while it was being restored")


def index(
    tx: Connection, number: int, entry: dict[str, Any], rows: Rows | None
) -> None:
    """What the entry is found by: cameras and hours of the footage that it is about.

    To be called once its effect is in the catalogue: a hold's cameras are there.
    """
    found: set[tuple[int, int]] = set()
    if rows is not None and rows.values:
        columns = zip(rows.columns, zip(*rows.values, strict=True), strict=True)
        found = row_files.footage_hours(dict(columns))
    spans = _spans(tx, entry, rows)
    if spans:
        found |= row_files.hours(*zip(*spans, strict=True))
    if found:
        tx.exec_driver_sql(
            "INSERT OR IGNORE INTO entry_camera (camera, hour, entry) VALUES (?, ?, ?)",
            [(camera, hour, number) for camera, hour in sorted(found)],
        )


def _spans(
    tx: Connection, entry: dict[str, Any], rows: Rows | None
) -> list[tuple[int, Micros, Micros]]:
    kind, fields, at = entry["kind"], entry["fields"], entry["at"]
    if kind.startswith("hold."):
        hold = holds.find(tx, fields["hold"])
        if hold is None:
            return []
        keys = holds.cameras_of(tx, fields["hold"])
        return [(key, hold.since, hold.until) for key in keys]
    if kind.startswith("camera."):
        said = [fields.get(name) for name in ("camera", "old", "new")]
        return [(key, at, at + 1) for key in said if isinstance(key, int)]
    if kind == "recordings.recorded" and rows is not None:
        at_day = [rows.columns.index(name) for name in ("camera", "day")]
        days = [[row[i] for i in at_day] for row in rows.values]
        return [(key, day * DAY, day * DAY + 1) for key, day in days]
    if kind == "recordings.resolved" and rows is not None:
        names = ("camera", "new_start", "new_end")
        columns = [rows.columns.index(name) for name in names]
        new = [[row[i] for i in columns] for row in rows.values]
        return [(key, start, end) for key, start, end in new]
    if kind == "cameras.imported" and rows is not None:
        camera, outcome = (rows.columns.index(name) for name in ("camera", "outcome"))
        refused = (row[camera] for row in rows.values if row[outcome] == "refused")
        return [(key, at, at + 1) for key in refused]
    return []
