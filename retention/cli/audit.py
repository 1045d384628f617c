"""`retention audit`: what was done, by whom, and the check that none of it changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from retention.cli.base import Answer, Session, group, with_session
from retention.cli.display import (
    alarm,
    counted,
    fitted_table,
    good,
    length,
    local,
    number,
    pairs,
    safe,
    size,
    table,
    value_text,
    working,
)
from retention.errors import VerificationError

UNSET_LOGIN = 4_294_967_295
_FIRST = ("row", "camera", "start", "end")
_KEYS = ("stream", "n")
_LENGTHS = {
    *("duration", "old_duration", "margin", "lateness", "offset", "max_length"),
    *("zone_error", "boottime"),
}


@group("audit")
def audit() -> None:
    """The audit log: list | show | verify.

    \b
    Example:
      retention audit list --kind hold.placed
    """


@audit.command("list")
@click.option("--kind", metavar="KIND", help="Of this kind, such as hold.placed.")
@click.option(
    "--camera",
    metavar="ID",
    help="About footage of this camera; the times are then the footage's.",
)
@click.option("--from", "since", metavar="TIME", help="From this instant on.")
@click.option("--to", "until", metavar="TIME", help="Before this instant.")
@click.option(
    "--before", type=click.IntRange(min=0), metavar="NUMBER", help="Below this number."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="COUNT", help="At most; else 100."
)
@with_session
def list_(session: Session, **given: str | int | None) -> None:
    """Entries, newest first; with --camera, what became of its footage.

    \b
    Example:
      retention audit list --limit 20
      retention audit list --camera 1101 --from "24/10/2026 14:00" \\
          --to "24/10/2026 15:00"
    """
    session.answer(session.ask("audit.list", **given), _entries)


def _entries(answer: Answer, zone: str) -> str:
    entries = answer["entries"]
    if not entries:
        return "No entry of the audit log is about that."
    lines = [
        fitted_table(
            ("entry", "time", "kind", "by", "what"),
            [
                (
                    str(one["number"]),
                    local(one["at"], zone),
                    one["kind"],
                    _who(one["actor"]),
                    _short(one, zone),
                )
                for one in entries
            ],
        )
    ]
    lines += [
        f"\nIn entry {one['number']}:\n{_rows(one['rows'], zone)}"
        for one in entries
        if one.get("rows")
    ]
    if answer["before"] is not None:
        lines.append(f"Older ones: add --before {answer['before']}")
    return "\n".join(lines)


def _who(actor: Answer) -> str:
    if actor.get("name"):
        return str(actor["name"])
    return "the service" if actor["role"] == "service" else f"uid {actor['uid']}"


def _login(uid: int) -> str:
    return "no login" if uid == UNSET_LOGIN else f"login uid {uid}"


def _short(entry: Answer, zone: str) -> str:
    parts = [
        f"{_title(name, value)} {_field(name, value, zone)}"
        for name, value in entry["fields"].items()
        if value not in (None, "", [])
    ]
    return ", ".join(parts)


def _title(name: str, value: Any) -> str:
    """The log has the register's keys, which must not be taken for published ids."""
    if name == "camera" and isinstance(value, int):
        return "camera key"
    if name == "cameras" and isinstance(value, list):
        return "camera keys"
    return name.replace("_", " ")


def _field(name: str, value: Any, zone: str) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name in _LENGTHS:
            return length(value)
        if name == "bytes":
            return size(int(value))
    return value_text(value, zone)


@audit.command("show")
@click.argument("number", type=click.IntRange(min=0), metavar="NUMBER")
@with_session
def show(session: Session, number: int) -> None:
    """One entry in full, with the rows that belong to it.

    \b
    Example:
      retention audit show 1204
    """
    session.answer(session.ask("audit.show", number=number), _entry)


def _entry(answer: Answer, zone: str) -> str:
    actor = answer["actor"]
    lines = [
        ("entry", answer["number"]),
        ("kind", answer["kind"]),
        ("time", local(answer["at"], zone)),
        ("by", f"{_who(actor)} (uid {actor['uid']}, {_login(actor['login'])})"),
        ("role", actor["role"]),
        *_others(answer, zone),
        *(
            (_title(name, value), _field(name, value, zone))
            for name, value in answer["fields"].items()
        ),
    ]
    if answer["withheld"]:
        lines.append(("withheld", ", ".join(answer["withheld"])))
    rows = answer.get("rows")
    return pairs(lines) + (f"\n\n{_rows(rows, zone)}" if rows else "")


def _others(answer: Answer, zone: str) -> Iterator[tuple[str, str]]:
    for name in ("site", "host", "program", "policy"):
        if name in answer:
            yield name, value_text(answer[name], zone)


def _rows(rows: list[Answer], zone: str) -> str:
    """The rows for people: no keys of the catalogue, no column that says nothing."""
    names = [
        name
        for name in sorted(rows[0], key=_place)
        if name not in _KEYS and any(row.get(name) is not None for row in rows)
    ]
    return table(
        [_title(name, rows[0].get(name)) for name in names],
        [[_field(name, row.get(name), zone) for name in names] for row in rows],
    )


def _place(name: str) -> int:
    """An end stands beside its start, whatever order the log has."""
    return _FIRST.index(name) if name in _FIRST else len(_FIRST)


@audit.command("verify")
@click.option("--deep", is_flag=True, help="Every row of every batch as well.")
@with_session
def verify(session: Session, deep: bool) -> int:
    """Compute the whole log again and compare it with its head.

    \b
    Example:
      retention audit verify
      retention audit verify --deep

    Exit status 5: the log is not what was written.
    """
    with working("reading the audit log"):
        answer = session.ask("audit.verify", deep=deep)
    session.answer(answer, _verified)
    return 0 if answer["ok"] else VerificationError.exit_status


def _verified(answer: Answer, zone: str) -> str:
    colour = good if answer["ok"] else alarm
    summary = safe(answer["summary"])
    lines = [
        colour(f"{summary[:1].upper()}{summary[1:]}."),
        pairs(
            [
                ("entries", number(answer["entries"])),
                ("rows checked", number(answer["rows"]) if answer["deep"] else "no"),
                ("root", answer["root"]),
                ("withheld", counted(answer["withheld"], "value")),
                ("batches not finished", len(answer["open_intents"])),
            ]
        ),
    ]
    return "\n".join(lines)
