"""What is in quarantine, and since when: asked of all of it."""

import json
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from retention.catalogue.recordings import RULED, Key
from retention.model.values import Micros, State


def less_in_doubt(
    tx: Connection, seen: Mapping[Key, Micros | None]
) -> list[tuple[Key, Micros | None]]:
    """Those of these recordings that are there and whose period counts from sooner than
    what they were `seen` at (None: not known): in order, each with that instant, None
    where it is not in quarantine."""
    if not seen:
        return []
    found = tx.exec_driver_sql(
        "SELECT q.stream, q.start, q.n, q.seen FROM quarantine q CROSS JOIN recording r"
        " ON r.stream = q.stream AND r.start = q.start AND r.n = q.n"
        f" WHERE q.reason NOT LIKE '{RULED}%' AND r.state != {int(State.PRESENT)}"
    )
    kept = {(stream, start, n): at for stream, start, n, at in found}
    less = {
        key: kept.get(key)
        for key, at in seen.items()
        if key not in kept or (at is not None and kept[key] < at)
    }
    return [(key, less[key]) for key in sorted(_there(tx, less))]


def _there(tx: Connection, keys: Collection[Key]) -> list[Key]:
    """Those of which there is a recording: most that ever were in doubt are long gone."""
    found = tx.exec_driver_sql(
        "SELECT r.stream, r.start, r.n FROM json_each(?) asked CROSS JOIN recording r"
        " ON r.stream = asked.value ->> 0 AND r.start = asked.value ->> 1"
        " AND r.n = asked.value ->> 2",
        (json.dumps(list(keys)),),
    )
    return [tuple(row) for row in found]


def last_in_doubt(tx: Connection) -> dict[int, Micros]:
    """By stream when the last of its recordings in quarantine was first seen."""
    sql = "SELECT stream, max(seen) FROM quarantine GROUP BY stream"
    return dict(map(tuple, tx.exec_driver_sql(sql)))


def count_quarantined(tx: Connection, root: int) -> int:
    """How many recordings of a root are in quarantine."""
    return int(
        tx.exec_driver_sql(
            "SELECT count(*) FROM stream s CROSS JOIN quarantine q ON q.stream = s.key "
            "CROSS JOIN recording r ON r.stream = q.stream AND r.start = q.start "
            "AND r.n = q.n WHERE s.root = ? AND r.state = ?",
            (root, int(State.QUARANTINED)),
        ).scalar_one()
    )
