"""What the tables of several reports have in common: columns, what stands in them, and the
entries behind a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from retention.model.answers.report import ReportColumn
from retention.model.values import SECOND, Micros
from retention.tlog.figures import ranges

SUMS = [
    ReportColumn("recordings", "recordings", "number"),
    ReportColumn("duration", "footage", "duration"),
    ReportColumn("bytes", "bytes", "bytes"),
]
CAMERA = ReportColumn("camera", "camera")
ENTRY = ReportColumn("entry", "entry", "entry")
STOOD = [
    ReportColumn("since", "since", "instant"),
    ReportColumn("until", "until", "instant"),
    ReportColumn("duration", "for", "duration"),
]


class Summed(Protocol):
    """What recordings add up to: how many, their duration and bytes."""

    @property
    def number(self) -> int: ...
    @property
    def duration(self) -> int: ...
    @property
    def size(self) -> int: ...


def sums(one: Summed) -> list[Any]:
    """The cells below `SUMS`."""
    return [one.number, seconds(one.duration), one.size]


def seconds(length: Micros) -> float | int:
    """A duration as answers have it: whole where it is whole."""
    return length / SECOND if length % SECOND else length // SECOND


def who(entry: Mapping[str, Any]) -> str:
    """Who wrote an entry, the same in the log and in every copy: uid and role."""
    actor = entry["actor"]
    return f"{actor['uid']} ({actor['role']})"


def entries_of(numbers: Iterable[int | None]) -> list[list[int]]:
    """Entries as a row has them; None is no entry."""
    known = {number for number in numbers if number is not None}
    return [list(one) for one in ranges(sorted(known))]
