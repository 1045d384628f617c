"""What is due and what is held: pure decisions on values, given `now`.

The retention period counts from a recording's *end*: days x 86,400 s elapsed, not
calendar days (design, section 3).  Intervals are half-open, so a recording that ends at
the instant a hold's window begins is not held by it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from retention.model.values import DAY, FOREVER, MINUTE, Micros, Window

MTIME_SLACK: Micros = 2_000_000
"""A file system may keep times to two seconds only (FAT, some NAS)."""

BEGINNING: Micros = -FOREVER

LOOKS_APART: Micros = 10 * MINUTE
"""Whole scans of a root that are no further apart than this leave no gap."""

_MOST_GAPS = 100


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

    def longest(self) -> Micros:
        """The longest of all its periods in microseconds."""
        return max(self.days, *self.cameras.values(), 0) * DAY


class PeriodChange(NamedTuple):
    """One period that settings and policy see differently; camera None: the site's."""

    camera: int | None
    now: int
    proposed: int


def adopt(current: Policy, proposed: Policy) -> tuple[Policy, list[PeriodChange]]:
    """What of the proposed periods applies at once, and which are shorter.

    Longer periods apply; a shorter one, also by a removed override, waits for an
    approval (design, section 6).  Returns the effective policy (version unchanged)
    and the changes held back.
    """
    days = max(current.days, proposed.days)
    waiting = []
    if proposed.days < current.days:
        waiting.append(PeriodChange(None, current.days, proposed.days))
    cameras = {}
    for camera in sorted({*current.cameras, *proposed.cameras}):
        now, then = current.days_of(camera), proposed.days_of(camera)
        # A camera that follows a site's period held back is not listed a second time.
        follows = camera not in current.cameras and camera not in proposed.cameras
        if then < now and not follows:
            waiting.append(PeriodChange(camera, now, then))
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
        windows = self.windows
        return bool(windows) and (doubtful or overlaps(windows, start, end))


class Looks(NamedTuple):
    """When all of a root was looked at: since `first`, until `last`, never minutes
    apart but in `gaps` (sorted, apart from each other)."""

    first: Micros
    last: Micros
    gaps: tuple[Window, ...] = ()

    def after(self, end: Micros) -> Micros | None:
        """The first look after a recording's end; None where there was none yet.

        A look every few minutes is one at every instant.
        """
        if end >= self.last:
            return None
        gap = self._around(end)
        return max(self.first, end if gap is None else gap.end)

    def latest(self, cutoff: Micros) -> Micros:
        """The latest end for which that look came by `cutoff`."""
        if cutoff < self.first:
            return BEGINNING
        cutoff = min(cutoff, self.last - 1)
        gap = self._around(cutoff)
        return cutoff if gap is None else gap.start - 1

    def _around(self, at: Micros) -> Window | None:
        number = bisect_right(self.gaps, (at, FOREVER + 1)) - 1
        found = self.gaps[number] if number >= 0 else None
        return found if found is not None and at < found.end else None


def add_look(looks: Looks | None, now: Micros, oldest: Micros) -> Looks:
    """The looks with one more at `now`; gaps that ended before `oldest` are forgotten.

    Of too many gaps two that lie close together become one: then a period counts from
    later, never from sooner.
    """
    if looks is None:
        return Looks(now, now)
    gaps = [gap for gap in looks.gaps if gap.end >= oldest]
    if now - looks.last > LOOKS_APART:
        gaps.append(Window(looks.last, now))
    while len(gaps) > _MOST_GAPS:
        at = min(range(len(gaps) - 1), key=lambda n: gaps[n + 1].end - gaps[n].start)
        gaps[at : at + 2] = [Window(gaps[at].start, gaps[at + 1].end)]
    return Looks(looks.first, max(looks.last, now), tuple(gaps))


class InDoubt(NamedTuple):
    """The times of a stream are in doubt, since `at`; `looks` are its root's."""

    at: Micros
    looks: Looks | None = None

    def since(self, end: Micros) -> Micros:
        """From when the period of a recording counts that ended then by its own times.

        It was recorded before the first look after that; where that is not known, or
        came later, before the doubt: a doubt that comes later starts nothing anew.
        """
        look = None if self.looks is None else self.looks.after(end)
        return max(end, self.at if look is None else min(look, self.at))

    def latest(self, cutoff: Micros) -> Micros:
        """The latest end of a recording whose period counts from `cutoff` or sooner."""
        if cutoff >= self.at:
            return cutoff
        return BEGINNING if self.looks is None else self.looks.latest(cutoff)


def doubt_of(end: Micros, seen: Micros | None, stream: InDoubt | None) -> Micros | None:
    """From when the period of a doubtful recording counts; None where it is not.

    One in quarantine was recorded before `seen`, whatever its file says of itself; that
    holds for one dated in the future too, and the period still ends (design, section
    5).  `stream` is the doubt about the times of its stream.
    """
    if seen is not None:
        return seen
    return None if stream is None else stream.since(end)


class Reason(StrEnum):
    """Why a recording is due, or isn't."""

    DUE = "due"
    NOT_YET = "not_yet"
    HELD = "held"


# By these names, since a member of an enum takes longer to find than the decision.
_DUE, _NOT_YET, _HELD = Reason.DUE, Reason.NOT_YET, Reason.HELD


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
        return Decision(_HELD, due)
    return Decision(_DUE if due <= now else _NOT_YET, due)
