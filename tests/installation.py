"""A small installation for tests of the daemon: settings, init, files, a clock."""

import grp
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from retention import clock
from retention.audit.listing import listing
from retention.audit.verify import verify_catalogue
from retention.catalogue import db, plans
from retention.catalogue.db import Priority
from retention.clock import Reading
from retention.daemon.doorbell import Doorbell
from retention.daemon.notify import Notifier
from retention.daemon.service import Service
from retention.init import initialise
from retention.instance import holder
from retention.model import DAY, MINUTE, SECOND
from retention.settings import load

SETTINGS = """
site = "test"
timezone = "UTC"
state_directory = "{directory}/state"
socket = "{directory}/api.sock"
spool = "{directory}/spool"
cameras = "{directory}/cameras.csv"
[retention]
days = 1
cycle = "1s"
scan = "1s"
clock_tolerance = "10s"
release_requires_two_people = false
[access]
operators = ["{group}"]
supervisors = ["{group}"]
auditors = ["{group}"]
administrators = ["{group}"]
"""

ROOT = """
[[root]]
name = "{name}"
path = "{directory}/{name}"
layout = "{{camera}}/%Y-%m-%d_%H-%M-%S.mp4"
timezone = "UTC"
stable_after = "1s"
max_length = "1m"
"""

CAMERAS = "id,location\n1001,Market Place\n1002,Station\n"


GROUP = grp.getgrgid(os.getgid()).gr_name


def never() -> bool:
    return False


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

    def __init__(self, directory: Path, roots=("nvr1",), extra="") -> None:
        self.directory = directory
        self.config = directory / "retention.toml"
        text = SETTINGS.format(directory=directory, group=GROUP) + extra
        for name in roots:
            (directory / name / "1001").mkdir(parents=True)
            text += ROOT.format(directory=directory, name=name)
        self.config.write_text(text)
        (directory / "cameras.csv").write_text(CAMERAS)
        self.settings = load(self.config, {})
        self.state = self.settings.state_directory

    def init(self):
        return initialise(self.settings)

    def service(self) -> Service:
        """The daemon's parts in this process, with no thread started."""
        service = Service(self.settings, Notifier({}), Doorbell())
        for work in service._works:
            work.open(never)
        return service

    def record(self, now: int, age: int, root="nvr1", camera="1001") -> Path:
        """A finished recording of five seconds that ended `age` before `now`."""
        end = (now - age) // SECOND
        stamp = time.strftime("%Y-%m-%d_%H-%M-%S", time.gmtime(end - 5))
        path = self.directory / root / camera / f"{stamp}.mp4"
        path.write_bytes(b"footage")
        os.utime(path, (end, end))
        return path

    def files(self, root="nvr1"):
        return sorted(path.name for path in (self.directory / root).rglob("*.mp4"))

    def approve(self) -> None:
        """A supervisor approves what waits."""
        catalogue = db.open_(self.state / db.NAME)
        with catalogue.write(Priority.HOLD) as tx:
            for plan in plans.waiting(tx):
                plans.approve(tx, plan.key)
        catalogue.close()

    def entries(self, kind=None):
        """What the log has, oldest first."""
        catalogue = db.open_(self.state / db.NAME, read_only=True)
        with catalogue.read() as tx:
            found = listing(tx, kind=kind, limit=10_000)[::-1]
        catalogue.close()
        return found

    def verify(self):
        """The log is whole and every batch is closed."""
        catalogue = db.open_(self.state / db.NAME, read_only=True)
        report = verify_catalogue(catalogue, deep=True)
        catalogue.close()
        return report

    def start(self, **environment) -> "Daemon":
        return Daemon(self, environment)


class Daemon:
    """The daemon as a process of its own."""

    PREFIX: tuple[str, ...] = ()
    """A command that starts it, such as one that takes rights away."""

    def __init__(self, installation: Installation, environment) -> None:
        self.installation = installation
        self.out = (installation.directory / "daemon.log").open("w+")
        command = ["-m", "retention", "--config", str(installation.config), "run"]
        self.process = subprocess.Popen(
            [*self.PREFIX, sys.executable, *command],
            stderr=self.out,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment},
        )

    def log(self) -> str:
        return Path(self.out.name).read_text()

    def until(self, condition, seconds=15) -> None:
        """Wait for something to come true."""
        end = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < end, f"waited {seconds} s\n{self.log()}"
            time.sleep(0.05)

    def running(self) -> "Daemon":
        self.until(lambda: holder(self.installation.state) and self.log())
        return self

    def end(self, number=signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


__all__ = ["DAY", "MINUTE", "SECOND", "Clock", "Daemon", "Installation", "never"]
