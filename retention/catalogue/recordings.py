"""The table of recordings with what lies beside it: paths and quarantine.

Rows of state DELETING belong to an open deletion intent: nothing here but `remove`,
when told so, touches them.  A catalogued end moves only later (design, section 5):
an end that is too early deletes evidence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import streams, tally
from retention.model import Micros, Recording, State, Window

Key = tuple[int, int, int]
"""(stream, start, n)."""

OURS_TO_CHANGE = (State.PRESENT, State.QUARANTINED, State.FAILED)
"""States in which ingest may say that a recording changed or is lost."""

RULED = "ruled: "
"""A doubt whose reason begins so is settled; it only keeps what the mtime was."""

_COLUMNS = "r.stream, r.start, r.n, r.duration, r.size, r.state, p.path"
_SELECT = (
    f"SELECT {_COLUMNS} FROM recording r LEFT JOIN recording_path p"
    " ON p.stream = r.stream AND p.start = r.start AND p.n = r.n "
)
_STATES = tuple(State)
_OLDEST_FIRST = ("ASC", ">", -(2**62))
_BESIDE = ("recording_path", "quarantine", "failure", "plan_row")
_KEY = "stream = ? AND start = ? AND n = ?"


class Doubt(NamedTuple):
    """Why a recording is in quarantine.  Its period counts from `seen`."""

    seen: Micros
    mtime: Micros
    reason: str


def _recording(row: Sequence[Any]) -> Recording:
    stream, start, n, duration, size, state, path = row
    return Recording(stream, start, n, duration, size, _STATES[state], path)


def _rows(tx: Connection, sql: str, *values: Any) -> list[Recording]:
    return [_recording(row) for row in tx.exec_driver_sql(_SELECT + sql, values)]


def _one(tx: Connection, sql: str, *values: Any) -> Recording | None:
    found = _rows(tx, sql, *values)
    return found[0] if found else None


def insert(
    tx: Connection,
    rows: Sequence[Recording],
    doubts: Mapping[Key, Doubt] | None = None,
    *,
    moved: bool = False,
) -> None:
    """Add recordings, with the doubts of those in quarantine, by key.

    They wait in the tally for the log's next roll-up; not those that were `moved`: they
    were counted when they were new.  Raises their streams' `max_length` in the same
    transaction.  A key or path that is there already is an IntegrityError: insert,
    never upsert.
    """
    if not rows:
        return
    tx.exec_driver_sql(
        "INSERT INTO recording VALUES (?, ?, ?, ?, ?, ?)",
        [(r[0], r[1], r[2], r[3], r[4], int(r[5])) for r in rows],
    )
    paths = [(*row.key, row.path) for row in rows if row.path is not None]
    if paths:
        tx.exec_driver_sql("INSERT INTO recording_path VALUES (?, ?, ?, ?)", paths)
    if doubts:
        tx.exec_driver_sql(
            "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?)",
            [(*key, *doubt) for key, doubt in doubts.items()],
        )
    _raise_lengths(tx, rows)
    if not moved:
        tally.add(tx, rows)


def _raise_lengths(tx: Connection, rows: Iterable[Recording]) -> None:
    longest: dict[int, Micros] = {}
    for row in rows:
        if row.duration > longest.get(row.stream, 0):
            longest[row.stream] = row.duration
    streams.raise_max_lengths(tx, longest)


def get(tx: Connection, key: Key) -> Recording | None:
    """The recording of that key, or None."""
    return _one(tx, "WHERE r.stream = ? AND r.start = ? AND r.n = ?", *key)


def starting_at(
    tx: Connection, stream: int, starts: Sequence[Micros]
) -> list[Recording]:
    """All recordings of a stream that start at one of these instants."""
    found: list[Recording] = []
    for part in _parts(starts, 500):
        marks = ", ".join("?" * len(part))
        found += _rows(
            tx, f"WHERE r.stream = ? AND r.start IN ({marks})", stream, *part
        )
    return found


def around(
    tx: Connection,
    stream: int,
    first: Micros,
    last: Micros,
    *,
    before: int,
    limit: int,
) -> list[Recording]:
    """Recordings that start in [first, last], at most `limit` of them, with the
    `before` that start earlier and the one that starts later; in order."""
    order = "ORDER BY r.start {0}, r.n {0} LIMIT ?"
    sql = " UNION ALL ".join(
        f"SELECT * FROM ({_SELECT} WHERE r.stream = ? AND {part})"
        for part in (
            f"r.start < ? {order.format('DESC')}",
            f"r.start >= ? AND r.start <= ? {order.format('ASC')}",
            f"r.start > ? {order.format('ASC')}",
        )
    )
    values = (stream, first, before, stream, first, last, limit, stream, last, 1)
    return sorted(_recording(row) for row in tx.exec_driver_sql(sql, values))


def page(
    tx: Connection,
    stream: int,
    after: tuple[Micros, int] | None,
    limit: int,
    *,
    newest_first: bool = False,
) -> list[Recording]:
    """The next `limit` recordings of a stream after (start, n), oldest first; with
    `newest_first` those before it, newest first."""
    order, compare, beyond = ("DESC", "<", 2**62) if newest_first else _OLDEST_FIRST
    start, n = after or (beyond, 0)
    return _rows(
        tx,
        f"WHERE r.stream = ? AND (r.start, r.n) {compare} (?, ?)"
        f" ORDER BY r.start {order}, r.n {order} LIMIT ?",
        stream, start, n, limit,
    )  # fmt: skip


def overlapping(
    tx: Connection,
    stream: int,
    window: Window,
    max_length: Micros,
    limit: int = 5_000,
    *,
    newest_first: bool = False,
    state: State | None = None,
) -> list[Recording]:
    """The first `limit` recordings of a stream that overlap the half-open window.

    Correct only with the stream's stored `max_length`, which no recording exceeds.
    """
    order = "DESC" if newest_first else "ASC"
    return _rows(
        tx,
        "WHERE r.stream = ? AND r.start > ? AND r.start < ? AND r.start + r.duration > ?"
        f" AND r.state = ifnull(?, r.state) ORDER BY r.start {order}, r.n {order} LIMIT ?",
        stream, window.start - max_length - 1, window.end, window.start,
        None if state is None else int(state), limit,
    )  # fmt: skip


def newest(tx: Connection, root: int) -> list[Recording]:
    """The recordings of each stream of a root that start last."""
    return _rows(
        tx,
        "WHERE (r.stream, r.start) IN (SELECT s.key, (SELECT max(x.start)"
        " FROM recording x WHERE x.stream = s.key) FROM stream s WHERE s.root = ?)",
        root,
    )


def before(
    tx: Connection, stream: int, start: Micros, count: int = 1
) -> list[Recording]:
    """The `count` recordings that start before `start`, newest first."""
    return _rows(
        tx,
        "WHERE r.stream = ? AND r.start < ? ORDER BY r.start DESC, r.n DESC LIMIT ?",
        stream, start, count,
    )  # fmt: skip


def after(tx: Connection, stream: int, start: Micros) -> Recording | None:
    """The first recording of a stream that starts later than `start`."""
    return _one(
        tx,
        "WHERE r.stream = ? AND r.start > ? ORDER BY r.start, r.n LIMIT 1",
        stream, start,
    )  # fmt: skip


def by_paths(
    tx: Connection, stream: int, paths: Sequence[bytes]
) -> dict[bytes, Recording]:
    """Recordings of a stream whose path is stored beside them, by path."""
    found: dict[bytes, Recording] = {}
    for part in _parts(paths, 500):
        marks = ", ".join("?" * len(part))
        for row in tx.exec_driver_sql(
            f"SELECT {_COLUMNS} FROM recording_path p CROSS JOIN recording r"
            " ON r.stream = p.stream AND r.start = p.start AND r.n = p.n"
            f" WHERE p.stream = ? AND p.path IN ({marks})",
            (stream, *part),
        ):
            found[row[6]] = _recording(row)
    return found


def has_paths(tx: Connection, stream: int) -> bool:
    """Whether any recording of the stream has its path stored beside it."""
    return bool(
        tx.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM recording_path WHERE stream = ?)", (stream,)
        ).scalar_one()
    )


def doubts(
    tx: Connection, stream: int, start: Micros, stop: Micros
) -> dict[Key, Doubt]:
    """The doubts about a stream's recordings that start in [start, stop), by key."""
    found = tx.exec_driver_sql(
        "SELECT stream, start, n, seen, mtime, reason FROM quarantine"
        " WHERE stream = ? AND start >= ? AND start < ?",
        (stream, start, stop),
    )
    return {(row[0], row[1], row[2]): Doubt(*row[3:]) for row in found}


