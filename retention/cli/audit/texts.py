"""Entries of the audit log and their rows as text for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from retention.cli.display import (
    fitted_table,
    length,
    local,
    number,
    pairs,
    size,
    table,
    value_text,
)
from retention.model.answers.audit import EntryList, EntryShown

NOT_SIGNED, CAME_BACK = "not signed yet", "came back unsigned"
"""What is said of an entry that no signature vouches for: of a copy, that no checkpoint
covers; of any log, that came back from a published directory under none."""

UNSET_LOGIN = 4_294_967_295
_FIRST = ("row", "camera", "start", "end")
_KEYS = ("stream", "n")
_LENGTHS = {
    *("duration", "old_duration", "margin", "lateness", "offset", "max_length"),
    *("zone_error", "boottime"),
}


def entries_text(answer: EntryList, zone: str) -> str:
    """The answer of a list."""
    entries = answer.entries
    if not entries and answer.withheld:
        return (
            f"No entry that is public is about that: {number(answer.withheld)} are "
            "withheld from this copy."
        )
    if not entries:
        return "No entry of the audit log is about that."
    lines = [
        fitted_table(
            ("entry", "time", "kind", "by", "what"),
            [
                (
                    str(one.number),
                    local(one.at, zone),
                    f"{one.kind}{_mark(one)}",
                    _who(one.actor),
                    _short(one, zone),
                )
                for one in entries
            ],
        )
    ]
    batches = {f"intent:{one.number}" for one in entries}
    lines += [
        f"\nIn entry {one.number}:\n{_rows(one.rows, zone)}"
        for one in entries
        if one.rows and one.correlation not in batches  # else told with its intent
    ]
    if answer.before is not None:
        lines.append(f"Older ones: add --before {answer.before}")
    return "\n".join(lines)


def _mark(one: EntryShown) -> str:
    if one.signed is not False:
        return ""
    return f" ({CAME_BACK if one.came_back else NOT_SIGNED})"


def _who(actor: dict[str, Any]) -> str:
    """Who did it, and as whom they had logged in where that is another."""
    name = _name(actor)
    same = actor["login"] in (actor["uid"], UNSET_LOGIN)
    return name if same else f"{name} ({_login(actor)})"


def _name(actor: dict[str, Any]) -> str:
    if actor.get("name"):
        return str(actor["name"])
    return "the service" if actor["role"] == "service" else f"uid {actor['uid']}"


def _login(actor: dict[str, Any]) -> str:
    if actor["login"] == UNSET_LOGIN:
        return "no login"
    name = actor.get("login_name")
    return f"login {name}" if name else f"login uid {actor['login']}"


def _short(entry: EntryShown, zone: str) -> str:
    parts = [
        f"{title(name, value)} {field_text(name, value, zone)}"
        for name, value in entry.fields.items()
        if value not in (None, "", [])
    ]
    return ", ".join(parts)


def title(name: str, value: Any) -> str:
    """The log has the register's keys, which must not be taken for published ids."""
    if name == "camera" and isinstance(value, int):
        return "camera key"
    if name == "cameras" and isinstance(value, list):
        return "camera keys"
    return name.replace("_", " ")


def field_text(name: str, value: Any, zone: str) -> str:
    """A value of a field or a row, by its name."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name in _LENGTHS:
            return length(value)
        if name == "bytes":
            return size(int(value))
    return value_text(value, zone)


def entry_text(answer: EntryShown, zone: str) -> str:
    """One entry in full."""
    actor = answer.actor
    lines = [
        ("entry", answer.number),
        ("kind", answer.kind),
        ("time", local(answer.at, zone)),
        ("by", f"{_name(actor)} (uid {actor['uid']}, {_login(actor)})"),
        ("role", actor["role"]),
        *_others(answer, zone),
        *(
            (title(name, value), field_text(name, value, zone))
            for name, value in answer.fields.items()
        ),
    ]
    if answer.came_back:
        lines.append(("signed", f"no: it {CAME_BACK}, so anybody may have written it"))
    elif answer.signed is False:
        lines.append(("signed", f"no: {NOT_SIGNED}, no checkpoint covers it"))
    if answer.withheld:
        lines.append(("withheld", ", ".join(answer.withheld)))
    rows = answer.rows
    return pairs(lines) + (f"\n\n{_rows(rows, zone)}" if rows else "")


def _others(answer: EntryShown, zone: str) -> Iterator[tuple[str, str]]:
    for name in ("subject", "correlation", "site", "host", "program", "policy"):
        value = getattr(answer, name)
        if value is not None:
            yield name, value_text(value, zone)


def _rows(rows: list[dict[str, Any]], zone: str) -> str:
    """The rows for people: no keys of the catalogue, no column that says nothing."""
    names = [
        name
        for name in sorted(rows[0], key=_place)
        if name not in _KEYS and any(row.get(name) is not None for row in rows)
    ]
    return table(
        [title(name, rows[0].get(name)) for name in names],
        [[field_text(name, row.get(name), zone) for name in names] for row in rows],
    )


def _place(name: str) -> int:
    """An end stands beside its start, whatever order the log has."""
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)
