"""What is due in the catalogue.

Every query visits only the start times outside hold windows, one clustered range each,
so its cost follows what is due, not what is stored or held.  What is summed up of many
streams is one statement for them all: nothing is asked stream by stream.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection

from retention.catalogue import looks, streams
from retention.catalogue.db import Catalogue
from retention.catalogue.recordings import RULED, Doubt, Key, doubt
from retention.model.choice import Due, Scope
from retention.model.policy import BEGINNING, Policy
from retention.model.values import FOREVER, Micros, Recording, State, Stream

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
    "AND q.n=r.n AND q.plan=:plan)"
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


_COLUMNS = (
    "stream", "camera", "longest", "doubted", "first", "after", "cut", "seen_after",
    "seen",
)  # fmt: skip
_GIVEN = ", ".join(f"json_extract(value, '$[{n}]')" for n in range(len(_COLUMNS)))
# A window as if it were a hold's ends where the stream begins, so that there is a
# stretch before the first hold too.  Where times are in doubt any hold holds all.
_FREE = f"""
WITH given({", ".join(_COLUMNS)}) AS (SELECT {_GIVEN} FROM json_each(:asked)),
asked AS MATERIALIZED (
    SELECT stream, camera, longest, doubted, after, cut, seen_after, seen, max(first,
        ifnull((SELECT min(start) FROM recording r WHERE r.stream=g.stream), first)
    ) AS first FROM given g
),
windows AS (
    SELECT stream, NULL AS hold, {BEGINNING} AS since, first AS until, longest, after, cut
    FROM asked
    UNION ALL
    SELECT a.stream, h.key, iif(a.doubted, {BEGINNING}, h.since),
        iif(a.doubted, {FOREVER}, h.until), a.longest, a.after, a.cut
    FROM asked a CROSS JOIN hold_camera c ON c.camera=a.camera
    CROSS JOIN hold h ON h.key=c.hold
    WHERE (h.free_at IS NULL OR h.free_at>:now) AND (a.doubted OR h.until>a.first)
),
free AS (
    SELECT stream, max(until) OVER w AS first, lead(since, 1, {FOREVER}) OVER w AS stop,
        after, cut FROM windows
    WINDOW w AS (PARTITION BY stream ORDER BY since ROWS UNBOUNDED PRECEDING)
)
"""
_UNHELD = (
    "NOT EXISTS (SELECT 1 FROM hold_camera c CROSS JOIN hold h ON h.key=c.hold "
    "WHERE c.camera=a.camera AND (h.free_at IS NULL OR h.free_at>:now))"
)
_IS_DUE = (
    "r.start>=f.first AND r.start<min(f.stop, f.cut) AND r.state=0 "
    "AND r.start+r.duration<=min(f.stop, f.cut) AND r.start+r.duration>f.after"
)
# CROSS JOIN: SQLite keeps the order.  Without statistics it would rather walk every
# recording of a stream than the few in quarantine.
_DOUBTFUL = (
    "asked a CROSS JOIN quarantine d ON d.stream=a.stream CROSS JOIN recording r "
    "ON r.stream=d.stream AND r.start=d.start AND r.n=d.n AND r.state=2"
)


def _ask(
    tx: Connection,
    sql: str,
    scopes: Collection[Scope],
    span: Span,
    first: Mapping[int, Micros] | None = None,
    **more: Any,
) -> Sequence[Any]:
    """The answer to a query of `free` and `asked` for these streams, of each from the
    start in `first` on, where that has one."""
    if not scopes:
        return []
    asked = []
    for scope in scopes:
        seen_after, seen = span.after - scope.period, span.until - scope.period
        after, cut = seen_after, seen
        if scope.in_doubt is not None:
            after, cut = scope.in_doubt.latest(after), scope.in_doubt.latest(cut)
        since = BEGINNING if first is None else first.get(scope.stream, BEGINNING)
        since = max(since, after - scope.longest)  # what starts before ends by `after`
        asked.append(
            (scope.stream, scope.camera, scope.longest, scope.in_doubt is not None,
             since, after, cut, seen_after, seen)
        )  # fmt: skip
    now = next(iter(scopes)).now
    values = {"asked": json.dumps(asked), "now": now, **more}
    return tx.exec_driver_sql(_FREE + sql, values).all()


PAGE = 100
"""Streams that are asked about in one reading, so that none takes long."""


def paged(
    catalogue: Catalogue,
    scopes: Sequence[Scope],
    ask: Callable[..., Mapping[int, T]],
    *given: Any,
) -> dict[int, T]:
    """What `ask` (with what is `given` besides) answers by stream, some streams in each
    reading."""
    found: dict[int, T] = {}
    for at in range(0, len(scopes), PAGE):
        with catalogue.read() as tx:
            found |= ask(tx, scopes[at : at + PAGE], *given)
    return found


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
    ranges = _ask(
        tx,
        "SELECT f.first, min(f.stop, f.cut), f.after FROM free f WHERE EXISTS "
        f"(SELECT 1 FROM recording r WHERE r.stream=f.stream AND {_IS_DUE}) ORDER BY 1",
        [scope],
        span,
        {scope.stream: first},
    )
    for low, high, after in ranges:
        rows = tx.exec_driver_sql(
            sql,
            (scope.period, *extra, scope.stream, low, high, high, after,
             limit - len(found)),
        ).all()  # fmt: skip
        found.extend(_counted(scope, map(Due._make, rows)))
        if len(found) >= limit:
            break
    return found


def _counted(scope: Scope, rows: Iterable[Due]) -> Iterable[Due]:
    """Rows with their due instants, where the times of their stream are in doubt too."""
    doubt = scope.in_doubt
    if doubt is None:
        return rows
    return [
        row._replace(due=doubt.since(row.start + row.duration) + scope.period)
        for row in rows
    ]


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


def totals_found(
    tx: Connection, scopes: Collection[Scope], until: Micros, outside_plan: int
) -> dict[int, int]:
    """By stream how many recordings are due that were so when they were catalogued, and
    that this plan does not list."""
    rows = _ask(
        tx,
        "SELECT f.stream, count(*) FROM free f CROSS JOIN due_when_found d ON d.stream=f.stream "
        "AND d.start>=f.first AND d.start<min(f.stop, f.cut) CROSS JOIN recording r "
        "ON r.stream=d.stream AND r.start=d.start AND r.n=d.n "
        f"WHERE {_IS_DUE} AND NOT {_LISTED} GROUP BY f.stream",
        scopes,
        Span(BEGINNING, until),
        plan=outside_plan,
    )
    return dict(rows)


def totals(
    tx: Connection,
    scopes: Collection[Scope],
    span: Span,
    outside_plan: int | None = None,
) -> dict[int, Sum]:
    """By stream how many recordings are due in `span`, where there are any; with
    `outside_plan`, those that this plan does not list."""
    also = "" if outside_plan is None else f"AND NOT {_LISTED}"
    rows = _ask(
        tx,
        f"SELECT f.stream, {_SUM} FROM free f CROSS JOIN recording r "
        f"ON r.stream=f.stream WHERE {_IS_DUE} {also} GROUP BY f.stream UNION ALL "
        f"SELECT a.stream, {_SUM} FROM {_DOUBTFUL} WHERE d.seen<=a.seen "
        f"AND d.seen>a.seen_after AND {_UNHELD} {also} GROUP BY a.stream",
        scopes,
        span,
        plan=outside_plan,
    )
    found: dict[int, Sum] = {}
    for stream, *columns in rows:
        found[stream] = found.get(stream, Sum(0, 0)) + Sum(*columns)
    return found


class Next(NamedTuple):
    """What falls due next in a stream, as far as it has such: the first start of any
    present recording that is free, when the soonest of those falls due, and when the
    soonest in quarantine does."""

    first: Micros | None
    due: Micros | None
    doubtful: Micros | None

    @property
    def soonest(self) -> Micros | None:
        """When anything falls due."""
        return min((at for at in self[1:] if at is not None), default=None)


def nexts(
    tx: Connection,
    scopes: Collection[Scope],
    first: Mapping[int, Micros] | None = None,
) -> dict[int, Next]:
    """By stream what falls due next; `first`: where known, the start before which all
    is held or gone."""
    rows = _ask(tx, _NEXTS, scopes, Span(BEGINNING, FOREVER), first)
    found = {row[0]: row[1:] for row in rows}
    return {scope.stream: _next(scope, *found[scope.stream]) for scope in scopes}


def _next(
    scope: Scope, first: Micros | None, end: Micros | None, seen: Micros | None
) -> Next:
    if end is not None and scope.in_doubt is not None:
        end = scope.in_doubt.since(end)
    period = scope.period
    return Next(
        first,
        None if end is None else end + period,
        None if seen is None else seen + period,
    )


class Outlook(NamedTuple):
    """What is overdue in a root, in which of its streams, and what falls due next."""

    overdue: Sum
    late: list[Scope]
    first: Micros | None
    due: Micros | None


def outlook(
    catalogue: Catalogue, root: int, policy: Policy, now: Micros, late: Span
) -> Outlook:
    """How a root stands at `now`; what is due in the span `late` is overdue.  Those
    that could not be deleted are not in it."""
    with catalogue.read() as tx:
        found = scopes(tx, root, policy, now)
    coming = paged(catalogue, found, nexts)
    behind = [
        scope
        for scope in found
        if (at := coming[scope.stream].soonest) is not None and at <= late.until
    ]
    sums = paged(catalogue, behind, totals, late)
    return Outlook(
        sum(sums.values(), Sum(0, 0)),
        [scope for scope in behind if scope.stream in sums],
        min(
            (one.first for one in coming.values() if one.first is not None),
            default=None,
        ),
        min((one.due for one in coming.values() if one.due is not None), default=None),
    )


_IS_FREE = "state=0 AND {0}.start+{0}.duration<=stop"
# Of each free stretch the first recording, and of those the first of all.  A shorter one
# that begins later may end sooner.
_NEXTS = f"""
, firsts AS (
    SELECT stream, stop, min((
        SELECT r.start FROM recording r WHERE r.stream=f.stream AND r.start>=f.first
        AND r.start<f.stop AND r.{_IS_FREE.format("r")} ORDER BY r.start LIMIT 1
    )) AS start FROM free f WHERE first<stop GROUP BY stream
)
SELECT a.stream, o.start, (
    SELECT min(e.start+e.duration) FROM recording r CROSS JOIN recording e
    ON e.stream=r.stream AND e.start>=r.start AND e.start<r.start+r.duration
    WHERE r.stream=o.stream AND r.start=o.start
    AND r.{_IS_FREE.format("r")} AND e.{_IS_FREE.format("e")}
), (
    SELECT min(d.seen) FROM quarantine d CROSS JOIN recording r
    ON r.stream=d.stream AND r.start=d.start AND r.n=d.n AND r.state=2
    WHERE d.stream=a.stream AND {_UNHELD}
) FROM asked a LEFT JOIN firsts o ON o.stream=a.stream
"""


class KeptOverdue(NamedTuple):
    """Recordings past their period that holds keep, their bytes, and which holds."""

    number: int
    size: int
    holds: list[int]


_OVERLAPS = (
    "r.stream=w.stream AND r.start>w.since-w.longest-1 AND r.start<min(w.until, w.cut) "
    "AND r.start+r.duration>w.since AND r.start+r.duration<=w.cut AND r.state<>1"
)


def kept(
    tx: Connection, scopes: Collection[Scope], now: Micros
) -> dict[int, KeptOverdue]:
    """By stream what holds keep past its period by its own times, where there is any."""
    certain = [scope._replace(in_doubt=None) for scope in scopes]
    span = Span(BEGINNING, now)
    # What began before a window and was in an earlier one was counted there.
    sums = _ask(
        tx,
        ", told AS (SELECT *, max(until) OVER (PARTITION BY stream ORDER BY since ROWS "
        "BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM windows) "
        "SELECT w.stream, count(*), sum(r.size) FROM told w CROSS JOIN recording r "
        f"ON {_OVERLAPS} AND r.start>=w.before WHERE w.hold IS NOT NULL "
        "GROUP BY w.stream",
        certain,
        span,
    )
    streams = {row[0] for row in sums}
    by = _ask(
        tx,
        "SELECT w.stream, json_group_array(w.hold) FROM windows w WHERE w.hold IS NOT "
        f"NULL AND EXISTS (SELECT 1 FROM recording r WHERE {_OVERLAPS}) "
        "GROUP BY w.stream",
        [scope for scope in certain if scope.stream in streams],
        span,
    )
    keepers = {stream: sorted(json.loads(holds)) for stream, holds in by}
    return {
        stream: KeptOverdue(number, size, keepers[stream])
        for stream, number, size in sums
    }


_ANY_DOUBTFUL = "SELECT 1 FROM quarantine WHERE stream=? LIMIT 1"


def doubtful(
    tx: Connection,
    scope: Scope,
    span: Span,
    *,
    plan: int | None = None,
    limit: int = 5000,
) -> list[Due]:
    """Quarantined recordings due in `span`; any hold on the camera holds them all."""
    also = "" if plan is None else f"AND {_LISTED}"
    if tx.exec_driver_sql(_ANY_DOUBTFUL, (scope.stream,)).first() is None:
        return []
    found = _ask(
        tx,
        "SELECT r.stream, r.start, r.n, r.duration, r.size, p.path, d.seen+:period, "
        f"d.mtime, 2, d.seen FROM {_DOUBTFUL} LEFT JOIN recording_path p "
        "ON p.stream=d.stream AND p.start=d.start AND p.n=d.n WHERE d.seen<=a.seen "
        f"AND d.seen>a.seen_after AND {_UNHELD} {also} LIMIT :limit",
        [scope],
        span,
        period=scope.period,
        limit=limit,
        plan=plan,
    )
    return [Due._make(row) for row in found]


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


def scopes(tx: Connection, root: int, policy: Policy, now: Micros) -> list[Scope]:
    """Every stream of a root as deletion sees it, read afresh: for plans and status."""
    return scopes_of(tx, streams.of_root(tx, root), policy, now)


def scopes_of(
    tx: Connection, found: Collection[Stream], policy: Policy, now: Micros
) -> list[Scope]:
    """These streams as deletion sees them."""
    doubts = looks.doubts(tx, found)
    return [
        Scope(
            stream.key, stream.camera, policy.period(stream.camera), stream.longest,
            doubts.get(stream.key), now,
        )
        for stream in found
    ]  # fmt: skip
