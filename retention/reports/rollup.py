"""Writes what was catalogued into the log: the entries `recordings.recorded`.

The tally is kept with every insert; an entry takes its lines out in its own transaction.
Where the log lacks what the catalogue has (it is older than these entries, or was
restored), one entry corrects that, once, and the books balance from there on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import takewhile
from typing import TYPE_CHECKING

from retention.catalogue import log as audit
from retention.catalogue import tally
from retention.catalogue.db import Catalogue, Priority, get_fact, put_fact
from retention.catalogue.entries import CatalogueSource, listing
from retention.catalogue.log import Author
from retention.catalogue.tally import Line
from retention.model.values import DAY, Entry, Rows
from retention.tlog import balance
from retention.tlog.balance import NOTHING, Balance, RecordingSum, difference
from retention.tlog.canonical import base64url

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction

KIND = "recordings.recorded"
CATALOGUED, CORRECTED = "catalogued", "corrected"

LINES = 5_000
"""Lines of one entry, and so of one transaction: there are more only after an adoption."""

SETTLED = "ledger.settled"
"""The fact: the size of the log when its books were made to balance with the catalogue."""

_COLUMNS = ("camera", "day", "count", "duration", "bytes", "digest", "gaps", "hours")


def roll_up(
    catalogue: Catalogue,
    author: Author,
    stop: Callable[[], bool] | None = None,
) -> int:
    """Write what waits into the log; how many recordings that were.

    Nothing is written where nothing waits.  With `stop` the books are settled first
    where that is due: it may read the whole log, and is asked on the way.
    """
    if stop is not None:
        settle(catalogue, author, stop)
    count = 0
    with catalogue.read() as tx:
        left = not tally.is_empty(tx)
    while left:
        with catalogue.write(Priority.SCAN, author) as tx:
            lines = tally.take(tx, LINES)
            if lines:
                tx.append(*_entry(lines, CATALOGUED))
            left = not tally.is_empty(tx)
        count += sum(line.number for line in lines)
    return count


def close(tx: Transaction) -> bool:
    """Write what still waits, in a transaction that goes on; whether the books are
    complete with it: then what they have is what is there."""
    lines = tally.take(tx, LINES)
    if lines:
        tx.append(*_entry(lines, CATALOGUED))
    return tally.is_empty(tx) and not _is_due(tx)


def settle(
    catalogue: Catalogue,
    author: Author,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Once for a catalogue, and after each restoration: what the catalogue has and the
    log does not say goes into the log as a correction.  Whether that was done.

    The difference is read in one view, of the log and of what is there, however long
    that takes: it is done once.  What is written meanwhile is balanced in
    itself, so it does not change.  Broken off, it is due again, and what was corrected
    by then is not corrected twice.
    """
    with catalogue.read() as tx:
        if not _is_due(tx):
            return False
    with catalogue.read(whole=True) as tx:
        size = audit.size(tx)
        books = books_of(tx, stop=stop)
    if books.faults or stop():
        return False  # damage is not corrected away: `retention audit verify` tells
    lines = [
        _line(place, found)
        for place in books.places()
        if (found := difference(books.of(place))) != NOTHING
    ]
    for first in range(0, len(lines), LINES):
        part = lines[first : first + LINES]
        with catalogue.write(Priority.SCAN, author) as tx:
            tx.append(*_entry(part, CORRECTED))
    with catalogue.write(Priority.SCAN) as tx:
        put_fact(tx, SETTLED, size)
    return True


def books_of(tx: Connection, *, stop: Callable[[], bool] = lambda: False) -> Balance:
    """The whole log, what waits, and what is there; less where `stop` says so."""
    books = Balance()
    records = CatalogueSource(tx).of_kinds(balance.KINDS)
    books.read(takewhile(lambda _: not stop(), records))
    add_catalogue(tx, books)
    return books


def add_catalogue(
    tx: Connection,
    books: Balance,
    cameras: Collection[int] | None = None,
    days: range | None = None,
) -> None:
    """Enter what waits, and what is there, of these cameras and days."""
    for line in tally.waiting(tx):
        found = RecordingSum(line.number, line.duration, line.size)
        books.add("waiting", (line.camera, line.day), found)
    for one in tally.there(tx, cameras, days):
        books.add(
            "quarantined" if one.quarantined else "present",
            (one.camera, one.day),
            RecordingSum(one.number, one.duration, one.size),
        )


def _is_due(tx: Connection) -> bool:
    settled = get_fact(tx, SETTLED)
    restored = listing(tx, kind="catalogue.restored", limit=1)
    return settled is None or any(entry["index"] >= settled for entry in restored)


def _line(place: balance.Place, missing: RecordingSum) -> Line:
    number, duration, size = missing
    return Line(*place, -number, -duration, -size, b"", 0, 0, None)


def _entry(lines: Iterable[Line], origin: str) -> Entry:
    """Found under the first hour of each day: under every hour the index would have two
    dozen rows for each line."""
    found = list(lines)
    fields = {
        "origin": origin,
        "recordings": sum(line.number for line in found),
        "duration": sum(line.duration for line in found),
        "bytes": sum(line.size for line in found),
    }
    values = [
        (
            *line[:5],
            base64url(line.digest),
            line.gaps if origin == CATALOGUED else 0,
            line.hours,
        )
        for line in found
    ]
    spans = tuple((line.camera, line.day * DAY, line.day * DAY + 1) for line in found)
    return Entry(KIND, fields, Rows(_COLUMNS, values), spans)
