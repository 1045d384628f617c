"""Laws *counts* and *heartbeat*: the books by camera and day, and what heartbeats count.

Kept are the sums of cameras and days of which there is anything: what is over is
forgotten, so that it grows with the archive and not with the log.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat

from retention.tlog.balance import KINDS, SIGNS, Balance, Place
from retention.tlog.lawful.laws import COUNTS, HEARTBEAT, Verdict
from retention.tlog.source import Record


class _Net(Balance):
    """What is there by the books: one sum of recordings and bytes a camera and day;
    `below`: where that is less than nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.there: dict[Place, list[int]] = {}
        self.below: set[Place] = set()
        self.total = 0

    def _enter(
        self, column: str, places: Iterable[Place], durations: Iterable[int],
        sizes: Iterable[int], numbers: Iterable[int] | None = None,
    ) -> None:  # fmt: skip
        sign = SIGNS[column]
        for place, size, number in zip(
            places, sizes, numbers or repeat(1), strict=False
        ):
            found = self.there.setdefault(place, [0, 0])
            found[0] += sign * number
            found[1] += sign * size
            self.total += sign * number
            if found == [0, 0]:
                del self.there[place]
            if min(found) < 0:
                self.below.add(place)
            else:
                self.below.discard(place)


class Counts:
    """Judges at each heartbeat that was counted with its roll-up: between two of them
    what came since is not in the books."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._net = _Net()
        self._known = True
        self._told: set[Place] = set()

    def hear(self, record: Record) -> None:
        """The next entry."""
        fields = record.entry["fields"]
        self.note(record)
        if "counted" in fields:
            self._counted(record.number, fields["recordings"], fields["counted"])

    def note(self, record: Record) -> None:
        """Into the books, if it is of theirs."""
        if record.kind in KINDS:
            faults = len(self._net.faults)
            self._net.read([record])
            if len(self._net.faults) > faults:
                self._known = False  # its rows are not at hand

    def _counted(self, number: int, recordings: int, counted: bool | None) -> None:
        if not counted:
            return
        if not self._known:
            self._verdict.unchecked.update((COUNTS, HEARTBEAT))
            return
        for place in sorted(self._net.below - self._told):
            self._told.add(place)
            found, size = self._net.there[place]
            camera, day = place
            self._verdict.broke(
                COUNTS, number,
                f"comes after more was deleted, lost or moved of camera {camera} on "
                f"day {day} since 1970 than was recorded: {-found} recordings, "
                f"{-size} bytes",
            )  # fmt: skip
        if recordings != self._net.total:
            self._verdict.broke(
                HEARTBEAT, number,
                f"counts {recordings} recordings, by the books there are {self._net.total}",
            )  # fmt: skip
