"""Owns the log's tables: the one function that appends, and every reading of them.

An entry commits in its caller's transaction or not at all.  Its number comes from the
head row, never from a sequence, so that a transaction rolled back leaves no gap.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from retention import __version__
from retention.catalogue.db import RESTORED_FACT, get_fact
from retention.model.errors import (
    CatalogueError,
    RetentionError,
    StaleError,
    VerificationError,
)
from retention.model.values import Actor, Entry, Micros, Rows
from retention.tlog import merkle, source
from retention.tlog import rows as row_files
from retention.tlog.canonical import base64url, decode
from retention.tlog.entry import Stored
from retention.tlog.seal import Follows, Sealed, Writer, seal
from retention.tlog.unsigned import RESTORED, Stretch, is_unsigned, stretches

HOST, PROGRAM = socket.gethostname(), f"retention {__version__}"
"""Where entries are written, and by what, unless told otherwise."""

FORMAT = "cctv-retention-log/1"
PRUNING = "none: no entry is ever removed"

_DONE = """SELECT number, bytes FROM entry
    WHERE kind = 'recordings.deleted' AND number > ? ORDER BY number LIMIT 200"""

_DONE_BEFORE = """SELECT number, bytes FROM entry
    WHERE kind = 'recordings.deleted' AND number < ? ORDER BY number DESC LIMIT 200"""

_HEAD = """SELECT size, frontier,
    (SELECT ifnull(max(version), 0) FROM policy),
    (SELECT bytes FROM entry WHERE number = log_head.size - 1)
    FROM log_head"""


class Log:
    """Where entries are appended; says in each where it was written.  No state.

    `clock` says when: the instant at which an entry is written, in its transaction.  A
    cycle goes by one reading of the clock and may take long; its entries say when each
    was written, not when it began.  Without a clock, as in a command that does one
    thing offline, it is the instant that `by` was given.
    """

    def __init__(
        self,
        *,
        site: str,
        host: str = HOST,
        program: str = PROGRAM,
        clock: Callable[[], Micros] | None = None,
    ) -> None:
        self.origin = {"site": site, "host": host, "program": program}
        self._clock = clock

    def by(self, actor: Actor, now: Micros) -> Author:
        """What `actor` appends, acting at `now`."""
        return Author(self, actor, now)

    def time(self, now: Micros) -> Micros:
        """What an entry says that somebody acting at `now` appends at this moment."""
        return now if self._clock is None else self._clock()


class Author(NamedTuple):
    """Somebody in whose name entries are appended, acting at `now`."""

    log: Log
    actor: Actor
    now: Micros

    def append(self, tx: Connection, entry: Entry) -> int:
        """Append as the last step of the caller's transaction; returns the number.

        Errors as `tlog.seal`; StaleError or CatalogueError where the head is not the
        one it follows.
        """
        size, hashes, policy, last = tx.exec_driver_sql(_HEAD).one()
        writer = Writer(self.actor, self.log.time(self.now), self.log.origin)
        sealed = seal(entry, writer, Follows(size, policy, last))
        frontier = merkle.Frontier.from_bytes(size, hashes).append(sealed.leaf)
        move_head(tx, size, frontier)
        _insert(tx, sealed)
        return sealed.number


def open_log(
    tx: Connection,
    *,
    site: str,
    at: Micros,
    actor: Actor,
    host: str = HOST,
    program: str = PROGRAM,
    log_id: str,
    public_key: bytes,
    timezone: str,
    origin: str | None = None,
) -> int:
    """Append the first entry: what this log is, and whose signature it carries.

    `public_key` are the 32 bytes of the Ed25519 key, `origin` the log's name where it has
    one of its own; raises as `Log.append`.
    """
    fields = {
        "log_id": log_id,
        "public_key": base64url(public_key),
        "format": FORMAT,
        "timezone": timezone,
        "pruning": PRUNING,
        "origin": origin,
    }
    author = Log(site=site, host=host, program=program).by(actor, at)
    return author.append(tx, Entry("log.opened", fields))


def move_head(tx: Connection, size: int, frontier: merkle.Frontier) -> None:
    """The log has grown from `size` to `frontier`; StaleError where somebody else let it
    grow meanwhile."""
    moved = tx.exec_driver_sql(
        "UPDATE log_head SET size = ?, frontier = ? WHERE id = 1 AND size = ?",
        (frontier.size, frontier.to_bytes(), size),
    )
    if moved.rowcount != 1:
        raise StaleError("the audit log grew meanwhile; nothing was changed, try again")


def _insert(tx: Connection, sealed: Sealed) -> None:
    number = sealed.number
    try:
        tx.exec_driver_sql(
            "INSERT INTO entry (number, at, kind, bytes) VALUES (?, ?, ?, ?)",
            (number, sealed.at, sealed.kind, sealed.data),
        )
    except sa.exc.IntegrityError as error:
        raise CatalogueError(
            f"the audit log has an entry {number} that its head knows nothing of; "
            "nothing was changed, run `retention audit verify`"
        ) from error
    if sealed.texts:
        tx.exec_driver_sql(
            "INSERT INTO disclosure (entry, field, text) VALUES (?, ?, ?)",
            [(number, name, text) for name, text in sorted(sealed.texts.items())],
        )
    if sealed.hours:
        tx.exec_driver_sql(
            "INSERT INTO entry_camera (camera, hour, entry) VALUES (?, ?, ?)",
            [(camera, hour, number) for camera, hour in sorted(sealed.hours)],
        )
    if sealed.rows:
        tx.exec_driver_sql(
            "INSERT INTO entry_rows (entry, bytes) VALUES (?, ?)",
            (number, sealed.rows.data),
        )


def size(tx: Connection) -> int:
    """How many entries there are; the next one gets this number."""
    return int(tx.exec_driver_sql("SELECT size FROM log_head").scalar_one())


def read(tx: Connection, number: int) -> dict[str, Any]:
    """One entry as it is stored; RetentionError where there is none."""
    found: dict[str, Any] = decode(_bytes(tx, number))
    return found


def _bytes(tx: Connection, number: int) -> bytes:
    data = tx.exec_driver_sql(
        "SELECT bytes FROM entry WHERE number = ?", (number,)
    ).scalar()
    if data is None:
        raise RetentionError(
            f"there is no entry {number}: the audit log has {size(tx)}, numbered from 0"
        )
    return bytes(data)


def read_rows(tx: Connection, number: int) -> Rows | None:
    """The rows of an entry, checked against it; None where it has none.

    Raises VerificationError where the row file is missing or not the one that the
    entry speaks of.
    """
    said = read(tx, number).get("rows_sha256")
    data = tx.exec_driver_sql(
        "SELECT bytes FROM entry_rows WHERE entry = ?", (number,)
    ).scalar()
    if said is None and data is None:
        return None
    if data is None or said != row_files.digest(data):
        raise VerificationError(
            f"the row file of audit entry {number} is "
            f"{'missing' if data is None else 'not the one that was written'}; "
            "run `retention audit verify`"
        )
    return row_files.rows_of(row_files.read(data))


def opened(tx: Connection, number: int) -> dict[str, Any]:
    """One entry with its committed fields in clear, under `fields` and `actor`.

    A value that was erased is left out and its name is in `withheld`.  Raises
    VerificationError where a disclosure is not the one that was committed to.
    """
    found = tx.exec_driver_sql(
        "SELECT field, text FROM disclosure WHERE entry = ?", (number,)
    )
    texts = {one.field: one.text for one in found}
    return source.opened(read(tx, number), texts)


def unsigned(tx: Connection) -> list[Stretch]:
    """Which entries came back from a published directory under no signed head; also
    those of a restoration that is not on record yet."""
    fact, coming = get_fact(tx, RESTORED_FACT), None
    if fact is not None and fact["entry"] is None:
        coming = Stretch(max(fact["signed"] or 0, fact["old_size"]), fact["size"])
    found = tx.exec_driver_sql("SELECT bytes FROM entry WHERE kind = ?", (RESTORED,))
    return stretches(map(decode, found.scalars()), coming)


def newest(tx: Connection, kind: str) -> int:
    """The number of the newest entry of a kind; -1 where there is none."""
    sql = "SELECT ifnull(max(number), -1) FROM entry WHERE kind = ?"
    return int(tx.exec_driver_sql(sql, (kind,)).scalar_one())


def opening(tx: Connection) -> dict[str, Any]:
    """The entry that opened the log that this is: the first, or that of the successor;
    RetentionError where there is none."""
    return read(tx, max(0, newest(tx, "log.opened")))


def completion(tx: Connection, intent: int) -> int | None:
    """The number of the `recordings.deleted` of an intent; None while it is open.  One
    that came back unsigned completes nothing."""
    still_open = tx.exec_driver_sql("SELECT 1 FROM batch WHERE intent = ?", (intent,))
    if still_open.first():
        return None
    later = tx.exec_driver_sql(
        "SELECT number, bytes FROM entry "
        "WHERE kind = 'recordings.deleted' AND number > ? ORDER BY number",
        (intent,),
    )
    for number, data in later:
        if decode(data)["fields"]["intent"] == intent:
            if is_unsigned(unsigned(tx), number):
                continue
            later.close()
            return int(number)
    return None


def completions(tx: Connection, intents: Iterable[int]) -> list[int]:
    """The numbers of the completions of these intents, which are given in order; in
    order too.  An open batch has none, as of `completion`."""
    still_open = set(tx.exec_driver_sql("SELECT intent FROM batch").scalars())
    back = unsigned(tx)
    coming = (one for one in intents if one not in still_open)
    next_intent = next(coming, None)
    if next_intent is None:
        return []
    found: list[int] = []
    waiting: set[int] = set()
    last = next_intent
    while page := tx.exec_driver_sql(_DONE, (last,)).all():
        for last, data in page:
            while next_intent is not None and next_intent < last:
                waiting.add(next_intent)
                next_intent = next(coming, None)
            intent = decode(data)["fields"]["intent"]
            if intent in waiting and not is_unsigned(back, last):
                waiting.discard(intent)
                found.append(last)
        if next_intent is None and not waiting:
            break
    return found


def completed(tx: Connection, before: int) -> Iterator[tuple[int, int]]:
    """The completions below a number and the intents of each, newest first; those that
    came back unsigned complete nothing."""
    back = unsigned(tx)
    while page := tx.exec_driver_sql(_DONE_BEFORE, (before,)).all():
        for number, data in page:
            if not is_unsigned(back, number):
                yield number, decode(data)["fields"]["intent"]
        before = page[-1].number


def head(tx: Connection) -> tuple[int, bytes]:
    """The head row as it is: size and frontier."""
    row = tx.exec_driver_sql("SELECT size, frontier FROM log_head").one()
    return int(row.size), bytes(row.frontier)


def stored(tx: Connection, first: int, limit: int) -> list[Stored]:
    """Entries from number `first` on with all that lies beside them, to be verified."""
    texts: dict[int, dict[str, str]] = {}
    for number, field, text in tx.exec_driver_sql(
        "SELECT entry, field, text FROM disclosure WHERE entry BETWEEN ? AND ?",
        (first, first + limit - 1),
    ):
        texts.setdefault(number, {})[field] = text
    found = tx.exec_driver_sql(
        "SELECT number, e.bytes, r.bytes, at, kind FROM entry e "
        "LEFT JOIN entry_rows r ON r.entry = number "
        "WHERE number BETWEEN ? AND ? ORDER BY number",
        (first, first + limit - 1),
    )
    return [
        Stored(number, data, rows, texts.get(number, {}), at, kind)
        for number, data, rows, at, kind in found
    ]


def beyond(tx: Connection, size: int) -> int | None:
    """The first number from `size` on that anything in the log's tables speaks of."""
    return tx.exec_driver_sql(
        "SELECT min(number) FROM (SELECT number FROM entry WHERE number >= :size "
        "UNION ALL SELECT entry FROM entry_rows WHERE entry >= :size "
        "UNION ALL SELECT entry FROM disclosure WHERE entry >= :size)",
        {"size": size},
    ).scalar()


def unindexed(
    tx: Connection, number: int, wanted: Iterable[tuple[int, int]]
) -> tuple[int, int] | None:
    """A (camera, hour) under which entry `number` can't be found, or None."""
    for camera, hour in wanted:
        row = tx.exec_driver_sql(
            "SELECT 1 FROM entry_camera WHERE camera = ? AND hour = ? AND entry = ?",
            (camera, hour, number),
        )
        if row.first() is None:
            return camera, hour
    return None
