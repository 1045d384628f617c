"""Wakes the main loop from signals and threads, and keeps that it was asked to end."""

import os
import select
from contextlib import suppress


class Doorbell:
    """A pipe, since an Event is not safe to set in a signal handler of the very thread
    that waits for it."""

    def __init__(self) -> None:
        self._out, self._in = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.asked_to_stop = False

    def ring(self) -> None:
        """Wake the loop; many rings are one."""
        with suppress(OSError):  # full: it wakes anyway; closed: it has ended
            os.write(self._in, b"\0")

    def stop(self, *_: object) -> None:
        """End the loop; also a signal handler."""
        self.asked_to_stop = True
        self.ring()

    def wait(self, seconds: float) -> None:
        """Return after this time or when somebody rang."""
        if select.select([self._out], [], [], seconds)[0]:
            os.read(self._out, 4096)

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._out)
        os.close(self._in)
