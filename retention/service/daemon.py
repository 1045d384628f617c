"""The daemon's parts, wired: what runs when, and what stops what.

The order at start: log, clock, socket, catalogue, roots, what a crash left open, then
the schedule.
Each step that finds something wrong trips a guard, and the rest goes on without it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from retention import __version__
from retention.catalogue import db, raised
from retention.catalogue import log as audit
from retention.catalogue.db import Priority, quick_check
from retention.control import clock_guard, guards, in_force, successor
from retention.control.alarms import Alarms
from retention.control.gate import Gate
from retention.footage import kept_head
from retention.model.errors import (
    CatalogueError,
    RetentionError,
    StaleError,
    TooLongError,
)
from retention.model.localtime import format_utc
from retention.model.values import HOUR, MINUTE, SECOND, Entry, Micros
from retention.service import housekeeping, remembering
from retention.service.api.dispatch import Dispatch
from retention.service.core import Core
from retention.service.housekeeping import ROOT_PATIENCE, check_head, forgotten_roots
from retention.service.publishing import Publishing
from retention.service.remembering import RootMemory
from retention.service.requests import Requests
from retention.service.root_work import RootWork
from retention.service.schedule import Schedule
from retention.service.timekeeper import Judged, Timekeeper
from retention.service.waits import inspections, rescans
from retention.service.watch import Watch
from retention.service.worker import Stop, Worker
from retention.site import clock
from retention.site.caller import caller
from retention.site.journal import log as journal
from retention.site.reserve import Reserve

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.catalogue.db import Transaction
    from retention.service.notify import Notifier
    from retention.service.worker import Wakeup
    from retention.site.settings import Settings
    from retention.tlog.note import Head

HOUSEKEEPING_PATIENCE: Micros = 2 * MINUTE
"""Housekeeping's tasks are short: silent for longer, it is stuck."""
STOP_SECONDS = 75.0
"""For the file at hand and the batch's record; the unit's TimeoutStopSec is longer."""
OPEN_SECONDS = 60.0
"""A root that takes longer to answer at start is looked at later."""


