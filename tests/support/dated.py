"""Entries as tests write them: each says itself by whom and when it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from retention.catalogue.log import Log
from retention.model.values import Actor, Entry, Micros, Prepared, Rows


@dataclass(frozen=True, slots=True)
class Dated:
    """An entry with its actor and its instant."""

    kind: str
    at: Micros
    actor: Actor
    fields: Mapping[str, Any] = field(default_factory=dict)
    rows: Rows | Prepared | None = None
    spans: tuple[tuple[int, Micros, Micros], ...] = ()


def append(log: Log, tx: Connection, one: Dated) -> int:
    """Append it to a log without a clock; the entry's number."""
    entry = Entry(one.kind, one.fields, one.rows, one.spans)
    return log.by(one.actor, one.at).append(tx, entry)
