"""What the service does for all roots: what is compared before it takes anything up
(log, site, roots), its rounds, and the hourly heartbeat, by which silence is told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from retention.catalogue import due, holds, policies, roots, zones
from retention.catalogue import log as audit
from retention.catalogue.db import Priority, get_meta
from retention.catalogue.due import Span
from retention.catalogue.log import Author
from retention.control import alarms, guards
from retention.control.alarms import Condition
from retention.holds.release import note_cooled
from retention.holds.reviews import cap_reviews
from retention.model.errors import CatalogueError, RetentionError, SettingsError
from retention.model.policy import BEGINNING
from retention.model.values import MINUTE, SECOND, Micros
from retention.publication.compare import check_origin
from retention.reports import live
from retention.reports.rollup import KIND, close, roll_up
from retention.site import clock
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue, Transaction
    from retention.control.alarms import Alarms
    from retention.control.context import Context
    from retention.model.values import Micros
    from retention.service.root_work import RootWork
    from retention.service.worker import Stop
    from retention.site.clock import Reading
    from retention.site.settings import Settings


def balance(catalogue: Catalogue, reading: Reading, cycle: Micros) -> dict[str, Any]:
    """The fields of the entry `heartbeat`, with one short reading for each root."""
    now = reading.wall
    with catalogue.read() as tx:
        found = [row.key for row in roots.everyone(tx)]
        number, held = holds.held_cameras(tx, now)
    parts = [_of_root(catalogue, root, now, cycle) for root in found]
    return {
        "recordings": sum(count for count, _, _ in parts),
        "overdue": sum(overdue for _, overdue, _ in parts),
        "held_cameras": held,
        "holds": number,
        "oldest_unheld": min((o for _, _, o in parts if o is not None), default=None),
        "wall": now,
        "boottime": reading.boottime,
        "synchronised": reading.synchronised,
    }


def _of_root(
    catalogue: Catalogue, root: int, now: Micros, cycle: Micros
) -> tuple[int, int, Micros | None]:
    """Recordings, overdue ones, and the start of the oldest that no hold keeps."""
    with catalogue.read() as tx:
        count = roots.count_recordings(tx, root)
        policy = policies.current(tx)
        failed = due.total_failed(tx, root).number
    if policy is None:
        return count, failed, None
    late = Span(BEGINNING, now - cycle)
    coming = due.outlook(catalogue, root, policy, now, late)
    return count, failed + coming.overdue.number, coming.first


def beat(tx: Transaction, fields: Mapping[str, Any]) -> None:
    """The hourly heartbeat, as the last step of a transaction: what it counts is what the
    books have, so that whoever has the log alone can hold the two against each other."""
    counted = close(tx)
    if counted:
        found = (roots.count_recordings(tx, row.key) for row in roots.everyone(tx))
        fields = {**fields, "recordings": sum(found)}
    tx.append("heartbeat", fields, counted=counted)


FIGURES_FOR: Micros = 10 * SECOND
"""So long are figures added up at a time: nothing else is looked after meanwhile."""

ROOT_PATIENCE: Micros = 10 * MINUTE
"""One directory or one file may take this long before a root is stuck."""


def look_for_silence(works: Collection[RootWork], told: Alarms, now: Micros) -> None:
    """A disk that does not answer is a guard, so that people hear of it."""
    for work in works:
        for worker in work.workers():
            silent = worker.silent_for(clock.monotonic())
            if silent > ROOT_PATIENCE:
                told.trip(
                    guards.ROOT,
                    work.name,
                    f"footage root {work.name} does not answer: {worker.running()} "
                    "hangs; see to its disk or server",
                    now,
                )


def note(catalogue: Catalogue, author: Author) -> None:
    """What came about by itself goes on record: a cooling off that is over, reviews
    that a clock in doubt put too far off, and the opening balance of a root that was
    adopted since the last roll-up, before anything of it is deleted.  Raises
    CatalogueError."""
    note_cooled(catalogue, author)
    cap_reviews(catalogue, author)
    with catalogue.read() as tx:
        adopted, rolled = (audit.newest(tx, kind) for kind in ("root.adopted", KIND))
    if adopted > rolled:
        roll_up(catalogue, author)


def watch_zones(context: Context) -> None:
    """A root whose names the system's time-zone data read otherwise than before is
    neither scanned nor deleted from.  At start, and hourly: a process reads those data
    once.  Raises CatalogueError.
    """
    with context.catalogue.read() as tx:
        found = roots.everyone(tx)
        told = {
            root.name: Condition("; ".join(sentences))
            for root in found
            if (sentences := zones.changed(tx, root.key))
        }
    with context.write(Priority.DELETION) as tx:
        for root in found:
            if root.name not in told:
                zones.keep(tx, root.key, context.now)
        alarms.settle(tx, context.now, guards.ZONE, told)


def keep_books(
    works: Collection[RootWork], catalogue: Catalogue, author: Author, stop: Stop | None
) -> None:
    """Hourly and at stop: how far deletion is, and what was recorded since.

    Raises CatalogueError, and StaleError where a root changed meanwhile.
    """
    keep_caught_up(catalogue, works)
    roll_up(catalogue, author, stop)


def keep_figures(catalogue: Catalogue, stop: Stop) -> None:
    """Hourly: what reports go by is added up as far as the log is signed, for so long.

    They are derived: what can't be kept of them is no fault of the catalogue's, stops
    nothing, and is made good by whoever asks for a report.
    """
    until = clock.monotonic() + FIGURES_FOR
    try:
        live.advance(catalogue, lambda: stop() or clock.monotonic() > until)
    except RetentionError as error:
        journal.warning("figures.behind", error=str(error))


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


def check_head(catalogue: Catalogue, settings: Settings) -> None:
    """The log ends where its head says, and is this site's; CatalogueError and
    SettingsError say what to do."""
    with catalogue.read() as tx:
        size = audit.size(tx)
        site = get_meta(tx).get("site", settings.site)
        if size == 0:
            raise CatalogueError(
                f"{catalogue.path} has no audit log yet: `retention init` was "
                "interrupted, run it again"
            )
        last = audit.read(tx, size - 1)
    if last["index"] != size - 1:
        raise CatalogueError(
            f"the audit log's head is {size} and its last entry {last['index']}: run "
            "`retention audit verify`; nothing is deleted"
        )
    if site != settings.site:
        raise SettingsError(
            f"the catalogue is that of site {site}, the configuration says "
            f"{settings.site}: correct `site`, or state_directory; a second site is a "
            "second installation"
        )
    check_origin(catalogue, settings)


def forgotten_roots(
    catalogue: Catalogue, settings: Settings
) -> Iterator[tuple[str, str]]:
    """Roots of the catalogue that the settings do not name: name, and what to do."""
    names = {root.name for root in settings.root}
    with catalogue.read() as tx:
        found = [row for row in roots.everyone(tx) if row.name not in names]
    for row in found:
        yield (
            row.name,
            f"footage root {row.name} ({row.path}) is not in the configuration, so "
            "nothing in it is deleted: add its [[root]] again",
        )
