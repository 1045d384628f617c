"""A small installation for tests of the daemon: settings, init, files, a clock."""

import grp
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from retention.catalogue import db, plans
from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.catalogue.log import Log
from retention.cli.local.init import initialise
from retention.model.errors import CatalogueError
from retention.model.values import DAY, MINUTE, SECOND, Actor
from retention.service.daemon import Service
from retention.service.notify import Notifier
from retention.service.worker import Wakeup
from retention.site import clock
from retention.site.clock import Reading
from retention.site.instance import holder
from retention.site.settings import load
from tests.support.law import obeyed

MACHINE = Path(__file__).with_name("machine.py").read_text()

GROUP = grp.getgrgid(os.getgid()).gr_name
SUPERVISOR = Actor(uid=4321, login=4321, pid=1, role="supervisor")
ROLES = ("operator", "supervisor", "auditor", "administrator")

SETTINGS: dict[str, dict[str, Any]] = {
    "": {
        "site": "test", "contact": None, "timezone": "UTC",
        "state_directory": "{directory}/state", "socket": "{directory}/api.sock",
        "spool": "{directory}/spool", "cameras": "{directory}/cameras.csv",
        "log_origin": None,
        "log_copy": None,
        "controller": None, "monitored_hours": None, "published_list": None,
    },
    "retention": {
        "days": 1, "cycle": "1s", "scan": "1s", "clock_tolerance": "10s",
        "release_requires_two_people": False, "require_login_uid": None,
    },
    "access": {f"{role}s": [GROUP] for role in ROLES},
}  # fmt: skip
"""The settings by their tables; None is not written."""

ROOT = {
    "name": "{name}", "path": "{directory}/{name}",
    "layout": "{camera}/%Y-%m-%d_%H-%M-%S.mp4", "timezone": "UTC",
    "stable_after": "1s", "max_length": "1m", "recorder_keeps": None,
}  # fmt: skip


def _put(path: Path, text: str) -> None:
    """Whole or not at all: workers share what is made once, and each comes by here."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text)
    new.replace(path)


def finished(path: Path, data: bytes, end: int) -> None:
    """A file that was last written `end` seconds after 1970, and is there at once so: a
    daemon that met it between its bytes and its time would doubt it."""
    hidden = path.with_name(f".{path.name}")
    hidden.write_bytes(data)
    os.utime(hidden, (end, end))
    hidden.replace(path)


def _lines(values: dict[str, Any]) -> str:
    """As TOML; what is written here is the same in JSON."""
    return "".join(
        f"{name} = {json.dumps(value)}\n"
        for name, value in values.items()
        if value is not None
    )


def never() -> bool:
    return False


def program(config: Path, *words: str) -> list[str]:
    """The program as `machine` runs it, with its clocks beside the configuration."""
    clocks = config.with_name("clocks")
    if not clocks.exists():
        _put(clocks, "0 0")
    return [sys.executable, "-c", MACHINE, str(clocks), "--config", str(config), *words]


def answers(address: Path) -> bool:
    """Whether somebody listens on that socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        try:
            asked.connect(str(address))
        except OSError:
            return False
        return True


def wait(
    condition: Callable[[], object],
    seconds: float,
    alive: Callable[[], None],
    told: Callable[[], str],
) -> None:
    """Until something comes true; `told` says what there was to hear meanwhile.

    Between two looks lies three times as long as a look took: whoever asks by a command
    would else take the processor from what it waits for.
    """
    end = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        if condition():
            return
        alive()
        looked = time.monotonic()
        assert looked < end, f"waited {seconds} s\n{told()}"
        time.sleep(min(max(0.05, 3 * (looked - begun)), 2))


class Clock:
    """Stands in for `clock.read`: time passes, and the wall clock jumps, when told."""

    def __init__(self, synchronised=False):
        self.real = clock.read()
        self.elapsed = 0
        self.jump = 0
        self.boot = self.real.boot
        self.synchronised = synchronised

    def __call__(self) -> Reading:
        wall = self.real.wall // SECOND * SECOND + self.elapsed + self.jump
        boottime = self.real.boottime + self.elapsed
        monotonic = clock.monotonic()
        return Reading(wall, boottime, monotonic, self.boot, self.synchronised)


