"""What an entry of the log looks like, for people and for programs: documentation and
JSON Schema, both made from the declarations in `kinds`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from retention.tlog.declare import Field, Kind
from retention.tlog.kinds import KINDS
from retention.tlog.words import WORDS

ENVELOPE: dict[str, tuple[dict[str, Any], str]] = {
    "v": ({"type": "integer"}, "version of this form"),
    "index": ({"type": "integer", "minimum": 0}, "number of the entry, without gaps"),
    "kind": ({"type": "string"}, "what happened; a reader ignores none it knows not"),
    "at": ({"type": "integer"}, "when it was written, microseconds since 1970 in UTC"),
    "site": ({"type": "string"}, "whose log this is; part of its name"),
    "host": ({"type": "string"}, "the machine"),
    "program": ({"type": "string"}, "the program and its version"),
    "policy": ({"type": "integer"}, "version of the retention policy in force"),
    "actor": (
        {
            "type": "object",
            "properties": {
                **{key: {"type": "integer"} for key in ("uid", "login", "pid")},
                "role": {"type": "string"},
            },
            "required": ["uid", "login", "pid", "role"],
        },
        "who did it, as the kernel says: uid, login uid, process, and by which role",
    ),
    "fields": ({"type": "object"}, "what the kind declares, in clear"),
}
"""What every entry has: JSON Schema and meaning."""

_HASH = {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"}

OPTIONAL: dict[str, tuple[dict[str, Any], str]] = {
    "subject": (
        {"type": "string", "pattern": "^[a-z_]+:"},
        "what it is about: name and value of a field, such as `hold:17` (nothing: the "
        "whole site)",
    ),
    "correlation": (
        {"type": "string", "pattern": "^[a-z_]+:"},
        "what it follows from, in the same form: `intent` and a `request` that is a "
        "number are entries",
    ),
    "salt": (
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"},
        "16 random bytes, so that nobody can guess by its hash what an entry says that is "
        "withheld from a public copy; where it has neither `sd` nor rows (change 6)",
    ),
    "prev": (
        {"type": "string", "pattern": "^[A-Za-z0-9_-]{8}$"},
        "start of the leaf hash of the entry before (all but the first one)",
    ),
    "sd": (
        {"type": "object", "additionalProperties": _HASH},
        "salted commitments: name of a field to SHA-256 of its disclosure (SD-JWT, RFC "
        "9901); `actor.name` is the actor's name, `reason` why, in a person's words",
    ),
    "rows": ({"type": "integer", "minimum": 0}, "how many rows lie beside the entry"),
    "rows_root": (_HASH, "Merkle root over the salted rows (RFC 6962)"),
    "rows_sha256": (_HASH, "SHA-256 of the row file"),
}
"""What an entry may have beside that."""

_ROWS = ["rows", "rows_root", "rows_sha256"]

_TYPES: dict[str, dict[str, Any]] = {
    "int": {"type": "integer"},
    "text": {"type": "string"},
    "path": {"type": "string"},
    "bool": {"type": "boolean"},
    "ints": {"type": "array", "items": {"type": "integer"}},
    "texts": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}

INTRODUCTION = """\
An entry is one line of canonical JSON (UTF-8, sorted keys, no spaces, integers below 2^53),
kept and hashed as the very bytes written. `camera` is the register's internal key, `id` the
published id, `root` the name of a footage root, `stream` a stream's key; instants and
durations are microseconds, `bytes` are sizes, a path has bytes that are no text as %XX.

`~` marks people's data and free text: null here, its salted commitment is in `sd`.
`?` marks what may be null. Rows, where a kind has them, lie in a file beside the entry."""


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of an entry.  Kinds and fields of a newer program pass."""
    every = {**ENVELOPE, **OPTIONAL}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An entry of the audit log of cctv-retention",
        "type": "object",
        "properties": {
            name: {**form, "description": meaning}
            for name, (form, meaning) in every.items()
        },
        "required": list(ENVELOPE),
        "dependentRequired": dict.fromkeys(_ROWS, _ROWS),
        "allOf": [_when(kind) for kind in KINDS.values()],
    }


