"""The daemon's parts, wired: what runs when, and what stops what.

The order at start: catalogue, clock, roots, what a crash left open, then the schedule.
Each step that finds something wrong trips a guard, and the rest goes on without it.
"""

from __future__ import annotations

import socket
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from retention import __version__, clock, guards
from retention.api.desk import Desk
from retention.audit import log as audit
from retention.caller import caller
from retention.catalogue import db
from retention.catalogue.db import Priority, quick_check
from retention.daemon import heartbeat, rounds
from retention.daemon.alarms import Alarms, disk_full, guard_of
from retention.daemon.front import Front, look_at
from retention.daemon.journal import log as journal
from retention.daemon.publishing import Publishing
from retention.daemon.root_work import RootWork, Tools
from retention.daemon.rounds import ROOT_PATIENCE
from retention.daemon.schedule import Schedule
from retention.daemon.startup import check_head, forgotten_roots
from retention.daemon.timekeeper import Judged, Timekeeper
from retention.daemon.worker import Stop, Worker
from retention.deletion.gate import Gate
from retention.errors import (
    CatalogueError,
    PublicationError,
    RetentionError,
    StaleError,
)
from retention.localtime import format_utc
from retention.model import HOUR, MINUTE, SECOND, Entry, Micros
from retention.reserve import Reserve

if TYPE_CHECKING:
    from collections.abc import Callable

    from retention.daemon.doorbell import Doorbell
    from retention.daemon.notify import Notifier
    from retention.settings import Settings

OFFICE_PATIENCE: Micros = 2 * MINUTE
"""The office's tasks are short: silent for longer, it is stuck."""
STOP_SECONDS = 75.0
"""For the file at hand and the batch's record; the unit's TimeoutStopSec is longer."""
OPEN_SECONDS = 60.0
"""A root that takes longer to answer at start is looked at later."""


