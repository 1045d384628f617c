"""What a verb is given: the parts it works with, who asks, and the one instant."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.model import Actor, Micros

if TYPE_CHECKING:
    from retention.audit.log import Log
    from retention.catalogue.db import Catalogue
    from retention.deletion.gate import Gate
    from retention.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """One request: made by the daemon's API or by an offline command.

    `now` is the request's only reading of the clock (microseconds since the epoch),
    `actor` what the kernel says of the caller (P5).  `gate` is None where no deleter
    can run beside this (offline: the single-instance lock is held instead).  `look`
    scans these roots now and waits up to so many seconds; it returns the names of those
    that did not finish.  None where nobody scans.  `clock` reads the clock once more,
    for what has to say when it was done; nothing is decided by it.
    """

    settings: Settings
    catalogue: Catalogue
    log: Log
    now: Micros
    actor: Actor
    gate: Gate | None = None
    look: Callable[[Collection[str], float], set[str]] | None = None
    clock: Callable[[], Micros] | None = None
