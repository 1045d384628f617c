"""All that the daemon does in one footage root, with two threads of its own.

One scans: it opens the root, scans and reconciles.  The other recovers and deletes.  So
a disk that does not answer holds up nothing but itself, and a long scan no deletion.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from retention.control import guards
from retention.deletion.cycle import CycleResult, Deleter
from retention.footage.ingest.scan import Scanner, ScanResult
from retention.footage.roots_of_site import open_roots
from retention.model.errors import RetentionError
from retention.model.layouts.presets import preset_or_template
from retention.model.values import HOUR, MINUTE, Micros, Outcome
from retention.service.waits import InspectionAsked, Rescan
from retention.service.worker import Stop, Worker
from retention.site import clock
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from retention.footage.roots import OpenRoot
    from retention.service.core import Core
    from retention.site.settings import RootSettings


HELD_AT_ONCE = 100
"""Pages of held recordings (of 1,000) that are compared every hour without a pause."""

OVER_AT_ONCE = 10
"""Pages of recordings that may have been written over, compared in each cycle: in turn,
since a site whose every clock is in doubt has millions."""

LONGEST_REST: Micros = HOUR
"""After a fault of this program a root is tried again in a minute, then in two, four and
so on up to this."""

RECONCILED_AT_LEAST = 10
"""Pages that a reconciliation compares before it gives way to a scan."""

PAUSE_SECONDS = 0.1
"""Between two pages of a reconciliation: a million files take some minutes."""


class RootWork:
    """One root of the configuration.  `publish` makes so many entries of the log durable
    where it is published."""

    def __init__(
        self,
        core: Core,
        setting: RootSettings,
        publish: Callable[[int, Micros], None],
    ) -> None:
        self.name = setting.name
        self.memory = core.memories.get(self.name)
        self.blocked: str | None = "starting"
        self.scanning = Worker(f"scanning:{self.name}", core.crashed)
        self.deleting = Worker(f"deleting:{self.name}", core.crashed)
        self.deleter = Deleter(
            core.catalogue,
            core.log,
            core.gate,
            core.actor,
            core.settings.retention,
            publish=publish,
        )
        self.root: OpenRoot | None = None
        self._core = core
        self._setting = setting
        self._scanner: Scanner | None = None
        self._broken = False
        self._was_open = False
        self._faults = 0
        self._again: Micros = 0  # monotonic: left alone until then
        # Held through a cycle: a root is not opened anew under a batch at work.
        self._deleting = threading.Lock()
        self._errors: list[str] = []
        self._asking = threading.Lock()
        self._rescan: Rescan | None = None  # asked for and not begun
        self._inspections: list[InspectionAsked] = []

    # -- scanning ---------------------------------------------------------------------

    def open(self, _: Stop) -> None:
        """Open the root, as the first thing at start."""
        now = self._core.judge().now
        with self._guarded(now):
            self._available(now)

    def scan(self, stop: Stop) -> bool:
        """Bring what is new on the disk into the catalogue; whether all of it was read.

        Not while the catalogue has no room or is in doubt, and not by a clock that is
        in the past: what is first seen then would be dated, and deleted, too early.
        """
        judged = self._core.judge()
        if self._may_not_write() or judged.past:
            return False
        complete = False
        with self._guarded(judged.now):
            if self._available(judged.now) is not None and self._scanner is not None:
                found = self._scanner.scan(judged.now, stop, believed=judged.believed)
                self._note(found, judged.now)
                complete = found.complete
        return complete

    def rescan(self) -> Rescan:
        """Have the disk read as soon as the scanning thread is free, for somebody who waits.

        Who asks before it begins shares it; who asks later needs a newer one.
        """
        with self._asking:
            if self._rescan is None:
                self._rescan = Rescan()
                self.scanning.trigger("rescan", self._rescan_now)
            return self._rescan

    def _rescan_now(self, stop: Stop) -> None:
        with self._asking:
            asked, self._rescan = self._rescan, None
        if asked is not None:
            asked.complete = self.scan(stop)
            asked.done.set()

    def inspect(self, asked: InspectionAsked) -> InspectionAsked:
        """Have what holds keep looked at as soon as the scanning thread is free."""
        with self._asking:
            self._inspections.append(asked)
            self.scanning.trigger("inspect", self._inspect_now)
        return asked

    def _inspect_now(self, _: Stop) -> None:
        with self._asking:
            waiting, self._inspections = self._inspections, []
        for one in waiting:
            with self._comparing() as (scanner, now):
                if scanner is not None and not one.is_over():
                    found = scanner.inspect(one.wanted, now, one.most, one.is_over)
                    one.found = found.said()
                    self._say_held(found.lost, found.quarantined)
                elif scanner is None:
                    one.why = self._why_not()
            one.done.set()

    def compare_held(self, stop: Stop) -> None:
        """Compare what holds keep with the disk; the first `HELD_AT_ONCE` pages without
        a pause.  What gave way to somebody goes on after it."""
        with self._comparing() as (scanner, now):
            if scanner is None:
                return
            turn = self._turn(stop, HELD_AT_ONCE, quick=HELD_AT_ONCE + 1)
            found = scanner.compare_held(now, turn)
            self._say_held(found.lost, found.quarantined)
            if not found.complete and not stop():
                self.scanning.trigger("held", self.compare_held)

    def compare_written_over(self, stop: Stop) -> None:
        """Compare what may have been written over, `OVER_AT_ONCE` pages a time."""
        with self._comparing() as (scanner, now):
            if scanner is not None:
                turn = self._turn(stop, OVER_AT_ONCE, most=OVER_AT_ONCE)
                scanner.compare_written_over(now, turn)

    def reconcile(self, stop: Stop) -> None:
        """Compare every row with the disk, once in the time that the settings say.  What
        gave way to somebody goes on after it."""
        with self._comparing() as (scanner, now):
            every = self._core.settings.retention.reconcile
            if scanner is not None and scanner.is_time(now, every):
                turn = self._turn(stop, RECONCILED_AT_LEAST, quick=0)
                found = scanner.reconcile(now, turn)
                if not found.complete and not stop():
                    self.scanning.trigger("reconcile", self.reconcile)

    @contextmanager
    def _comparing(self) -> Iterator[tuple[Scanner | None, Micros]]:
        """The scanner and the time for comparing what the catalogue has with the disk;
        no scanner where that can't be now."""
        judged = self._core.judge()
        if self._may_not_write() or not judged.believed or self._scanner is None:
            yield None, judged.now
            return
        with self._guarded(judged.now):
            root = self._available(judged.now)
            yield None if root is None else self._scanner, judged.now

    def _why_not(self) -> str:
        if self._may_not_write():
            return "what is found could not be put on record"
        if not self._core.judge().believed:
            return "the clock is in doubt"
        return self._core.alarms.blocking(self.name) or "it is not open"

    def _turn(
        self, stop: Stop, least: int, *, most: int | None = None, quick: int = 1
    ) -> Stop:
        """The `stop` of one turn of a comparison, asked before each page: over after the
        `most` pages, or where somebody waits; for a scan only once `least` are compared,
        since where scans take long, one always waits.  After the first `quick` it rests
        before each: most of the disk's time is the recorder's."""
        pages = count()

        def over() -> bool:
            page = next(pages)
            if page >= quick:
                self.scanning.rest(PAUSE_SECONDS)
            first = ("rescan", "inspect", "scan")[: 3 if page >= least else 2]
            return page == most or stop() or any(map(self.scanning.pending, first))

        return over

    def _say_held(self, lost: int, overwritten: int) -> None:
        if lost or overwritten:
            journal.error(
                "held.not_as_catalogued",
                root=self.name,
                lost=lost,
                overwritten=overwritten,
            )

    def _note(self, result: ScanResult, now: Micros) -> None:
        errors = [f"{path!r}: {reason}" for path, reason in result.errors]
        if errors != self._errors:
            self._errors = errors
            for text in errors[:20]:
                journal.warning("scan.unreadable", root=self.name, error=text)
        if result.complete and not self._broken:
            self._core.alarms.clear(
                guards.ROOT, self.name, "it was scanned from end to end", now
            )
        if result.added or result.lost or result.reappeared:
            journal.info(
                "scan.done",
                root=self.name,
                added=result.added,
                quarantined=result.quarantined,
                lost=result.lost,
                reappeared=result.reappeared,
            )

    def _available(self, now: Micros) -> OpenRoot | None:
        """The open root; opened anew after trouble, unless a batch is still at it.

        None also while its names are read otherwise than before (guard zone): what is
        there would seem lost, and new; and for a while after a fault.
        """
        if clock.monotonic() < self._again or self._core.names_doubted(self.name):
            return None
        if self.root is not None and not self._broken:
            return self.root
        if not self._deleting.acquire(timeout=1):
            return None
        try:
            if self.root is not None:
                if self.memory is not None:
                    self.memory.closed()
                self.root.close()
                self.root = self._scanner = None
            core = self._core
            boot = clock.read().boot
            opened, refused = open_roots(
                core.catalogue, core.settings, boot, [self.name]
            )
            if not opened:
                core.alarms.trip(guards.ROOT, self.name, refused[self.name], now)
                return None
            if self.memory is not None:  # before anything is deleted there
                self.memory.opened(opened[0])
            self.root, self._broken = opened[0], False
            self._scanner = Scanner(
                core.catalogue, core.log, opened[0],
                preset_or_template(self._setting.layout), self._setting,
                core.settings, core.actor,
            )  # fmt: skip
            if self._was_open:
                self._scanner.compare_anew()
                self.scanning.trigger("reconcile", self.reconcile)
            self._was_open = True
            return self.root
        finally:
            self._deleting.release()

    # -- deleting -------------------------------------------------------------------

    def recover(self, stop: Stop) -> None:
        """Finish what a crash left open, before anything else is deleted."""
        self._delete(lambda root, now: self.deleter.recover(root, now, stop))

    def cycle(self, stop: Stop) -> None:
        """One deletion cycle: what is due goes, or why not is known."""
        self._delete(lambda root, now: self.deleter.cycle(root, now, stop))

    def _delete(self, work: Callable[[OpenRoot, Micros], CycleResult]) -> None:
        judged = self._core.judge()
        root = self.root
        if not judged.believed:
            self.blocked = f"guard clock: {judged.fault}"
        elif why := self._core.alarms.blocking(self.name):
            self.blocked = why
        elif root is None or self._broken:
            self.blocked = "not open yet"
        else:
            with self._deleting, self._guarded(judged.now):
                self._say(work(root, judged.now))

    def _say(self, result: CycleResult) -> None:
        self.blocked = result.blocked
        for batch in result.results:
            if self._scanner is not None:
                self._scanner.forget(batch.gone)
            failed = batch.outcomes[Outcome.FAILED] + batch.outcomes[Outcome.CHANGED]
            (journal.warning if failed else journal.info)(
                "batch.done",
                root=self.name,
                intent=batch.intent,
                bytes=batch.size,
                lateness_s=batch.lateness // 1_000_000,
                **{str(o): number for o, number in batch.outcomes.items() if number},
            )

    # -- trouble ------------------------------------------------------------------

    def _may_not_write(self) -> bool:
        return not self._core.alarms.may_write()

    @contextmanager
    def _guarded(self, now: Micros) -> Iterator[None]:
        """Every error ends here and trips a guard: one odd disk stops no other.

        Nothing that was in memory is used again: the root is opened anew, and what a
        batch left open is finished first.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001 - of the service only this root ends
            if not isinstance(error, RetentionError | OSError):
                journal.error("root.fault", root=self.name, exc_info=error)
                self._rest()
            self._broken = True
            self.deleter.reset()
            self._core.failed(error, self.name, now)
            self.blocked = self._core.alarms.blocking(self.name) or str(error)

    def _rest(self) -> None:
        """Nobody knows what will go wrong again, nor how much of the disk is read until
        then."""
        now = clock.monotonic()
        self._faults = self._faults + 1 if now - self._again < 2 * LONGEST_REST else 1
        self._again = now + min(MINUTE << min(self._faults - 1, 6), LONGEST_REST)

    def workers(self) -> tuple[Worker, Worker]:
        """Its two threads."""
        return (self.scanning, self.deleting)

    def close(self) -> None:
        """Let go of the root, once the threads have ended."""
        if self.root is not None:
            self.root.close()
