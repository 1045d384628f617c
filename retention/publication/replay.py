"""Brings the effects of re-imported entries back into an older catalogue.

In the order of the log, each in the transaction that brings its entry back.  Holds come
back whole but for what identifies people, which is not in the published log; recordings
that were deleted or lost leave.  What only makes a person decide again (plans, rulings
on quarantine, proposals) is left to be decided again.

Under no signed head everything comes back into the log alone, but for what only keeps
(`tlog.kinds`): who can write into a published directory can put entries there without
the key.  The service finds the rest out by itself, or people decide again.  An intent is
signed before its first unlink: one under no head is completed as one of which nothing was
deleted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import (
    batches,
    holds,
    log,
    policies,
    proposals,
    raised,
    restored,
    roots,
)
from retention.catalogue.db import PAUSE_FACT, put_fact, set_meta
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.recordings import Key
from retention.control import repair, rules, successor
from retention.model.errors import CatalogueError, put_back
from retention.model.policy import Policy
from retention.model.values import Micros, Outcome, Rows
from retention.publication.unproven import Unproven
from retention.site.caller import name_of
from retention.tlog.canonical import path_bytes
from retention.tlog.declare import Footage
from retention.tlog.kinds import KINDS
from retention.tlog.source import DELETED, INTENDED, outcomes

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.db import Transaction


class Back(NamedTuple):
    """An entry that comes back, with its rows; its row file is in the catalogue already."""

    number: int
    entry: dict[str, Any]
    rows: Rows | None

    @property
    def kind(self) -> str:
        """The kind of the entry."""
        return str(self.entry["kind"])

    @property
    def fields(self) -> dict[str, Any]:
        """What its kind declares."""
        fields: dict[str, Any] = self.entry["fields"]
        return fields

    @property
    def at(self) -> Micros:
        """When it was written."""
        return int(self.entry["at"])


Act = Callable[["Transaction", Back], "int | None"]
"""Brings the effect of one entry back; how many recordings left by it, if any can."""

ACTS: dict[str, Act] = {}
"""Every act by its name, by which `tlog.kinds` declares it for a kind."""


def _act(function: Act) -> Act:
    ACTS[function.__name__] = function
    return function


class Replay:
    """Counts what it brought back: entries of holds, and recordings that left.

    `withdrawn`: intents under no head, each with how many files it lists.  `alone`: how
    many entries of each kind came back into the log alone.
    """

    def __init__(self, unproven: Unproven) -> None:
        self.holds = 0
        self.gone = 0
        self.withdrawn: dict[int, int] = {}
        self.alone: Counter[str] = Counter()
        self._unproven = unproven

    def one(self, tx: Transaction, back: Back, signed: int) -> None:
        """The effect of one entry, where a head covers the first `signed`."""
        kind = KINDS.get(back.kind)
        if self._unproven.has(back.number):
            keeps = kind is not None and kind.keeps
            if back.number < signed and not keeps:
                return
            if back.kind == INTENDED:
                self.withdrawn[back.number] = back.fields["count"]
            if not keeps:
                self.alone[back.kind] += 1
                return
        if kind is None:
            return
        self.holds += kind.footage is Footage.HOLD
        if self._unproven.has(back.number):
            # A pause is on from the end of the restore.
            self._unproven.keep(tx, back.number, back.fields.get("hold", -1))
        elif kind.act is not None and not self._of_unproven(back):
            self.gone += ACTS[kind.act](tx, back) or 0

    def _of_unproven(self, back: Back) -> bool:
        """The completion of an intent that had no effect either."""
        return back.kind == DELETED and self._unproven.has(back.fields["intent"])


def withdraw(tx: Transaction, withdrawn: Mapping[str, int]) -> None:
    """Complete the intents that came back under no head, by number with how many files
    each lists: nothing is unlinked before a head covers its intent."""
    for intent, count in withdrawn.items():
        tx.append(*batches.completion(int(intent), [Outcome.STOPPED] * count))


def _cameras(back: Back) -> list[int]:
    """The cameras that an entry lists, in itself or beside it."""
    if back.fields["cameras"] is not None:
        return list(back.fields["cameras"])
    return [row[0] for row in back.rows.values] if back.rows else []


def _periods(back: Back) -> dict[int, int]:
    """The days of the cameras whose period is their own, by key."""
    if back.fields["cameras"] is not None:
        return {int(key): days for key, days in back.fields["cameras"].items()}
    rows = back.rows.values if back.rows else []
    return {camera: days for camera, days, _ in rows if days is not None}


# -- holds ------------------------------------------------------------------------


@_act
def place_hold(tx: Connection, back: Back) -> None:
    fields = back.fields
    key = holds.insert(tx, _cameras(back), **repair.hold_values(back.entry))
    if key != fields["hold"]:
        raise CatalogueError(
            f"hold {fields['hold']} of entry {back.number} would come back as hold {key}: "
            "the catalogue has holds that its log does not know. Nothing is deleted; "
            f"to mend it: {put_back('another copy of it')}"
        )


@_act
def extend_hold(tx: Connection, back: Back) -> None:
    fields = back.fields
    key = fields["hold"]
    holds.widen(tx, key, fields["since"], fields["until"], fields["review"])
    holds.add_cameras(tx, key, _cameras(back))


@_act
def review_hold(tx: Connection, back: Back) -> None:
    holds.set_review(tx, back.fields["hold"], back.fields["review"])


@_act
def request_release(tx: Connection, back: Back) -> None:
    actor = back.entry["actor"]
    holds.request_release(
        tx, back.fields["hold"], at=back.at, uid=actor["uid"],
        login=actor["login"], name=name_of(actor["uid"]) or f"uid {actor['uid']}",
        reason=repair.WITHHELD, entry=back.number,
    )  # fmt: skip


@_act
def reject_release(tx: Connection, back: Back) -> None:
    holds.drop_request(tx, back.fields["hold"])


@_act
def release_hold(tx: Connection, back: Back) -> None:
    fields = back.fields
    holds.release(tx, fields["hold"], back.at, fields["free_at"])


@_act
def reinstate_hold(tx: Connection, back: Back) -> None:
    fields = back.fields
    holds.reinstate(tx, fields["hold"], min(back.at, fields["free_at"] - 1))


@_act
def cool_hold(tx: Connection, back: Back) -> None:
    holds.set_cooled(tx, back.fields["hold"], back.at)


# -- cameras, roots, streams --------------------------------------------------------


@_act
def add_camera(tx: Connection, back: Back) -> None:
    fields = back.fields
    columns = restored.camera_columns(fields)
    restored.add_camera(tx, fields["camera"], fields["id"], back.at, columns)


@_act
def change_camera(tx: Connection, back: Back) -> None:
    columns = restored.changed_columns(back.entry)
    if columns:
        restored.change_camera(tx, back.fields["camera"], columns)


for _name in ("retire_camera", "unlist_camera", "list_camera"):
    ACTS[_name] = change_camera


@_act
def renumber_camera(tx: Connection, back: Back) -> None:
    fields = back.fields
    restored.relabel_camera(tx, fields["camera"], fields["new"], back.at)


@_act
def replace_camera(tx: Connection, back: Back) -> None:
    fields = back.fields
    restored.take_id(tx, fields["old"], fields["id"], back.at)
    restored.change_camera(tx, fields["old"], restored.changed_columns(back.entry))


@_act
def create_root(tx: Connection, back: Back) -> None:
    fields = back.fields
    if roots.by_name(tx, fields["root"]) is None:
        path = path_bytes(fields["path"]).decode("utf-8", "surrogateescape")
        roots.add(tx, name=fields["root"], path=path, uuid=fields["uuid"])


@_act
def adopt_root(tx: Connection, back: Back) -> None:
    roots.set_adopted(tx, _root(tx, back.fields["root"]).key, back.at)


@_act
def replace_root(tx: Connection, back: Back) -> None:
    fields = back.fields
    roots.replace(tx, _root(tx, fields["root"]), fields["new"])


@_act
def open_stream(tx: Connection, back: Back) -> None:
    root = _root(tx, back.fields["root"]).key
    restored.add_stream(tx, restored.stream_opened(back.fields, root))


def _root(tx: Connection, name: str) -> roots.Root:
    found = roots.by_name(tx, name)
    if found is None:
        raise CatalogueError(
            f"the log speaks of a footage root {name} that the restored catalogue does "
            f"not have. Nothing is deleted; to mend it: {put_back('another copy of it')}"
        )
    return found


# -- deletions and losses ---------------------------------------------------------


def _keys(rows: Rows | None) -> Sequence[Key]:
    return [] if rows is None else rows.pick("stream", "start", "n")


@_act
def open_batch(tx: Connection, back: Back) -> None:
    if back.rows is None:
        return
    root = _root(tx, back.fields["root"]).key
    rows = back.rows.pick("stream", "start", "n", "duration", "bytes", "path")
    restored.intended(tx, back.number, root, rows)


_FILE = ("stream", "start", "n", "duration", "bytes", "path")


@_act
def lose_recordings(tx: Connection, back: Back) -> int:
    """They leave, and are known if they come back; how many did."""
    if back.rows is not None:
        restored.vanished(tx, back.rows.pick(*_FILE, "held"), back.at)
    return restored.gone(tx, _keys(back.rows))


@_act
def move_recordings(tx: Connection, back: Back) -> int:
    """They leave, or had vanished and are known as such no more; how many left."""
    restored.back(tx, _keys(back.rows))
    return restored.gone(tx, _keys(back.rows))


@_act
def complete_batch(tx: Transaction, back: Back) -> int:
    """The rows of an intent leave, but for those whose file is still there: these are
    as any other again.  How many left."""
    intent = back.fields["intent"]
    became = outcomes(CatalogueSource(tx).entry(back.number))
    gone: list[Key] = []
    there: list[Key] = []
    absent: list[tuple[Any, ...]] = []
    rows = log.read_rows(tx, intent)
    for number, row in enumerate(rows.pick(*_FILE) if rows is not None else ()):
        outcome = became.of(number)
        (gone if outcome and outcome.gone else there).append(row[:3])
        if outcome is Outcome.ABSENT:
            absent.append((*row, 0))
    restored.vanished(tx, absent, back.at)
    restored.completed(tx, intent)
    batches.put_back(tx, there)
    return restored.gone(tx, gone)


@_act
def grow_recordings(tx: Connection, back: Back) -> None:
    if back.rows is None:
        return
    rows = back.rows.pick("stream", "start", "n", "duration", "bytes")
    for stream, start, n, duration, size in rows:
        restored.grown(tx, (stream, start, n), duration, size)


# -- a successor log ----------------------------------------------------------------


@_act
def open_successor(tx: Connection, back: Back) -> None:
    if back.fields.get("succeeds") is not None:
        set_meta(tx, "log_id", back.fields["log_id"])
        successor.restore(tx, back.fields)


@_act
def record_lost_holds(tx: Connection, back: Back) -> None:
    successor.restore_holds(tx, back.fields["holds"])


# -- rules and guards -------------------------------------------------------------


@_act
def change_policy(tx: Transaction, back: Back) -> None:
    fields = back.fields
    policy = Policy(fields["version"], fields["days"], _periods(back))
    current = policies.current(tx)
    if current is None or current.version < policy.version:
        policies.insert(tx, back.at, policy)
    note_proposal(tx, back)


@_act
def change_rules(tx: Transaction, back: Back) -> None:
    rules.restore(tx, back.fields["new"])
    note_proposal(tx, back)


@_act
def note_proposal(tx: Connection, back: Back) -> None:
    """A number stands for one content for good: it is not given out again."""
    number = back.fields.get("proposal")
    if number is not None:
        proposals.note_number(tx, number)


@_act
def pause_deletion(tx: Connection, back: Back) -> None:
    until: Micros = back.fields["until"]
    put_fact(tx, PAUSE_FACT, {"until": until, "since": back.at})


@_act
def resume_deletion(tx: Connection, back: Back) -> None:
    put_fact(tx, PAUSE_FACT, None)


@_act
def trip_guard(tx: Connection, back: Back) -> None:
    fields = back.fields
    name, scope, detail = fields["guard"], fields["scope"], fields["detail"]
    raised.put(tx, raised.Raised(back.number, name, scope, back.at, detail))


@_act
def clear_guard(tx: Connection, back: Back) -> None:
    raised.take(tx, back.fields["guard"], back.fields["scope"])


@_act
def raise_alarm(tx: Connection, back: Back) -> None:
    fields = back.fields
    name, scope, detail = fields["alarm"], fields["scope"], fields["detail"]
    cameras = tuple(_cameras(back))
    raised.put(tx, raised.Raised(back.number, name, scope, back.at, detail, cameras))


@_act
def end_alarm(tx: Connection, back: Back) -> None:
    raised.take(tx, back.fields["alarm"], back.fields["scope"])
