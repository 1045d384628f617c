"""Who is at the other end of a connection, as the kernel says (promise P5)."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import select
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from retention.control import members
from retention.control.verbs import ADMINISTRATOR, ROLES
from retention.model.values import Actor
from retention.site.caller import UNSET_LOGIN, login_of, name_of

if TYPE_CHECKING:
    from retention.site.settings import Settings

_UCRED = struct.Struct("iII")  # struct ucred: pid, uid, gid (unix(7))
_NOBODY = 2**32 - 1
_SO_PEERPIDFD = 77  # asm-generic/socket.h, Linux 6.5; Python has no name for it


class Peer(NamedTuple):
    """SO_PEERCRED: process, user and group at the moment of the connect.

    `login` is who logged in, which `sudo` and `su` do not change; UNSET_LOGIN where
    that is not known.
    """

    pid: int
    uid: int
    gid: int
    login: int = UNSET_LOGIN


def of(connection: socket.socket) -> Peer | None:
    """The peer of a connection that was accepted just now; None where the kernel names
    none, which means: deny.

    Not to be put off until the request is here: meanwhile the process could hand the
    connection on, end, and have its number taken by somebody else's.
    """
    try:
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    except OSError:
        return None
    pid, uid, gid = _UCRED.unpack(raw)
    if pid <= 0 or uid == _NOBODY:
        return None
    login = _login_uid(pid, uid)
    # Asked after its login was read: had it gone by then, the number was another's.
    return Peer(pid, uid, gid, login if _still_there(connection) else UNSET_LOGIN)


def actor(peer: Peer, role: str) -> Actor:
    """The peer as the audit log names it; `role` is the one it acts in."""
    return Actor(
        uid=peer.uid,
        login=peer.login,
        pid=peer.pid,
        role=role,
        name=name_of(peer.uid),
    )


def _login_uid(pid: int, uid: int) -> int:
    """Not known either where the process has gone or runs as another user by now: its
    number may be that of a stranger."""
    process = Path("/proc") / str(pid)
    login = login_of(process)
    try:
        return login if os.stat(process).st_uid == uid else UNSET_LOGIN
    except OSError:
        return UNSET_LOGIN


def _still_there(connection: socket.socket) -> bool:
    """Whether the very process that connected still runs, whatever has its number.

    Kernels before 6.5 can't say; there the time between connect and accept is not
    watched.
    """
    try:
        handle = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError as error:
        return error.errno == errno.ENOPROTOOPT
    try:
        ended = select.poll()
        ended.register(handle, select.POLLIN)
        return not ended.poll(0)
    finally:
        os.close(handle)


def roles(settings: Settings, uid: int, *, one_person: bool) -> list[str]:
    """The roles of a user, by today's group database: a membership that was taken
    away ends at once, whatever a session that is still open was given.

    Root is administrator, nothing more; only at a site of one person
    (`one_person`) may the settings name root's own group for other roles.
    """
    found = _by_groups(settings, _groups(uid))
    if uid == 0 and not one_person:
        return [ADMINISTRATOR]
    if uid == 0 and ADMINISTRATOR not in found:
        found.append(ADMINISTRATOR)
    return found


def listed(settings: Settings, who: Actor) -> bool:
    """Whether a user is listed by name among those who have the role they act in."""
    return who.name in members.of(settings, who.role)


def _groups(uid: int) -> set[str]:
    """The names of a user's groups; none where no database knows the user: a container's,
    or one of the subordinate uids that each user may run processes under."""
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return set()
    names = set()
    for gid in os.getgrouplist(user.pw_name, user.pw_gid):
        with suppress(KeyError):
            names.add(grp.getgrgid(gid).gr_name)
    return names


def _by_groups(settings: Settings, names: set[str]) -> list[str]:
    return [
        role for role in ROLES if not names.isdisjoint(members.groups(settings, role))
    ]
