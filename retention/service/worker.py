"""A thread that does named tasks one after the other, and shows that it gets on.

Whoever triggers a task never waits for it.  A task asks its `stop` often: that is how
it learns that the service ends, and how others learn that it is not stuck.  `Wakeup`
wakes the main loop from signals and threads.
"""

import os
import select
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from retention.model.values import Micros
from retention.site import clock

Stop = Callable[[], bool]
Task = Callable[[Stop], object]


class Worker:
    """One thread and its pending tasks; a task pending already is not added again.

    `crashed` is told of any exception that a task lets through: by then memory and
    disk may disagree, so the thread ends and the service has to be started anew.
    """

    def __init__(
        self, name: str, crashed: Callable[[str, BaseException], None]
    ) -> None:
        self.name = name
        self._crashed = crashed
        self._pending: OrderedDict[str, Task] = OrderedDict()
        self._changed = threading.Condition()
        self._stopping = False
        self._running: str | None = None
        self._beat: Micros = 0
        # A daemon thread: one that hangs in a dead disk must not keep the process.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to take tasks."""
        self._thread.start()

    def runs(self) -> bool:
        """Whether it takes tasks."""
        return self._thread.is_alive()

    def trigger(self, name: str, task: Task) -> None:
        """Have `task` done after those that are pending, once for all who ask before."""
        with self._changed:
            self._pending.setdefault(name, task)
            self._changed.notify_all()

    def pending(self, name: str) -> bool:
        """Whether that task waits for its turn."""
        return name in self._pending

    def stop(self) -> None:
        """Drop what is pending; the running task is asked to end."""
        with self._changed:
            self._stopping = True
            self._pending.clear()
            self._changed.notify_all()

    def join(self, seconds: float) -> bool:
        """Wait for the thread to end; False where it does not in time."""
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until nothing is running or pending; False where that takes longer."""
        with self._changed:
            return self._changed.wait_for(self._is_idle, seconds)

    def stopping(self) -> bool:
        """The `stop` of its tasks: whether to end; asking is a sign of life."""
        self._beat = clock.monotonic()
        return self._stopping

    def rest(self, seconds: float) -> None:
        """Let others work for a while, unless the service ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping, seconds)

    def silent_for(self, now: Micros) -> Micros:
        """How long the running task has given no sign of life; 0 when idle."""
        return now - self._beat if self._running is not None else 0

    def running(self) -> str | None:
        """The task at hand."""
        return self._running

    def in_kernel(self) -> bool:
        """Whether the thread hangs in a system call that nothing interrupts.

        That is a disk or server that does not answer: starting the service anew would
        not help, and the process could not even be killed.
        """
        stat = Path(f"/proc/self/task/{self._thread.native_id}/stat")
        try:
            return stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "D"
        except (OSError, IndexError):
            return False

    def _is_idle(self) -> bool:
        return self._running is None and not self._pending

    def _next(self) -> Task | None:
        with self._changed:
            self._running = None
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stopping or self._pending)
            if self._stopping:
                return None
            self._beat = clock.monotonic()
            self._running, task = self._pending.popitem(last=False)
            return task

    def _run(self) -> None:
        while (task := self._next()) is not None:
            try:
                task(self.stopping)
            except BaseException as error:  # noqa: BLE001 - the loop's top: end loudly
                self._crashed(self.name, error)
                break
        with self._changed:
            self._running = None
            self._changed.notify_all()


class Wakeup:
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
