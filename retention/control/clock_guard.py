"""The clock guard's judgement, which is pure: whether deletion may go by a reading.

`service.timekeeper` remembers, and trips and clears the guard by it.
"""

from dataclasses import dataclass, replace
from typing import Any

from retention.model.localtime import format_duration, format_utc
from retention.model.values import DAY, MINUTE, SECOND, Micros
from retention.site.clock import Reading

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


@dataclass(frozen=True, slots=True)
class ClockState:
    """What the clock guard remembers from reading to reading.

    `anchor`: where the believed clock stands, all else is measured against it.
    `previous`: the last reading, believed or not.  `steady_since`: boot time since
    when the kernel says synchronised and no step was seen, None where it does not.
    `fault`: why the clock is not believed, None while it is.  `jump`: the largest
    error seen since it tripped, in microseconds.  `unwatched`: what passed between starts
    of the machine on the word of its clock alone, in all, since another witness spoke.
    """

    anchor: Reading | None = None
    previous: Reading | None = None
    steady_since: Micros | None = None
    fault: str | None = None
    jump: Micros = 0
    unwatched: Micros = 0

    @property
    def believed(self) -> bool:
        """Whether deletion may go by this clock."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class _ClockFault:
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
    unwatched = _unwatched(state, reading, last_entry_at, newest_recording)
    fault = _fault(state.anchor, reading, last_entry_at, unwatched)
    if fault is None and require_synchronised and reading.synchronised is not True:
        fault = _ClockFault("the kernel does not say that the clock is synchronised", 0)
    if state.fault is None:
        if fault is not None:
            return replace(seen, fault=fault.sentence, jump=fault.jump)
        anchor = _anchor(state.anchor, reading, settled)
        return replace(seen, anchor=anchor, unwatched=0 if settled else unwatched)
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
    unwatched: Micros,
) -> _ClockFault | None:
    """Why this reading is not to be believed, and by how much it is wrong."""
    if anchor is not None and _same_boot(anchor, reading):
        ahead = reading.offset - anchor.offset
        if ahead > STEP:
            return _ClockFault(
                f"the clock jumped ahead by {format_duration(ahead)}", ahead
            )
    elif unwatched > UNWATCHED:
        return _ClockFault(
            f"after a start of the machine the clock says {_seconds(reading.wall)}, by "
            f"which {format_duration(unwatched)} passed with no other sign of life since "
            "somebody vouched for it, and the kernel does not say that it is synchronised",
            unwatched,
        )
    behind = 0 if last_entry_at is None else last_entry_at - reading.wall
    if behind > BEHIND:
        return _ClockFault(
            f"the clock says {_seconds(reading.wall)}, {format_duration(behind)} before "
            "the audit log's last entry",
            behind,
        )
    return None


def _seconds(instant: Micros) -> str:
    return format_utc(instant // SECOND * SECOND)


def _unwatched(
    state: ClockState,
    reading: Reading,
    last_entry_at: Micros | None,
    newest_recording: Micros | None,
) -> Micros:
    """How long nobody watched the clock, by its own account, over all starts of the
    machine at which the kernel did not vouch for it: a day ahead at each of five would
    be five days.

    A clock can't vouch for itself: entries that an offline command wrote since do not
    count, and a recording no further than the guard itself would go.
    """
    anchor = state.anchor
    if anchor is not None and _same_boot(anchor, reading):
        return state.unwatched
    if reading.synchronised is True:
        return 0
    known = last_entry_at if anchor is None else anchor.wall
    if known is None:
        known = newest_recording
    elif newest_recording is not None and newest_recording - known <= UNWATCHED:
        known = max(known, newest_recording)
    return state.unwatched + (0 if known is None else max(0, reading.wall - known))


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
