"""The guards: in doubt nothing is deleted, and the doubt is on record (P6, design 10).

Owns the judgement of the clock, which is pure, and tripping and clearing by name.  Each
tripped guard is a row and an audit entry, written in the same transaction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from retention.catalogue import guards as rows
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.clock import Reading
from retention.errors import NotPermittedError, UsageError
from retention.localtime import format_duration, format_utc
from retention.model import DAY, MINUTE, SECOND, Actor, Entry, Micros
from retention.wording import reason_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.audit.log import Log
    from retention.catalogue.db import Catalogue
    from retention.catalogue.guards import Tripped
    from retention.context import Context

CLOCK = "clock"
ROOT = "root"
CATALOGUE = "catalogue"
VOLUME = "volume"
LOG = "log"
REQUEST = "request"

STEP: Micros = MINUTE
"""Wall time may gain this much on boot time before the clock is not believed."""
BEHIND: Micros = 5 * SECOND
"""How far wall time may lie before the last entry that a believed clock dated."""
UNWATCHED: Micros = DAY
"""What may pass between two starts of the machine on the word of its clock alone."""
SETTLING: Micros = 10 * MINUTE
"""How long the kernel must say synchronised, without a step, to be believed again."""
FORGIVEN: Micros = DAY
"""A jump of this size or more needs an administrator."""

CLOCK_FACT = "clock"

RESTORED_FACT = "catalogue.restored"
"""The catalogue was older than its published log, and nobody has acknowledged that."""

ACKNOWLEDGE = ("administrator", "offline")
"""Who may vouch for the clock.  Offline: whoever may open the closed catalogue."""

_REMEDIES = {
    CLOCK: "compare `timedatectl` with another clock and put time synchronisation right; "
    "deletion goes on by itself after 10 minutes synchronised, but after a jump of a day "
    "or more only once an administrator vouches for the clock: "
    '`retention guard acknowledge clock --reason "..."`',
    ROOT: "mount the right disk at the root's path, or put right what the detail says; "
    "it is looked at again with every scan. For a new disk: `retention root replace`",
    CATALOGUE: "if it was restored and brought up to its log: look at the holds and at "
    "`retention status`, then an administrator acknowledges it, `retention guard "
    'acknowledge catalogue --reason "..."`; if it is damaged: stop the service, restore '
    "the newest backup of the catalogue and start again, which brings it up to its log",
    VOLUME: "look at `retention plan`; if it is right, a supervisor approves it with "
    "`retention deletion approve`",
    REQUEST: "see what the request asks for, place that hold by hand where it is meant, "
    "then an administrator acknowledges: "
    '`retention guard acknowledge request --reason "..."`',
    LOG: "free space on the file system of the state directory, or put right what the "
    "detail says; deletion goes on by itself when entries can be written again",
}


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the clock guard remembers from reading to reading.

    `anchor`: where the believed clock stands, all else is measured against it.
    `previous`: the last reading, believed or not.  `steady_since`: boot time since
    when the kernel says synchronised and no step was seen, None where it does not.
    `fault`: why the clock is not believed, None while it is.  `jump`: the largest
    error seen since it tripped, in microseconds.
    """

    anchor: Reading | None = None
    previous: Reading | None = None
    steady_since: Micros | None = None
    fault: str | None = None
    jump: Micros = 0

    @property
    def believed(self) -> bool:
        """Whether deletion may go by this clock."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class _Fault:
    sentence: str
    jump: Micros


def judge_clock(
    state: ClockState,
    reading: Reading,
    *,
    last_entry_at: Micros | None,
    newest_recording: Micros | None,
    require_synchronised: bool = False,
) -> ClockState:
    """Judge one reading: the whole of the clock guard (design, section 10).

    `last_entry_at` is the time of the last entry written while the clock was believed,
    `newest_recording` the end of the newest recording catalogued.  Boot time can't be
    set, so within one start of the machine every step of the clock shows against it;
    across starts only those two and the kernel's word are left.
    """
    steady = _steady_since(state, reading)
    seen = replace(state, previous=reading, steady_since=steady)
    settled = steady is not None and reading.boottime - steady >= SETTLING
    fault = _fault(state.anchor, reading, last_entry_at, newest_recording)
    if fault is None and require_synchronised and reading.synchronised is not True:
        fault = _Fault("the kernel does not say that the clock is synchronised", 0)
    if state.fault is None:
        if fault is not None:
            return replace(seen, fault=fault.sentence, jump=fault.jump)
        return replace(seen, anchor=_anchor(state.anchor, reading, settled))
    jump = max(state.jump, _step(state.previous, reading))
    if fault is not None and fault.jump > jump:
        return replace(seen, fault=fault.sentence, jump=fault.jump)
    if settled and jump < FORGIVEN:
        return ClockState(anchor=reading, previous=reading, steady_since=steady)
    return replace(seen, jump=jump)


def _fault(
    anchor: Reading | None,
    reading: Reading,
    last_entry_at: Micros | None,
    newest_recording: Micros | None,
) -> _Fault | None:
    """Why this reading is not to be believed, and by how much it is wrong."""
    if anchor is not None and _same_boot(anchor, reading):
        ahead = reading.offset - anchor.offset
        if ahead > STEP:
            return _Fault(f"the clock jumped ahead by {format_duration(ahead)}", ahead)
    elif reading.synchronised is not True:
        ahead = _unwatched(anchor, reading, last_entry_at, newest_recording)
        if ahead > UNWATCHED:
            return _Fault(
                f"after a start of the machine the clock says {_seconds(reading.wall)}, "
                f"{format_duration(ahead)} after the last sign of life, and the "
                "kernel does not say that it is synchronised",
                ahead,
            )
    behind = 0 if last_entry_at is None else last_entry_at - reading.wall
    if behind > BEHIND:
        return _Fault(
            f"the clock says {_seconds(reading.wall)}, {format_duration(behind)} before "
            "the audit log's last entry",
            behind,
        )
    return None


def _seconds(instant: Micros) -> str:
    return format_utc(instant // SECOND * SECOND)


def _unwatched(
    anchor: Reading | None,
    reading: Reading,
    last_entry_at: Micros | None,
    newest_recording: Micros | None,
) -> Micros:
    """How long nobody watched the clock, by its own account.

    A clock can't vouch for itself: entries that an offline command wrote since do not
    count, and a recording no further than the guard itself would go.
    """
    known = last_entry_at if anchor is None else anchor.wall
    if known is None:
        known = newest_recording
    elif newest_recording is not None and newest_recording - known <= UNWATCHED:
        known = max(known, newest_recording)
    return 0 if known is None else reading.wall - known


def _steady_since(state: ClockState, reading: Reading) -> Micros | None:
    """Since when the kernel has said synchronised, with no step in between."""
    if reading.synchronised is not True:
        return None
    previous = state.previous
    if (
        state.steady_since is None
        or previous is None
        or not _same_boot(previous, reading)
        or _step(previous, reading) > BEHIND
        or reading.boottime < previous.boottime
    ):
        return reading.boottime
    return state.steady_since


def _anchor(anchor: Reading | None, reading: Reading, settled: bool) -> Reading:
    """Where the believed clock stands after a believed reading.

    Steps too small to trip are not forgotten until the clock has settled, else many of
    them would add up unseen: the anchor stays where the clock would be without them.
    """
    if anchor is None or settled or not _same_boot(anchor, reading):
        return reading
    return reading._replace(
        wall=reading.boottime + min(anchor.offset, reading.offset),
    )


def _step(previous: Reading | None, reading: Reading) -> Micros:
    """How far the clock was set since, either way; 0 where that can't be known."""
    if previous is None or not _same_boot(previous, reading):
        return 0
    return abs(reading.offset - previous.offset)