def doubt(tx: Connection, key: Key) -> Doubt | None:
    """Why this recording is in quarantine, or None."""
    return doubts(tx, key[0], key[1], key[1] + 1).get(key)


def count_quarantined(tx: Connection, stream: int | None = None) -> int:
    """How many recordings (of a stream) are in quarantine."""
    sql = (
        "SELECT count(*) FROM quarantine q CROSS JOIN recording r ON r.stream = q.stream"
        " AND r.start = q.start AND r.n = q.n WHERE r.state = ?"
    )
    if stream is None:
        return int(tx.exec_driver_sql(sql, (int(State.QUARANTINED),)).scalar_one())
    return int(
        tx.exec_driver_sql(
            f"{sql} AND q.stream = ?", (int(State.QUARANTINED), stream)
        ).scalar_one()
    )


def extend(
    tx: Connection, old: Recording, duration: Micros, size: int | None = None
) -> bool:
    """Move a recording's end later, and note its size; False where the row moved.

    Compared with the old duration, size and state, so that a row which a batch took
    meanwhile stays as that batch's intent says.
    """
    if duration < old.duration:
        raise ValueError("a catalogued end moves only later")
    if old.state not in OURS_TO_CHANGE:
        return False
    done = tx.exec_driver_sql(
        "UPDATE recording SET duration = ?, size = ?"
        f" WHERE {_KEY} AND duration = ? AND size = ? AND state = ?",
        (duration, old.size if size is None else size, *old.key,
         old.duration, old.size, int(old.state)),
    )  # fmt: skip
    if done.rowcount == 1:
        streams.raise_max_length(tx, old.stream, duration)
    return done.rowcount == 1


