"""Settings propose retention periods and rules, the catalogue decides; on record.

What keeps footage longer, or asks for more people, applies at once.  What does the
opposite is a proposal with a number, which a supervisor approves or rejects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import cameras, policies, proposals
from retention.catalogue.db import Catalogue, Priority
from retention.control import members, rules
from retention.control.in_force import longer_than_logged, weaker_than_log
from retention.control.preview import preview
from retention.model.answers.policy import (
    CameraPeriod,
    LongerThanLogged,
    PeriodProposed,
    PolicyShown,
    ProposalShown,
    RuleProposed,
)
from retention.model.answers.status import PolicyInForce, ShorterPeriod
from retention.model.localtime import format_utc, utc_or_null
from retention.model.policy import PeriodChange, Policy, adopt
from retention.model.values import LISTED, Camera, Entry, Micros, Rows

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.log import Author
    from retention.control.context import Context
    from retention.site.settings import Settings

PERIODS = "periods"
"""The subject of the one proposal of all shorter periods; others are rules' names."""


class ProposedPeriods(NamedTuple):
    """What the settings ask for, beside what is in force.

    `effective`: what applies at once.  `asked`: what applies once `waiting`, the
    shorter periods, are approved.  `unknown`: ids with an override that no camera has
    today.
    """

    current: Policy | None
    effective: Policy
    asked: Policy
    waiting: list[PeriodChange]
    unknown: list[str]