class Service:
    """Everything that runs between start and stop, in one process.

    `wakeup` is rung from any thread when the main loop should look at once.
    """

    def __init__(self, settings: Settings, notifier: Notifier, wakeup: Wakeup) -> None:
        self.failure: tuple[str, BaseException] | None = None
        self._notifier = notifier
        self._wakeup = wakeup
        actor = replace(caller(), role="service", name=None)
        log = audit.Log(site=settings.site, clock=lambda: clock.read().wall)
        reserve = Reserve(settings.state_directory)
        path = settings.state_directory / db.NAME
        if db.out_of_room(path) and reserve.release():
            journal.error("reserve.released", path=str(reserve.path))
        catalogue = db.open_(path)
        check_head(catalogue, settings)
        # Before anything is appended: at the size of an old backup that forks the log.
        self._publishing = Publishing(
            settings, catalogue, log, actor, self._crashed,
            partial(kept_head.in_roots, settings.root),
            lambda: notifier.extend(MINUTE),
        )  # fmt: skip
        self._timekeeper = Timekeeper(
            catalogue, log, actor, synchronised=settings.clock_synchronised
        )
        self._reading = clock.read()
        self._read_in_time = True
        self._core = Core(
            settings, catalogue, log, actor, Gate(), reserve,
            Alarms(catalogue, log, actor), self.judge, self._crashed,
            {setting.name: self._memory(setting.name) for setting in settings.root},
        )  # fmt: skip
        self._works = [
            RootWork(self._core, setting, self._publishing.intent)
            for setting in settings.root
        ]
        dispatch = Dispatch(
            self._core, rescans(self._works), self._published, self._faulty,
            inspections(self._works),
        )  # fmt: skip
        self._requests = Requests(dispatch)
        self._housekeeping = Worker("housekeeping", self._crashed)
        self._alarmed = Watch(catalogue)
        self._schedule = Schedule(self._crashed)

    def _memory(self, root: str) -> RootMemory:
        verifier = self._publishing.verifier
        succession = self._publishing.succession
        made = RootMemory(root, verifier, succession, self._met, self._crashed)
        self._publishing.told.append(made.tell)
        return made

    # -- start and stop -----------------------------------------------------------

    def start(self) -> None:
        """From the comparison with the log to the first trigger; see the module's text."""
        if not self._core.reserve.make():
            journal.warning("reserve.missing", path=str(self._core.reserve.path))
        judged = self.judge()
        self._publish(self._publishing.begin, judged.now)
        self._begin_record(judged.now)
        self._forgotten(judged.now)
        self._watch_zones(judged)
        self._requests.open()
        self._take_in(judged.now)  # before anything is recovered or deleted
        self._check_whole(judged.now)
        self._publish(self._publishing.catch_up, judged.now)
        for memory in self._core.memories.values():
            memory.worker.start()
        for work in self._works:
            for worker in work.workers():
                worker.start()
            work.scanning.trigger("open", work.open)
        self._await([work.scanning for work in self._works], OPEN_SECONDS)
        for work in self._works:
            work.deleting.trigger("recover", work.recover)
        self._await([work.deleting for work in self._works], None)
        if self._ending():
            return
        self._housekeeping.start()
        self._add_triggers()
        self._schedule.start()
        self._notifier.ready(self.sentence())

    def stop(self) -> bool:
        """End in order; False where a thread did not end and its batch is left open."""
        self._notifier.stopping()
        self._schedule.stop()
        self._requests.close()
        workers = [
            self._housekeeping,
            *(w for work in self._works for w in work.workers()),
        ]
        for worker in workers:
            worker.stop()
        until = clock.monotonic() + int(STOP_SECONDS * SECOND)
        hanging = [
            worker.name
            for worker in workers
            if not worker.join(max(0.1, (until - clock.monotonic()) / SECOND))
        ]
        if hanging:
            journal.error("service.hanging", threads=hanging)
            return False
        if self.failure is None:
            self._end_record()
        self._publishing.stop()
        remembering.stop(self._core.memories.values())
        for work in self._works:
            work.close()
        self._core.catalogue.close()
        return True

    def _await(self, workers: list[Worker], seconds: float | None) -> None:
        """Wait for the threads of all roots, for as long as they get on."""
        until = None if seconds is None else clock.monotonic() + int(seconds * SECOND)
        for worker in workers:
            while not self._ending() and not worker.wait_idle(1):
                now = clock.monotonic()
                self._notifier.extend(MINUTE)
                if (until is not None and now > until) or (
                    worker.silent_for(now) > OPEN_SECONDS * SECOND
                ):
                    journal.error("root.silent", thread=worker.name)
                    break

    def _ending(self) -> bool:
        return self.failure is not None or self._wakeup.asked_to_stop

    def _add_triggers(self) -> None:
        retention = self._core.settings.retention
        add, house = self._schedule.add, self._housekeeping.trigger
        # First in each round, so that what it finds out holds for the cycles.
        add("tick", retention.cycle, partial(house, "tick", self.tick))
        for work in self._works:
            scan, delete = work.scanning.trigger, work.deleting.trigger
            add(f"scan:{work.name}", retention.scan, partial(scan, "scan", work.scan))
            add(
                f"cycle:{work.name}",
                retention.cycle,
                partial(delete, "cycle", partial(self.cycle, work)),
            )
            add(
                f"reconcile:{work.name}",
                min(retention.reconcile, 10 * MINUTE),
                partial(scan, "reconcile", work.reconcile),
            )
            add(f"held:{work.name}", HOUR, partial(scan, "held", work.compare_held))
            add(
                f"over:{work.name}",
                retention.cycle,
                partial(scan, "over", work.compare_written_over),
            )
        add("heartbeat", HOUR, partial(house, "heartbeat", self.heartbeat))

    def _begin_record(self, now: Micros) -> None:
        digest, pid = self._core.settings.digest, self._core.actor.pid
        started = {"pid": pid, "version": __version__, "settings_digest": digest}
        self._record(
            now,
            Entry("settings.loaded", {"digest": digest}),
            Entry("service.started", started),
        )
        journal.info("service.started", **started, now=format_utc(now))
        try:
            self._requests.look_around(now)
        except RetentionError as error:
            self._core.failed(error, "", now)

    def _end_record(self) -> None:
        now = self.judge().now
        self._keep_books(now)
        self._record(now, Entry("service.stopped"))
        self._publish(self._publishing.catch_up, now)
        journal.info("service.stopped")

    def _check_whole(self, now: Micros) -> None:
        """Before anything is recovered or deleted; of a large catalogue it takes some
        seconds, in which holds are placed already."""
        self._notifier.extend(5 * MINUTE)
        complaint = quick_check(self._core.catalogue)
        if complaint is None and self._publishing.lost is None:
            self._core.alarms.clear(guards.CATALOGUE, "", "SQLite finds it whole", now)
        elif complaint is not None:
            self._core.alarms.trip(
                guards.CATALOGUE, "", f"is damaged: {complaint}", now
            )
        # By pages: the first scan of a root reads no more than what came since, and no
        # long log ends that for its length.
        alive = partial(self._notifier.extend, 5 * MINUTE)
        self._try(partial(in_force.learn, self._core.catalogue, alive), now)

    def _forgotten(self, now: Micros) -> None:
        """A root that the settings forgot keeps its footage for ever: say so."""
        for name, text in forgotten_roots(self._core.catalogue, self._core.settings):
            self._core.alarms.trip(guards.ROOT, name, text, now)

    # -- what runs ----------------------------------------------------------------

    def judge(self) -> Judged:
        """The one reading of the clock of one cycle, judged."""
        reading = clock.read()
        try:
            judged = self._timekeeper.judge(reading)
        except CatalogueError as error:
            self._core.failed(error, "", reading.wall)
            return Judged(reading.wall, False, str(error), past=True, changed=False)
        if judged.changed:
            if judged.believed:
                journal.info("clock.believed", now=format_utc(judged.now))
            self._wakeup.ring()
        return judged

    def tick(self, _: Stop) -> None:
        """The rounds: what could not be written is, what is over is cleared."""
        judged, self._read_in_time = self.judge(), True
        self._try(self._core.alarms.write, judged.now)
        self._take_in(judged.now)
        memories = {name: one.told() for name, one in self._core.memories.items()}
        self._try(partial(self._publishing.note_memories, memories), judged.now)
        if judged.believed:
            author = self._core.by(judged.now)
            note = partial(housekeeping.note, self._core.catalogue, author)
            self._try(note, judged.now)
            context = self._core.context(judged.now, self._core.actor)
            self._try(partial(self._alarmed.round, context), judged.now)
            self._try(partial(successor.settle, context), judged.now)
        self._publish(self._publishing.tick, judged.now)
        self._try(partial(self._clear_log, judged.now), judged.now)
        if self._read_in_time:
            reason = "all was read in time"
            clear = partial(self._core.alarms.clear, guards.READING, "", reason)
            self._try(partial(clear, judged.now), judged.now)
        housekeeping.look_for_silence(self._works, self._core.alarms, judged.now)

    def cycle(self, work: RootWork, stop: Stop) -> None:
        """A deletion cycle of a root; after it nobody is told any longer than a round
        takes that what is gone is overdue."""
        work.cycle(stop)
        self._try(partial(self._look_again, work.name), self._core.now())

    def _look_again(self, root: str) -> None:
        with self._core.catalogue.read() as tx:
            told = raised.is_raised(tx, guards.OVERDUE, root)
        if told:
            self._housekeeping.trigger("tick", self.tick)

    def _clear_log(self, now: Micros) -> None:
        made, sound = self._core.reserve.make(), self._publishing.trouble is None
        if not self._core.alarms.tripped(guards.LOG) or not sound:
            return
        if not made:
            why = f"{self._core.reserve.too_little()}; nothing is deleted until then"
            self._core.alarms.trip(guards.LOG, "", why, now, writable=True)
            return
        reason = "entries can be written and published again"
        self._core.alarms.clear(guards.LOG, "", reason, now)

    def _try(self, act: Callable[[], object], now: Micros) -> None:
        try:
            act()
        except CatalogueError as error:
            self._read_in_time &= not isinstance(error, TooLongError)
            self._core.failed(error, "", now)

    def _publish(self, act: Callable[[Alarms, Micros], None], now: Micros) -> None:
        self._try(partial(act, self._core.alarms, now), now)

    def _published(self, mend: bool) -> str | None:
        """The answer to whatever people change waits for this."""
        now = self.judge().now
        why = self._publishing.answer(now, mend=mend)
        if (trouble := self._publishing.trouble) is not None:
            guard = self._publishing.guard
            self._core.alarms.trip(guard, "", trouble, now, writable=True)
        return why

    def _met(self, head: Head) -> None:
        """A root has a signed head that was not compared at start: its disk came later."""
        if not self._publishing.meet(head):
            why = self._publishing.trouble or ""
            now = self.judge().now
            self._core.alarms.trip(guards.CATALOGUE, "", why, now, writable=True)

    def _watch_zones(self, judged: Judged) -> None:
        if judged.believed:
            context = self._core.context(judged.now, self._core.actor)
            self._try(partial(housekeeping.watch_zones, context), judged.now)
            self._try(self._core.alarms.recall, judged.now)

    def _take_in(self, now: Micros) -> None:
        self._try(partial(self._requests.tick, now), now)

    def heartbeat(self, stop: Stop) -> None:
        """The hourly entry; with it goes what is remembered, at no further cost."""
        self._publishing.look_into_journal()
        judged = self.judge()
        self._watch_zones(judged)
        reading = clock.read()._replace(wall=judged.now)
        try:
            cycle = self._core.settings.retention.cycle
            fields = housekeeping.balance(self._core.catalogue, reading, cycle)
            self._requests.look_around(judged.now)
        except CatalogueError as error:
            self._core.failed(error, "", judged.now)
            return
        self._keep_books(judged.now, stop)
        self._write(judged.now, partial(housekeeping.beat, fields=fields))
        housekeeping.keep_figures(self._core.catalogue, stop)
        journal.info("heartbeat", **fields, trouble=dict(self._schedule.trouble))

    def _keep_books(self, now: Micros, stop: Stop | None = None) -> None:
        try:
            author = self._core.by(now)
            housekeeping.keep_books(self._works, self._core.catalogue, author, stop)
        except (CatalogueError, StaleError) as error:
            self._core.failed(error, "", now)

    def _record(self, now: Micros, *entries: Entry) -> None:
        """Entries of the service itself."""

        def append(tx: Transaction) -> None:
            for entry in entries:
                tx.append(*entry)

        self._write(now, append)

    def _write(self, now: Micros, act: Callable[[Transaction], None]) -> None:
        """What the service says of itself, and with it the clock's state."""
        core = self._core
        try:
            with core.catalogue.write(Priority.DELETION, core.by(now)) as tx:
                self._timekeeper.remember(tx)
                act(tx)
        except CatalogueError as error:
            core.failed(error, "", now)

    # -- trouble ------------------------------------------------------------------

    def _faulty(self, verb: str, error: BaseException) -> None:
        journal.error("request.fault", verb=verb, exc_info=error)

    def _crashed(self, name: str, error: BaseException) -> None:
        """Memory and disk may disagree: end, and let the next start recover."""
        journal.critical("service.crashed", thread=name, exc_info=error)
        self.failure = (name, error)
        self._wakeup.ring()

    # -- the main loop's part -----------------------------------------------------

    def watch(self) -> bool:
        """Look at the clock and at the threads; whether the watchdog may be told.

        Reads no catalogue and waits for nobody, so that it can tell who is stuck.
        """
        reading, before = clock.read(), self._reading
        self._reading = reading
        if clock_guard.stepped(before, reading):
            journal.warning(
                "clock.stepped", seconds=(reading.offset - before.offset) / SECOND
            )
            self._schedule.wake(reading.wall)
        self._notifier.status(self.sentence())
        now = reading.monotonic
        if self._housekeeping.silent_for(now) > HOUSEKEEPING_PATIENCE:
            journal.error("service.stuck", thread=self._housekeeping.name)
            return False
        for worker in (w for work in self._works for w in work.workers()):
            if worker.silent_for(now) > ROOT_PATIENCE and not worker.in_kernel():
                journal.error("service.stuck", thread=worker.name)
                return False
        return True

    def sentence(self) -> str:
        """How it is, for `systemctl status`."""
        stopped = [f"{w.name}: {w.blocked}" for w in self._works if w.blocked]
        working = [w.name for w in self._works if not w.blocked]
        parts = [f"deleting on time in {', '.join(working)}"] if working else []
        return "; ".join(parts + [f"not deleting in {text}" for text in stopped])
