"""Brings the effects of re-imported entries back into an older catalogue.

In the order of the log, each in the transaction that brings its entry back.  Holds come
back whole but for what identifies people, which is not in the published log; recordings
that were deleted or lost leave.  What only makes a person decide again (plans, rulings
on quarantine, proposals) is left to be decided again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from retention import rules
from retention.audit.canonical import path_bytes
from retention.audit.log import read_rows
from retention.caller import name_of
from retention.catalogue import (
    batches,
    guards,
    holds,
    policies,
    proposals,
    restored,
    roots,
)
from retention.catalogue.db import put_fact
from retention.deletion.cycle import PAUSE_FACT
from retention.errors import CatalogueError
from retention.model import Micros, Outcome, Rows, Stream
from retention.policy import Policy

if TYPE_CHECKING:
    from sqlalchemy import Connection

Fields = dict[str, Any]
Act = Callable[["Connection", int, Fields, "Rows | None"], None]

WITHHELD = "restored from the published log, which has no reasons"

_GONE = (Outcome.DELETED, Outcome.ABSENT_AFTER_CRASH, Outcome.ABSENT)


class Replay:
    """Counts what it brought back, by kind of entry."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.gone = 0

    def one(
        self, tx: Connection, number: int, entry: Fields, rows: Rows | None
    ) -> None:
        """The effect of one entry; its row file is in the catalogue already."""
        kind = entry["kind"]
        self.kinds[kind] += 1
        if kind == "recordings.deleted":
            self.gone += _completed(tx, entry["fields"], rows)
            return
        if kind == "recordings.lost" and rows is not None:
            self.gone += restored.gone(tx, _keys(rows))
            return
        act = _ACTS.get(kind)
        if act is not None:
            act(tx, number, entry, rows)

    def holds(self) -> int:
        """How many entries about holds were replayed."""
        return sum(n for kind, n in self.kinds.items() if kind.startswith("hold."))


def _cameras(fields: Fields, rows: Rows | None) -> list[int]:
    """The cameras that an entry of a hold lists, in itself or beside it."""
    if fields["cameras"] is not None:
        return list(fields["cameras"])
    return [row[0] for row in rows.values] if rows else []


# -- holds ------------------------------------------------------------------------


def _placed(tx: Connection, number: int, entry: Fields, rows: Rows | None) -> None:
    fields, actor = entry["fields"], entry["actor"]
    key = holds.insert(
        tx, _cameras(fields, rows), kind=fields["kind"], reference="",
        reason=WITHHELD, requester="", officer="", force="", power="", typed="",
        since=fields["since"], until=fields["until"], review=fields["review"],
        margin=fields["margin"], received=fields["received"],
        replaces=fields["replaces"], request=fields["request"], placed=entry["at"],
        placed_by=actor["uid"], placed_login=actor["login"],
    )  # fmt: skip
    if key != fields["hold"]:
        raise CatalogueError(
            f"hold {fields['hold']} of entry {number} would come back as hold {key}: "
            "the catalogue has holds that its log does not know. Nothing is deleted; "
            "restore another backup"
        )


def _extended(tx: Connection, _: int, entry: Fields, rows: Rows | None) -> None:
    fields = entry["fields"]
    key = fields["hold"]
    holds.widen(tx, key, fields["since"], fields["until"], fields["review"])
    holds.add_cameras(tx, key, _cameras(fields, rows))


