"""The alarm *unlawful*: the service holds its own log against the rules that were in force.

A little in each round, so that the whole of it is looked at once after a start and what
is new at once; what stood before stands until the log was looked at again up to there.

It begins anew at each start: what it keeps is derived from the log, and a copy of that
beside it would be believed over the log.  That costs 5 us a deletion, 7 where recordings
have gaps, and 26 us an entry (`tests.bench.lawful`).  200 cameras that write a file an
hour make 8 s of it in a year, which are 16 rounds; with a file a minute 8 minutes, which
are 16 hours of rounds a minute apart.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

from retention.catalogue import log, raised
from retention.control.alarms import Condition, Stands
from retention.control.guards import UNLAWFUL
from retention.model.values import SECOND, Micros
from retention.site import clock
from retention.tlog.lawful.fold import Lawful
from retention.tlog.verify.books import placed
from retention.tlog.verify.findings import FaultError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue
    from retention.control.context import Context

PAGE = 200
ROUND: Micros = SECOND // 2
"""No round looks for longer than it takes to read one page more than that."""
SHOWN = 5
"""Violations that a detail names."""


def unlawful(context: Context, tx: Connection) -> Stands:
    """By law what breaks it, as far as was looked: the next round looks further."""
    lawful = judge(context.catalogue, tx)
    sentences: dict[str, list[str]] = defaultdict(list)
    for one in lawful.verdict.violations:
        sentences[one.law].append(one.sentence)
    found = {law: Condition(_told(what)) for law, what in sentences.items()}
    if lawful.verdict.judged < log.size(tx):
        standing = raised.named(tx, UNLAWFUL)
        before = {one.scope: Condition(one.detail, one.cameras) for one in standing}
        return Stands(before | found, context.now)
    return Stands(found)


def judge(catalogue: Catalogue, tx: Connection) -> Lawful:
    """The next entries, for as long as a round may take."""
    lawful = catalogue.lawful
    if lawful is None:
        unsigned = partial(log.unsigned, tx)
        lawful = catalogue.lawful = Lawful(partial(_rows, catalogue), unsigned)
    size, until = log.size(tx), clock.monotonic() + ROUND
    while lawful.next < size and clock.monotonic() < until:
        for stored in log.stored(tx, lawful.next, PAGE):
            try:
                lawful.take(placed(stored, None), stored)
            except FaultError:
                lawful.stop()  # it is not intact: `audit verify` tells
    return lawful


def _rows(catalogue: Catalogue, number: int) -> bytes | None:
    with catalogue.read() as tx:
        found = log.stored(tx, number, 1)
    return found[0].rows if found else None


def _told(sentences: list[str]) -> str:
    more = f"; and {len(sentences) - SHOWN} more" if len(sentences) > SHOWN else ""
    return "; ".join(sentences[:SHOWN]) + more
