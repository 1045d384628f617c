"""What is due in the catalogue.

Every query visits only the start times outside hold windows, one clustered range each,
so its cost follows what is due, not what is stored or held.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.recordings import RULED
from retention.model import FOREVER, Micros, Window
from retention.policy import BEGINNING, Holds, gaps


class Scope(NamedTuple):
    """One stream as deletion sees it."""

    stream: int
    camera: int
    period: Micros
    max_length: Micros
    quarantined: Micros | None
    holds: Holds


class Due(NamedTuple):
    """A catalogued recording whose period is over and that no hold touches."""

    stream: int
    start: Micros
    n: int
    duration: Micros
    size: int
    path: bytes | None
    due: Micros
    mtime: Micros | None = None
    """Of a file that is, or before a person's ruling was, in quarantine: its mtime when
    first seen, since its end does not follow from that."""
    doubtful: bool = False
    """In quarantine: any hold on its camera holds it."""


class Span(NamedTuple):
    """Due instants in (after, until]: which part of what is due is asked for."""

    after: Micros
    until: Micros


_FREE = (
    "FROM recording r {join} WHERE r.stream=? AND r.start>=? AND r.start<? "
    "AND r.state=0 AND r.start+r.duration<=? AND r.start+r.duration>? {also}"
)
_IN_PLAN = (
    "CROSS JOIN plan_row q ON q.stream=r.stream AND q.start=r.start AND q.n=r.n "
    "AND q.plan=?"
)
_DUE = (
    "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, "
    "max(r.start+r.duration, ?)+?, d.mtime, 0 "
    "FROM recording r LEFT JOIN recording_path p ON p.stream=r.stream "
    "AND p.start=r.start AND p.n=r.n LEFT JOIN quarantine d ON d.stream=r.stream "
    "AND d.start=r.start AND d.n=r.n {join} "
    "WHERE r.stream=? AND r.start>=? AND r.start<? "
    "AND r.state=0 AND r.start+r.duration<=? AND r.start+r.duration>? "
    "ORDER BY r.stream, r.start, r.n LIMIT ?"
)


def _ranges(
    scope: Scope, span: Span, first: Micros
) -> Iterator[tuple[Micros, Micros, Micros, Micros]]:
    """(first start, last start, latest end, earliest end) of each free range."""
    after, cutoff = span.after - scope.period, span.until - scope.period
    if scope.quarantined is not None and (
        scope.holds.windows or scope.quarantined > cutoff
    ):
        return  # times of this stream are in doubt: see policy.decide
    for gap in gaps(scope.holds.windows, first, cutoff):
        yield gap.first, min(gap.stop, cutoff), min(gap.stop, cutoff), after


def present(
    tx: Connection,
    scope: Scope,
    span: Span,
    *,
    first: Micros = BEGINNING,
    plan: int | None = None,
    limit: int = 5000,
) -> list[Due]:
    """Up to `limit` present recordings due in `span`, oldest first; with `plan`, only
    those that this plan lists."""
    found: list[Due] = []
    sql = _DUE.format(join="" if plan is None else _IN_PLAN)
    extra = () if plan is None else (plan,)
    for low, high, latest, after in _ranges(scope, span, first):
        rows = tx.exec_driver_sql(
            sql,
            (scope.quarantined or BEGINNING, scope.period, *extra, scope.stream, low,
             high, latest, after,
             limit - len(found)),
        )  # fmt: skip
        found.extend(Due._make(row) for row in rows)
        if len(found) >= limit:
            break
    return found


class Sum(NamedTuple):
    """A number of recordings and their bytes."""

    number: int
    size: int

    def __add__(self, other: object) -> "Sum":
        if not isinstance(other, Sum):
            return NotImplemented
        return Sum(self.number + other.number, self.size + other.size)


def total(
    tx: Connection, scope: Scope, span: Span, *, outside_plan: int | None = None
) -> Sum:
    """How many recordings are due in `span`; with `outside_plan`, those that this plan
    does not list."""
    also = ""
    extra: tuple[int, ...] = ()
    if outside_plan is not None:
        also = (
            "AND NOT EXISTS (SELECT 1 FROM plan_row q WHERE q.stream=r.stream "
            "AND q.start=r.start AND q.n=r.n AND q.plan=?)"
        )
        extra = (outside_plan,)
    count = size = 0
    sql = "SELECT count(*), coalesce(sum(r.size), 0) " + _FREE.format(
        join="", also=also
    )
    for low, high, latest, after in _ranges(scope, span, BEGINNING):
        row = tx.exec_driver_sql(
            sql, (scope.stream, low, high, latest, after, *extra)
        ).one()
        count, size = count + row[0], size + row[1]
    return Sum(count, size)


def first_free(
    tx: Connection, scope: Scope, first: Micros
) -> tuple[Micros, Micros] | None:
    """(start, due instant) of what falls due next in a stream, None where nothing can.

    The start is the first of any recording that is free; everything before it is held
    or gone.  The instant is exact unless the stream's times are in doubt.
    """
    for gap in gaps(scope.holds.windows, first, FOREVER):
        row = tx.exec_driver_sql(
            "SELECT start, start+duration FROM recording WHERE stream=? AND start>=? "
            "AND start<? AND state=0 AND start+duration<=? ORDER BY start LIMIT 1",
            (scope.stream, gap.first, gap.stop, gap.stop),
        ).one_or_none()
        if row is None:
            continue
        start, end = row
        # A shorter one that begins later may end sooner.
        soonest = tx.exec_driver_sql(
            "SELECT min(start+duration) FROM recording WHERE stream=? AND start>=? "
            "AND start<? AND state=0 AND start+duration<=?",
            (scope.stream, start, end, gap.stop),
        ).scalar_one()
        due = min(end, soonest or end) + scope.period
        if scope.quarantined is not None:
            due = max(due, scope.quarantined + scope.period)
        return start, due
    return None


def doubtful(tx: Connection, scope: Scope, span: Span, limit: int = 5000) -> list[Due]:
    """Quarantined recordings whose period, from when they were seen, ends in `span`."""
    if scope.holds.windows:
        return []
    rows = tx.exec_driver_sql(
        "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, q.seen+?, q.mtime "
        "FROM quarantine q "
        "JOIN recording r ON r.stream=q.stream AND r.start=q.start AND r.n=q.n "
        "LEFT JOIN recording_path p ON p.stream=q.stream AND p.start=q.start "
        "AND p.n=q.n WHERE q.stream=? AND r.state=2 AND q.seen<=? AND q.seen>? LIMIT ?",
        (scope.period, scope.stream, span.until - scope.period,
         span.after - scope.period, limit),
    )  # fmt: skip
    return [Due(*row, doubtful=True) for row in rows]


def first_doubtful(tx: Connection, scope: Scope) -> Micros | None:
    """The next instant at which a quarantined recording of the stream falls due."""
    if scope.holds.windows:
        return None
    seen = tx.exec_driver_sql(
        "SELECT min(q.seen) FROM quarantine q JOIN recording r ON r.stream=q.stream "
        "AND r.start=q.start AND r.n=q.n WHERE q.stream=? AND r.state=2",
        (scope.stream,),
    ).scalar_one()
    return None if seen is None else seen + scope.period


class Failed(NamedTuple):
    """A recording that could not be deleted before, ready for another try."""

    due: Due
    seen: Micros | None


def failed(tx: Connection, root: int, now: Micros, limit: int = 5000) -> list[Failed]:
    """Failed recordings of a root whose back-off is over; not yet re-decided."""
    rows = tx.exec_driver_sql(
        "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, q.mtime, q.seen, "
        "q.reason FROM failure f "
        "JOIN recording r ON r.stream=f.stream AND r.start=f.start AND r.n=f.n "
        "JOIN stream s ON s.key=f.stream AND s.root=? "
        "LEFT JOIN recording_path p ON p.stream=f.stream AND p.start=f.start "
        "AND p.n=f.n LEFT JOIN quarantine q ON q.stream=f.stream "
        "AND q.start=f.start AND q.n=f.n "
        "WHERE f.retry_at<=? AND r.state=3 LIMIT ?",
        (root, now, limit),
    )
    found = []
    for *columns, mtime, seen, reason in rows:
        doubtful = reason is not None and not reason.startswith(RULED)
        row = Due(*columns, 0, mtime, doubtful)
        found.append(Failed(row, seen if doubtful else None))
    return found


def count_failed(tx: Connection, root: int) -> int:
    """Recordings of a root that could not be deleted and are tried again."""
    return int(
        tx.exec_driver_sql(
            "SELECT count(*) FROM failure f JOIN stream s ON s.key=f.stream "
            "WHERE s.root=?",
            (root,),
        ).scalar_one()
    )


class Failure(NamedTuple):
    """Why a recording could not be deleted, since when, and what follows."""

    error: str
    since: Micros
    tries: int
    retry_at: Micros


def failure_of(tx: Connection, key: tuple[int, int, int]) -> Failure | None:
    """What is known of a recording that could not be deleted."""
    row = tx.exec_driver_sql(
        "SELECT error, since, tries, retry_at FROM failure "
        "WHERE stream=? AND start=? AND n=?",
        key,
    ).one_or_none()
    return None if row is None else Failure._make(row)


def with_doubt(tx: Connection, row: Due) -> Due:
    """The row with what the catalogue keeps of its quarantine, if anything."""
    kept = tx.exec_driver_sql(
        "SELECT mtime, reason FROM quarantine WHERE stream=? AND start=? AND n=?",
        row[:3],
    ).one_or_none()
    if kept is None:
        return row
    return row._replace(mtime=kept[0], doubtful=not kept[1].startswith(RULED))


def overlapping(
    tx: Connection,
    stream: int,
    max_length: Micros,
    window: Window,
    *,
    until: Micros = FOREVER,
    first: Micros = BEGINNING,
) -> Sum:
    """Recordings of a stream, none of them in a batch, that overlap a window, end by
    `until` and start at `first` or later."""
    row = tx.exec_driver_sql(
        "SELECT count(*), coalesce(sum(size), 0) FROM recording WHERE stream=? "
        "AND start>? AND start>=? AND start<? AND start+duration>? "
        "AND start+duration<=? AND state<>1",
        (stream, window.start - max_length - 1, first, window.end, window.start, until),
    ).one()
    return Sum(*row)


def digest(rows: Iterable[Due]) -> bytes:
    """(stream, start, n, duration, size) of rows, one a line: what a plan's SHA-256 is
    taken over."""
    return b"".join(
        b"%d,%d,%d,%d,%d\n" % (r.stream, r.start, r.n, r.duration, r.size) for r in rows
    )
