"""How entries and their rows are shown, wherever they were read: JSON-able, instants in
UTC as text, durations in seconds, digests left out.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from retention.model.answers.audit import EntryShown
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import DAY, SECOND, Micros, Window
from retention.tlog.rows import RowFile
from retention.tlog.source import Outcomes

LIMIT = 100
"""Entries in one answer, unless more are asked for."""

FOOTAGE = frozenset({"camera", "start", "duration"})
"""Columns by which a row speaks of some footage."""

INSTANTS = {
    *("at", "start", "end", "due", "oldest", "newest", "oldest_unheld", "wall"),
    *("since", "until", "review", "free_at", "cutoff", "new_start", "new_end", "seen"),
    *("old_since", "old_until", "old_review", "received"),
}
DURATIONS = {
    *("duration", "old_duration", "margin", "lateness", "offset", "max_length"),
    *("zone_error", "boottime"),
}


def entry(found: Mapping[str, Any], **more: Any) -> EntryShown:
    """An entry for people; `withheld` names what is committed to and not in clear."""
    said = {"withheld": found.get("withheld", sorted(found.get("sd", {})))} | more
    return EntryShown(
        number=found["index"],
        actor=found["actor"],
        at=_value("at", found["at"]),
        correlation=found.get("correlation"),
        fields=_readable(found["fields"]),
        host=found["host"],
        kind=found["kind"],
        policy=found["policy"],
        program=found["program"],
        site=found["site"],
        subject=found.get("subject"),
        row_count=found.get("rows", 0),
        **said,
    )


def _readable(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in values.items()}


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if name in DURATIONS:
        return value / SECOND if value % SECOND else value // SECOND
    if name == "day":
        return format_utc(value * DAY)[:10]
    if name in INSTANTS:
        return utc_or_null(value)
    return value


def outcome(became: Outcomes, row: int) -> dict[str, Any]:
    """`outcome` of a row and the entry that says so; null while it is open."""
    said = became.of(row)
    return {
        "outcome": None if said is None else str(said),
        "completion": became.completion,
    }


def row(rows: RowFile, place: int, became: Outcomes | None) -> dict[str, Any]:
    """One row with its number; of an intent with what became of it."""
    found = {name: column[place] for name, column in rows.columns.items()}
    said = {} if became is None else outcome(became, place)
    return {"row": place, **values(found), **said}


def values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a row; of footage with its end."""
    found = dict(row)
    if {"start", "duration"} <= found.keys():
        found["end"] = found["start"] + found["duration"]
    return _readable(found)


def places(rows: RowFile, cameras: Set[int], window: Window) -> list[int]:
    """Which rows are of these cameras and overlap the window."""
    columns = (rows.columns[name] for name in ("camera", "start", "duration"))
    return [
        place
        for place, (key, start, length) in enumerate(zip(*columns, strict=True))
        if key in cameras and meets(start, start + length, window)
    ]


def meets(start: Micros, end: Micros, window: Window) -> bool:
    """Whether [start, end) overlaps a window."""
    return start < window.end and window.start < end
