"""Owns what the program remembers of the clock: judges readings, keeps its doubts.

All that is done with a time takes it from `Timekeeper.judge`.  What is remembered lies
in the fact "clock", written with the heartbeat, at start and stop, and in the
transaction that trips or clears the guard.  A crash in between leaves an older anchor:
within one start of the machine that is as good as a new one, since the clock's distance
to boot time does not change by itself, and across starts it can only cause more doubt.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import raised as rows
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.control import alarms, clock_guard, guards
from retention.control.clock_right import put_right
from retention.model.values import Actor, Micros
from retention.site.clock import Reading

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue, Transaction
    from retention.catalogue.log import Log


class Judged(NamedTuple):
    """The `now` of one cycle, and whether deletion may go by it.

    `fault` says why not.  `past`: the clock lies before the last entry that a believed
    clock dated, so that what is first seen now would be dated too early.
    """

    now: Micros
    believed: bool
    fault: str | None
    past: bool
    changed: bool


class Timekeeper:
    """Judges readings one after the other; any thread may ask.

    `synchronised` is the setting `clock_synchronised`: "auto", "required", "ignored".
    """

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        actor: Actor,
        *,
        synchronised: str = "auto",
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._synchronised = synchronised
        self._mutex = threading.Lock()
        self._state = clock_guard.ClockState()
        self._entry_at: Micros | None = None
        self._entries = 0
        self._recorded = True
        with catalogue.read() as tx:
            self._recall(tx)

    def judge(self, reading: Reading) -> Judged:
        """Judge a reading and put what changes on record.

        Where the record can't be written (CatalogueError) the doubt stands all the
        same, and the next call tries to write it again.
        """
        if self._synchronised == "ignored":  # the kernel's word counts for nothing
            reading = reading._replace(synchronised=None)
        with self._mutex:
            with self._catalogue.read() as tx:
                self._look(tx)
                newest = self._newest_recording(tx, reading)
            before = self._state
            after = clock_guard.judge_clock(
                before,
                reading,
                last_entry_at=self._entry_at,
                newest_recording=newest,
                require_synchronised=self._synchronised == "required",
            )
            if after.believed and not before.believed:
                self._clear(reading, after)
            else:
                self._keep(reading, before, after)
            behind = (self._entry_at or 0) - reading.wall
            return Judged(
                now=reading.wall,
                believed=after.believed,
                fault=after.fault,
                past=not after.believed and behind > clock_guard.BEHIND,
                changed=after.believed != before.believed,
            )

    def remember(self, tx: Connection) -> None:
        """Write down what is known of the clock, in a transaction that runs anyway."""
        if self._state.believed:
            put_fact(tx, clock_guard.CLOCK_FACT, self._fact(self._state))

    def _keep(
        self,
        reading: Reading,
        before: clock_guard.ClockState,
        after: clock_guard.ClockState,
    ) -> None:
        """Doubt is effective before it is written, belief only after."""
        self._state = after
        if after.believed:
            return
        unforgiven = after.jump >= clock_guard.FORGIVEN > before.jump
        if before.believed or unforgiven:
            self._recorded = False
        if not self._recorded:
            with self._write(reading) as tx:
                put_fact(tx, clock_guard.CLOCK_FACT, self._fact(after))
                alarms.trip(tx, reading.wall, guards.CLOCK, "", after.fault or "")
            self._recorded = True

    def _clear(self, reading: Reading, after: clock_guard.ClockState) -> None:
        reason = "the kernel has said synchronised for 10 minutes, without a step"
        with self._write(reading) as tx:
            size = rows.log_size(tx)
            put_fact(
                tx,
                clock_guard.CLOCK_FACT,
                {**self._fact(after), "entry_at": reading.wall, "entries": size},
            )
            put_right(tx, self._state.jump, reading.wall)
            alarms.clear_in(tx, guards.CLOCK, "", reason)
        self._state, self._entry_at, self._entries = after, reading.wall, size
        self._recorded = True

    def _write(self, reading: Reading) -> AbstractContextManager[Transaction]:
        author = self._log.by(self._actor, reading.wall)
        return self._catalogue.write(Priority.DELETION, author)

    def _look(self, tx: Connection) -> None:
        """Take in what others wrote: entries, and an administrator's word."""
        if self._state.believed:
            known, self._entries = self._entries, rows.log_size(tx)
            at = None if self._entries == known else rows.latest_entry(tx, known)
            if at is not None:
                self._entry_at = max(at, self._entry_at or at)
        elif self._recorded and not rows.is_raised(tx, guards.CLOCK, ""):
            self._recall(tx)

    def _newest_recording(self, tx: Connection, reading: Reading) -> Micros | None:
        """Asked for only where it decides: at the first reading of a start."""
        anchor = self._state.anchor
        if anchor is not None and anchor.boot == reading.boot:
            return None
        return rows.newest_recording(tx)

    def _recall(self, tx: Connection) -> None:
        fact = get_fact(tx, clock_guard.CLOCK_FACT) or {}
        found = rows.find(tx, guards.CLOCK, "")
        anchor = fact.get("anchor")
        self._state = clock_guard.ClockState(
            anchor=None if anchor is None else Reading(*anchor),
            fault=None if found is None else found.detail,
            jump=fact.get("jump", clock_guard.FORGIVEN),
            unwatched=fact.get("unwatched", 0),
        )
        self._entry_at = fact.get("entry_at")
        self._entries = fact.get("entries", 0)
        self._recorded = True

    def _fact(self, state: clock_guard.ClockState) -> dict[str, Any]:
        return {
            "anchor": None if state.anchor is None else list(state.anchor),
            "entry_at": self._entry_at,
            "entries": self._entries,
            "jump": state.jump,
            "unwatched": state.unwatched,
        }
