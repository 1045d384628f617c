"""What people say of alarms: which stand, and that one was seen to.

An alarm ends by its condition or by a person's word, as its declaration says; a lost
recording that was under a hold takes two people, as a release does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import cameras, raised, roots, zones
from retention.catalogue import unread as parts_of
from retention.catalogue.db import RESTORED_FACT, Priority, get_fact, put_fact
from retention.catalogue.raised import FirstPerson, Raised
from retention.control import (
    alarms,
    clock_right,
    guards,
    members,
    rules,
    successor,
    two_people,
    verbs,
)
from retention.control.clock_guard import CLOCK_FACT, FORGIVEN, acknowledged
from retention.control.guards import ALARMS, Rank
from retention.model.answers.alarm import AlarmAcknowledged, AlarmList, AlarmShown
from retention.model.answers.deletion import GuardAcknowledged
from retention.model.errors import NotPermittedError, RetentionError, UsageError
from retention.model.localtime import format_utc
from retention.model.values import Micros
from retention.model.wording import reason_of
from retention.site.caller import ROLE as OFFLINE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Set

    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction
    from retention.control.context import Context


def standing(context: Context, tx: Connection) -> list[Raised]:
    """Every alarm, the worst first; with those that could not be written."""
    found = {(one.name, one.scope): one for one in raised.everyone(tx)}
    for one in () if context.unwritten is None else context.unwritten():
        found.setdefault((one.name, one.scope), one)
    return sorted(found.values(), key=lambda one: (ALARMS[one.name].rank, one.since))


def shown(tx: Connection, found: Collection[Raised]) -> list[AlarmShown]:
    """Alarms as answers show them."""
    if not found:
        return []
    ids = {camera.key: camera.id for camera in cameras.everyone(tx)}
    return [
        AlarmShown(
            number=one.number if one.number >= 0 else None,
            alarm=one.name,
            scope=one.scope,
            rank=ALARMS[one.name].rank.name.lower(),
            since=format_utc(one.since),
            detail=one.detail,
            remedy=guards.remedy(one.name, one.scope, one.number),
            cameras=[ids[key] for key in one.cameras if key in ids],
            acknowledged_by=ALARMS[one.name].people,
            asked_by=None if one.asked is None else one.asked.name,
        )
        for one in found
    ]


def of_hold(
    found: Iterable[Raised], hold: int | None, cameras: Set[int], roots: Set[str]
) -> list[Raised]:
    """Of these alarms those that concern a hold: its own losses, what names one of its
    cameras (keys), and what stands for a root that these are recorded in and names no
    camera."""

    def concerns(one: Raised) -> bool:
        place = one.scope.partition("/")[0]
        if one.name == guards.HELD_LOST:
            return place == str(hold)
        return not cameras.isdisjoint(one.cameras) if one.cameras else place in roots

    return [one for one in found if concerns(one)]


def alarm_list(context: Context) -> AlarmList:
    """All that needs a person, the worst first."""
    with context.catalogue.read() as tx:
        return AlarmList(shown(tx, standing(context, tx)))


def alarm_show(context: Context, *, alarm: int) -> AlarmShown:
    """One alarm by its number; UsageError where none of that number stands."""
    with context.catalogue.read() as tx:
        return shown(tx, [_numbered(tx, alarm)])[0]


def alarm_acknowledge(
    context: Context, *, alarm: int, reason: str
) -> AlarmAcknowledged:
    """Say that an alarm was seen to: it stands no more, or waits for a second person.

    A guard takes an administrator, any other alarm a supervisor.  UsageError where it
    ends by its condition alone, or does not stand.
    """
    with context.catalogue.read() as tx:
        found = _numbered(tx, alarm)
    declared = ALARMS[found.name]
    if found.name in guards.VOUCHED:
        _needs(context, "administrator", "a guard")
        guard_acknowledge(context, guard=found.name, reason=reason)
        return AlarmAcknowledged(alarm=alarm, ended=True, detail=found.detail)
    if declared.people == 0:
        raise UsageError(
            f"alarm {alarm} ends by itself once its cause is gone, nobody can "
            f"acknowledge it: {guards.remedy(found.name, found.scope)}"
        )
    stops = declared.rank is Rank.STOPS
    _needs(context, *(("administrator", "a guard") if stops else ("supervisor", "it")))
    reason = reason_of(reason, "the alarm has been seen to")
    with context.write(Priority.HOLD) as tx:
        found = _numbered(tx, alarm)
        ended = declared.people == 1 or _is_second(context, tx, found, reason)
        if ended and found.name == guards.ZONE:
            root = roots.by_name(tx, found.scope)
            if root is not None:
                zones.accept(tx, root.key)
        if ended:
            alarms.clear_in(tx, found.name, found.scope, reason, acknowledged=True)
    return AlarmAcknowledged(alarm=alarm, ended=ended, detail=found.detail)


def _numbered(tx: Connection, number: int) -> Raised:
    found = raised.numbered(tx, number)
    if found is None:
        raise UsageError(
            f"there is no alarm {number}, or it is over: `retention alarm list` shows "
            "those that stand"
        )
    return found


def _needs(context: Context, role: str, what: str) -> None:
    if context.actor.role not in (role, OFFLINE):
        one = "an" if role[0] in "aeiou" else "a"
        raise NotPermittedError(f"only {one} {role} may acknowledge {what}")


def _is_second(context: Context, tx: Transaction, found: Raised, reason: str) -> bool:
    """Whether this is the second person; the first one's word is noted."""
    actor, in_force = context.actor, rules.effective(tx, context.settings)
    if not in_force.two_people:
        return True
    two_people.refuse_unknown_login(actor, in_force)
    if found.asked is None or not raised.is_on_record(tx, found):
        asked = FirstPerson(
            actor.uid, actor.login, two_people.person(actor.uid, actor.name)
        )
        raised.ask(tx, found.number, asked)
        tx.append(
            "alarm.end_asked", alarm=found.name, scope=found.scope,
            raised=max(found.number, 0), reason=reason,
        )  # fmt: skip
        return False
    members.refuse_unlisted(context)
    what = f"alarm {found.number} to end"
    two_people.refuse_same(actor, found.asked, in_force, what, "It stands")
    return True