def stepped(previous: Reading, reading: Reading) -> bool:
    """Whether the clock was set between two readings, by more than it is off anyway."""
    return _step(previous, reading) > SECOND


def _same_boot(one: Reading, other: Reading) -> bool:
    return one.boot == other.boot != ""


def trip(
    catalogue: Catalogue,
    log: Log,
    now: Micros,
    actor: Actor,
    name: str,
    scope: str,
    detail: str,
) -> bool:
    """Trip guard `name` for `scope` (a root's name, or '' for all); see `trip_in`."""
    with catalogue.write(Priority.DELETION) as tx:
        return trip_in(tx, log, now, actor, name, scope, detail)


def trip_in(
    tx: Connection,
    log: Log,
    now: Micros,
    actor: Actor,
    name: str,
    scope: str,
    detail: str,
) -> bool:
    """The last step of a transaction: trip a guard; True if it was not tripped yet.

    One that is tripped stays so and makes no second entry; `status` shows the newest
    detail.
    """
    if not rows.put(tx, name, scope, now, detail):
        return False
    fields = {"guard": name, "scope": scope, "detail": detail}
    log.append(tx, Entry("guard.tripped", now, actor, fields))
    return True


def clear(
    catalogue: Catalogue,
    log: Log,
    now: Micros,
    actor: Actor,
    name: str,
    scope: str,
    reason: str,
) -> bool:
    """Clear guard `name` for `scope`, on record; False if it was not tripped."""
    with catalogue.read() as tx:
        if not rows.is_tripped(tx, name, scope):
            return False
    with catalogue.write(Priority.DELETION) as tx:
        return clear_in(tx, log, now, actor, name, scope, reason)


