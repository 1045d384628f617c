"""The table of recordings with what lies beside it: paths and quarantine.

Rows of state DELETING belong to an open deletion intent: nothing here touches them.  A catalogued end moves only later (design, section 5):
an end that is too early deletes evidence.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import cover, holds, looks, streams, tally
from retention.catalogue.db import Transaction, parts
from retention.model.errors import StaleError
from retention.model.layouts.layout import path_of, starts_in
from retention.model.values import (
    FOREVER,
    HOUR,
    Micros,
    Recording,
    State,
    Stream,
    Window,
)
from retention.tlog.kinds import RECORDINGS

Key = tuple[int, int, int]
"""(stream, start, n)."""

_PAGE = 1_000

OURS_TO_CHANGE = (State.PRESENT, State.QUARANTINED, State.FAILED)
"""States in which ingest may say that a recording changed or is lost."""

RULED = "ruled: "
"""A doubt whose reason begins so is settled; it only keeps what the mtime was."""

UNENDED = ", but when it ended is not known"
"""A settled doubt whose reason ends so is of a recording that is kept, and dated, until
it can have ended: nobody says that it was recorded until then."""

ARRIVED = "arrived "
"""A doubt whose reason begins so is of a file that came long after its own end: `seen`
is when it came."""

_COLUMNS = "r.stream, r.start, r.n, r.duration, r.size, r.state, p.path"
_SELECT = (
    f"SELECT {_COLUMNS} FROM recording r LEFT JOIN recording_path p"
    " ON p.stream = r.stream AND p.start = r.start AND p.n = r.n "
)
_STATES = tuple(State)
_OLDEST_FIRST = ("ASC", ">", -(2**62))
BESIDE = ("recording_path", "quarantine", "failure", "due_when_found")
"""Tables with what hangs on a recording."""

_KEY = "stream = ? AND start = ? AND n = ?"


class Doubt(NamedTuple):
    """Why a recording is in quarantine.  Its period counts from `seen`: when it was
    known for certain, so that it was recorded before."""

    seen: Micros
    mtime: Micros
    reason: str

    @property
    def settled(self) -> bool:
        """A person ruled on it."""
        return self.reason.startswith(RULED)

    @property
    def unended(self) -> bool:
        """The recording ends with the latest that may be meant, no more."""
        return self.reason.endswith(UNENDED)


def ruled(now: Micros, mtime: Micros, said: str, *, known: bool) -> Doubt:
    """What is kept beside a recording that a person ruled on; `known`: also its end."""
    return Doubt(now, mtime, RULED + said + ("" if known else UNENDED))


class Move(NamedTuple):
    """A recording as it is, as it shall be, and what then lies beside it of its doubt."""

    old: Recording
    new: Recording
    doubt: Doubt | None


class Uncovering(NamedTuple):
    """A change that was refused, since it would end the cover of these holds."""

    move: Move
    holds: list[int]


def _recording(row: Sequence[Any]) -> Recording:
    stream, start, n, duration, size, state, path = row
    return Recording(stream, start, n, duration, size, _STATES[state], path)


def _rows(tx: Connection, sql: str, *values: Any) -> list[Recording]:
    return [_recording(row) for row in tx.exec_driver_sql(_SELECT + sql, values).all()]


def _one(tx: Connection, sql: str, *values: Any) -> Recording | None:
    found = _rows(tx, sql, *values)
    return found[0] if found else None


def insert(
    tx: Transaction,
    rows: Sequence[Recording],
    doubts: Mapping[Key, Doubt] | None = None,
    *,
    moved: bool = False,
) -> None:
    """Add recordings, with the doubts of those in quarantine, by key.

    They wait in the tally for the log's next roll-up; not those that were `moved`: they
    were counted when they were new, and only a person says how long they are.  Raises
    their streams' lengths in the same transaction.  A key or path that is there already is an IntegrityError: insert,
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
    for row in rows:
        known = None if doubts is None else doubts.get(row.key)
        tx.touch(row.stream, row.end if known is None else min(row.end, known.seen))
    _raise_lengths(tx, rows, believed=False)
    if not moved:
        certain = (row for row in rows if row.state is State.PRESENT)
        _raise_lengths(tx, certain, believed=True)
        tally.add(tx, rows)


