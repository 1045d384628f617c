"""What was mended, each by the function that is taken out to have the fault again."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from retention.control.alarms import Stands
from retention.model.layouts.dating import disagreement


class Mending(NamedTuple):
    """`function` ("module:name" below `retention`) answers with `without` instead."""

    function: str
    without: Callable[..., Any]
    scenario: str


def _nothing(*_: Any, **__: Any) -> None:
    return None


MENDINGS = {
    "arrival is a witness": Mending(
        "footage.ingest.witness:Witness.at",
        _nothing,
        "the clock of a recorder is 20 days behind",
    ),
    "times that moved at once are one event": Mending(
        "footage.ingest.reconcile:common_shift",
        _nothing,
        "all modification times move by an hour",
    ),
    "names that equal modification times are in doubt": Mending(
        "footage.ingest.placing:_note_named",
        _nothing,
        "a recorder names its files by their ends",
    ),
    "settings that differ are told": Mending(
        "footage.settings_differ:differences",
        lambda *_: Stands({}),
        "a recorder's name was given to the wrong camera",
    ),
    "held footage that is lost is told": Mending(
        "footage.ingest.losses:_raise_held",
        _nothing,
        "somebody removes what a hold keeps",
    ),
    "what ends later than it came is in doubt": Mending(
        "footage.ingest.dates:disagreement",
        lambda start, mtime, now, *rest: disagreement(
            start, mtime, max(now, mtime), *rest
        ),
        "the clock of a recorder is 40 minutes ahead",
    ),
    "held footage that only grew is not lost": Mending(
        "footage.ingest.reconcile:is_written_on",
        lambda *_: False,
        "a clock 20 minutes behind, and files written in place",
    ),
    "what a look before says is said of each directory": Mending(
        "footage.ingest.witness:Witness.at",
        lambda self, path, now: self._walked,
        "a camera's folder can't be read for a week",
    ),
    "no recording seen is said of what was read": Mending(
        "holds.nearby:Nearby.unread",
        lambda *_: [],
        "a camera's folder can't be read for a week",
    ),
    "what was put over another is seen with the next cycle": Mending(
        "footage.ingest.scan:Scanner.compare_written_over",
        _nothing,
        "the clock of a recorder jumps about, and names come again",
    ),
    "what is in doubt since it changed is told": Mending(
        "catalogue.deliveries:others", lambda *_: [], "a file never rests"
    ),
}


@contextmanager
def without(name: str) -> Iterator[Mending]:
    """The program as it was before that was mended."""
    mending = MENDINGS[name]
    module, _, path = mending.function.partition(":")
    *owner, function = path.split(".")
    place: Any = importlib.import_module(f"retention.{module}")
    for part in owner:
        place = getattr(place, part)
    real = getattr(place, function)
    setattr(place, function, mending.without)
    try:
        yield mending
    finally:
        setattr(place, function, real)
