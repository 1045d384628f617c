"""A site without a daemon: footage roots on a disk that tests fill and scan."""

import os
from pathlib import Path
from typing import Any

from retention.catalogue import (
    cameras,
    policies,
    recordings,
    streams,
    unknown,
)
from retention.catalogue.db import Priority
from retention.catalogue.log_check import verify_catalogue
from retention.control.context import Context
from retention.control.gate import Gate
from retention.footage.ingest.scan import Scanner
from retention.footage.roots import OpenRoot
from retention.model.policy import Policy
from retention.model.values import (
    DAY,
    SECOND,
    Camera,
    Custody,
    Micros,
    Recording,
    Stream,
)
from retention.site.settings import Settings
from tests.support.premises import ACTOR as ACTOR
from tests.support.premises import Premises
from tests.support.premises import never as never

NOW: Micros = 1_784_550_000 * SECOND  # 20 Jul 2026, 12:20:00 UTC: summer time


class World(Premises):
    """One site with roots that tests fill and scan."""

    START = NOW = NOW

    def __init__(self, directory: Path, gate: Gate | None = None) -> None:
        super().__init__(directory, gate=gate)
        self.roots: dict[str, OpenRoot] = {}
        with self.catalogue.write(Priority.HOLD) as tx:
            policies.insert(tx, NOW, Policy(1, 28))
        for id in ("1001", "1002"):
            self.camera(id)

    def camera(self, id: str, custody: Custody = Custody.COUNCIL) -> int:
        with self.catalogue.write(Priority.SCAN) as tx:
            return cameras.insert(tx, Camera(0, id, f"at {id}", custody=custody), NOW)

    def root(self, name: str = "nvr1") -> OpenRoot:
        """The open root of that name, made at first use."""
        if name not in self.roots:
            path, uuid = self.directory / name, f"root-{name}"
            key = self.make_root(name, path, uuid)
            self.roots[name] = self.open_root(key, name, path, uuid)
        return self.roots[name]

    def settings(self, name: str = "nvr1", **changes: Any) -> Settings:
        return self.configured(name, self.directory / name, **changes)

    def scanner(self, name: str = "nvr1", **changes: Any) -> Scanner:
        """A scanner without memory, as after a start."""
        return self.scanning(self.root(name), self.settings(name, **changes))

    def write(
        self, path: str | bytes, mtime: Micros, size: int = 10, root: str = "nvr1"
    ) -> Path:
        """A file below a root, written last at `mtime`."""
        self.root(root)
        file = self.directory / root / os.fsdecode(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * size)
        return self.touch(file, mtime)

    def touch(self, file: Path, mtime: Micros) -> Path:
        os.utime(file, ns=(mtime * 1000, mtime * 1000), follow_symlinks=False)
        self.settle(file.parent)
        return file

    def settle(self, directory: Path) -> None:
        """Make it look as if a directory changed well before `now`, each time later."""
        self._tick = getattr(self, "_tick", 0) + 1
        at = (self.now - DAY) * 1000 + self._tick * 1_000_000
        for one in (directory, *directory.parents):
            if one == self.directory:
                break
            os.utime(one, ns=(at, at))

    def remove(self, file: Path) -> None:
        file.unlink()
        self.settle(file.parent)

    def rows(self, name: str = "nvr1") -> list[Recording]:
        with self.catalogue.read() as tx:
            return [
                row
                for stream in streams.of_root(tx, self.root(name).key)
                for row in recordings.page(tx, stream.key, None, 100_000)
            ]

    def streams(self) -> list[Stream]:
        with self.catalogue.read() as tx:
            return streams.everyone(tx)

    def unknown(self) -> list[unknown.Unknown]:
        with self.catalogue.read() as tx:
            return unknown.listing(tx)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The fields of all entries of a kind, oldest first, with their rows."""
        return [
            entry["fields"] | {"rows": self.table(entry["index"])}
            for entry in self.listed(kind)
        ]

    def context(self, **changes: Any) -> Context:
        return self.asked(self.settings(**changes))

    def verified(self) -> bool:
        return verify_catalogue(self.catalogue).ok

    def close(self) -> None:
        for root in self.roots.values():
            root.close()
        super().close()
