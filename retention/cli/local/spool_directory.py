"""The directory in which requests wait while the service is down: made, and judged.

Sticky, so that nobody takes away what another left; written by those who may place a
hold, and closed to everybody else.  One group goes into the directory's mode, the others
into its access list (acl(5)).
"""

from __future__ import annotations

import errno
import grp
import os
import shlex
import stat
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retention.control import members
from retention.control.verbs import VERBS

if TYPE_CHECKING:
    from retention.site.settings import Settings

MODE = 0o1770
_VERB = "hold.place"
"""Whoever may ask for this may leave it to be done."""

_ACL = "system.posix_acl_access"
_HEADER = struct.Struct("<I")  # posix_acl_xattr.h: version 2, then (tag, perm, id)
_ENTRY = struct.Struct("<HHI")
_USER_OBJ, _GROUP_OBJ, _GROUP, _MASK, _OTHER = 0x01, 0x04, 0x08, 0x10, 0x20
_NO_ID = 0xFFFFFFFF
_ALL = 0o7


def groups(settings: Settings) -> list[str]:
    """The groups whose members may leave a request, each once."""
    named = (
        name for role in VERBS[_VERB].roles for name in members.groups(settings, role)
    )
    return list(dict.fromkeys(named))


def make(settings: Settings) -> str | None:
    """Make the directory where there is none; what is left to do, None if nothing is.

    One that is there stays as it is, whatever its rights: `complaints` judges it.
    """
    path, names = settings.spool, groups(settings)
    if os.path.lexists(path):
        return None
    if missing := [name for name in names if _gid(name) is None]:
        return (
            f"the spool {path} is not made yet, since there is no group "
            f"{', '.join(missing)}: make it (`groupadd --system NAME`), or correct "
            "[access]"
        )
    try:
        os.mkdir(path, 0o700)
        _open_to(
            path,
            [gid for name in names if (gid := _gid(name)) is not None],
            os.stat(settings.state_directory).st_uid,
        )
    except OSError as error:
        return (
            f"the spool {path}, where a hold waits while the service is down, can't be "
            f"made as it must be ({error.strerror}): as root, `{command(settings)}`"
        )
    return None


def command(settings: Settings) -> str:
    """What root types to make the directory, or to give it its rights back."""
    path = shlex.quote(str(settings.spool))
    first, *others = groups(settings) or ["root"]
    owner = f"$(stat -c %u {shlex.quote(str(settings.state_directory))})"
    made = f"install -d -m {MODE:o} -o {owner} -g {shlex.quote(first)} {path}"
    if not others:
        return made
    entries = ",".join(f"g:{name}:rwx" for name in others)
    return f"{made} && setfacl -m {shlex.quote(entries)} {path}"


def complaints(settings: Settings) -> Iterator[str]:
    """What is wrong with the directory, a clause each; `command` puts it right."""
    path = settings.spool
    try:
        found = os.lstat(path)
    except OSError as error:
        yield f"is not there ({error.strerror})"
        return
    if not stat.S_ISDIR(found.st_mode):
        yield "is not a directory"
        return
    if not found.st_mode & stat.S_ISVTX:
        yield "has no sticky bit, so one person could take away what another left"
    if found.st_mode & stat.S_IWOTH:
        yield "can be written by everybody, not only by those who may place holds"
    try:
        if os.stat(settings.state_directory).st_uid != found.st_uid:
            yield "is not the service's own, which must take requests out of it"
    except OSError:
        pass  # told of the state directory itself
    closed = [
        name
        for name in groups(settings)
        if (gid := _gid(name)) is not None and not _open_for(path, found, gid)
    ]
    if closed:
        yield f"can't be used by members of {', '.join(closed)}"


def _gid(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


def _open_to(path: Path, gids: list[int], owner: int) -> None:
    """Open it once it is whose it must be; a crash before leaves it closed to all."""
    uid = owner if os.geteuid() == 0 else -1
    os.chown(path, uid, gids[0] if gids else -1)
    os.chmod(path, MODE)
    if len(set(gids)) > 1:
        os.setxattr(path, _ACL, _packed(sorted(set(gids[1:]))))


def _packed(gids: list[int]) -> bytes:
    entries = [
        (_USER_OBJ, _ALL, _NO_ID),
        (_GROUP_OBJ, _ALL, _NO_ID),
        *((_GROUP, _ALL, gid) for gid in gids),
        (_MASK, _ALL, _NO_ID),
        (_OTHER, 0, _NO_ID),
    ]
    return _HEADER.pack(2) + b"".join(_ENTRY.pack(*entry) for entry in entries)


def _open_for(path: Path, found: os.stat_result, gid: int) -> bool:
    """Whether the group may list, write and search there; listing is what makes a
    request durable."""
    if found.st_mode & 0o007 == _ALL:
        return True
    entries = _entries(path)
    if not entries:
        return gid == found.st_gid and found.st_mode & 0o070 == 0o070
    mask = next((perm for tag, perm, _ in entries if tag == _MASK), _ALL)
    granted = 0
    for tag, perm, id_ in entries:
        if (tag == _GROUP and id_ == gid) or (
            tag == _GROUP_OBJ and found.st_gid == gid
        ):
            granted |= perm & mask
    return granted == _ALL


def _entries(path: Path) -> list[tuple[int, int, int]]:
    try:
        packed = os.getxattr(path, _ACL, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENODATA, errno.ENOTSUP, errno.EACCES, errno.EPERM):
            return []
        raise
    return [
        (tag, perm, id_)
        for tag, perm, id_ in _ENTRY.iter_unpack(packed[_HEADER.size :])
    ]
