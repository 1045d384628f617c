"""Alarms, and what a restoration or a successor log waits for: rows against the log, and
put back by it.

Else whoever can write into the catalogue's file ends them without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from retention.catalogue import raised
from retention.catalogue.db import RESTORED_FACT, get_fact, put_fact
from retention.catalogue.entries import CatalogueSource
from retention.control import successor
from retention.control.guards import ALARMS
from retention.model.values import Micros
from retention.tlog.in_force import InForce

if TYPE_CHECKING:
    from sqlalchemy import Connection


def less(tx: Connection, said: InForce, now: Micros) -> Iterator[str]:
    """Alarms, and what a restoration or a successor log waits for."""
    there = (
        {(one.name, one.scope) for one in raised.everyone(tx)} if said.standing else ()
    )
    for name, scope in sorted(said.standing):
        if name in ALARMS and (name, scope) not in there:
            where = f"{name} of {scope}" if scope else name
            yield f"alarm {where} stands by the log alone"
    if said.restored is not None and get_fact(tx, RESTORED_FACT) is None:
        yield "the catalogue was restored, and nobody has acknowledged that by the log"
    if _waits(said, now) and get_fact(tx, successor.OPENED) is None:
        yield "what a successor log waits for is known by the log alone"


def _waits(said: InForce, now: Micros) -> bool:
    """Whether deletion waits since a successor log was opened."""
    one = said.successor
    return one is not None and (one.holds is None or now < one.fields["until"])


def put_back(tx: Connection, said: InForce, now: Micros) -> None:
    """Alarms stand as they were raised, and what was restored waits for a person."""
    source = CatalogueSource(tx)
    for (name, scope), number in said.standing.items():
        if name in ALARMS and not raised.is_raised(tx, name, scope):
            if (other := raised.numbered(tx, number)) is not None:
                raised.take(tx, other.name, other.scope)
            record = source.entry(number)
            fields, at = record.entry["fields"], record.entry["at"]
            listed = tuple(sorted(record.cameras())) if "cameras" in fields else ()
            raised.put(
                tx,
                raised.Raised(number, name, scope, at, fields["detail"], listed),
            )
    if said.restored is not None and get_fact(tx, RESTORED_FACT) is None:
        fields = source.entry(said.restored).entry["fields"]
        put_fact(tx, RESTORED_FACT, {**fields, "entry": said.restored, "detail": ""})
    if said.successor and _waits(said, now) and not successor.waits(tx):
        successor.restore(tx, said.successor.fields)
        if said.successor.holds is not None:
            successor.restore_holds(tx, said.successor.holds)