def clear_in(
    tx: Connection,
    log: Log,
    now: Micros,
    actor: Actor,
    name: str,
    scope: str,
    reason: str,
) -> bool:
    """The last step of a transaction: clear a guard; False if it was not tripped."""
    if not rows.take(tx, name, scope):
        return False
    fields = {"guard": name, "scope": scope, "reason": reason}
    log.append(tx, Entry("guard.cleared", now, actor, fields))
    return True


def tripped(tx: Connection) -> list[Tripped]:
    """Every guard that is tripped now, oldest first."""
    return rows.everyone(tx)


def doubt_of_clock(tx: Connection, now: Micros) -> str | None:
    """Why nothing that frees footage later may be dated by this clock; None where
    nothing speaks against it.  For commands, which have no clock of their own."""
    found = rows.find(tx, CLOCK, "")
    if found is not None:
        return found.detail
    latest = rows.latest_entry(tx, 0)
    if latest is not None and now < latest - BEHIND:
        return f"it is behind the audit log's last entry, of {_seconds(latest)}"
    return None


def guard_acknowledge(context: Context, *, guard: str, reason: str) -> dict[str, Any]:
    """An administrator rules on a guard, and deletion goes on.

    `clock`: the clock is right as it is now.  `request`: what a request that was left
    while the service was down asked for is seen to.  `catalogue`: it was restored from
    a backup and brought up to its published log, and that is right.  The others clear
    when their cause is gone.  Raises UsageError where nothing is to be acknowledged, NotPermittedError
    for other roles (design, section 11).
    """
    if guard not in (CLOCK, REQUEST, CATALOGUE):
        raise UsageError(
            f"the guard {guard!r} can't be acknowledged: it clears by itself once its "
            "cause is gone; `retention status` says what to do"
        )
    reason = reason_of(reason, f"the {guard} is right")
    if context.actor.role not in ACKNOWLEDGE:
        raise NotPermittedError("only an administrator may acknowledge a guard")
    with context.catalogue.write(Priority.HOLD) as tx:
        found = rows.find(tx, guard, "")
        if found is None:
            raise UsageError(
                f"the {guard} guard is not tripped: nothing to acknowledge"
            )
        if guard == CATALOGUE:
            if get_fact(tx, RESTORED_FACT) is None:
                raise UsageError(
                    "the catalogue was not restored, so there is nothing to "
                    f"acknowledge: {found.detail}"
                )
            put_fact(tx, RESTORED_FACT, None)
        if guard == CLOCK:
            put_fact(tx, CLOCK_FACT, acknowledged(context.now, rows.log_size(tx)))
        clear_in(tx, context.log, context.now, context.actor, guard, "", reason)
    return {
        "guard": guard,
        "tripped": format_utc(found.since),
        "detail": found.detail,
        "believed": format_utc(context.now),
    }


def acknowledged(now: Micros, size: int) -> dict[str, Any]:
    """What is remembered of the clock after a person vouched for it at `now`.

    Entries up to `size` may have been dated by the wrong clock: they no longer count.
    The anchor belongs to no start of the machine, so only its time is compared.
    """
    anchor = Reading(now, 0, 0, "", None)
    return {"anchor": list(anchor), "entry_at": now, "entries": size, "jump": 0}


def first_seen(reading: Reading) -> dict[str, Any]:
    """What is remembered of the clock when the log is opened."""
    return {"anchor": list(reading), "entry_at": reading.wall, "entries": 0, "jump": 0}


def restored(detail: str) -> str:
    """The detail of the guard after a restoration, until it is acknowledged."""
    return (
        f"{detail}; an administrator must acknowledge that before anything is deleted: "
        '`retention guard acknowledge catalogue --reason "..."`'
    )


def is_restored(tx: Connection) -> bool:
    """Whether the catalogue was restored and nobody has acknowledged that yet."""
    return get_fact(tx, RESTORED_FACT) is not None


def remedy(name: str) -> str:
    """What a person does about a tripped guard, in one sentence."""
    return _REMEDIES[name]
