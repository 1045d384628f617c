"""What `retention check` finds: each says what is wrong and what to do about it."""

from collections.abc import Callable
from typing import NamedTuple

Progress = Callable[[str], None]
"""Told of long walks."""


class Finding(NamedTuple):
    """`level`: "error" where footage is not deleted on time, else "warning"."""

    level: str
    what: str
    remedy: str


def error(what: str, remedy: str) -> Finding:
    """Something that must be mended before footage is deleted on time."""
    return Finding("error", what, remedy)


def warning(what: str, remedy: str) -> Finding:
    """Something that should be known."""
    return Finding("warning", what, remedy)
