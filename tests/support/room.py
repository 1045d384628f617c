"""A control room: the real daemon, real people at the real command line, and time.

The settings are those of the design, but for a cycle and a scan every second.
"""

import json
import subprocess
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from retention.catalogue import db, log
from retention.catalogue.entries import listing
from retention.model.localtime import parse_instant
from retention.model.values import MINUTE, SECOND, Micros
from retention.site import clock
from retention.site.settings import load
from tests.support.installation import Daemon, Installation, finished, program
from tests.support.people import People, Person, environment

CAMERAS = """id,location,kind
1001,Market Place,public_space
1002,Station,public_space
1003,Clock Tower,public_space
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

    ROOT: ClassVar = {"max_length": "1h", "recorder_keeps": "60d"}
    FOLDER = ""

    def __init__(
        self,
        directory: Path,
        people: People,
        now: str,
        roots: Iterable[str] = ("nvr1",),
        days: int = 28,
        cameras: str = CAMERAS,
    ) -> None:
        self.CAMERAS = cameras
        super().__init__(
            directory, roots, site="leicester", contact="IT on call 0116 000 0000",
            timezone="Europe/London", days=days, clock_tolerance=None,
            release_requires_two_people=None,
            **{f"{role}s": [group] for role, group in people.groups.items()},
        )  # fmt: skip
        self.days = days
        self.daemon: Daemon | None = None
        self._off = instant(now) - clock.read().wall
        self._passed = 0
        self.set_clocks(self._off, 0)

    # -- time ---------------------------------------------------------------------

    @property
    def now(self) -> Micros:
        return clock.read().wall + self._off + self._passed

    def pass_until(self, then: str | Micros) -> None:
        """Time passes, with the machine and the service running."""
        until = then if isinstance(then, int) else instant(then)
        assert until > self.now
        self._passed += until - self.now
        self.set_clocks(self._off, self._passed)

    def jump(self, span: Micros) -> None:
        """Somebody sets the machine's clock by so much; no time passes."""
        self._off += span
        self.set_clocks(self._off, self._passed)

    # -- the program --------------------------------------------------------------

    def program(self, *words: str) -> list[str]:
        return program(self.config, *words)

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
        # Status is an answer whatever it tells; tests look at what that is.
        assert said.status == status or (words == ("status",) and said.out), said
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

    def wait(self, condition: Any) -> None:
        assert self.daemon is not None
        self.daemon.until(condition)

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
        """Until a whole scan and then a whole cycle of each root have been since: what
        has just become due is gone."""
        assert self.daemon is not None
        self.daemon.round()

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
            self.daemon.kill()


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
    finished(path, b"footage"[:size].ljust(size, b"."), end // SECOND)
    return path


def there(files: Iterable[Path]) -> list[bool]:
    """For each file, whether it is there."""
    return [file.exists() for file in files]
