"""A site whose real daemon deleted something, and the published log that it left."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from retention.site import reserve
from tests.support.installation import Installation

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""The first of three old recordings of five minutes; a fourth is under a hold."""
AT = f"{NOON:%Y-%m-%dT%H:%MZ}"
HELD = "2026-01-06T12:00Z"
PRIVATE = "the officer's own words"


class Audited(Installation):
    """Its directory, and what of it an auditor gets."""

    ROOT: ClassVar = {
        "path": "{directory}/footage",
        "layout": "{camera}/%Y-%m-%d_%H-%M-%S.{ext:mp4}",
        "max_length": None, "recorder_keeps": "60d",
    }  # fmt: skip
    CAMERAS = "id,location\n"  # added when it runs
    FOLDER = ""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, days=28)

    def copy(self, to: Path) -> "Audited":
        """The same site once more, while its daemon does not run."""
        subprocess.run(["cp", "-a", self.directory, to], check=True)
        return Audited(to)

    @property
    def log(self) -> Path:
        return self.state / "log"

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


def build(directory: Path) -> Audited:
    """Deletes three recordings, keeps one under a hold, publishes and stops."""
    footage = directory / "footage" / "1101"
    footage.mkdir(parents=True)
    site = Audited(directory)
    site.init()
    os.truncate(site.state / reserve.NAME, 0)
    for start in [NOON + timedelta(minutes=5 * n) for n in range(3)] + [
        datetime.fromisoformat(HELD)
    ]:
        path = footage / f"{start:%Y-%m-%d_%H-%M-%S}.mp4"
        path.write_bytes(b"x" * 1000)
        end = (start + timedelta(minutes=5)).timestamp()
        os.utime(path, (end, end))
    with site.running() as daemon:
        daemon.until(lambda: site.entries("root.adopted"))
        site.json("camera", "add", "1101", "--location", "Market Place")
        site.call(
            "hold", "place", "1101", "--from", HELD, "--to", "2026-01-06T13:00Z",
            *("--kind", "internal", "--reference", "X 1", "--reason", PRIVATE),
        )  # fmt: skip
        # What is due when it is first seen waits for somebody's word.
        daemon.until(lambda: site.entries("plan.proposed"))
        site.call("deletion", "approve", "1")
        daemon.until(lambda: site.entries("recordings.deleted"))
        site.json("audit", "publish")
    return site
