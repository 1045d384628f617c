"""Plans: what a supervisor is asked to approve when far more is due than there should be.

A plan lists its recordings; an approval permits those that remain of them, minus holds,
and never others (design, section 10).
"""

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue.due import Due
from retention.catalogue.schema import plan
from retention.errors import StaleError
from retention.model import Micros


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


def of_root(tx: Connection, root: int) -> Plan | None:
    """The plan of a root that waits for approval or is being carried out."""
    row = tx.execute(
        sa.select(plan)
        .where(plan.c.root == root, plan.c.state.in_(("proposed", "approved")))
        .order_by(plan.c.key.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Plan._make(row)


def waiting(tx: Connection) -> list[Plan]:
    """Every plan that waits for approval."""
    rows = tx.execute(sa.select(plan).where(plan.c.state == "proposed"))
    return [Plan._make(row) for row in rows]


def find(tx: Connection, key: int) -> Plan | None:
    """One plan by its number."""
    row = tx.execute(sa.select(plan).where(plan.c.key == key)).one_or_none()
    return None if row is None else Plan._make(row)


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


def propose(tx: Connection, key: int, count: int, size: int, digest: str) -> None:
    """The plan is whole: it waits for approval from now on."""
    _move(tx, key, "building", "proposed", count=count, size=size, digest=digest)


def approve(tx: Connection, key: int) -> None:
    """Permit what remains of the plan."""
    _move(tx, key, "proposed", "approved")


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
