"""The gate: what a hold and an unlink both pass (design, section 7).

A batch in flight lists its files as waiting, unlinking or settled.  An unlink must
claim its file first; a hold turns every waiting file that it overlaps into a rescued
one.  Both do so under one mutex, so for each file exactly one of them wins.

Lock order: the catalogue's writer lock, then the gate.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from retention.model.policy import overlaps
from retention.model.values import Micros, Window

WAITING, UNLINKING, SETTLED, RESCUED = range(4)


class GateFile(NamedTuple):
    """What a hold needs to know of a file in flight; `doubtful`: any hold holds it;
    `others`: cameras that it may be of as well, each with its start then."""

    camera: int
    start: Micros
    end: Micros
    size: int
    doubtful: bool
    others: tuple[tuple[int, Micros], ...] = ()

    def is_held(self, held: Mapping[int, tuple[Window, ...]]) -> bool:
        """Whether windows (merged, by camera key) cover any of what it may be."""
        return any(
            camera in held
            and (
                self.doubtful or overlaps(held[camera], start, max(start + 1, self.end))
            )
            for camera, start in ((self.camera, self.start), *self.others)
        )


@dataclass(eq=False, slots=True)
class Flight:
    """One batch between its intent and its completion.

    `intended` is set at the end of the intent's transaction, under the writer lock:
    from then on the catalogue says of these files that they are being deleted.
    """

    files: list[GateFile]
    intended: bool = False
    status: bytearray = field(init=False)

    def __post_init__(self) -> None:
        self.status = bytearray(len(self.files))


class Rescue(NamedTuple):
    """What a hold met in flight: files of intended batches that it saved, and files
    being unlinked just now."""

    rescued: list[GateFile]
    unlinking: list[tuple[Flight, int]]


class Gate:
    """The mutex and the table of batches in flight.  One per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mutex = threading.Condition(self._lock)
        self._flights: list[Flight] = []
        self._waiting = 0  # answers that wait; nobody is woken where nobody waits

    def enter(self, flight: Flight) -> None:
        """Put a batch in flight.  Before its intent commits, so that no hold falls
        between the re-reading of the holds and the unlinks."""
        with self._mutex:
            self._flights.append(flight)

    def leave(self, flight: Flight) -> None:
        """Take a batch out, once its completion is recorded or its intent is not."""
        with self._mutex:
            self._flights.remove(flight)
            self._mutex.notify_all()

    def keep(self, flight: Flight, numbers: Iterable[int]) -> None:
        """Files that are not to be unlinked after all, those still waiting."""
        with self._mutex:
            for number in numbers:
                if flight.status[number] == WAITING:
                    flight.status[number] = RESCUED

    def claim(self, flight: Flight, number: int) -> bool:
        """Waiting to unlinking; False where a hold was faster."""
        with self._lock:
            if flight.status[number] != WAITING:
                return False
            flight.status[number] = UNLINKING
            return True

    def settle(self, flight: Flight, number: int) -> None:
        """The outcome of a claimed file is known."""
        with self._lock:
            flight.status[number] = SETTLED
            if self._waiting:
                self._mutex.notify_all()

    @contextmanager
    def shut(self) -> Iterator[None]:
        """No unlink begins inside the block; a hold's COMMIT happens in it."""
        with self._mutex:
            yield

    def rescue(self, held: Mapping[int, tuple[Window, ...]]) -> Rescue:
        """Save every waiting file that the windows (merged, by camera key) overlap.

        Call it inside `shut`.  A rescue stays even if the hold's commit fails: that
        keeps too much, never too little.
        """
        rescue = Rescue([], [])
        for flight in self._flights:
            for number, file in enumerate(flight.files):
                if not file.is_held(held):
                    continue
                if flight.status[number] == WAITING:
                    flight.status[number] = RESCUED
                    if flight.intended:
                        rescue.rescued.append(file)
                elif flight.status[number] == UNLINKING:
                    rescue.unlinking.append((flight, number))
        return rescue

    def wait_settled(self, unlinking: list[tuple[Flight, int]], timeout: float) -> bool:
        """Wait until none of these is being unlinked; False when time ran out."""
        with self._mutex:
            self._waiting += 1
            try:
                return self._mutex.wait_for(
                    lambda: all(
                        flight.status[number] != UNLINKING
                        for flight, number in unlinking
                    ),
                    timeout,
                )
            finally:
                self._waiting -= 1
