"""The clock of a running daemon jumps ahead and comes back: nothing is deleted.

The process itself is deceived, by libfaketime; monotonic and boot time stay true, as
they do when somebody sets a machine's clock.
"""

import json
import platform
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

from retention.model.values import DAY, HOUR, MINUTE
from retention.site import clock
from tests.support import needs
from tests.support.installation import Installation

SPEC = find_spec("libfaketime")
LIBRARY = (
    Path(SPEC.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
    if (SPEC and SPEC.origin)
    else None
)

pytestmark = [
    pytest.mark.skipif(
        platform.machine() != "x86_64", reason="libfaketime is built for x86-64"
    ),
    pytest.mark.skipif(
        LIBRARY is None and not needs.CI, reason="needs the package libfaketime"
    ),
]


TRUE = "+50"
"""As far as a clock may be set without a doubt: the last minute of waiting is skipped."""


@pytest.mark.parametrize("jump", ["+3600", "+3024000"])
def test_ahead_and_back_again_deletes_nothing_before_its_time(tmp_path, daemon, jump):
    """An hour would free what is due in half an hour, 35 days all there is."""
    site = Installation(tmp_path)
    site.init()
    for age in (DAY - 30 * MINUTE, DAY - 2 * HOUR, HOUR):
        site.record(clock.read().wall, age)
    kept = site.files()
    soon = site.record(clock.read().wall, DAY - MINUTE).name
    offset = tmp_path / "offset"
    offset.write_text("+0")
    running = daemon(
        site,
        LD_PRELOAD=str(LIBRARY),
        FAKETIME_TIMESTAMP_FILE=str(offset),
        FAKETIME_NO_CACHE="1",
        DONT_FAKE_MONOTONIC="1",
    )
    running.until(lambda: site.entries("root.adopted"))
    # It deletes by the deceived clock as long as that is right.
    offset.write_text(TRUE)
    running.until(lambda: soon not in site.files())
    assert site.files() == kept
    offset.write_text(jump)
    running.until(lambda: guards(site, "guard.tripped"))
    rounds(running, site)
    status = command(site, "status")
    assert status.returncode == 6
    assert "jumped ahead" in json.dumps(json.loads(status.stdout))
    preview = hold(site, "2026-10-24T20:00Z", "2026-10-24T21:00Z")
    assert [one["why"] for one in looks(preview)] == ["the clock is in doubt"]
    refused = hold(site, "yesterday 20:00", "2026-10-24T21:00Z")
    assert (refused.returncode, "counts from it" in refused.stderr) == (2, True)
    offset.write_text(TRUE)
    rounds(running, site)
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


def rounds(running, site):
    """A new recording is taken in or not, but some cycles go by."""
    for _ in range(3):
        time.sleep(0.5)
        assert running.process.poll() is None