def _when(kind: Kind) -> dict[str, Any]:
    """What holds of an entry of this kind."""
    clear = [field for field in kind.fields if not field.committed]
    then: dict[str, Any] = {
        "description": kind.meaning,
        "properties": {
            "fields": {
                "properties": {field.name: _value(field) for field in kind.fields},
                "required": [field.name for field in clear],
            }
        },
    }
    if needed := [f.name for f in kind.fields if f.committed and not f.nullable]:
        then["properties"]["sd"] = {"required": needed}
        then["required"] = ["sd"]
    if kind.rows == "must":
        then["required"] = [*then.get("required", []), *_ROWS]
    elif kind.rows == "no":
        then["not"] = {"required": ["rows"]}
    if kind.columns:
        then["$comment"] = f"columns of its rows: {' '.join(kind.columns)}"
    return {
        "if": {"properties": {"kind": {"const": kind.name}}, "required": ["kind"]},
        "then": then,
    }


def _value(field: Field) -> dict[str, Any]:
    if field.committed:
        return {"type": "null"}
    form = dict(_TYPES[field.type])
    if field.nullable:
        form["type"] = [form["type"], "null"]
    return form


def described(names: Iterable[str] = ()) -> list[dict[str, Any]]:
    """The kinds as declared, JSON-able; all of them where none is named."""
    wanted = set(names) or set(KINDS)
    return [
        {
            "kind": kind.name,
            "meaning": kind.meaning,
            "fields": [
                {
                    "name": field.name,
                    "type": field.type,
                    "nullable": field.nullable,
                    "committed": field.committed,
                }
                for field in kind.fields
            ],
            "subject": kind.subject,
            "correlation": kind.correlation,
            "rows": kind.rows,
            "columns": list(kind.columns),
            "public": None if kind.public is None else kind.public.value,
        }
        for kind in KINDS.values()
        if kind.name in wanted
    ]


def text(names: Iterable[str] = (), title: str = "# Entries of the audit log") -> str:
    """The same as Markdown; all kinds come with what every entry has, and what the names
    mean."""
    named = set(names)
    kinds = [kind for kind in KINDS.values() if not named or kind.name in named]
    sections = map(_section, kinds)
    if named:
        return "\n\n".join(sections)
    return "\n\n".join([title, INTRODUCTION, _envelope(), *sections, _words()])


def _words() -> str:
    lines = [f"- `{name}`: {meaning}" for name, meaning in WORDS.items()]
    return "\n".join(["## Names", "", *lines, ""])


def _envelope() -> str:
    lines = ["## Every entry", ""]
    lines += [f"- `{name}`: {meaning}" for name, (_, meaning) in ENVELOPE.items()]
    lines += ["", "and, where it has them:", ""]
    lines += [f"- `{name}`: {meaning}" for name, (_, meaning) in OPTIONAL.items()]
    return "\n".join(lines)


def _section(kind: Kind) -> str:
    lines = [f"## {kind.name}", "", kind.meaning]
    if kind.fields:
        lines += ["", f"Fields: {', '.join(map(_field, kind.fields))}."]
    if kind.subject:
        lines += ["", f"Subject: `{kind.subject}`."]
    if kind.correlation:
        lines += ["", f"Correlation: `{kind.correlation}`."]
    if kind.gives:
        lines += ["", f"Gives camera `{kind.gives[0]}` the id `{kind.gives[1]}`."]
    if kind.public is not None:
        lines += ["", f"Public copy: {kind.public.value}."]
    if kind.columns:
        often = "" if kind.rows == "must" else " (where there are any)"
        columns = ", ".join(f"`{name}`" for name in kind.columns)
        lines += ["", f"Rows{often}: {columns}."]
    return "\n".join(lines)


def _field(field: Field) -> str:
    mark = "~" if field.committed else ""
    null = "?" if field.nullable else ""
    return f"`{mark}{field.name}` {field.type}{null}"