def quarantine(tx: Connection, old: Recording, size: int, doubt: Doubt) -> bool:
    """Put a catalogued recording into quarantine; False where the row moved.

    One that is there already gets the new doubt: its period starts again.
    """
    if old.state not in OURS_TO_CHANGE:
        return False
    done = tx.exec_driver_sql(
        "UPDATE recording SET state = ?, size = ?"
        f" WHERE {_KEY} AND duration = ? AND size = ? AND state = ?",
        (int(State.QUARANTINED), size, *old.key,
         old.duration, old.size, int(old.state)),
    )  # fmt: skip
    if done.rowcount != 1:
        return False
    for table in ("quarantine", "failure"):
        tx.exec_driver_sql(f"DELETE FROM {table} WHERE {_KEY}", old.key)
    tx.exec_driver_sql(
        "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?)", (*old.key, *doubt)
    )
    return True


def rule(tx: Connection, old: Recording, duration: Micros, doubt: Doubt) -> bool:
    """A person ruled: the recording leaves quarantine, its end may move either way.

    What was known of its mtime stays beside it, with the ruling as the reason.  False
    where the row moved.
    """
    done = tx.exec_driver_sql(
        f"UPDATE recording SET state = ?, duration = ? WHERE {_KEY}"
        " AND duration = ? AND size = ? AND state = ?",
        (int(State.PRESENT), duration, *old.key,
         old.duration, old.size, int(old.state)),
    )  # fmt: skip
    if done.rowcount != 1:
        return False
    for table in ("quarantine", "failure"):
        tx.exec_driver_sql(f"DELETE FROM {table} WHERE {_KEY}", old.key)
    tx.exec_driver_sql(
        "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?)", (*old.key, *doubt)
    )
    streams.raise_max_length(tx, old.stream, duration)
    return True


def remove(
    tx: Connection, keys: Iterable[Key], states: Iterable[State] = OURS_TO_CHANGE
) -> list[Recording]:
    """Take out the rows of these keys that are in one of `states`; returns those.

    What lies beside them (path, doubt, failure, plan) goes too.
    """
    allowed = frozenset(states)
    gone = [
        row
        for row in (get(tx, key) for key in keys)
        if row is not None and row.state in allowed
    ]
    if gone:
        keys_gone = [row.key for row in gone]
        for table in ("recording", *_BESIDE):
            tx.exec_driver_sql(f"DELETE FROM {table} WHERE {_KEY}", keys_gone)
    return gone


def next_n(tx: Connection, stream: int, start: Micros) -> int:
    """The first free n for one more recording of that stream and instant."""
    return int(
        tx.exec_driver_sql(
            "SELECT coalesce(max(n) + 1, 0) FROM recording"
            " WHERE stream = ? AND start = ?",
            (stream, start),
        ).scalar_one()
    )


class Totals(NamedTuple):
    """What a stream's rows add up to; oldest start and newest end, None if empty."""

    files: int
    size: int
    oldest: Micros | None
    newest: Micros | None


def totals(tx: Connection, stream: int) -> Totals:
    """Count, bytes, oldest start and newest end of a stream (reads all its rows)."""
    row = tx.exec_driver_sql(
        "SELECT count(*), coalesce(sum(size), 0), min(start), max(start + duration)"
        " FROM recording WHERE stream = ?",
        (stream,),
    ).one()
    return Totals(*row)


def _parts(values: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for first in range(0, len(values), size):
        yield values[first : first + size]
