"""What the configuration says, and whether people can reach the service that it means and
have the roles that a release takes.

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

from retention.cli.local import spool_directory
from retention.cli.local.finding import Finding, error, warning
from retention.control import members
from retention.control.verbs import OPERATOR, SUPERVISOR
from retention.model.localtime import format_duration
from retention.model.values import DAY
from retention.site import unit
from retention.site.address import NO_CONTACT

if TYPE_CHECKING:
    from retention.site.settings import AccessSettings, RootSettings, Settings

RUNTIME = Path("/run/cctv-retention")
"""Made by systemd for the unit's time, so not there before its first start."""


def findings_of(settings: Settings, *, two_people: bool) -> Iterator[Finding]:
    """Groups, whoever could approve a release, the socket, the spool."""
    yield from _groups(settings)
    if two_people:
        yield from _approvers(settings)
        yield from _logins(settings)
    yield from _socket(settings.socket)
    yield from _spool(settings)


def doubts(settings: Settings) -> Iterator[Finding]:
    """What the configuration may say but should be known."""
    for root in settings.root:
        yield from _outlasts(root, settings)
    if settings.contact == NO_CONTACT:
        yield warning(
            "contact is not set", "write whom to call when something is wrong"
        )
    if not settings.retention.release_requires_two_people:
        yield warning(
            "release_requires_two_people is false, so one person alone can let evidence "
            "go",
            "set it to true where there are two",
        )
    if not settings.retention.require_login_uid:
        yield warning(
            "require_login_uid is false, so one person with two accounts can pass for "
            "two people",
            "set it to true unless this machine does not run systemd",
        )
    if settings.clock_synchronised == "ignored":
        yield warning(
            'clock_synchronised is "ignored", so a wrong clock shows only by its jumps',
            'set it to "auto" if this machine keeps time from the network',
        )
    if settings.retention.release_requires_two_people:  # else one person is meant
        yield from _shared_groups(settings.access)


def _outlasts(root: RootSettings, settings: Settings) -> Iterator[Finding]:
    """Whether the recorder keeps footage for as long as this program may have to."""
    where = f'[[root]] "{root.name}" recorder_keeps'
    days = (settings.retention.days, *(own.days for own in settings.camera.values()))
    needed = max(days) * DAY + settings.retention.cooling_off
    if root.recorder_keeps is None:
        yield warning(
            f"{where} is not set, so nobody can be told when the recorder would delete "
            "held footage itself",
            "write what it is set to",
        )
    elif root.recorder_keeps <= needed:
        yield warning(
            f"{where} ({format_duration(root.recorder_keeps)}) is not longer than the "
            f"longest retention period and cooling_off together "
            f"({format_duration(needed)}), so the recorder deletes footage before this "
            "program may",
            "let the recorder keep it longer",
        )


def _shared_groups(access: AccessSettings) -> Iterator[Finding]:
    """Groups that would give one person two roles that exclude each other."""
    for role, others in (
        ("administrators", ("operators", "supervisors")),
        ("auditors", ("operators", "supervisors", "administrators")),
    ):
        for other in others:
            for group in set(getattr(access, role)) & set(getattr(access, other)):
                yield warning(
                    f'[access] gives the group "{group}" the roles {role} and {other}, '
                    "which are meant to watch each other",
                    "use a group for each",
                )


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
            primary = (one.pw_gid for one in pwd.getpwall())
            if not found.gr_mem and found.gr_gid not in primary:
                yield warning(
                    f"nobody is in the group {name} of the {role}",
                    f"add them by their own accounts: `usermod -aG {name} NAME`",
                )


def _approvers(settings: Settings) -> Iterator[Finding]:
    """A release takes two people, the second a supervisor, neither of them root."""
    supervisors = set(members.of(settings, SUPERVISOR)) - {"root"}
    people = supervisors | set(members.of(settings, OPERATOR)) - {"root"}
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


def _logins(settings: Settings) -> Iterator[Finding]:
    """Whether it can be known who logged in: systemd's slices say so."""
    if settings.retention.require_login_uid and not unit.BOOTED.is_dir():
        yield error(
            "this machine does not run systemd, so that no login can be told from one "
            "that somebody made up, and no release of a hold can be approved",
            "set require_login_uid to false; then two accounts pass for two people",
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
