"""Real Unix users of a control room, and processes that run as one of them.

Made as root with names of their own, removed afterwards.  A process of theirs has the
login uid that the test gives it, and the control group that systemd gives to that login,
as a login at the machine or `sudo` would have left it.
"""

import base64
import contextlib
import grp
import json
import os
import pwd
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import retention

UNSET = 4_294_967_295
ASKING = Path(__file__).with_name("asking.py")
PACKAGE = Path(retention.__file__).parents[1]

ROLES = ("operator", "supervisor", "auditor", "administrator")

MARK = "retest"
"""Before the number of the process whose users these are."""

BUSY = 50
"""How often another program may hold the user database."""


@dataclass(frozen=True)
class Reply:
    """What came back over the socket, as sent and taken apart."""

    raw: bytes
    error: str | None = None

    @property
    def status(self) -> int:
        assert self.raw.startswith(b"HTTP/1."), self
        return int(self.raw.split(b" ", 2)[1])

    @property
    def body(self) -> Any:
        return json.loads(self.raw.partition(b"\r\n\r\n")[2])

    @property
    def kind(self) -> str:
        """The kind of a refusal; "" where it is none."""
        return str(self.body.get("error", {}).get("kind", ""))

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])


class Session:
    """A process of one person that asks over the socket whatever it is told to."""

    def __init__(self, command: list[str], socket: Path) -> None:
        self.socket = socket
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def _tell(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order["socket"] = str(self.socket)
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the person's process ended"
        told: dict[str, Any] = json.loads(line)
        return told

    def send(self, *chunks: bytes, pause: float = 0, **more: Any) -> Reply:
        """Bytes as they are, with a pause after each chunk; all that comes back."""
        texts = [base64.b64encode(chunk).decode() for chunk in chunks]
        told = self._tell(chunks=texts, pause=pause, **more)
        return Reply(base64.b64decode(told["answer"]), told["error"])

    def stream(self, head: bytes, size: int) -> tuple[int, Reply]:
        """`size` bytes after the head, for as long as they are taken; how many were."""
        text = base64.b64encode(head).decode()
        told = self._tell(chunks=[text], pause=0, stream=size)
        return told["sent"], Reply(base64.b64decode(told["answer"]), told["error"])

    def idle(self, count: int) -> int:
        """Open so many connections and say nothing on them; how many opened."""
        return int(self._tell(idle=count)["open"])

    def post(self, verb: str, /, **arguments: Any) -> Reply:
        """Ask for a verb."""
        return self.post_raw(verb, json.dumps(arguments).encode())

    def post_raw(self, verb: str, body: bytes) -> Reply:
        """Ask for a verb with any body."""
        return self.send(request(f"/v1/{verb}", body))

    def many(self, count: int, verb: str) -> list[int]:
        """Ask so often for a verb; the statuses that there were."""
        text = base64.b64encode(request(f"/v1/{verb}", b"{}")).decode()
        return list(self._tell(chunks=[text], pause=0, times=count)["statuses"])

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(120)
        self._process.stdout.close()


def request(path: str, body: bytes = b"{}", *headers: str) -> bytes:
    """A POST as our own client sends it, with these headers besides."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


class Slices:
    """The control groups in which systemd keeps what it starts, in a mount of our own."""

    def __init__(self) -> None:
        kind = ["-t", "cgroup2", "none"]
        if ":name=systemd:" in Path("/proc/self/cgroup").read_text():
            kind = ["-t", "cgroup", "-o", "none,name=systemd", "none"]
        self._top = Path(tempfile.mkdtemp(prefix=f"{MARK}-cgroups-"))
        self._made: list[Path] = []
        subprocess.run(["mount", *kind, self._top], check=True)

    def of(self, login: int) -> Path:
        """Where a session is that this user opened; without a login, where none is."""
        if login == UNSET:
            return self._top
        return self.make(f"user.slice/user-{login}.slice/{MARK}{os.getpid()}.scope")

    def make(self, path: str) -> Path:
        """The directory of a group, made if it is not there."""
        place = self._top
        for part in path.split("/"):
            place /= part
            if not place.exists():
                place.mkdir()
                self._made.append(place)
        return place

    def remove(self) -> None:
        for place in reversed(self._made):
            with contextlib.suppress(OSError):  # somebody else's has come into it
                place.rmdir()
        subprocess.run(["umount", "-l", self._top], check=True)
        self._top.rmdir()


@dataclass(frozen=True)
class Person:
    """One user; `group` is a primary one where no database knows the user."""

    name: str
    uid: int
    _prefix: list[str]
    slices: Slices
    group: int | None = None

    def command(
        self, *words: str, login: int | None = None, group: str | None = None
    ) -> list[str]:
        """The command line that runs `words` as this user: `group` is the control group,
        where it is not that of the login."""
        own = self.uid if login is None else login
        place = self.slices.of(own) if group is None else self.slices.make(group)
        script = (
            'echo $$ >"$0"/cgroup.procs && echo "$1" >/proc/self/loginuid && shift && '
            'exec setpriv "$@"'
        )
        gid, more = self.group, "--clear-groups"
        if gid is None:
            gid, more = pwd.getpwuid(self.uid).pw_gid, "--init-groups"
        return [
            *self._prefix, "sh", "-c", script, str(place), str(own),
            "--pdeathsig=KILL", f"--reuid={self.uid}", f"--regid={gid}", more, "--",
            *words,
        ]  # fmt: skip

    def run(
        self,
        *words: str,
        login: int | None = None,
        group: str | None = None,
        **options: Any,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, to its end."""
        options.setdefault("cwd", "/")
        return subprocess.run(
            self.command(*words, login=login, group=group),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200,
            env=environment(), **options,
        )  # fmt: skip

    def retention(
        self, config: Path, *words: str, login: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The real program, as this user."""
        return self.run(
            sys.executable, "-m", "retention", "--config", str(config), *words,
            login=login,
        )  # fmt: skip

    @contextlib.contextmanager
    def session(
        self, socket: Path, login: int | None = None, group: str | None = None
    ) -> Iterator[Session]:
        """A process that asks over this socket."""
        words = (sys.executable, "-I", "-S", "-c", ASKING.read_text())
        made = Session(self.command(*words, login=login, group=group), socket)
        try:
            yield made
        finally:
            made.close()


def environment() -> dict[str, str]:
    """Where the program under test lies, and nothing of the test's own settings."""
    names = ("PATH", "LANG", "PYTHONPYCACHEPREFIX")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return kept | {"PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"}


@dataclass(repr=False)
class People:
    """Everybody; `both` is operator and supervisor, `stranger` has no role."""

    slices: Slices
    groups: dict[str, str] = field(default_factory=dict)
    _made: dict[str, Person] = field(default_factory=dict)
    _prefix: list[str] = field(default_factory=list)
    _mark: str = field(default_factory=lambda: f"{MARK}{os.getpid()}")

    MEMBERS = {  # noqa: RUF012 - never changed
        "olga": ("operator",),
        "otto": ("operator",),
        "sue": ("supervisor",),
        "sid": ("supervisor",),
        "both": ("operator", "supervisor"),
        "art": ("auditor",),
        "ada": ("administrator",),
        "stranger": (),
    }

    def __getattr__(self, name: str) -> Person:
        try:
            return self._made[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def root(self) -> Person:
        return Person("root", 0, self._prefix, self.slices)

    def unknown(self, uid: int, group: int) -> Person:
        """A process under a uid that no database knows, in this group."""
        return Person(f"user {uid}", uid, self._prefix, self.slices, group)

    def make(self, prefix: list[str]) -> None:
        self._prefix = prefix
        for role in ROLES:
            self.groups[role] = f"{self._mark}-{role[:5]}"
            _administer("groupadd", self.groups[role])
        for name, roles in self.MEMBERS.items():
            user = f"{self._mark}-{name}"
            _administer("useradd", "--no-create-home", "--no-user-group", user)
            self._made[name] = Person(
                user, pwd.getpwnam(user).pw_uid, prefix, self.slices
            )
            for role in roles:
                self.join(self._made[name], role)

    def join(self, person: Person, role: str) -> None:
        """Give a role, as an administrator of the machine does."""
        _administer("gpasswd", "--add", person.name, self.groups[role])

    def leave(self, person: Person, role: str) -> None:
        """Take a role away."""
        _administer("gpasswd", "--delete", person.name, self.groups[role])

    def remove(self) -> None:
        for person in self._made.values():
            _administer("userdel", person.name)
        for name in self.groups.values():
            with contextlib.suppress(KeyError):
                grp.getgrnam(name)
                _administer("groupdel", name)


def _forget_the_dead() -> None:
    """Remove what a run that was killed left behind."""
    users = [("userdel", one.pw_name) for one in pwd.getpwall()]
    groups = [("groupdel", one.gr_name) for one in grp.getgrall()]
    for command, name in users + groups:
        found = re.fullmatch(rf"{MARK}(\d+)-\w+", name)
        if found and not Path("/proc", found[1]).exists():
            _administer(command, name)


def _administer(*words: str) -> None:
    for left in range(BUSY, 0, -1):
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode == 0:
            return
        assert left > 1, (words, done.stderr)
        time.sleep(0.2)


@contextlib.contextmanager
def everybody() -> Iterator[People]:
    """The people of a control room, for the block."""
    _forget_the_dead()
    slices = Slices()  # before the mounts of others, who see it there
    try:
        people = People(slices)
        with _for_others() as prefix:
            try:
                people.make(prefix)
                yield people
            finally:
                people.remove()
    finally:
        slices.remove()


@contextlib.contextmanager
def _for_others() -> Iterator[list[str]]:
    """What to put before a command so that other users find this Python.

    Where it lies in a directory that is closed to them (root's own), they see it in
    mounts of their own: nothing of the machine is opened.
    """
    shut = {path: _shut(path) for path in _needed() if _shut(path) is not None}
    if not shut:
        yield []
        return
    keeper = subprocess.Popen(
        [
            "unshare", "--mount", "--propagation=private", "setpriv",
            "--pdeathsig=KILL", "--", "sh", "-ec", _mounts(shut),
        ],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == "ready\n"
        yield ["nsenter", f"--mount=/proc/{keeper.pid}/ns/mnt", "--"]
    finally:
        keeper.communicate()


def _needed() -> set[Path]:
    return {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), PACKAGE}


def _shut(path: Path) -> Path | None:
    """The topmost directory on the way that others may not pass."""
    way = [*reversed(path.parents), path]
    return next((one for one in way if not one.stat().st_mode & 0o001), None)


def _mounts(shut: dict[Path, Path | None]) -> str:
    lines = []
    for number, path in enumerate(shut):
        lines += [f"d{number}=$(mktemp -d)", f"mount --bind {_q(path)} $d{number}"]
    lines += [f"mount -t tmpfs -o mode=755 none {_q(top)}" for top in {*shut.values()}]
    for number, path in enumerate(shut):
        lines += [f"mkdir -p {_q(path)}", f"mount --bind $d{number} {_q(path)}"]
        lines += [f"umount $d{number}", f"rmdir $d{number}"]
    return "\n".join([*lines, "echo ready", "cat"])


def _q(path: Path | None) -> str:
    return shlex.quote(str(path))
