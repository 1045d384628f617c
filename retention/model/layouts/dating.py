"""When a recording was: from its name, its mtime and its neighbours.

Owns the rules of design section 5.  Pure: instants and durations in microseconds
come in, `now` too.  Wherever the rules leave room, a recording gets longer and ends
later, never the reverse: an end that is too early deletes evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median_low

from retention.model.values import HOUR, MINUTE, SECOND, Micros

NEAR: Micros = 5 * SECOND
"""How near to a file's mtime the next start must be to be its end (design 5)."""

FUTURE = "dated in the future"
EARLY_MTIME = "name is later than mtime"
LATE_MTIME = "mtime is long after name"

SHRANK = "the file is smaller than it was"
OLDER = "the file is older than it was"
REPLACED = "the file is larger than it was, and was not written on since"
RESUMED = "the file was written on, though the next recording had long begun"
UNGROWN = "the file was changed long after it ended, and nothing was added"
REWRITTEN = "the file was changed while in quarantine"
TOUCHED = "the file was changed long after its name"

_STEP = 30 * MINUTE  # the zones of the world differ by multiples of it, near enough
_FURTHEST = 14 * HOUR  # no zone is further from UTC
_LOOKED_AT, _ENOUGH = 20, 3


def choose_start(
    starts: Sequence[Micros],
    mtime: Micros,
    max_length: Micros,
    tolerance: Micros,
    *,
    neighbours: Iterable[Micros] = (),
    usual: Iterable[Micros] = (),
) -> Micros:
    """The start that a name means, of the one or two (ascending) that it may mean.

    `neighbours` are the ends of other recordings of the stream, `usual` their length
    and how far apart they begin, if known.  Design 5: the later reading, unless
    neighbours or mtime decide.  An mtime, when the last frame was written, fits a
    reading if it is after it, by no more than `max_length` + `tolerance`.  In this
    order:

    1. the mtime fits the earlier reading alone: that (the later is impossible);
    2. one reading makes it as long as its neighbours, within 5 s, the other does not:
       that one (a recorder that overwrites the first 01:xx leaves names a minute
       apart, which would all be an hour and a minute long);
    3. a neighbour ends within 5 s of one reading, none of the other: that one;
    4. the mtime fits the later reading alone: that;
    5. it fits both: the earlier.  The mtime is the end either way, and only the
       earlier covers all that may have been filmed (an hour-long file of the
       first 01:30 ends in the second 01:30: the later reading would leave seconds
       of it, and a hold on that hour would miss it);
    6. it fits neither: the later, so that the end, counted from it, is later too.
    """
    if len(starts) == 1:
        return starts[0]
    fitting = [at for at in starts if is_end(at, mtime, max_length, tolerance)]
    if fitting == [starts[0]]:
        return starts[0]
    lengths = list(usual)
    alike = [at for at in starts if _is_near(mtime - at, lengths)]
    if len(alike) == 1:
        return alike[0]
    ends = list(neighbours)
    beside = [at for at in starts if _is_near(at, ends)]
    if len(beside) == 1:
        return beside[0]
    return fitting[0] if fitting else starts[-1]


def _is_near(one: Micros, others: Iterable[Micros]) -> bool:
    return any(abs(one - other) <= NEAR for other in others)


def usual(values: Iterable[Micros]) -> tuple[Micros, ...]:
    """The median of at least three lengths or distances that most are within 5 s of;
    nothing where there is none."""
    found = sorted(values)
    if len(found) < _ENOUGH:
        return ()
    middle = median_low(found)
    near = sum(abs(one - middle) <= NEAR for one in found)
    return (middle,) if 2 * near > len(found) else ()


def disagreement(
    start: Micros,
    mtime: Micros,
    now: Micros,
    max_length: Micros,
    tolerance: Micros,
) -> str | None:
    """Why a file goes into quarantine, or None (design 5, *Quarantine*).

    A start up to `tolerance` after the mtime, or either after `now`, is a clock slightly
    wrong.  Nothing ends after it arrived: a clock that is ahead sets both alike.
    """
    if max(start, mtime) > now + tolerance:
        return FUTURE
    if start > mtime + tolerance:
        return EARLY_MTIME
    if mtime > start + max_length + tolerance:
        return LATE_MTIME
    return None


def doubt_of_known(reason: str | None) -> str | None:
    """What `disagreement` says, where the file was catalogued in agreement: then its
    mtime is not its recorder's, nor a copy's, but of who changed it since."""
    return TOUCHED if reason == LATE_MTIME else reason


def end_of(
    start: Micros,
    mtime: Micros,
    next_start: Micros | None,
    max_length: Micros,
    tolerance: Micros,
) -> Micros:
    """The instant after a recording's last frame (design 5, *A recording's end*).

    `next_start` is the next in the same stream.  The later of the mtime and a next
    start within 5 s of it.  Where the mtime can't be an end (at or before the
    start, or over `max_length` + `tolerance` after it): the next start if within
    `max_length`, else start + `max_length`.  At least start + 1.
    """
    if next_start is not None and next_start <= start:
        next_start = None
    if is_end(start, mtime, max_length, tolerance):
        near = next_start is not None and abs(next_start - mtime) <= NEAR
        return max(mtime, next_start) if near and next_start is not None else mtime
    longest = start + max(max_length, 1)
    return longest if next_start is None or next_start > longest else next_start


def zone_error(
    pairs: Sequence[tuple[Micros, Micros]], tolerance: Micros
) -> Micros | None:
    """How far a stream's names are ahead of its mtimes, if by a wrong zone.

    `pairs` holds (mtime, next start) of recordings that follow each other, oldest
    first; the last 20 count, 3 are needed.  Design 5, *Zone check*: the multiple of
    30 minutes, other than 0, within `tolerance` of the median gap.  More than half
    of the gaps must be that near to it as well, and it must be an offset that zones
    can have: a camera that films events leaves gaps of every size.
    """
    gaps = [following - mtime for mtime, following in pairs[-_LOOKED_AT:]]
    if len(gaps) < _ENOUGH:
        return None
    error = round(median_low(gaps) / _STEP) * _STEP
    agreeing = sum(abs(gap - error) <= tolerance for gap in gaps)
    if error == 0 or abs(error) > _FURTHEST or 2 * agreeing <= len(gaps):
        return None
    return error


def is_end(start: Micros, mtime: Micros, max_length: Micros, tolerance: Micros) -> bool:
    """Whether a recording that began at `start` may have ended with its mtime."""
    return start < mtime <= start + max_length + tolerance
