"""Plans: what a supervisor is asked to approve when far more is due than there should be.

A plan lists its recordings; an approval permits those that remain of them, minus holds,
and never others (design, section 10).  The list stays whole until the plan is over: its
digest is on record.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from hashlib import sha256
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue import due, roots
from retention.catalogue.db import Catalogue, get_fact, put_fact
from retention.catalogue.due import Span
from retention.catalogue.schema import plan
from retention.model.answers.status import PlanWaiting
from retention.model.choice import Due, Scope
from retention.model.errors import StaleError
from retention.model.localtime import format_utc
from retention.model.policy import BEGINNING
from retention.model.values import DAY, Micros

PART = 50_000
"""Rows of a plan's list that are read at once."""


class Plan(NamedTuple):
    """One plan; state: building, proposed, approved, done or superseded."""

    key: int
    root: int
    at: Micros
    cutoff: Micros
    count_: int
    size: int
    digest: str
    state: str


_SELECT = f"SELECT {', '.join(plan.c.keys())} FROM plan WHERE"


def _plans(tx: Connection, where: str, *values: int) -> list[Plan]:
    rows = tx.exec_driver_sql(f"{_SELECT} {where}", values)
    return [Plan._make(row) for row in rows]


def of_root(tx: Connection, root: int) -> Plan | None:
    """The plan of a root that waits for approval or is being carried out."""
    standing = "state IN ('proposed', 'approved') ORDER BY key DESC LIMIT 1"
    found = _plans(tx, f"root = ? AND {standing}", root)
    return found[0] if found else None


def approved(tx: Connection) -> list[Plan]:
    """Every plan that is being carried out."""
    return _plans(tx, "state = 'approved'")


def waiting(tx: Connection) -> list[Plan]:
    """Every plan that waits for approval."""
    return _plans(tx, "state = 'proposed'")


def told(tx: Connection) -> list[PlanWaiting]:
    """Every plan that waits, as answers show it."""
    names = {row.key: row.name for row in roots.everyone(tx)}
    return [
        PlanWaiting(
            plan=one.key,
            root=names[one.root],
            proposed=format_utc(one.at),
            recordings=one.count_,
            bytes=one.size,
            digest=one.digest,
        )
        for one in waiting(tx)
    ]


def find(tx: Connection, key: int) -> Plan | None:
    """One plan by its number."""
    found = _plans(tx, "key = ?", key)
    return found[0] if found else None


def begin(tx: Connection, root: int, at: Micros, cutoff: Micros) -> int:
    """A new plan without rows; what was proposed before for this root is superseded.

    A crash while it is being built leaves it `building`: nothing can be approved then,
    and the next cycle begins another.
    """
    key: int = tx.execute(
        sa.select(sa.func.coalesce(sa.func.max(plan.c.key), 0) + 1)
    ).scalar_one()
    tx.execute(
        plan.update()
        .where(plan.c.root == root, plan.c.state.in_(("proposed", "building")))
        .values(state="superseded")
    )
    tx.execute(
        plan.insert().values(
            key=key, root=root, at=at, cutoff=cutoff, count=0, size=0, digest="",
            state="building",
        )
    )  # fmt: skip
    return key


def add(tx: Connection, key: int, rows: list[Due]) -> None:
    """List recordings in a plan that is being built."""
    tx.exec_driver_sql(
        "INSERT OR REPLACE INTO plan_row VALUES (?, ?, ?, ?)",
        [(row.stream, row.start, row.n, key) for row in rows],
    )


def digest(tx: Connection, key: int) -> str:
    """What tells a plan's list from any other: the SHA-256 of stream, start and n of its
    recordings, one a line, in order.  Reads all of it."""
    return digest_in_parts(lambda: nullcontext(tx), key)


