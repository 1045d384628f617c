"""What the installed systemd unit and its drop-ins say, as their files have it.

A look, not systemd's own word: `check` and `init` run where systemd may not be asked.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from pathlib import Path

NAME = "cctv-retention.service"
DIRECTORIES = (
    Path("/etc/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)
FSTAB = Path("/etc/fstab")
BOOTED = Path("/run/systemd/system")
"""There where systemd runs the machine (sd_booted(3))."""
MOUNTS = Path("/proc/self/mountinfo")
DROP_IN = f"/etc/systemd/system/{NAME}.d/footage.conf"
"""Where a site says what else the service may write to."""


_CREDENTIALS = (
    *("LoadCredential", "LoadCredentialEncrypted", "SetCredentialEncrypted"),
    "ImportCredential",
)


def installed() -> bool:
    """Whether there is any file of it."""
    return bool(_files())


def covers(key: str, path: Path) -> bool:
    """Whether a list of directories, such as ReadWritePaths=, has this one in it."""
    named = (Path(value.lstrip("-+")) for value in _values(key))
    return any(path == one or one in path.parents for one in named)


def waits_for(path: Path) -> bool:
    """Whether it starts after the mount of what is there, and has it mounted."""
    name = mount_unit(mount_point(path))
    return all(name in _values(key, str.split) for key in ("Wants", "After"))


def mount_point(path: Path) -> Path:
    """The mount that a path lies on, now or by fstab; the path itself where that is the
    system's own: then it is to be one."""
    points = fstab_points()
    for one in (path, *path.parents[:-1]):
        if one in points or is_mounted(one):
            return one
    return path


def is_mounted(point: Path) -> bool:
    """Whether the kernel lists a mount there; a bind mount has its parent's device, so
    comparing devices would not tell."""
    try:
        text = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return os.path.ismount(point)
    return any(
        _unescaped(line.split(" ", 5)[4]) == str(point)
        for line in text.split("\n")[:-1]
    )


def mount_unit(point: Path) -> str:
    """The name of the unit of a mount (systemd-escape(1))."""
    text = os.fsencode(point).strip(b"/")
    shown = re.sub(rb"[^A-Za-z0-9:_./]|^\.", _escaped, text).replace(b"/", b"-")
    return f"{shown.decode() or '-'}.mount"


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\x%02x" % ord(found[0])


def fstab_points() -> list[Path]:
    """What fstab mounts, the longest path first."""
    try:
        text = FSTAB.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    fields = [line.split() for line in text.splitlines()]
    points = [
        Path(_unescaped(field[1]))
        for field in fields
        if len(field) >= 2 and not field[0].startswith("#") and field[1][0] == "/"
    ]
    return sorted(points, key=lambda point: len(point.parts), reverse=True)


def _unescaped(text: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text


def may_write(path: Path) -> bool:
    """Whether it lets the service write there; so, where there is none."""
    return not installed() or covers("ReadWritePaths", path)


def loads(credential: str) -> bool:
    """Whether the service gets a credential of that name (systemd.exec(5))."""
    return any(
        value.partition(":")[0] == credential
        for key in _CREDENTIALS
        for value in _values(key)
    )


def _files() -> list[Path]:
    return [
        file
        for directory in DIRECTORIES
        for file in (
            directory / NAME,
            *sorted((directory / f"{NAME}.d").glob("*.conf")),
        )
        if file.exists()
    ]


def _words(value: str) -> list[str]:
    """The words of a value, which may be quoted; `%%` stands for a percent sign."""
    try:
        words = shlex.split(value)
    except ValueError:  # a quotation mark that nothing closes
        words = value.split()
    return [word.replace("%%", "%") for word in words]


def _values(key: str, words: Callable[[str], list[str]] = _words) -> list[str]:
    """What a setting lists, by all files; an empty one begins anew (systemd.syntax(7))."""
    found: list[str] = []
    for file in _files():
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for line in text.replace("\\\n", " ").splitlines():
            name, _, value = line.partition("=")
            if name.strip() == key:
                found = [*found, *words(value)] if value.strip() else []
    return found
