"""Types the demo's commands as a person would, and runs the service they are about.

Everything is a process of its own, so that what is shown is what an installation does.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from retention import clock
from retention.errors import RetentionError
from retention.model import SECOND

PATIENCE = 60
"""Seconds that one step may take, on a machine much slower than is usual."""

WIDTH = 85
LAST_WORDS = 8
_OURS = ("RETENTION_", "NOTIFY_SOCKET", "WATCHDOG_")

Say = Callable[[str], None]


class Stage:
    """One directory with its configuration, and whoever types there."""

    def __init__(self, directory: Path, say: Say) -> None:
        self.say = say
        self.config = directory / "retention.toml"
        self._messages = directory / "service.log"
        self._service: subprocess.Popen[str] | None = None
        self._step = 0

    def step(self, text: str) -> None:
        """Say what comes next."""
        self._step += 1
        self.say(f"\n{self._step}. {text}")

    def tell(self, text: str) -> None:
        """Say something about what is seen, wrapped to the screen."""
        for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False):
            self.say(f"   {line}")

    def type(
        self, *arguments: str, show: int = 100, end: tuple[int, ...] = (0,)
    ) -> int:
        """Type a command and show its answer, `show` lines at most; its exit status.

        Raises RetentionError where it ends with another status than those of `end`.
        """
        self.say(f"   $ retention {shlex.join(arguments)}")
        done = self._call(*arguments)
        said = done.stdout or (done.stderr if done.returncode in end else "")
        lines = [line for line in said.splitlines() if line.strip()]
        for line in lines[:show]:
            self.say(f"     {line}")
        if len(lines) > show:
            self.say(f"     ... and {len(lines) - show} lines more")
        if done.returncode not in end:
            raise _failed(arguments, done)
        if done.returncode:
            self.say(f"     (exit status {done.returncode})")
        return done.returncode

    def ask(self, *arguments: str) -> dict[str, Any]:
        """A command's answer in JSON, which nobody is shown."""
        done = self._call("--json", *arguments)
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise _failed(arguments, done) from None
        return answer

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        pipe = subprocess.PIPE
        with self._process(*arguments, out=pipe, err=pipe) as process:
            try:
                out, err = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired as error:
                raise RetentionError(
                    f"`retention {shlex.join(arguments)}` gave no answer in {PATIENCE} "
                    "seconds: this machine is too busy for the demo, try again later"
                ) from error
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @contextmanager
    def _process(
        self, *arguments: str, out: IO[bytes] | int, err: IO[bytes] | int
    ) -> Iterator[subprocess.Popen[str]]:
        """One process of this program, which does not outlive the block."""
        process: subprocess.Popen[str] | None = None
        try:
            with _undisturbed():
                process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-m", "retention", *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    text=True,
                    env=self._environment(),
                )
            yield process
        finally:
            if process is not None:
                _stop(process)

    def _environment(self) -> dict[str, str]:
        """As after `export RETENTION_CONFIG=...`; nobody else's settings or manager."""
        kept = {n: text for n, text in os.environ.items() if not n.startswith(_OURS)}
        return {**kept, "RETENTION_CONFIG": str(self.config), "NO_COLOR": "1"}

    @contextmanager
    def service(self) -> Iterator[None]:
        """Run the real service for the block, which begins once it answers; it is
        stopped as systemd stops it.

        Raises RetentionError with its last words where it did not end in order.
        """
        self.say("   $ retention run &")
        with (
            self._messages.open("ab") as messages,
            self._process("run", out=messages, err=messages) as service,
        ):
            self._service = service
            self.wait("the service's first answer", self._answers)
            yield
        if service.returncode:
            raise RetentionError(f"the service failed; {self._last_words()}")

    def _answers(self) -> bool:
        return self._call("hold", "list").returncode == 0

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        """Return once `ready`; RetentionError where the service ends or it takes long."""
        until = clock.monotonic() + PATIENCE * SECOND
        while not ready():
            if self._service is not None and self._service.poll() is not None:
                raise RetentionError(f"the service ended; {self._last_words()}")
            if clock.monotonic() > until:
                raise RetentionError(
                    f"{what} did not come in {PATIENCE} seconds; {self._last_words()}"
                )
            time.sleep(0.2)

    def _last_words(self) -> str:
        lines = self._messages.read_text(errors="replace").splitlines()[-LAST_WORDS:]
        return "its last words:\n" + (
            "\n".join(f"  {line}" for line in lines) or "none"
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Be interrupted at the block's end only: between a process's start and the moment
    that its number is known here, it would be left running."""
    told: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, _: told.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        raise KeyboardInterrupt


def _failed(
    arguments: tuple[str, ...], done: subprocess.CompletedProcess[str]
) -> RetentionError:
    why = done.stderr.strip().removeprefix("retention: ") or "it said nothing"
    return RetentionError(
        f"`retention {shlex.join(arguments)}` ended with status {done.returncode}: {why}"
    )


def _stop(process: subprocess.Popen[str]) -> None:
    """The service ends the batch at hand first; what hangs is not left behind."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
