"""Each footage root remembers the newest signed head: read when the root is opened,
written in a thread of its own.

A disk that is full, hangs or can't be written is an alarm: nothing waits for it, and no
deletion hangs on what it remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from retention.footage import kept_head
from retention.model.errors import RootUnavailableError
from retention.publication.memories import HANGS, PATIENCE
from retention.service.worker import Stop, Worker
from retention.site import clock
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from retention.catalogue.heads import SignedHead
    from retention.footage.roots import OpenRoot
    from retention.tlog.note import Head, Verifier


class RootMemory:
    """What one root remembers; `meet` is told of the newest head that a disk has which
    was opened just now, before anything is deleted there.  `succession`: what the log says
    of itself behind each head."""

    def __init__(
        self,
        root: str,
        verifier: Verifier | None,
        succession: str,
        meet: Callable[[Head], None],
        crashed: Callable[[str, BaseException], None],
    ) -> None:
        self.worker = Worker(f"head:{root}", crashed)
        self._root = root
        self._verifier = verifier
        self._succession = succession
        self._meet = meet
        self._open: OpenRoot | None = None
        self._newest: SignedHead | None = None
        self._size: int | None = None
        self._fault: str | None = None

    def opened(self, root: OpenRoot) -> None:
        """The root is there: what it remembers is met, and brought up to date later."""
        if self._verifier is None:
            return
        try:
            found = kept_head.newest(root.fd, self._verifier, root.path)
            kept_head.make(root.fd)
        except OSError as error:
            self._note(error.strerror or str(error))
            return
        if found is not None:
            self._size = found.size
            self._meet(found)
        self._open = root
        self.worker.trigger("head", self._write)

    def closed(self) -> None:
        """The root was let go of."""
        self._open = None

    def tell(self, signed: SignedHead) -> None:
        """A newer head was published.  Waits for nothing."""
        self._newest = signed
        self.worker.trigger("head", self._write)

    def _write(self, _: Stop) -> None:
        root, signed = self._open, self._newest
        if root is None or signed is None or self._verifier is None:
            return
        try:
            root.check()  # never into what is mounted there by now
            head = signed.note.encode()
            kept_head.keep(root.fd, head, self._verifier, self._succession)
        except RootUnavailableError:
            return  # its guard says so
        except OSError as error:
            if root is self._open:
                self._note(error.strerror or str(error))
            return
        self._size = signed.size
        self._note(None)

    def _note(self, fault: str | None) -> None:
        if fault is not None and fault != self._fault:
            journal.error("head.not_kept", root=self._root, error=fault)
        self._fault = fault

    def told(self) -> dict[str, Any]:
        """For `status` and the alarm: how many entries the head covers that it has, and
        why it can't have the newest."""
        hangs = self.worker.silent_for(clock.monotonic()) > PATIENCE
        return {"size": self._size, "fault": HANGS if hangs else self._fault}


def stop(found: Collection[RootMemory]) -> None:
    """End the threads; one that hangs in its disk keeps nobody."""
    for one in found:
        one.worker.stop()
    for one in found:
        one.worker.join(0.5)
