"""Who runs this process: read from the kernel, never from a flag (promise P5)."""

import os
import pwd
from pathlib import Path

from retention.model.values import Actor

SERVICE_USER = "cctv-retention"
ROLE = "offline"
"""The role of whoever may open the closed catalogue while no daemon runs."""
UNSET_LOGIN = 4_294_967_295


def caller() -> Actor:
    """Who runs this process, as the kernel says (P5)."""
    uid = os.getuid()
    login = login_of(Path("/proc/self"))
    return Actor(uid=uid, login=login, pid=os.getpid(), role=ROLE, name=name_of(uid))


def login_of(process: Path) -> int:
    """Who logged in to the session of a process, by its directory in /proc; UNSET_LOGIN
    where nobody did, or that can't be told.

    It survives `sudo` and `su`.  A process without one may write any user's number
    there, so it counts only with the place that systemd gives to a login, which nobody
    but root can move a process to.
    """
    try:
        login = int((process / "loginuid").read_text())
        cgroups = (process / "cgroup").read_text()
    except (OSError, ValueError):  # also a kernel without auditing or control groups
        return UNSET_LOGIN
    return login if logged_in(login, cgroups) else UNSET_LOGIN


def logged_in(login: int, cgroups: str) -> bool:
    """Whether a process in these control groups (its file `cgroup` in /proc) is of a
    session that `login` opened, or was started from one.

    Of cron, a service or a container none is.  Pure.
    """
    paths = {}
    for line in cgroups.splitlines():
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        paths[controllers] = path
    # Beside the hierarchies of version 1 systemd keeps one of its own.
    path = paths.get("name=systemd", paths.get("", ""))
    return path.startswith(f"/user.slice/user-{login}.slice/")


def name_of(uid: int) -> str | None:
    """The user's name, or None where the system knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
