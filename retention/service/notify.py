"""What the service tells systemd: how it is.

The protocol is one datagram to the socket that systemd names in the environment (man
sd_notify); without one, as on a terminal, nothing is sent.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from retention.model.values import Micros


class Notifier:
    """Says things to the service manager that started this process, if one did."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the zero byte of an abstract socket.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._watchdog = environment.get("WATCHDOG_USEC", "")
        self._pid = environment.get("WATCHDOG_PID", str(os.getpid()))

    @property
    def watchdog(self) -> Micros | None:
        """How long systemd waits for a ping before it restarts us; None: it does not."""
        if not self._watchdog.isdigit() or self._pid != str(os.getpid()):
            return None
        return int(self._watchdog) or None

    def ready(self, status: str) -> None:
        """The service does its work now."""
        self._send(f"READY=1\nSTATUS={_line(status)}")

    def status(self, status: str) -> None:
        """One sentence for `systemctl status`."""
        self._send(f"STATUS={_line(status)}")

    def alive(self) -> None:
        """Ping the watchdog."""
        self._send("WATCHDOG=1")

    def stopping(self) -> None:
        """The service has begun to stop; it may take until the file at hand is done."""
        self._send("STOPPING=1\nSTATUS=stopping: the batch at hand is being recorded")

    def extend(self, length: Micros) -> None:
        """Starting or stopping takes this much longer still."""
        self._send(f"EXTEND_TIMEOUT_USEC={length}")

    def _send(self, text: str) -> None:
        if not self._address:
            return
        # A manager that is gone or busy is no reason to stop deleting on time.
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK
        with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as out:
            out.sendto(text.encode(), self._address)


def _line(text: str) -> str:
    return " ".join(text.split())
