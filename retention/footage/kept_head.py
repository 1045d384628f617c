"""The newest signed head of the log, kept in a footage root beside its identity.

A file of two slots, each a whole signed note (of a successor log, with what that says of
itself) and then zeros.  They are written in turn
and in place: what a kill leaves half written is one slot, and the other has the head
before.  A rename would touch the root's own mtime, by which a scan tells whether
something changed there.

So a state directory that was set back meets newer heads on the disks that it guards.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from retention.footage.handles import Handle, open_directory
from retention.tlog import note, succession
from retention.tlog.note import Head

if TYPE_CHECKING:
    from retention.site.settings import RootSettings
    from retention.tlog.note import Verifier

NAME = ".cctv-retention-head"
"""Name of the file; `head -c 4096` shows a slot."""

SLOT = 4096
"""Bytes of a slot; a note has some 250."""

PATIENCE_SECONDS = 10.0
"""How long a start waits for the disks, all together."""

_SLOTS = 2
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def make(directory: Handle, owner: tuple[int, int] | None = None) -> None:
    """Make the file in a root, durably, with its room; one that is there stays.

    `owner` (uid, gid) is who writes it, where that is not this process's user.  OSError
    passes.
    """
    handle = _open(directory, os.O_RDWR | os.O_CREAT)
    size = os.fstat(handle).st_size
    if size >= _SLOTS * SLOT:
        return
    if size == 0:
        os.fchmod(handle, 0o644)
        if owner is not None:
            os.fchown(handle, *owner)
    os.pwrite(handle, bytes(_SLOTS * SLOT - size), size)
    os.fsync(handle)
    os.fsync(directory)


def newest(directory: Handle, verifier: Verifier, where: Path) -> Head | None:
    """The larger head of this log in the slots of an open root, at `where`, or that of one
    that goes on for it; None where there is none: what is damaged or of another log says
    nothing.  OSError passes."""
    found = [(str(where / NAME), data) for data in _slots(directory)]
    return succession.newest(found, verifier)


def keep(directory: Handle, head: bytes, verifier: Verifier, said: str = "") -> None:
    """Write a signed head durably over the older of the two slots, with what its log says
    of itself; not where one is there that is as large, or of a log that goes on for this
    one.  OSError passes."""
    data = succession.beside(head.decode(), said)
    if len(data) > SLOT:
        raise OSError(errno.EFBIG, "the signed head is too long")
    size = note.open_checkpoint(head, verifier).size
    there = [
        succession.newest([("", slot)], verifier) if slot else None
        for slot in _slots(directory)
    ]
    if any(one and one.succession for one in there):
        return
    sizes = [-1 if one is None else one.size for one in there]
    sizes += [-1] * (_SLOTS - len(sizes))
    if max(sizes) >= size:
        return
    handle = _open(directory, os.O_RDWR)
    os.pwrite(handle, data.ljust(SLOT, b"\0"), sizes.index(min(sizes)) * SLOT)
    os.fsync(handle)


def in_roots(
    roots: Collection[RootSettings],
    verifier: Verifier,
    seconds: float = PATIENCE_SECONDS,
) -> list[tuple[str, bytes]]:
    """(where, signed note) of the newest head in each of these roots, of those that
    answer in time: a disk may hang for ever, and is asked again when it is opened."""
    found: dict[str, Head] = {}
    threads = [
        threading.Thread(target=_look, args=(root, verifier, found), daemon=True)
        for root in roots
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, seconds / len(threads)))
    return [
        (head.where, succession.beside(head.note, head.succession))
        for head in list(found.values())
    ]


def _look(root: RootSettings, verifier: Verifier, found: dict[str, Head]) -> None:
    try:
        head = newest(open_directory(root.path), verifier, root.path)
    except OSError:
        return  # not there, or not readable: the root's own guard tells
    if head is not None:
        found[root.name] = head


def _open(directory: Handle, flags: int) -> Handle:
    handle = Handle(os.open(NAME, flags | _FLAGS, 0o644, dir_fd=directory))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, f"{NAME} is not a regular file")
    return handle


def _slots(directory: Handle) -> list[bytes]:
    """What is in each slot; nothing where there is no file."""
    try:
        handle = _open(directory, os.O_RDONLY)
    except FileNotFoundError:
        return []
    data = os.pread(handle, _SLOTS * SLOT, 0)
    return [data[at * SLOT :][:SLOT].rstrip(b"\0") for at in range(_SLOTS)]
