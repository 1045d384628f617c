"""Holds as people look at them, beside what the log says: which of their rows are other, so
that it is marked."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.control import in_force
from retention.model.errors import MismatchError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Connection, Row

    from retention.catalogue.db import Catalogue
    from retention.model.values import Micros
    from retention.tlog.in_force import InForce


class Marked(NamedTuple):
    """By hold: what is in force by its row alone (`in_force.more_of_holds`), and what by
    the log alone, in words.  Nothing where the log can't be read, as the guard says."""

    more: Mapping[int, list[str]]
    less: Mapping[int, list[str]]


def marked(
    catalogue: Catalogue, tx: Connection, now: Micros, rows: Collection[Row[Any]]
) -> Marked:
    """What of these holds is other than the log says."""
    with catalogue.said_mutex:
        said = _said(catalogue, tx)
    if said is None:
        return Marked({}, {})
    keys = [row.key for row in rows]
    standing = {
        key: one for key in keys if (one := said.holds.get(key)) and one.in_force(now)
    }
    less = defaultdict(list)
    for key, text in in_force.less_of_holds(tx, standing, None):
        less[key].append(text)
    return Marked(in_force.more_of_holds(tx, said, now, rows), less)


def nobody_asked(
    catalogue: Catalogue, tx: Connection, requests: Mapping[int, Row[Any]]
) -> set[int]:
    """Of these releases, by hold, those that wait by their rows alone: by the log nobody
    asked for them.  None where it can't be read, as the guard says."""
    if not requests:
        return set()
    with catalogue.said_mutex:
        said = _said(catalogue, tx)
        if said is None:
            return set()
        return {
            hold
            for hold, row in requests.items()
            if in_force.request_of(row) != said.request(hold)
        }


def _said(catalogue: Catalogue, tx: Connection) -> InForce | None:
    try:
        return in_force.caught_up(catalogue, tx)
    except MismatchError:
        return None
