"""Requests that wait while the service is down: left by a command, taken in at start.

A file's owner, as the kernel keeps it, is who asked; its content is the same request
that the local API takes.  Taking in is done by the service, before anything is deleted.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from retention.model.errors import RetentionError

VERBS = ("hold.place",)
"""What may wait: only what keeps footage."""

LARGEST = 64 << 10
"""Bytes of one request."""

_SUFFIX = ".json"
_REFUSED = ".refused"


class Left(NamedTuple):
    """One file of the spool; `fault` says why it is no request."""

    path: Path
    uid: int
    gid: int
    verb: str
    arguments: dict[str, Any]
    fault: str | None


def leave(directory: Path, verb: str, arguments: dict[str, Any]) -> Path:
    """Leave a request; its path.  OSError where that is not possible, RetentionError
    where the service would not take it in.

    It appears under its own name only once it is whole and durable.
    """
    name = str(arguments["request"])
    path = directory / f"{name}{_SUFFIX}"
    made = directory / f".{name}.new"
    data = json.dumps({"v": 1, "verb": verb, "arguments": arguments}).encode()
    if len(data) > LARGEST:
        raise RetentionError(
            f"the request has {len(data)} bytes, {LARGEST} is the most: say it shorter"
        )
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(made, flags, 0o644)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, 0o644)  # whatever the umask: the service must read it
        file.write(data)
        file.flush()
        os.fsync(handle)
    made.rename(path)
    there = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(there)
    finally:
        os.close(there)
    return path


def waiting(directory: Path) -> Iterator[Left]:
    """What is there, oldest name first; nothing where there is no such directory."""
    try:
        names = sorted(os.listdir(directory))
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.endswith(_SUFFIX) and not name.startswith("."):
            found = _read(directory / name)
            if found is not None:
                yield found


def taken(left: Left) -> None:
    """It was carried out and is on record: the file goes."""
    left.path.unlink()


def refused(left: Left) -> Path:
    """It can't be carried out: the file stays, under another name; which."""
    kept = left.path.with_suffix(_REFUSED)
    left.path.rename(kept)
    return kept


def _read(path: Path) -> Left | None:
    """One request; None where the file has just gone.

    Only a plain file with one name counts: a link would lend its owner's name to what
    somebody else put there.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        own = os.lstat(path)
    except FileNotFoundError:
        return None
    try:
        handle = os.open(path, flags)
    except FileNotFoundError:
        return None
    except OSError as error:
        why = error.strerror or str(error)
        return Left(path, own.st_uid, own.st_gid, "", {}, why)
    try:
        found = os.fstat(handle)
        fault: str | None = None
        data = b""
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            fault = "it is no plain file of one name"
        elif found.st_size > LARGEST:
            fault = f"it is larger than {LARGEST} bytes"
        else:
            data = os.read(handle, LARGEST + 1)
    finally:
        os.close(handle)
    verb = ""
    arguments: dict[str, Any] = {}
    if fault is None:
        try:
            verb, arguments = _parsed(data)
        except RetentionError as error:
            fault = str(error)
    return Left(path, found.st_uid, found.st_gid, verb, arguments, fault)


def _parsed(data: bytes) -> tuple[str, dict[str, Any]]:
    try:
        content = json.loads(data)
        verb, arguments = content["verb"], content["arguments"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise RetentionError("its content is no request") from None
    if verb not in VERBS or not isinstance(arguments, dict):
        raise RetentionError("its content is no request that may wait")
    return verb, arguments
