"""What the installed systemd unit and its drop-ins say, as their files have it.

A look, not systemd's own word: `check` and `init` run where systemd may not be asked.
"""

from __future__ import annotations

import shlex
from pathlib import Path

NAME = "cctv-retention.service"
DIRECTORIES = (
    Path("/etc/systemd/system"),
    Path("/usr/lib/systemd/system"),
    Path("/lib/systemd/system"),
)
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


def _values(key: str) -> list[str]:
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
                found = [*found, *_words(value)] if value.strip() else []
    return found


def _words(value: str) -> list[str]:
    """The words of a value, which may be quoted; `%%` stands for a percent sign."""
    try:
        words = shlex.split(value)
    except ValueError:  # a quotation mark that nothing closes
        words = value.split()
    return [word.replace("%%", "%") for word in words]
