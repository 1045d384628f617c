"""What is due in the catalogue.

Every query visits only the start times outside hold windows, one clustered range each,
so its cost follows what is due, not what is stored or held.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection

from retention.catalogue import holds, looks, streams
from retention.catalogue.recordings import RULED, Doubt, Key, doubt
from retention.model.choice import Due, Scope
from retention.model.policy import BEGINNING, Policy, gaps
from retention.model.values import FOREVER, Micros, Recording, State, Window

T = TypeVar("T")


class Span(NamedTuple):
    """Due instants in (after, until]: which part of what is due is asked for."""

    after: Micros
    until: Micros


_IN_PLAN = (
    "CROSS JOIN plan_row q ON q.stream=r.stream AND q.start=r.start AND q.n=r.n "
    "AND q.plan=?"
)
_LISTED = (
    "EXISTS (SELECT 1 FROM plan_row q WHERE q.stream=r.stream AND q.start=r.start "
    "AND q.n=r.n AND q.plan=?)"
)
_FOUND = (
    "CROSS JOIN due_when_found f ON f.stream=r.stream AND f.start=r.start AND f.n=r.n"
)
_DUE = (
    "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, "
    "r.start+r.duration+?, d.mtime, 0, NULL "
    "FROM recording r LEFT JOIN recording_path p ON p.stream=r.stream "
    "AND p.start=r.start AND p.n=r.n LEFT JOIN quarantine d ON d.stream=r.stream "
    "AND d.start=r.start AND d.n=r.n {join} "
    "WHERE r.stream=? AND r.start>=? AND r.start<? "
    "AND r.state=0 AND r.start+r.duration<=? AND r.start+r.duration>? "
    "ORDER BY r.stream, r.start, r.n LIMIT ?"
)


_FEW = 8
"""So many windows are each asked about; of more, those are passed over in which no
recording starts, by one question for each stretch without any."""

_NEXT = "SELECT min(start) FROM recording WHERE stream=? AND start>=?"


def inhabited(
    tx: Connection,
    stream: int,
    ranges: Sequence[T],
    bounds: Callable[[T], tuple[Micros, Micros]],
) -> Iterator[T]:
    """Those of these ranges, in order, in whose `bounds` a recording of the stream may
    start: all of a few."""
    if len(ranges) <= _FEW:
        yield from ranges
        return
    found: Micros | None = None
    for one in ranges:
        low, high = bounds(one)
        if found is None or found < low:
            found = tx.exec_driver_sql(_NEXT, (stream, low)).scalar()
            if found is None:
                return
        if found < high:
            yield one


def _ranges(
    tx: Connection, scope: Scope, span: Span, first: Micros
) -> Iterator[tuple[Micros, Micros, Micros, Micros]]:
    """(first start, last start, latest end, earliest end) of each free range in which
    there may be a recording."""
    ranges = list(_all_ranges(scope, span, first))
    yield from inhabited(tx, scope.stream, ranges, lambda one: one[:2])


def _all_ranges(
    scope: Scope, span: Span, first: Micros
) -> Iterator[tuple[Micros, Micros, Micros, Micros]]:
    after, cutoff = span.after - scope.period, span.until - scope.period
    if scope.in_doubt is not None:
        if scope.holds.windows:
            return  # any hold on the camera holds them: see policy.decide
        after, cutoff = scope.in_doubt.latest(after), scope.in_doubt.latest(cutoff)
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
    when_found: bool = False,
    limit: int = 5000,
) -> list[Due]:
    """As `rows`, without those in quarantine; with `when_found` only those that were
    due when they were first catalogued."""
    found: list[Due] = []
    join = _FOUND if when_found else ""
    sql = _DUE.format(join=join if plan is None else _IN_PLAN)
    extra = () if plan is None else (plan,)
    for low, high, latest, after in _ranges(tx, scope, span, first):
        rows = tx.exec_driver_sql(
            sql,
            (scope.period, *extra, scope.stream, low, high, latest, after,
             limit - len(found)),
        )  # fmt: skip
        found.extend(_counted(scope, Due._make(row)) for row in rows)
        if len(found) >= limit:
            break
    return found


def _counted(scope: Scope, row: Due) -> Due:
    """A row with its due instant, where the times of its stream are in doubt too."""
    if scope.in_doubt is None:
        return row
    since = scope.in_doubt.since(row.start + row.duration)
    return row._replace(due=since + scope.period)


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


def mark_found(tx: Connection, rows: Iterable[Recording]) -> None:
    """These are catalogued for the first time and their period is over."""
    tx.exec_driver_sql(
        "INSERT INTO due_when_found VALUES (?, ?, ?)", [row.key for row in rows]
    )


def any_found(tx: Connection, root: int) -> bool:
    """Whether any recording of a root was due when it was first catalogued."""
    return bool(
        tx.exec_driver_sql(
            "SELECT EXISTS (SELECT 1 FROM due_when_found) AND EXISTS (SELECT 1 FROM "
            "stream s CROSS JOIN due_when_found f ON f.stream=s.key WHERE s.root=?)",
            (root,),
        ).scalar_one()
    )


def total_found(
    tx: Connection, scope: Scope, until: Micros, *, outside_plan: int
) -> int:
    """How many recordings of a stream are due that were so when they were catalogued,
    and that this plan does not list."""
    ranges = _ranges(tx, scope, Span(BEGINNING, until), BEGINNING)
    return sum(
        tx.exec_driver_sql(
            f"SELECT count(*) FROM due_when_found f CROSS JOIN recording r "
            "ON r.stream=f.stream AND r.start=f.start AND r.n=f.n "
            "WHERE f.stream=? AND f.start>=? AND f.start<? AND r.state=0 "
            f"AND r.start+r.duration<=? AND NOT {_LISTED}",
            (scope.stream, low, high, latest, outside_plan),
        ).scalar_one()
        for low, high, latest, _ in ranges
    )


def total(
    tx: Connection, scope: Scope, span: Span, *, outside_plan: int | None = None
) -> Sum:
    """How many recordings are due in `span`; with `outside_plan`, those that this plan
    does not list."""
    also = "" if outside_plan is None else f"AND NOT {_LISTED}"
    extra = () if outside_plan is None else (outside_plan,)
    sums = [
        (
            f"SELECT {_SUM} FROM recording r "
            "WHERE r.stream=? AND r.start>=? AND r.start<? AND r.state=0 "
            f"AND r.start+r.duration<=? AND r.start+r.duration>? {also}",
            (scope.stream, low, high, latest, after, *extra),
        )
        for low, high, latest, after in _ranges(tx, scope, span, BEGINNING)
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
def _in_doubt(
    columns: str, scope: Scope, span: Span, also: str = ""
) -> tuple[str, tuple[int, ...]]:
    sql = (
        f"SELECT {columns} FROM quarantine d "
        "CROSS JOIN recording r ON r.stream=d.stream AND r.start=d.start AND r.n=d.n "
        "LEFT JOIN recording_path p ON p.stream=d.stream AND p.start=d.start "
        f"AND p.n=d.n WHERE d.stream=? AND r.state=2 AND d.seen<=? AND d.seen>? {also}"
    )
    return sql, (scope.stream, span.until - scope.period, span.after - scope.period)


def first_free(
    tx: Connection, scope: Scope, first: Micros
) -> tuple[Micros, Micros] | None:
    """(start, due instant) of what falls due next in a stream, None where nothing can.

    The start is the first of any recording that is free; everything before it is held
    or gone.
    """
    free = list(gaps(scope.holds.windows, first, FOREVER))
    for gap in inhabited(tx, scope.stream, free, lambda one: (one.first, one.stop)):
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
        first_end = min(end, soonest or end)
        if scope.in_doubt is not None:
            first_end = scope.in_doubt.since(first_end)
        return start, first_end + scope.period
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
    also = "" if plan is None else f"AND {_LISTED}"
    extra = () if plan is None else (plan,)
    columns = (
        "r.stream, r.start, r.n, r.duration, r.size, p.path, "
        "d.seen+?, d.mtime, 2, d.seen"
    )
    sql, values = _in_doubt(columns, scope, span, also)
    found = tx.exec_driver_sql(f"{sql} LIMIT ?", (scope.period, *values, *extra, limit))
    return [Due._make(row) for row in found]


def first_doubtful(tx: Connection, scope: Scope) -> Micros | None:
    """The next instant at which a quarantined recording of the stream falls due."""
    if scope.holds.windows:
        return None
    since = tx.exec_driver_sql(
        "SELECT min(d.seen) FROM quarantine d CROSS JOIN recording r "
        "ON r.stream=d.stream AND r.start=d.start AND r.n=d.n "
        "WHERE d.stream=? AND r.state=2",
        (scope.stream,),
    ).scalar_one()
    return None if since is None else since + scope.period


def next_dues(tx: Connection, scope: Scope) -> tuple[Micros | None, Micros | None]:
    """When the next present and the next quarantined recording of a stream fall due."""
    free = first_free(tx, scope, BEGINNING)
    return None if free is None else free[1], first_doubtful(tx, scope)


def failed(tx: Connection, root: int, now: Micros, limit: int = 5000) -> list[Due]:
    """Failed recordings of a root whose back-off is over; decide on each before it is
    called due."""
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
        first = seen if doubtful else None
        found.append(Due._make((*columns, 0, mtime, State.FAILED, first)))
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


class FailedWith(NamedTuple):
    """How many recordings of a root could not be deleted for one reason, and when the
    next of them is tried again."""

    error: str
    number: int
    retry_at: Micros


def failures(tx: Connection, root: int, limit: int) -> list[FailedWith]:
    """Why recordings of a root could not be deleted, the most frequent reasons first."""
    found = tx.exec_driver_sql(
        "SELECT f.error, count(*), min(f.retry_at) FROM failure f "
        "JOIN stream s ON s.key=f.stream AND s.root=? CROSS JOIN recording r "
        "ON r.stream=f.stream AND r.start=f.start AND r.n=f.n WHERE r.state=3 "
        "GROUP BY f.error ORDER BY 2 DESC, 1 LIMIT ?",
        (root, limit),
    )
    return [FailedWith._make(row) for row in found]


class Failure(NamedTuple):
    """Why a recording could not be deleted, since when, and what follows."""

    error: str
    since: Micros
    tries: int
    retry_at: Micros


def failure_of(tx: Connection, key: Key) -> Failure | None:
    """What is known of a recording that could not be deleted."""
    row = tx.exec_driver_sql(
        "SELECT error, since, tries, retry_at FROM failure "
        "WHERE stream=? AND start=? AND n=?",
        key,
    ).one_or_none()
    return None if row is None else Failure._make(row)


def with_doubt(tx: Connection, row: Due) -> Due:
    """The row with what the catalogue keeps of its quarantine, if anything."""
    kept = doubt(tx, row.key)
    return row if kept is None else row._replace(mtime=kept.mtime, seen=_open(kept))


def seen_of(tx: Connection, key: Key) -> Micros | None:
    """When a recording in quarantine was first seen; None where it is in none."""
    kept = doubt(tx, key)
    return None if kept is None else _open(kept)


def _open(doubt: Doubt) -> Micros | None:
    return None if doubt.reason.startswith(RULED) else doubt.seen


def overlapping(
    tx: Connection,
    stream: int,
    longest: Micros,
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
        (stream, window.start - longest - 1, first, window.end, window.start, until),
    ).one()
    return Sum(*row)


def scopes(tx: Connection, root: int, policy: Policy, now: Micros) -> list[Scope]:
    """Every stream of a root as deletion sees it, read afresh: for plans and status."""
    found = streams.of_root(tx, root)
    held = holds.of_cameras(tx, {stream.camera for stream in found}, now)
    return [
        Scope(
            stream.key, stream.camera, policy.period(stream.camera), stream.longest,
            looks.doubt_of_stream(tx, stream), held[stream.camera], now,
        )
        for stream in found
    ]  # fmt: skip
