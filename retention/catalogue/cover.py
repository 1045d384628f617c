"""What holds cover, and which changes of a recording would end that (promise P1).

A hold covers a recording that its window overlaps, or, while the times are in doubt, any
of its cameras.  Each hold counts by itself: what another one covers too is free with
the release of that one.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue import holds
from retention.model.values import Micros, Window


class Footing(NamedTuple):
    """All that decides which holds cover a recording."""

    camera: int
    start: Micros
    end: Micros
    doubtful: bool


def leaving(
    tx: Connection, changes: Iterable[tuple[Footing, Footing]], now: Micros
) -> list[list[int]]:
    """For each change, from what was to what shall be, the holds, active or cooling off,
    whose cover it would end."""
    pairs = list(changes)
    before = covering(tx, [pair[0] for pair in pairs], now)
    after = covering(tx, [pair[1] for pair in pairs], now)
    return [sorted(was - shall) for was, shall in zip(before, after, strict=True)]


def covering(
    tx: Connection, footings: Sequence[Footing], now: Micros
) -> list[set[int]]:
    """The holds, active or cooling off, that cover each."""
    windows = holds.windows_of(tx, {one.camera for one in footings}, now)
    return [_covering(windows[one.camera], one) for one in footings]


def _covering(of_camera: Mapping[int, Window], footing: Footing) -> set[int]:
    if footing.doubtful:
        return set(of_camera)
    return {
        hold
        for hold, window in of_camera.items()
        if window.start < footing.end and footing.start < window.end
    }
