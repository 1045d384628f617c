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
    """Who runs this process, as the kernel says (P5).

    The login uid survives `sudo` and `su`; 4294967295 means that nobody logged in.
    """
    uid = os.getuid()
    return Actor(
        uid=uid, login=_login_uid(), pid=os.getpid(), role=ROLE, name=name_of(uid)
    )


def _login_uid() -> int:
    try:
        return int(Path("/proc/self/loginuid").read_text())
    except FileNotFoundError:  # a kernel without auditing
        return UNSET_LOGIN


def name_of(uid: int) -> str | None:
    """The user's name, or None where the system knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None
