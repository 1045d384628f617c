"""What a verb is given: the parts it works with, who asks, and the one instant."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from retention.control import alarms
from retention.model.localtime import Moment
from retention.model.values import Actor, Micros

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from retention.catalogue.db import Catalogue, Priority, Transaction
    from retention.catalogue.log import Author, Log
    from retention.catalogue.raised import Raised
    from retention.control.gate import Gate
    from retention.model.answers.hold import Inspection
    from retention.model.policy import Holds
    from retention.site.settings import Settings

    Inspect = Callable[[Mapping[int, Holds], Collection[str], int, float], Inspection]


@dataclass(frozen=True, slots=True)
class Context:
    """One request: made by the daemon's API or by an offline command.

    `now` is the request's only reading of the clock (microseconds since the epoch),
    `actor` what the kernel says of the caller (P5).  `gate` is None where no deleter
    can run beside this (offline: the single-instance lock is held instead).  `rescan`
    scans these roots now and waits up to so many seconds; it returns the names of those
    that did not finish.  `inspect` looks in these roots at what these holds (by camera key)
    keep, as many files and seconds as given.  Both None where nobody scans.  `clock`
    reads the clock once more, for what has to say when it was done; nothing is decided
    by it.  `unwritten` are the guards that hold and could not be put on record yet.
    `listed`: whether the caller is listed by name among those who have the role; None
    where nobody asks over the socket.
    """

    settings: Settings
    catalogue: Catalogue
    log: Log
    now: Micros
    actor: Actor
    gate: Gate | None = None
    rescan: Callable[[Collection[str], float], set[str]] | None = None
    clock: Callable[[], Micros] | None = None
    inspect: Inspect | None = None
    unwritten: Callable[[], list[Raised]] | None = None
    listed: Callable[[], bool] | None = None

    def write(self, priority: Priority) -> AbstractContextManager[Transaction]:
        """A transaction that appends in the caller's name: see `Catalogue.write`."""
        return self.catalogue.write(priority, self.author)

    def doubt_of_clock(self) -> str | None:
        """Why `now` is not to be believed; None where nothing speaks against it."""
        with self.catalogue.read() as tx:
            return alarms.doubt_of_clock(tx, self.now)

    @property
    def moment(self) -> Moment:
        """By which the times are read that somebody typed."""
        return Moment(self.settings.timezone, self.now, self.doubt_of_clock)

    @property
    def author(self) -> Author:
        """In whose name this request appends to the log."""
        return self.log.by(self.actor, self.now)
