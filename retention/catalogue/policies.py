"""The retention policy's versions in the catalogue."""

import json

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue.schema import policy
from retention.model.errors import CatalogueError
from retention.model.policy import Policy
from retention.model.values import Micros


def current(tx: Connection) -> Policy | None:
    """The newest version, or None before `init` made the first."""
    row = tx.exec_driver_sql(
        "SELECT version, days, cameras FROM policy ORDER BY version DESC LIMIT 1"
    ).one_or_none()
    if row is None:
        return None
    version, days, cameras = row
    return Policy(version, days, {int(k): n for k, n in json.loads(cameras).items()})


def since(tx: Connection) -> Micros | None:
    """When the newest version was put in force."""
    at: Micros | None = tx.scalar(
        sa.select(policy.c.at).order_by(policy.c.version.desc()).limit(1)
    )
    return at


def insert(tx: Connection, at: Micros, policy_: Policy) -> None:
    """Write `policy_` as a new version; its number must be the next one."""
    tx.execute(
        policy.insert().values(
            version=policy_.version,
            at=at,
            days=policy_.days,
            cameras=json.dumps({str(k): v for k, v in policy_.cameras.items()}),
        )
    )


def strengthen(tx: Connection, at: Micros, said: Policy) -> None:
    """Have the policy in force keep each camera as long as `said` does, at the least."""
    kept = current(tx)
    if kept is None:
        insert(tx, at, said)
        return
    cameras = {
        key: max(kept.days_of(key), said.days_of(key))
        for key in kept.cameras.keys() | said.cameras.keys()
    }
    tx.execute(
        policy.update()
        .where(policy.c.version == kept.version)
        .values(
            days=max(kept.days, said.days),
            cameras=json.dumps({str(key): days for key, days in cameras.items()}),
        )
    )


def policy_of(tx: Connection) -> Policy:
    """The policy in force; CatalogueError where there is none."""
    found = current(tx)
    if found is None:
        raise CatalogueError(
            "the catalogue has no retention policy. Where `retention init` was broken off, "
            "run it again; else it was changed, and guard mismatch says what to do"
        )
    return found
