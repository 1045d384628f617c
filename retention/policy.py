"""What is due and what is held: pure decisions on values, given `now`.

The retention period counts from a recording's *end*: days x 86,400 s elapsed, not
calendar days (design, section 3).  Intervals are half-open, so a recording that ends at
the instant a hold's window begins is not held by it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from retention.model import DAY, FOREVER, Micros, Window

MTIME_SLACK: Micros = 2_000_000
"""A file system may keep times to two seconds only (FAT, some NAS)."""

BEGINNING: Micros = -FOREVER


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the retention periods: the site's days, cameras that differ."""

    version: int
    days: int
    cameras: Mapping[int, int] = field(default_factory=dict)

    def days_of(self, camera: int) -> int:
        """Whole days of one camera, by its key."""
        return self.cameras.get(camera, self.days)

    def period(self, camera: int) -> Micros:
        """The retention period of one camera in microseconds."""
        return self.days_of(camera) * DAY


class Change(NamedTuple):
    """One period that settings and policy see differently; camera None: the site's."""

    camera: int | None
    now: int
    proposed: int


def adopt(current: Policy, proposed: Policy) -> tuple[Policy, list[Change]]:
    """What of the proposed periods applies at once, and which are shorter.

    Longer periods apply; a shorter one, also by a removed override, waits for an
    approval (design, section 6).  Returns the effective policy (version unchanged)
    and the changes held back.
    """
    days = max(current.days, proposed.days)
    waiting = []
    if proposed.days < current.days:
        waiting.append(Change(None, current.days, proposed.days))
    cameras = {}
    for camera in sorted({*current.cameras, *proposed.cameras}):
        now, then = current.days_of(camera), proposed.days_of(camera)
        # A camera that follows a site's period held back is not listed a second time.
        follows = camera not in current.cameras and camera not in proposed.cameras
        if then < now and not follows:
            waiting.append(Change(camera, now, then))
        if max(now, then) != days:
            cameras[camera] = max(now, then)
    return Policy(current.version, days, cameras), waiting


def merge(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The same instants as few windows: sorted, apart from each other."""
    merged: list[Window] = []
    for window in sorted(windows):
        if merged and window.start <= merged[-1].end:
            merged[-1] = Window(merged[-1].start, max(merged[-1].end, window.end))
        else:
            merged.append(window)
    return tuple(merged)


def overlaps(merged: tuple[Window, ...], start: Micros, end: Micros) -> bool:
    """Does [start, end) share an instant with any of the merged windows?"""
    # The last window that begins before `end` is the only candidate.
    at = bisect_right(merged, (end - 1, FOREVER + 1))
    return at > 0 and merged[at - 1].end > start


class Holds(NamedTuple):
    """The holds on one camera: merged windows, active or cooling off."""

    windows: tuple[Window, ...] = ()

    def hold(self, start: Micros, end: Micros, *, doubtful: bool = False) -> bool:
        """Is [start, end) held?  Doubtful times are held by any hold of the camera."""
        return bool(self.windows) if doubtful else overlaps(self.windows, start, end)


class Gap(NamedTuple):
    """Starts in [first, stop) of recordings that may be free; they are free exactly
    where they end by `stop`, where the next hold window begins."""

    first: Micros
    stop: Micros


def gaps(windows: tuple[Window, ...], first: Micros, cutoff: Micros) -> Iterator[Gap]:
    """The stretches of start time between hold windows, from `first` to `cutoff`.

    A recording that starts inside a window is held whatever its length, so those
    ranges are never visited: a query's cost does not grow with held footage.
    """
    at = bisect_right(windows, (first, FOREVER + 1))
    if at > 0:
        first = max(first, windows[at - 1].end)
    for window in windows[at:]:
        if first >= cutoff:
            return
        if first < window.start:
            yield Gap(first, window.start)
        first = window.end
    if first < cutoff:
        yield Gap(first, FOREVER)


def doubtful_since(seen: Micros, mtime: Micros, now: Micros) -> Micros:
    """From when the period of a quarantined recording counts.

    It was recorded before it was first seen; but where the clock was behind then, the
    mtime is the later witness.  One that lies in the future is none, so that the
    period still ends (design, section 5).
    """
    return max(seen, mtime) if mtime <= now else seen


class Reason(StrEnum):
    """Why a recording is due, or isn't."""

    DUE = "due"
    NOT_YET = "not_yet"
    HELD = "held"


class Decision(NamedTuple):
    """The decision on one recording, with the instant its period ends."""

    reason: Reason
    due: Micros


def decide(
    start: Micros,
    end: Micros,
    *,
    holds: Holds,
    period: Micros,
    now: Micros,
    doubtful_since: Micros | None = None,
) -> Decision:
    """Decide on one recording.

    `doubtful_since` is the instant from which the period of a quarantined recording
    counts (it was recorded before that, so this is safe and still ends); any hold on
    its camera holds it.
    """
    doubtful = doubtful_since is not None
    due = (end if doubtful_since is None else doubtful_since) + period
    if holds.hold(start, end, doubtful=doubtful):
        return Decision(Reason.HELD, due)
    return Decision(Reason.DUE if due <= now else Reason.NOT_YET, due)
