"""From files as seen to recordings with start, end and doubts.  Pure: no I/O, no clock.

The rules are the design's, section 5.  In doubt a file is quarantined, which keeps it
longer and is seen by people; an end that is too early would delete evidence.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from statistics import median_low
from typing import NamedTuple

from retention.catalogue.recordings import Doubt
from retention.model.layouts.dating import (
    NEAR,
    OLDER,
    REPLACED,
    RESUMED,
    REWRITTEN,
    SHRANK,
    UNGROWN,
    disagreement,
    doubt_of_known,
    end_of,
    zone_error,
)
from retention.model.policy import MTIME_SLACK
from retention.model.values import DAY, Micros, Recording, State

LONGEST: Micros = DAY
"""No recorder known makes files longer than a day (field study: MediaMTX, 24 h)."""

RUN = 20
"""Recordings that the zone check looks at together."""

ZONE = "times of the stream are in doubt"


class DatingRules(NamedTuple):
    """What a file of one stream is judged by."""

    now: Micros
    max_length: Micros
    tolerance: Micros


class Dated(NamedTuple):
    """A file's [start, end), and why it is in doubt, if it is."""

    start: Micros
    end: Micros
    reason: str | None


class RecordingSpan(NamedTuple):
    """A recording as the zone check sees it: start by its name, end by its mtime."""

    start: Micros
    mtime: Micros


