"""Owns open footage roots: their verification, their lock, the way to what is below.

An open root is a directory handle, never a path: whatever happens to the path, what
was opened stays what it was, and `check` says whether the path still leads there.
"""

import errno
import fcntl
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from retention.footage.handles import (
    Handle,
    file_system,
    is_network,
    mount_id,
    open_directory,
    said,
)
from retention.footage.identity import IDENTITY as IDENTITY
from retention.footage.identity import OURS as OURS
from retention.footage.identity import (
    Identity,
    differs,
    open_identity,
    read_content,
)
from retention.footage.identity import create_identity as create_identity
from retention.model.errors import RootUnavailableError

_KEPT = 64  # ways a root: a service has 1,024 descriptors in all

DEEPEST = 32
"""Directories below each other that a walk goes into: each is kept open on the way to
the last.  No recorder makes more than eight."""


class _Step(NamedTuple):
    """One component of a way: what `name` in `parent` was when it was opened."""

    parent: Handle
    name: bytes
    inode: int
    device: int
    handle: Handle


_Way = tuple[_Step, ...]


def split(path: bytes) -> tuple[bytes, bytes]:
    """Directory and name of a path below a root; OSError where it would leave it."""
    directory, slash, name = path.rpartition(b"/")
    if name in (b"", b".", b"..") or b"\0" in name or (slash and not directory):
        raise OSError(errno.EINVAL, "not a path below the root")
    return directory, name


def _is_so(way: _Way) -> bool:
    """Whether each name on the way is still what was opened; OSError passes.

    An inode that is held open can't be given to another directory.
    """
    for parent, name, inode, device, _ in way:
        there = os.stat(name, dir_fd=parent, follow_symlinks=False)
        if there.st_ino != inode or there.st_dev != device:
            return False
    return True


