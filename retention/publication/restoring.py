"""A catalogue that is older than its published log is brought up to it.

1. Page by page, each in one transaction: entries and row files as they were written,
   their effects replayed, the index, the head moved on.  [the same case at next start]
2. With the page that reaches the signed head: that head.
3. `catalogue.restored`, the completions of intents that no head covers, and the guard,
   in one transaction, before any other entry.
                                                       [deletion is off]
4. An administrator acknowledges, on record.

The fact RESTORED is there from the first page until 4.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError

from retention.catalogue import heads, log, restored, roots, ruling_requests, unread
from retention.catalogue.db import RESTORED_FACT, Priority, get_fact, put_fact
from retention.control import alarms, guards, rulings
from retention.model.errors import VerificationError, put_back
from retention.publication.replay import Back, Replay, withdraw
from retention.publication.unproven import Unproven, pause, unproven_of
from retention.tlog import rows as row_files
from retention.tlog.canonical import UNREADABLE, decode
from retention.tlog.entry import Stored
from retention.tlog.merkle import Frontier, leaf
from retention.tlog.unsigned import RESTORED, Stretch

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue, Transaction
    from retention.publication.compare import Compared, Tail
    from retention.tlog.note import Head

PAGE = 200
"""Entries brought back in one transaction."""


def adopt(catalogue: Catalogue, head: Head) -> None:
    """Enter a signed head of the catalogue's own entries that its table lacks."""
    tree = heads.frontiers(catalogue, [head.size])[head.size]
    with catalogue.write(Priority.HOLD) as tx:
        keep(tx, tree, head)


def bring_back(
    catalogue: Catalogue, found: Compared, alive: Callable[[], None] = lambda: None
) -> None:
    """Read the tail back that the comparison found; `alive` is called after each page.

    Raises VerificationError where the tail is another than when it was compared.
    """
    tail = found.tail
    if tail is None:
        return
    # While nothing else is done yet; the directory that is read may be a slow one.
    with catalogue.read(whole=True) as tx:
        tree = _head(tx)
        unproven = Unproven(_coming(tx, found, tail))
    entries = islice(tail.source.tail(tail.first), tail.last - tail.first)
    while page := list(islice(entries, PAGE)):
        try:
            with catalogue.write(Priority.HOLD) as tx:
                tree, done = _bring_back(tx, tree, page, tail.signed, unproven)
                _note(tx, found, tree.size, done)
        except IntegrityError as error:
            raise VerificationError(
                f"the entries from {page[0].number} on do not fit the catalogue "
                f"({error.orig}). Nothing is deleted; to mend it: "
                + put_back("another copy of it")
            ) from error
        alive()
    if tree.size != tail.last:
        raise VerificationError(
            f"{tail.source.directory} changed while the catalogue was restored from it: "
            "start the service again"
        )


def _head(tx: Connection) -> Frontier:
    return Frontier.from_bytes(*log.head(tx))


def _coming(tx: Connection, found: Compared, tail: Tail) -> list[Stretch]:
    begun = _begun(tx)
    old_size = found.size if begun is None else begun["old_size"]
    signed = max(0 if tail.signed is None else tail.signed.size, _signed(tx, begun))
    return unproven_of(
        tx, tail.source, tail.first, Stretch(max(signed, old_size), tail.last)
    )


def _begun(tx: Connection) -> dict[str, Any] | None:
    """A restoration that is not on record yet: it was broken off, or is at work."""
    fact: dict[str, Any] | None = get_fact(tx, RESTORED_FACT)
    return fact if fact is not None and fact["entry"] is None else None


def _signed(tx: Connection, begun: dict[str, Any] | None) -> int:
    """Up to where heads are known in the catalogue, or were while it was brought back."""
    newest = heads.newest(tx)
    before = 0 if begun is None else begun["signed"] or 0
    return max(before, 0 if newest is None else newest.size)


def _bring_back(
    tx: Transaction,
    tree: Frontier,
    page: Iterable[Stored],
    signed: Head | None,
    unproven: Unproven,
) -> tuple[Frontier, Replay]:
    """One page: entries, effects, index, head, and the signed head where it is."""
    first, replay = tree.size, Replay(unproven)
    reached: Frontier | None = None
    for stored in page:
        if stored.number != tree.size:
            raise VerificationError(f"entry {tree.size} is missing by now")
        try:
            _one(tx, stored, replay, 0 if signed is None else signed.size)
        except UNREADABLE as error:
            raise VerificationError(
                f"entry {stored.number} can't be read back: {error!r}"
            ) from error
        tree = tree.append(leaf(stored.data))
        if signed is not None and tree.size == signed.size:
            reached = tree
    log.move_head(tx, first, tree)
    if reached is not None and signed is not None:
        keep(tx, reached, signed)
    return tree, replay


def _one(tx: Transaction, stored: Stored, replay: Replay, signed: int) -> None:
    entry = decode(stored.data)
    rows = None if stored.rows is None else row_files.decode(stored.rows)[0]
    restored.insert(tx, stored, entry)
    replay.one(tx, Back(stored.number, entry, rows), signed)
    restored.index(tx, stored.number, entry, rows)


def keep(tx: Connection, tree: Frontier, head: Head) -> None:
    """Enter a signed head in the table, unless it knows that one or a larger one."""
    if tree.root() != head.checkpoint.root:
        raise VerificationError(
            f"the entries up to {tree.size - 1} do not lead to the head in {head.where}"
        )
    known = heads.newest(tx)
    if known is None or known.size < tree.size:
        last = log.read(tx, tree.size - 1)
        heads.keep(tx, heads.SignedHead(tree, head.note, last["at"]))


def _note(tx: Connection, found: Compared, size: int, replay: Replay) -> None:
    """What was brought back so far, until it is on record and acknowledged."""
    begun, tail = _begun(tx), found.tail
    signed = max(_signed(tx, begun), tail.signed.size if tail and tail.signed else 0)
    fact = begun or {"old_size": found.size, "holds": 0, "recordings": 0}
    fact["holds"] += replay.holds
    fact["recordings"] += replay.gone
    withdrawn = {str(one): count for one, count in replay.withdrawn.items()}
    fact["withdrawn"] = fact.get("withdrawn", {}) | withdrawn
    fact["alone"] = dict(Counter(fact.get("alone", {})) + replay.alone)
    put_fact(
        tx,
        RESTORED_FACT,
        {**fact, "size": size, "signed": signed, "entry": None, "detail": found.detail},
    )


def on_record(catalogue: Catalogue, author: log.Author) -> dict[str, Any] | None:
    """Put a restoration on record and trip its guard, where that was not done yet.

    The fields of the entry; None where there was nothing to say.  To be called before
    anything else is appended.
    """
    with catalogue.read() as tx:
        fact = _begun(tx)
    if fact is None:
        return None
    names = ("old_size", "size", "signed", "holds", "recordings")
    fields = {name: fact[name] for name in names}
    with catalogue.write(Priority.HOLD, author) as tx:
        number = tx.append(RESTORED, fields)
        withdraw(tx, fact.get("withdrawn", {}))
        why = alarms.restored(fact["detail"], fact.get("alone", {}))
        alarms.trip(tx, author.now, guards.CATALOGUE, "", why)
        put_fact(tx, RESTORED_FACT, {**fact, "entry": number})
        pause(tx, author.now)
        for request in ruling_requests.everyone(tx):
            ruling_requests.drop(tx, request.number)
        rulings.clear_gone(tx, "the catalogue was restored: people are asked again")
        for root in roots.everyone(tx):
            unread.scan_again(tx, root.key, author.now)
    return fields
