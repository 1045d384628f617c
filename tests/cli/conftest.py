"""A small real site: configuration, catalogue and footage root below tmp_path."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from retention import cli, periods
from retention.audit import log
from retention.catalogue import db
from retention.catalogue.db import Priority
from retention.client import Client, caller
from retention.model import SECOND

OPENED = 1_790_000_000 * SECOND


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
        """Run `retention` with this site's configuration, in this process."""
        self.capsys.readouterr()
        status = cli.run(["--config", str(self.config), *arguments])
        out, err = self.capsys.readouterr()
        return Done(status, out, err)

    def ok(self, *arguments: str) -> str:
        """The output of a command that must succeed."""
        done = self.run(*arguments)
        assert (done.status, done.err) == (0, ""), done
        return done.out

    def json(self, *arguments: str) -> Any:
        """The answer in JSON of a command that must succeed."""
        return json.loads(self.ok("--json", *arguments))


@pytest.fixture
def site(tmp_path, capsys, monkeypatch) -> Site:
    """A site with one root and an empty catalogue whose log is open."""
    monkeypatch.delenv("RETENTION_CONFIG", raising=False)
    made = Site(tmp_path, capsys)
    made.footage.mkdir()
    made.state.mkdir(mode=0o700)
    made.config.write_text(
        f"""site = "leicester"
contact = "IT on call 0116 000 0000"
state_directory = "{made.state}"

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
    catalogue = db.create(made.state / db.NAME, {"site": "leicester", "uuid": "1" * 32})
    with catalogue.write(Priority.HOLD) as tx:
        log.open_log(
            tx,
            site="leicester",
            at=OPENED,
            actor=caller(),
            host=os.uname().nodename,
            program="retention test",
            log_id="2" * 32,
            public_key=bytes(32),
            timezone="Europe/London",
        )
    periods.apply(
        catalogue,
        log.Log(site="leicester", host="test", program="retention test"),
        OPENED,
        caller(),
        Client(made.config).settings,
    )
    catalogue.close()
    made.ok("root", "adopt", "nvr1")
    return made
