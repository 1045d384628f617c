"""The process that is killed: opens an archive and runs one deletion cycle.

Started once, it forks a process for each line that it reads, so that a kill costs no
start of Python.  Each waits until a tracer is attached; its number is printed first.
A line is a directory, and optionally `twice`: after an error, as the daemon does it,
everything is opened anew and a second cycle is run.
"""

import ctypes
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from retention.model.errors import RetentionError
from retention.model.values import MINUTE
from tests.support.crash_archive import Archive
from tests.support.site_ import NOW, never

LATER = NOW + 5 * MINUTE
"""The second cycle: the back-off of what failed in the first is over."""

ANY_TRACER = (0x59616D61, ctypes.c_ulong(-1))  # PR_SET_PTRACER, PR_SET_PTRACER_ANY


def cycle(directory: Path, now: int) -> str | None:
    """One start, recovery and cycle; what it was blocked by."""
    archive = Archive.of(directory)
    try:
        found = archive.deleter.recover(archive.root, now, never).blocked
        return archive.deleter.cycle(archive.root, now, never).blocked or found
    finally:
        archive.close()


def work(directory: Path, *, twice: bool) -> None:
    """To be killed in here."""
    try:
        blocked = cycle(directory, NOW)
    except RetentionError as error:
        if not twice:
            raise
        print(f"error: {error}", flush=True)
        blocked = None
    if twice:
        blocked = cycle(directory, LATER)
    if blocked is not None:
        raise RetentionError(blocked)


def wait_for_tracer() -> None:
    """Until strace is attached, and a little longer, so that it has begun."""
    ctypes.CDLL(None).prctl(*ANY_TRACER, 0, 0, 0)
    for _ in range(10_000):
        status = Path("/proc/self/status").read_text(encoding="ascii")
        if "TracerPid:\t0\n" not in status:
            break
        time.sleep(0.001)
    time.sleep(0.003)


def main(work: Callable[..., None] = work) -> None:
    """Serve; `work` takes a directory and `twice`."""
    for line in sys.stdin:
        directory, _, how = line.strip().partition("\t")
        child = os.fork()
        if child == 0:
            status = 0
            try:
                print(os.getpid(), flush=True)
                wait_for_tracer()
                work(Path(directory), twice=how == "twice")
            except BaseException:  # noqa: BLE001 - told to whoever asked
                print(traceback.format_exc().replace("\n", "\\n"), flush=True)
                status = 1
            os._exit(status)
        _, ended = os.waitpid(child, 0)
        print(f"ended {os.waitstatus_to_exitcode(ended)}", flush=True)


if __name__ == "__main__":
    main()
