"""A control room: the real daemon, real people at the real command line, and time.

The settings are those of the design, but for a cycle and a scan every second.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from api.people import People, Person, environment
from installation import Daemon, Installation

from retention import clock
from retention.audit import log
from retention.audit.listing import listing
from retention.catalogue import db
from retention.localtime import parse_instant
from retention.model import DAY, MINUTE, SECOND, Micros
from retention.settings import load

MACHINE = Path(__file__).with_name("machine.py").read_text()

SETTINGS = """
site = "leicester"
contact = "IT on call 0116 000 0000"
timezone = "Europe/London"
state_directory = "{directory}/state"
socket = "{directory}/api.sock"
spool = "{directory}/spool"
cameras = "{directory}/cameras.csv"
[retention]
days = {days}
cycle = "1s"
scan = "1s"
[access]
operators = ["{operator}"]
supervisors = ["{supervisor}"]
auditors = ["{auditor}"]
administrators = ["{administrator}"]
"""

ROOT = """
[[root]]
name = "{name}"
path = "{directory}/{name}"
layout = "{{camera}}/%Y-%m-%d_%H-%M-%S.mp4"
timezone = "UTC"
stable_after = "1s"
max_length = "1h"
recorder_keeps = "60d"
"""

CAMERAS = """id,location,kind
1001,Market Place,public_space
1002,Station,public_space
1003,Clock Tower,public_space
1099,Car park,public_space
8001,Ring road,anpr
"""

POLICE = (
    "--kind", "police", "--officer", "PC 4321 Singh", "--force",
    "Leicestershire Police", "--reference", "26*123456", "--reason", "assault",
)  # fmt: skip
"""What an operator types of a police request."""

INSURER = (
    "--kind", "insurance", "--reference", "CLM 88", "--requester", "Aviva, claims",
    "--reason", "collision",
)  # fmt: skip

WITNESS = "1099"
"""Records nothing but what tells that a cycle has been."""


def instant(text: str) -> Micros:
    """An instant as people type it in Leicester."""
    return parse_instant(text, "Europe/London", 0)


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @cached_property
    def answer(self) -> Any:
        assert self.out, self
        return json.loads(self.out)

    @property
    def all(self) -> str:
        return self.out + self.err


class Room(Installation):
    """One control room at a given time; `days` is its retention period."""

    def __init__(
        self,
        directory: Path,
        people: People,
        now: str,
        roots: Iterable[str] = ("nvr1",),
        days: int = 28,
        cameras: str = CAMERAS,
    ) -> None:
        self.directory = directory
        self.config = directory / "retention.toml"
        text = SETTINGS.format(directory=directory, days=days, **people.groups)
        for name in roots:
            (directory / name).mkdir(exist_ok=True)
            text += ROOT.format(directory=directory, name=name)
        self.config.write_text(text)
        (directory / "cameras.csv").write_text(cameras)
        self.settings = load(self.config, {})
        self.state = self.settings.state_directory
        self.days = days
        self.daemon: Daemon | None = None
        self._first = self.settings.root[0].name
        self._witnesses: set[Micros] = set()
        self._clocks = directory / "clocks"
        self._off = instant(now) - clock.read().wall
        self._passed = 0
        self._write_clocks()

    # -- time ---------------------------------------------------------------------

    @property
    def now(self) -> Micros:
        return clock.read().wall + self._off + self._passed

    def pass_until(self, then: str | Micros) -> None:
        """Time passes, with the machine and the service running."""
        until = then if isinstance(then, int) else instant(then)
        assert until > self.now
        self._passed += until - self.now
        self._write_clocks()

    def _write_clocks(self) -> None:
        new = self._clocks.with_suffix(".new")
        new.write_text(f"{self._off} {self._passed}")
        new.rename(self._clocks)

    # -- the program --------------------------------------------------------------

    def program(self, *words: str) -> list[str]:
        command = [sys.executable, "-c", MACHINE, str(self._clocks)]
        return [*command, "--config", str(self.config), *words]

    def install(self) -> None:
        """`retention init`, and the service is started and has seen every root."""
        subprocess.run(
            self.program("init"), check=True, capture_output=True, env=environment()
        )
        self.start_service()

    def start_service(self) -> None:
        roots = len(self.settings.root)
        self.daemon = _Service(self).running()
        self.daemon.until(lambda: len(self.entries("root.adopted")) == roots)
        self.daemon.until(self.settings.socket.exists)

    def stop_service(self) -> None:
        assert self.daemon is not None
        assert self.daemon.end() == 0, self.daemon.log()
        self.daemon.out.close()
        self.daemon = None

    def by(self, person: Person, *words: str, **options: Any) -> Said:
        """One command of one person, to its end."""
        done = person.run(*self.program(*words), **options)
        assert "Traceback" not in done.stderr, done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    def ask(self, person: Person, *words: str, status: int = 0) -> Any:
        """The answer in JSON of a command that ends as expected."""
        said = self.by(person, *words, "--json")
        assert said.status == status, said
        return said.answer

    # -- footage ------------------------------------------------------------------

    def film(
        self,
        camera: str,
        since: str | Micros,
        until: str | Micros,
        length: Micros = 15 * MINUTE,
        root: str = "nvr1",
        size: int = 7,
    ) -> list[Path]:
        """Finished files of this length, one after the other."""
        start = since if isinstance(since, int) else instant(since)
        end = until if isinstance(until, int) else instant(until)
        folder = self.directory / root / camera
        folder.mkdir(parents=True, exist_ok=True)
        return [
            _write(folder, at, min(at + length, end), size)
            for at in range(start, end, length)
        ]

    def wait(self, condition: Any, seconds: float = 15) -> None:
        assert self.daemon is not None
        self.daemon.until(condition, seconds)

    def wait_gone(self, files: Iterable[Path]) -> None:
        """Until the service has deleted these, and said so in the log."""
        files = list(files)
        self.wait(lambda: not any(file.exists() for file in files))
        self.wait(
            lambda: (
                len(self.entries("deletion.intended"))
                == len(self.entries("recordings.deleted"))
            )
        )

    def cycle(self) -> None:
        """Until a whole scan and a whole cycle of the first root have been since: what
        has just become due is written, and gone."""
        end = self.now // SECOND * SECOND - self.days * DAY
        while end in self._witnesses:
            end -= SECOND
        self._witnesses.add(end)
        self.wait_gone(self.film(WITNESS, end - SECOND, end, root=self._first))

    def set_days(self, days: int) -> None:
        """Write another retention period into the settings, for the next start."""
        text = self.config.read_text()
        old = f"days = {self.settings.retention.days}\n"
        assert old in text
        self.config.write_text(text.replace(old, f"days = {days}\n"))
        self.settings = load(self.config, {})

    def periods_after(self, number: int) -> set[Micros]:
        """From the end of a recording to when it was due, of what was deleted since."""
        catalogue = db.open_(self.state / db.NAME, read_only=True)
        found = set()
        with catalogue.read() as tx:
            for entry in listing(tx, kind="deletion.intended"):
                rows = log.read_rows(tx, entry["index"])
                if entry["index"] > number and rows is not None:
                    for values in rows.values:
                        row = dict(zip(rows.columns, values, strict=True))
                        found.add(row["due"] - row["start"] - row["duration"])
        catalogue.close()
        return found

    def close(self) -> None:
        if self.daemon is not None:
            if self.daemon.process.poll() is None:
                self.daemon.process.kill()
                self.daemon.process.wait()
            self.daemon.out.close()


class _Service(Daemon):
    """`retention run` on this machine."""

    def __init__(self, room: Room) -> None:
        self.installation = room
        self.out = (room.directory / "daemon.log").open("w+")
        self.process = subprocess.Popen(
            room.program("run"),
            stderr=self.out, stdin=subprocess.DEVNULL, env=environment(),
        )  # fmt: skip


def _write(folder: Path, start: Micros, end: Micros, size: int) -> Path:
    stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.gmtime(start // SECOND))
    path = folder / f"{stamp}.mp4"
    path.write_bytes(b"footage"[:size].ljust(size, b"."))
    os.utime(path, (end // SECOND, end // SECOND))
    return path


def there(files: Iterable[Path]) -> list[bool]:
    """For each file, whether it is there."""
    return [file.exists() for file in files]