class OpenRoot:
    """An open footage root, verified and locked by `take`.  Thread-safe.

    `mutex` is for the callers: who reads a directory and commits what it read holds
    it, and so does a batch of deletions, so that they never overlap (design 7).
    `device` is the file system's number in this boot.  `network` says that directory
    times can't be trusted to show changes, since others make them elsewhere.
    """

    def __init__(self, key: int, name: str, path: Path, handle: Handle) -> None:
        self.key = key
        self.name = name
        self.path = path
        self.mutex = threading.Lock()
        here = os.fstat(handle)
        self.device = here.st_dev
        self._inode = here.st_ino
        self._mount = mount_id(handle)
        self.network = is_network(file_system(self._mount))
        self._handle: Handle | None = handle
        self._identity: Handle | None = None
        self._wanted = Identity("", "")
        self._locks = True
        self._ways: dict[bytes, _Way] = {}
        self._lock = threading.Lock()  # for changing _ways, and closing

    @property
    def fd(self) -> Handle:
        """The root's own directory; OSError once closed."""
        return _still(self._handle)

    def take(self, identity: Identity, *, lock: bool = True) -> None:
        """Verify that this is that root, and lock it for this process.

        Without `lock`, only look: another process may have it in use.
        """
        self._wanted, self._locks = identity, lock
        try:
            # flock on a network file system is made of byte-range locks, which want
            # a file that is open for writing.
            self._identity = open_identity(self.fd, write=self.network)
        except FileNotFoundError as error:
            raise self._unavailable(
                f"its identity file {IDENTITY} is missing{_hint(self)}. Mount the "
                "right disk, or put the file back if somebody removed it; run "
                f"`retention root replace {self.name}` only if another disk is there "
                "for good"
            ) from error
        except OSError as error:
            raise self._unavailable(
                f"its identity file {IDENTITY} can't be used: {said(error)}"
            ) from error
        self.check()

    def check(self) -> None:
        """Is this still the root that was opened?  RootUnavailableError where not.

        To be asked before each batch and each scan, and again before anything in it
        is called lost: a file missing from a disk that has gone is not a lost file.
        After an error, close this root and open it anew.
        """
        try:
            self._check_path()
            self._check_identity()
            if self._locks:
                self._check_lock()
            if os.fstatvfs(self.fd).f_flag & os.ST_RDONLY:
                raise self._unavailable("it is read-only; see the kernel's log for why")
        except OSError as error:
            raise self._unavailable(said(error)) from error

    def directory(self, path: bytes) -> Handle:
        """The open directory at `path` below the root; b"" is the root itself.

        No component may be a link, nor lie on another device or mount (OSError,
        EXDEV: that is a root of its own).  Each step of the way is compared with what
        is there now, so that a directory which was moved or replaced after it was
        opened is not used again.  FileNotFoundError and other OSError pass.
        """
        way = self._ways.get(path)
        if way is None or not _is_so(way):
            way = self._way(path)
        return way[-1].handle if way else self.fd

    def forget(self, path: bytes) -> None:
        """Drop the kept handle of a directory that is no longer wanted."""
        with self._lock:
            self._ways.pop(path, None)

    def close(self) -> None:
        """Let go of the lock and of all that is open.  Twice is fine.

        What another thread is using at this moment is closed when it is done.
        """
        with self._lock:
            identity, self._identity, self._handle = self._identity, None, None
            self._ways.clear()
        if identity is not None and self._locks:
            with suppress(OSError):  # a disk that has gone has no lock either
                fcntl.flock(identity, fcntl.LOCK_UN)

    def _way(self, path: bytes) -> _Way:
        if not path:
            return ()
        names = path.split(b"/")
        if len(names) > DEEPEST:
            raise OSError(errno.ENAMETOOLONG, "too many directories deep")
        way, known = self._kept_way(names)
        for number in range(known + 1, len(names) + 1):
            _, name = split(b"/".join(names[:number]))
            above = way[-1].handle if way else self.fd
            way = (*way, self._open_below(above, name))
            self._keep(b"/".join(names[:number]), way)
        return way

    def _kept_way(self, names: Sequence[bytes]) -> tuple[_Way, int]:
        """The longest part of a way that is known and still so, and its length."""
        for number in range(len(names), 0, -1):
            way = self._ways.get(b"/".join(names[:number]))
            if way is not None and _is_so(way):
                return way, number
        return (), 0

    def _keep(self, path: bytes, way: _Way) -> None:
        with self._lock:
            if self._handle is not None:
                self._ways[path] = way
            if len(self._ways) > _KEPT:
                del self._ways[next(iter(self._ways))]

    def _open_below(self, parent: Handle, name: bytes) -> _Step:
        try:
            return self._step(parent, name)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
        with self._lock:
            self._ways.clear()
        return self._step(parent, name)

    def _step(self, parent: Handle, name: bytes) -> _Step:
        handle = open_directory(name, parent)
        here = os.fstat(handle)
        if here.st_dev != self.device or mount_id(handle) != self._mount:
            raise OSError(
                errno.EXDEV, "another mount is there: make it a root of its own"
            )
        return _Step(parent, name, here.st_ino, here.st_dev, handle)

    def _check_path(self) -> None:
        flags = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        now = Handle(os.open(self.path, flags))
        there = os.fstat(now)
        if (there.st_ino, there.st_dev) != (self._inode, self.device):
            raise self._unavailable(
                "another directory or disk is there now than when it was opened"
            )
        if mount_id(now) != self._mount:
            raise self._unavailable("it was mounted anew since it was opened")

    def _check_identity(self) -> None:
        """The identity is in its place, is the file that is locked, and says so."""
        identity = _still(self._identity)
        try:
            found = os.stat(IDENTITY, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError as error:
            raise self._unavailable(
                f"its identity file {IDENTITY} was removed; find out by whom, and "
                "restore it"
            ) from error
        locked = os.fstat(identity)
        if (found.st_ino, found.st_dev) != (locked.st_ino, locked.st_dev):
            raise self._unavailable(
                f"its identity file {IDENTITY} was replaced; find out by whom"
            )
        content = read_content(identity)
        if content != self._wanted.encode():
            raise self._unavailable(differs(content, self._wanted))

    def _check_lock(self) -> None:
        """Locked by us: taking again what one has is nothing, and shows a lost lock."""
        try:
            fcntl.flock(_still(self._identity), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise self._unavailable(
                "another process has it in use, with this catalogue or another; stop "
                "that one first"
            ) from error

    def _unavailable(self, reason: str) -> RootUnavailableError:
        return _unavailable(self.name, self.path, reason)


def open_root(
    *,
    key: int,
    name: str,
    path: Path,
    uuid: str,
    catalogue_uuid: str,
    device: int | None,
    boot: str | None,
    boot_now: str,
) -> OpenRoot:
    """Open, verify and lock a root; RootUnavailableError with the reason where not.

    `device` and `boot` are what was seen last.  Device numbers are compared within
    one boot only: the next may number the same disk otherwise (design 6).
    """
    root = open_unverified(key=key, name=name, path=path)
    try:
        # An unreadable boot id is '': nothing is known then of when that was.
        if device not in (None, root.device) and boot == boot_now != "":
            raise _unavailable(
                name,
                path,
                "it is on another device than before, though this machine was not "
                f"started anew. Mount the right disk, or run `retention root replace "
                f"{name}` if this is the right one",
            )
        root.take(Identity(uuid, catalogue_uuid))
    except BaseException:
        root.close()
        raise
    return root


def open_unverified(*, key: int, name: str, path: Path) -> OpenRoot:
    """Open the directory of a root without asking yet which root it is.

    A link anywhere in its path is refused: it could lead elsewhere tomorrow.
    """
    try:
        handle = open_directory(path)
        real = os.path.realpath(path)
        if real != str(path):
            raise _unavailable(
                name,
                path,
                f"a part of this path is a link; write {real} in the configuration",
            )
        return OpenRoot(key, name, path, handle)
    except FileNotFoundError as error:
        raise _unavailable(
            name, path, "there is no such directory; mount the disk or correct the path"
        ) from error
    except OSError as error:
        raise _unavailable(name, path, said(error)) from error


def _still(handle: Handle | None) -> Handle:
    if handle is None:
        raise OSError(errno.EBADF, "the root was closed")
    return handle


def _hint(root: OpenRoot) -> str:
    try:
        parent = os.stat(root.path.parent)
    except OSError:
        return ""
    return (
        " (it is on the disk of the directory around it: is its own mounted?)"
        if parent.st_dev == root.device
        else ""
    )


def _unavailable(name: str, path: Path, reason: str) -> RootUnavailableError:
    return RootUnavailableError(
        f"footage root {name} ({path}): {reason}. Nothing in it is deleted meanwhile"
    )
