"""Reads what is in a footage root: names of directories, and single files.

Never follows a link, never crosses to another device or mount, keeps names as the
bytes that they are.
"""

import errno
import os
import stat
from typing import NamedTuple

from retention.footage.handles import Handle, said
from retention.footage.roots import DEEPEST, OURS, OpenRoot, split
from retention.model.layouts.walltime import END
from retention.model.values import LONG_AGO, Micros

LARGEST = 1 << 40
"""Bytes (1 TiB): an hour at 2.4 Gbit/s."""

HOLLOW, THERE = 1 << 34, 8
"""Of a file that says more than so many bytes (16 GiB), at least one in eight must be on
the disk: a sparse file takes nothing, and so there can be any number of them.  Of a
smaller one the disk isn't asked: some servers don't tell what a file takes."""

LONGEST_PATH = 1_024
"""Bytes of a directory's path below its root."""

MOST_NAMES = 5_000_000
"""In one directory; so many are held in memory."""

NOT_REGULAR = "not a regular file"
TOO_LARGE = "larger than any recording can be"
NOT_THERE = "larger than what of it is on the disk"
NO_TIME = "changed at a time that no recording can be of"

TOO_DEEP = (
    f"more than {DEEPEST} directories deep, or of a path longer than {LONGEST_PATH:,} "
    "bytes: nothing below it is looked at"
)
FOREIGN = "another file system is mounted there: make it a root of its own"
LINKED = "a link to a directory, and links are never followed"


class FileSeen(NamedTuple):
    """One name below a root as the file system has it, not followed if a link.

    `links` is the count of hard links.  `mtime` is rounded down to the microsecond.
    `odd` says why it can be no recording's file: a link, directory, FIFO, socket or
    device; or it says of itself what nothing can be, so that it is in nobody's sums:
    its `size` is 0 and its `mtime` LONG_AGO.
    """

    path: bytes
    size: int
    mtime: Micros
    links: int
    odd: str | None = None


def as_seen(path: bytes, there: os.stat_result) -> FileSeen:
    """What the file system says of a file, as far as that can be: the one place where
    it is bounded."""
    mtime = there.st_mtime_ns // 1000
    odd = None if stat.S_ISREG(there.st_mode) else NOT_REGULAR
    why = _impossible(there, mtime)
    if why is not None:
        return FileSeen(path, 0, LONG_AGO, there.st_nlink, odd or why)
    return FileSeen(path, there.st_size, mtime, there.st_nlink, odd)


def _impossible(there: os.stat_result, mtime: Micros) -> str | None:
    size = there.st_size
    if size > LARGEST:
        return TOO_LARGE
    if size > HOLLOW and there.st_blocks * 512 < size // THERE:
        return NOT_THERE
    return None if LONG_AGO < mtime < END else NO_TIME


class DirectorySeen(NamedTuple):
    """The names in one directory; nothing but their kind was looked at.

    `mtime`, and `ctime`, which moves with its rights too, are from before the names were
    read.  `files` are all names that are not directories: links, FIFOs and the like among
    them, for `look` to tell.  `apart` are the sub-directories that no walk goes into, and
    those of `files` that are links to directories, with why.
    `complete` is False where anything went wrong, with `error`: then no missing name
    means anything.  `gone`: there is no such directory, though the root is there.
    `elsewhere`: what is there is on another device or mount.
    """

    path: bytes
    mtime: Micros
    directories: list[bytes]
    files: list[bytes]
    apart: dict[bytes, str]
    complete: bool
    error: str | None = None
    gone: bool = False
    elsewhere: bool = False
    ctime: Micros = 0

    def path_of(self, name: bytes) -> bytes:
        """Of what has that name in it, below the root."""
        return self.path + b"/" + name if self.path else name


def read_directory(root: OpenRoot, path: bytes) -> DirectorySeen:
    """Names in a directory below the root; b"" is the root itself.

    Never raises OSError.  RootUnavailableError where the directory is missing and
    the root is not what it was.
    """
    seen = DirectorySeen(path, 0, [], [], {}, complete=False)
    try:
        # A handle of its own, since the kept one's reading position is shared.
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
        handle = Handle(os.open(b".", flags, dir_fd=root.directory(path)))
        here = os.fstat(handle)
        mtime, ctime = here.st_mtime_ns // 1000, here.st_ctime_ns // 1000
        seen = seen._replace(mtime=mtime, ctime=ctime)
        _read_names(root, handle, seen)
    except FileNotFoundError:
        root.check()
        return seen._replace(error="no such directory", gone=True)
    except OSError as error:
        elsewhere = error.errno == errno.EXDEV
        return seen._replace(error=said(error), elsewhere=elsewhere)
    return seen._replace(complete=True)


def _read_names(root: OpenRoot, handle: Handle, seen: DirectorySeen) -> None:
    """Fill the lists of `seen`; what was read before an error stays in them."""
    with os.scandir(handle) as names:
        for entry in names:
            name = os.fsencode(entry.name)
            if name in OURS and not seen.path:
                continue
            if len(seen.files) + len(seen.directories) >= MOST_NAMES:
                raise OSError(errno.EOVERFLOW, f"more than {MOST_NAMES:,} names in it")
            if not entry.is_dir(follow_symlinks=False):
                seen.files.append(name)
                if _leads_to_directory(entry):
                    seen.apart[name] = LINKED
            elif why := _not_walked(root, seen.path_of(name), entry):
                seen.apart[name] = why
            else:
                seen.directories.append(name)


def _leads_to_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_symlink() and entry.is_dir()
    except OSError:  # in a circle, or to where this process may not look
        return False


def _not_walked(root: OpenRoot, path: bytes, entry: os.DirEntry[str]) -> str | None:
    """Why no walk goes into a sub-directory; None where it does."""
    if path.count(b"/") >= DEEPEST or len(path) > LONGEST_PATH:
        return TOO_DEEP
    try:
        return FOREIGN if _is_foreign(root, path, entry) else None
    except FileNotFoundError:  # since the names were read: its own reading says so
        return None
    except OSError as error:  # a dead mount hides nothing beside it
        return said(error)


def _is_foreign(root: OpenRoot, path: bytes, entry: os.DirEntry[str]) -> bool:
    """Whether something is mounted on a sub-directory."""
    there = entry.stat(follow_symlinks=False)
    if there.st_dev != root.device:
        return True
    # The directory itself names the inode that is covered, stat the one that covers.
    if there.st_ino == entry.inode():
        return False
    try:
        root.directory(path)
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
    return as_seen(path, there)
