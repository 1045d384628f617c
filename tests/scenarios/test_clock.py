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

from retention.model.values import DAY, HOUR, MINUTE, SECOND
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


@pytest.mark.parametrize("jump", ["+3600", "+3024000"])
def test_ahead_and_back_again_deletes_nothing_before_its_time(tmp_path, daemon, jump):
    """An hour would free what is due in half an hour, 35 days all there is."""
    site = Installation(tmp_path)
    site.init()
    for age in (DAY - 30 * MINUTE, DAY - 2 * HOUR, HOUR):
        site.record(clock.read().wall, age)
    kept = site.files()
    soon = site.record(clock.read().wall, DAY - 20 * SECOND).name
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
    running.until(lambda: soon not in site.files())
    assert site.files() == kept
    offset.write_text(jump)
    running.until(lambda: guards(site, "guard.tripped"))
    rounds(running, site)
    status = subprocess.run(
        [
            sys.executable,
            "-m",
            "retention",
            "--config",
            site.config,
            "--json",
            "status",
        ],
        capture_output=True,
        text=True,
    )
    assert status.returncode == 6
    assert "jumped ahead" in json.dumps(json.loads(status.stdout))
    offset.write_text("+0")
    rounds(running, site)
    assert site.files() == kept
    assert guards(site, "guard.cleared") == []  # not before ten minutes have passed
    assert running.end() == 0
    assert site.verify().ok


def guards(site, kind):
    return [e for e in site.entries(kind) if e["fields"]["guard"] == "clock"]


def rounds(running, site):
    """A new recording is taken in or not, but some cycles go by."""
    for _ in range(3):
        time.sleep(0.5)
        assert running.process.poll() is None