def _reviewed(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    holds.set_review(tx, entry["fields"]["hold"], entry["fields"]["review"])


def _requested(tx: Connection, number: int, entry: Fields, _: Rows | None) -> None:
    actor = entry["actor"]
    holds.request_release(
        tx, entry["fields"]["hold"], at=entry["at"], uid=actor["uid"],
        login=actor["login"], name=name_of(actor["uid"]) or f"uid {actor['uid']}",
        reason=WITHHELD, entry=number,
    )  # fmt: skip


def _rejected(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    holds.drop_request(tx, entry["fields"]["hold"])


def _released(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    holds.release(tx, fields["hold"], entry["at"], fields["free_at"])


def _reinstated(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    holds.reinstate(tx, fields["hold"], min(entry["at"], fields["free_at"] - 1))


def _cooled(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    holds.set_cooled(tx, entry["fields"]["hold"], entry["at"])


# -- cameras, roots, streams --------------------------------------------------------

_NUMBERS = ("lon", "lat")


def _number(text: str | None) -> float | None:
    return None if text is None else float(text)


def _added(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    columns = {
        "location": fields["location"] or "", "view": fields["view"] or "",
        "kind": fields["kind"], "custody": fields["custody"],
        "lon": _number(fields["lon"]), "lat": _number(fields["lat"]),
        "listed": 1, "retired": 0,
    }  # fmt: skip
    restored.add_camera(tx, fields["camera"], fields["id"], entry["at"], columns)


def _changed(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    changes = entry["fields"]["changes"]
    columns = {
        name: _number(new) if name in _NUMBERS else new
        for name, (_, new) in changes.items()
    }
    if columns:
        restored.change_camera(tx, entry["fields"]["camera"], columns)


def _renumbered(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    restored.relabel_camera(tx, fields["camera"], fields["new"], entry["at"])


def _replaced(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    restored.take_id(tx, fields["old"], fields["id"], entry["at"])
    restored.change_camera(tx, fields["old"], {"retired": 1, "listed": 0})


def _camera_is(**columns: int) -> Act:
    def act(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
        restored.change_camera(tx, entry["fields"]["camera"], columns)

    return act


def _root_created(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    if roots.by_name(tx, fields["root"]) is None:
        path = path_bytes(fields["path"]).decode("utf-8", "surrogateescape")
        roots.add(tx, name=fields["root"], path=path, uuid=fields["uuid"])


def _root_adopted(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    roots.set_adopted(tx, _root(tx, entry["fields"]["root"]).key, entry["at"])


def _root_replaced(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    roots.replace(tx, _root(tx, fields["root"]), fields["new"])


def _stream_opened(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    root = _root(tx, fields["root"]).key
    restored.add_stream(
        tx,
        Stream(
            fields["stream"], root, fields["camera"], fields["layout"], fields["zone"],
            fields["name"], fields["extension"], fields["max_length"],
        ),
    )  # fmt: skip


def _root(tx: Connection, name: str) -> roots.Root:
    found = roots.by_name(tx, name)
    if found is None:
        raise CatalogueError(
            f"the log speaks of a footage root {name} that the restored catalogue does "
            "not have: restore another backup; nothing is deleted"
        )
    return found


# -- deletions and losses ---------------------------------------------------------


def _keys(rows: Rows) -> list[restored.Key]:
    at = [rows.columns.index(name) for name in ("stream", "start", "n")]
    return [(row[at[0]], row[at[1]], row[at[2]]) for row in rows.values]


def _intended(tx: Connection, number: int, entry: Fields, rows: Rows | None) -> None:
    if rows is None:
        return
    names = ("stream", "start", "n", "duration", "bytes", "path")
    at = [rows.columns.index(name) for name in names]
    values = [[row[i] for i in at] for row in rows.values]
    for row in values:
        row[5] = None if row[5] is None else path_bytes(row[5])
    restored.intended(tx, number, _root(tx, entry["fields"]["root"]).key, values)


def _completed(tx: Connection, fields: Fields, exceptions: Rows | None) -> int:
    """The rows of an intent leave, but for those whose file is still there: these are
    as any other again.  How many left."""
    intent = fields["intent"]
    rows = read_rows(tx, intent)
    outcomes = dict(exceptions.values) if exceptions else {}
    gone: list[restored.Key] = []
    there: list[restored.Key] = []
    for number, key in enumerate(_keys(rows) if rows else []):
        outcome = outcomes.get(number, Outcome.DELETED)
        (gone if outcome in _GONE else there).append(key)
    restored.completed(tx, intent)
    batches.put_back(tx, there)
    return restored.gone(tx, gone)


def _grown(tx: Connection, _: int, __: Fields, rows: Rows | None) -> None:
    if rows is None:
        return
    duration, size = (rows.columns.index(name) for name in ("duration", "bytes"))
    for key, row in zip(_keys(rows), rows.values, strict=True):
        restored.grown(tx, key, row[duration], row[size])


# -- rules and guards -------------------------------------------------------------


def _policy(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    cameras = {int(key): days for key, days in fields["cameras"].items()}
    policy = Policy(fields["version"], fields["days"], cameras)
    current = policies.current(tx)
    if current is None or current.version < policy.version:
        policies.insert(tx, entry["at"], policy)
    _proposal(tx, 0, entry, None)


def _rules(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    rules.restore(tx, entry["fields"]["new"])
    _proposal(tx, 0, entry, None)


def _proposal(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    """A number stands for one content for good: it is not given out again."""
    number = entry["fields"].get("proposal")
    if number is not None:
        proposals.note_number(tx, number)


def _paused(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    until: Micros = entry["fields"]["until"]
    put_fact(tx, PAUSE_FACT, {"until": until, "since": entry["at"]})


def _resumed(tx: Connection, _: int, __: Fields, ___: Rows | None) -> None:
    put_fact(tx, PAUSE_FACT, None)


def _tripped(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    fields = entry["fields"]
    guards.put(tx, fields["guard"], fields["scope"], entry["at"], fields["detail"])


def _cleared(tx: Connection, _: int, entry: Fields, __: Rows | None) -> None:
    guards.take(tx, entry["fields"]["guard"], entry["fields"]["scope"])


_ACTS: dict[str, Act] = {
    "hold.placed": _placed,
    "hold.extended": _extended,
    "hold.reviewed": _reviewed,
    "hold.release_requested": _requested,
    "hold.release_rejected": _rejected,
    "hold.released": _released,
    "hold.reinstated": _reinstated,
    "hold.cooled": _cooled,
    "camera.added": _added,
    "camera.changed": _changed,
    "camera.moved": _changed,
    "camera.renumbered": _renumbered,
    "camera.replaced": _replaced,
    "camera.retired": _camera_is(retired=1),
    "camera.unlisted": _camera_is(listed=0),
    "camera.listed": _camera_is(listed=1),
    "root.created": _root_created,
    "root.adopted": _root_adopted,
    "root.replaced": _root_replaced,
    "stream.opened": _stream_opened,
    "deletion.intended": _intended,
    "recording.changed": _grown,
    "policy.changed": _policy,
    "policy.proposed": _proposal,
    "rules.changed": _rules,
    "rules.proposed": _proposal,
    "deletion.paused": _paused,
    "deletion.resumed": _resumed,
    "guard.tripped": _tripped,
    "guard.cleared": _cleared,
}
"""`hold.amended` changes only what the published log does not have."""
