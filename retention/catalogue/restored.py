"""What the log says happened, written into an older catalogue without an entry.

For a catalogue that was restored: each function brings one entry's effect back, and may
meet rows that are there already.  Nothing else may call them: a change without its
entry in the same transaction would be off the record.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection

from retention.catalogue import schema
from retention.model import Micros, State, Stream

_WHERE = "WHERE stream=? AND start=? AND n=?"
_BESIDE = ("recording_path", "quarantine", "failure", "plan_row")

Key = tuple[int, int, int]


def add_camera(
    tx: Connection, key: int, id: str, at: Micros, columns: dict[str, Any]
) -> None:
    """A camera came into the register under `id`, whoever had that before."""
    tx.execute(
        schema.camera.insert().prefix_with("OR IGNORE").values(key=key, **columns)
    )
    _give(tx, key, id, at)


def change_camera(tx: Connection, key: int, columns: dict[str, Any]) -> None:
    """What the register says of a camera."""
    tx.execute(schema.camera.update().where(schema.camera.c.key == key).values(columns))


def relabel_camera(tx: Connection, key: int, new: str, at: Micros) -> None:
    """A camera has another id from `at` on."""
    label = schema.camera_id
    tx.execute(
        label.update()
        .where(label.c.camera == key, label.c.valid_to.is_(None))
        .values(valid_to=at)
    )
    _give(tx, key, new, at)


def take_id(tx: Connection, key: int, id: str, at: Micros) -> None:
    """A camera lost `id` at `at`, to one that stands in its place."""
    label = schema.camera_id
    tx.execute(
        label.update()
        .where(label.c.camera == key, label.c.id == id, label.c.valid_to.is_(None))
        .values(valid_to=at)
    )


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
    """A batch is open: its rows (stream, start, n, duration, size, path) are there and
    being deleted, also those that were catalogued after the backup."""
    tx.exec_driver_sql("INSERT OR IGNORE INTO batch VALUES (?, ?)", (entry, root))
    for stream, start, n, duration, size, path in rows:
        tx.exec_driver_sql(
            "INSERT INTO recording VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (stream, start, n) DO UPDATE SET duration=excluded.duration, "
            "size=excluded.size, state=excluded.state",
            (stream, start, n, duration, size, int(State.DELETING)),
        )
        if path is not None:
            tx.exec_driver_sql(
                "INSERT OR IGNORE INTO recording_path VALUES (?, ?, ?, ?)",
                (stream, start, n, path),
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
    for table in _BESIDE:
        tx.exec_driver_sql(f"DELETE FROM {table} {_WHERE}", list(keys))
    return found


def grown(tx: Connection, key: Key, duration: Micros, size: int) -> None:
    """A file was longer than catalogued."""
    tx.exec_driver_sql(
        f"UPDATE recording SET duration=?, size=? {_WHERE}", (duration, size, *key)
    )
    tx.exec_driver_sql(
        "UPDATE stream SET max_length=max(max_length, ?) WHERE key=?",
        (duration, key[0]),
    )
