"""The reserve: room kept beside the catalogue for the moment when the disk is full.

Released, it lets intents be finished and holds be stored while nothing else is written
(design, section 6).  It is emptied, never removed.
"""

import errno
import os
from contextlib import suppress
from pathlib import Path

NAME = "reserve"
SIZE = 64 * 1024 * 1024
MARGIN = 16 * 1024 * 1024
"""What must be free besides before the reserve is made again."""


class Reserve:
    """The reserve file of one state directory."""

    def __init__(self, state_directory: Path, size: int | None = None) -> None:
        self.path = state_directory / NAME
        self._size = SIZE if size is None else size

    def whole(self) -> bool:
        """Whether the room is kept."""
        try:
            return self.path.stat().st_size >= self._size
        except FileNotFoundError:
            return False

    def make(self) -> bool:
        """Set the room aside where it is not and there is enough; whether it is."""
        if self.whole():
            return True
        disk = os.statvfs(self.path.parent)
        if disk.f_bavail * disk.f_frsize < self._size + min(MARGIN, self._size):
            return False
        handle = os.open(self.path, _FLAGS, 0o600)
        try:
            os.posix_fallocate(handle, 0, self._size)
            os.fsync(handle)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EOPNOTSUPP):
                raise
            with suppress(OSError):
                os.ftruncate(handle, 0)
        finally:
            os.close(handle)
        return self.whole()

    def release(self) -> bool:
        """Give the room back; whether there was any."""
        if not self.path.exists() or self.path.stat().st_size == 0:
            return False
        os.truncate(self.path, 0)
        return True


_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
