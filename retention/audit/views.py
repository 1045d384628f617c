"""The audit log as people read it: the verbs audit.list, audit.show, audit.verify.

Answers are JSON-able: instants in UTC as text, durations in seconds, commitments
opened, rows decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from retention.audit import log, verify
from retention.audit.canonical import base64url
from retention.catalogue import cameras
from retention.errors import UsageError, VerificationError
from retention.localtime import format_utc, parse_instant
from retention.model import FOREVER, SECOND, Micros, Outcome, Rows, Window

if TYPE_CHECKING:
    from retention.context import Context

Answer = dict[str, Any]

LIMIT = 100
"""Entries in one answer, unless more are asked for."""
MOST = 10_000
"""Entries in one answer: what the service's memory has room for beside its work."""

_INSTANTS = {
    *("at", "start", "end", "due", "oldest", "newest", "oldest_unheld", "wall"),
    *("since", "until", "review", "free_at", "cutoff", "new_start", "new_end"),
    *("old_since", "old_until", "old_review", "received"),
}
_DURATIONS = {
    *("duration", "old_duration", "margin", "lateness", "offset", "max_length"),
    *("zone_error", "boottime"),
}


def audit_list(
    context: Context,
    *,
    kind: str | None = None,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> Answer:
    """Entries, newest first, at most `limit`, numbers below `before`.

    [since, until) is when they were written.  With `camera` (an id as of today) it is
    the time of the footage, and entries with rows come with those rows of that camera
    that overlap it, each with what became of the file.
    """
    zone, now = context.settings.timezone, context.now
    window = Window(
        0 if since is None else parse_instant(since, zone, now),
        FOREVER if until is None else parse_instant(until, zone, now),
    )
    if window.start >= window.end:
        raise UsageError(f"from {since} to {until} is no time: the end comes first")
    if limit is not None and not 1 <= limit <= MOST:
        raise UsageError(
            f"entries are listed from 1 to {MOST} at a time, not {limit}: ask for more "
            "with the number that the answer gives for `before`"
        )
    wanted = limit or LIMIT
    with context.catalogue.read() as tx:
        key = None if camera is None else _key(tx, camera)
        found = log.listing(
            tx,
            kind=kind,
            camera=key,
            since=None if since is None else window.start,
            until=None if until is None else window.end,
            before=before,
            limit=wanted + 1,
        )
        entries = [_with_rows(tx, one, key, window) for one in found[:wanted]]
    return {
        "entries": [one for one in entries if one is not None],
        "before": found[wanted - 1]["index"] if len(found) > wanted else None,
    }


def audit_show(context: Context, *, number: int) -> Answer:
    """One entry with its commitments opened and all of its rows."""
    with context.catalogue.read() as tx:
        entry = log.opened(tx, number)
        rows = log.read_rows(tx, number)
        answer = _answer(entry)
        if rows is not None:
            outcomes = _Outcomes(tx, number, entry["kind"])
            answer["rows"] = [
                _row(rows, place, outcomes) for place in range(len(rows.values))
            ]
    return answer


def audit_verify(context: Context, *, deep: bool | None = None) -> Answer:
    """Compute the whole log again: intact up to where, or the first fault.

    `ok` false is exit status 5.
    """
    report = verify.verify_catalogue(context.catalogue, deep=bool(deep))
    fault = report.fault
    return {
        "ok": report.ok,
        "entries": report.size,
        "intact": report.intact,
        "root": base64url(report.root),
        "deep": report.deep,
        "rows": report.rows,
        "withheld": report.withheld,
        "open_intents": report.open_intents,
        "fault": None if fault is None else {"entry": fault.entry, "what": fault.what},
        "summary": summary(report),
    }


def summary(report: verify.Report) -> str:
    """The report in one sentence."""
    if report.fault is not None:
        before = (
            f"entries 0 to {report.fault.entry - 1} are intact"
            if report.fault.entry
            else "no entry before it is intact"
        )
        return (
            "the audit log is NOT what was written: entry "
            f"{report.fault.entry} {report.fault.what}; {before}"
        )
    if not report.size:
        return "the audit log is empty: run `retention init`"
    return f"the audit log is intact, entries 0 to {report.size - 1}"


def _key(tx: Connection, id: str) -> int:
    found = cameras.today(tx, id)
    if found is None:
        raise UsageError(
            f"no camera has the id {id} today: see `retention camera list`"
        )
    return found.key


def _answer(entry: dict[str, Any]) -> Answer:
    """An entry for people: instants as text, digests left out."""
    shown = {
        name: value
        for name, value in entry.items()
        if name not in ("index", "v", "sd", "prev", "rows", "rows_root", "rows_sha256")
    }
    return {
        "number": entry["index"],
        **_readable(shown),
        "fields": _readable(entry["fields"]),
        "row_count": entry.get("rows", 0),
        "withheld": entry.get("withheld", []),
    }


def _readable(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in values.items()}


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, int):
        return value
    if name in _DURATIONS:
        return value / SECOND if value % SECOND else value // SECOND
    if name in _INSTANTS:
        return None if value == FOREVER else format_utc(value)
    return value


class _Outcomes:
    """What became of each row of an intent; asked for only where it is shown."""

    def __init__(self, tx: Connection, number: int, kind: str) -> None:
        self._known = kind == "deletion.intended"
        self._done = log.completion(tx, number) if self._known else None
        rows = log.read_rows(tx, self._done) if self._done is not None else None
        self._exceptions = dict(rows.values) if rows else {}

    def of(self, place: int) -> dict[str, Any]:
        """`outcome` of a row and the entry that says so; null while it is open."""
        if not self._known:
            return {}
        if self._done is None:
            return {"outcome": None, "completion": None}
        outcome = self._exceptions.get(place, str(Outcome.DELETED))
        return {"outcome": outcome, "completion": self._done}


def _row(rows: Rows, place: int, outcomes: _Outcomes) -> dict[str, Any]:
    row = dict(zip(rows.columns, rows.values[place], strict=True))
    if {"start", "duration"} <= row.keys():
        row["end"] = row["start"] + row["duration"]
    return {"row": place, **_readable(row), **outcomes.of(place)}


def _with_rows(
    tx: Connection, entry: dict[str, Any], camera: int | None, window: Window
) -> Answer | None:
    """The entry as listed; None where it turns out to be about another time.

    The index knows hours: whether a row or a long span overlaps the window is decided
    here.
    """
    number = entry["index"]
    try:
        answer = _answer(log.opened(tx, number))
    except VerificationError as error:  # shown, since a changed log must be readable
        answer = _answer(entry) | {"fault": str(error)}
    if camera is None:
        return answer
    fields = entry["fields"]
    since, until = fields.get("since"), fields.get("until")
    if since is not None and until is not None and not _meets(since, until, window):
        return None
    rows = log.read_rows(tx, number) if "rows" in entry else None
    if rows is None or not {"camera", "start", "duration"} <= set(rows.columns):
        return answer
    places = _places(rows, camera, window)
    if not places:
        return None
    outcomes = _Outcomes(tx, number, entry["kind"])
    return answer | {"rows": [_row(rows, place, outcomes) for place in places]}


def _places(rows: Rows, camera: int, window: Window) -> list[int]:
    """Which rows are of that camera and overlap the window."""
    at = [rows.columns.index(name) for name in ("camera", "start", "duration")]
    return [
        place
        for place, row in enumerate(rows.values)
        if row[at[0]] == camera and _meets(row[at[1]], row[at[1]] + row[at[2]], window)
    ]


def _meets(start: Micros, end: Micros, window: Window) -> bool:
    return start < window.end and window.start < end
