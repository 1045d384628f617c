"""A footage root on a real disk with a catalogue, a log and a scanner."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from retention.audit import log as audit
from retention.audit.listing import listing
from retention.audit.log import Log, open_log
from retention.audit.verify import verify_catalogue
from retention.catalogue import (
    cameras,
    db,
    holds,
    policies,
    recordings,
    roots,
    streams,
    unknown,
)
from retention.catalogue.db import Priority
from retention.context import Context
from retention.footage.identity import create_identity
from retention.footage.roots import OpenRoot, open_root
from retention.ingest.scan import Scanner, ScanResult
from retention.layouts.presets import preset_or_template
from retention.model import (
    DAY,
    FOREVER,
    HOUR,
    SECOND,
    Actor,
    Camera,
    Custody,
    Micros,
    Recording,
    Stream,
)
from retention.policy import Policy
from retention.settings import RootSettings, Settings

NOW: Micros = 1_784_550_000 * SECOND  # 20 Jul 2026, 12:20:00 UTC: summer time
LAYOUT = "{camera}/%Y-%m-%d_%H-%M-%S.mp4"
CATALOGUE_UUID = "22222222-2222-4222-8222-222222222222"
ACTOR = Actor(uid=0, login=1000, pid=1, role="service")


def never() -> bool:
    return False


class World:
    """One site with roots that tests fill and scan."""

    NOW, LAYOUT = NOW, LAYOUT

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.catalogue = db.create(
            directory / db.NAME, {"uuid": CATALOGUE_UUID, "site": "test"}
        )
        self.log = Log(site="test", host="here", program="0")
        self.roots: dict[str, OpenRoot] = {}
        self.now = NOW
        with self.catalogue.write(Priority.HOLD) as tx:
            policies.insert(tx, NOW, Policy(1, 28))
            open_log(
                tx, site="test", at=NOW, actor=ACTOR, host="here", program="0",
                log_id="t", public_key=b"k" * 32, timezone="Europe/London",
            )  # fmt: skip
        for id in ("1001", "1002"):
            self.camera(id)

    def camera(self, id: str, custody: Custody = Custody.COUNCIL) -> int:
        with self.catalogue.write(Priority.SCAN) as tx:
            return cameras.insert(tx, Camera(0, id, f"at {id}", custody=custody), NOW)

    def root(self, name: str = "nvr1") -> OpenRoot:
        """The open root of that name, made at first use."""
        if name not in self.roots:
            path, uuid = self.directory / name, f"root-{name}"
            path.mkdir()
            create_identity(path, uuid, CATALOGUE_UUID)
            with self.catalogue.write(Priority.HOLD) as tx:
                key = roots.add(tx, name=name, path=str(path), uuid=uuid).key
            self.roots[name] = open_root(
                key=key, name=name, path=path, uuid=uuid,
                catalogue_uuid=CATALOGUE_UUID, device=None, boot=None, boot_now="b",
            )  # fmt: skip
        return self.roots[name]

    def settings(self, name: str = "nvr1", **changes: Any) -> Settings:
        values = {
            "name": name, "path": self.directory / name, "layout": LAYOUT,
            "timezone": "UTC", "stable_after": 30 * SECOND, "max_length": HOUR,
            "recorder_keeps": None, "cameras": MappingProxyType({}),
        } | changes  # fmt: skip
        root = RootSettings.model_construct(**values)
        return Settings.model_construct(
            site="test", timezone="Europe/London", root=(root,)
        )

    def scanner(self, name: str = "nvr1", **changes: Any) -> Scanner:
        """A scanner without memory, as after a start."""
        settings = self.settings(name, **changes)
        preset = preset_or_template(settings.root[0].layout)
        return Scanner(
            self.catalogue, self.log, self.root(name), preset, settings.root[0],
            settings, ACTOR,
        )  # fmt: skip

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
        with self.catalogue.read() as tx:
            found = listing(tx, kind=kind, limit=10_000)[::-1]
            return [
                entry["fields"] | {"rows": self._rows(tx, entry["index"])}
                for entry in found
            ]

    def _rows(self, tx: Any, number: int) -> list[dict[str, Any]]:
        rows = audit.read_rows(tx, number)
        if rows is None:
            return []
        return [dict(zip(rows.columns, row, strict=True)) for row in rows.values]

    def hold(self, camera: int, since: Micros, until: Micros = FOREVER) -> int:
        with self.catalogue.write(Priority.HOLD) as tx:
            return holds.insert(
                tx, [camera], kind="police", reference="r", reason="r", requester="",
                since=since, until=until, typed="", margin=0, placed=NOW, placed_by=0,
                review=NOW + DAY,
            )  # fmt: skip

    def context(self, **changes: Any) -> Context:
        return Context(
            self.settings(**changes), self.catalogue, self.log, self.now, ACTOR
        )

    def verified(self) -> bool:
        return verify_catalogue(self.catalogue).ok

    def close(self) -> None:
        for root in self.roots.values():
            root.close()
        self.catalogue.close()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def scan(world: World) -> Callable[..., ScanResult]:
    """Scan the root once, with one scanner for the whole test."""
    scanner = world.scanner()

    def once(now: Micros | None = None, **given: Any) -> ScanResult:
        world.now = now or world.now
        return scanner.scan(world.now, never, **given)

    once.scanner = scanner  # type: ignore[attr-defined]
    return once
