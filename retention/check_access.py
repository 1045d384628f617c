"""Whether people can reach the service, and have the roles that a release takes.

Looks only; what it says is as true as the moment of looking.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from retention import access, members, spool_directory, unit
from retention.check_footage import Finding, error, warning

if TYPE_CHECKING:
    from retention.settings import Settings

RUNTIME = Path("/run/cctv-retention")
"""Made by systemd for the unit's time, so not there before its first start."""


def findings_of(settings: Settings, *, two_people: bool) -> Iterator[Finding]:
    """Groups, whoever could approve a release, the socket, the spool."""
    yield from _groups(settings)
    if two_people:
        yield from _approvers(settings)
    yield from _socket(settings.socket)
    yield from _spool(settings)


def _groups(settings: Settings) -> Iterator[Finding]:
    for role, names in settings.access:
        for name in names:
            try:
                found = grp.getgrnam(name)
            except KeyError:
                yield warning(
                    f"the group {name} of the {role} does not exist",
                    f"make it (`groupadd --system {name}`), or name another in [access]",
                )
                continue
            if not found.gr_mem and not _primary(found.gr_gid):
                yield warning(
                    f"nobody is in the group {name} of the {role}",
                    f"add them by their own accounts: `usermod -aG {name} NAME`",
                )


def _primary(gid: int) -> bool:
    return any(one.pw_gid == gid for one in pwd.getpwall())


def _approvers(settings: Settings) -> Iterator[Finding]:
    """A release takes two people, the second a supervisor, neither of them root."""
    supervisors = set(members.of(settings, access.SUPERVISOR)) - {"root"}
    people = supervisors | set(members.of(settings, access.OPERATOR)) - {"root"}
    if not supervisors:
        yield warning(
            "nobody is a supervisor, so no release of a hold can be approved",
            "add one: `usermod -aG "
            f"{next(iter(settings.access.supervisors), 'GROUP')} NAME`",
        )
    elif len(people) < 2:
        yield warning(
            f"only {', '.join(people)} could ask for the release of a hold and approve "
            "it, and that takes two people",
            "add a second operator or supervisor to a group of [access]",
        )


def _socket(path: Path) -> Iterator[Finding]:
    directory = path.parent
    if os.path.exists(path) and not path.is_socket():
        yield error(
            f"socket {path} is there and is not a socket, so the service can't start",
            "see what it is and move it away, or name another place",
        )
    try:
        found = os.stat(directory)
    except FileNotFoundError:
        if directory != RUNTIME:
            yield error(
                f"the directory of socket {path} does not exist",
                f"install -d -m 0755 {directory}",
            )
        return
    except OSError as problem:
        yield error(f"socket {path}: {problem.strerror}", "put that right")
        return
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield warning(
            f"others may write in {directory}, so while the service is down somebody "
            "could put a socket of his own in its place",
            f"chmod 0755 {directory}, or name another place for `socket`",
        )
    if closed := _closed(directory):
        yield warning(
            f"{closed} is closed to others (mode {_mode(closed):04o}), so nobody but its "
            "own user reaches the service",
            f"chmod o+x {closed}, or name another place for `socket`",
        )
    if directory != RUNTIME and not unit.may_write(path):
        yield error(
            f"no ReadWritePaths= of {unit.NAME} covers the directory of socket {path}: the "
            "service can't make it",
            f"leave `socket` out for {RUNTIME}, or write "
            f"ReadWritePaths={directory} into {unit.DROP_IN}",
        )


def _closed(directory: Path) -> Path | None:
    """The first directory on the way to it that others can't pass."""
    way = (*reversed(directory.parents), directory)
    return next((one for one in way if not _mode(one) & stat.S_IXOTH), None)


def _mode(directory: Path) -> int:
    try:
        return stat.S_IMODE(os.stat(directory).st_mode)
    except OSError:
        return 0  # not even this user can pass


def _spool(settings: Settings) -> Iterator[Finding]:
    path = settings.spool
    for complaint in spool_directory.complaints(settings):
        yield warning(
            f"spool {path} {complaint}: a hold placed while the service is down could "
            "be lost",
            f"as root: {spool_directory.command(settings)}",
        )
    if os.path.isdir(path) and (closed := _closed(path.parent)):
        yield warning(
            f"{closed} is closed to others (mode {_mode(closed):04o}), so nobody but its "
            f"own user can leave a request in spool {path}",
            f"chmod o+x {closed}, or name another place for `spool`",
        )
    if not unit.may_write(path):
        yield error(
            f"no ReadWritePaths= of {unit.NAME} covers spool {path}: the service can't take "
            "requests out of it",
            f"write ReadWritePaths=-{path} into {unit.DROP_IN}, then systemctl daemon-reload "
            "and restart the service",
        )
