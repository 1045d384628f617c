"""`retention run`: one process, in the foreground, until it is asked to stop."""

from __future__ import annotations

import faulthandler
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.model.errors import RetentionError
from retention.model.values import SECOND
from retention.service.daemon import Service
from retention.service.notify import Notifier
from retention.service.worker import Wakeup
from retention.site import journal
from retention.site.instance import exclusive

if TYPE_CHECKING:
    from retention.site.settings import Settings

__all__ = ["Wakeup", "exclusive", "run"]

LOOP_SECONDS = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run(
    settings: Settings,
    *,
    notifier: Notifier | None = None,
    ready: Callable[[Wakeup], None] | None = None,
) -> None:
    """Run until SIGTERM or SIGINT, or until `ready`'s wakeup is asked to stop.

    Returns after an orderly end.  Raises RetentionError where it can't start, and
    whatever a thread raised that nobody expected: the exit status is then not 0, so
    that systemd starts it again.
    """
    notifier = notifier or Notifier()
    journal.configure()
    if not faulthandler.is_enabled():
        faulthandler.enable()  # what each thread was doing when the watchdog bit
    wakeup = Wakeup()
    try:
        with exclusive(settings.state_directory), _signals(wakeup):
            service = Service(settings, notifier, wakeup)
            service.start()
            if ready is not None:
                ready(wakeup)
            _loop(service, notifier, wakeup)
            ended = service.stop()
    finally:
        wakeup.close()
    if service.failure is not None:
        raise service.failure[1]
    if not ended:
        raise RetentionError(
            "a thread did not end in time and its batch is left open: the next start "
            "finishes it"
        )


def _loop(service: Service, notifier: Notifier, wakeup: Wakeup) -> None:
    """Monotonic: however the wall clock is set, it comes round."""
    pause = LOOP_SECONDS
    if notifier.watchdog is not None:
        pause = min(pause, notifier.watchdog / SECOND / 3)
    while not wakeup.asked_to_stop and service.failure is None:
        if service.watch():
            notifier.alive()
        wakeup.wait(pause)


@contextmanager
def _signals(wakeup: Wakeup) -> Iterator[None]:
    """Stop in order when asked to; only the main thread may say so to Python."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, wakeup.stop) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