def guard_acknowledge(
    context: Context, *, guard: str, reason: str, unread: bool = False
) -> GuardAcknowledged:
    """An administrator rules on a guard, and deletion goes on.

    `clock`: the clock is right as it is now.  `request`: what a request that was left
    while the service was down asked for is seen to.  `catalogue`: it was restored from
    a backup and brought up to its published log, and that is right; with `unread`
    also that parts of roots could not be read since.  The others clear when their cause
    is gone.  Raises UsageError where nothing is to be acknowledged, RetentionError while
    its cause is there, NotPermittedError for other roles (design, section 11).
    """
    if guard not in guards.VOUCHED:
        raise UsageError(
            f"the guard {guard!r} is not acknowledged by its name: "
            + (guards.remedy(guard) if guard in guards.GUARDS else "there is none such")
        )
    reason = reason_of(reason, f"the {guard} is right")
    if not verbs.may_ask(context.actor.role, "guard.acknowledge"):
        raise NotPermittedError("only an administrator may acknowledge a guard")
    with context.write(Priority.HOLD) as tx:
        found = raised.find(tx, guard, "")
        if guard == guards.CATALOGUE:
            found = _accept_restored(tx, found, unread=unread)
        if found is None:
            raise UsageError(
                f"the {guard} guard is not tripped: nothing to acknowledge"
            )
        if guard == guards.CLOCK:
            before = get_fact(tx, CLOCK_FACT) or {}
            clock_right.put_right(tx, before.get("jump", FORGIVEN), context.now)
            put_fact(tx, CLOCK_FACT, acknowledged(context.now, raised.log_size(tx)))
        still = successor.waits(tx) if guard == guards.CATALOGUE else None
        if not alarms.clear_in(tx, guard, "", reason):  # only what was unread waited
            tx.append("guard.cleared", guard=guard, scope="", reason=reason)
        if still is not None:  # restored again, in the days after a successor
            alarms.trip(tx, context.now, guard, "", still)
        left = [
            f"guard {one.name}{f' of {one.scope}' if one.scope else ''}: {one.detail}"
            for one in alarms.tripped(tx)
        ]
    return GuardAcknowledged(
        guard=guard,
        tripped=format_utc(found.since),
        detail=found.detail,
        believed=format_utc(context.now),
        stopped_by=left,
    )


def _accept_restored(
    tx: Transaction, found: Raised | None, *, unread: bool
) -> Raised | None:
    """A restored catalogue is right, by somebody's word.  What was not read since in the
    roots must be accepted by name; a root without a whole scan since waits for one."""
    waiting = {
        root: left
        for root in roots.everyone(tx)
        if (since := parts_of.awaited(tx, root.key)) is not None
        and (root.scanned or 0) >= since
        and any(left := parts_of.parts(tx, root.key))
    }
    told = "; ".join(
        f"{root.name}: {parts_of.described(left)}" for root, left in waiting.items()
    )
    if told and not unread:
        raise UsageError(
            f"not all was read since the catalogue was restored ({told}): have it "
            "readable and wait for a scan, or accept that with --unread"
        )
    is_over = get_fact(tx, RESTORED_FACT) and not get_fact(tx, successor.LOST)
    if found is not None and not is_over:
        raise RetentionError(
            "the guard catalogue can't be acknowledged while its cause is there: "
            f"{found.detail}"
        )
    put_fact(tx, RESTORED_FACT, None)
    for root in waiting:
        parts_of.scan_again(tx, root.key, None)
    if found is None and waiting:
        return Raised(-1, guards.CATALOGUE, "", min(map(_scanned, waiting)), told)
    return found


def _scanned(root: roots.Root) -> Micros:
    return root.scanned or 0
