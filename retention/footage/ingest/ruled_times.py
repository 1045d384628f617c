"""When a recording was, once a person has said by how much its name is out.  Pure.

The clock that gave the name may have given the modification time too (a recorder that is
its own file server): then both move.  Or another one did, which is right: then only the
start moves.  Which it was is seen by what fits; where nothing tells, the recording ends
with the later of the two, so that it is kept, and nobody says that it was recorded until
then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

from retention.catalogue.recordings import Doubt
from retention.footage.ingest.dates import LONGEST, DatingRules
from retention.model.layouts.dating import NEAR, is_end
from retention.model.layouts.layout import starts_in
from retention.model.values import Micros, Recording, Stream


class RuledFile(NamedTuple):
    """A file of a stream that is ruled on: its times as catalogued and by its name, its
    mtime, when it was first seen, and whether its end was no more than a guess."""

    start: Micros
    end: Micros
    named: Micros
    mtime: Micros
    seen: Micros
    guessed: bool


class RuledTimes(NamedTuple):
    """Its times from now on; not `known`: it may have ended sooner."""

    start: Micros
    end: Micros
    known: bool


class _Clock(Enum):
    """Whose time a file's mtime is."""

    OF_NAME = auto()
    OTHER = auto()


class _ReadTimes(NamedTuple):
    """A file with its new start, by how much that moves its name, and the name of the
    file after it."""

    file: RuledFile
    start: Micros
    moved: Micros
    following: Micros | None


def new_times(
    stream: Stream,
    found: Sequence[tuple[Recording, Doubt | None]],
    by: Micros,
    now: Micros,
    tolerance: Micros,
    following: Micros | None = None,
) -> list[RuledTimes]:
    """The times of rows of one stream in order, each with its doubt, once they begin `by`
    later; `following`: the name of the one after them, if that is out as they are."""
    rules = DatingRules(now, stream.max_length, tolerance)
    files = [
        RuledFile(
            row.start,
            row.end,
            named(stream, row),
            row.end if doubt is None else doubt.mtime,
            now if doubt is None else doubt.seen,
            guessed=doubt is not None and doubt.unended,
        )
        for row, doubt in found
    ]
    readings = list(_readings(files, by, following))
    surely = [_surely(one, rules) for one in readings]
    likely = [
        sure or _likely(one, rules)
        for one, sure in zip(readings, surely, strict=True)
    ]  # fmt: skip
    usual = _usual(likely)
    return [
        _times(one, by, sure or usual, rules)
        for one, sure in zip(readings, surely, strict=True)
    ]


def named(stream: Stream, row: Recording) -> Micros:
    """When a recording began by its name."""
    starts = () if row.path is None else starts_in(stream, row.path)
    return row.start if not starts or row.start in starts else starts[-1]


def _readings(
    files: Sequence[RuledFile], by: Micros, following: Micros | None
) -> Iterator[_ReadTimes]:
    names = [*(file.named for file in files[1:]), following]
    for file, after in zip(files, names, strict=True):
        start = file.start + by
        later = after if after is not None and after > file.named else None
        yield _ReadTimes(file, start, start - file.named, later)


def _fits(one: _ReadTimes, clock: _Clock, longest: Micros, rules: DatingRules) -> bool:
    """Whether a recording of at most that length may have ended with its mtime."""
    start = one.file.named if clock is _Clock.OF_NAME else one.start
    return is_end(start, one.file.mtime, longest, rules.tolerance)


def _gap(one: _ReadTimes, clock: _Clock) -> Micros | None:
    """How long after it the next one began, by that clock."""
    if one.following is None:
        return None
    moved = 0 if clock is _Clock.OF_NAME else one.moved
    return one.following + moved - one.file.mtime


def _is_next(one: _ReadTimes, clock: _Clock, rules: DatingRules) -> bool:
    gap = _gap(one, clock)
    return gap is not None and abs(gap) <= rules.tolerance


def _possible(one: _ReadTimes, clock: _Clock, rules: DatingRules) -> bool:
    """Not before it began, nor after the next one did, nor after it was seen."""
    gap = _gap(one, clock)
    if gap is not None and gap < -rules.tolerance:
        return False
    seen = clock is _Clock.OF_NAME or one.file.mtime <= one.file.seen + rules.tolerance
    return seen and _fits(one, clock, max(LONGEST, rules.max_length), rules)


def _plausible(one: _ReadTimes, clock: _Clock, rules: DatingRules) -> bool:
    """And no longer than its stream's recordings are, or until the next one began."""
    usual = _fits(one, clock, rules.max_length, rules)
    return _possible(one, clock, rules) and (usual or _is_next(one, clock, rules))


def _surely(one: _ReadTimes, rules: DatingRules) -> _Clock | None:
    possible = [clock for clock in _Clock if _possible(one, clock, rules)]
    if len(possible) == 1 and _plausible(one, possible[0], rules):
        return possible[0]
    return None


def _likely(one: _ReadTimes, rules: DatingRules) -> _Clock | None:
    """What one file shows that may be either: enough where most show the same."""
    found = [clock for clock in _Clock if _plausible(one, clock, rules)]
    if len(found) > 1 and one.file.mtime + one.moved > one.file.seen + rules.tolerance:
        return _Clock.OTHER  # it can't have ended after it was seen
    if len(found) > 1:
        found = [clock for clock in found if _is_next(one, clock, rules)]
    return found[0] if len(found) == 1 else None


def _usual(found: Sequence[_Clock | None]) -> _Clock | None:
    """What most of them show."""
    more = found.count(_Clock.OF_NAME) - found.count(_Clock.OTHER)
    if more == 0:
        return None
    return _Clock.OF_NAME if more > 0 else _Clock.OTHER


def _times(
    one: _ReadTimes, by: Micros, clock: _Clock | None, rules: DatingRules
) -> RuledTimes:
    file, start = one.file, one.start
    known = clock is not None and _plausible(one, clock, rules)
    if one.moved == 0:
        known, clock = _is_known(one, rules), _Clock.OF_NAME
    if not known:  # as late as may be meant
        written = file.mtime if file.mtime <= rules.now else 0
        return RuledTimes(start, max(file.end + by, written, start + 1), known=False)
    if clock is _Clock.OF_NAME:
        end = file.mtime + one.moved
        own = start + 1 if file.guessed else file.end + by
        return RuledTimes(start, max(end, own), known=True)
    gap = _gap(one, _Clock.OTHER)
    near = gap if gap is not None and 0 < gap <= NEAR else 0
    return RuledTimes(start, file.mtime + near, known=True)


def _is_known(one: _ReadTimes, rules: DatingRules) -> bool:
    """Whether something says when a file ended whose name is right."""
    file, following = one.file, one.following
    if _fits(one, _Clock.OF_NAME, rules.max_length, rules):
        return True
    if following is None:
        return False
    if abs(following - file.mtime) <= NEAR:  # a longer recording than the others
        return file.mtime - file.named <= LONGEST + rules.tolerance
    # Of a recorder whose modification times say nothing the next start is the end.
    says_nothing = abs(file.mtime - file.named) <= NEAR
    near = following - file.named <= rules.max_length
    return says_nothing and near and not file.guessed
