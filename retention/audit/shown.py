"""How entries and their rows are shown, wherever they were read: JSON-able, instants in
UTC as text, durations in seconds, digests left out.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from retention.localtime import format_utc
from retention.model import DAY, FOREVER, SECOND, Micros, Outcome, Rows, Window

Answer = dict[str, Any]

LIMIT = 100
"""Entries in one answer, unless more are asked for."""

FOOTAGE = frozenset({"camera", "start", "duration"})
"""Columns by which a row speaks of some footage."""

_DIGESTS = ("index", "v", "sd", "prev", "rows", "rows_root", "rows_sha256")

_INSTANTS = {
    *("at", "start", "end", "due", "oldest", "newest", "oldest_unheld", "wall"),
    *("since", "until", "review", "free_at", "cutoff", "new_start", "new_end"),
    *("old_since", "old_until", "old_review", "received"),
}
_DURATIONS = {
    *("duration", "old_duration", "margin", "lateness", "offset", "max_length"),
    *("zone_error", "boottime"),
}


def entry(found: Mapping[str, Any]) -> Answer:
    """An entry for people; `withheld` names what is committed to and not in clear."""
    shown = {name: value for name, value in found.items() if name not in _DIGESTS}
    return {
        "number": found["index"],
        **_readable(shown),
        "fields": _readable(found["fields"]),
        "row_count": found.get("rows", 0),
        "withheld": found.get("withheld", sorted(found.get("sd", {}))),
    }


def _readable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in values.items()}


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if name in _DURATIONS:
        return value / SECOND if value % SECOND else value // SECOND
    if name == "day":
        return format_utc(value * DAY)[:10]
    if name in _INSTANTS:
        return None if value == FOREVER else format_utc(value)
    return value


class Fates(NamedTuple):
    """What became of the rows of an intent: the entry that completes it, None while it
    is open, and the outcome of each row that was not deleted."""

    completion: int | None
    exceptions: Mapping[int, str]

    def of(self, place: int) -> Answer:
        """`outcome` of a row and the entry that says so; null while it is open."""
        if self.completion is None:
            return {"outcome": None, "completion": None}
        outcome = self.exceptions.get(place, str(Outcome.DELETED))
        return {"outcome": outcome, "completion": self.completion}


def row(rows: Rows, place: int, fates: Fates | None) -> Answer:
    """One row with its number; of an intent with what became of it."""
    found = dict(zip(rows.columns, rows.values[place], strict=True))
    became = fates.of(place) if fates else {}
    return {"row": place, **values(found), **became}


def values(row: Mapping[str, Any]) -> Answer:
    """The values of a row; of footage with its end."""
    found = dict(row)
    if {"start", "duration"} <= found.keys():
        found["end"] = found["start"] + found["duration"]
    return _readable(found)


def is_about(fields: Mapping[str, Any], window: Window) -> bool:
    """Whether an entry with a window of its own (a hold) overlaps another one."""
    since, until = fields.get("since"), fields.get("until")
    return since is None or until is None or meets(since, until, window)


def places(rows: Rows, camera: int, window: Window) -> list[int]:
    """Which rows are of that camera and overlap the window."""
    at = [rows.columns.index(name) for name in ("camera", "start", "duration")]
    return [
        place
        for place, row in enumerate(rows.values)
        if row[at[0]] == camera and meets(row[at[1]], row[at[1]] + row[at[2]], window)
    ]


def meets(start: Micros, end: Micros, window: Window) -> bool:
    """Whether [start, end) overlaps a window."""
    return start < window.end and window.start < end