def proposal(tx: Connection, settings: Settings) -> ProposedPeriods:
    """Hold the settings against the policy in force."""
    found = {id_: cameras.today(tx, id_) for id_ in settings.camera}
    asked = Policy(
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
        return ProposedPeriods(None, asked, asked, [], unknown)
    effective, waiting = adopt(current, asked)
    return ProposedPeriods(current, effective, asked, waiting, unknown)


def wanted(
    tx: Connection, settings: Settings, found: ProposedPeriods
) -> proposals.Wanted:
    """By subject what the settings ask for and does not apply by itself."""
    asked: dict[str, list[Any]] = {}
    if found.waiting:
        asked[PERIODS] = [list(change) for change in found.waiting]
    for one in rules.weaker(tx, settings.retention):
        asked[one.rule] = [one.now, one.proposed]
    return asked


def apply(catalogue: Catalogue, author: Author, settings: Settings) -> ProposedPeriods:
    """Put in force what keeps more, and number what waits for approval; on record.

    Applied twice it changes nothing the second time, and then writes nothing.  Nor does it
    where the rows say less than the log: what they are held against would not be what
    was approved, and guard *mismatch* tells of it.
    """
    with catalogue.read() as tx:
        found = proposal(tx, settings)
        if _in_force(tx, settings, found):
            return found
    with catalogue.write(Priority.HOLD, author) as tx:
        found = proposal(tx, settings)
        if weaker_than_log(tx):
            return found
        if found.current is None or _differs(found.current, found.effective):
            new = _next(found.current, found.effective)
            policies.insert(tx, author.now, new)
            tx.append(*changed(new, found.current))
        if not rules.adopted(tx, settings.retention):
            tx.append("rules.changed", rules.adopt(tx, settings.retention))
        gone, fresh = proposals.settle(tx, wanted(tx, settings, found), author.now)
        for one in gone:
            tx.append("policy.withdrawn", proposal=one.number)
        for one in fresh:
            tx.append(*_proposed(one, found))
    return found


def _in_force(tx: Connection, settings: Settings, found: ProposedPeriods) -> bool:
    """Whether `apply` has nothing to do."""
    return (
        found.current is not None
        and not _differs(found.current, found.effective)
        and rules.adopted(tx, settings.retention)
        and proposals.settled(tx, wanted(tx, settings, found))
    )


def shorten(tx: Connection, settings: Settings, now: Micros) -> tuple[Policy, Policy]:
    """Put the shorter periods in force, once approved; the new policy and the old."""
    found = proposal(tx, settings)
    if found.current is None:
        raise TypeError("there is no policy to shorten")
    new = _next(found.current, found.asked)
    policies.insert(tx, now, new)
    return new, found.current


def _next(current: Policy | None, policy: Policy) -> Policy:
    number = 1 if current is None else current.version + 1
    return Policy(number, policy.days, policy.cameras)


def _differs(one: Policy, other: Policy) -> bool:
    return one.days != other.days or dict(one.cameras) != dict(other.cameras)


def changed(new: Policy, old: Policy | None, approved: int | None = None) -> Entry:
    """The entry of new periods; `approved` is the proposal that asked for them."""
    fields = {"version": new.version, "proposal": approved}
    return _listing("policy.changed", fields, new, old)


def _listing(
    kind: str, fields: dict[str, Any], new: Policy, old: Policy | None
) -> Entry:
    """An entry with the periods of both; the cameras' in its rows, where they are many."""
    before: Mapping[int, int] = {} if old is None else old.cameras
    keys = sorted({*new.cameras, *before})
    fields |= {
        "days": new.days, "cameras": None, "old_cameras": None,
        "old_days": None if old is None else old.days,
    }  # fmt: skip
    if len(keys) > LISTED:
        values = [(key, new.cameras.get(key), before.get(key)) for key in keys]
        return Entry(kind, fields, Rows(("camera", "days", "old_days"), values))
    fields["cameras"] = _by_key(new.cameras)
    fields["old_cameras"] = None if old is None else _by_key(before)
    return Entry(kind, fields)


def _by_key(cameras: Mapping[int, int]) -> dict[str, int]:
    return {str(key): days for key, days in cameras.items()}


def _proposed(one: proposals.Proposal, found: ProposedPeriods) -> Entry:
    if one.subject != PERIODS:
        old, new = (rules.text(one.subject, value) for value in one.changes)
        fields = {"proposal": one.number, "rule": one.subject, "old": old, "new": new}
        return Entry("rules.proposed", fields)
    fields = {"proposal": one.number}
    return _listing("policy.proposed", fields, found.asked, found.effective)


# -- what people are shown --------------------------------------------------------


def policy_show(context: Context) -> PolicyShown:
    """Periods and rules in force, and each proposal with what it would make due.

    A proposal whose `proposal` is null is newer than the numbers: it gets its own at
    the next start, or when somebody approves one.
    """
    settings = context.settings
    with context.catalogue.read() as tx:
        found = proposal(tx, settings)
        policy = found.current or found.effective
        register = {camera.key: camera for camera in cameras.everyone(tx)}
        in_force = rules.effective(tx, settings)
        waiting = listed(tx, settings, found)
        since = policies.since(tx)
        longer = longer_than_logged(context.catalogue, tx)

    def due_by(one: ProposalShown) -> ProposalShown:
        if one.subject != PERIODS:
            return one
        due = preview(context.catalogue, policy, found.asked, context.now)
        return replace(one, would_become_due=due)

    return PolicyShown(
        version=policy.version,
        since=utc_or_null(since),
        days=policy.days,
        cameras=[
            CameraPeriod(register[key].id, register[key].location, days)
            for key, days in policy.cameras.items()
        ],
        rules=rules.described(in_force),
        proposals=[due_by(one) for one in waiting],
        approvers=members.of(settings, "supervisor"),
        overrides_of_unknown_cameras=found.unknown,
        not_in_log=[
            LongerThanLogged(register[key].id, *both) for key, both in longer.items()
        ],
    )


def told(tx: Connection, settings: Settings, policy: Policy) -> PolicyInForce:
    """Periods in force, and what the settings propose beside them."""
    found = proposal(tx, settings)
    return PolicyInForce(
        version=policy.version,
        days=policy.days,
        shorter_periods_waiting=[_shorter(tx, change) for change in found.waiting],
        overrides_of_unknown_cameras=found.unknown,
        proposals=listed(tx, settings, found),
    )


def _shorter(tx: Connection, change: PeriodChange) -> ShorterPeriod:
    camera = None if change.camera is None else cameras.by_key(tx, change.camera)
    return ShorterPeriod(
        None if camera is None else camera.id, change.now, change.proposed
    )


def listed(
    tx: Connection, settings: Settings, found: ProposedPeriods
) -> list[ProposalShown]:
    """Every proposal as answers show it; state "waiting" or "rejected"."""
    asked = wanted(tx, settings, found)
    kept = {one.subject: one for one in proposals.everyone(tx)}
    lines = []
    for subject, stored in asked.items():
        one = kept.get(subject)
        if one is not None and one.changes != stored:
            one = None  # the number stands for something else
        lines.append(
            ProposalShown(
                proposal=None if one is None else one.number,
                state="rejected" if one is not None and one.rejected else "waiting",
                proposed=None if one is None else format_utc(one.at),
                subject=subject,
                changes=changes(tx, subject, stored),
            )
        )
    return lines


def changes(
    tx: Connection, subject: str, stored: list[Any]
) -> list[RuleProposed | PeriodProposed]:
    """The changes of a proposal as answers show them, of periods or of one rule."""
    if subject != PERIODS:
        now, proposed = (rules.text(subject, value) for value in stored)
        return [RuleProposed(subject, now, proposed)]
    keys = {key for key, _, _ in stored if key is not None}
    register = {one.key: one for one in cameras.everyone(tx)} if keys else {}
    return [
        PeriodProposed(*_named(register, key), days=now, proposed_days=proposed)
        for key, now, proposed in stored
    ]


def _named(
    register: dict[int, Camera], key: int | None
) -> tuple[str | None, str | None]:
    """Id and location of a camera; None and None for all of them."""
    return (None, None) if key is None else (register[key].id, register[key].location)
