"""A footage root with a catalogue, a log and a scanner."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from retention.footage.ingest.scan import ScanResult
from retention.model.values import Micros
from tests.support.world import World, never


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where all other tests write: a catalogue need not wait for a disk."""
    return tmp_path_factory.mktemp("site")


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
