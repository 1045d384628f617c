"""A machine with a booted systemd: this one's files, an overlay keeps what it writes.

It has its own init, journal, users' sessions and cgroups, and this machine's clock,
kernel and network.  Nothing of it is left afterwards.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.installation import wait

TREE = Path(__file__).parents[2]
README = (TREE / "README.md").read_text(encoding="utf-8")
COPY = "/usr/src/cctv-retention"
"""Where the copy of the project lies that its people install from."""

# What this machine's image happens to start is not the test's.
OTHERS = (
    "postgresql", "ssh", "cron", "docker", "containerd", "motion", "systemd-timesyncd",
    "e2scrub_reap", "unattended-upgrades",
)  # fmt: skip
SHIPPED = (
    "retention", "config", "systemd", "pyproject.toml", "README.md", "LICENSE",
    "CHANGELOG.md",
)  # fmt: skip

CLEAN = {
    "HOME": "/root",
    "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
}
# What others have mounted through loop devices stays theirs: the machine would keep a
# copy of each mount for as long as it runs, and with it a disk that they have put off.
FORGET = """
grep '^/dev/loop' /proc/mounts | cut -d ' ' -f 2 | xargs --no-run-if-empty umount --lazy
exec "$@"
"""
NAMESPACES = ("--mount", "--uts", "--ipc", "--pid", "--cgroup")


def blocks(heading: str) -> list[str]:
    """What the README says to type below one of its headings."""
    section = README.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^ *```sh\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)


class Machine:
    """One whose root file system is mounted at `root`; `boot` it, then type.

    `srv` is its /srv, a file system of its own; what it writes elsewhere is in `upper`.
    """

    def __init__(self, directory: Path) -> None:
        self.root, self.srv = directory / "root", directory / "srv"
        self.upper, self.work = directory / "upper", directory / "work"
        self._console = directory / "console"
        self._nspawn: subprocess.Popen[bytes] | None = None
        self._init = 0

    def boot(self) -> None:
        boot = [
            "unshare", "--mount", "sh", "-c", FORGET, "sh",
            "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--boot",
            "--link-journal=no", "--console=pipe", f"--directory={self.root}",
            f"--bind={self.srv}:/srv",
        ]  # fmt: skip
        with self._console.open("ab") as out:
            self._nspawn = subprocess.Popen(
                boot, stdin=subprocess.DEVNULL, stdout=out, stderr=out
            )
        self.until(lambda: self._inits(self._nspawn))
        (self._init,) = self._inits(self._nspawn)
        self.until(self._is_up)

    def power_cut(self) -> None:
        """All processes gone at once; `boot` it again."""
        if self._nspawn is not None:
            if self._init:
                os.kill(self._init, signal.SIGKILL)  # and with it all of its processes
            else:
                self._nspawn.kill()
            self._nspawn.wait()
            self._nspawn, self._init = None, 0

    def run(self, *command: str) -> str:
        """What a command of root's prints; it must succeed."""
        done = self.tried(*command)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def tried(self, *command: str) -> subprocess.CompletedProcess[str]:
        enter = ["nsenter", f"--target={self._init}", *NAMESPACES, "--root", "--wd"]
        return subprocess.run(
            [*enter, "--", *command],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, env=CLEAN,
            timeout=250,
        )  # fmt: skip

    def typed(self, text: str) -> str:
        """What a block of the README prints, typed by root in the project's copy."""
        return self.run("bash", "-euxc", f"cd {COPY}\n{text}")

    def login(self, user: str, *command: str) -> subprocess.CompletedProcess[str]:
        """Typed by a person in a session of their own, as on a console."""
        session = ["systemd-run", "--quiet", "--pipe", "--wait", "--collect"]
        return self.tried(*session, "-pPAMName=login", f"-pUser={user}", *command)

    def until(self, condition, seconds: float = 120) -> None:
        def alive() -> None:
            assert self._nspawn is not None
            assert self._nspawn.poll() is None, self._console.read_text()

        wait(condition, seconds, alive, self.journal)

    def journal(self) -> str:
        """What the service told it."""
        if not self._init:
            return ""
        return self.tried("journalctl", "-u", "cctv-retention", "-o", "cat").stdout

    @staticmethod
    def _inits(nspawn: subprocess.Popen[bytes]) -> list[int]:
        """The process that is its init, once there is one."""
        children = Path(f"/proc/{nspawn.pid}/task/{nspawn.pid}/children")
        found = [int(one) for one in children.read_text().split()]
        return [one for one in found if _name(one) == "systemd"]

    def _is_up(self) -> bool:
        said = self.tried("systemctl", "is-system-running").stdout.strip()
        return said in ("running", "degraded")


def _name(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return ""


def install(directory: Path) -> None:
    """Type the README's first step on a machine; what that wrote is in `directory`."""
    with _machine() as made:
        for name in OTHERS:
            unit = made.root / "etc/systemd/system" / f"{name}.service"
            unit.unlink(missing_ok=True)
            unit.symlink_to("/dev/null")
        _copy(made.root / COPY.lstrip("/"))
        made.boot()
        made.typed(blocks("Install it as a service")[0])
        made.power_cut()
        subprocess.run(["cp", "-a", f"{made.upper}/.", directory], check=True)


@contextmanager
def machine(installed: Path) -> Iterator[Machine]:
    """One that is up, with the program as `install` left it."""
    with _machine(installed) as made:
        made.boot()
        yield made


@contextmanager
def _machine(*written: Path) -> Iterator[Machine]:
    """One with an identity of its own, on which that was written; not booted yet.

    In memory, since where / is an overlay none may write to its file system.
    """
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        made = Machine(Path(directory))
        for path in (made.upper, made.work, made.root, made.srv):
            path.mkdir()
        for layer in written:
            subprocess.run(["cp", "-a", f"{layer}/.", made.upper], check=True)
        options = f"lowerdir=/,upperdir={made.upper},workdir={made.work}"
        mount = ["mount", "-t", "overlay", "-o", options, "overlay", made.root]
        subprocess.run(mount, check=True)
        try:
            (made.root / "etc/machine-id").unlink(missing_ok=True)
            (made.root / "etc/machine-id").touch()
            yield made
        finally:
            made.power_cut()
            subprocess.run(["umount", "--lazy", made.root], check=True)


def _copy(copy: Path) -> None:
    """The project's, for its people to install from."""
    copy.mkdir(parents=True)
    compiled = shutil.ignore_patterns("__pycache__")
    for name in SHIPPED:
        source, target = TREE / name, copy / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=compiled)
        else:
            shutil.copyfile(source, target)
