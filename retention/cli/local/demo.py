"""`retention demo`: the whole loop in under a minute, by the commands that people type.

Real processes do it all.  At the end disk and log are compared with what the archive's
own arithmetic says must have become of every file.
"""

from __future__ import annotations

import csv
import grp
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from retention.cli.local.demo_archive import (
    ZONE,
    ArchiveFile,
    AskedHold,
    archive,
    at,
    data,
    witness,
)
from retention.footage.identity import OURS
from retention.model.errors import AttentionError, GuardError, RetentionError
from retention.model.localtime import format_local, format_size
from retention.model.values import SECOND, Micros
from retention.site import clock

PATIENCE = 60
"""Seconds that one step may take, on a machine much slower than is usual."""

NOT_WELL = (GuardError.exit_status, AttentionError.exit_status)
_PREFIX = "retention-demo-"
_OURS = ("RETENTION_", "NOTIFY_SOCKET", "WATCHDOG_")

Say = Callable[[str], None]


def demo(*, keep: bool = False, say: Say) -> None:
    """Run the demonstration in a temporary directory; with `keep` it stays.

    Raises RetentionError where anything is not as it must be.
    """
    # SIGTERM ends it like Ctrl-C, which leaves no service and no directory.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as ending:
        if keep:
            name = tempfile.mkdtemp(prefix=_PREFIX)
            ending.callback(lambda: say(_next(place)))
        else:
            name = ending.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX))
        place = Path(name).resolve()  # a root may not lie behind links
        Demo(place, say).run()
        say(f"\nAll of this is as it must be{'.' if keep else '; all removed.'}")


def _next(place: Path) -> str:
    """What to type in a directory that stays; the program may not be on PATH."""
    beside = shlex.quote(str(Path(sys.executable).with_name("retention")))
    return (
        data("next.txt")
        .decode()
        .rstrip()
        .format(
            place=place,
            config=shlex.quote(str(place / "retention.toml")),
            messages=shlex.quote(str(place / "service.log")),
            program="retention" if shutil.which("retention") else beside,
        )
    )


def _own_group() -> str:
    """The group of whoever runs the demo; roles go by the names of groups."""
    gid = os.getgid()
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        raise RetentionError(
            f"your group {gid} has no name on this machine, and roles go by names: run "
            "the demo as a user with a group that `getent group` lists"
        ) from None


