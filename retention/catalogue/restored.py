"""What the log says happened, written into an older catalogue without an entry.

For a catalogue that was restored: each function brings one entry's effect back, and may
meet rows that are there already; the last two bring back the entry itself, as it is.
People's data is not in the published log and stays withheld.  Nothing else may call them,
but for a repair of rows that are gone: a change without its entry in the same transaction
would be off the record.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import holds, lost, recordings, schema, streams
from retention.catalogue.lost import Lost
from retention.catalogue.recordings import BESIDE, Key
from retention.model.layouts.layout import path_in, path_of
from retention.model.values import Micros, Recording, Rows, State, Stream
from retention.tlog import rows as row_files
from retention.tlog.canonical import path_bytes
from retention.tlog.entry import Stored
from retention.tlog.kinds import KINDS
from retention.tlog.source import Span, spans

_WHERE = "WHERE stream=? AND start=? AND n=?"


def add_camera(
    tx: Connection, key: int, id: str, at: Micros, columns: dict[str, Any]
) -> None:
    """A camera came into the register under `id`, whoever had that before."""
    put_camera(tx, key, columns)
    _give(tx, key, id, at)


def put_camera(tx: Connection, key: int, columns: dict[str, Any]) -> None:
    """The row of a camera, where it is gone."""
    tx.execute(
        schema.camera.insert().prefix_with("OR IGNORE").values(key=key, **columns)
    )


def put_id(tx: Connection, key: int, id: str, at: Micros) -> None:
    """The published id of a camera that has none any more, unless another has it."""
    label = schema.camera_id
    free = not tx.execute(
        sa.select(label.c.id).where(
            sa.or_(
                label.c.camera == key,
                sa.and_(label.c.id == id, label.c.valid_to.is_(None)),
            )
        )
    ).first()
    if free:
        tx.execute(label.insert().values(id=id, valid_from=at, camera=key))


_NUMBERS = ("lon", "lat", "easting", "northing")
_SAID = ("kind", "custody", "published", "controller", *_NUMBERS)


def camera_columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What `camera.added` says of a camera, as the register keeps it."""
    texts = {name: fields[name] or "" for name in ("location", "view")}
    said = _columns({name: fields.get(name) for name in _SAID})
    return said | texts | {"listed": 1, "retired": 0}


_STATE: dict[str, dict[str, Any]] = {
    "retire_camera": {"retired": 1},
    "unlist_camera": {"listed": 0},
    "list_camera": {"listed": 1},
    "replace_camera": {"retired": 1, "listed": 0},
}


