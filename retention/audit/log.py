"""Owns the log's tables: the one function that appends, and every reading of them.

An entry commits in its caller's transaction or not at all.  Its number comes from the
head row, never from a sequence, so that a transaction rolled back leaves no gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from retention import merkle
from retention.audit import commitments, kinds
from retention.audit import rows as row_files
from retention.audit.canonical import base64url, decode, encode
from retention.audit.declare import Kind
from retention.audit.stored import Stored, previous
from retention.errors import (
    CatalogueError,
    RetentionError,
    StaleError,
    VerificationError,
)
from retention.model import Actor, Entry, Micros, Prepared, Rows

ENTRY_LIMIT = 16 * 1024
"""No entry is larger (bytes): a bundle of C2SP tlog-tiles holds 65,535 at most."""

VERSION = 1

FORMAT = "cctv-retention-log/1"
PRUNING = "none: no entry is ever removed"

ACTOR_NAME = "actor.name"
"""The name under which an actor's name is committed to."""

_HEAD = """SELECT size, frontier,
    (SELECT ifnull(max(version), 0) FROM policy),
    (SELECT bytes FROM entry WHERE number = log_head.size - 1)
    FROM log_head"""


class Log:
    """Where entries are appended; says in each who wrote it, and where.  No state.

    `clock` says when an entry is written.  A cycle goes by one reading of the clock, and
    may take long: its entries say when each was written, not when it began.  Without a
    clock they say what they are given.
    """

    def __init__(
        self,
        *,
        site: str,
        host: str,
        program: str,
        clock: Callable[[], Micros] | None = None,
    ) -> None:
        self._origin = {"site": site, "host": host, "program": program}
        self._clock = clock

    def append(self, tx: Connection, entry: Entry) -> int:
        """Append as the last step of the caller's transaction; returns the number.

        Raises TypeError where the entry is not as its kind is declared, ValueError
        where its counts are not those of its rows, RetentionError where it is over 16
        KiB, StaleError or CatalogueError where the head is not the one it follows.
        """
        if self._clock is not None:
            entry = replace(entry, at=self._clock())
        kind = kinds.of(entry.kind)
        clear, hidden = kind.split(entry.fields)
        rows = _prepared(kind, entry.rows, clear)
        if entry.actor.name is not None:
            hidden[ACTOR_NAME] = entry.actor.name
        texts = {name: commitments.disclose(name, v) for name, v in hidden.items()}
        size, hashes, policy, last = tx.exec_driver_sql(_HEAD).one()
        if (size == 0) != (entry.kind == "log.opened"):
            raise CatalogueError(
                f"{entry.kind} can't be entry {size}: the audit log begins with "
                "log.opened, and only there; run `retention init`"
            )
        data = encode(
            self._origin
            | {
                "v": VERSION,
                "index": size,
                "kind": entry.kind,
                "at": entry.at,
                "policy": policy,
                "actor": _actor(entry.actor),
                "fields": clear,
            }
            | kind.named(clear)
            | ({"prev": previous(last)} if last else {})
            | (_committed(texts) if texts else {})
            | (_rows_said(rows) if rows else {})
        )
        _refuse_large(entry.kind, data, texts)
        frontier = merkle.Frontier.from_bytes(size, hashes).append(merkle.leaf(data))
        _move_head(tx, size, frontier)
        _insert(tx, size, entry, data, texts)
        _insert_rows(tx, size, entry, rows)
        return int(size)


def open_log(
    tx: Connection,
    *,
    site: str,
    at: Micros,
    actor: Actor,
    host: str,
    program: str,
    log_id: str,
    public_key: bytes,
    timezone: str,
) -> int:
    """Append the first entry: what this log is, and whose signature it carries.

    `public_key` are the 32 bytes of the Ed25519 key; raises as `Log.append`.
    """
    fields = {
        "log_id": log_id,
        "public_key": base64url(public_key),
        "format": FORMAT,
        "timezone": timezone,
        "pruning": PRUNING,
    }
    log = Log(site=site, host=host, program=program)
    return log.append(tx, Entry("log.opened", at, actor, fields))


def _prepared(
    kind: Kind, rows: Rows | Prepared | None, fields: Mapping[str, Any]
) -> Prepared | None:
    """The rows made ready, if not done yet, and found to be what the fields say."""
    kind.check_rows(rows.columns if rows else None)
    if rows is None:
        return None
    ready = row_files.prepare(rows) if isinstance(rows, Rows) else rows
    if complaint := row_files.disagreement(fields, ready.count, ready.total):
        raise ValueError(f"{kind.name}: {complaint}")
    return ready


