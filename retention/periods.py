"""Settings propose retention periods, the versioned policy in the catalogue decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import cameras, policies
from retention.catalogue.db import Catalogue, Priority, get_fact, put_fact
from retention.model import Actor, Entry, Micros
from retention.policy import Change, Policy, adopt

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.audit.log import Log
    from retention.settings import Settings

_FACT = "policy.proposed"


class Proposal(NamedTuple):
    """What the settings ask for, beside what is in force.

    `waiting`: shorter periods, not applied before an approval.  `unknown`: ids with an
    override that no camera has today.
    """

    current: Policy | None
    effective: Policy
    waiting: list[Change]
    unknown: list[str]


def proposal(tx: Connection, settings: Settings) -> Proposal:
    """Hold the settings against the policy in force."""
    found = {id_: cameras.today(tx, id_) for id_ in settings.camera}
    proposed = Policy(
        0,
        settings.retention.days,
        {
            camera.key: settings.camera[id_].days
            for id_, camera in found.items()
            if camera is not None
        },
    )
    unknown = sorted(id_ for id_, camera in found.items() if camera is None)
    current = policies.current(tx)
    if current is None:
        return Proposal(None, proposed, [], unknown)
    effective, waiting = adopt(current, proposed)
    return Proposal(current, effective, waiting, unknown)


def apply(
    catalogue: Catalogue, log: Log, now: Micros, actor: Actor, settings: Settings
) -> Proposal:
    """Put longer periods in force and note the shorter ones that wait; on record.

    Applied twice it changes nothing the second time.
    """
    with catalogue.write(Priority.HOLD) as tx:
        found = proposal(tx, settings)
        entries = []
        if found.current is None or _differs(found.current, found.effective):
            number = found.current.version + 1 if found.current is not None else 1
            new = Policy(number, found.effective.days, found.effective.cameras)
            policies.insert(tx, now, new)
            entries.append(_changed(new, found.current, now, actor))
        waiting = [list(change) for change in found.waiting]
        if waiting != (get_fact(tx, _FACT) or []):
            put_fact(tx, _FACT, waiting or None)
            if waiting:
                entries.append(_proposed(settings, found, now, actor))
        for entry in entries:
            log.append(tx, entry)
    return found


def _differs(one: Policy, other: Policy) -> bool:
    return one.days != other.days or dict(one.cameras) != dict(other.cameras)


def _changed(new: Policy, old: Policy | None, now: Micros, actor: Actor) -> Entry:
    return Entry(
        "policy.changed",
        now,
        actor,
        {
            "version": new.version,
            "days": new.days,
            "cameras": {str(key): days for key, days in new.cameras.items()},
            "old_days": None if old is None else old.days,
        },
    )


def _proposed(settings: Settings, found: Proposal, now: Micros, actor: Actor) -> Entry:
    return Entry(
        "policy.proposed",
        now,
        actor,
        {
            "days": settings.retention.days,
            "cameras": {
                str(change.camera): change.proposed
                for change in found.waiting
                if change.camera is not None
            },
        },
    )