class Service:
    """Everything that runs between start and stop, in one process.

    `bell` is rung from any thread when the main loop should look at once.
    """

    def __init__(self, settings: Settings, notifier: Notifier, bell: Doorbell) -> None:
        self.failure: tuple[str, BaseException] | None = None
        self._settings = settings
        self._notifier = notifier
        self._bell = bell
        self._actor = replace(caller(), role="service", name=None)
        self._log = audit.Log(
            site=settings.site,
            host=socket.gethostname(),
            program=f"retention {__version__}",
            clock=lambda: clock.read().wall,
        )
        self._reserve = Reserve(settings.state_directory)
        path = settings.state_directory / db.NAME
        if db.out_of_room(path) and self._reserve.release():
            journal.error("reserve.released", path=str(self._reserve.path))
        self._catalogue = db.open_(path)
        check_head(self._catalogue, settings)
        # Before anything is appended: at the size of an old backup that forks the log.
        self._publishing = Publishing(
            settings, self._catalogue, self._log, self._actor, self._crashed,
            lambda: notifier.extend(MINUTE),
        )  # fmt: skip
        self._timekeeper = Timekeeper(
            self._catalogue, self._log, self._actor,
            synchronised=settings.clock_synchronised,
        )  # fmt: skip
        self._alarms = Alarms(self._catalogue, self._log, self._actor)
        self._reading = clock.read()
        tools = Tools(
            settings, self._catalogue, self._log, Gate(), self._actor,
            self._reading.boot, self._alarms, self.judge, self.failed, self._crashed,
            self._publishing.intent,
        )  # fmt: skip
        self._works = [RootWork(tools, setting) for setting in settings.root]
        desk = Desk(
            settings, self._catalogue, self._log, lambda: self.judge().now, tools.gate,
            look_at(self._works), self._make_room, self._faulty, self._published,
            partial(self._published, mend=True),
        )  # fmt: skip
        self._front = Front(desk, self._alarms, self._actor)
        self._office = Worker("office", self._crashed)
        self._schedule = Schedule(self._crashed)

    # -- start and stop -----------------------------------------------------------

    def start(self) -> None:
        """From the catalogue's check to the first trigger; see the module's text."""
        now = self._reading.wall
        self._notifier.extend(5 * MINUTE)  # a large catalogue takes its time
        complaint = quick_check(self._catalogue)
        if complaint is None:
            self._alarms.clear(guards.CATALOGUE, "", "SQLite finds it whole", now)
        else:
            self._alarms.trip(guards.CATALOGUE, "", f"is damaged: {complaint}", now)
        if not self._reserve.make():
            journal.warning("reserve.missing", path=str(self._reserve.path))
        judged = self.judge()
        self._publish(self._publishing.begin, judged.now)
        self._begin_record(judged.now)
        self._forgotten(judged.now)
        self._take_in(judged.now)  # before anything is recovered or deleted
        self._publish(self._publishing.catch_up, judged.now)
        self._front.open()
        for work in self._works:
            for worker in work.workers():
                worker.start()
            work.eyes.trigger("open", work.open)
        self._await([work.eyes for work in self._works], OPEN_SECONDS)
        for work in self._works:
            work.hands.trigger("recover", work.recover)
        self._await([work.hands for work in self._works], None)
        if self._ending():
            return
        self._office.start()
        self._add_triggers()
        self._schedule.start()
        self._notifier.ready(self.sentence())

    def stop(self) -> bool:
        """End in order; False where a thread did not end and its batch is left open."""
        self._notifier.stopping()
        self._schedule.stop()
        self._front.close()
        workers = [self._office, *(w for work in self._works for w in work.workers())]
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
        for work in self._works:
            work.close()
        self._catalogue.close()
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
        return self.failure is not None or self._bell.asked_to_stop

    def _add_triggers(self) -> None:
        retention = self._settings.retention
        add, office = self._schedule.add, self._office.trigger
        # First in each round, so that what it finds out holds for the cycles.
        add("tick", retention.cycle, partial(office, "tick", self.tick))
        for work in self._works:
            eyes, hands = work.eyes.trigger, work.hands.trigger
            add(f"scan:{work.name}", retention.scan, partial(eyes, "scan", work.scan))
            add(
                f"cycle:{work.name}",
                retention.cycle,
                partial(hands, "cycle", work.cycle),
            )
            add(
                f"reconcile:{work.name}",
                min(retention.reconcile, 10 * MINUTE),
                partial(eyes, "reconcile", work.reconcile),
            )
        add("heartbeat", HOUR, partial(office, "heartbeat", self.heartbeat))

    def _begin_record(self, now: Micros) -> None:
        digest = self._settings.digest
        started = {
            "pid": self._actor.pid, "version": __version__, "settings_digest": digest,
        }  # fmt: skip
        self._record(
            Entry("settings.loaded", now, self._actor, {"digest": digest}),
            Entry("service.started", now, self._actor, started),
        )
        journal.info("service.started", **started, now=format_utc(now))
        try:
            self._front.look_around(now)
        except RetentionError as error:
            self.failed(error, "", now)

    def _end_record(self) -> None:
        now = self.judge().now
        self._keep_books(now)
        self._record(Entry("service.stopped", now, self._actor))
        self._publish(self._publishing.catch_up, now)
        journal.info("service.stopped")

    def _forgotten(self, now: Micros) -> None:
        """A root that the settings forgot keeps its footage for ever: say so."""
        for name, text in forgotten_roots(self._catalogue, self._settings):
            self._alarms.trip(guards.ROOT, name, text, now)

    # -- what runs ----------------------------------------------------------------

    def judge(self) -> Judged:
        """The one reading of the clock of one cycle, judged."""
        reading = clock.read()
        try:
            judged = self._timekeeper.judge(reading)
        except CatalogueError as error:
            self.failed(error, "", reading.wall)
            return Judged(reading.wall, False, str(error), past=True, changed=False)
        if judged.changed:
            if judged.believed:
                journal.info("clock.believed", now=format_utc(judged.now))
            else:
                journal.error(
                    "clock.not_believed",
                    fault=judged.fault,
                    now=format_utc(judged.now),
                    remedy=guards.remedy(guards.CLOCK),
                )
            self._bell.ring()
        return judged

    def tick(self, _: Stop) -> None:
        """The rounds: what could not be written is, what is over is cleared."""
        judged = self.judge()
        self._try(self._alarms.write, judged.now)
        self._take_in(judged.now)
        if judged.believed:
            tools = (self._catalogue, self._log, self._actor)
            self._try(partial(rounds.note, *tools, judged.now), judged.now)
        self._publish(self._publishing.tick, judged.now)
        self._try(partial(self._clear_log, judged.now), judged.now)
        rounds.look_for_silence(self._works, self._alarms, judged.now)

    def _clear_log(self, now: Micros) -> None:
        sound = self._publishing.trouble is None and self._reserve.make()
        if self._alarms.tripped(guards.LOG) and sound:
            reason = "entries can be written and published again"
            self._alarms.clear(guards.LOG, "", reason, now)

    def _try(self, act: Callable[[], object], now: Micros) -> None:
        try:
            act()
        except CatalogueError as error:
            self.failed(error, "", now)

    def _publish(self, act: Callable[[Alarms, Micros], None], now: Micros) -> None:
        self._try(partial(act, self._alarms, now), now)

    def _published(self, *, mend: bool = False) -> str | None:
        """The answer to a change of a hold waits for this."""
        now = self.judge().now
        why = self._publishing.answer(now, mend=mend)
        if why is not None:
            self._alarms.trip(guards.LOG, "", why, now, writable=True)
        return why

    def _take_in(self, now: Micros) -> None:
        self._try(partial(self._front.tick, now), now)

    def heartbeat(self, stop: Stop) -> None:
        """The hourly entry; with it goes what is remembered, at no further cost."""
        judged = self.judge()
        reading = clock.read()._replace(wall=judged.now)
        try:
            cycle = self._settings.retention.cycle
            fields = heartbeat.balance(self._catalogue, reading, cycle)
            self._front.look_around(judged.now)
        except CatalogueError as error:
            self.failed(error, "", judged.now)
            return
        self._keep_books(judged.now, stop)
        self._record(Entry("heartbeat", judged.now, self._actor, fields))
        journal.info("heartbeat", **fields, trouble=dict(self._schedule.trouble))

    def _keep_books(self, now: Micros, stop: Stop | None = None) -> None:
        try:
            tools = (self._catalogue, self._log, self._actor)
            rounds.keep_books(self._works, *tools, now, stop)
        except (CatalogueError, StaleError) as error:
            self.failed(error, "", now)

    def _record(self, *entries: Entry) -> None:
        """Entries of the service itself, and with them the clock's state."""
        try:
            with self._catalogue.write(Priority.DELETION) as tx:
                self._timekeeper.remember(tx)
                for entry in entries:
                    self._log.append(tx, entry)
        except CatalogueError as error:
            self.failed(error, "", entries[0].at)

    # -- trouble ------------------------------------------------------------------

    def _make_room(self) -> bool:
        """Release the reserve if it is room that is missing; whether there was any."""
        path = self._catalogue.path
        return db.out_of_room(path) and self._reserve.release()

    def _faulty(self, verb: str, error: BaseException) -> None:
        journal.error("request.fault", verb=verb, exc_info=error)

    def failed(self, error: Exception, root: str, now: Micros) -> None:
        """Trip the guard that an error calls for; room is made where there is none.

        After an error of the catalogue its connections are opened anew: whether the
        last commit was one is known only by reading the file again.
        """
        if isinstance(error, StaleError):
            journal.warning("stale", root=root, error=str(error))
            return
        guard, own = guard_of(error)
        if isinstance(error, CatalogueError):
            self._catalogue.close()
            if disk_full(error) and self._reserve.release():
                journal.error("reserve.released", path=str(self._reserve.path))
        soft = isinstance(error, PublicationError)
        scope = root if own else ""
        self._alarms.trip(guard, scope, _text(error, root), now, writable=soft)

    def _crashed(self, name: str, error: BaseException) -> None:
        """Memory and disk may disagree: end, and let the next start recover."""
        journal.critical("service.crashed", thread=name, exc_info=error)
        self.failure = (name, error)
        self._bell.ring()

    # -- the main loop's part -----------------------------------------------------

    def watch(self) -> bool:
        """Look at the clock and at the threads; whether the watchdog may be told.

        Reads no catalogue and waits for nobody, so that it can tell who is stuck.
        """
        reading, before = clock.read(), self._reading
        self._reading = reading
        if guards.stepped(before, reading):
            journal.warning(
                "clock.stepped", seconds=(reading.offset - before.offset) / SECOND
            )
            self._schedule.wake(reading.wall)
        self._notifier.status(self.sentence())
        now = reading.monotonic
        if self._office.silent_for(now) > OFFICE_PATIENCE:
            journal.error("service.stuck", thread=self._office.name)
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


def _text(error: Exception, root: str) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename!r})" if error.filename else ""
        return f"footage root {root}: {error.strerror}{where}"
    return str(error)