class Demo:
    """One demonstration in one directory, and whoever types there."""

    def __init__(self, place: Path, say: Say) -> None:
        self.config = place / "retention.toml"
        self._place, self._footage = place, place / "footage"
        self._messages = place / "service.log"
        # As after `export RETENTION_CONFIG=...`; nobody else's settings or manager.
        kept = {n: text for n, text in os.environ.items() if not n.startswith(_OURS)}
        self._env = {**kept, "RETENTION_CONFIG": str(self.config), "NO_COLOR": "1"}
        self._service: subprocess.Popen[bytes] | None = None
        self._say, self._steps = say, 0
        self._now = clock.read().wall
        self._files = archive(self._now)
        self._holds = [
            AskedHold("1001", at(self._now, 30, 21), at(self._now, 30, 23, 30)),
            AskedHold("1003", at(self._now, 30, 12), at(self._now, 29, 12)),
        ]

    def run(self) -> None:
        """Every step in order, as `data/story.txt` tells it."""
        self._make_archive()
        with self.service():
            self._wait("a plan for each disk", lambda: self._plans() == 2)
            first, second = self._holds
            self._tell_part(1, first=first, second=second)
            self.type("hold release 2 --reason withdrawn", end=0 if os.getuid() else 4)
            if not os.getuid():
                self._tell("Evidence is released by people: root may not, even here.")
            self._tell_part(2)
            self._see_it_go()
            self._tell_part(3, first=first, before=first.since - timedelta(hours=3))
            # Nothing falls due before it is compared: see `archive`.
            ended = self._ask("audit list --kind recordings.deleted")["entries"]
        self._compare(sum(entry["fields"]["deleted"] for entry in ended))

    def _make_archive(self) -> None:
        clip, group = data("seed.mp4"), json.dumps(_own_group())
        for file in self._files:
            path = self._footage / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(clip)
            # As recorders leave it.
            os.utime(path, ns=(file.end * 1000, file.end * 1000))
        settings = data("retention.toml").decode()
        self.config.write_text(settings.format(place=self._place, group=group))
        (self._place / "cameras.csv").write_bytes(data("cameras.csv"))
        size, count = format_size(len(self._files) * len(clip)), len(self._files)
        due = sum(file.goes(self._now, ()) for file in self._files)
        self._tell_part(0, place=self._place, count=count, size=size, due=due)

    def _plans(self) -> int:
        return len(self._ask("status")["plans_waiting"])

    def _see_it_go(self) -> None:
        due = [file for file in self._files if file.goes(self._now, self._holds)]
        self._wait("the deletion of what is due", lambda: self._are_gone(due))
        last = witness(self._now)
        when = format_local(last.due, ZONE)
        self._tell(f"Ten seconds more of camera 1004 fall due at {when}: wait ...")
        self._wait("the deletion of one more", lambda: self._are_gone([last]))
        gone = format_local(clock.read().wall // SECOND * SECOND, ZONE)
        self._tell(f"{last.path}, due at {when}, was seen gone at {gone}.")
        self._wait("the end of the alarm of what was overdue", self._is_calm)

    def _is_calm(self) -> bool:
        return all(one["rank"] == "person" for one in self._ask("status")["alarms"])

    def _are_gone(self, files: list[ArchiveFile]) -> bool:
        return not any((self._footage / file.path).exists() for file in files)

    # -- what must be there -------------------------------------------------------

    def _compare(self, logged: int) -> None:
        """Every file, and how many the log calls deleted, against what must be so."""
        now = clock.read().wall
        if wrong := list(self._wrong(now, logged)):
            raise RetentionError(
                f"the demo went wrong in {len(wrong)} points: {'; '.join(wrong[:5])}; "
                "run `retention demo --keep` and look"
            )
        self._say("   camera                         before  deleted  held  left")
        for row in csv.DictReader(data("cameras.csv").decode().splitlines()):
            own = [file for file in self._files if file.camera == row["camera_id"]]
            deleted = sum(file.goes(now, self._holds) for file in own)
            held = sum(file.goes(now, ()) for file in own) - deleted
            if row["custody"] == "council":
                self._say(
                    f"   {row['camera_id']}  {row['location']:<24} {len(own):6}  "
                    f"{deleted:7}  {held:4}  {len(own) - deleted:4}"
                )
        self._tell_part(4, logged=logged)

    def _wrong(self, now: Micros, logged: int) -> Iterator[str]:
        """What is there or not, or changed, and must not be so."""
        clip, gone = data("seed.mp4"), 0
        there = {path for path in self._footage.rglob("*") if path.is_file()}
        there -= {
            self._footage / root / os.fsdecode(name)
            for root in ("nvr1", "nvr2")
            for name in OURS
        }
        for file in self._files:
            path, goes = self._footage / file.path, file.goes(now, self._holds)
            gone, left = gone + goes, (clip, file.end * 1000)
            if (path in there) is goes:
                yield f"{path} is {'still there' if goes else 'gone'}"
            elif not goes and (path.read_bytes(), path.stat().st_mtime_ns) != left:
                yield f"{path} was changed"
            there.discard(path)
        yield from (f"{path} was not there before" for path in there)
        if logged != gone:
            yield f"the log knows of {logged} deletions, not of {gone}"

    # -- typing -------------------------------------------------------------------

    def _tell_part(self, number: int, **values: Any) -> None:
        """A part of the story: a headline (#), a command with the status that it ends
        with ($0) or none where it is only shown, what is told."""
        part = data("story.txt").decode().split("\n\n")[number]
        for line in part.format(**values).splitlines():
            mark, _, rest = line.partition(" ")
            if mark == "#":
                self._steps += 1
                self._say(f"\n{self._steps}. {rest}")
            elif mark == "$":
                self._say(f"   {line}")
            elif mark[0] == "$":
                self.type(rest, end=int(mark[1:]))
            else:
                self._tell(line)

    def _tell(self, text: str) -> None:
        for line in textwrap.wrap(text, 85, break_on_hyphens=False):
            self._say(f"   {line}")

    def type(self, line: str, *, end: int = 0) -> None:
        """Type a command and show its answer, but little of the long one of init;
        RetentionError where it ends with another status than `end`."""
        self._say(f"   $ retention {line}")
        done = self._call(line, end)
        lines = list(filter(str.strip, (done.stdout or done.stderr).splitlines()))
        if line == "init":
            lines[6:] = [f"... and {len(lines) - 6} lines more"]
        for text in lines:
            self._say(f"     {text}")
        if end:
            self._say(f"     (exit status {end})")

    def _ask(self, line: str) -> dict[str, Any]:
        """A command's answer in JSON, which nobody is shown."""
        return dict(json.loads(self._call(f"--json {line}", 0, *NOT_WELL).stdout))

    def _call(self, line: str, *ends: int) -> subprocess.CompletedProcess[str]:
        try:
            done = subprocess.run(  # noqa: S603 - our own program
                [sys.executable, "-m", "retention", *shlex.split(line)],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                env=self._env, timeout=PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise RetentionError(
                f"`retention {line}` gave no answer in {PATIENCE} seconds: this machine "
                "is too busy for the demo, try again later"
            ) from error
        if ends and done.returncode not in ends:
            why = done.stderr.strip().removeprefix("retention: ") or "it said nothing"
            raise RetentionError(
                f"`retention {line}` ended with status {done.returncode}: {why}"
            )
        return done

    @contextmanager
    def service(self) -> Iterator[None]:
        """Run the real service for the block, which begins once it answers; it is
        stopped as systemd stops it.

        Raises RetentionError with its last words where it did not end in order.
        """
        # Interrupted while it begins, before its number is known here, nobody would
        # stop it.
        told = {signal.SIGINT, signal.SIGTERM}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, told)
        with self._messages.open("ab") as messages:
            self._service = subprocess.Popen(
                [sys.executable, "-m", "retention", "run"],
                stdin=subprocess.DEVNULL, stdout=messages, stderr=messages,
                env=self._env,
                preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),
            )  # fmt: skip
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._wait("its answer", lambda: self._call("hold list").returncode == 0)
            yield
        finally:
            self._service.terminate()  # it ends the batch at hand first
            try:
                self._service.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._service.kill()  # what hangs is not left behind
        if self._service.wait():
            raise self._failed("it ended with a failure")

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        until = clock.monotonic() + PATIENCE * SECOND
        while not ready():
            ended = self._service is not None and self._service.poll() is not None
            if ended or clock.monotonic() > until:
                raise self._failed(f"{what} did not come")
            time.sleep(0.2)

    def _failed(self, what: str) -> RetentionError:
        lines = self._messages.read_text(errors="replace").splitlines()[-8:]
        words = "\n  ".join(["", *(lines or ["none"])])
        return RetentionError(f"{what}; the service's last words:{words}")
