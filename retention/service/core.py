"""What the parts of the daemon share, and what each does when something fails."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import retention
from retention.catalogue import db, raised
from retention.control import guards
from retention.control.alarms import disk_full, guard_of
from retention.control.context import Context
from retention.model.errors import (
    CatalogueError,
    PublicationError,
    RetentionError,
    StaleError,
    TooLongError,
)
from retention.model.values import SECOND
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from retention.catalogue.db import Catalogue
    from retention.catalogue.log import Author, Log
    from retention.control.alarms import Alarms
    from retention.control.context import Inspect
    from retention.control.gate import Gate
    from retention.model.values import Actor, Micros
    from retention.service.remembering import RootMemory
    from retention.service.timekeeper import Judged
    from retention.site.reserve import Reserve
    from retention.site.settings import Settings

_PACKAGE = str(Path(retention.__file__).parent)


@dataclass(frozen=True, slots=True)
class Core:
    """One value for all of them.

    `actor` is the service itself; `judge` reads the one clock, judged; `crashed` is told
    of what nobody expected outside the roots, and ends the service; `memories` keep the
    newest head in each root, by its name.
    """

    settings: Settings
    catalogue: Catalogue
    log: Log
    actor: Actor
    gate: Gate
    reserve: Reserve
    alarms: Alarms
    judge: Callable[[], Judged]
    crashed: Callable[[str, BaseException], None]
    memories: Mapping[str, RootMemory] = field(default_factory=dict)

    def now(self) -> Micros:
        """The one clock, whether it is believed or not."""
        return self.judge().now

    def by(self, now: Micros) -> Author:
        """What the service appends of its own accord, acting at `now`."""
        return self.log.by(self.actor, now)

    def context(
        self,
        now: Micros,
        who: Actor,
        rescan: Callable[[Collection[str], float], set[str]] | None = None,
        inspect: Inspect | None = None,
    ) -> Context:
        """What a verb is given that `who` asks for."""
        return Context(
            self.settings, self.catalogue, self.log, now, who, self.gate, rescan,
            self.now, inspect, self.alarms.unwritten,
        )  # fmt: skip

    def names_doubted(self, root: str) -> bool:
        """Whether time-zone data changed by which a root's names are read."""
        with self.catalogue.read() as tx:
            return raised.is_raised(tx, guards.ZONE, root)

    def make_room(self) -> bool:
        """Release the reserve if it is room that is missing; whether there was any."""
        return db.out_of_room(self.catalogue.path) and self.reserve.release()

    def failed(self, error: Exception, root: str, now: Micros) -> None:
        """Trip the guard that an error calls for, for `root` where it is the root's; room
        is made where there is none.

        After an error of the catalogue its connections are opened anew: whether the
        last commit was one is known only by reading the file again.
        """
        if isinstance(error, StaleError):
            journal.warning("stale", root=root, error=str(error))
            return
        guard = guard_of(error)
        if isinstance(error, CatalogueError) and not isinstance(error, TooLongError):
            self.catalogue.close()
            if disk_full(error) and self.reserve.release():
                journal.error("reserve.released", path=str(self.reserve.path))
        soft = isinstance(error, PublicationError)
        scope = root if guards.ALARMS[guard].of_a_root else ""
        self.alarms.trip(guard, scope, _text(error, root), now, writable=soft)


def _text(error: Exception, root: str) -> str:
    if isinstance(error, TooLongError):
        return (
            f"a reading of the catalogue, {_reading(error)}, took longer than "
            f"{db.LONGEST_READ // SECOND} s and was ended; nothing is deleted until all "
            "is read in time"
        )
    if not isinstance(error, RetentionError | OSError):
        return (
            f"footage root {root}: a fault in this program, {type(error).__name__}; the "
            "journal has the details, send them to whoever looks after it. It is tried "
            "again by itself, each time later"
        )
    if isinstance(error, OSError) and error.strerror:
        where = f" ({error.filename!r})" if error.filename else ""
        return f"footage root {root}: {error.strerror}{where}"
    return str(error)


def _reading(error: Exception) -> str:
    """What of this program was read for, by the names of its modules and functions."""
    frames = [one.f_code for one, _ in traceback.walk_tb(error.__traceback__)]
    own = [one for one in frames if one.co_filename.startswith(_PACKAGE)]
    found = [one for one in own if one.co_filename != db.__file__]
    if not found:
        return "of nobody knows what"
    return f"{Path(found[-1].co_filename).stem}.{found[-1].co_name}"
