"""Raises and ends alarms: `trip` is the one way, and the journal always hears of it.

An alarm that stands is a row and an audit entry, written in the same transaction.  One that
says that nothing can be written can't be written either: so the daemon has `Alarms`,
which keep each guard in memory first, effective at once, and write it then or when they can.
"""

from __future__ import annotations

import sqlite3
import threading
from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa

from retention.catalogue import raised as rows
from retention.catalogue.db import (
    RESTORED_FACT,
    Priority,
    get_fact,
    get_facts,
    put_fact,
)
from retention.catalogue.raised import Raised
from retention.control import guards
from retention.control.clock_guard import BEHIND, CLOCK_FACT
from retention.model.errors import (
    CatalogueError,
    MismatchError,
    PublicationError,
    RetentionError,
    TooLongError,
)
from retention.model.localtime import format_utc
from retention.model.values import (
    FOREVER,
    HOUR,
    LISTED,
    MINUTE,
    SECOND,
    Actor,
    Entry,
    Micros,
    Rows,
)
from retention.site import clock
from retention.site.journal import log as journal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue, Transaction
    from retention.catalogue.log import Author, Log

SUCCESSOR_FACT = "log.successor"
"""A successor log was opened: `control.successor`."""

_PATIENCE: tuple[Micros, ...] = (0, MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR)
"""How long a guard that trips again and again stays tripped: the last one repeats."""

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


LONGEST_DETAIL = 4_000
"""Bytes: a disk can have names, and a site cameras, for more than an entry holds."""

_MORE = " ... and more"


class Condition(NamedTuple):
    """What an alarm says of one scope: why it stands, and the keys of the cameras that it
    concerns."""

    detail: str
    cameras: tuple[int, ...] = ()


class Stands(NamedTuple):
    """Where an alarm stands, by scope: so it is before `until`, if nothing is written
    meanwhile."""

    where: Mapping[str, Condition]
    until: Micros = FOREVER


def _bounded(detail: str) -> str:
    data = detail.encode(errors="replace")
    if len(data) <= LONGEST_DETAIL:
        return detail
    return data[: LONGEST_DETAIL - len(_MORE)].decode(errors="ignore") + _MORE


def trip(
    tx: Transaction,
    now: Micros,
    name: str,
    scope: str,
    detail: str,
    *,
    cameras: Iterable[int] = (),
    told: bool = False,
) -> bool:
    """The last step of a transaction: raise alarm `name` for `scope` (a root's name, ''
    for all, or what the alarm says); True if it did not stand yet.

    One that stands stays so and makes no second entry; `status` shows the newest
    detail, and of a guard the journal each.  `told`: the journal has it already.
    """
    detail = _bounded(detail)
    before, concerned = rows.find(tx, name, scope), tuple(sorted(set(cameras)))
    stops = name in guards.GUARDS
    number = -1
    if before is None and stops:
        number = tx.append("guard.tripped", guard=name, scope=scope, detail=detail)
    elif before is None:
        number = tx.append(*_raised(name, scope, detail, concerned))
    if not told and (before is None or (stops and before.detail != detail)):
        _tell(name, scope, detail, number if before is None else before.number)
    rows.put(tx, Raised(number, name, scope, now, detail, concerned))
    return before is None


def _raised(name: str, scope: str, detail: str, cameras: tuple[int, ...]) -> Entry:
    fields = {"alarm": name, "scope": scope, "detail": detail}
    if len(cameras) <= LISTED:
        return Entry("alarm.raised", {**fields, "cameras": list(cameras)})
    listed = Rows(("camera",), [(key,) for key in cameras])
    return Entry("alarm.raised", {**fields, "cameras": None}, listed)


def _tell(name: str, scope: str, detail: str, number: int | None = None) -> None:
    stops, rank = name in guards.GUARDS, guards.ALARMS[name].rank
    (journal.warning if rank is guards.Rank.PERSON else journal.error)(
        "guard.tripped" if stops else "alarm.raised",
        **{"guard" if stops else "alarm": name},
        scope=scope,
        detail=detail,
        remedy=guards.remedy(name, scope, number),
    )


