"""A site with real files, a real scanner and deleter, and its books."""

import os
import sqlite3
from pathlib import Path
from types import MappingProxyType
from typing import Any

from site_ import ACTOR, LAYOUT, NOW, Site, never

from retention.audit import log
from retention.audit.listing import listing
from retention.audit.tiles import WIDTH, Tile, bundle, row_path
from retention.catalogue import cameras, db, roots, streams, tally
from retention.catalogue.db import Priority
from retention.context import Context
from retention.ingest.rulings import recording_resolve
from retention.ingest.scan import Scanner
from retention.layouts.presets import preset_or_template
from retention.ledger import copied
from retention.ledger.rollup import roll_up, settle
from retention.ledger.views import audit_balance, audit_find
from retention.localtime import format_utc
from retention.model import DAY, HOUR, MINUTE, SECOND, Camera, Entry, Micros, Stream
from retention.settings import RootSettings, Settings

__all__ = ["ACTOR", "DAY", "HOUR", "MINUTE", "NOW", "SECOND", "Bookkeeper"]


class Bookkeeper:
    """Files come, grow and go; what is asked of the log of it."""

    def __init__(self, directory: Path) -> None:
        self.site = Site(directory, deletion_limit="100%")
        self.now: Micros = NOW
        self.root_settings = RootSettings.model_construct(
            name="nvr1", path=self.site.footage, layout=LAYOUT, timezone="UTC",
            stable_after=30 * SECOND, max_length=HOUR, recorder_keeps=None,
            cameras=MappingProxyType({}),
        )  # fmt: skip
        self.settings = Settings.model_construct(
            site="test", timezone="Europe/London", root=(self.root_settings,)
        )
        with self.site.catalogue.write(Priority.SCAN) as tx:
            for id in ("a", "b"):
                key = cameras.insert(tx, Camera(0, id, f"at {id}"), NOW)
                # Its real streams are opened by scans; a hold asks only for the camera.
                self.site.streams[id] = Stream(0, 0, key, "", "", "", "", HOUR)
                fields = {"camera": key, "id": id, "kind": "", "custody": "council",
                          "source": "test"}  # fmt: skip
                self.site.log.append(tx, Entry("camera.added", NOW, ACTOR, fields))
            root = {"root": "nvr1", "uuid": "u", "path": str(self.site.footage)}
            self.site.log.append(tx, Entry("root.created", NOW, ACTOR, root))
            roots.set_scanned(tx, self.site.root_key, NOW)
        self._tick = 0
        self.start()

    def start(self) -> None:
        """A scanner without memory."""
        self.scanner = Scanner(
            self.site.catalogue, self.site.log, self.site.root,
            preset_or_template(LAYOUT), self.root_settings, self.settings, ACTOR,
        )  # fmt: skip

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
            result = self.scanner.scan(self.now, never, full=True)
            self.site.deleter.note(result.streams, self.now)

    def reconcile(self) -> None:
        self.scanner.reconcile(self.now, never)
        self.now += 5 * MINUTE
        self.scanner.reconcile(self.now, never)

    def cycle(self) -> Any:
        done = self.site.cycle(self.now)
        self.scanner.forget(path for one in done.results for path in one.gone)
        return done

    def roll_up(self) -> int:
        return roll_up(self.site.catalogue, self.site.log, ACTOR, self.now)

    def settle_books(self) -> bool:
        return settle(self.site.catalogue, self.site.log, ACTOR, self.now)

    def rule(self, camera: str, ruling: str, shift: str | None = None) -> Any:
        return recording_resolve(
            self.context(), ruling=ruling, reason="test", camera=camera, shift=shift,
            again=True,
        )  # fmt: skip

    # -- what is asked ----------------------------------------------------------------

    def context(self) -> Context:
        return Context(
            self.settings, self.site.catalogue, self.site.log, self.now, ACTOR,
            self.site.gate,
        )  # fmt: skip

    def balance(self, **given: Any) -> dict[str, Any]:
        return audit_balance(self.context(), **given)

    def find(self, **given: Any) -> dict[str, Any]:
        return audit_find(self.context(), **times(given))

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
        with self.site.catalogue.read() as tx:
            return listing(tx, kind=kind, limit=100_000)[::-1]

    def rows(self, number: int) -> list[dict[str, Any]]:
        with self.site.catalogue.read() as tx:
            rows = log.read_rows(tx, number)
        return [dict(zip(rows.columns, row, strict=True)) for row in rows.values]

    def tamper(self, *statements: str) -> None:
        """As somebody with the database does."""
        with sqlite3.connect(self.site.directory / db.NAME) as raw:
            for statement in statements:
                raw.execute(statement)
        raw.close()

    # -- a copy -----------------------------------------------------------------------

    def publish(self, directory: Path) -> Path:
        """Bundles and row files, which is all that is read of a copy here."""
        with self.site.catalogue.read() as tx:
            entries = log.stored(tx, 0, log.size(tx))
        for first in range(0, len(entries), WIDTH):
            part = entries[first : first + WIDTH]
            tile = Tile("entries", first // WIDTH, len(part))
            _put(directory / tile.path, bundle(one.data for one in part))
        for one in entries:
            if one.rows is not None:
                _put(directory / row_path(one.number), one.rows)
        return directory

    def copied_find(self, directory: Path, **given: Any) -> dict[str, Any]:
        return copied.find(directory, self.now, **times(given))

    def copied_balance(self, directory: Path, **given: Any) -> dict[str, Any]:
        return copied.balance(directory, self.now, **given)


def times(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: format_utc(value) if isinstance(value, int) else value
        for name, value in given.items()
    }


def _put(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
