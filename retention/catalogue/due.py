"""What is due in the catalogue.

Every query visits only the start times outside hold windows, one clustered range each,
so its cost follows what is due, not what is stored or held.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.recordings import RULED
from retention.model import FOREVER, Micros, State, Window
from retention.policy import BEGINNING, Holds, gaps


class Scope(NamedTuple):
    """One stream as deletion sees it."""

    stream: int
    camera: int
    period: Micros
    max_length: Micros
    quarantined: Micros | None
    holds: Holds
    now: Micros


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
    state: int = State.PRESENT
    doubtful: bool = False
    """In quarantine: any hold on its camera holds it."""


class Span(NamedTuple):
    """Due instants in (after, until]: which part of what is due is asked for."""

    after: Micros
    until: Micros


_IN_PLAN = (
    "CROSS JOIN plan_row q ON q.stream=r.stream AND q.start=r.start AND q.n=r.n "
    "AND q.plan=?"
)
_DUE = (
    "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, "
    "max(r.start+r.duration, ?)+?, d.mtime, 0, 0 "
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


def rows(
    tx: Connection,
    scope: Scope,
    span: Span,
    *,
    first: Micros = BEGINNING,
    plan: int | None = None,
    limit: int = 5000,
) -> list[Due]:
    """Up to `limit` recordings due in `span`, present ones first and those oldest
    first; with `plan`, only those that this plan lists."""
    found = present(tx, scope, span, first=first, plan=plan, limit=limit)
    if len(found) < limit:
        found += doubtful(tx, scope, span, plan=plan, limit=limit - len(found))
    return found


def present(
    tx: Connection,
    scope: Scope,
    span: Span,
    *,
    first: Micros = BEGINNING,
    plan: int | None = None,
    limit: int = 5000,
) -> list[Due]:
    """As `rows`, without those in quarantine."""
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
    """A number of recordings, their bytes, and their length where it was asked for."""

    number: int
    size: int
    length: Micros = 0

    def __add__(self, other: object) -> "Sum":
        if not isinstance(other, Sum):
            return NotImplemented
        return Sum(*(one + two for one, two in zip(self, other, strict=True)))


_SUM = "count(*), coalesce(sum(r.size), 0), coalesce(sum(r.duration), 0)"


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
    sums = [
        (
            f"SELECT {_SUM} FROM recording r "
            "WHERE r.stream=? AND r.start>=? AND r.start<? AND r.state=0 "
            f"AND r.start+r.duration<=? AND r.start+r.duration>? {also}",
            (scope.stream, low, high, latest, after, *extra),
        )
        for low, high, latest, after in _ranges(scope, span, BEGINNING)
    ]
    if not scope.holds.windows:
        sql, values = _in_doubt(_SUM, scope, span, also)
        sums.append((sql, (*values, *extra)))
    return sum(
        (Sum(*tx.exec_driver_sql(sql, values).one()) for sql, values in sums),
        Sum(0, 0),
    )


# CROSS JOIN: SQLite keeps the order.  Without statistics it would rather walk every
# recording of a stream than the few in quarantine.
_SINCE = "max(d.seen, CASE WHEN d.mtime>? THEN 0 ELSE d.mtime END)"
"""From when a quarantined recording's period counts: policy.doubtful_since."""


def _in_doubt(
    columns: str, scope: Scope, span: Span, also: str = ""
) -> tuple[str, tuple[int, ...]]:
    sql = (
        f"SELECT {columns} FROM quarantine d "
        "CROSS JOIN recording r ON r.stream=d.stream AND r.start=d.start AND r.n=d.n "
        "LEFT JOIN recording_path p ON p.stream=d.stream AND p.start=d.start "
        f"AND p.n=d.n WHERE d.stream=? AND r.state=2 AND {_SINCE}<=? AND {_SINCE}>? "
        + also
    )
    now, until, after = scope.now, span.until - scope.period, span.after - scope.period
    return sql, (scope.stream, now, until, now, after)


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


def doubtful(
    tx: Connection,
    scope: Scope,
    span: Span,
    *,
    plan: int | None = None,
    limit: int = 5000,
) -> list[Due]:
    """Quarantined recordings due in `span`; any hold on the camera holds them all."""
    if scope.holds.windows:
        return []
    also = ""
    extra: tuple[int, ...] = ()
    if plan is not None:
        also = (
            "AND EXISTS (SELECT 1 FROM plan_row q WHERE q.stream=r.stream "
            "AND q.start=r.start AND q.n=r.n AND q.plan=?)"
        )
        extra = (plan,)
    columns = (
        f"r.stream, r.start, r.n, r.duration, r.size, p.path, {_SINCE}+?, d.mtime, 2, 1"
    )
    sql, values = _in_doubt(columns, scope, span, also)
    found = tx.exec_driver_sql(
        f"{sql} LIMIT ?", (scope.now, scope.period, *values, *extra, limit)
    )
    return [Due._make(row) for row in found]


def first_doubtful(tx: Connection, scope: Scope) -> Micros | None:
    """The next instant at which a quarantined recording of the stream falls due."""
    if scope.holds.windows:
        return None
    since = tx.exec_driver_sql(
        f"SELECT min({_SINCE}) FROM quarantine d CROSS JOIN recording r "
        "ON r.stream=d.stream AND r.start=d.start AND r.n=d.n "
        "WHERE d.stream=? AND r.state=2",
        (scope.now, scope.stream),
    ).scalar_one()
    return None if since is None else since + scope.period


class Failed(NamedTuple):
    """A recording that could not be deleted before, ready for another try."""

    due: Due
    seen: Micros | None


def failed(tx: Connection, root: int, now: Micros, limit: int = 5000) -> list[Failed]:
    """Failed recordings of a root whose back-off is over; not yet re-decided."""
    rows = tx.exec_driver_sql(
        "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, q.mtime, q.seen, "
        "q.reason FROM failure f "
        "CROSS JOIN recording r ON r.stream=f.stream AND r.start=f.start AND r.n=f.n "
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
        row = Due._make((*columns, 0, mtime, State.FAILED, doubtful))
        found.append(Failed(row, seen if doubtful else None))
    return found


def total_failed(tx: Connection, root: int) -> Sum:
    """Recordings of a root that could not be deleted and are tried again: due, and
    more overdue with every day."""
    row = tx.exec_driver_sql(
        "SELECT count(*), coalesce(sum(r.size), 0) FROM failure f "
        "JOIN stream s ON s.key=f.stream AND s.root=? CROSS JOIN recording r "
        "ON r.stream=f.stream AND r.start=f.start AND r.n=f.n WHERE r.state=3",
        (root,),
    ).one()
    return Sum(*row)


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


def seen_of(tx: Connection, key: tuple[int, int, int]) -> Micros | None:
    """When a recording in quarantine was first seen; None where it is in none."""
    kept = tx.exec_driver_sql(
        "SELECT seen, reason FROM quarantine WHERE stream=? AND start=? AND n=?", key
    ).one_or_none()
    return None if kept is None or kept[1].startswith(RULED) else kept[0]


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
