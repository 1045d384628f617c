"""Gathers what a report rests on, of the log of this site."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from retention.catalogue import heads
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.figures import NAME
from retention.model.errors import RetentionError
from retention.reports.evidence import Evidence
from retention.reports.gathering import Folding, figures_at
from retention.tlog import note

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.control.context import Context


@contextmanager
def live(context: Context) -> Iterator[Evidence]:
    """The log of this site, up to its newest signed head, however long a report takes."""
    with figures_at(context.catalogue.path.with_name(NAME)).used() as kept:
        while True:
            with context.catalogue.read(whole=True) as tx:
                signed = heads.newest(tx)
                if signed is None:
                    raise RetentionError(
                        "no checkpoint was signed yet: the service signs one within a "
                        "minute, and a report rests on one"
                    )
                source = CatalogueSource(tx, signed.size)
                origin = note.unverified(signed.note.encode()).origin
                reading = Folding(source, origin, signed.size)
                covered = reading.step(kept)
                if covered.size == signed.size:
                    root = signed.frontier.root()
                    yield reading.evidence(kept, covered, root, context.moment)
                    return


def advance(catalogue: Catalogue, stop: Callable[[], bool]) -> None:
    """Add up what was signed since, slice by slice, as the service does in quiet times.

    Raises CatalogueError.
    """
    kept = figures_at(catalogue.path.with_name(NAME))
    while not stop():
        with kept.used(), catalogue.read() as tx:
            signed = heads.newest(tx)
            if signed is None:
                return
            origin = note.unverified(signed.note.encode()).origin
            source = CatalogueSource(tx, signed.size)
            if Folding(source, origin, signed.size).step(kept).size == signed.size:
                return
