"""A disk of a test's own whose power can be cut: ext4 in a file, through a loop device."""

import fcntl
import os
import struct
import subprocess
from pathlib import Path

_SHUTDOWN = 0x8004587D
"""EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), of linux/fs/ext4/ext4.h."""
_NOLOGFLUSH = struct.pack("I", 2)
"""What the journal has in memory is lost too, as when the power goes."""


class Disk:
    """Mounted at `where`; empty."""

    def __init__(self, image: Path, where: Path) -> None:
        self.image, self.where = image, where
        where.mkdir(parents=True, exist_ok=True)
        with image.open("wb") as file:
            file.truncate(64 * 2**20)
        subprocess.run(["mkfs.ext4", "-q", "-I", "256", image], check=True)
        self.mount()
        (where / "lost+found").rmdir()

    def mount(self) -> None:
        command = ["mount", "-o", "loop", self.image, self.where]
        subprocess.run(command, check=True)

    def unmount(self) -> None:
        subprocess.run(["umount", self.where], check=True)

    def cut(self) -> None:
        """From here on nothing reaches it: what was not synced is lost.

        What has reached it is copied, and mounted next: a namespace that another process
        made meanwhile keeps a copy of each mount, and with it the disk as it was.
        """
        handle = os.open(self.where, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _NOLOGFLUSH)
        finally:
            os.close(handle)
        there = self.image.with_name(f"{self.image.name}.cut")
        subprocess.run(["cp", "--sparse=always", self.image, there], check=True)
        self.image = there

    def sync(self) -> None:
        subprocess.run(["sync", "-f", self.where], check=True)
