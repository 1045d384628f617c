"""A small real site: configuration, catalogue and footage root below tmp_path."""

import grp
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from served import served

from retention import cli, reserve
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
        answers on the site's socket too."""
        self.capsys.readouterr()
        with ExitStack() as stack:
            if (self.state / db.NAME).exists() and not OFFLINE & set(arguments):
                stack.enter_context(served(self.config))
            status = cli.run(["--config", str(self.config), *arguments])
        out, err = self.capsys.readouterr()
        return Done(status, out, err)

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
