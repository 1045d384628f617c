"""Which part of a window is what: interval arithmetic that leaves no instant out (P7).

Windows are half-open; a list of them is sorted and its windows lie apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from retention.model.policy import merge
from retention.model.values import MINUTE, SECOND, Micros, Window

NO_GAP: Micros = 2 * SECOND
"""Less than this between neighbouring recordings is no gap: recorders cut files so."""

SILENCE: Micros = 90 * MINUTE
"""The service writes a heartbeat each hour: longer without one, it did not watch."""

STARTED, STOPPED = "service.started", "service.stopped"

FUTURE = "future"
WRITING = "being written"
NOT_SCANNED = "not scanned yet"
QUARANTINED = "in quarantine"
DELETING = "deletion under way"
NOTHING_FINISHED = "nothing finished yet"
BEFORE_ADOPTION = "before adoption"
SERVICE_DOWN = "service down"
NOT_LOOKED_UP = "not looked up: too many deletions in this time"


class Fate(StrEnum):
    """What an instant of a camera is, as far as this program can say (P7)."""

    PROTECTED = "protected"
    DELETED = "deleted"
    LOST = "lost"
    SILENT = "no_recording_seen"
    UNKNOWN = "not_known"
    PENDING = "pending"


class Piece(NamedTuple):
    """[start, end) of a window, and what it is; `why` of what is pending or not known."""

    start: Micros
    end: Micros
    fate: Fate
    why: str = ""


class Layer(NamedTuple):
    """What is true within these windows, unless an earlier layer says otherwise."""

    fate: Fate
    why: str
    windows: Sequence[Window]


def split(
    windows: Iterable[Window], by: Sequence[Window]
) -> tuple[list[Window], list[Window]]:
    """The parts of `windows` inside `by`, and those outside."""
    inside: list[Window] = []
    outside: list[Window] = []
    first = 0
    for start, end in windows:
        while first < len(by) and by[first].end <= start:
            first += 1
        at = first
        while start < end and at < len(by) and by[at].start < end:
            if start < by[at].start:
                outside.append(Window(start, by[at].start))
                start = by[at].start
            stop = min(end, by[at].end)
            inside.append(Window(start, stop))
            start, at = stop, at + 1
        if start < end:
            outside.append(Window(start, end))
    return inside, outside


def account(window: Window, layers: Iterable[Layer], rest: Fate) -> list[Piece]:
    """Every instant of the window exactly once, in order: what the first layer that has
    it says, else `rest`."""
    left = [window] if window.start < window.end else []
    found: list[Piece] = []
    for layer in layers:
        inside, left = split(left, layer.windows)
        found += [Piece(*part, layer.fate, layer.why) for part in inside]
    found += [Piece(*part, rest) for part in left]
    return joined(sorted(found))


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """The same with neighbours that are alike as one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if last and last.end == piece.start and last[2:] == piece[2:]:
            found[-1] = last._replace(end=piece.end)
        else:
            found.append(piece)
    return found


def bridged(windows: Iterable[Window]) -> list[Window]:
    """The same merged, and those as one that less than `NO_GAP` lies between."""
    found: list[Window] = []
    for window in merge(windows):
        if found and window.start - found[-1].end < NO_GAP:
            found[-1] = Window(found[-1].start, window.end)
        else:
            found.append(window)
    return found


def close_gaps(pieces: Sequence[Piece]) -> list[Piece]:
    """What is shorter than `NO_GAP`, and silent between two recordings, is no gap: it
    counts as what is before it."""
    found = list(pieces)
    for at in range(1, len(found) - 1):
        piece = found[at]
        if piece.fate is Fate.SILENT and piece.end - piece.start < NO_GAP:
            before = found[at - 1]
            found[at] = piece._replace(fate=before.fate, why=before.why)
    return joined(found)


def clipped(pieces: Iterable[Piece], window: Window) -> list[Piece]:
    """The parts of the pieces inside the window."""
    found = [
        piece._replace(
            start=max(piece.start, window.start), end=min(piece.end, window.end)
        )
        for piece in pieces
    ]
    return [piece for piece in found if piece.start < piece.end]


def explained(pieces: Iterable[Piece], layers: Sequence[Layer]) -> list[Piece]:
    """The same, with why nothing was seen where nothing was, if anything says so."""
    found: list[Piece] = []
    for piece in pieces:
        if piece.fate is Fate.SILENT:
            found += account(Window(piece.start, piece.end), layers, Fate.SILENT)
        else:
            found.append(piece)
    return joined(found)


