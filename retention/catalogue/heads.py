"""Owns the table of signed heads, and walks the log from one size to another.

What was signed stays: the table's triggers refuse a smaller head and any change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention.catalogue.db import Catalogue
from retention.catalogue.schema import checkpoint, entry
from retention.model.values import Micros
from retention.tlog import merkle
from retention.tlog.merkle import Frontier

PAGE = 500
"""Entries read in one transaction: none stays open for long."""


class SignedHead(NamedTuple):
    """A head that was signed: the tree up to it, the signed note, when it was made."""

    frontier: Frontier
    note: str
    at: Micros

    @property
    def size(self) -> int:
        """How many entries it covers."""
        return self.frontier.size


_OPENED = sa.select(sa.func.ifnull(sa.func.max(entry.c.number), 0)).where(
    entry.c.kind == "log.opened"
)
"""The entry that opened this log: heads of it are larger, those of one that it succeeds
are not."""

_OURS = checkpoint.c.size > _OPENED.scalar_subquery()


def newest(tx: Connection, upto: int | None = None) -> SignedHead | None:
    """The largest signed head, of at most `upto` entries; None where there is none."""
    return _signed(tx, (_OURS, *(() if upto is None else (checkpoint.c.size <= upto,))))


def newest_before(tx: Connection, at: Micros, under: int) -> SignedHead | None:
    """The largest signed head below size `under` that was made before `at`."""
    return _signed(tx, (_OURS, checkpoint.c.size < under, checkpoint.c.at < at))


def _signed(
    tx: Connection, where: Iterable[sa.ColumnElement[bool]]
) -> SignedHead | None:
    query = sa.select(checkpoint).where(*where).order_by(checkpoint.c.size.desc())
    row = tx.execute(query.limit(1)).one_or_none()
    if row is None:
        return None
    return SignedHead(Frontier.from_bytes(row.size, row.frontier), row.note, row.at)


def keep(tx: Connection, signed: SignedHead) -> None:
    """Store a head before it is published; the database refuses a smaller one, and a
    second one of its size."""
    tx.execute(
        checkpoint.insert().values(
            size=signed.size,
            root=signed.frontier.root(),
            frontier=signed.frontier.to_bytes(),
            note=signed.note,
            at=signed.at,
        )
    )


def entries(
    catalogue: Catalogue, first: int, last: int
) -> Iterator[tuple[int, bytes, bytes | None]]:
    """(number, bytes, row file) of the entries [first, last), page by page."""
    for start in range(first, last, PAGE):
        with catalogue.read() as tx:
            page = tx.exec_driver_sql(
                "SELECT number, e.bytes, r.bytes FROM entry e "
                "LEFT JOIN entry_rows r ON r.entry = number "
                "WHERE number >= ? AND number < ? ORDER BY number",
                (start, min(start + PAGE, last)),
            ).all()
        yield from ((int(row[0]), row[1], row[2]) for row in page)


def leaves(catalogue: Catalogue, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """(number, bytes) of the entries [first, last), page by page, no row files."""
    for start in range(first, last, 10 * PAGE):
        with catalogue.read() as tx:
            page = tx.exec_driver_sql(
                "SELECT number, bytes FROM entry WHERE number >= ? AND number < ? "
                "ORDER BY number",
                (start, min(start + 10 * PAGE, last)),
            ).all()
        yield from ((int(row[0]), row[1]) for row in page)


def frontiers(
    catalogue: Catalogue,
    sizes: Iterable[int],
    *,
    whole: bool = False,
    alive: Callable[[], None] = lambda: None,
) -> dict[int, Frontier]:
    """The tree at each of these sizes, computed from the entries that are stored.

    Begins at the largest signed head below them, so that the cost follows what is new;
    `whole`: at the first entry, since those before a head can have been altered.  A size
    that the entries do not reach is left out.
    """
    wanted = sorted(set(sizes))
    if not wanted:
        return {}
    with catalogue.read() as tx:
        known = None if whole else _signed(tx, (checkpoint.c.size <= wanted[0],))
    found: dict[int, Frontier] = {}
    tree = known.frontier if known else Frontier()
    if tree.size in wanted:
        found[tree.size] = tree
    sought = set(wanted)
    for number, data in leaves(catalogue, tree.size, wanted[-1]):
        if number != tree.size:
            break
        tree = tree.append(merkle.leaf(data))
        if tree.size in sought:
            found[tree.size] = tree
        if number % 100_000 == 0:
            alive()
    return found
