"""Signed heads that are kept outside catalogue and published log: beside the key, and
in the journal."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from retention import unit
from retention.audit import note
from retention.errors import VerificationError
from retention.publication.publisher import BESIDE_KEY

if TYPE_CHECKING:
    from retention.audit.note import Verifier

EVENT = "checkpoint.signed"
PATIENCE_SECONDS = 10.0
"""How long the journal may take; a start waits for it."""

_NEWEST = 20


def kept(
    state_directory: Path,
    verifier: Verifier,
    environment: Mapping[str, str] = os.environ,
) -> list[tuple[str, bytes]]:
    """(where, signed note) of each.  OSError where the one beside the key can't be read."""
    found = []
    path = state_directory / BESIDE_KEY
    if path.exists():
        found.append((str(path), path.read_bytes()))
    if "JOURNAL_STREAM" in environment:
        newest = _newest(_journalled(environment), verifier)
        if newest is not None:
            found.append(("the journal", newest))
    return found


def _newest(notes: Iterator[str], verifier: Verifier) -> bytes | None:
    """The largest head of this log; the journal may remember others on this machine."""
    found: dict[int, bytes] = {}
    for text in notes:
        try:
            data = text.encode()
            found[note.open_checkpoint(data, verifier).size] = data
        except (VerificationError, UnicodeEncodeError):
            continue
    return found[max(found)] if found else None


def _journalled(environment: Mapping[str, str]) -> Iterator[str]:
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
            yield str(found.get("note", ""))