class Installation:
    """One site below a directory, with footage roots of these names."""

    ROOT: Mapping[str, Any] = MappingProxyType({})
    """What its roots have otherwise than `ROOT`."""
    CAMERAS: str | None = "id,location\n1001,Market Place\n1002,Station\n"
    FOLDER = "1001"
    """The directory that is there in each root."""
    standing: ClassVar[dict["Installation", Service]] = {}
    """Those whose service a test has in its own process, and the last of each."""

    def __init__(
        self,
        directory: Path,
        roots: Iterable[str] = ("nvr1",),
        extra="",
        **changes: Any,
    ) -> None:
        """`changes` are settings that it has otherwise than `SETTINGS`."""
        self.directory = directory
        self.config = directory / "retention.toml"
        self.state = directory / "state"
        text = ""
        for table, values in SETTINGS.items():
            known = {name: changes.pop(name, value) for name, value in values.items()}
            text += f"[{table}]\n" * bool(table) + _lines(known)
        assert not changes, changes
        text += extra
        for name in roots:
            root = _lines({**ROOT, **self.ROOT}).replace("{name}", name)
            text += "[[root]]\n" + root
        _put(self.config, text.replace("{directory}", str(directory)))
        if self.CAMERAS is not None:
            _put(directory / "cameras.csv", self.CAMERAS)
        self.settings = load(self.config, {})
        for one in self.settings.root:
            if one.name in roots:
                (one.path / self.FOLDER).mkdir(parents=True, exist_ok=True)

    def init(self):
        return initialise(self.settings)

    def service(self) -> Service:
        """The daemon's parts in this process, with no thread started."""
        service = Service(self.settings, Notifier({}), Wakeup())
        for work in service._works:
            work.open(never)
        self.standing[self] = service
        return service

    def record(self, now: int, age: int, root="nvr1", camera="1001") -> Path:
        """A finished recording of five seconds that ended `age` before `now`."""
        end = (now - age) // SECOND
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.gmtime(end - 5))
        path = self.directory / root / camera / f"{stamp}.mp4"
        finished(path, b"footage", end)
        return path

    def files(self, root="nvr1"):
        return sorted(path.name for path in (self.directory / root).rglob("*.mp4"))

    def approve(self) -> None:
        """A supervisor approves what waits."""
        catalogue = db.open_(self.state / db.NAME)
        author = Log(site="test").by(SUPERVISOR, clock.read().wall)
        with catalogue.write(Priority.HOLD, author) as tx:
            for plan in plans.waiting(tx):
                plans.approve(tx, plan.key)
                tx.append("plan.approved", plan=plan.key, digest=plan.digest)
        catalogue.close()

    def left(self) -> list[Path]:
        """Files in the roots that are past the site's period, where no hold is."""
        if not (self.state / db.NAME).is_file() or self.entries("hold.placed"):
            return []
        passed = sum(map(int, (self.directory / "clocks").read_text().split()))
        before = clock.read().wall + passed - self.settings.retention.days * DAY
        return [
            root.path / os.fsdecode(path)
            for root in self.settings.root
            for path, info in files_below(os.fsencode(root.path))
            if stat.S_ISREG(info.st_mode)
            and info.st_mtime_ns // 1000 < before - MINUTE
            and os.path.splitext(path)[1]
        ]

    def set_clocks(self, off: int, passed: int) -> None:
        """How far the wall clock is from this machine's, and how much time has passed
        since beside its own, for the daemon and every command."""
        new = self.directory / "clocks.new"
        new.write_text(f"{off} {passed}")
        new.rename(self.directory / "clocks")

    def pass_time(self, span: int) -> None:
        """Time passes, with the machine and its daemon running."""
        off, passed = map(int, (self.directory / "clocks").read_text().split())
        self.set_clocks(off, passed + span)

    def entries(self, kind=None):
        """What the log has, oldest first."""
        catalogue = db.open_(self.state / db.NAME, read_only=True)
        with catalogue.read() as tx:
            found = listing(tx, kind=kind, limit=10_000)[::-1]
        catalogue.close()
        return found

    def verify(self):
        """Whether the log is whole, as it is lawful for sure."""
        catalogue = db.open_(self.state / db.NAME, read_only=True)
        try:
            return obeyed(catalogue)
        finally:
            catalogue.close()

    def start(self, **environment) -> "Daemon":
        return Daemon(self, environment)

    @contextmanager
    def running(self) -> Iterator["Daemon"]:
        """Its daemon, from its first answer on, which must end in order."""
        daemon = self.start()
        try:
            yield daemon.answering()
            assert daemon.end() == 0, daemon.log()
        finally:
            daemon.kill()