def digest_in_parts(
    reading: Callable[[], AbstractContextManager[Connection]], key: int
) -> str:
    """As `digest`, a part of a list that does not change in each reading."""
    sha, after = sha256(), (BEGINNING, BEGINNING, BEGINNING)
    while True:
        with reading() as tx:
            found = tx.exec_driver_sql(
                "SELECT stream, start, n FROM plan_row WHERE plan = ? "
                "AND (stream, start, n) > (?, ?, ?) ORDER BY stream, start, n LIMIT ?",
                (key, *after, PART),
            ).all()
        for row in found:
            sha.update(b"%d,%d,%d\n" % tuple(row))
        if len(found) < PART:
            return sha.hexdigest()
        after = tuple(found[-1])


def propose(tx: Connection, key: int, count: int, size: int, digest: str) -> None:
    """The plan is whole: it waits for approval from now on."""
    _move(tx, key, "building", "proposed", count=count, size=size, digest=digest)


def approve(tx: Connection, key: int) -> None:
    """Permit what remains of the plan."""
    _move(tx, key, "proposed", "approved")


def revoke(tx: Connection, key: int) -> None:
    """Nobody approved this plan: the next cycle asks for another."""
    _move(tx, key, "approved", "superseded")


def finish(tx: Connection, key: int) -> None:
    """Nothing of the plan is left that may be deleted."""
    _move(tx, key, "approved", "done")


def _move(tx: Connection, key: int, old: str, new: str, **values: str | int) -> None:
    done = tx.execute(
        plan.update()
        .where(plan.c.key == key, plan.c.state == old)
        .values(state=new, **values)
    )
    if done.rowcount != 1:
        raise StaleError(f"plan {key} is not {old} any more; look at `retention plan`")


def drop_rows(tx: Connection, limit: int = 5000) -> int:
    """Forget rows of plans that are over, a bounded number at a time."""
    return tx.exec_driver_sql(
        "DELETE FROM plan_row WHERE (stream, start, n) IN (SELECT q.stream, q.start, "
        "q.n FROM plan_row q JOIN plan p ON p.key=q.plan "
        "WHERE p.state IN ('done', 'superseded') LIMIT ?)",
        (limit,),
    ).rowcount


PAGE = 5000


def pages(
    catalogue: Catalogue,
    scopes: list[Scope],
    span: Span,
    limit: int = PAGE,
    *,
    when_found: bool = False,
) -> Iterator[list[Due]]:
    """Everything due in a span, a bounded number at a time, each row once; with
    `when_found` only what was due when it was first catalogued."""
    for scope in scopes:
        first = BEGINNING
        while True:
            with catalogue.read() as tx:
                rows = due.present(
                    tx, scope, span, first=first, when_found=when_found, limit=limit
                )
            if len(rows) < limit:
                if rows:
                    yield rows
                break
            # The last start may go on in the next page: it is read again there.
            first = rows[-1].start
            whole = [row for row in rows if row.start < first]
            yield whole or rows
            if not whole:
                first += 1
        if when_found:
            continue
        with catalogue.read() as tx:
            rows = due.doubtful(tx, scope, span, limit=1_000_000)
        for at in range(0, len(rows), limit):
            yield rows[at : at + limit]


_TAKEN = "surprises."


def note_taken(
    tx: Connection, root: int, surprises: Mapping[int, int], now: Micros
) -> None:
    """Count surprises that go without a plan, by camera, so that few at a time are not
    many."""
    if surprises:
        taken = get_fact(tx, f"{_TAKEN}{root}") or []
        recent = [one for one in taken if now - DAY < one[0] <= now]
        new = [[now, number, camera] for camera, number in surprises.items()]
        put_fact(tx, f"{_TAKEN}{root}", [*recent, *new])


def taken(tx: Connection, root: int, now: Micros, camera: int | None) -> int:
    """How many went so within a day, of a root or of a camera in it.  An older program
    did not note whose they were: those count for the root alone."""
    return sum(
        number
        for at, number, *whose in get_fact(tx, f"{_TAKEN}{root}") or []
        if at > now - DAY and (camera is None or whose == [camera])
    )
