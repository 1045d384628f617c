"""Camera lists and pairs as files: read and written by whoever types, never by the
service, which would open what its caller may not."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from retention.model.errors import RetentionError, UsageError

MAX_BYTES = 2_000_000
"""Some ten thousand cameras."""


def packed(path: str) -> dict[str, str]:
    """A file as a request carries it: its name, and its bytes in base64.

    RetentionError where it can't be read, or is no list by its size.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RetentionError(f"{path} can't be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise RetentionError(f"{path} is larger than 2 MB; is it a camera list?")
    return {"file": path, "data": base64.b64encode(data).decode()}


def unpacked(file: str, data: str) -> bytes:
    """The bytes that a request carries."""
    try:
        found = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise UsageError(f"the content of {file} is not in base64") from None
    if len(found) > MAX_BYTES:
        raise UsageError(f"{file} is larger than 2 MB; is it a camera list?")
    return found


def write_new(path: str, text: str) -> None:
    """Never over an existing file: it may be one that a person has edited."""
    try:
        with Path(path).open("xb") as file:
            file.write(text.encode())
    except FileExistsError as error:
        raise RetentionError(f"{path} exists already; name another file") from error
    except OSError as error:
        raise _unwritten(path, error) from error


def write_over(path: str, text: str) -> None:
    """Whole or not at all, whatever was there."""
    new = Path(f"{path}.new")
    try:
        new.write_bytes(text.encode())
        new.replace(path)
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: str, error: OSError) -> RetentionError:
    return RetentionError(f"{path} can't be written: {error.strerror}")