def changed_columns(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What any other entry about a camera says of it, of the `old` one where there are
    two."""
    if (state := _STATE.get(KINDS[entry["kind"]].act or "")) is not None:
        return state
    changes = entry["fields"].get("changes", {})
    return _columns({name: new for name, (_, new) in changes.items()})


def _columns(said: Mapping[str, str | None]) -> dict[str, Any]:
    return {
        name: float(new) if name in _NUMBERS and new is not None else new
        for name, new in said.items()
    }


def stream_opened(fields: Mapping[str, Any], root: int) -> Stream:
    """What `stream.opened` says, in the root of that key."""
    return Stream(
        fields["stream"], root, fields["camera"], fields["layout"], fields["zone"],
        fields["name"], fields["extension"], fields["max_length"],
    )  # fmt: skip


def change_camera(tx: Connection, key: int, columns: dict[str, Any]) -> None:
    """What the register says of a camera."""
    tx.execute(schema.camera.update().where(schema.camera.c.key == key).values(columns))


def relabel_camera(tx: Connection, key: int, new: str, at: Micros) -> None:
    """A camera has another id from `at` on."""
    take_id(tx, key, None, at)
    _give(tx, key, new, at)


def take_id(tx: Connection, key: int, id: str | None, at: Micros) -> None:
    """A camera lost `id` (None: any that it had) at `at`, to one in its place."""
    label = schema.camera_id
    whose = (label.c.camera == key, label.c.valid_to.is_(None))
    also = () if id is None else (label.c.id == id,)
    tx.execute(label.update().where(*whose, *also).values(valid_to=at))


def _give(tx: Connection, key: int, id: str, at: Micros) -> None:
    label = schema.camera_id
    today = label.c.valid_to.is_(None)
    tx.execute(label.update().where(label.c.id == id, today).values(valid_to=at))
    tx.execute(
        label.insert()
        .prefix_with("OR IGNORE")
        .values(id=id, valid_from=at, camera=key, valid_to=None)
    )


def add_stream(tx: Connection, stream: Stream) -> None:
    """A stream under the key that it has in the log."""
    values = {column.name: getattr(stream, column.name) for column in schema.stream.c}
    tx.execute(schema.stream.insert().prefix_with("OR IGNORE").values(values))


def intended(
    tx: Connection, entry: int, root: int, rows: Iterable[Sequence[Any]]
) -> None:
    """A batch is open: its rows (stream, start, n, duration, size, path as text) are there
    and being deleted, also those that were catalogued after the backup.

    One path, one row: what the backup has there under another key was given other times
    since, by a ruling, and leaves.
    """
    theirs = streams.of_root(tx, root)
    known = {stream.key: stream for stream in theirs}
    tx.exec_driver_sql("INSERT OR IGNORE INTO batch VALUES (?, ?)", (entry, root))
    for stream, start, n, duration, size, path in rows:
        own = None if path is None else path_bytes(path)
        if own is None and stream in known:
            own = path_in(known[stream], start)
        there = None if own is None else recordings.at_path(tx, theirs, own)
        if there is not None and there[1].key != (stream, start, n):
            gone(tx, [there[1].key])
        tx.exec_driver_sql(
            "INSERT INTO recording VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (stream, start, n) DO UPDATE SET duration=excluded.duration, "
            "size=excluded.size, state=excluded.state",
            (stream, start, n, duration, size, int(State.DELETING)),
        )
        streams.raise_lengths(tx, {stream: duration}, believed=False)
        if path is not None:
            tx.exec_driver_sql(
                "INSERT OR IGNORE INTO recording_path VALUES (?, ?, ?, ?)",
                (stream, start, n, path_bytes(path)),
            )


def completed(tx: Connection, entry: int) -> None:
    """The intent of that entry has its completion."""
    tx.exec_driver_sql("DELETE FROM batch WHERE intent=?", (entry,))


def gone(tx: Connection, keys: Sequence[Key]) -> int:
    """Rows of files that are not there any more leave, with what hangs on them; how
    many there were."""
    if not keys:
        return 0
    found = tx.exec_driver_sql(f"DELETE FROM recording {_WHERE}", list(keys)).rowcount
    for table in BESIDE:
        tx.exec_driver_sql(f"DELETE FROM {table} {_WHERE}", list(keys))
    return found


def vanished(tx: Connection, rows: Iterable[Sequence[Any]], at: Micros) -> None:
    """Files vanished at `at`: their rows (stream, start, n, duration, size, path as text,
    whether a hold covered it), with the doubts that the catalogue has."""
    found = [
        (
            Recording(stream, start, n, duration, size, path=path and path_bytes(path)),
            bool(held),
        )
        for stream, start, n, duration, size, path, held in rows
    ]
    theirs = {s.key: s for s in streams.by_keys(tx, {row.stream for row, _ in found})}
    lost.keep(
        tx,
        (
            Lost(
                theirs[row.stream].root, path_of(theirs[row.stream], row), row, at, held,
                recordings.doubt(tx, row.key),
            )
            for row, held in found
            if row.stream in theirs
        ),
    )  # fmt: skip


def back(tx: Connection, keys: Sequence[Key]) -> None:
    """Files that had vanished are there again, or elsewhere."""
    if keys:
        tx.exec_driver_sql(f"DELETE FROM lost {_WHERE}", list(keys))


def grown(tx: Connection, key: Key, duration: Micros, size: int) -> None:
    """A file was longer than catalogued."""
    tx.exec_driver_sql(
        f"UPDATE recording SET duration=?, size=? {_WHERE}", (duration, size, *key)
    )
    streams.raise_lengths(tx, {key[0]: duration}, believed=True)


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


def index(
    tx: Connection, number: int, entry: dict[str, Any], rows: Rows | None
) -> None:
    """What the entry is found by: cameras and hours of the footage that it is about.

    To be called once its effect is in the catalogue: a hold's cameras are there.
    """
    columns: row_files.Columns = {}
    if rows is not None:
        columns = {name: [one for (one,) in rows.pick(name)] for name in rows.columns}
    footage = list(spans(entry, lambda: columns, partial(_of_hold, tx)))
    if footage:
        found = row_files.hours(*zip(*footage, strict=True))
        tx.exec_driver_sql(
            "INSERT OR IGNORE INTO entry_camera (camera, hour, entry) VALUES (?, ?, ?)",
            [(camera, hour, number) for camera, hour in sorted(found)],
        )


def _of_hold(tx: Connection, number: int) -> list[Span]:
    hold = holds.find(tx, number)
    if hold is None:
        return []
    return [(key, hold.since, hold.until) for key in holds.cameras_of(tx, number)]
