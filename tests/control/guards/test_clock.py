"""The one reader of the clock, against the real kernel."""

import subprocess
import sys
import time

from retention.model.values import SECOND
from retention.site import clock
from tests.support import needs


def test_it_reads_the_wall_clock_in_microseconds():
    assert abs(clock.read().wall - time.time_ns() // 1000) < SECOND


def test_it_reads_boot_time_and_the_boot_id_of_this_start():
    reading = clock.read()
    with open("/proc/uptime") as uptime:
        assert abs(reading.boottime / SECOND - float(uptime.read().split()[0])) < 5
    assert reading.boot == clock.BOOT_ID.read_text().strip()


def test_wall_and_boot_time_keep_their_distance():
    one, other = clock.read(), clock.read()
    assert abs(one.offset - other.offset) < SECOND // 100


def test_a_missing_boot_id_is_no_boot_id(monkeypatch, tmp_path):
    monkeypatch.setattr(clock, "BOOT_ID", tmp_path / "none")
    assert clock.read().boot == ""


@needs.root
def test_the_kernel_says_without_any_capability_whether_it_is_synchronised():
    """The service has none."""
    code = (
        "from retention.site import clock; import os; clock.read(); os.setgid(65534); os.setuid(65534);"
        "print(clock.read().synchronised in (True, False))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "True", run.stderr
