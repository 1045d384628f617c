"""A site with real files, a real scanner and deleter, and its books."""

import os
from pathlib import Path
from typing import Any

from retention.catalogue import cameras, log, roots, streams, tally
from retention.catalogue.db import Priority
from retention.control.context import Context
from retention.footage.ingest.rulings import recording_resolve
from retention.footage.ingest.witness import Witness
from retention.model.localtime import format_utc
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Camera,
    Micros,
    Stream,
)
from retention.reports.published_copy import PublishedCopy
from retention.reports.rollup import roll_up, settle
from tests.support import publishing
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.json_schema import answered, verb
from tests.support.site_ import ACTOR, NOW, Site, never

__all__ = ["ACTOR", "DAY", "HOUR", "MINUTE", "NOW", "SECOND", "Bookkeeper"]


class Bookkeeper:
    """Files come, grow and go; what is asked of the log of it."""

    def __init__(self, directory: Path) -> None:
        self.site = Site(directory, deletion_limit="100%")
        self.now: Micros = NOW
        self.settings = self.site.configured("nvr1", self.site.footage)
        with self.site.catalogue.write(Priority.SCAN) as tx:
            for id in ("a", "b"):
                key = cameras.insert(tx, Camera(0, id, f"at {id}"), NOW)
                # Its real streams are opened by scans; a hold asks only for the camera.
                self.site.streams[id] = Stream(0, 0, key, "", "", "", "", HOUR)
                fields = {"camera": key, "id": id, "kind": "", "custody": "council",
                          "source": "test"}  # fmt: skip
                seen = ((key, NOW, NOW + 1),)
                append_dated(
                    self.site.log,
                    tx,
                    Dated("camera.added", NOW, ACTOR, fields, None, seen),
                )
            root = {"root": "nvr1", "uuid": "u", "path": str(self.site.footage)}
            append_dated(self.site.log, tx, Dated("root.created", NOW, ACTOR, root))
            roots.set_scanned(tx, self.site.root_key, NOW)
        self._tick = 0
        self.start()

    def start(self) -> None:
        """A scanner without memory."""
        self.scanner = self.site.scanning(self.site.root, self.settings)

    def restart(self) -> None:
        self.site.restart()
        self.start()

    def close(self) -> None:
        self.site.close()

    # -- what happens to files ------------------------------------------------------

    def path(self, camera: str, start: Micros) -> Path:
        return self.site.path(camera, start)

    def write(
        self, camera: str, start: Micros, size: int = 10, length: Micros = MINUTE,
        off: Micros = 0,
    ) -> Path:  # fmt: skip
        """A finished file; `off` is how wrong its mtime is."""
        path = self.path(camera, start)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)
        self.touch(path, start + length + off)
        return path

    def touch(self, path: Path, mtime: Micros) -> None:
        os.utime(path, ns=(mtime * 1000, mtime * 1000))
        self.settle(path.parent)

    def settle(self, directory: Path) -> None:
        """It changed well before now, and later than before."""
        self._tick += 1
        at = (self.now - DAY) * 1000 + self._tick * 1_000_000
        for one in (directory, self.site.footage):
            os.utime(one, ns=(at, at))

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        if path.parent.exists():
            self.settle(path.parent)

    # -- what the service does --------------------------------------------------------

    def scan(self) -> None:
        """As the daemon does, and again once what grew was quiet for long enough."""
        for wait in (0, 5 * MINUTE):
            self.now += wait
            self._look()

    def _look(self) -> None:
        """A scan that takes what is on the disk as if it had been seen in its time.

        The books are asked about days long before the clock, to which files come, grow
        and vanish again and again.  By the clock all of them were late, in quarantine for
        a whole period, and due when found: nothing would ever be deleted here.
        `test_lifecycle` and the simulation have the clock go with the files, and all on.
        """
        self.scanner._witness = Witness()
        self.site.tamper("DELETE FROM fact WHERE name LIKE 'scan.witness.%'")
        self.scanner.scan(self.now, never, full=True)
        self.site.tamper("DELETE FROM due_when_found")

    def reconcile(self) -> None:
        self.scanner.reconcile(self.now, never)
        self.now += 5 * MINUTE
        self.scanner.reconcile(self.now, never)

    def cycle(self) -> Any:
        done = self.site.cycle(self.now)
        self.scanner.forget(path for one in done.results for path in one.gone)
        return done

    def roll_up(self) -> int:
        return roll_up(self.site.catalogue, self.site.log.by(ACTOR, self.now))

    def settle_books(self) -> bool:
        return settle(self.site.catalogue, self.site.log.by(ACTOR, self.now))

    def rule(self, camera: str, ruling: str, shift: str | None = None) -> Any:
        return recording_resolve(
            self.context(), ruling=ruling, reason="test", camera=camera, shift=shift,
            again=True,
        )  # fmt: skip

    # -- what is asked ----------------------------------------------------------------

    def context(self) -> Context:
        return self.site.asked(self.settings, now=self.now)

    def balance(self, **given: Any) -> dict[str, Any]:
        return verb("audit.balance")(self.context(), **given)

    def find(self, **given: Any) -> dict[str, Any]:
        return verb("audit.find")(self.context(), **times(given))

    def fate(self, camera: str, start: Micros) -> dict[str, Any]:
        """The one recording in the middle of a minute."""
        (one,) = self.find(camera=camera, at=start + 30 * SECOND)["recordings"]
        return one

    def stream(self, camera: str) -> int:
        """The stream that the scanner opened for a camera."""
        with self.site.catalogue.read() as tx:
            (found,) = [one.key for one in streams.everyone(tx) if one.name == camera]
        return found

    def waiting(self) -> list[tally.Line]:
        with self.site.catalogue.read() as tx:
            return tally.waiting(tx)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        return self.site.listed(kind)

    def rows(self, number: int) -> list[dict[str, Any]]:
        return self.site.table(number)

    def tamper(self, *statements: str) -> None:
        self.site.tamper(*statements)

    # -- a copy -----------------------------------------------------------------------

    def publish(self, directory: Path) -> Path:
        """Under a head of another key, which nobody asks for here."""
        with self.site.catalogue.read() as tx:
            entries = log.stored(tx, 0, log.size(tx))
        return publishing.publish(directory, entries)

    def copied_find(self, directory: Path, **given: Any) -> dict[str, Any]:
        answer = PublishedCopy(directory).find(self.now, **times(given))
        return answered("audit.find", answer)

    def copied_balance(self, directory: Path, **given: Any) -> dict[str, Any]:
        answer = PublishedCopy(directory).balance(self.now, **given)
        return answered("audit.balance", answer)


def times(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: format_utc(value) if isinstance(value, int) else value
        for name, value in given.items()
    }
