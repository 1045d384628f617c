"""What the office does for all roots in its rounds."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from retention import clock, guards
from retention.audit.listing import listing
from retention.catalogue import roots
from retention.catalogue.db import Priority
from retention.holds.release import note_cooled
from retention.ledger.rollup import KIND, roll_up
from retention.model import MINUTE, Micros

if TYPE_CHECKING:
    from retention.audit.log import Log
    from retention.catalogue.db import Catalogue
    from retention.daemon.alarms import Alarms
    from retention.daemon.root_work import RootWork
    from retention.daemon.worker import Stop
    from retention.model import Actor

ROOT_PATIENCE: Micros = 10 * MINUTE
"""One directory or one file may take this long before a root is stuck."""


def look_for_silence(works: Collection[RootWork], alarms: Alarms, now: Micros) -> None:
    """A disk that does not answer is a guard, so that people hear of it."""
    for work in works:
        for worker in work.workers():
            silent = worker.silent_for(clock.monotonic())
            if silent > ROOT_PATIENCE:
                alarms.trip(
                    guards.ROOT,
                    work.name,
                    f"footage root {work.name} does not answer: {worker.running()} "
                    "hangs; see to its disk or server",
                    now,
                )


def note(catalogue: Catalogue, log: Log, actor: Actor, now: Micros) -> None:
    """What came about by itself goes on record: a cooling off that is over, and the
    opening balance of a root that was adopted since the last roll-up, before anything
    of it is deleted.  Raises CatalogueError."""
    note_cooled(catalogue, log, now, actor)
    with catalogue.read() as tx:
        adopted, rolled = (
            listing(tx, kind=kind, limit=1) for kind in ("root.adopted", KIND)
        )
    if adopted and (not rolled or rolled[0]["index"] < adopted[0]["index"]):
        roll_up(catalogue, log, actor, now)


def keep_books(
    works: Collection[RootWork],
    catalogue: Catalogue,
    log: Log,
    actor: Actor,
    now: Micros,
    stop: Stop | None,
) -> None:
    """Hourly and at stop: how far deletion is, and what was recorded since.

    Raises CatalogueError, and StaleError where a root changed meanwhile.
    """
    keep_caught_up(catalogue, works)
    roll_up(catalogue, log, actor, now, stop)


def keep_caught_up(catalogue: Catalogue, works: Collection[RootWork]) -> None:
    """Written with what is written anyway: a crash leaves an older instant.

    Raises CatalogueError, and StaleError where a root changed meanwhile.
    """
    found = {key: at for work in works for key, at in work.deleter.caught_up().items()}
    with catalogue.read() as tx:
        kept = {row.key: row.caught_up for row in roots.everyone(tx)}
    later = {key: at for key, at in found.items() if at > (kept.get(key) or at)}
    if later:
        with catalogue.write(Priority.SCAN) as tx:
            for key, at in later.items():
                roots.set_caught_up(tx, key, at)
