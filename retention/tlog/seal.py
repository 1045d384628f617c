"""Makes an entry ready to be kept: its bytes, the texts that open its commitments, and
its rows.  No database: what appends, restores or forges for a test seals here.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from retention.model.errors import CatalogueError, RetentionError
from retention.model.values import Actor, Entry, Micros, Prepared, Rows
from retention.tlog import commitments, kinds, merkle
from retention.tlog import rows as row_files
from retention.tlog.canonical import base64url, encode
from retention.tlog.commitments import SALT_BYTES, Random
from retention.tlog.declare import Kind
from retention.tlog.entry import previous

ENTRY_LIMIT = 16 * 1024
"""No entry is larger (bytes): a bundle of C2SP tlog-tiles holds 65,535 at most."""

VERSION = 1


class Follows(NamedTuple):
    """What an entry comes after: how many there are, the version of the policy that is
    in force, and the bytes of the last one (None: the log is empty)."""

    size: int
    policy: int
    last: bytes | None


class Writer(NamedTuple):
    """Who writes it, when (microseconds since the epoch), and at which installation:
    `origin` is site, host and program."""

    actor: Actor
    at: Micros
    origin: Mapping[str, str]


class Sealed(NamedTuple):
    """An entry that can be kept as it is.

    `texts` are the disclosures by field, `leaf` its hash in the tree, `hours` the
    (camera, hour) that it is found by.
    """

    number: int
    at: Micros
    kind: str
    data: bytes
    leaf: bytes
    texts: Mapping[str, str]
    rows: Prepared | None
    hours: frozenset[tuple[int, int]]


def seal(
    entry: Entry,
    writer: Writer,
    before: Follows,
    random: Random = secrets.token_bytes,
) -> Sealed:
    """The next entry after `before`.  Salts are fresh: two seals are never the same.

    Raises TypeError where the entry is not as its kind is declared, ValueError where
    its counts are not those of its rows, RetentionError where it is over 16 KiB,
    CatalogueError where a log does not begin with `log.opened`, or has it twice and
    succeeds none.
    """
    if (before.size == 0) != kinds.begins(entry.kind, entry.fields):
        raise CatalogueError(
            f"{entry.kind} can't be entry {before.size}: the audit log begins with "
            "log.opened, and only there; run `retention init`"
        )
    kind = kinds.of(entry.kind)
    clear, hidden = kind.split(entry.fields)
    rows = _prepared(kind, entry.rows, clear, random)
    if writer.actor.name is not None:
        hidden[commitments.ACTOR_NAME] = writer.actor.name
    texts = {name: commitments.disclose(name, v, random) for name, v in hidden.items()}
    # What has commitments or rows has random bytes from these.
    needs_salt = kind.salted and not texts and rows is None
    salt = {"salt": base64url(random(SALT_BYTES))} if needs_salt else {}
    data = encode(
        {
            **writer.origin,
            "v": VERSION,
            "index": before.size,
            "kind": entry.kind,
            "at": writer.at,
            "policy": before.policy,
            "actor": _actor(writer.actor),
            "fields": clear,
        }
        | kind.named(clear)
        | ({"prev": previous(before.last)} if before.last else {})
        | (_committed(texts) if texts else {})
        | (_rows_said(rows) if rows else {})
        | salt
    )
    _refuse_large(entry.kind, data, texts)
    return Sealed(
        before.size, writer.at, entry.kind, data, merkle.leaf(data), texts, rows,
        _hours(entry, rows),
    )  # fmt: skip


def _prepared(
    kind: Kind,
    rows: Rows | Prepared | None,
    fields: Mapping[str, Any],
    random: Random,
) -> Prepared | None:
    """The rows made ready, if not done yet, and found to be what the fields say."""
    kind.check_rows(rows.columns if rows else None)
    if rows is None:
        return None
    ready = row_files.prepare(rows, random) if isinstance(rows, Rows) else rows
    if complaint := row_files.disagreement(fields, ready.count, ready.total):
        raise ValueError(f"{kind.name}: {complaint}")
    return ready


def _hours(entry: Entry, rows: Prepared | None) -> frozenset[tuple[int, int]]:
    found = rows.hours if rows else frozenset()
    if entry.spans:
        return found | row_files.hours(*zip(*entry.spans, strict=True))
    return found


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
