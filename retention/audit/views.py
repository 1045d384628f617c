"""The audit log of the catalogue as people read it: the verbs audit.list, audit.show.

Commitments are opened, rows decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from retention.audit import log, shown
from retention.audit.kinds import refuse_unknown
from retention.audit.listing import listing
from retention.audit.shown import LIMIT, Answer, Fates
from retention.catalogue import cameras
from retention.errors import UsageError, VerificationError
from retention.localtime import parse_window
from retention.model import FOREVER, Window

if TYPE_CHECKING:
    from retention.context import Context

MOST = 10_000
"""Entries in one answer: what the service's memory has room for beside its work."""


def audit_list(
    context: Context,
    *,
    kind: str | None = None,
    subject: str | None = None,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> Answer:
    """Entries, newest first, at most `limit`, numbers below `before`.

    [since, until) is when they were written.  With `camera` (an id as of today) it is
    the time of the footage, and entries with rows come with those rows of that camera
    that overlap it, each with what became of the file.  `subject`: what they are about,
    such as `hold:17`.
    """
    zone, now = context.settings.timezone, context.now
    window = parse_window(since, until, zone, now, Window(0, FOREVER))
    if limit is not None and not 1 <= limit <= MOST:
        raise UsageError(
            f"entries are listed from 1 to {MOST} at a time, not {limit}: ask for more "
            "with the number that the answer gives for `before`"
        )
    wanted = limit or LIMIT
    with context.catalogue.read() as tx:
        key = None if camera is None else key_today(tx, camera)
        found = listing(
            tx,
            kind=kind,
            subject=subject,
            camera=key,
            since=None if since is None else window.start,
            until=None if until is None else window.end,
            before=before,
            limit=wanted + 1,
        )
        if not found:
            refuse_unknown(kind)
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
        answer = shown.entry(entry)
        if rows is not None:
            became = fates(tx, number, entry["kind"])
            answer["rows"] = [
                shown.row(rows, place, became) for place in range(len(rows.values))
            ]
    return answer


def key_today(tx: Connection, id: str) -> int:
    """The key of the camera that has this id today; UsageError where none has."""
    found = cameras.today(tx, id)
    if found is None:
        raise UsageError(
            f"no camera has the id {id} today: see `retention camera list`"
        )
    return found.key


def fates(tx: Connection, number: int, kind: str) -> Fates | None:
    """What became of the rows of an intent; None for another kind."""
    if kind != "deletion.intended":
        return None
    done = log.completion(tx, number)
    rows = log.read_rows(tx, done) if done is not None else None
    return Fates(done, dict(rows.values) if rows else {})


def _with_rows(
    tx: Connection, entry: dict[str, Any], camera: int | None, window: Window
) -> Answer | None:
    """The entry as listed; None where it turns out to be about another time.

    The index knows hours: whether a row or a long span overlaps the window is decided
    here.
    """
    number = entry["index"]
    try:
        answer = shown.entry(log.opened(tx, number))
    except VerificationError as error:  # shown, since a changed log must be readable
        answer = shown.entry(entry) | {"withheld": [], "fault": str(error)}
    if camera is None:
        return answer
    if not shown.is_about(entry["fields"], window):
        return None
    rows = log.read_rows(tx, number) if "rows" in entry else None
    if rows is None or not set(rows.columns) >= shown.FOOTAGE:
        return answer
    places = shown.places(rows, camera, window)
    if not places:
        return None
    became = fates(tx, number, entry["kind"])
    return answer | {"rows": [shown.row(rows, place, became) for place in places]}