def files_below(top: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Every file below a root, also where a link leads; no hidden ones.  However deep it
    is, as far as a path can name it."""
    work, met = [b""], set()
    while work:
        at = work.pop()
        try:
            here = os.stat(os.path.join(top, at))
            names = os.listdir(os.path.join(top, at))
        except OSError:
            continue
        if (here.st_dev, here.st_ino) in met:
            continue
        met.add((here.st_dev, here.st_ino))
        for path in (os.path.join(at, name) for name in names if name[:1] != b"."):
            with suppress(OSError):
                if os.path.isdir(os.path.join(top, path)):
                    work.append(path)
                else:
                    yield path, os.lstat(os.path.join(top, path))


class Daemon:
    """The daemon as a process of its own."""

    PREFIX: tuple[str, ...] = ()
    """A command that starts it, such as one that takes rights away."""

    def __init__(self, installation: Installation, environment) -> None:
        self.installation = installation
        self.out = (installation.directory / "daemon.log").open("w+")
        self.process = subprocess.Popen(
            [*self.PREFIX, *program(installation.config, "run")],
            stderr=self.out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )

    def log(self) -> str:
        return Path(self.out.name).read_text()

    def until(self, condition, seconds=120) -> None:
        """Wait for something to come true."""

        def alive() -> None:
            assert self.process.poll() is None, self.log()

        wait(condition, seconds, alive, self.log)

    def round(self, *roots: str, seconds=120) -> None:
        """Wait until each root was scanned whole and then had a cycle, from now on."""
        for name in roots or [root.name for root in self.installation.settings.root]:
            for what in ("scan", "cycle"):
                asked = time.monotonic()
                told = self.installation.directory / "rounds" / f"{name}.{what}"
                self.until(
                    lambda told=told, asked=asked: (
                        told.exists() and float(told.read_text()) > asked
                    ),
                    seconds,
                )

    def running(self) -> "Daemon":
        self.until(lambda: holder(self.installation.state) and self.log())
        return self

    def answering(self) -> "Daemon":
        """Running, and its socket is open."""
        self.until(lambda: answers(self.installation.settings.socket))
        return self

    def end(self, number=signal.SIGTERM) -> int:
        self.be_honest()
        self.process.send_signal(number)
        return self.process.wait(120)

    def be_honest(self) -> None:
        """Whatever a test did to it: where footage that no hold keeps is left past its
        period, `status` does not say that all is well, two cycles on."""
        site = self.installation
        assert "root.fault" not in self.log(), self.log()
        with suppress(CatalogueError):  # a test damaged it
            site.verify()
        if site.left() and answers(site.settings.socket) and self._status() == 0:
            for _ in range(2):
                self.round()
            assert self._status() != 0 or not site.left(), site.left()

    def _status(self) -> int:
        command = program(self.installation.config, "status")
        return subprocess.run(command, capture_output=True, check=False).returncode

    def kill(self) -> None:
        """If it is there still."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.out.close()


__all__ = ["DAY", "MINUTE", "SECOND", "Clock", "Daemon", "Installation", "never"]
