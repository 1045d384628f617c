"""Where the service is and whom to call: what a command must know before it can ask.

Read without the settings' checks, which take longer than the whole command may: the
service has checked the same file.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from retention.model.errors import SettingsError

DEFAULT_CONFIG = Path("/etc/cctv-retention/retention.toml")
DEFAULT_SOCKET = Path("/run/cctv-retention/api.sock")
DEFAULT_SPOOL = Path("/var/spool/cctv-retention")
DEFAULT_ZONE = "Europe/London"
NO_CONTACT = "whoever looks after this computer"

_ROOM = 100
"""Bytes of a socket's path that every kernel takes (sun_path is 108, unix(7))."""


class Whereabouts(NamedTuple):
    """`zone` is None where the configuration can't be read: then nobody here knows
    which zone a time without an offset is meant in."""

    socket: Path
    spool: Path
    contact: str
    zone: str | None


def find(
    config: Path | None, socket: Path | None, environment: Mapping[str, str]
) -> Whereabouts:
    """From the command line, the environment and the configuration, in that order.

    A configuration that was named must be readable (SettingsError); the default one
    need not be: the service is then asked where it usually is.
    """
    values = _read(config or DEFAULT_CONFIG, named=config is not None)

    def value(key: str, default: str | None) -> str | None:
        found = environment.get(f"RETENTION_{key.upper()}")
        if found is None and values is not None:
            found = values.get(key)
        return found if isinstance(found, str) and found else default

    return Whereabouts(
        socket=socket or Path(str(value("socket", str(DEFAULT_SOCKET)))),
        spool=Path(str(value("spool", str(DEFAULT_SPOOL)))),
        contact=str(value("contact", NO_CONTACT)),
        zone=value("timezone", None if values is None else DEFAULT_ZONE),
    )


def _read(path: Path, *, named: bool) -> dict[str, Any] | None:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        if not named:
            return None
        why = getattr(error, "strerror", None) or str(error)
        raise SettingsError(
            f"{path} can't be read ({why}): name the service's configuration with "
            "--config or RETENTION_CONFIG, or its socket with --socket"
        ) from error


class reachable:
    """The path as the kernel takes it: a long one by way of its open directory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._directory: int | None = None

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= _ROOM:
            return str(self._path)
        self._directory = os.open(
            self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        )
        return f"/proc/self/fd/{self._directory}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        if self._directory is not None:
            os.close(self._directory)
