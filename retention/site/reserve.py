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
SHARE = 4
"""On a small disk the reserve is the fourth part of it, no more."""
MARGIN = 16 * 1024 * 1024
"""What must be free besides before the reserve is made again; as much as the reserve,
where that is less."""


class Reserve:
    """The reserve file of one state directory."""

    def __init__(self, state_directory: Path, size: int | None = None) -> None:
        self.path = state_directory / NAME
        self._size = SIZE if size is None else size

    @property
    def size(self) -> int:
        """How large it is to be, in bytes: so that it fits its disk."""
        disk = os.statvfs(self.path.parent)
        return min(self._size, disk.f_blocks * disk.f_frsize // SHARE)

    def whole(self) -> bool:
        """Whether the room is kept."""
        try:
            return self.path.stat().st_size >= self.size
        except FileNotFoundError:
            return False

    def missing(self) -> int:
        """How many bytes must be freed on its disk before it can be made; 0 where it is
        there, or there is room."""
        if self.whole():
            return 0
        disk, size = os.statvfs(self.path.parent), self.size
        return max(0, size + min(MARGIN, size) - disk.f_bavail * disk.f_frsize)

    def too_little(self) -> str:
        """What is said where it can't be made."""
        mib = -(-self.missing() // 2**20)
        return (
            f"the disk of {self.path.parent} is full, or nearly: {mib} MiB must be freed there, "
            f"of which {self.path.name} keeps some so that holds can still be stored"
        )

    def make(self) -> bool:
        """Set the room aside where it is not and there is enough; whether it is."""
        if self.whole():
            return True
        if self.missing():
            return False
        size = self.size
        handle = os.open(self.path, _FLAGS, 0o600)
        try:
            os.posix_fallocate(handle, 0, size)
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
