"""Signed heads that are kept outside catalogue and published log: beside the key, in the
footage roots, in the journal, in copies; and how old each of these is.

Only what its administrators can't rewrite shows what they did; the machine's own
memories show a catalogue that was restored.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import log
from retention.catalogue.db import get_fact
from retention.control.alarms import Condition, Stands
from retention.model.answers.status import HeadMemory
from retention.model.errors import VerificationError
from retention.model.localtime import format_utc
from retention.model.values import MINUTE, Micros
from retention.publication.publisher import BESIDE_KEY
from retention.site import unit
from retention.tlog import note, succession
from retention.tlog.directory import note_at

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context
    from retention.site.settings import Settings
    from retention.tlog.note import Head, Verifier

EVENT = "checkpoint.signed"
PATIENCE_SECONDS = 10.0
"""How long the journal may take; a start waits for it."""

JOURNAL = "JOURNAL_STREAM"
"""Set by systemd where what is printed goes to its journal."""

_NEWEST = 20


class Journalled(NamedTuple):
    """What the journal remembers: the newest head of this log among its newest lines,
    and why it can't be read."""

    head: Head | None = None
    fault: str | None = None


def kept(
    state_directory: Path,
    in_roots: Iterable[tuple[str, bytes]] = (),
    journalled: Journalled | None = None,
) -> list[tuple[str, bytes]]:
    """(where, signed note) of each; VerificationError where the one beside the key can't
    be read."""
    found = [*note_at(state_directory / BESIDE_KEY), *in_roots]
    if journalled is not None and journalled.head is not None:
        head = journalled.head
        found.append((head.where, succession.beside(head.note, head.succession)))
    return found


def journal(
    verifier: Verifier, environment: Mapping[str, str] = os.environ
) -> Journalled:
    """What the journal remembers, where this process writes to it; nothing where not."""
    if JOURNAL not in environment:
        return Journalled()
    lines, fault = read_journal(environment)
    # It may remember the heads of other logs on this machine.
    return Journalled(succession.newest(_notes(lines), verifier), fault)


def read_journal(
    environment: Mapping[str, str] = os.environ,
) -> tuple[list[str], str | None]:
    """The service's newest lines about heads, and why they can't be read."""
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
            env={**environment, "LC_ALL": "C"},
        )
    except OSError as error:
        return [], f"journalctl can't be run ({error.strerror})"
    except subprocess.TimeoutExpired:
        return [], f"journalctl did not answer in {PATIENCE_SECONDS:g} seconds"
    said = done.stderr.decode("utf-8", "replace").strip()
    fault = said if done.returncode and "ermission" in said else None
    return done.stdout.decode("utf-8", "replace").splitlines(), fault


def _notes(lines: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """The notes in the lines of the journal."""
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("event") == EVENT:
            texts = (str(found.get(name, "")) for name in ("note", "succession"))
            yield (
                "the journal",
                succession.beside(
                    *(text.encode(errors="replace").decode() for text in texts)
                ),
            )


COPY_FACT = "log.copy"
"""The fact: {"size", "fault"}, how many entries the newest checkpoint in the second
directory covers, and why it can't be followed now.  Asking that directory itself could
take for ever: it is a share."""


PATIENCE: Micros = MINUTE
"""A memory that gives no sign of life for so long, while it is written, hangs."""

HANGS = "it does not answer"

ROOTS_FACT = "log.roots"
"""The fact: the same of each footage root, by its name."""

JOURNAL_FACT = "log.journal"
"""The fact: the same of the journal, as it was read last."""


def unkept(context: Context, tx: Connection) -> Stands:
    """The alarm *memory*: where the newest signed head can't be kept, and why."""
    found = {
        root.name: f"{root.path} can't keep the newest signed head: {fault}"
        for root in context.settings.root
        if (fault := (get_fact(tx, ROOTS_FACT) or {}).get(root.name, _NONE)["fault"])
    }
    fault = (get_fact(tx, COPY_FACT) or _NONE)["fault"]
    if fault and context.settings.log_copy is not None:
        found["log_copy"] = f"{context.settings.log_copy} is not followed: {fault}"
    fault = (get_fact(tx, JOURNAL_FACT) or _NONE)["fault"]
    if fault:
        found["journal"] = (
            f"the journal, which has each signed head, can't be read: {fault}"
        )
    return Stands({scope: Condition(text) for scope, text in found.items()})


_NONE: dict[str, Any] = {"size": None, "fault": None}


def memories(tx: Connection, settings: Settings) -> list[HeadMemory]:
    """Each place that was read: `entries` under the newest checkpoint there, `written`
    when the last of them was; None where there is none, and `fault` why."""
    path = settings.state_directory / BESIDE_KEY
    beside, fault = None, None
    try:
        for _, data in note_at(path):
            beside = note.unverified(data).size
    except VerificationError as error:
        fault = str(error)
    found = [_memory(tx, "beside the key", str(path), beside, fault)]
    in_roots = get_fact(tx, ROOTS_FACT) or {}
    for root in settings.root:
        fact = in_roots.get(root.name)
        if fact is not None and (fact["size"] or fact["fault"]):
            found.append(
                _memory(tx, "footage root", str(root.path), fact["size"], fact["fault"])
            )
    if settings.log_copy is not None:
        fact = get_fact(tx, COPY_FACT) or _NONE
        where = str(settings.log_copy)
        found.append(
            _memory(tx, "second directory", where, fact["size"] or None, fact["fault"])
        )
    in_journal = get_fact(tx, JOURNAL_FACT) or _NONE
    if in_journal["size"] is not None:
        found.append(_memory(tx, "journal", None, in_journal["size"], None))
    return found


def _memory(
    tx: Connection, where: str, path: str | None, size: int | None, fault: str | None
) -> HeadMemory:
    written = None
    if size and size <= log.size(tx):
        written = format_utc(log.read(tx, size - 1)["at"])
    return HeadMemory(where, path, size, written, fault)
