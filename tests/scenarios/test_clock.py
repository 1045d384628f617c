"""The clock of a running daemon jumps ahead and comes back: nothing is deleted.

The process itself is deceived, by `wall_clock.c`; monotonic and boot time stay true, as
they do when somebody sets a machine's clock.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from retention.model.values import DAY, HOUR, MINUTE
from retention.site import clock
from tests.support import needs
from tests.support.installation import Installation

SOURCE = Path(__file__).with_name("wall_clock.c")

pytestmark = needs.cc


class WallClock:
    """What is preloaded into a process so that its wall clock can be set."""

    def __init__(self, directory):
        self.library, self.file = directory / "wall_clock.so", directory / "off"
        command = ["cc", "-O2", "-shared", "-fPIC", "-o", self.library, SOURCE]
        subprocess.run(command, check=True, capture_output=True)
        self.set(0)

    def set(self, seconds):
        """So many seconds off, for each look from now on."""
        new = self.file.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.file)

    @property
    def environment(self):
        return {"LD_PRELOAD": str(self.library), "WALL_CLOCK_OFF": str(self.file)}


TRUE = 50
"""As far as a clock may be set without a doubt: the last minute of waiting is skipped."""


@pytest.mark.parametrize("jump", [3600, 3024000])
def test_ahead_and_back_again_deletes_nothing_before_its_time(tmp_path, daemon, jump):
    """An hour would free what is due in half an hour, 35 days all there is."""
    site = Installation(tmp_path)
    site.init()
    for age in (DAY - 30 * MINUTE, DAY - 2 * HOUR, HOUR):
        site.record(clock.read().wall, age)
    kept = site.files()
    soon = site.record(clock.read().wall, DAY - MINUTE).name
    wall_clock = WallClock(tmp_path)
    running = daemon(site, **wall_clock.environment)
    running.until(lambda: site.entries("root.adopted"))
    # It deletes by the deceived clock as long as that is right.
    wall_clock.set(TRUE)
    running.until(lambda: soon not in site.files())
    assert site.files() == kept
    wall_clock.set(jump)
    running.until(lambda: guards(site, "guard.tripped"))
    rounds(running)
    status = command(site, "status")
    assert status.returncode == 6
    assert "jumped ahead" in json.dumps(json.loads(status.stdout))
    preview = hold(site, "2026-10-24T20:00Z", "2026-10-24T21:00Z")
    assert [one["why"] for one in looks(preview)] == ["the clock is in doubt"]
    refused = hold(site, "yesterday 20:00", "2026-10-24T21:00Z")
    assert (refused.returncode, "counts from it" in refused.stderr) == (2, True)
    wall_clock.set(TRUE)
    rounds(running)
    assert site.files() == kept
    assert guards(site, "guard.cleared") == []  # not before ten minutes have passed
    assert running.end() == 0
    assert site.verify().ok


def command(site, *typed):
    return subprocess.run(
        [sys.executable, "-m", "retention", "--config", site.config, "--json", *typed],
        capture_output=True,
        text=True,
    )


def hold(site, since, until):
    """What would be kept."""
    window = ("--from", since, "--to", until, "--dry-run")
    said = ("--kind", "internal", "--reference", "INC 1", "--reason", "a fall")
    return command(site, "hold", "place", "1001", *window, *said)


def looks(preview):
    return json.loads(preview.stdout)["inspection"]["roots_not_looked_at"]


def guards(site, kind):
    return [e for e in site.entries(kind) if e["fields"]["guard"] == "clock"]


def rounds(running):
    """A new recording is taken in or not, but some cycles go by."""
    for _ in range(3):
        running.round()
