"""A small real site: configuration, catalogue and footage root below tmp_path."""

import grp
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from served import served

from retention import cli, instance, reserve
from retention.api.desk import ONE_PERSON
from retention.catalogue import db

OFFLINE = {"init", "check", "schema", "run", "demo"}
GROUP = grp.getgrgid(os.getgid()).gr_name


NOTICE = f"Note: {ONE_PERSON}.\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Site:
    """A site's directory, and the real program run against it."""

    directory: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def config(self) -> Path:
        return self.directory / "retention.toml"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @property
    def footage(self) -> Path:
        return self.directory / "footage"

    def run(self, *arguments: str) -> Done:
        """Run `retention` with this site's configuration, in this process, which
        answers on the site's socket too where no daemon does."""
        with ExitStack() as stack:
            if not OFFLINE & set(arguments) and self._silent():
                stack.enter_context(served(self.config))
            return self.alone(*arguments)

    def alone(self, *arguments: str) -> Done:
        """The same with nobody on the socket, unless a daemon is."""
        self.capsys.readouterr()
        status = cli.run(["--config", str(self.config), *arguments])
        out, err = self.capsys.readouterr()
        return Done(status, out, err)

    def _silent(self) -> bool:
        """Whether there is a catalogue and no daemon that answers for it."""
        there = (self.state / db.NAME).exists()
        return there and instance.holder(self.state) is None

    @contextmanager
    def daemon(self) -> Iterator[subprocess.Popen]:
        """The real daemon as a process of its own, from its first answer on; it must
        end in order."""
        command = [sys.executable, "-m", "retention", "--config", str(self.config)]
        with (self.directory / "daemon.log").open("w+") as log:
            process = subprocess.Popen([*command, "run"], stdout=log, stderr=log)
            try:
                for _ in range(200):
                    if self.alone("status").status != 3 or process.poll() is not None:
                        break
                    time.sleep(0.1)
                yield process
                process.send_signal(signal.SIGTERM)
                assert process.wait(20) == 0, (
                    self.directory / "daemon.log"
                ).read_text()
            finally:
                process.kill()
                process.wait()

    def ok(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(*arguments)
        assert (done.status, done.err.replace(NOTICE, "")) == (0, ""), done
        return done.out

    def json(self, *arguments: str) -> Any:
        """The answer in JSON of a command that must succeed."""
        return json.loads(self.ok("--json", *arguments))

    def json_anyway(self, *arguments: str) -> Any:
        """The answer in JSON, whatever the status."""
        return json.loads(self.run("--json", *arguments).out)


@pytest.fixture
def site(tmp_path, capsys, monkeypatch) -> Site:
    """A site as `retention init` leaves it: one root, no camera, no footage."""
    monkeypatch.delenv("RETENTION_CONFIG", raising=False)
    made = Site(tmp_path, capsys)
    made.footage.mkdir()
    made.config.write_text(
        f"""site = "leicester"
contact = "IT on call 0116 000 0000"
state_directory = "{made.state}"
socket = "{made.directory}/api.sock"
spool = "{made.directory}/spool"

[access]
operators = ["{GROUP}"]
supervisors = ["{GROUP}"]
auditors = ["{GROUP}"]
administrators = ["{GROUP}"]

[retention]
release_requires_two_people = false
require_login_uid = false

[[root]]
name = "nvr1"
path = "{made.footage}"
layout = "{{camera}}/%Y-%m-%d_%H-%M-%S.{{ext:mp4}}"
timezone = "UTC"
recorder_keeps = "60d"
"""
    )
    made.ok("init")
    os.truncate(made.state / reserve.NAME, 0)  # 64 MiB a test would fill the disk
    return made