def _actor(actor: Actor) -> dict[str, Any]:
    return {name: getattr(actor, name) for name in ("uid", "login", "pid", "role")}


def _committed(texts: Mapping[str, str]) -> dict[str, Any]:
    return {"sd": {name: commitments.digest(text) for name, text in texts.items()}}


def _rows_said(rows: Prepared) -> dict[str, Any]:
    return {
        "rows": rows.count,
        "rows_root": base64url(rows.root),
        "rows_sha256": base64url(rows.sha256),
    }


def _refuse_large(kind: str, data: bytes, texts: Mapping[str, str]) -> None:
    for what, length in (
        ("entry", len(data)),
        *((name, len(text)) for name, text in texts.items()),
    ):
        if length > ENTRY_LIMIT:
            raise RetentionError(
                f"{kind} was refused: its {what} would take {length} bytes of the "
                f"audit log, {ENTRY_LIMIT} is the most; nothing was changed, give less"
            )


def _move_head(tx: Connection, size: int, frontier: merkle.Frontier) -> None:
    moved = tx.exec_driver_sql(
        "UPDATE log_head SET size = ?, frontier = ? WHERE id = 1 AND size = ?",
        (frontier.size, frontier.to_bytes(), size),
    )
    if moved.rowcount != 1:
        raise StaleError("the audit log grew meanwhile; nothing was changed, try again")


def _insert(
    tx: Connection, number: int, entry: Entry, data: bytes, texts: Mapping[str, str]
) -> None:
    try:
        tx.exec_driver_sql(
            "INSERT INTO entry (number, at, kind, bytes) VALUES (?, ?, ?, ?)",
            (number, entry.at, entry.kind, data),
        )
    except sa.exc.IntegrityError as error:
        raise CatalogueError(
            f"the audit log has an entry {number} that its head knows nothing of; "
            "nothing was changed, run `retention audit verify`"
        ) from error
    if texts:
        tx.exec_driver_sql(
            "INSERT INTO disclosure (entry, field, text) VALUES (?, ?, ?)",
            [(number, name, text) for name, text in sorted(texts.items())],
        )


def _insert_rows(
    tx: Connection, number: int, entry: Entry, rows: Prepared | None
) -> None:
    found = set(rows.hours) if rows else set()
    if entry.index:
        found |= row_files.hours(*zip(*entry.index, strict=True))
    if found:
        tx.exec_driver_sql(
            "INSERT INTO entry_camera (camera, hour, entry) VALUES (?, ?, ?)",
            [(camera, hour, number) for camera, hour in sorted(found)],
        )
    if rows:
        tx.exec_driver_sql(
            "INSERT INTO entry_rows (entry, bytes) VALUES (?, ?)", (number, rows.data)
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
    """The rows of an entry; errors as `row_file`, None where it has none."""
    found = row_file(tx, number)
    return None if found is None else row_files.rows_of(found)


def row_file(
    tx: Connection, number: int, only: Set[str] | None = None
) -> row_files.RowFile | None:
    """The rows of an entry, checked against it, column by column: all, or those in
    `only`.  None where it has none.

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
    return row_files.read(data, only)


def opened(tx: Connection, number: int) -> dict[str, Any]:
    """One entry with its committed fields in clear, under `fields` and `actor`.

    A value that was erased is left out and its name is in `withheld`.  Raises
    VerificationError where a disclosure is not the one that was committed to.
    """
    entry = read(tx, number)
    digests = entry.pop("sd", {})
    found = tx.exec_driver_sql(
        "SELECT field, text FROM disclosure WHERE entry = ?", (number,)
    )
    texts: dict[str, str] = {one.field: one.text for one in found}
    try:
        values = {
            name: commitments.opened(texts[name], name, digest)
            for name, digest in digests.items()
            if name in texts
        }
    except ValueError as error:
        raise VerificationError(
            f"audit entry {number}: {error}; run `retention audit verify`"
        ) from error
    if ACTOR_NAME in values:
        entry["actor"]["name"] = values.pop(ACTOR_NAME)
    entry["fields"] |= values
    entry["withheld"] = sorted(digests.keys() - texts.keys())
    return entry


def completion(tx: Connection, intent: int) -> int | None:
    """The number of the `recordings.deleted` of an intent; None while it is open."""
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
            later.close()
            return int(number)
    return None


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
