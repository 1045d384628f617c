"""What rows say of doubts about times, as far as the log bears it out.

Whoever can write into the catalogue's file can say that footage in doubt was seen long
ago, or is in no doubt.  So whatever is put on record of it anew is held against the log.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from retention.catalogue import recordings
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.recordings import Doubt, Key
from retention.control import in_force
from retention.model.values import Micros, Recording, Stream, Window
from retention.tlog.kinds import telling
from retention.tlog.source import Query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from retention.catalogue.db import Catalogue
    from retention.catalogue.lost import Lost

BY_LOG = "in quarantine by the log"


def doubts(
    catalogue: Catalogue, tx: Connection, rows: Iterable[Recording], now: Micros
) -> dict[Key, Doubt]:
    """The doubts about recordings, by key: of no sooner than the log says, and what the
    log does not have in quarantine of `now`.

    In a transaction that writes before it appends: an entry that is taken back was not
    said.
    """
    rows = list(rows)
    said = in_force.doubts_now(catalogue, tx, [row.key for row in rows])
    kept = recordings.doubts_of(tx, rows)
    found = {row.key: _doubt(row, kept.get(row.key), said, now) for row in rows}
    return {key: doubt for key, doubt in found.items() if doubt is not None}


def _doubt(
    row: Recording, kept: Doubt | None, said: Mapping[Key, Micros | None], now: Micros
) -> Doubt | None:
    doubt = None if kept is None or kept.settled else kept
    if row.key not in said:
        return kept if doubt is None else doubt._replace(seen=now)
    times = (said[row.key], None if doubt is None else doubt.seen)
    seen = max((at for at in times if at is not None), default=now)
    if doubt is None:
        return Doubt(seen, row.end if kept is None else kept.mtime, BY_LOG)
    return doubt._replace(seen=seen)


def lost(
    tx: Connection, camera: int, gone: Sequence[Lost], now: Micros
) -> dict[Key, Doubt]:
    """The same of recordings of a camera that vanished, as it was then."""
    if not gone:
        return {}
    left, said = {one.row.key: one for one in gone}, dict[Key, Micros | None]()
    time = Window(min(one.row.start for one in gone), max(one.row.end for one in gone))
    for record in CatalogueSource(tx).backwards(
        Query(_DOUBTS, camera=camera, footage=time)
    ):
        if not left:
            break
        if record.is_void or "rows" not in record.entry:
            continue
        found = record.read(_COLUMNS).columns
        seen = found.get("seen", [None] * len(found["start"]))
        for *key, at in zip(*(found[name] for name in _KEY), seen, strict=True):
            one = left.get(tuple(key))
            if one is not None and record.entry["at"] <= one.at:
                del left[one.row.key]
                if record.kind == "recordings.quarantined":
                    said[one.row.key] = at
    known = {one.row.key: _doubt(one.row, one.doubt, said, now) for one in gone}
    return {key: doubt for key, doubt in known.items() if doubt is not None}


_DOUBTS = telling("doubts")
_KEY = ("stream", "start", "n")
_COLUMNS = frozenset((*_KEY, "seen"))


def streams(
    catalogue: Catalogue, tx: Connection, found: Iterable[Stream]
) -> list[Stream]:
    """Streams whose recordings are no shorter than the log says, and whose times are in
    doubt since no sooner."""
    doubted, lengths = in_force.streams_now(catalogue, tx)
    return [
        one
        if lengths.get(one.key, 0) <= one.max_length
        and (doubted.get(one.key) or 0) <= (one.quarantined or 0)
        else replace(
            one,
            max_length=max(one.max_length, lengths.get(one.key, 0)),
            quarantined=max(doubted.get(one.key) or 0, one.quarantined or 0) or None,
        )
        for one in found
    ]
