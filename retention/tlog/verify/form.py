"""Owns the form of an entry that no head covers: whether this program could have written
it.  What reads the log later may rely on that, whoever wrote it and whatever it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from retention.model.values import DAY, FOREVER, Outcome
from retention.tlog import rows as row_files
from retention.tlog.canonical import UNREADABLE
from retention.tlog.declare import Footage, Kind
from retention.tlog.entry import Stored
from retention.tlog.kinds import KINDS
from retention.tlog.lawful.shape import misshapen
from retention.tlog.seal import ENTRY_LIMIT
from retention.tlog.verify.books import look

MOST_ROWS = 100_000
"""Beside one entry; this program writes 5,000 at most."""

_MUST = ("camera", "stream", "start", "n", "duration", "day", "row", "outcome")
_TEXTS = ("path", "new_path", "reason", "id", "outcome", "detail", "digest")


def misfit(stored: Stored, entry: Mapping[str, Any]) -> str | None:
    """Why this program, or a newer one, can't have written this; None where it can."""
    if len(stored.data) > ENTRY_LIMIT:
        return f"{len(stored.data)} bytes are too many"
    at, actor, kind = entry.get("at"), entry.get("actor"), KINDS.get(entry["kind"])
    if type(at) is not int or not 0 <= at <= FOREVER - DAY:
        return "no time"
    if not isinstance(actor, dict) or not {"uid", "login", "role"} <= actor.keys():
        return "nobody wrote it"
    if any(type(actor[name]) is not int for name in ("uid", "login")):
        return "nobody wrote it"
    if entry["kind"] == "log.opened":
        return "a log opens once"
    wrong = None if kind is None else misshapen(entry, kind, ours=False)
    return wrong or _rows_misfit(stored, kind)


def _rows_misfit(stored: Stored, kind: Kind | None) -> str | None:
    footage = Footage.NONE if kind is None else kind.footage
    try:
        if kind is not None:
            kind.check_rows(None if stored.rows is None else kind.columns)
        if stored.rows is None:
            return None
        found = look(stored.rows, stored.data, deep=True)
        if found.complaint or found.count > MOST_ROWS:
            return found.complaint or f"{found.count} rows are too many"
        for name, column in row_files.read(stored.rows).columns.items():
            wanted = str if name in _TEXTS else int
            if any(type(one) not in (wanted, type(None)) for one in column):
                return f"a {name} in its rows is none"
            if name in _MUST and None in column and footage is not Footage.REFUSED:
                return f"its rows lack a {name}"
        if footage is Footage.INTENT:
            list(map(Outcome, found.columns.get("outcome", ())))
    except UNREADABLE as error:
        return f"rows that can't be read: {error!r}"
    return None
