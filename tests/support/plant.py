"""Footage roots with all that lives of them: a scanner each, a deleter, holds."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from retention.control.gate import Gate
from retention.deletion.cycle import CycleResult, Deleter
from retention.footage.ingest.scan import Scanner
from retention.holds.place import hold_place
from retention.model import codec
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, SECOND, Micros
from retention.site.settings import RetentionSettings
from tests.support.premises import OPERATOR
from tests.support.world import ACTOR, World, never

T0: Micros = 1_784_541_600 * SECOND  # 20 Jul 2026, 10:00:00 UTC: summer time
PERIOD = 28 * DAY


class Plant(World):
    """The program's parts as the daemon calls them, one round after the other."""

    def __init__(self, directory: Path, **retention: Any) -> None:
        super().__init__(directory, Gate())
        self.now = T0 - DAY
        self._retention = RetentionSettings(**retention)
        self.begin()
        self.scanners: dict[str, Scanner] = {}
        self.blocked: dict[str, str | None] = {}

    def begin(self) -> None:
        """A deleter without memory, as after a start."""
        self.deleter = Deleter(
            self.catalogue, self.log, self.gate, ACTOR, self._retention
        )

    def watch(self, name: str = "nvr1", **settings: Any) -> None:
        """Take a root in, or come back to it with other settings and no memory."""
        self.scanners[name] = self.scanner(name, **settings)

    def film(
        self,
        start: Micros,
        length: Micros = HOUR,
        *,
        shown: Micros | None = None,
        folder: str = "1001",
        root: str = "nvr1",
        name: str = "%Y-%m-%d_%H-%M-%S",
    ) -> Path:
        """A finished file; `shown` is the time that its name says, as if it were UTC."""
        at = datetime.fromtimestamp((shown or start) // SECOND, UTC)
        return self.write(
            f"{folder}/{at.strftime(name)}.mp4", start + length, root=root
        )

    def round(self, now: Micros) -> list[CycleResult]:
        """Scan and delete in every root, at `now`."""
        self.now = now
        results = []
        for name, scanner in self.scanners.items():
            scanner.scan(now, never)
            result = self.deleter.cycle(self.root(name), now, never)
            for batch in result.results:
                scanner.forget(batch.gone)
            self.blocked[name] = result.blocked
            results.append(result)
        return results

    def place(self, camera: str, since: Micros, until: Micros) -> dict[str, Any]:
        """A hold as an operator places it, with no margin."""
        placed = hold_place(
            self.asked(self.settings(), OPERATOR), cameras=[camera], since=format_utc(since),
            until=format_utc(until), kind="court", reference="r", reason="r",
            margin="0",
        )  # fmt: skip
        return codec.to_json(placed)

    def free(self, hold: int) -> None:
        """Released at once, and cooled off at once."""
        self.release(hold, self.now, self.now)

    def there(self) -> list[str]:
        """Names of the files on all disks."""
        return sorted(
            os.fspath(path.relative_to(self.directory))
            for path in self.directory.rglob("*.mp4")
        )

    def outcomes(self, outcome: str) -> int:
        """How many files the completions give this outcome."""
        return sum(entry[outcome] for entry in self.entries("recordings.deleted"))