def clear(
    catalogue: Catalogue, author: Author, name: str, scope: str, reason: str
) -> bool:
    """End alarm `name` for `scope`, on record; False if it did not stand."""
    with catalogue.read() as tx:
        if not rows.is_raised(tx, name, scope):
            return False
    with catalogue.write(Priority.DELETION, author) as tx:
        return clear_in(tx, name, scope, reason)


def clear_in(
    tx: Transaction, name: str, scope: str, reason: str, *, acknowledged: bool = False
) -> bool:
    """The last step of a transaction: end an alarm; False if it did not stand."""
    found = rows.find(tx, name, scope)
    if found is None:
        return False
    rows.take(tx, name, scope)
    if acknowledged:
        seen = get_fact(tx, f"{_SEEN}{name}") or {}
        put_fact(tx, f"{_SEEN}{name}", {**seen, scope: found.detail})
    if name in guards.GUARDS:
        tx.append("guard.cleared", guard=name, scope=scope, reason=reason)
        journal.info("guard.cleared", guard=name, scope=scope, reason=reason)
    else:
        tx.append(
            "alarm.ended", alarm=name, scope=scope, raised=max(found.number, 0),
            acknowledged=acknowledged, reason=reason,
        )  # fmt: skip
        journal.info("alarm.ended", alarm=name, scope=scope, reason=reason)
    return True


def settle(
    tx: Transaction,
    now: Micros,
    name: str,
    found: Mapping[str, Condition],
    *,
    root: str | None = None,
    over: str = "it is over",
) -> None:
    """The last step of a transaction: alarm `name` stands for these scopes, no others
    (with `root`: no others of that root); nor where somebody has acknowledged just what
    it says.  `over` is why those that end do."""
    if root is None:
        kept = get_fact(tx, f"{_SEEN}{name}") or {}
        seen, found = _seen(tx, name, kept, found)
        if seen != kept:
            put_fact(tx, f"{_SEEN}{name}", seen or None)
    for one in rows.named(tx, name):
        concerned = root is None or one.scope.partition("/")[0] == root
        if concerned and one.scope not in found:
            clear_in(tx, name, one.scope, over)
    for scope, what in found.items():
        trip(tx, now, name, scope, what.detail, cameras=what.cameras)


_SEEN = "alarms.seen."
"""By alarm: scopes in which what it says was acknowledged, until it is over."""


def _seen(
    tx: Connection,
    name: str,
    kept: Mapping[str, str],
    found: Mapping[str, Condition],
) -> tuple[dict[str, str], Mapping[str, Condition]]:
    """What was acknowledged and still is so, and what is found besides, as long as an
    entry can say it."""
    found = {
        scope: one._replace(detail=_bounded(one.detail)) for scope, one in found.items()
    }
    seen = {
        scope: detail
        for scope, detail in kept.items()
        if scope in found
        and found[scope].detail == detail
        and rows.was_acknowledged(tx, _subject(name), scope)
    }
    return seen, {scope: one for scope, one in found.items() if scope not in seen}


def _subject(name: str) -> str:
    return f"{'guard' if name in guards.GUARDS else 'alarm'}:{name}"


def unsettled(
    tx: Connection, found: Mapping[str, Mapping[str, Condition]]
) -> Iterator[str]:
    """Those of these alarms by name of which `settle` would change anything."""
    known = get_facts(tx, _SEEN)
    standing: dict[str, dict[str, Any]] = defaultdict(dict)
    for one in rows.everyone(tx):
        standing[one.name][one.scope] = (one.detail, one.cameras)
    for name, where in found.items():
        kept = known.get(name, {})
        seen, new = _seen(tx, name, kept, where)
        if seen != kept or standing[name] != {
            scope: (one.detail, tuple(sorted(set(one.cameras))))
            for scope, one in new.items()
        }:
            yield name


def tripped(tx: Connection) -> list[Raised]:
    """Every guard that is tripped now, oldest first."""
    return [one for one in rows.everyone(tx) if one.name in guards.GUARDS]


