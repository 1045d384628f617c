"""Laws *kind* and *chain*: what can be said of an entry by itself and the one before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from retention.model.errors import UsageError
from retention.tlog.canonical import from_base64url
from retention.tlog.commitments import ACTOR_NAME
from retention.tlog.declare import Field, Kind

ACTOR = ("uid", "login", "pid")

NOBODY = {"uid": -1, "login": -1, "pid": -1, "role": ""}
"""In the place of an actor that an entry has not, so that it can be read on."""


def misshapen(entry: Mapping[str, Any], kind: Kind, *, ours: bool) -> str | None:
    """Why an entry is not as its kind declares, or None.  `ours`: this program wrote it;
    a newer one may add fields."""
    return next(_complaints(entry, kind, ours), None)


def _complaints(entry: Mapping[str, Any], kind: Kind, ours: bool) -> Iterator[str]:
    fields, hidden = entry.get("fields"), entry.get("sd", {})
    if type(entry.get("at")) is not int or type(entry.get("policy")) is not int:
        yield "does not say when it was written, or under which policy"
    if not isinstance(fields, Mapping) or not isinstance(hidden, Mapping):
        yield "has no fields"
        return
    for field in kind.fields:
        if (what := _of_field(field, fields, hidden)) is not None:
            yield what
    names = {field.name for field in kind.fields}
    committed = {field.name for field in kind.fields if field.committed}
    if ours and (extra := fields.keys() - names):
        yield f"has fields that {kind.name} does not have: {', '.join(sorted(extra))}"
    if ours and (extra := hidden.keys() - committed - {ACTOR_NAME}):
        yield f"commits to what {kind.name} does not: {', '.join(sorted(extra))}"
    for name, digest in hidden.items():
        if not _is_digest(digest):
            yield f"commits to its {name} by what is no digest"
    rows = [name in entry for name in ("rows", "rows_root", "rows_sha256")]
    if kind.rows == "must" and not all(rows):
        yield f"has no rows, which {kind.name} must have"
    elif any(rows) and (kind.rows == "no" or not all(rows)):
        yield f"has rows, which {kind.name} has not, or half of what tells them"
    for key, said in kind.named(_whole(kind, fields)).items():
        if entry.get(key, said) != said:
            yield f"has the {key} {entry[key]!r}, its fields say {said!r}"


def _of_field(
    field: Field, fields: Mapping[str, Any], hidden: Mapping[str, Any]
) -> str | None:
    value = fields.get(field.name)
    if field.committed and value is not None:
        return f"shows its {field.name}, which is to be committed to"
    if field.committed and (field.name in hidden or field.nullable):
        return None
    if field.committed or (value is None and not field.nullable):
        return f"lacks its {field.name}"
    try:
        field.check(value)
    except (TypeError, UsageError, ValueError):
        return f"has the {field.name} {value!r}, which is no {field.type}"
    return None


def _whole(kind: Kind, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {field.name: fields.get(field.name) for field in kind.fields}


def _is_digest(said: Any) -> bool:
    try:
        return len(from_base64url(said)) == 32
    except (ValueError, TypeError, AttributeError):
        return False


def unchained(
    entry: Mapping[str, Any], prev: str | None, site: str | None
) -> str | None:
    """Why an entry does not belong behind the one before it, or None.  `prev` is what it
    should say of that, `site` what all before it said; None for the first one."""
    if prev is not None and entry.get("prev") != prev:
        return f"says {entry.get('prev')!r} of the one before it, which is {prev!r}"
    found = entry.get("site")
    if not isinstance(found, str) or not found:
        return "does not say at which site it was written"
    if site is not None and found != site:
        return f"is of the site {found!r}, the log is of {site!r}"
    return None


def anonymous(entry: Mapping[str, Any]) -> str | None:
    """Why an entry does not say who did it, or None."""
    actor = entry.get("actor")
    if not isinstance(actor, Mapping) or not all(
        type(actor.get(name)) is int for name in ACTOR
    ):
        return "does not say who did it"
    if not isinstance(actor.get("role"), str):
        return "does not say by which role it was done"
    return None
