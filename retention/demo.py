"""`retention demo`: the whole loop in under a minute, by the commands that people type.

Everything goes through real processes: this only types, waits, and at the end compares
the disk with what the archive's own arithmetic says must be there.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retention import clock
from retention.demo_archive import CAMERAS, ZONE, File, archive, settings_text, write
from retention.errors import RetentionError
from retention.localtime import format_local, format_size, format_utc
from retention.model import DAY, HOUR, SECOND, Micros, Window

PATIENCE = 60.0
"""Seconds that any one step may take."""

SHOWN = 14
"""Lines of a command's output that are printed."""


def demo(*, keep: bool = False, say: Callable[[str], None]) -> None:
    """Run the demonstration in a temporary directory; with `keep` it stays.

    Raises RetentionError where anything is not as it must be.
    """
    if keep:
        directory = Path(tempfile.mkdtemp(prefix="retention-demo-"))
        Demo(directory, say).run()
        say(f"\nThe directory stays: {directory}\nTry, for example:")
        command = f"retention --config {directory}/retention.toml"
        for arguments in ("status", "hold list", "audit list", "plan --ahead 7d"):
            say(f"    {command} {arguments}")
        return
    with tempfile.TemporaryDirectory(prefix="retention-demo-") as name:
        Demo(Path(name), say).run()


class Demo:
    """One demonstration in one directory."""

    def __init__(self, directory: Path, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._config = directory / "retention.toml"
        self._say = say
        self._step = 0
        self._now = clock.read().wall
        self._files: list[File] = []
        self._holds: list[tuple[str, Window]] = []

    def run(self) -> None:
        """Every step in order."""
        self._make_archive()
        self._title("Take it in: catalogue, signing key, identities of the two disks")
        self._retention("init", show=6)
        self._place_hold()
        with self._daemon():
            self._title("The service reads both disks; what is due waits for a person")
            self._wait("two plans", lambda: len(self._status()["plans_waiting"]) == 2)
            self._retention("plan", show=10)
        self._approve()
        with self._daemon():
            self._title("The service deletes what is due, and one more as it falls due")
            self._wait("the deletions", self._all_gone)
            self._retention("status", show=6, expect=(0, 6))
        self._title("What the log says")
        self._retention("audit", "list", "--kind", "recordings.deleted", show=5)
        self._retention("audit", "list", "--kind", "custody.alarm", show=5)
        self._retention("audit", "verify", "--deep")
        self._compare()

    # -- the steps ----------------------------------------------------------------

    def _make_archive(self) -> None:
        self._title("An archive as two recorders leave it in 31 days")
        self._files = archive(self._now)
        size = write(self._directory / "footage", self._files)
        self._config.write_text(settings_text(self._directory))
        (self._directory / "cameras.csv").write_text(CAMERAS)
        due = sum(file.goes(self._now, ()) for file in self._files)
        self._say(
            f"   {len(self._files)} playable MP4 files of four cameras "
            f"({format_size(size)}) in {self._directory / 'footage'}.\n"
            f"   {due} of them are older than 28 days. One is of a number plate camera "
            "whose data is the\n   police's, and one was copied there by hand."
        )

    def _place_hold(self) -> None:
        self._title(
            "3 a.m.: the police ask for the Market Place; nobody knows more yet"
        )
        since = self._now - 30 * DAY
        window = Window(since // HOUR * HOUR, since // HOUR * HOUR + 6 * HOUR)
        self._retention(
            "hold", "place", "1001",
            "--from", format_utc(window.start), "--to", format_utc(window.end),
            "--kind", "police", "--reference", "26*123456",
            "--requester", "PC 4321", "--reason", "assault in Market Place",
            "--margin", "0", show=5, expect=(0, 7),
        )  # fmt: skip
        self._say(
            "   (Nothing is scanned yet, so it holds what the scan will find: "
            f"{format_local(window.start, ZONE)},\n   six hours.)"
        )
        self._holds.append(("1001", window))

    def _approve(self) -> None:
        self._title("A supervisor approves both plans (the service is stopped for it)")
        for plan in self._status()["plans_waiting"]:
            self._retention("deletion", "approve", str(plan["plan"]), show=3)

    def _all_gone(self) -> bool:
        now = clock.read().wall
        return not any(
            (self._directory / "footage" / file.path).exists()
            for file in self._files
            if file.goes(now, self._holds)
        ) and now > max(
            file.due for file in self._files if file.due < self._now + 60 * SECOND
        )

    def _compare(self) -> None:
        """Every file against what must have become of it, computed anew."""
        self._title("The disk against what must be there")
        now: Micros = clock.read().wall
        wrong = [
            file.path
            for file in self._files
            if (self._directory / "footage" / file.path).exists()
            == file.goes(now, self._holds)
        ]
        if wrong:
            raise RetentionError(
                f"the demo went wrong: {len(wrong)} files are not as they must be, "
                f"such as {wrong[0]}; run `retention demo --keep` and look"
            )
        gone = sum(file.goes(now, self._holds) for file in self._files)
        held = sum(
            file.goes(now, ()) and not file.goes(now, self._holds)
            for file in self._files
        )
        self._say(
            f"   {gone} recordings were due and are gone; {held} were due and held, "
            f"and are there;\n   {len(self._files) - gone - held} others are there, "
            "the police's and the stranger's among them. The log says so."
        )

    # -- typing and waiting -------------------------------------------------------

    def _title(self, text: str) -> None:
        self._step += 1
        self._say(f"\n{self._step}. {text}")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "retention", "--config", str(self._config)]
        return subprocess.run(  # noqa: S603 - our own program
            [*command, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=_environment(),
        )

    def _retention(
        self, *arguments: str, show: int = SHOWN, expect: tuple[int, ...] = (0,)
    ) -> None:
        """Type one command and show the beginning of its answer."""
        self._say(f"   $ retention {shlex.join(arguments)}")
        done = self._call(*arguments)
        lines = [line for line in done.stdout.splitlines() if line.strip()]
        for line in lines[:show]:
            self._say(f"     {line}")
        if len(lines) > show:
            self._say(f"     ... ({len(lines) - show} more lines)")
        if done.returncode not in expect:
            raise RetentionError(
                f"`retention {arguments[0]}` ended with status {done.returncode}: "
                f"{done.stderr.strip() or 'it said nothing'}"
            )

    def _status(self) -> dict[str, Any]:
        done = self._call("--json", "status")
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise RetentionError(
                f"`retention status` gave no answer: {done.stderr.strip()}"
            ) from error
        return answer

    def _wait(self, what: str, ready: Callable[[], bool]) -> None:
        until = clock.monotonic() + int(PATIENCE * SECOND)
        while not ready():
            if clock.monotonic() > until or self._ended():
                raise RetentionError(
                    f"the demo waited for {what} in vain; the service's last words: "
                    f"{self._last_words()}"
                )
            time.sleep(0.3)

    def _ended(self) -> bool:
        return self._process.poll() is not None

    def _last_words(self) -> str:
        lines = (self._directory / "service.log").read_text().splitlines()
        return " / ".join(lines[-3:]) or "none"

    @contextmanager
    def _daemon(self) -> Iterator[None]:
        """The real service, its messages in a file; stopped as systemd stops it."""
        command = [sys.executable, "-m", "retention", "--config", str(self._config)]
        with (self._directory / "service.log").open("ab") as messages:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*command, "run"],
                stdout=messages,
                stderr=messages,
                env=_environment(),
            )
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _environment() -> dict[str, str]:
    """No settings from outside: the demo's are in its own file."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("RETENTION_")
    } | {"NO_COLOR": "1"}
