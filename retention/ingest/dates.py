"""From files as seen to recordings with start, end and doubts.  Pure: no I/O, no clock.

The rules are the design's, section 5.  In doubt a file is quarantined, which keeps it
longer and is seen by people; an end that is too early would delete evidence.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from retention.catalogue.recordings import Doubt
from retention.layouts.dating import NEAR, disagreement, end_of, zone_error
from retention.model import DAY, Micros, Recording, State
from retention.policy import MTIME_SLACK

LONGEST: Micros = DAY
"""No recorder known makes files longer than a day (field study: MediaMTX, 24 h)."""

RUN = 20
"""Recordings that the zone check looks at together."""

ZONE = "times of the stream are in doubt"
SHRANK = "the file is smaller than it was"
OLDER = "the file is older than it was"
REWRITTEN = "the file was changed while in quarantine"


class Rules(NamedTuple):
    """What a file of one stream is judged by."""

    now: Micros
    max_length: Micros
    tolerance: Micros


class Dated(NamedTuple):
    """A file's [start, end), and why it is in doubt, if it is."""

    start: Micros
    end: Micros
    reason: str | None


class Span(NamedTuple):
    """A recording as the zone check sees it: start by its name, end by its mtime."""

    start: Micros
    mtime: Micros


def date(
    files: Sequence[Span], others: Sequence[Micros], rules: Rules, doubt: str | None
) -> list[Dated]:
    """Date new files of one stream, given in order of start.

    `others` are the starts of its catalogued and open files.  With `doubt` all of
    them are in doubt.
    """
    now, max_length, tolerance = rules
    starts = sorted({*others, *(file.start for file in files)})
    starts.append(0)  # no next start
    last = len(starts) - 1
    found = []
    for start, mtime in files:
        at = bisect_right(starts, start, 0, last)
        following = starts[at] if at < last else None
        reason = disagreement(start, mtime, now, max_length, tolerance)
        if reason is not None and _is_long(start, mtime, following, rules):
            max_length, reason = mtime - start, None
        end = end_of(start, mtime, following, max_length, tolerance)
        found.append(Dated(start, end, reason or doubt))
    return found


def _is_long(
    start: Micros, mtime: Micros, following: Micros | None, rules: Rules
) -> bool:
    """Whether a file with an mtime long after its name is just a longer recording.

    Only where a second witness says so: the next recording begins when this one was
    last written.  A copied or touched file has its mtime at any other time.
    """
    return (
        following is not None
        and abs(following - mtime) <= NEAR
        and rules.max_length < mtime - start <= LONGEST + rules.tolerance
        and mtime <= rules.now + rules.tolerance
    )


def zone_offset(spans: Sequence[Span], rules: Rules) -> Micros | None:
    """By how much the names of a stream are out, or None where they seem right.

    `spans` are consecutive recordings in order.  Each run of 20 is looked at, not only
    the newest: of an archive taken in after the clocks went back, only the older part
    shows a wrong zone.  Most of a run must agree, and be of a believable length once
    corrected: events half an hour apart are no wrong zone.
    """
    for run in _runs(spans):
        pairs = [(a.mtime, b.start) for a, b in pairwise(run)]
        offset = zone_error(pairs, rules.tolerance)
        if offset is not None and 2 * _agreeing(run, offset, rules) > len(pairs):
            return offset
    return None


def _runs(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """Runs of 20 pairs from the newest back; the oldest one reaches over the next."""
    for stop in range(len(spans), 0, -RUN):
        first = max(0, stop - RUN - 1)
        yield spans[first : first + RUN + 1]
        if first == 0:
            return


def _agreeing(run: Sequence[Span], offset: Micros, rules: Rules) -> int:
    def agrees(one: Span, following: Span) -> bool:
        length = one.mtime - one.start + offset
        return (
            abs(following.start - one.mtime - offset) <= rules.tolerance
            and -rules.tolerance <= length <= rules.max_length + rules.tolerance
        )

    return sum(agrees(*pair) for pair in pairwise(run))


class Grown(NamedTuple):
    """A catalogued file that was written on: its end moves later, or stays."""

    duration: Micros
    size: int


def judge_change(
    row: Recording,
    doubt: Doubt | None,
    size: int,
    mtime: Micros,
    following: Micros | None,
    rules: Rules,
) -> Grown | Doubt | None:
    """What a second look at a catalogued file means; None: it is as it was.

    Grown where size or mtime grew believably.  A doubt where it shrank, became older,
    or says things that do not fit: kept, seen, its period counts anew.
    """
    latest = row.end + MTIME_SLACK if doubt is None else doubt.mtime
    older = _is_older(row, doubt, mtime, rules)
    if size == row.size and mtime <= latest and not older:
        return None
    if size < row.size:
        return Doubt(rules.now, mtime, SHRANK)
    if older:
        return Doubt(rules.now, mtime, OLDER)
    if doubt is not None or row.state is State.QUARANTINED:
        return Doubt(rules.now, mtime, REWRITTEN)
    (dated,) = date([Span(row.start, mtime)], _next(following), rules, None)
    if dated.reason is not None:
        return Doubt(rules.now, mtime, dated.reason)
    return Grown(max(row.duration, dated.end - row.start), size)


def _next(following: Micros | None) -> tuple[Micros, ...]:
    return () if following is None else (following,)


def _is_older(row: Recording, doubt: Doubt | None, mtime: Micros, rules: Rules) -> bool:
    """The end came from the mtime, or from a next start at most 5 s after it; where
    the mtime was before the start, nothing but the tolerance is known of it."""
    if doubt is not None:
        return mtime < doubt.mtime - MTIME_SLACK
    if mtime <= row.start:
        return mtime < row.start - rules.tolerance
    return mtime < row.end - NEAR - MTIME_SLACK
