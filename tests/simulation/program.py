"""The production code as the daemon calls it, at simulated times, and its crashes."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from errno import EACCES
from pathlib import Path
from typing import Any

from retention.catalogue import cameras, raised, roots
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.log_check import Verification, verify_catalogue
from retention.control import in_force, periods
from retention.control.context import Context
from retention.control.gate import Gate
from retention.deletion import batch as procedure
from retention.deletion.cycle import Deleter
from retention.footage.ingest.scan import Scanner
from retention.footage.roots import OpenRoot
from retention.model.answers.hold import Inspection
from retention.model.errors import CatalogueError
from retention.model.layouts.presets import preset_or_template
from retention.model.policy import Holds
from retention.model.values import DAY, HOUR, Actor, Camera, Micros
from retention.reports import rollup
from retention.service import housekeeping
from retention.service.watch import Watch
from retention.site.settings import RootSettings, Settings
from tests.support.alarmed import round_as_all_say
from tests.support.premises import ACTOR, Crash, Premises, never

DAYS = 28


LOCKED = "the catalogue is locked by another program; close whatever has it open"
FULL = "the catalogue: the disk is full; nothing was written"
PEOPLES = ("hold", "hold_camera", "release_request", "ruling_request", "ruling_row")
"""The tables in which is what people asked for."""


class Steps:
    """Every write and every unlink is a step; after so many that are `left` the process
    dies or, with a `trouble`, nothing can be written any more."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.trouble: str | None = None
        self.unreadable: set[bytes] = set()
        """Directories that the disk does not let anybody open, in any root."""

    def step(self, *, writes: bool = False) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0 and self.trouble is None:
            self.left = None
            raise Crash
        if self.left < 0 and writes:
            raise CatalogueError(self.trouble)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Around a simulation: the steps are counted."""
        write, delete, sync = Catalogue.write, procedure.delete, procedure.sync
        directory = OpenRoot.directory

        @contextmanager
        def writing(*given: Any) -> Iterator[Any]:
            self.step(writes=True)
            with write(*given) as tx:
                yield tx
            self.step(writes=True)

        def deleting(*given: Any) -> Any:
            self.step()
            done = delete(*given)
            self.step()
            return done

        def syncing(*given: Any) -> None:
            self.step()
            sync(*given)

        def opening(root: OpenRoot, path: bytes) -> Any:
            if path in self.unreadable:
                raise PermissionError(EACCES, os.strerror(EACCES))
            return directory(root, path)

        Catalogue.write = writing  # type: ignore[method-assign, assignment]
        OpenRoot.directory = opening  # type: ignore[method-assign]
        procedure.delete, procedure.sync = deleting, syncing
        try:
            yield
        finally:
            Catalogue.write = write  # type: ignore[method-assign]
            OpenRoot.directory = directory  # type: ignore[method-assign]
            procedure.delete, procedure.sync = delete, sync


class Program(Premises):
    """A site with several roots and its cameras; `looked` is each root's last scan."""

    def __init__(
        self,
        directory: Path,
        zones: dict[str, str],
        ids: list[str],
        begin: Micros,
        names: dict[str, str],
        layout: str,
    ) -> None:
        self.START, self.LAYOUT = begin, layout
        super().__init__(directory, gate=Gate())
        self.footage = directory / "footage"
        self._zones = zones
        self.configure(names)
        self.keys = {
            root.name: self.make_root(root.name, Path(root.path), f"root-{root.name}")
            for root in self.settings.root
        }
        periods.apply(self.catalogue, self.log.by(ACTOR, begin), self.settings)
        with self.catalogue.write(Priority.HOLD) as tx:
            self.cameras = {
                cameras.insert(tx, Camera(0, id, f"at {id}"), self.START): id
                for id in ids
            }
        self.looked: dict[str, Micros] = {}
        self.rounds, self.ask_all = 0, 1
        """In every so many rounds the list is compared with what all conditions say."""
        self.open: dict[str, None] = {}
        self.steps = Steps()
        self.start()

    def configure(self, names: dict[str, str]) -> None:
        """Settings, in force from the next start on; `names`: the recorder's to ids."""
        self.settings = Settings(
            site="test", state_directory=str(self.directory / "state"),
            retention={"days": DAYS},
            root=tuple(
                {
                    "name": name, "path": str(self.footage / name), "timezone": zone,
                    "layout": self.LAYOUT, "stable_after": "30s", "max_length": "6h",
                    "cameras": names,
                }
                for name, zone in self._zones.items()
            ),
        )  # fmt: skip

    def start(self) -> None:
        """A process without memory."""
        in_force.learn(self.catalogue)
        self.gate, self.alarmed = Gate(), Watch(self.catalogue)
        self.deleter = Deleter(
            self.catalogue, self.log, self.gate, ACTOR, self.settings.retention
        )
        self.roots: dict[str, OpenRoot] = {}
        self.scanners: dict[str, Scanner] = {}
        for root in self.settings.root:
            self._open(root)

    def _open(self, root: RootSettings) -> None:
        name = root.name
        opened = self.open_root(
            self.keys[name], name, Path(root.path), f"root-{name}"
        )  # fmt: skip
        self.roots[name] = opened
        self.scanners[name] = Scanner(
            self.catalogue, self.log, opened, preset_or_template(root.layout), root,
            self.settings, ACTOR,
        )  # fmt: skip

    def die(self) -> None:
        """Crash, and start again: what a batch left open is finished first."""
        self.close()
        self.reopen()
        self.start()
        for root in self.roots.values():
            self.deleter.recover(root, self.now, never)

    def round(self, now: Micros) -> None:
        """Scan and delete in every root, once; the disk is compared once a day."""
        self.now = now
        self.open = dict.fromkeys(self.scanners)
        for root in self.settings.root:
            with self._guarded(root):
                self._round(root.name, now)
        with self._guarded():
            housekeeping.note(self.catalogue, self.log.by(ACTOR, now))
            self.rounds += 1
            compare = self.rounds % self.ask_all == 0
            (round_as_all_say if compare else Watch.round)(
                self.alarmed, self.context(ACTOR)
            )

    def _round(self, name: str, now: Micros) -> None:
        scanner = self.scanners[name]
        if not self.scan(name):
            del self.open[name]
        scanner.compare_held(now, never)
        scanner.compare_written_over(now, never)
        if self._is_time(name, now):
            scanner.reconcile(now, never)
        for batch in self.deleter.cycle(self.roots[name], now, never).results:
            scanner.forget(batch.gone)

    @contextmanager
    def _guarded(self, root: RootSettings | None = None) -> Iterator[None]:
        """What can't be written ends here, and what was open is opened anew."""
        try:
            yield
        except CatalogueError:
            self.catalogue.close()
            if root is not None:
                self.roots[root.name].close()
                self._open(root)

    def beat(self, now: Micros) -> None:
        """The hourly sign of life; of what it says, the books are true."""
        fields = dict.fromkeys(
            ("recordings", "overdue", "held_cameras", "holds", "wall", "boottime"), 0
        )
        fields |= {"oldest_unheld": None, "synchronised": True}
        author = self.log.by(ACTOR, now)
        rollup.roll_up(self.catalogue, author, never)
        with self.catalogue.write(Priority.DELETION, author) as tx:
            housekeeping.beat(tx, fields)

    def scan(self, name: str) -> bool:
        """Look at one root; whether files in it are still open."""
        seen = self.scanners[name].scan(self.now, never)
        self.looked[name] = self.now
        return seen.open > 0

    def _rescan(self, names: Collection[str], _: float) -> set[str]:
        """For a hold's answer."""
        for name in names:
            self.scan(name)
        return set()

    def _inspect(
        self, wanted: Mapping[int, Holds], names: Collection[str], most: int, _: float
    ) -> Inspection:
        """At what holds keep, for an answer."""
        found = Inspection()
        for name in names:
            seen = self.scanners[name].inspect(wanted, self.now, most, never)
            found = found.plus(seen.said())
        return found

    def _is_time(self, name: str, now: Micros) -> bool:
        with self.catalogue.read() as tx:
            row = roots.get(tx, self.keys[name])
        return row is not None and now - (row.reconciled or 0) >= DAY - HOUR

    def context(self, by: Actor) -> Context:
        """A request by somebody, now."""
        return self.asked(self.settings, by, rescan=self._rescan, inspect=self._inspect)

    def asked_for(self) -> str:
        """All that is in force of what people asked for."""
        with self.catalogue.read() as tx:
            found = [
                tx.exec_driver_sql(f"SELECT * FROM {t}").fetchall() for t in PEOPLES
            ]
        return str(found)

    def alarms(self) -> list[raised.Raised]:
        with self.catalogue.read() as tx:
            return raised.everyone(tx)

    def verified(self) -> Verification:
        return verify_catalogue(self.catalogue, deep=True)

    def close(self) -> None:
        for root in self.roots.values():
            root.close()
        super().close()
