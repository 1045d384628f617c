"""Parts of a root that its last whole scan did not reach: there may be recordings there."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.db import get_fact, put_fact
from retention.model.values import Micros
from retention.tlog.canonical import path_bytes, path_text

MOST = 20
"""So many are kept by name."""

_FACT = "scan.unread."


_WRITING = "scan.writing."
"""By root: what is written on though it should be done long since."""

_SCAN = "scan.restored."
"""By root: the catalogue was restored then, and not all of the root was read since."""


class Unread(NamedTuple):
    """Paths below the root with why each was not reached, and how many more there are."""

    parts: dict[bytes, str]
    more: int


def note(tx: Connection, root: int, unreached: Mapping[bytes, str]) -> None:
    """What a whole scan of a root did not reach, and why; usually nothing."""
    named = [[path_text(path), why] for path, why in sorted(unreached.items())[:MOST]]
    found = {"parts": named, "more": len(unreached) - len(named)} if named else None
    if found != get_fact(tx, f"{_FACT}{root}"):
        put_fact(tx, f"{_FACT}{root}", found)


def parts(tx: Connection, root: int) -> Unread:
    """What the last whole scan of a root did not reach."""
    found = get_fact(tx, f"{_FACT}{root}") or {"parts": [], "more": 0}
    if found is True:  # of a program that kept no names
        found = {"parts": [], "more": 1}
    named = {path_bytes(path): why for path, why in found["parts"]}
    return Unread(named, found["more"])


def note_writing(tx: Connection, root: int, since: Mapping[int, Micros]) -> None:
    """By camera when the first of its files in a root begins that should be done long
    since and is written on all the same; usually nothing."""
    found = {str(camera): start for camera, start in since.items()} or None
    if found != get_fact(tx, f"{_WRITING}{root}"):
        put_fact(tx, f"{_WRITING}{root}", found)


def writing_since(tx: Connection, root: int, camera: int) -> Micros | None:
    """When the first such file of a camera begins; None where there is none."""
    found: Micros | None = (get_fact(tx, f"{_WRITING}{root}") or {}).get(str(camera))
    return found


def scan_again(tx: Connection, root: int, at: Micros | None) -> None:
    """Nothing of a root is deleted before it was read whole after `at`; None: it was, or
    people accept what was not."""
    put_fact(tx, f"{_SCAN}{root}", at)


def awaited(tx: Connection, root: int) -> Micros | None:
    """Since when a whole scan of a root is waited for, before anything in it goes."""
    found: Micros | None = get_fact(tx, f"{_SCAN}{root}")
    return found


def described(found: Unread) -> str:
    """What was not reached, in words."""
    named = [
        f"{path_text(path) or 'all of it'} ({why})" for path, why in found.parts.items()
    ]
    return ", ".join([*named, *([f"{found.more} more"] if found.more else [])])
