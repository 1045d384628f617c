"""A small real site: configuration, catalogue and footage root below tmp_path."""

import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from retention import cli
from retention.catalogue import db
from retention.service.api.dispatch import ONE_PERSON
from retention.site import instance, reserve
from tests.support.audited import Audited
from tests.support.fixtures import published as published
from tests.support.installation import Installation
from tests.support.served import served

OFFLINE = {"init", "check", "schema", "run", "demo"}


NOTICE = f"Note: {ONE_PERSON}.\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    err: str


class CommandLine(Installation):
    """A site's directory, and the real program run against it."""

    ROOT: ClassVar = {**Audited.ROOT, "stable_after": None}
    CAMERAS = None
    FOLDER = ""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        defaults = dict.fromkeys(
            ("timezone", "cameras", "days", "cycle", "scan", "clock_tolerance")
        )
        super().__init__(
            directory, site="leicester", contact="IT on call 0116 000 0000",
            require_login_uid=False, **defaults,
        )  # fmt: skip
        self.footage = directory / "footage"
        self.capsys = capsys

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
def site(tmp_path, capsys, monkeypatch) -> CommandLine:
    """A site as `retention init` leaves it: one root, no camera, no footage."""
    monkeypatch.delenv("RETENTION_CONFIG", raising=False)
    made = CommandLine(tmp_path, capsys)
    made.ok("init")
    os.truncate(made.state / reserve.NAME, 0)  # 64 MiB a test would fill the disk
    return made


@pytest.fixture(scope="module")
def audited(published: Audited, tmp_path_factory: pytest.TempPathFactory) -> Audited:
    """The same for the tests of one module."""
    return published.copy(tmp_path_factory.mktemp("audited") / "site")
