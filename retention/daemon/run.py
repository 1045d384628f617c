"""`retention run`: one process, in the foreground, until it is asked to stop."""

from __future__ import annotations

import faulthandler
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.daemon import journal
from retention.daemon.doorbell import Doorbell
from retention.daemon.notify import Notifier
from retention.daemon.service import Service
from retention.errors import RetentionError
from retention.instance import exclusive
from retention.model import SECOND

if TYPE_CHECKING:
    from retention.settings import Settings

__all__ = ["Doorbell", "exclusive", "run"]

LOOP_SECONDS = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(
    settings: Settings,
    *,
    notifier: Notifier | None = None,
    ready: Callable[[Doorbell], None] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, or until `ready`'s doorbell is asked to stop.

    Returns after an orderly end.  Raises RetentionError where it can't start, and
    whatever a thread raised that nobody expected: the exit status is then not 0, so
    that systemd starts it again.
    """
    notifier = notifier or Notifier()
    journal.configure()
    if not faulthandler.is_enabled():
        faulthandler.enable()  # what each thread was doing when the watchdog bit
    bell = Doorbell()
    try:
        with exclusive(settings.state_directory), _signals(bell):
            service = Service(settings, notifier, bell)
            service.start()
            if ready is not None:
                ready(bell)
            _loop(service, notifier, bell)
            ended = service.stop()
    finally:
        bell.close()
    if service.failure is not None:
        raise service.failure[1]
    if not ended:
        raise RetentionError(
            "a thread did not end in time and its batch is left open: the next start "
            "finishes it"
        )


def _loop(service: Service, notifier: Notifier, bell: Doorbell) -> None:
    """Monotonic: however the wall clock is set, it comes round."""
    pause = LOOP_SECONDS
    if notifier.watchdog is not None:
        pause = min(pause, notifier.watchdog / SECOND / 3)
    while not bell.asked_to_stop and service.failure is None:
        if service.watch():
            notifier.alive()
        bell.wait(pause)


@contextmanager
def _signals(bell: Doorbell) -> Iterator[None]:
    """Stop in order when asked to; only the main thread may say so to Python."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, bell.stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
