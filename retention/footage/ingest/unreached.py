"""Parts of a root that no scan reaches, and files that do not rest, as alarms.

What is not reached may hold recordings that nobody sees, holds or deletes: a disk that
is mounted below a root, a link to a directory, a directory that can't be read.
"""

from collections.abc import Mapping
from typing import NamedTuple

from retention.catalogue.db import Transaction
from retention.control import alarms, guards
from retention.control.alarms import Condition
from retention.footage.ingest.intake import Parts
from retention.model.values import DAY, Micros
from retention.tlog.canonical import path_text

SHOWN = 3
"""Examples that a detail names."""


class Found(NamedTuple):
    """How many there are, and a few of them in words."""

    number: int
    examples: list[str]


def restless(parts: Parts, now: Micros) -> Found:
    """Files that are written on long after they should be done."""
    found = parts.waiting.restless(now - parts.owners.max_length - DAY)
    return Found(len(found), [_shown(path) for path in sorted(found)[:SHOWN]])


def settle(
    tx: Transaction,
    root: str,
    unreached: Mapping[bytes, str],
    restless: Found,
    now: Micros,
) -> None:
    """The last step of a whole scan's transaction: what of the root it did not reach, by
    path with the reason, and the files that do not rest."""
    parts = [f"{_shown(path)} ({why})" for path, why in sorted(unreached.items())]
    found = {guards.UNREACHED: Found(len(parts), parts), guards.RESTLESS: restless}
    for name, (number, examples) in found.items():
        more = f" and {number - SHOWN} more" if number > SHOWN else ""
        said = {root: Condition("; ".join(examples[:SHOWN]) + more)} if number else {}
        alarms.settle(tx, now, name, said, root=root)


def _shown(path: bytes) -> str:
    return path_text(path) or "the root itself"
