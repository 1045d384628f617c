"""All that the daemon does in one footage root, with two threads of its own.

The eyes open the root, scan and reconcile; the hands recover and delete.  So a disk
that does not answer holds up nothing but itself, and a long scan no deletion.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from retention import guards
from retention.catalogue import roots as root_rows
from retention.daemon.journal import log as journal
from retention.daemon.worker import Stop, Worker
from retention.deletion.cycle import CycleResult, Deleter
from retention.errors import RetentionError
from retention.ingest.scan import Scanner, ScanResult
from retention.layouts.presets import preset_or_template
from retention.model import Micros, Outcome
from retention.roots import open_roots

if TYPE_CHECKING:
    from retention.audit.log import Log
    from retention.catalogue.db import Catalogue
    from retention.daemon.alarms import Alarms
    from retention.daemon.timekeeper import Judged
    from retention.deletion.gate import Gate
    from retention.footage.roots import OpenRoot
    from retention.model import Actor
    from retention.settings import RootSettings, Settings


PAUSE_SECONDS = 0.1
"""Between two pages of a reconciliation: a million files take some minutes."""


@dataclass(slots=True)
class Look:
    """A scan that somebody waits for; `complete`: all of the root was read."""

    done: threading.Event = field(default_factory=threading.Event)
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Tools:
    """What all roots share.  `judge` gives the `now` of a cycle; `failed` trips the
    guard that an error calls for, for that root where it is the root's; `publish` makes
    so many entries of the log durable where it is published."""

    settings: Settings
    catalogue: Catalogue
    log: Log
    gate: Gate
    actor: Actor
    boot: str
    alarms: Alarms
    judge: Callable[[], Judged]
    failed: Callable[[Exception, str, Micros], None]
    crashed: Callable[[str, BaseException], None]
    publish: Callable[[int, Micros], None] | None = None


class RootWork:
    """One root of the configuration."""

    def __init__(self, tools: Tools, setting: RootSettings) -> None:
        self.name = setting.name
        self.blocked: str | None = "starting"
        self.eyes = Worker(f"eyes:{self.name}", tools.crashed)
        self.hands = Worker(f"hands:{self.name}", tools.crashed)
        self.deleter = Deleter(
            tools.catalogue,
            tools.log,
            tools.gate,
            tools.actor,
            tools.settings.retention,
            publish=tools.publish,
        )
        self.root: OpenRoot | None = None
        self._tools = tools
        self._setting = setting
        self._scanner: Scanner | None = None
        self._broken = False
        # Held through a cycle: a root is not opened anew under a batch at work.
        self._deleting = threading.Lock()
        self._noted: list[tuple[dict[int, Micros], Micros]] = []
        self._failed = False
        self._errors: list[str] = []
        self._asking = threading.Lock()
        self._look: Look | None = None  # asked for and not begun

    # -- the eyes -----------------------------------------------------------------

    def open(self, _: Stop) -> None:
        """Open the root, as the first thing at start."""
        self._available(self._tools.judge().now)

    def scan(self, stop: Stop) -> bool:
        """Bring what is new on the disk into the catalogue; whether all of it was read.

        Not while the catalogue has no room or is in doubt, and not by a clock that is
        in the past: what is first seen then would be dated, and deleted, too early.
        """
        judged = self._tools.judge()
        if self._may_not_write() or judged.past:
            return False
        complete = False
        with self._guarded(judged.now):
            if self._available(judged.now) is not None and self._scanner is not None:
                found = self._scanner.scan(judged.now, stop, believed=judged.believed)
                self._note(found, judged.now)
                complete = found.complete
        return complete

    def look(self) -> Look:
        """Have the disk read as soon as the eyes are free, for somebody who waits.

        Who asks before it begins shares it; who asks later needs a newer one.
        """
        with self._asking:
            if self._look is None:
                self._look = Look()
                self.eyes.trigger("look", self._look_now)
            return self._look

    def _look_now(self, stop: Stop) -> None:
        with self._asking:
            look, self._look = self._look, None
        if look is not None:
            look.complete = self.scan(stop)
            look.done.set()

    def reconcile(self, stop: Stop) -> None:
        """Compare every row with the disk, once in the time that the settings say.

        Gives way to a scan that is waiting; it goes on where it was.
        """
        judged = self._tools.judge()
        if self._may_not_write() or not judged.believed or self._scanner is None:
            return
        with self._guarded(judged.now):
            root = self._available(judged.now)
            if root is None or not self._is_time(root, judged.now):
                return
            result = self._scanner.reconcile(judged.now, partial(self._slowly, stop))
            self._noted.append((result.streams, judged.now))

    def _slowly(self, stop: Stop) -> bool:
        """The `stop` of a reconciliation, asked after each page: most of the disk's
        time is the recorder's."""
        self.eyes.rest(PAUSE_SECONDS)
        return stop() or self.eyes.pending("scan") or self.eyes.pending("look")

    def _is_time(self, root: OpenRoot, now: Micros) -> bool:
        with self._tools.catalogue.read() as tx:
            row = root_rows.get(tx, root.key)
        if row is None or row.adopted is None:
            return False
        every = self._tools.settings.retention.reconcile
        return row.reconciled is None or now - row.reconciled >= every

    def _note(self, result: ScanResult, now: Micros) -> None:
        self._noted.append((result.streams, now))
        errors = [f"{path!r}: {reason}" for path, reason in result.errors]
        if errors != self._errors:
            self._errors = errors
            for text in errors[:20]:
                journal.warning("scan.unreadable", root=self.name, error=text)
        if result.complete and not self._broken:
            self._tools.alarms.clear(
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
        """The open root; opened anew after trouble, unless a batch is still at it."""
        if self.root is not None and not self._broken:
            return self.root
        if not self._deleting.acquire(timeout=1):
            return None
        try:
            if self.root is not None:
                self.root.close()
                self.root = self._scanner = None
            tools = self._tools
            opened, refused = open_roots(
                tools.catalogue, tools.settings, tools.boot, [self.name]
            )
            if not opened:
                tools.alarms.trip(guards.ROOT, self.name, refused[self.name], now)
                return None
            self.root, self._broken = opened[0], False
            self._scanner = Scanner(
                tools.catalogue, tools.log, opened[0],
                preset_or_template(self._setting.layout), self._setting,
                tools.settings, tools.actor,
            )  # fmt: skip
            return self.root
        finally:
            self._deleting.release()

    # -- the hands ----------------------------------------------------------------

    def recover(self, stop: Stop) -> None:
        """Finish what a crash left open, before anything else is deleted."""
        self._delete(lambda root, now: self.deleter.recover(root, now, stop))

    def cycle(self, stop: Stop) -> None:
        """One deletion cycle: what is due goes, or why not is known."""
        self._delete(lambda root, now: self.deleter.cycle(root, now, stop))

    def _delete(self, work: Callable[[OpenRoot, Micros], CycleResult]) -> None:
        judged = self._tools.judge()
        root = self.root
        if not judged.believed:
            self.blocked = f"guard clock: {judged.fault}"
        elif why := self._tools.alarms.blocking(self.name):
            self.blocked = why
        elif root is None or self._broken:
            self.blocked = "not open yet"
        else:
            with self._deleting, self._guarded(judged.now):
                if self._failed:
                    # What an interrupted scan catalogued, it did not tell.
                    self.deleter.reset()
                    self._failed = False
                while self._noted:
                    self.deleter.note(*self._noted[-1])
                    self._noted.pop()
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
        return not self._tools.alarms.may_write()

    @contextmanager
    def _guarded(self, now: Micros) -> Iterator[None]:
        """Errors that are known trip a guard and end here; others end the service."""
        try:
            yield
        except (RetentionError, OSError) as error:
            self._broken = self._failed = True
            self.blocked = str(error)
            self._tools.failed(error, self.name, now)

    def workers(self) -> tuple[Worker, Worker]:
        """Its two threads."""
        return (self.eyes, self.hands)

    def close(self) -> None:
        """Let go of the root, once the threads have ended."""
        if self.root is not None:
            self.root.close()
