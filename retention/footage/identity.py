"""The identity of a footage root: a small file that says which root it is.

A disk that is not mounted, was exchanged, or belongs to another catalogue shows by it,
before anything there is deleted or called lost.
"""

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import NamedTuple

from retention.footage import kept_head
from retention.footage.handles import Handle, open_directory, said
from retention.model.errors import RootUnavailableError

IDENTITY = ".cctv-retention-root"
"""Name of the file that says which root of which catalogue a directory is."""

OURS = (IDENTITY.encode(), kept_head.NAME.encode())
"""The files of a root that are no recorder's, and are never looked at as footage."""

_HEADER = "This directory is a CCTV footage root. Leave this file where it is."
_LIMIT = 1024  # more than an identity ever has


class Identity(NamedTuple):
    """Which root of which catalogue a directory says it is: two uuids."""

    root: str
    catalogue: str

    def encode(self) -> bytes:
        """The very bytes of the file."""
        return f"{_HEADER}\nroot {self.root}\ncatalogue {self.catalogue}\n".encode()


def decode(content: bytes) -> Identity | None:
    """The identity in these bytes, None where they are not exactly one."""
    lines = content.decode(errors="replace").splitlines()
    if len(lines) != 3:
        return None
    found = Identity(lines[1][len("root ") :], lines[2][len("catalogue ") :])
    return found if found.encode() == content else None


def open_identity(
    directory: Handle, *, write: bool = False, create: bool = False
) -> Handle:
    """Open the identity in a directory; OSError passes, also for no regular file."""
    flags = os.O_RDWR if write else os.O_RDONLY
    flags |= os.O_CREAT if create else 0
    # Without O_NONBLOCK a FIFO of this name would keep us waiting for ever.
    flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    handle = Handle(os.open(IDENTITY, flags, 0o644, dir_fd=directory))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return handle


def read_content(handle: Handle) -> bytes:
    """What an open identity holds now."""
    return os.pread(handle, _LIMIT, 0)


def read_identity(path: Path) -> Identity | None:
    """The identity in the directory `path`; None where there is none yet.

    An empty file counts as none, since a crash while making one leaves it.
    RootUnavailableError where the directory or the file can't be used.
    """
    try:
        directory = open_directory(path)
    except OSError as error:
        raise RootUnavailableError(f"{path}: {said(error)}") from error
    try:
        content = read_content(open_identity(directory))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RootUnavailableError(
            f"{path / IDENTITY} can't be used: {said(error)}"
        ) from error
    found = decode(content)
    if content and found is None:
        raise RootUnavailableError(
            f"{path / IDENTITY} is damaged or cut short; if this disk is surely the "
            "right one, remove that file and run this again"
        )
    return found


def create_identity(path: Path, root_uuid: str, catalogue_uuid: str) -> None:
    """Make a directory that root of that catalogue, durably; never overwrites.

    Finding the same identity is fine, and so is the beginning of it that a crash
    left: it is completed.  Any other is RootUnavailableError.
    """
    wanted = Identity(root_uuid, catalogue_uuid)
    try:
        directory = open_directory(path)
        handle = open_identity(directory, write=True, create=True)
        # Between two who do this at once the lock decides, not who creates the file.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        content = read_content(handle)
        if not wanted.encode().startswith(content):
            raise RootUnavailableError(
                f"{path} is a footage root already: {differs(content, wanted)}"
            )
        if content != wanted.encode():
            os.fchmod(handle, 0o644)
            os.pwrite(handle, wanted.encode(), 0)
        os.fsync(handle)
        os.fsync(directory)
    except BlockingIOError as error:
        raise RootUnavailableError(
            f"{path} is in use by another process; stop that one first"
        ) from error
    except OSError as error:
        raise RootUnavailableError(
            f"the identity file {path / IDENTITY} can't be made: {said(error)}"
        ) from error


def differs(content: bytes, wanted: Identity) -> str:
    """What is wrong with an identity that is not the wanted one, and what to do."""
    found = decode(content)
    if found is None:
        return (
            f"its identity file {IDENTITY} is damaged or cut short; if this disk is "
            "surely the right one, remove that file and replace the root"
        )
    if found.catalogue != wanted.catalogue:
        return (
            f"it belongs to another catalogue ({found.catalogue}); mount the right "
            "disk, or put that catalogue back. Only if it is gone for good, and its holds "
            f"with it: place these anew, then remove {IDENTITY} and replace the root"
        )
    return (
        f"it is another root of this catalogue ({found.root}); were two disks "
        "exchanged? Mount each where it belongs"
    )
