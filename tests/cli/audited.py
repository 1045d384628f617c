"""A site whose real daemon deleted something, and the published log that it left."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.conftest import GROUP

# A published log to tamper with is made as the tests of the log make it.
sys.path.append(str(Path(__file__).parents[1] / "audit"))

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""The first of three old recordings of five minutes; a fourth is under a hold."""
AT = f"{NOON:%Y-%m-%dT%H:%MZ}"
HELD = "2026-01-06T12:00Z"
PRIVATE = "the officer's own words"


@dataclass(frozen=True)
class Audited:
    """Its directory, and what of it an auditor gets."""

    directory: Path

    @property
    def config(self) -> Path:
        return self.directory / "retention.toml"

    @property
    def log(self) -> Path:
        return self.directory / "state" / "log"

    @property
    def key(self) -> str:
        return (self.log / "key").read_text().strip()

    def call(self, *arguments: str, config: bool = True) -> subprocess.CompletedProcess:
        """Run the program as a process of its own, anywhere but in the tree."""
        command = [sys.executable, "-m", "retention"]
        if config:
            command += ["--config", str(self.config)]
        return subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            cwd=self.directory,
            timeout=60,
        )

    def json(self, *arguments: str) -> Any:
        done = self.call("--json", *arguments)
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def start(self) -> subprocess.Popen:
        with (self.directory / "daemon.log").open("a") as log:
            daemon = subprocess.Popen(
                [*(sys.executable, "-m", "retention"), "--config", self.config, "run"],
                stdout=log,
                stderr=log,
            )
        for _ in range(200):
            if self.call("status").returncode != 3 or daemon.poll() is not None:
                break
            time.sleep(0.1)
        return daemon

    def stop(self, daemon: subprocess.Popen) -> None:
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(30) == 0, (self.directory / "daemon.log").read_text()


def build(directory: Path) -> Audited:
    """Deletes three recordings, keeps one under a hold, publishes and stops."""
    site = Audited(directory)
    footage = directory / "footage" / "1101"
    footage.mkdir(parents=True)
    site.config.write_text(
        f"""site = "leicester"
state_directory = "{directory}/state"
socket = "{directory}/api.sock"
spool = "{directory}/spool"
[access]
operators = ["{GROUP}"]
supervisors = ["{GROUP}"]
auditors = ["{GROUP}"]
administrators = ["{GROUP}"]
[retention]
release_requires_two_people = false
require_login_uid = false
cycle = "1s"
scan = "1s"
[[root]]
name = "nvr1"
path = "{directory}/footage"
layout = "{{camera}}/%Y-%m-%d_%H-%M-%S.{{ext:mp4}}"
timezone = "UTC"
stable_after = "1s"
recorder_keeps = "60d"
"""
    )
    assert site.call("init").returncode == 0
    os.truncate(directory / "state" / "reserve", 0)
    daemon = site.start()
    try:
        site.json("camera", "add", "1101", "--location", "Market Place")
        site.call(
            "hold", "place", "1101", "--from", HELD, "--to", "2026-01-06T13:00Z",
            *("--kind", "internal", "--reference", "X 1", "--reason", PRIVATE),
        )  # fmt: skip
        for start in [NOON + timedelta(minutes=5 * n) for n in range(3)] + [
            datetime.fromisoformat(HELD)
        ]:
            path = footage / f"{start:%Y-%m-%d_%H-%M-%S}.mp4"
            path.write_bytes(b"x" * 1000)
            end = (start + timedelta(minutes=5)).timestamp()
            os.utime(path, (end, end))
        for _ in range(300):
            found = site.json("audit", "list", "--kind", "recordings.deleted")
            if found["entries"]:
                break
            for plan in json.loads(site.call("--json", "status").stdout)[
                "plans_waiting"
            ]:
                site.call("deletion", "approve", str(plan["plan"]))
            time.sleep(0.1)
        site.json("audit", "publish")
    finally:
        site.stop(daemon)
    return site
