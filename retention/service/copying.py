"""The second directory is followed in a thread of its own: a share that does not answer
holds up nothing else, and is an alarm."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from retention.model.errors import PublicationError
from retention.publication.copy import Copy
from retention.publication.memories import HANGS, PATIENCE
from retention.service.worker import Stop, Worker
from retention.site import clock
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from pathlib import Path

    from retention.tlog.note import Head


class Copying:
    """Follows `source` into `target`; `met` is told of the newest head there, which may
    not have been mounted at the start."""

    def __init__(
        self,
        source: Path,
        target: Path,
        met: Callable[[Head], object],
        crashed: Callable[[str, BaseException], None],
    ) -> None:
        self._copy = Copy(source, target, met)
        self._worker = Worker("copy", crashed)
        self._fault: str | None = None

    def start(self) -> None:
        """Begin to take tasks."""
        self._worker.start()

    def trigger(self, *, head: bool) -> None:
        """Copy what is new; `head`: up to the newest head, and with it.  Waits for
        nothing."""
        self._worker.trigger(
            "head" if head else "copy", self._to_head if head else self._follow
        )

    def _to_head(self, stop: Stop) -> None:
        self._go_on(lambda: self._copy.follow(stop, head=True))

    def _follow(self, stop: Stop) -> None:
        self._go_on(lambda: self._copy.follow(stop))

    def _go_on(self, follow: Callable[[], int]) -> None:
        try:
            follow()
        except PublicationError as error:
            if str(error) != self._fault:
                journal.error("copy.failed", error=str(error))
            self._fault = str(error)
        else:
            if self._fault is not None:
                journal.info("copy.caught_up")
            self._fault = None

    def told(self) -> dict[str, Any]:
        """The fact of `publication.memories`."""
        hangs = self._worker.silent_for(clock.monotonic()) > PATIENCE
        return {"size": self._copy.newest, "fault": HANGS if hangs else self._fault}

    def stop(self) -> None:
        """It goes on where it is at the next start."""
        self._worker.stop()
        self._worker.join(2)
