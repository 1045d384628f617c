"""Owns the single-instance lock: one process at a time may change a catalogue."""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from retention.model.errors import CatalogueError

NAME = "daemon.lock"
DAEMON = "daemon"

_TRIES = 20
_PAUSE_SECONDS = 0.05


@contextmanager
def exclusive(state_directory: Path, what: str = DAEMON) -> Iterator[None]:
    """Be the one that writes for the block; `what` tells others who has it.

    Waits up to a second, since another command is done sooner than that.  Raises
    CatalogueError naming the holder and what to type.  The kernel lets go of the lock
    when the process ends, however it ends; the file stays and means nothing by itself.
    """
    path = state_directory / NAME
    lock = _lock_file(path)
    try:
        _give_to_owner_of(state_directory, lock)
        for attempt in range(_TRIES):
            if _taken(lock):
                break
            if attempt == _TRIES - 1:
                raise CatalogueError(_refusal(os.pread(lock, 200, 0), path))
            time.sleep(_PAUSE_SECONDS)
        os.ftruncate(lock, 0)
        _sign(lock, what)
        yield
        os.ftruncate(lock, 0)
    finally:
        os.close(lock)


def _lock_file(path: Path) -> int:
    try:
        return os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
    except FileNotFoundError as error:
        raise CatalogueError(
            f"{path.parent} is not there: check state_directory in the configuration, and "
            "that its disk is mounted; for a new installation run `retention init`"
        ) from error


def holder(state_directory: Path) -> tuple[int, str] | None:
    """Who has the lock now, as (pid, what); None where nobody has.

    Taking it for an instant is the only sure way to know; `exclusive` waits that out.
    """
    try:
        lock = os.open(state_directory / NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return None if _taken(lock) else _holder(os.pread(lock, 200, 0))
    finally:
        os.close(lock)


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sign(lock: int, what: str) -> None:
    """Say who has it.  On a full disk nobody can, and the lock holds all the same."""
    try:
        os.pwrite(lock, f"{os.getpid()} {what}\n".encode(), 0)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise


def _holder(text: bytes) -> tuple[int, str]:
    pid, _, what = text.decode(errors="replace").strip().partition(" ")
    return (int(pid) if pid.isdigit() else 0, what or "another command")


def _refusal(text: bytes, path: Path) -> str:
    pid, what = _holder(text)
    if what == DAEMON:
        return (
            f"the daemon is running (pid {pid}): stop it first with `systemctl stop "
            "cctv-retention` (or Ctrl-C where it runs in a terminal), and start it "
            "again afterwards. Nothing was changed"
        )
    return (
        f"another command is at work (pid {pid}, {what}) and has {path}: "
        "try again when it is done. Nothing was changed"
    )


def _give_to_owner_of(directory: Path, lock: int) -> None:
    """Made by root, the file would keep the service's own user out for good."""
    if os.geteuid() == 0 and stat.S_ISREG(os.fstat(lock).st_mode):
        owner = os.stat(directory)
        os.fchown(lock, owner.st_uid, owner.st_gid)
