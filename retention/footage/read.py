"""Reads what is in a footage root: names of directories, and single files.

Never follows a link, never crosses to another device or mount, keeps names as the
bytes that they are.
"""

import errno
import os
import stat
from typing import NamedTuple

from retention.footage.handles import Handle, said
from retention.footage.roots import IDENTITY, OpenRoot, split
from retention.model import Micros

_IDENTITY = IDENTITY.encode()


class FileSeen(NamedTuple):
    """One name below a root as the file system has it, not followed if a link.

    `regular` is False for links, directories, FIFOs, sockets and devices.  `links` is
    the count of hard links.  `mtime` is rounded down to the microsecond.
    """

    path: bytes
    size: int
    mtime: Micros
    regular: bool
    links: int


class DirectorySeen(NamedTuple):
    """The names in one directory; nothing but their kind was looked at.

    `mtime` is from before the names were read.  `files` are all names that are not
    directories: links, FIFOs and the like among them, for `look` to tell.  `foreign`
    are sub-directories on another device or mount: roots of their own, not ours.
    `complete` is False where anything went wrong, with `error`: then no missing name
    means anything.  `gone`: there is no such directory, though the root is there.
    """

    path: bytes
    mtime: Micros
    directories: list[bytes]
    files: list[bytes]
    foreign: list[bytes]
    complete: bool
    error: str | None = None
    gone: bool = False


def read_directory(root: OpenRoot, path: bytes) -> DirectorySeen:
    """Names in a directory below the root; b"" is the root itself.

    Never raises OSError.  RootUnavailableError where the directory is missing and
    the root is not what it was.
    """
    seen = DirectorySeen(path, 0, [], [], [], complete=False)
    try:
        # A handle of its own, since the kept one's reading position is shared.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        handle = Handle(os.open(b".", flags, dir_fd=root.directory(path)))
        seen = seen._replace(mtime=os.fstat(handle).st_mtime_ns // 1000)
        _read_names(root, handle, seen)
    except FileNotFoundError:
        root.check()
        return seen._replace(error="no such directory", gone=True)
    except OSError as error:
        return seen._replace(error=said(error))
    return seen._replace(complete=True)


def _read_names(root: OpenRoot, handle: Handle, seen: DirectorySeen) -> None:
    """Fill the lists of `seen`; what was read before an error stays in them."""
    with os.scandir(handle) as names:
        for entry in names:
            name = os.fsencode(entry.name)
            if name == _IDENTITY and not seen.path:
                continue
            if not entry.is_dir(follow_symlinks=False):
                seen.files.append(name)
            elif _is_foreign(root, seen.path, entry):
                seen.foreign.append(name)
            else:
                seen.directories.append(name)


def _is_foreign(root: OpenRoot, path: bytes, entry: os.DirEntry[str]) -> bool:
    """Whether something is mounted on a sub-directory."""
    there = entry.stat(follow_symlinks=False)
    if there.st_dev != root.device:
        return True
    # The directory itself names the inode that is covered, stat the one that covers.
    if there.st_ino == entry.inode():
        return False
    name = os.fsencode(entry.name)
    try:
        root.directory(path + b"/" + name if path else name)
    except OSError as error:
        return error.errno == errno.EXDEV
    return False


def look(root: OpenRoot, path: bytes) -> FileSeen | None:
    """What is at `path` now, or None where there is nothing.

    None is said only after the root was found to be what it was, else
    RootUnavailableError.  OSError passes.
    """
    try:
        directory, name = split(path)
        there = os.stat(name, dir_fd=root.directory(directory), follow_symlinks=False)
    except FileNotFoundError:
        root.check()
        return None
    return FileSeen(
        path,
        there.st_size,
        there.st_mtime_ns // 1000,
        stat.S_ISREG(there.st_mode),
        there.st_nlink,
    )
