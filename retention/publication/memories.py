"""Signed heads that are kept outside catalogue and published log: beside the key, in the
journal, in copies; and how old each of these is.

Only what its administrators can't rewrite shows what they did; the machine's own
memories show a catalogue that was restored.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from retention.catalogue import heads, log
from retention.catalogue.db import get_fact
from retention.model.answers.status import HeadMemory
from retention.model.errors import VerificationError
from retention.model.localtime import format_utc
from retention.publication.publisher import BESIDE_KEY
from retention.site import unit
from retention.tlog import note
from retention.tlog.directory import note_at

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.site.settings import Settings
    from retention.tlog.note import Verifier

EVENT = "checkpoint.signed"
PATIENCE_SECONDS = 10.0
"""How long the journal may take; a start waits for it."""

JOURNAL = "JOURNAL_STREAM"
"""Set by systemd where what is printed goes to its journal."""

_NEWEST = 20


def kept(
    state_directory: Path,
    verifier: Verifier,
    environment: Mapping[str, str] = os.environ,
) -> list[tuple[str, bytes]]:
    """(where, signed note) of each; VerificationError where the one beside the key can't
    be read."""
    found = note_at(state_directory / BESIDE_KEY)
    if JOURNAL in environment:
        # It may remember the heads of other logs on this machine.
        newest = note.newest(_journalled(environment), verifier)
        if newest is not None:
            found.append((newest.where, newest.note.encode()))
    return found


def _journalled(environment: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """The notes of the newest journal entries; none where the journal can't be read."""
    command = [
        "journalctl", "--quiet", "--no-pager", "--output=cat", "--reverse",
        f"--lines={_NEWEST}", f"--unit={unit.NAME}", f"--grep={EVENT}",
    ]  # fmt: skip
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            env=dict(environment),
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("event") == EVENT:
            yield "the journal", str(found.get("note", "")).encode(errors="replace")


COPY_FACT = "log.copy"
"""The fact: {"size", "fault"}, how many entries the newest checkpoint in the second
directory covers, and why it can't be followed now.  Asking that directory itself could
take for ever: it is a share."""


def memories(
    tx: Connection, settings: Settings, environment: Mapping[str, str] = os.environ
) -> list[HeadMemory]:
    """Each place: `entries` under the newest checkpoint there, `written` when the last of
    them was; None where there is none, and `fault` why."""
    signed = heads.newest(tx)
    newest = signed.size if signed else None
    path = settings.state_directory / BESIDE_KEY
    beside, fault = None, None
    try:
        for _, data in note_at(path):
            beside = note.unverified(data).size
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
) -> HeadMemory:
    written = None
    if size and size <= log.size(tx):
        written = format_utc(log.read(tx, size - 1)["at"])
    return HeadMemory(where, path, size, written, fault)
