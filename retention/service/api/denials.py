"""Denials go on record, but a loop of them does not fill the log."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from retention.catalogue.db import Priority
from retention.control import alarms, guards
from retention.model.errors import CatalogueError
from retention.model.values import MINUTE, NOBODY, Actor, Micros

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.catalogue.log import Log

CONNECTION = "connection"
"""In place of a verb: a connection was turned away, since there were too many."""
PAUSE: Micros = MINUTE
"""After an entry about a user, further denials of the same verb are only counted for so
long, measured by a clock that nobody can set."""
BY_ROLE = "which that role may not"
"""Why somebody was denied a verb that none of their roles allows."""
KNOWN = 256
"""Pairs of user and verb that are told apart; of more, all others count as one."""


@dataclass(slots=True)
class _Denied:
    actor: Actor
    at: Micros
    since: Micros
    why: str
    unwritten: int = 0


class Denials:
    """Counts by user and verb; `note` writes at once where nothing was written lately,
    `flush` what was only counted.  A crash loses counts of the last minute, no more."""

    def __init__(self, catalogue: Catalogue, log: Log) -> None:
        self._catalogue = catalogue
        self._log = log
        self._mutex = threading.Lock()
        self._counted: dict[tuple[int, str], _Denied] = {}

    def note(
        self,
        actor: Actor,
        verb: str,
        now: Micros,
        monotonic: Micros,
        why: str = BY_ROLE,
    ) -> None:
        """Somebody was denied `verb`; `why` is what an alarm says of it.  CatalogueError
        where it can't be written."""
        with self._mutex:
            key = (actor.uid, verb)
            if key not in self._counted and len(self._counted) >= KNOWN:
                key, verb = (-1, ""), "other"
            found = self._counted.get(key)
            if found is not None and monotonic - found.since < PAUSE:
                found.unwritten += 1
                found.at, found.actor, found.why = now, actor, why
                return
            count = 1 + (found.unwritten if found is not None else 0)
            one = _Denied(actor, now, monotonic, why)
            self._counted[key] = replace(one)
        self._write(one, verb, count)

    def count(self, actor: Actor, verb: str, now: Micros, monotonic: Micros) -> None:
        """As `note`, but nothing is written yet: nobody waits for the catalogue."""
        with self._mutex:
            key = (actor.uid, verb)
            if key not in self._counted and len(self._counted) >= KNOWN:
                key = (-1, "")
            new = _Denied(actor, now, monotonic, BY_ROLE)
            found = self._counted.setdefault(key, new)
            found.unwritten += 1
            found.at, found.actor = now, actor

    def flush(self, monotonic: Micros, *, all_: bool = False) -> None:
        """Write what was counted, once its pause is over (or `all_` of it, at the end);
        forget what is long past.  CatalogueError where it can't be: it stays counted."""
        with self._mutex:
            over = [
                key
                for key, found in self._counted.items()
                if all_ or monotonic - found.since >= PAUSE
            ]
        for key in over:
            self._flush(key)

    def _flush(self, key: tuple[int, str]) -> None:
        with self._mutex:
            found = self._counted.pop(key, None)
        if found is None or not found.unwritten:
            return
        try:
            self._write(found, key[1] or "other", found.unwritten)
        except CatalogueError:
            with self._mutex:
                later = self._counted.setdefault(key, replace(found, unwritten=0))
                later.unwritten += found.unwritten
            raise

    def _write(self, one: _Denied, verb: str, count: int) -> None:
        actor, now = one.actor, one.at
        with self._catalogue.write(Priority.SCAN, self._log.by(actor, now)) as tx:
            tx.append("access.denied", verb=verb, count=count)
            if actor.role != NOBODY and verb != CONNECTION:
                who = actor.name or f"user {actor.uid}"
                detail = f"{who} ({actor.role}) asked for {verb!r}, {one.why}"
                alarms.trip(tx, now, guards.REFUSED, who, detail)
