"""Owns the check of a log that lies in a database: every hash computed again.

A published directory is checked in `published`.  Nothing is written again to be
compared: the leaf is the stored bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from retention.tlog import merkle
from retention.tlog.canonical import base64url
from retention.tlog.entry import Stored
from retention.tlog.lawful.fold import Lawful
from retention.tlog.unsigned import Stretch
from retention.tlog.verify.books import Books, Indexed, placed
from retention.tlog.verify.findings import Depth, Fault, FaultError, Verification

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue

__all__ = ["Depth", "Fault", "Verification", "verify", "verify_catalogue"]

PAGE = 500
"""Entries read in one transaction: none stays open for long."""


class Signed(NamedTuple):
    """A signed head: where it was found, and its root."""

    where: str
    root: bytes


def verify(
    entries: Iterable[Stored],
    size: int,
    root: bytes,
    *,
    deep: bool = False,
    unindexed: Indexed | None = None,
    signed: Mapping[int, Signed] | None = None,
    lawful: Lawful | None = None,
    unsigned: Callable[[], Collection[Stretch]] = tuple,
) -> Verification:
    """Check entries, in order from 0, against a head of `size` and `root`, and against
    `signed` heads by their sizes.

    Stops at the first fault.  `deep` decodes every row file and computes its root; else
    its digest is compared.  `unindexed` gives a (camera, hour) under which an entry
    should be found and is not.  `lawful` judges each that is right.  `unsigned` gives
    what came back under no head.
    """
    report = Verification(size, Depth.DEEP if deep else Depth.TREE)
    books = Books(report, unindexed)
    books.unsigned = unsigned
    frontier = merkle.Frontier()
    last: Stored | None = None
    try:
        for stored in entries:
            if stored.number != frontier.size:
                raise FaultError(frontier.size, f"is missing: {stored.number} follows")
            if frontier.size >= size:
                raise FaultError(size, "is beyond the head, which does not know it")
            entry = placed(stored, last)
            books.one(entry, stored)
            if lawful is not None:
                lawful.take(entry, stored)
            frontier = frontier.append(merkle.leaf(stored.data))
            last = stored
            _as_signed(frontier, signed or {})
            report.intact = frontier.size
        _end(frontier, size, root)
        _none_larger(size, signed or {})
    except FaultError as error:
        report.add(error.fault)
        report.intact = error.fault.entry or 0
    report.root = frontier.root()
    report.open_intents = sorted(books.intents)
    report.verdict = None if lawful is None else lawful.end()
    return report


def _end(found: merkle.Frontier, said: int, root: bytes) -> None:
    """All entries are there: the tree over them must be the head's."""
    if found.size < said:
        raise FaultError(found.size, f"is missing: the head says {said} entries")
    if found.root() != root:
        # Each entry names the one before it, so it is the last one - or all were
        # written anew from somewhere on, which only an older head can show.
        raise FaultError(
            max(said - 1, 0),
            "or the head was changed: the tree over all entries is "
            f"{base64url(found.root())}, the head says {base64url(root)}",
        )


def _as_signed(found: merkle.Frontier, signed: Mapping[int, Signed]) -> None:
    """A head that was signed is still that of the first so many entries."""
    head = signed.get(found.size)
    if head is None or found.root() == head.root:
        return
    known = max((size for size in signed if size < found.size), default=0)
    raise FaultError(
        known,
        f"or a later one up to {found.size - 1} is not what was signed: {head.where} "
        f"says {base64url(head.root)} of the first {found.size} entries, the tree over "
        f"them is {base64url(found.root())}",
    )


def _none_larger(size: int, signed: Mapping[int, Signed]) -> None:
    """Nothing was signed that is not here."""
    larger = max(signed, default=0)
    if larger > size:
        raise FaultError(
            size, f"is missing: {signed[larger].where} was signed at {larger} entries"
        )


def verify_catalogue(
    catalogue: Catalogue,
    *,
    deep: bool = False,
    signed: Mapping[int, Signed] | None = None,
) -> Verification:
    """Check the log in a catalogue, as of now, while others go on writing."""
    # Here, since whoever verifies a published log has no database library.
    from retention.catalogue import log

    with catalogue.read() as tx:
        size, data = log.head(tx)
        stray = log.beyond(tx, size)
    try:
        root = merkle.Frontier.from_bytes(size, data).root()
    except ValueError as error:
        report = Verification(size, Depth.DEEP if deep else Depth.TREE)
        report.add(Fault(0, f"has no head to compare: {error}"))
        return report

    def pages() -> Iterator[Stored]:
        for first in range(0, size, PAGE):
            with catalogue.read() as tx:
                page = log.stored(tx, first, min(PAGE, size - first))
            yield from page

    def unindexed(number: int, hours: set[tuple[int, int]]) -> tuple[int, int] | None:
        with catalogue.read() as tx:
            return log.unindexed(tx, number, hours)

    def fetch(number: int) -> bytes | None:
        with catalogue.read() as tx:
            return log.stored(tx, number, 1)[0].rows

    def unsigned() -> list[Stretch]:
        with catalogue.read() as tx:
            return log.unsigned(tx)

    report = verify(
        pages(), size, root, deep=deep, unindexed=unindexed, signed=signed,
        lawful=Lawful(fetch, unsigned) if deep else None, unsigned=unsigned,
    )  # fmt: skip
    if report.ok and stray is not None:
        report.add(Fault(stray, f"is beyond the head, which says {size} entries"))
    return report
