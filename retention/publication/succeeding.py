"""Opens a successor log, once two people agreed to it: `control.successor` says when.

The new log has a name of its own and begins with the entries that are there, so that
nothing that stands on them is lost: holds, books, proofs.  What was signed of the log
before is not signed again under its name.

1. One transaction: `log.opened` with the last head of the log before and the one whose
   entries are lost; the guard.                 [a new log, nothing published of it]
2. The published directory and `last-checkpoint` of the log before are renamed, and kept.
                                                [a kill between: the next start goes on]
3. The next comparison finds nothing published, and all of it is published anew.
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from retention.catalogue import heads, log
from retention.catalogue.db import Priority, get_fact, put_fact, set_meta
from retention.control import successor
from retention.model.errors import PublicationError
from retention.publication.publisher import BESIDE_KEY
from retention.tlog import note
from retention.tlog.directory import Published, note_at
from retention.tlog.entry import origin
from retention.tlog.in_force import SUCCESSOR_WAIT

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue
    from retention.catalogue.log import Author
    from retention.site.settings import Settings
    from retention.tlog.note import Head


def note_lost(catalogue: Catalogue, lost: Head | None, *, went_on: bool) -> None:
    """Keep which head was met whose entries are nowhere; None: there is none.

    `went_on`: the catalogue signed heads that the lost one does not lead to, so that it
    is not known from where on its entries are lost.
    """
    with catalogue.read() as tx:
        kept = get_fact(tx, successor.LOST)
        signed = heads.newest(tx)
    fact: dict[str, Any] | None = None
    if lost is not None:
        size = signed.size if signed else 0
        first = None if went_on or size >= lost.size else size
        fact = {
            "where": lost.where,
            "note": lost.note,
            "size": lost.size,
            "first": first,
        }
        if kept is not None and kept["note"] == lost.note:
            return
    if fact != kept:
        with catalogue.write(Priority.HOLD) as tx:
            put_fact(tx, successor.LOST, fact)


def open_agreed(catalogue: Catalogue, author: Author, lost: Head) -> bool:
    """Open a successor where two people agreed to one because of that head; whether."""
    with catalogue.read() as tx:
        asked = successor.asked_for(tx, author.now)
    if asked is None or asked.approval is None or asked.note != lost.note:
        return False
    with catalogue.write(Priority.HOLD, author) as tx:
        fields = _fields(tx, author.now, lost)
        fields |= {"request": asked.entry, "approval": asked.approval}
        tx.append("log.opened", fields)
        set_meta(tx, "log_id", fields["log_id"])
        successor.opened(tx, fields, author.now)
    return True


def _fields(tx: Connection, now: int, lost: Head) -> dict[str, Any]:
    before, signed = log.opening(tx), heads.newest(tx)
    same = ("public_key", "format", "timezone", "pruning")
    new, first = secrets.token_hex(16), log.read(tx, 0)
    begun = first["fields"].get("origin")
    latest = log.read(tx, log.size(tx) - 1)["at"]
    return {
        **{name: before["fields"][name] for name in same},
        "log_id": new,
        "origin": f"{begun}/{new}" if begun else None,
        "succeeds": origin(before),
        "old_size": signed.size if signed else 0,
        "old_head": signed.note if signed else None,
        "lost_head": lost.note,
        "lost_first": (get_fact(tx, successor.LOST) or {}).get("first"),
        "lost_last": lost.size - 1,
        "until": max(now, latest) + SUCCESSOR_WAIT,
    }


def set_aside(catalogue: Catalogue, settings: Settings) -> None:
    """Rename what is published of the log before this one, if anything; it is kept.

    PublicationError where that can't be done.
    """
    with catalogue.read() as tx:
        old = log.opening(tx)["fields"].get("succeeds")
    if old is None:
        return
    id_ = old.rpartition("/")[2]
    directory = settings.published_log
    key = Published(directory).key()
    if key is not None and key.partition("+")[0] == old:
        _rename(directory, directory.with_name(f"{directory.name}-{id_}"))
    beside = settings.state_directory / BESIDE_KEY
    for _, data in note_at(beside):
        if note.unverified(data).origin == old:
            _rename(beside, beside.with_name(f"{beside.name}-{id_}"))


def _rename(path: Path, to: Path) -> None:
    try:
        if to.exists():
            raise FileExistsError(None, "that is there already")
        os.rename(path, to)
        handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise PublicationError(
            f"a successor log was opened, and what is published of the log before it, "
            f"{path}, can't be renamed to {to} ({error.strerror}): move it away by hand, "
            "keep it for the auditor, and start the service again"
        ) from error
