"""Owns what a successor log says of itself beside its heads: which logs it goes on for.

A signed note of its own, with the names of the log and of all before it, kept behind each
head in the memories outside the state directory.  So a catalogue from before a successor
was opened, which knows nothing of it, knows its heads for what they are.  No other program
need understand it: a head alone is as it always was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from retention.model.errors import UsageError, VerificationError
from retention.tlog import note
from retention.tlog.note import Head

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from retention.tlog.note import Verifier

_HEADER = "cctv-retention-succession/1"
_BETWEEN = b"\0"


def sign(name: str, before: Sequence[str], key: Ed25519PrivateKey) -> str:
    """What the log `name` says, which goes on for those `before`; empty where there are
    none."""
    if not before:
        return ""
    return note.sign("\n".join([_HEADER, name, *before, ""]), name, key)


def beside(head: str, succession: str) -> bytes:
    """A head with what its log says of itself, as a memory has it."""
    return head.encode() + (_BETWEEN + succession.encode() if succession else b"")


def parted(data: bytes) -> tuple[bytes, bytes]:
    """The head in a memory, and what stands behind it."""
    head, _, succession = data.partition(_BETWEEN)
    return head, succession


def newest(found: Iterable[tuple[str, bytes]], verifier: Verifier) -> Head | None:
    """The largest head in memories, given with where they are: of a log that goes on for
    this one, by its own word and signed with the same key; else of this log itself.

    What is neither says nothing, as in `note.newest`.
    """
    memories = list(found)
    successors = [
        head for where, data in memories if (head := successor(where, data, verifier))
    ]
    if successors:
        return max(successors, key=lambda head: head.size)
    return note.newest(((where, parted(data)[0]) for where, data in memories), verifier)


def successor(where: str, data: bytes, verifier: Verifier) -> Head | None:
    """The head of a log that goes on for this one; None where it is none."""
    head, said = parted(data)
    with suppress(VerificationError, UsageError, ValueError, IndexError):
        name = note.unverified(head).origin
        theirs = note.parse_vkey(note.vkey(name, verifier.public))
        header, own, *before = note.open_note(said, theirs).splitlines()
        if (header, own) == (_HEADER, name) and verifier.name in before:
            checkpoint = note.open_checkpoint(head, theirs)
            return Head(where, checkpoint, head.decode(), said.decode())
    return None