def date(
    files: Sequence[RecordingSpan],
    others: Sequence[Micros],
    rules: DatingRules,
    doubt: str | None,
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
    start: Micros, mtime: Micros, following: Micros | None, rules: DatingRules
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


def zone_offset(
    spans: Sequence[RecordingSpan], rules: DatingRules, out: Micros | None = None
) -> Micros | None:
    """By how much the names of a stream are out, or None where they seem right.

    `spans` are consecutive recordings in order.  Each run of 20 is looked at, not only
    the newest: of an archive taken in after the clocks went back, only the older part
    shows a wrong zone.  Most of a run must agree, and be of a believable length once
    corrected: events half an hour apart are no wrong zone.  Of names that a person
    called `out` by so much, one more pair is enough.
    """
    if out is not None and _agreeing(spans[-RUN:], out, rules):
        return out
    for run in _runs(spans):
        pairs = [(a.mtime, b.start) for a, b in pairwise(run)]
        offset = zone_error(pairs, rules.tolerance)
        if offset is not None and 2 * _agreeing(run, offset, rules) > len(pairs):
            return offset
    return None


def is_in_zone(spans: Sequence[RecordingSpan], rules: DatingRules) -> bool:
    """Whether the newest recording begins when the one before it ends."""
    return _agreeing(spans[-2:], 0, rules) > 0


def _runs(spans: Sequence[RecordingSpan]) -> Iterator[Sequence[RecordingSpan]]:
    """Runs of 20 pairs from the newest back; the oldest one reaches over the next."""
    for stop in range(len(spans), 0, -RUN):
        first = max(0, stop - RUN - 1)
        yield spans[first : first + RUN + 1]
        if first == 0:
            return


def _agreeing(run: Sequence[RecordingSpan], offset: Micros, rules: DatingRules) -> int:
    def agrees(one: RecordingSpan, following: RecordingSpan) -> bool:
        length = one.mtime - one.start + offset
        return (
            abs(following.start - one.mtime - offset) <= rules.tolerance
            and -rules.tolerance <= length <= rules.max_length + rules.tolerance
        )

    return sum(agrees(*pair) for pair in pairwise(run))


def common_shift(moved: Sequence[Micros]) -> Micros | None:
    """By how much the mtimes of many files of one stream moved, of unchanged size each,
    where that is the same for most: the disk's doing, or a copy's, and no recorder's."""
    if len(moved) < RUN:
        return None
    middle = median_low(moved)
    alike = sum(abs(one - middle) <= NEAR + MTIME_SLACK for one in moved)
    if alike < RUN or 2 * alike <= len(moved) or abs(middle) <= NEAR + MTIME_SLACK:
        return None
    return middle


def is_moved(base: Micros, mtime: Micros, shifts: Iterable[Micros]) -> bool:
    """Whether an mtime is `base` moved by one of these."""
    return any(abs(mtime - base - one) <= NEAR + MTIME_SLACK for one in shifts)


class WrittenOn(NamedTuple):
    """A catalogued file that was written on: its end moves later, or stays."""

    duration: Micros
    size: int


class Overwritten(NamedTuple):
    """Another recording has taken a file's name, and what it had is gone."""

    start: Micros
    end: Micros
    size: int


class Around(NamedTuple):
    """What is known beside a file that changed: the next start in its stream; and
    where its name comes twice in the night, its second reading and the usual length of
    the recordings before it."""

    following: Micros | None = None
    again: Micros | None = None
    usual: tuple[Micros, ...] = ()


def judge_change(
    row: Recording,
    doubt: Doubt | None,
    size: int,
    mtime: Micros,
    around: Around,
    rules: DatingRules,
) -> WrittenOn | Overwritten | Doubt | None:
    """What a second look at a catalogued file means; None: it is as it was.

    Overwritten where its name came again and a finished file has become another, grown
    where size or mtime grew believably.  A doubt where it shrank, became older,
    or says things that do not fit: kept, and seen by people.
    """
    latest = row.end + MTIME_SLACK if doubt is None else doubt.mtime
    older = _is_older(row, doubt, mtime, rules)
    if size == row.size and mtime <= latest and not older:
        return None
    if doubt is None and around.again is not None:
        (dated,) = date([RecordingSpan(around.again, mtime)], (), rules, None)
        if dated.reason is None and _is_another(row, size, dated, around, rules):
            return Overwritten(dated.start, dated.end, size)
    if size < row.size:
        return Doubt(rules.now, mtime, SHRANK)
    if older:
        return Doubt(rules.now, mtime, OLDER)
    if _is_replaced(row, doubt, size, mtime):
        return Doubt(rules.now, mtime, REPLACED)
    if doubt is not None or row.state is State.QUARANTINED:
        return Doubt(rules.now, mtime, REWRITTEN)
    if _is_resumed(row, doubt, mtime, around, rules):
        return Doubt(rules.now, mtime, RESUMED)
    after = () if around.following is None else (around.following,)
    (dated,) = date([RecordingSpan(row.start, mtime)], after, rules, None)
    reason = doubt_of_known(dated.reason)
    if reason is not None:
        return Doubt(rules.now, mtime, reason)
    if _is_ungrown(row, doubt, size, mtime, around, rules):
        return Doubt(rules.now, mtime, UNGROWN)
    return WrittenOn(max(row.duration, dated.end - row.start), size)


def is_written_on(
    row: Recording,
    doubt: Doubt | None,
    size: int,
    mtime: Micros,
    around: Around,
    rules: DatingRules,
) -> bool:
    """Whether a file that changed may only have been written on, doubtful or not: no
    smaller, no older, not so late that no recording is that long, nor long after the next
    had taken over, nor without a byte more.  Then nothing says that what it had is gone."""
    since = row.start if doubt is None else doubt.mtime
    return (
        size >= row.size
        and not _is_older(row, doubt, mtime, rules)
        and not _is_replaced(row, doubt, size, mtime)
        and not _is_resumed(row, doubt, mtime, around, rules)
        and not _is_ungrown(row, doubt, size, mtime, around, rules)
        and mtime <= since + rules.max_length + rules.tolerance
    )


def _is_another(
    row: Recording, size: int, new: Dated, around: Around, rules: DatingRules
) -> bool:
    """Whether the file of the first pass was finished, so that it did not just grow, and
    what is there is of a length, or a size, that says that it was begun again: a file
    that somebody touched is not taken for another."""

    def near(one: Micros, other: Micros) -> bool:
        return abs(one - other) <= NEAR

    following, usual = around.following, around.usual
    finished = (
        (following is not None and near(following, row.end))
        or any(near(row.duration, length) for length in usual)
        or new.end - row.start > rules.max_length + rules.tolerance
    )
    length = new.end - new.start
    alike = any(near(length, other) for other in (row.duration, *usual))
    return finished and (alike or size < row.size)


def _is_replaced(row: Recording, doubt: Doubt | None, size: int, mtime: Micros) -> bool:
    """Whoever writes on a file makes it newer; one that is larger and is not was put in
    its place, with the times of the other.  Where the mtime is the start, it says
    nothing."""
    known = row.end if doubt is None else doubt.mtime
    return size > row.size and row.start + MTIME_SLACK < mtime <= known


def _is_resumed(
    row: Recording,
    doubt: Doubt | None,
    mtime: Micros,
    around: Around,
    rules: DatingRules,
) -> bool:
    """A recorder that goes on with the next file as one ends does not come back to it;
    what is in its place then may be another, though larger.  One whose clips begin and
    end inside a long recording is no such."""
    following = around.following
    known = row.end if doubt is None else doubt.mtime
    return (
        following is not None
        and abs(following - known) <= NEAR
        and mtime > following + rules.tolerance
    )


def _is_ungrown(
    row: Recording,
    doubt: Doubt | None,
    size: int,
    mtime: Micros,
    around: Around,
    rules: DatingRules,
) -> bool:
    """Nothing was added, and somebody touched it long after it ended: it shows no more
    time than before.  A recorder that fills a file of a fixed size writes more often, and
    one whose name came again may have as many bytes of the second hour."""
    known = row.end if doubt is None else doubt.mtime
    return size == row.size and around.again is None and mtime > known + rules.tolerance


def _is_older(
    row: Recording, doubt: Doubt | None, mtime: Micros, rules: DatingRules
) -> bool:
    """The end came from the mtime, or from a next start at most 5 s after it; where
    the mtime was the start or before, nothing but the tolerance is known of it."""
    if doubt is not None:
        return mtime < doubt.mtime - MTIME_SLACK
    if mtime <= row.start + MTIME_SLACK:
        return mtime < row.start - rules.tolerance
    return mtime < row.end - NEAR - MTIME_SLACK
