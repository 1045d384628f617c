"""The audit entries of a hold's life, made in one place.

They carry what a restored catalogue needs to have its holds back: cameras, window, kind
and review date in clear.  The index makes them found by camera and time of the footage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retention.model.values import LISTED, Entry, Micros, Rows, Window

if TYPE_CHECKING:
    from sqlalchemy import Row

    from retention.holds.terms import Terms


def placed(
    number: int,
    terms: Terms,
    keys: Sequence[int],
    *,
    replaces: int | None,
    request: str | None,
) -> Entry:
    """The entry `hold.placed`."""
    fields = {
        "hold": number, "kind": terms.kind, "since": terms.window.start,
        "until": terms.window.end, "review": terms.review, "margin": terms.margin,
        "received": terms.received, "replaces": replaces, "request": request,
        "reference": terms.reference or None, "reason": terms.reason or None,
        "requester": terms.requester or None, "officer": terms.officer or None,
        "force": terms.force or None, "power": terms.power or None,
        "typed": terms.typed or None,
    }  # fmt: skip
    return _listing("hold.placed", fields, keys, keys, terms.window)


def extended(
    old: Row[Any],
    *,
    window: Window,
    review: Micros,
    added: Sequence[int],
    covered: Sequence[int],
    reason: str,
    typed: str = "",
) -> Entry:
    """The entry `hold.extended`: `old` is the hold's row as it was, `added` the keys of
    the cameras that came to it, `covered` those of all that it has now."""
    fields = {
        "hold": old.key, "since": window.start, "until": window.end, "review": review,
        "old_since": old.since, "old_until": old.until, "old_review": old.review,
        "reason": reason or None, "typed": typed or None,
    }  # fmt: skip
    return _listing("hold.extended", fields, added, covered, window)


def about(
    kind: str,
    hold: Row[Any],
    keys: Sequence[int],
    fields: Mapping[str, Any],
) -> Entry:
    """Any other entry about a hold in the catalogue and its cameras (keys)."""
    spans = tuple((key, hold.since, hold.until) for key in keys)
    return Entry(kind, {"hold": hold.key, **fields}, spans=spans)


def _listing(
    kind: str,
    fields: Mapping[str, Any],
    listed: Sequence[int],
    covered: Sequence[int],
    window: Window,
) -> Entry:
    many = len(listed) > LISTED
    return Entry(
        kind,
        {**fields, "cameras": None if many else list(listed)},
        rows=Rows(("camera",), [(key,) for key in listed]) if many else None,
        spans=tuple((key, *window) for key in covered),
    )
