"""Which memories of the log's heads there are outside the catalogue, and how old each is.

Only what its administrators can't rewrite shows what they did; the machine's own
memories show a catalogue that was restored.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from retention.audit import heads, log, note
from retention.audit.directory import Published
from retention.catalogue.db import get_fact
from retention.errors import VerificationError
from retention.localtime import format_utc
from retention.publication.publisher import BESIDE_KEY

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.settings import Settings

Answer = dict[str, Any]

COPY_FACT = "log.copy"
"""The fact: {"size", "fault"}, how many entries the newest checkpoint in the second
directory covers, and why it can't be followed now.  Asking that directory itself could
take for ever: it is a share."""

JOURNAL = "JOURNAL_STREAM"
"""Set by systemd where what is printed goes to its journal."""


def memories(
    tx: Connection, settings: Settings, environment: Mapping[str, str] = os.environ
) -> list[Answer]:
    """Each place: `entries` under the newest checkpoint there, `written` when the last of
    them was; None where there is none, and `fault` why."""
    signed = heads.newest(tx)
    newest = signed.size if signed else None
    path = settings.state_directory / BESIDE_KEY
    beside, fault = None, None
    try:
        data = Published(path.parent).read(path.name, note.SIZE_LIMIT)
        beside = None if data is None else note.unverified(data).size
    except VerificationError as error:
        fault = str(error)
    found = [_memory(tx, "beside the key", str(path), beside, fault)]
    if settings.log_copy is not None:
        fact = get_fact(tx, COPY_FACT) or {"size": None, "fault": None}
        where = str(settings.log_copy)
        found.append(
            _memory(tx, "second directory", where, fact["size"] or None, fact["fault"])
        )
    if JOURNAL in environment:
        found.append(_memory(tx, "journal", None, newest, None))
    return found


def _memory(
    tx: Connection, where: str, path: str | None, size: int | None, fault: str | None
) -> Answer:
    written = None
    if size and size <= log.size(tx):
        written = format_utc(log.read(tx, size - 1)["at"])
    return {
        "where": where,
        "path": path,
        "entries": size,
        "written": written,
        "fault": fault,
    }