def doubt_of_clock(tx: Connection, now: Micros) -> str | None:
    """Why nothing that frees footage later may be dated by this clock; None where
    nothing speaks against it.  For commands, which have no clock of their own."""
    found = rows.find(tx, guards.CLOCK, "")
    if found is not None:
        return found.detail
    # Of those that a wrong clock dated before it was put right, no word counts.
    known = get_fact(tx, CLOCK_FACT) or {}
    times = (known.get("entry_at"), rows.latest_entry(tx, known.get("entries", 0)))
    latest = max((at for at in times if at is not None), default=None)
    if latest is not None and now < latest - BEHIND:
        at = format_utc(latest // SECOND * SECOND)
        return f"it is behind the audit log's last entry, of {at}"
    return None


def restored(detail: str, alone: Mapping[str, int]) -> str:
    """The detail of the guard after a restoration, until it is acknowledged.  `alone`:
    how many entries of each kind came back under no signed head, and without effect."""
    found = ", ".join(f"{count} {kind}" for kind, count in sorted(alone.items()))
    without = (
        f". Under no signed head, so that anybody could have put them there, came back "
        f"into the log alone: {found}"
        if found
        else ""
    )
    return (
        f"{detail}{without}; an administrator must acknowledge that before anything is deleted: "
        '`retention guard acknowledge catalogue --reason "..."`'
    )


def is_restored(tx: Connection) -> bool:
    """Whether the catalogue was restored and nobody has acknowledged that yet."""
    return get_fact(tx, RESTORED_FACT) is not None


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
            others = {guards.CLOCK, guards.VANISHED}
            if is_restored(tx) or get_fact(tx, SUCCESSOR_FACT) is not None:
                others.add(guards.CATALOGUE)
            for found in tripped(tx):
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
            _tell(name, scope, detail)
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
        clear(self._catalogue, self._log.by(self._actor, now), name, scope, reason)
        with self._mutex:
            self._tripped.pop(key, None)
            self._writable.discard(key)
        return True

    def recall(self) -> None:
        """Take in which guards ended otherwise, by a person's word or because what they
        watch is over: only their rows show that."""
        with self._mutex:
            written = self._tripped.keys() - self._unwritten.keys()
        with self._catalogue.read() as tx:
            there = {(found.name, found.scope) for found in tripped(tx)}
        with self._mutex:
            for key in written - there - self._unwritten.keys():
                self._tripped.pop(key, None)

    def tripped(self, name: str, scope: str = "") -> bool:
        """Whether that guard is tripped."""
        return (name, scope) in self._tripped

    def detail(self, name: str, scope: str = "") -> str | None:
        """Why it is; None where it is not."""
        return self._tripped.get((name, scope))

    def unwritten(self) -> list[Raised]:
        """Guards that hold and could not be put on record yet."""
        with self._mutex:
            return [
                Raised(-1, name, scope, at, self._tripped.get((name, scope), ""))
                for (name, scope), at in self._unwritten.items()
            ]

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
        author = self._log.by(self._actor, at)
        with self._catalogue.write(Priority.DELETION, author) as tx:
            trip(tx, at, *key, detail, told=True)

    def _count(self, key: tuple[str, str]) -> None:
        now = clock.monotonic()
        count, since = self._relapses.get(key, (0, now))
        self._relapses[key] = (1 if now - since > 2 * HOUR else count + 1, now)


def guard_of(error: Exception) -> str:
    """Which guard an error of a root's work trips."""
    if isinstance(error, MismatchError):
        return guards.MISMATCH
    if isinstance(error, TooLongError):
        return guards.READING
    if isinstance(error, CatalogueError):
        damaged = _sqlite_code(error) in _DAMAGED
        return guards.CATALOGUE if damaged else guards.LOG
    return guards.LOG if isinstance(error, PublicationError) else guards.ROOT


def disk_full(error: RetentionError) -> bool:
    """Whether the catalogue could not be written for want of room."""
    return _sqlite_code(error) == sqlite3.SQLITE_FULL


def _sqlite_code(error: RetentionError) -> int | None:
    cause = error.__cause__
    if not isinstance(cause, sa.exc.DBAPIError):
        return None
    code = getattr(cause.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
