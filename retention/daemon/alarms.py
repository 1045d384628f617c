"""Guards as the daemon knows them: effective at once, on record as soon as possible.

A guard that trips because nothing can be written can't be written either.  So each is
kept in memory first, and written then or when that becomes possible.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import TYPE_CHECKING

import sqlalchemy as sa

from retention import clock, guards
from retention.daemon.journal import log as journal
from retention.errors import CatalogueError, PublicationError, RetentionError
from retention.model import HOUR, MINUTE, Actor, Micros

if TYPE_CHECKING:
    from retention.audit.log import Log
    from retention.catalogue.db import Catalogue

_PATIENCE: tuple[Micros, ...] = (0, MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR)
"""How long a guard that trips again and again stays tripped: the last one repeats."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Alarms:
    """Trips and clears guards for the daemon's threads."""

    def __init__(self, catalogue: Catalogue, log: Log, actor: Actor) -> None:
        self._catalogue = catalogue
        self._log = log
        self._actor = actor
        self._mutex = threading.Lock()
        self._tripped: dict[tuple[str, str], str] = {}
        self._unwritten: dict[tuple[str, str], Micros] = {}
        self._relapses: dict[tuple[str, str], tuple[int, Micros]] = {}
        self._writable: set[tuple[str, str]] = set()
        with catalogue.read() as tx:
            # Not the timekeeper's, nor what a person acknowledges while the disks are
            # read again: the deleter finds both in their rows.
            others = {guards.CLOCK}
            if guards.is_restored(tx):
                others.add(guards.CATALOGUE)
            for found in guards.tripped(tx):
                if found.name not in others:
                    self._tripped[found.name, found.scope] = found.detail

    def trip(
        self,
        name: str,
        scope: str,
        detail: str,
        now: Micros,
        *,
        writable: bool = False,
    ) -> None:
        """Trip a guard; `now` is the reading of the cycle that had to.  `writable`: the
        catalogue can be written all the same, so that scans go on.

        Said once in the journal, and again when the reason changes.  Never fails: what
        can't be written is effective all the same, and written later.
        """
        key = (name, scope)
        with self._mutex:
            known = self._tripped.get(key)
            self._tripped[key] = detail
            if not writable:
                self._writable.discard(key)
            elif known is None:
                self._writable.add(key)
            if known is None:
                self._unwritten[key] = now
                self._count(key)
        if detail != known:
            journal.error(
                "guard.tripped",
                guard=name,
                scope=scope,
                detail=detail,
                remedy=guards.remedy(name),
            )
        try:
            self.write()
            if known not in (None, detail):
                self._put(key, detail, now)
        except CatalogueError as error:
            journal.error("guard.not_on_record", guard=name, error=str(error))

    def clear(self, name: str, scope: str, reason: str, now: Micros) -> bool:
        """Clear a guard unless it tripped again too soon; whether it is clear.

        Raises CatalogueError where that can't be written: then it stays tripped.
        """
        key = (name, scope)
        with self._mutex:
            if key not in self._tripped:
                return True
            count, since = self._relapses.get(key, (1, 0))
            patience = _PATIENCE[min(count, len(_PATIENCE)) - 1]
            if clock.monotonic() - since < patience:
                return False
        self.write()
        guards.clear(self._catalogue, self._log, now, self._actor, name, scope, reason)
        with self._mutex:
            self._tripped.pop(key, None)
            self._writable.discard(key)
        journal.info("guard.cleared", guard=name, scope=scope, reason=reason)
        return True

    def recall(self, name: str) -> None:
        """Take in that a person acknowledged a guard, which only its row shows."""
        with self._catalogue.read() as tx:
            there = {(found.name, found.scope) for found in guards.tripped(tx)}
        with self._mutex:
            for key in list(self._tripped):
                if key[0] == name and key not in there and key not in self._unwritten:
                    del self._tripped[key]

    def tripped(self, name: str, scope: str = "") -> bool:
        """Whether that guard is tripped."""
        return (name, scope) in self._tripped

    def detail(self, name: str, scope: str = "") -> str | None:
        """Why it is; None where it is not."""
        return self._tripped.get((name, scope))

    def may_write(self) -> bool:
        """Whether scans may write what they see into the catalogue."""
        with self._mutex:
            return not any(
                name in (guards.LOG, guards.CATALOGUE)
                and (name, scope) not in self._writable
                for name, scope in self._tripped
            )

    def blocking(self, root: str) -> str | None:
        """Why nothing may be deleted in a root, as far as these guards know."""
        with self._mutex:
            for (name, scope), detail in self._tripped.items():
                if scope in ("", root) and name != guards.VOLUME:
                    return f"guard {name}: {detail}"
        return None

    def write(self) -> None:
        """Put on record what could not be written before; CatalogueError where still
        not."""
        with self._mutex:
            waiting = dict(self._unwritten)
        for (name, scope), at in waiting.items():
            detail = self._tripped.get((name, scope), "")
            self._put((name, scope), detail, at)
            with self._mutex:
                self._unwritten.pop((name, scope), None)

    def _put(self, key: tuple[str, str], detail: str, at: Micros) -> None:
        guards.trip(self._catalogue, self._log, at, self._actor, *key, detail)

    def _count(self, key: tuple[str, str]) -> None:
        now = clock.monotonic()
        count, since = self._relapses.get(key, (0, now))
        self._relapses[key] = (1 if now - since > 2 * HOUR else count + 1, now)


def guard_of(error: Exception) -> tuple[str, bool]:
    """Which guard an error of a root's work trips, and whether for that root alone."""
    if isinstance(error, CatalogueError):
        damaged = _sqlite_code(error) in _DAMAGED
        return (guards.CATALOGUE if damaged else guards.LOG, False)
    if isinstance(error, PublicationError):
        return (guards.LOG, False)
    return (guards.ROOT, True)


def disk_full(error: RetentionError) -> bool:
    """Whether the catalogue could not be written for want of room."""
    return _sqlite_code(error) == sqlite3.SQLITE_FULL


def _sqlite_code(error: RetentionError) -> int | None:
    cause = error.__cause__
    if not isinstance(cause, sa.exc.DBAPIError):
        return None
    code = getattr(cause.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
