"""A published list taken into the register, and what it may be hiding.

Everything in the list is imported but the rows that a person must rule on; whether a
vanished camera is there under a new id is only ever suggested.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue import cameras, db
from retention.model.answers.camera import CameraBrief, CameraChanged, RowRefused
from retention.model.values import Camera, Entry, Micros, Rows
from retention.register.changes import (
    Comparison,
    Refused,
    added_entry,
    compare,
    differences,
    entry_of,
    fresh,
    place,
    unchecked,
)
from retention.register.lists import NOWHERE, Listed
from retention.register.pairs import Pair, propose

if TYPE_CHECKING:
    from sqlalchemy import Connection

_FACT = "camera_import"
COLUMNS = ("id", "camera", "outcome", "detail")
"""Of the rows beside `cameras.imported`: what became of each camera of the list."""


class Origin(NamedTuple):
    """When and from which file (SHA-256 of its bytes) an import is made, at a site with
    this controller of its own; `whose`: the one whose list it is, None of all."""

    at: Micros
    sha256: str
    own: str
    whose: str | None = None


def take(
    tx: Connection, rows: Sequence[Listed], origin: Origin
) -> tuple[dict[str, Any], list[Entry]]:
    """Import `rows` in the caller's transaction; what the answer says of it (by
    the names of `ListImported`), and entries to append."""
    former = cameras.former_ids(tx)
    found = compare(cameras.current(tx), rows, origin.own, origin.whose)
    _update(tx, found)
    added = _insert(tx, found.added, origin)
    unlisted = found.unlisted
    if added:
        fact = {
            "added": [one.key for one in added],
            "vanished": [one.key for one in found.vanished if not one.retired],
        }
        db.put_fact(tx, _FACT, fact)
    entries = _entries(found, added, unlisted, origin)
    answer = {
        "added": [CameraBrief(*_short(one)) for one in added],
        "changed": [
            CameraChanged(*_short(one.new), differences(*one)) for one in found.changed
        ],
        "unchanged": len(found.known) - len(found.changed),
        "listed": [CameraBrief(*_short(one)) for one in found.relisted],
        "unlisted": [CameraBrief(*_short(one)) for one in unlisted],
        "refused": _refused(tx, found.refused, origin.at),
        "notes": _notes(found, added, former, {row.id: row for row in rows}),
    }
    return answer, entries


def _insert(tx: Connection, rows: Sequence[Listed], origin: Origin) -> list[Camera]:
    at = cameras.next_instant(tx, [row.id for row in rows], origin.at)
    new = [fresh(row, origin.own) for row in rows]
    return [replace(one, key=cameras.insert(tx, one, at)) for one in new]


def _update(tx: Connection, found: Comparison) -> None:
    for old, new in found.known:
        if old != new:
            cameras.update(tx, old, new)
    for one in found.unlisted:
        cameras.update(tx, one, replace(one, listed=False))


def _short(camera: Camera) -> tuple[int, str, str]:
    return camera.key, camera.id, camera.location


def _refused(
    tx: Connection, refused: Sequence[Refused], now: Micros
) -> list[RowRefused]:
    """Rows for a person to rule on; the holds meanwhile cover what is there as well."""
    holds = cameras.active_holds(tx, [one.camera.key for one in refused], now)
    return [
        RowRefused(
            line=one.row.line,
            id=one.row.id,
            location=one.row.location,
            metres=None if one.metres is None else round(one.metres),
            reason=one.reason,
            commands=one.commands,
            holds=holds[one.camera.key],
        )
        for one in refused
    ]


def _entries(
    found: Comparison,
    added: Sequence[Camera],
    unlisted: Sequence[Camera],
    origin: Origin,
) -> list[Entry]:
    at, sha256 = origin.at, origin.sha256
    each = [added_entry(at, one, f"list:{sha256}") for one in added]
    for one in found.changed:
        key, changes = one.new.key, differences(*one)
        fields = {"camera": key, "id": one.new.id, "changes": changes}
        each.append(entry_of(at, "camera.changed", [key], **fields))
    for kind, those in ("listed", found.relisted), ("unlisted", unlisted):
        each += [
            entry_of(at, f"camera.{kind}", [one.key], camera=one.key, id=one.id)
            for one in those
        ]
    summary = entry_of(
        at,
        "cameras.imported",
        [one.camera.key for one in found.refused],
        source_sha256=sha256,
        added=len(added),
        unchanged=len(found.known) - len(found.changed),
        changed=len(found.changed),
        unlisted=len(unlisted),
        refused=len(found.refused),
    )
    return [*each, summary._replace(rows=_rows(found, added, unlisted))]


def _rows(
    found: Comparison, added: Sequence[Camera], unlisted: Sequence[Camera]
) -> Rows:
    changed = {one.new.key for one in found.changed}
    outcomes = [
        *((one.id, one.key, "added", None) for one in added),
        *(
            (new.id, new.key, "changed" if new.key in changed else "unchanged", None)
            for _, new in found.known
        ),
        *((one.row.id, one.camera.key, "refused", one.reason) for one in found.refused),
        *((one.id, one.key, "unlisted", None) for one in unlisted),
    ]
    return Rows(COLUMNS, outcomes)


def _notes(
    found: Comparison,
    added: Sequence[Camera],
    former: set[str],
    rows: dict[str, Listed],
) -> list[str]:
    """What a person should look at, though nothing is wrong with the file."""
    notes = []
    gone = [place(one) for one in found.vanished if not one.retired]
    alike = sum(pair.near for pair in propose(gone, [place(one) for one in added]))
    if alike:
        notes.append(
            f"{alike} of the new ids are at the place of a camera that is not in this "
            "list: if they were renumbered, run `retention camera import FILE --propose "
            "PAIRS.csv` and, once it is edited, `retention camera renumber --file "
            "PAIRS.csv`, before footage comes in under the new ids"
        )
    again = [one.id for one in added if one.id in former]
    if again:
        notes.append(
            f"{len(again)} of the new ids belonged to another camera before "
            f"({_some(again)}): this may be an older list"
        )
    retired = [new.id for _, new in found.known if new.retired]
    if retired:
        notes.append(
            f"listed, but retired here: {_some(retired)}; if another camera is there "
            "now, say `retention camera replace`"
        )
    custody = [new.id for old, new in found.known if old.custody != new.custody]
    if custody:
        notes.append(
            f"custody changed: {_some(custody)}; footage that is already catalogued "
            "keeps its period and its holds"
        )
    blind = unchecked(found.known, rows)
    if blind and any(row.position != NOWHERE for row in rows.values()):
        notes.append(
            f"{blind} known cameras could not be checked by place: no position in the "
            "list or in the register"
        )
    return notes


def _some(ids: Sequence[str]) -> str:
    return ", ".join(ids[:10]) + (" ..." if len(ids) > 10 else "")


class Suggestions(NamedTuple):
    """What `--propose` found: pairs, and vanished cameras that have none."""

    pairs: list[Pair]
    unpaired: list[str]
    appeared: int


def suggest(tx: Connection, rows: Sequence[Listed], origin: Origin) -> Suggestions:
    """Pairs of vanished cameras and ids that are new in the list.

    Where the list was imported already, its new cameras count as new for as long as
    nothing hangs on them, for those cameras that vanished in that same import.
    """
    current = cameras.current(tx)
    found = compare(current, rows, origin.own, origin.whose)
    gone = [one for one in found.vanished if not one.retired]
    pairs = propose([place(one) for one in gone], [place(row) for row in found.added])
    paired = {pair.old.id for pair in pairs}
    vanished = set((db.get_fact(tx, _FACT) or {}).get("vanished", ()))
    recent = displaceable(tx)
    hasty = [new for _, new in found.known if new.key in recent]
    rest = [one for one in gone if one.id not in paired and one.key in vanished]
    pairs += propose([place(one) for one in rest], [place(one) for one in hasty])
    paired |= {pair.old.id for pair in pairs}
    unpaired = [one.id for one in gone if one.id not in paired]
    return Suggestions(pairs, unpaired, len(found.added) + len(hasty))


def displaceable(tx: Connection) -> set[int]:
    """Cameras that the last import added and on which nothing hangs yet: no stream, no
    hold.  An import done before the renumbering can so still be put right.
    """
    fact = db.get_fact(tx, _FACT) or {}
    return cameras.bare(tx, fact.get("added", ()))