def _raise_lengths(
    tx: Transaction, rows: Iterable[Recording], *, believed: bool
) -> None:
    longest: dict[int, Micros] = {}
    for row in rows:
        if row.duration > longest.get(row.stream, 0):
            longest[row.stream] = row.duration
    if longest:
        streams.raise_lengths(tx, longest, believed=believed)


def get(tx: Connection, key: Key) -> Recording | None:
    """The recording of that key, or None."""
    return _one(tx, "WHERE r.stream = ? AND r.start = ? AND r.n = ?", *key)


def starting_at(
    tx: Connection, stream: int, starts: Sequence[Micros]
) -> list[Recording]:
    """All recordings of a stream that start at one of these instants."""
    found: list[Recording] = []
    for part in parts(starts):
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
    longest: Micros,
    limit: int = 5_000,
    *,
    state: State | None = None,
) -> list[Recording]:
    """The first `limit` recordings of a stream that overlap the half-open window.

    Correct only with the stream's `longest`, which no recording exceeds.
    """
    return _rows(
        tx,
        "WHERE r.stream = ? AND r.start > ? AND r.start < ? AND r.start + r.duration > ?"
        " AND r.state = ifnull(?, r.state) ORDER BY r.start, r.n LIMIT ?",
        stream, window.start - longest - 1, window.end, window.start,
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


def first_known(tx: Connection, camera: int) -> Micros:
    """The start of the first recording that catalogue or log know of a camera; of one
    in the log alone the hour, or the day."""
    kinds = ", ".join(f"'{kind}'" for kind in sorted(RECORDINGS))
    found = tx.exec_driver_sql(
        "SELECT min((SELECT min(start) FROM recording WHERE stream = s.key)) "
        "FROM stream s WHERE s.camera = ? UNION ALL SELECT * FROM (SELECT hour * ? "
        "FROM entry_camera c JOIN entry e ON e.number = c.entry WHERE c.camera = ? "
        f"AND e.kind IN ({kinds}) ORDER BY hour LIMIT 1)",
        (camera, HOUR, camera),
    )
    return min((first for (first,) in found if first is not None), default=FOREVER)


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
    for part in parts(paths):
        marks = ", ".join("?" * len(part))
        for row in tx.exec_driver_sql(
            f"SELECT {_COLUMNS} FROM recording_path p CROSS JOIN recording r"
            " ON r.stream = p.stream AND r.start = p.start AND r.n = p.n"
            f" WHERE p.stream = ? AND p.path IN ({marks})",
            (stream, *part),
        ):
            found[row[6]] = _recording(row)
    return found


def at_path(
    tx: Connection, among: Iterable[Stream], path: bytes
) -> tuple[Stream, Recording] | None:
    """The recording at one path among these streams (of one root), or None."""
    for stream in among:
        rows = starting_at(tx, stream.key, starts_in(stream, path))
        rows += by_paths(tx, stream.key, [path]).values()
        for row in rows:
            if path_of(stream, row) == path:
                return stream, row
    return None


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


def doubts_of(tx: Connection, rows: Iterable[Recording]) -> dict[Key, Doubt]:
    """The doubts about these recordings, and others between them, by key."""
    starts: dict[int, list[Micros]] = {}
    for row in rows:
        starts.setdefault(row.stream, []).append(row.start)
    found: dict[Key, Doubt] = {}
    for stream, own in starts.items():
        found |= doubts(tx, stream, min(own), max(own) + 1)
    return found


def doubt(tx: Connection, key: Key) -> Doubt | None:
    """Why this recording is in quarantine, or None."""
    return doubts(tx, key[0], key[1], key[1] + 1).get(key)


def _change(
    tx: Transaction, old: Recording, duration: Micros, size: int, state: State
) -> bool:
    """Change a row; False where it moved: it is no longer as `old` says, so that a row
    which a batch took meanwhile stays as that batch's intent says."""
    done = tx.exec_driver_sql(
        f"UPDATE recording SET duration = ?, size = ?, state = ? WHERE {_KEY}"
        " AND duration = ? AND size = ? AND state = ?",
        (duration, size, int(state), *old.key, old.duration, old.size, int(old.state)),
    )
    if done.rowcount == 1:
        streams.raise_lengths(tx, {old.stream: duration}, believed=False)
        tx.touch(old.stream, old.start + min(duration, old.duration))
    return done.rowcount == 1


def _note(tx: Transaction, key: Key, doubt: Doubt) -> None:
    for table in ("quarantine", "failure"):
        tx.exec_driver_sql(f"DELETE FROM {table} WHERE {_KEY}", key)
    tx.exec_driver_sql(
        "INSERT INTO quarantine VALUES (?, ?, ?, ?, ?, ?)", (*key, *doubt)
    )
    tx.touch(key[0], doubt.seen)


def extend(
    tx: Transaction, old: Recording, duration: Micros, size: int | None = None
) -> bool:
    """Move a recording's end later, and note its size; False where the row moved."""
    if duration < old.duration:
        raise ValueError("a catalogued end moves only later")
    if old.state not in OURS_TO_CHANGE:
        return False
    new_size = old.size if size is None else size
    moved = not _change(tx, old, duration, new_size, old.state)
    if not moved:
        streams.raise_lengths(tx, {old.stream: duration}, believed=True)
    return not moved


def quarantine(tx: Transaction, old: Recording, size: int, doubt: Doubt) -> bool:
    """Put a catalogued recording into quarantine; False where the row moved."""
    if old.state not in OURS_TO_CHANGE:
        return False
    moved = not _change(tx, old, old.duration, size, State.QUARANTINED)
    if not moved:
        _note(tx, old.key, doubt)
    return not moved


def counted(
    tx: Connection,
    stream: Stream,
    row: Recording,
    size: int,
    doubt: Doubt,
    before: Doubt | None,
) -> Doubt:
    """A doubt that comes later starts nothing anew: its period counts from when the
    recording was known, as does that of one that was there `before`.

    Only what has other bytes may have footage in it that is new: from `doubt.seen`.  And
    never from before the end that name and mtime give it by now, if they agree or
    nearly: a recorder whose clock was ahead may have come to that name again.
    """
    if size != row.size:
        return doubt
    if before is not None and not before.settled:
        known = min(before.seen, doubt.seen)
    else:
        known = looks.known_since(tx, row.stream, row.end, doubt.seen)
    latest = min(row.start + 2 * stream.max_length, doubt.seen)
    named = row.start < doubt.mtime <= latest
    return doubt._replace(seen=max(known, doubt.mtime) if named else known)


def change(
    tx: Transaction, moves: Sequence[Move], now: Micros, *, agreed: bool = False
) -> tuple[list[Move], list[Uncovering]]:
    """The one way in which what a recording is changes by a person's word: its times,
    path, stream and so its camera, and the end of its doubt.

    Unless two people `agreed`, what would take a recording out of a hold's cover is not
    done.  Returns what was done, each with its `n`, and what was not.  StaleError where
    a row is no longer as its move says.
    """
    refused = [] if agreed else _uncovering(tx, moves, now)
    kept = {one.move.old.key for one in refused}
    moves = [one for one in moves if one.old.key not in kept]
    staying = {one.old.key for one in moves if one.old.key[:2] == one.new.key[:2]}
    going = [one for one in moves if one.old.key not in staying]
    # All out, then all in: a shift by a recording's length meets its neighbours.
    gone = remove(tx, [one.old.key for one in going])
    if gone != [one.old for one in going]:
        raise StaleError(_MEANWHILE)
    done, free = [], dict[tuple[int, Micros], int]()
    for one in moves:
        if one.old.key in staying:
            duration, state = one.new.duration, one.new.state
            if not _change(tx, one.old, duration, one.old.size, state):
                raise StaleError(_MEANWHILE)
            if one.doubt is not None:
                _note(tx, one.old.key, one.doubt)
            done.append(one)
        else:
            at = one.new.key[:2]
            n = free[at] if at in free else next_n(tx, *at)
            free[at] = n + 1
            done.append(one._replace(new=one.new._replace(n=n)))
    came = [one for one in done if one.old.key not in staying]
    insert(
        tx,
        [one.new for one in came],
        {one.new.key: one.doubt for one in came if one.doubt is not None},
        moved=True,
    )
    return done, refused


_MEANWHILE = "recordings changed meanwhile; give the ruling again"


def _uncovering(tx: Connection, moves: Sequence[Move], now: Micros) -> list[Uncovering]:
    """Those of the changes that would end some hold's cover."""
    streams_ = {
        one.key: one
        for one in streams.by_keys(
            tx, {row.stream for move in moves for row in (move.old, move.new)}
        )
    }
    before = doubts_of(tx, [move.old for move in moves])
    pairs = [
        (
            footing(streams_[move.old.stream], move.old, before.get(move.old.key)),
            footing(streams_[move.new.stream], move.new, move.doubt),
        )
        for move in moves
    ]
    found = zip(moves, cover.leaving(tx, pairs, now), strict=True)
    return [Uncovering(move, numbers) for move, numbers in found if numbers]


def footing(stream: Stream, row: Recording, doubt: Doubt | None) -> cover.Footing:
    """What decides which holds cover a recording."""
    doubtful = doubt is not None and not doubt.settled
    doubtful = doubtful or stream.quarantined is not None
    return cover.Footing(stream.camera, row.start, row.end, doubtful)


def lift(
    tx: Transaction, stream: Stream, now: Micros, agreed: Collection[Key] | None = ()
) -> list[Uncovering]:
    """The times of a stream are understood, a person said; not where that ends a hold's
    cover of recordings which two people did not agree on (None: they did on all).

    Returns those; then the stream stays in doubt.
    """
    refused = [] if agreed is None else _uncovered(tx, stream, now, agreed)
    if not refused:
        streams.lift_quarantine(tx, stream.key)
    return refused


def _uncovered(
    tx: Connection, stream: Stream, now: Micros, agreed: Collection[Key]
) -> list[Uncovering]:
    """What holds would cover no more if a stream's times were in doubt no more.  Reads
    all of the stream where its camera is under a hold."""
    refused: list[Uncovering] = []
    held = holds.windows_of(tx, [stream.camera], now)[stream.camera]
    after: tuple[Micros, int] | None = None
    while held:
        rows = page(tx, stream.key, after, _PAGE)
        if not rows:
            break
        after = rows[-1].start, rows[-1].n
        known = doubts(tx, stream.key, rows[0].start, rows[-1].start + 1)
        left = [row for row in rows if row.key not in agreed]
        pairs = [
            (was, was._replace(doubtful=doubt is not None and not doubt.settled))
            for row in left
            for doubt in [known.get(row.key)]
            for was in [footing(stream, row, doubt)]
        ]
        numbers = cover.leaving(tx, pairs, now)
        refused += [
            Uncovering(Move(row, row, known.get(row.key)), found)
            for row, found in zip(left, numbers, strict=True)
            if found
        ]
    return refused


def remove(tx: Transaction, keys: Iterable[Key]) -> list[Recording]:
    """Take out the rows of these keys that are ours to change; returns those.

    What lies beside them (path, doubt, failure) goes too.
    """
    found = (get(tx, key) for key in keys)
    gone = [row for row in found if row is not None and row.state in OURS_TO_CHANGE]
    if gone:
        keys_gone = [row.key for row in gone]
        for table in ("recording", *BESIDE):
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
