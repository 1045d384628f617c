"""What of a stream lies in a window, as spans and sums: no row of it leaves SQL alone.

Look-ups reach back by the stream's `longest`, which no recording exceeds.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.db import parts
from retention.catalogue.due import Sum
from retention.catalogue.recordings import RULED, UNENDED
from retention.model.values import Micros, State, Stream, Window

_IN_WINDOW = "stream=? AND start>? AND start<? AND start+duration>?"
_FINISHED = f"r.state IN ({int(State.PRESENT)}, {int(State.FAILED)})"
# Of one stream, and looked up once: most have none.
_CERTAIN = (
    f"{_FINISHED} AND (r.start, r.n) NOT IN (SELECT q.start, q.n FROM quarantine q "
    f"WHERE q.stream=? AND q.reason LIKE '{RULED}%{UNENDED}')"
)
# CROSS JOIN: SQLite keeps the order, from the few in quarantine to their rows.
_QUARANTINED = (
    "quarantine q CROSS JOIN recording r ON r.stream=q.stream AND r.start=q.start "
    f"AND r.n=q.n AND r.state={int(State.QUARANTINED)}"
)


class Sums(NamedTuple):
    """Recordings and their bytes, how many have none, the earliest and the latest end;
    None if empty."""

    number: int
    size: int
    empty: int
    first_end: Micros | None
    last_end: Micros | None


def _values(stream: Stream, window: Window) -> tuple[int, Micros, Micros, Micros]:
    reach = window.start - stream.longest - 1
    return (stream.key, reach, window.end, window.start)


def sums(tx: Connection, stream: Stream, window: Window) -> Sums:
    """The recordings of a stream that overlap a window, without those in quarantine,
    those whose end is not known, and those of open batches."""
    row = tx.exec_driver_sql(
        "SELECT count(*), coalesce(sum(size), 0), total(size=0), min(start+duration), "
        f"max(start+duration) FROM recording r WHERE {_IN_WINDOW} AND {_CERTAIN}",
        (*_values(stream, window), stream.key),
    ).one()
    number, size, empty, first, last = row
    return Sums(number, size, int(empty), first, last)


def islands(
    tx: Connection, stream: Stream, window: Window, last_end: Micros, no_gap: Micros
) -> list[Window]:
    """The time that the recordings of `sums`, the latest end of which is `last_end`,
    cover; less than `no_gap` between two is no gap."""
    found = tx.exec_driver_sql(
        "SELECT start, before FROM (SELECT start, max(start+duration) OVER (ORDER BY "
        "start, n ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before "
        f"FROM recording r WHERE {_IN_WINDOW} AND {_CERTAIN}) "
        "WHERE before IS NULL OR start-before>=? ORDER BY start",
        (*_values(stream, window), stream.key, no_gap),
    ).all()
    ends = [before for _, before in found[1:]] + [last_end]
    return [Window(row[0], end) for row, end in zip(found, ends, strict=True)]


def in_doubt(tx: Connection, stream: Stream) -> Sum:
    """The recordings of a stream whose times are in doubt, so that any hold on its
    camera holds them: those in quarantine, or all where the stream is."""
    if stream.quarantined is None:
        source, state = _QUARANTINED, ""
    else:
        source, state = "recording r", f"AND r.state<>{int(State.DELETING)}"
    row = tx.exec_driver_sql(
        f"SELECT count(*), coalesce(sum(r.size), 0) FROM {source} "
        f"WHERE r.stream=? {state}",
        (stream.key,),
    ).one()
    return Sum(*row)


def beside(
    tx: Connection, stream: Stream, window: Window, no_gap: Micros
) -> list[Window]:
    """The recordings that end less than `no_gap` before a window or begin less than
    that after it: with them its edges are no gaps."""
    reach = window.start - no_gap - stream.longest - 1
    found = tx.exec_driver_sql(
        "SELECT start, start+duration FROM recording r WHERE stream=? AND start>? "
        f"AND start<? AND start+duration>? AND start+duration<=? AND {_CERTAIN} "
        "UNION ALL SELECT start, start+duration FROM recording r WHERE stream=? "
        f"AND start>=? AND start<? AND {_CERTAIN}",
        (stream.key, reach, window.start, window.start - no_gap, window.start, stream.key,
         stream.key, window.end, window.end + no_gap, stream.key),
    )  # fmt: skip
    return [Window(*row) for row in found]


class Sized(NamedTuple):
    """A recording by its time and size."""

    start: Micros
    end: Micros
    size: int


def quarantined(tx: Connection, stream: Stream, window: Window) -> list[Sized]:
    """The recordings in quarantine that overlap a window by their own times."""
    return _sized(
        tx,
        _QUARANTINED,
        "q.stream=? AND q.start>? AND q.start<? AND r.start+r.duration>? "
        "ORDER BY r.start",
        _values(stream, window),
    )


def unended(tx: Connection, stream: Stream, window: Window) -> list[Sized]:
    """The recordings that may overlap a window: when they ended is not known."""
    return _sized(
        tx,
        "quarantine q CROSS JOIN recording r ON r.stream=q.stream AND r.start=q.start "
        f"AND r.n=q.n AND {_FINISHED}",
        f"q.stream=? AND q.start>? AND q.start<? AND q.reason LIKE '{RULED}%{UNENDED}' "
        "AND r.start+r.duration>? ORDER BY r.start",
        _values(stream, window),
    )


def deleting(tx: Connection, stream: Stream, window: Window) -> list[Sized]:
    """The recordings of open batches that overlap a window."""
    return _sized(
        tx,
        "recording r",
        f"{_IN_WINDOW} AND state={int(State.DELETING)} ORDER BY start",
        _values(stream, window),
    )


def deleting_at(
    tx: Connection, stream: int, starts: Sequence[Micros]
) -> Iterable[Sized]:
    """The recordings of open batches that start at these instants."""
    for part in parts(starts):
        yield from _sized(
            tx,
            "recording r",
            f"stream=? AND state={int(State.DELETING)} "
            f"AND start IN ({', '.join('?' * len(part))})",
            (stream, *part),
        )


def _sized(
    tx: Connection, source: str, where: str, values: tuple[int, ...]
) -> list[Sized]:
    found = tx.exec_driver_sql(
        f"SELECT r.start, r.start+r.duration, r.size FROM {source} WHERE {where}",
        values,
    )
    return [Sized(*row) for row in found]


def newest(
    tx: Connection, stream: int, number: int = 20
) -> tuple[Micros, Micros] | None:
    """The latest end, and the longest duration, of the last few recordings of a stream;
    None where it has none."""
    end, longest = tx.exec_driver_sql(
        "SELECT max(start+duration), max(duration) FROM (SELECT start, duration FROM "
        "recording WHERE stream=? ORDER BY start DESC LIMIT ?)",
        (stream, number),
    ).one()
    return None if end is None else (end, longest)
