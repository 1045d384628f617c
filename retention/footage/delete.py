"""The one deleter: nothing else in this program removes a file or a directory.

Everything is done by name in a directory that was opened without following links, so
that no link, mount or renamed directory can lead a deletion elsewhere (P8).
"""

import errno
import os
import stat
from collections.abc import Callable, Iterable

from retention.footage.handles import said
from retention.footage.roots import OURS, OpenRoot, split
from retention.model.errors import RootUnavailableError
from retention.model.policy import BEGINNING
from retention.model.values import Micros, Outcome

_NOT_EMPTY = (errno.ENOTEMPTY, errno.EEXIST)


def delete(
    root: OpenRoot,
    path: bytes,
    size: int,
    latest_mtime: Micros,
    earliest_mtime: Micros = BEGINNING,
) -> tuple[Outcome, str]:
    """Remove one file if it is the catalogued one; its outcome and a short reason.

    It must be a regular file with one link, of `size` bytes, changed no later than
    `latest_mtime` (design 7, step 4), nor sooner than `earliest_mtime`.  Whether it may go is for the caller to know:
    this is called under the gate, after a durable intent.  Never raises OSError.
    """
    try:
        directory, name = split(path)
        handle = root.directory(directory)
        there = os.stat(name, dir_fd=handle, follow_symlinks=False)
        if not stat.S_ISREG(there.st_mode):
            return Outcome.CHANGED, "not a regular file"
        if there.st_nlink == 0:  # somebody's unlink came between name and inode
            return _absent(root)
        if there.st_nlink != 1:
            return Outcome.CHANGED, "several links"
        if there.st_size != size:
            return Outcome.CHANGED, "another size"
        if there.st_mtime_ns // 1000 > latest_mtime:
            return Outcome.CHANGED, "changed later"
        if there.st_mtime_ns // 1000 < earliest_mtime:
            return Outcome.CHANGED, "changed before it began"
        if name in OURS:
            return Outcome.FAILED, "a file of this program's own"
        os.unlink(name, dir_fd=handle)
    except FileNotFoundError:
        return _absent(root)
    except OSError as error:
        return Outcome.FAILED, said(error)
    return Outcome.DELETED, ""


def _absent(root: OpenRoot) -> tuple[Outcome, str]:
    """A file is absent only if its root is not."""
    try:
        root.check()
    except RootUnavailableError:
        return Outcome.FAILED, "the root became unavailable"
    return Outcome.ABSENT, "no such file"


def sync(root: OpenRoot, directories: Iterable[bytes]) -> None:
    """Make the removals in these directories durable; OSError passes.

    For a directory that is gone itself, the one that it was in.
    """
    for directory in dict.fromkeys(directories):
        _sync_one(root, directory)


def _sync_one(root: OpenRoot, directory: bytes) -> None:
    while True:
        try:
            return os.fsync(root.directory(directory))
        except FileNotFoundError:
            if not directory:
                raise
            directory = directory.rpartition(b"/")[0]


def remove_empty(
    root: OpenRoot, directory: bytes, keep: Callable[[bytes], bool]
) -> str | None:
    """Remove a directory if it is empty, then the one it was in, and so on up.

    Stops at the first that is not empty or that `keep` wants, and at the root.
    Returns why an empty one could not go, else None; never raises OSError.
    """
    while directory and not keep(directory):
        try:
            parent, name = split(directory)
            root.directory(directory)  # refuses links and other mounts
            os.rmdir(name, dir_fd=root.directory(parent))
        except FileNotFoundError:
            pass  # somebody else removed it: on to its parent
        except OSError as error:
            if error.errno in _NOT_EMPTY:
                return None
            return said(error)
        root.forget(directory)
        directory = parent
    return None