def length(windows: Iterable[Window]) -> Micros:
    """How long windows that lie apart are together."""
    return sum(window.end - window.start for window in windows)


def down(
    window: Window, signs: Sequence[tuple[Micros, str]], now: Micros
) -> list[Window]:
    """When in the window the service did not watch, by its signs in order of the log.

    A sign is (at, kind) of an entry that says that the service ran, began or ended.

    Before the first sign nothing watched.  After a crash it counts from the last sign:
    at most an hour too much, never too little.
    """
    if not signs:
        return [window]
    found = [Window(window.start, signs[0][0])]
    for (at, kind), (then, what) in pairwise([*signs, (now, "")]):
        if kind == STOPPED or what == STARTED or then - at > SILENCE:
            found.append(Window(at, then))
    return _within(found, window)


def _within(windows: Iterable[Window], window: Window) -> list[Window]:
    """The windows merged and cut to `window`; a clock set back makes some empty."""
    real = merge(one for one in windows if one.start < one.end)
    return split([window], real)[0]


class Written(NamedTuple):
    """One stream as its newest recordings show it: the end of the last, the longest of
    the last few, and how long one may be at most."""

    last_end: Micros
    usual: Micros
    max_length: Micros


class WatchedRoot(NamedTuple):
    """What is known of one footage root that a camera is, or may be, recorded in.

    `scanned`: when the last complete scan began, None where there was none.
    `available` now, and `out`: when it was not.  `looked`: the look that was asked for
    came to its end.  `unread`: what could not be read of it.  `writing`: since when a file
    is written on that should be done.  `quiet`: how long a file is left alone before it is
    taken in.
    `max_length`: of a recording of a stream that is not there yet.
    """

    name: str
    adopted: Micros | None
    scanned: Micros | None
    available: bool
    looked: bool
    quiet: Micros
    max_length: Micros
    out: Sequence[Window] = ()
    written: Sequence[Written] = ()
    unread: Sequence[Layer] = ()
    writing: Micros | None = None


def unavailable(root: str) -> str:
    """Why nothing is known of what lies in a root."""
    return f"root {root} unavailable"


def layers_of(
    watches: Sequence[WatchedRoot], down_: Sequence[Window], window: Window
) -> list[Layer]:
    """Why nothing may have been seen in the window although there was something.

    What will be known by itself comes before what never will.
    """
    layers: list[Layer] = []
    for watch in watches:
        missing = unavailable(watch.name)
        seen_until = window.start if watch.scanned is None else watch.scanned
        unread = _within([Window(seen_until, window.end)], window)
        why = NOT_SCANNED if watch.available else missing
        layers.append(Layer(Fate.PENDING, why, unread))
    for watch in watches:
        if watch.writing is not None:
            going_on = _within([Window(watch.writing, window.end)], window)
            layers.append(Layer(Fate.PENDING, WRITING, going_on))
    for watch in watches:
        if watch.scanned is not None:
            layers.append(_unfinished(watch, watch.scanned, window))
    for watch in watches:
        layers += watch.unread
    for watch in watches:
        if watch.adopted is not None:
            before = _within([Window(window.start, watch.adopted)], window)
        else:
            before = [window]
        layers.append(Layer(Fate.UNKNOWN, BEFORE_ADOPTION, before))
    for watch in watches:
        missing = unavailable(watch.name)
        layers.append(Layer(Fate.UNKNOWN, missing, _within(watch.out, window)))
    layers.append(Layer(Fate.UNKNOWN, SERVICE_DOWN, _within(down_, window)))
    return layers


def _unfinished(watch: WatchedRoot, scanned: Micros, window: Window) -> Layer:
    """The time up to the last scan whose recording was not finished then.

    A stream that goes on has begun its next file where its last one ended; of one that
    fell silent only its longest possible file is left to wait for.
    """
    going_on = [
        Window(one.last_end, scanned)
        for one in watch.written
        if one.last_end >= scanned - 2 * one.usual - watch.quiet
    ]
    if not watch.looked:
        fate, why = Fate.PENDING, NOT_SCANNED
    elif going_on:
        fate, why = Fate.PENDING, WRITING
    else:
        fate, why = Fate.UNKNOWN, NOTHING_FINISHED
    longest = max([watch.max_length, *(one.max_length for one in watch.written)])
    oldest = scanned - longest - watch.quiet
    last = max((one.last_end for one in watch.written), default=oldest)
    return Layer(
        fate, why, _within(going_on or [Window(max(last, oldest), scanned)], window)
    )
