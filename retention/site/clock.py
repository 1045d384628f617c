"""The only place that reads the clock; what it says is a value from then on.

A reading is judged by the clock guard (`retention.control.clock_guard`) before anybody acts on it.
"""

import ctypes
import time
from pathlib import Path
from typing import NamedTuple

from retention.model.values import SECOND, Micros

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_STILL_SYNCHRONISED: Micros = 16 * SECOND
_TRIES = 5
_AT_ONCE_NS = 1_000_000


class Reading(NamedTuple):
    """The clocks at one instant, in microseconds.

    `wall`: since the epoch, UTC; can be set.  `boottime`: since the start, sleep
    included; can't be set, and is slewed together with `wall`, so that their
    difference changes by a step only.  `monotonic`: the same without sleep.  `boot`:
    the kernel's id of this start, '' where it can't be read.  `synchronised`: whether
    the kernel believes that something keeps `wall` right, None where it won't say.
    """

    wall: Micros
    boottime: Micros
    monotonic: Micros
    boot: str
    synchronised: bool | None

    @property
    def offset(self) -> Micros:
        """Wall time at the start of the machine, as this reading has it."""
        return self.wall - self.boottime


class _Timex(ctypes.Structure):
    """The head of the kernel's `struct timex`, with room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_byte * 320),
    )


_libc = ctypes.CDLL(None, use_errno=True)


def read() -> Reading:
    """Read all clocks at one instant.

    A process that is stopped between two of them would see a step that never was: so
    again where that took longer than usual.
    """
    for _ in range(_TRIES):
        before = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        wall = time.time_ns()
        after = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        if after - before < _AT_ONCE_NS:
            break
    return Reading(wall // 1000, before // 1000, monotonic(), _boot(), _synchronised())


def monotonic() -> Micros:
    """Microseconds that only ever go forward, for waiting and measuring."""
    return time.monotonic_ns() // 1000


def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _synchronised() -> bool | None:
    """As systemd's timedatectl decides it: the kernel's greatest error below 16 s.

    STA_UNSYNC says less: chrony leaves it set unless `rtcsync` is configured.  After
    somebody sets the clock, the kernel itself puts the error to 16 s.
    """
    timex = _Timex()  # modes 0: reads, needs no capability
    if _libc.adjtimex(ctypes.byref(timex)) < 0:
        return None
    return bool(timex.maxerror < _STILL_SYNCHRONISED)
