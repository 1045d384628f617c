"""What a request waits for of the disks: a scan, a look at the files that holds keep."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from retention.model.answers.hold import Inspection, RootNotLookedAt
from retention.model.policy import Holds
from retention.model.values import SECOND, Micros
from retention.site import clock

if TYPE_CHECKING:
    from retention.service.root_work import RootWork

PATIENCE: Micros = SECOND // 2
"""A look ends with the page at hand, a little after its time."""


LATE = "did not answer in time"


@dataclass(slots=True)
class Rescan:
    """A scan that somebody waits for; `complete`: all of the root was read."""

    done: threading.Event = field(default_factory=threading.Event)
    complete: bool = False


@dataclass(slots=True)
class InspectionAsked:
    """A look at what holds (by camera key) keep, at so many files at most, that somebody
    waits for until then (monotonic).  `found`: what there was to see; where there is
    nothing, `why`."""

    wanted: Mapping[int, Holds]
    most: int
    until: Micros
    done: threading.Event = field(default_factory=threading.Event)
    found: Inspection | None = None
    why: str = LATE

    def is_over(self) -> bool:
        """Whether nobody waits for it any more."""
        return clock.monotonic() >= self.until


def rescans(
    works: Collection[RootWork],
) -> Callable[[Collection[str], float], set[str]]:
    """The `rescan` of a request: scan these roots now; the names of those that did not
    finish in so many seconds, all together, and of those whose threads do not run yet."""

    def rescan(names: Collection[str], seconds: float) -> set[str]:
        until = _after(seconds)
        asked = {work.name: work.rescan() for work in _at_work(works, names)}
        unfinished = set(names) - asked.keys()
        for name, one in asked.items():
            if not one.done.wait(_seconds_to(until)) or not one.complete:
                unfinished.add(name)
        return unfinished

    return rescan


def inspections(
    works: Collection[RootWork],
) -> Callable[[Mapping[int, Holds], Collection[str], int, float], Inspection]:
    """The `inspect` of a request: in these roots, in all of them at once."""

    def inspect(
        wanted: Mapping[int, Holds], names: Collection[str], most: int, seconds: float
    ) -> Inspection:
        until = _after(seconds)
        asked = {
            work.name: work.inspect(InspectionAsked(wanted, most, until))
            for work in _at_work(works, names)
        }
        found, missed = Inspection(), dict.fromkeys(set(names) - asked.keys(), LATE)
        for name, one in asked.items():
            if one.done.wait(_seconds_to(until + PATIENCE)) and one.found is not None:
                found = found.plus(one.found)
            else:
                missed[name] = one.why
        return replace(
            found,
            roots_not_looked_at=[
                RootNotLookedAt(name, why) for name, why in sorted(missed.items())
            ],
        )

    return inspect


def _at_work(works: Collection[RootWork], names: Collection[str]) -> Iterator[RootWork]:
    """Those that somebody reads: what waits for the start is held before that."""
    return (one for one in works if one.name in names and one.scanning.runs())


def _after(seconds: float) -> Micros:
    return clock.monotonic() + int(seconds * SECOND)


def _seconds_to(until: Micros) -> float:
    return max(0.0, (until - clock.monotonic()) / SECOND)
