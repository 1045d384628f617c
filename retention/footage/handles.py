"""Numbers of open files that can't be confused, and which mount a file is on."""

import errno
import os
from collections.abc import Callable

_NETWORK = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "fuse"}
_NETWORK |= {"afs", "beegfs", "gfs2", "lustre", "ocfs2", "vboxsf", "virtiofs"}


class Handle(int):
    """The number of an open file, which is closed when nobody refers to it any more.

    A plain number could be closed by one thread while another is about to unlink by
    it; by then it may be the number of another directory.
    """

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        close(self)  # as an argument: at exit the module may be gone before


def open_directory(
    path: bytes | os.PathLike[str], parent: Handle | None = None
) -> Handle:
    """Open a directory for reading; never the target of a link.  OSError passes."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    return Handle(os.open(path, flags, dir_fd=parent))


def mount_id(handle: Handle) -> int:
    """The kernel's number of the mount that an open file was reached through.

    It tells a bind mount of the same device apart, which the device number doesn't.
    """
    info = Handle(os.open(f"/proc/self/fdinfo/{handle}", os.O_RDONLY | os.O_CLOEXEC))
    for line in os.read(info, 4096).splitlines():
        if line.startswith(b"mnt_id:"):
            return int(line[7:])
    raise OSError(errno.ENOTSUP, "the kernel doesn't tell mounts apart")


def file_system(mount: int) -> str:
    """Type of a mount's file system ("ext4"); "" where this process doesn't see it."""
    with open("/proc/self/mountinfo", "rb") as mounts:
        for line in mounts:
            if int(line.split(b" ", 1)[0]) == mount:
                return line.partition(b" - ")[2].split(b" ", 1)[0].decode()
    return ""


def is_network(kind: str) -> bool:
    """Whether others can change such a file system behind this machine's back."""
    return not kind or kind in _NETWORK or kind.startswith("fuse.")


def said(error: OSError) -> str:
    """An OSError's own words, without Python's number."""
    return error.strerror or str(error)
