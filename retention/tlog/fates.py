"""What an entry says became of the recordings in its rows: the one place that knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from retention.model.values import Outcome
from retention.tlog.declare import OPEN, RULED
from retention.tlog.kinds import FATES, KINDS
from retention.tlog.source import Outcomes


class RecordingFate(StrEnum):
    """What became of a recording."""

    PRESENT = "present"
    QUARANTINED = "quarantined"
    DELETING = "deletion under way"
    DELETED = "deleted"
    LOST = "lost"
    FAILED = "failed"
    """Present: it could not be deleted, and is tried again."""
    MISSING = "missing"
    """Not there, and the log does not call it deleted or lost."""
    MOVED = "moved"
    """A ruling gave it another time, or it was found in another place: there it goes
    on."""
    RECORDED = "recorded"
    """It was there when the log last spoke of it."""
    UNSIGNED = "unsigned only"
    """Nothing names it but what came back unsigned: it may never have been."""


def fate_of(outcome: Outcome | None) -> RecordingFate:
    """By what became of it in its batch; None while that is open."""
    if outcome is None:
        return RecordingFate.DELETING
    if outcome.ours:
        return RecordingFate.DELETED
    return RecordingFate.LOST if outcome.gone else RecordingFate.RECORDED


def fate_said(
    kind: str, columns: Mapping[str, Sequence[Any]], row: int, became: Outcomes
) -> RecordingFate | None:
    """What a recording is after the entry that has it in this row; None where that says
    nothing new of it.  `became` is of an intent."""
    fate = KINDS[kind].fate if kind in FATES else None
    if fate == OPEN:
        return fate_of(became.of(row))
    if fate == RULED:
        moved = any(
            f"new_{name}" in columns and columns[f"new_{name}"][row] != column[row]
            for name, column in columns.items()
        )
        return RecordingFate.MOVED if moved else RecordingFate.RECORDED
    return None if fate is None else RecordingFate(fate)
