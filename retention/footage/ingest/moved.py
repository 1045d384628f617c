"""Files that are known: moved to another directory, disk or recorder, or there again.

One whose camera, start, end and size are those of a recording that the catalogue has,
or that was called lost within seven days, is that one: it keeps its dates and its
doubt, with the instant from which its period counts.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue import looks, lost, recordings, streams
from retention.catalogue.db import Catalogue
from retention.catalogue.lost import Lost
from retention.catalogue.recordings import OURS_TO_CHANGE, Doubt, Key
from retention.control import borne_out
from retention.footage.ingest.dates import ZONE
from retention.footage.ingest.placing import Placed
from retention.footage.read import FileSeen
from retention.model.layouts.dating import NEAR
from retention.model.policy import MTIME_SLACK
from retention.model.values import Micros, Recording, State, Stream

WAS_LOST = "it was lost while a hold covered it, and another file is in its place"


class _KnownBefore(NamedTuple):
    """A recording as it was known before: its row and its doubt; `lost` if it was."""

    row: Recording
    doubt: Doubt | None
    lost: Lost | None = None


def recognise(
    catalogue: Catalogue,
    tx: Connection,
    placed: Placed,
    now: Micros,
    tolerance: Micros,
) -> None:
    """Give what is known of the files placed its dates and doubt back: what was lost,
    else what is elsewhere too and was not just recorded; nothing is written."""
    known = _lost(tx, placed.stream, placed.rows, now)
    wanted = [
        row
        for row in placed.rows
        if row.key not in known
        and (row.key in placed.doubts or row.end < now - tolerance)
    ]
    there = _there(catalogue, tx, placed.stream, wanted, now) if wanted else {}
    placed.copies = set(there)
    known |= there
    for at, row in enumerate(placed.rows):
        found = known.get(row.key)
        if found is None:
            continue
        placed.late.discard(row.key)
        placed.delays.pop(row.key, None)
        came = placed.doubts.pop(row.key, None)
        if found.doubt is not None:
            mtime = found.doubt.mtime if came is None else came.mtime
            placed.doubts[row.key] = found.doubt._replace(mtime=mtime)
        placed.rows[at] = row._replace(
            duration=found.row.duration, state=state_of(found.doubt)
        )
        if found.lost is not None:
            placed.moved.append((found.lost, placed.rows[at]))


def recognise_lost_since(tx: Connection, placed: Placed, now: Micros) -> None:
    """In the transaction that writes: what was elsewhere too as `recognise` read it, and
    was called lost since by that root's own scan, was moved."""
    rows = {row.key: row for row in placed.rows if row.key in placed.copies}
    if rows:
        for key, found in _lost(tx, placed.stream, rows.values(), now).items():
            if found.lost is not None:
                placed.moved.append((found.lost, rows[key]))


def state_of(doubt: Doubt | None) -> State:
    """The state of a recording that is known, by the doubt about it."""
    doubtful = doubt is not None and not doubt.settled
    return State.QUARANTINED if doubtful else State.PRESENT


def is_same(row: Recording, other: Recording) -> bool:
    """Whether two rows of one camera are of one recording: an end may be the next start,
    or be rounded by a file system."""
    return (row.start, row.size) == (other.start, other.size) and abs(
        row.end - other.end
    ) <= NEAR + MTIME_SLACK


def again(
    tx: Connection, old: Lost, seen: FileSeen, now: Micros
) -> tuple[Recording, Doubt | None]:
    """What vanished under a hold, as it is to be catalogued now that a file is at its
    path, and its doubt; nothing is written."""
    n = recordings.next_n(tx, old.row.stream, old.row.start)
    (stream,) = streams.by_keys(tx, [old.row.stream])
    known = borne_out.lost(tx, stream.camera, [old], now).get(old.row.key)
    row = old.row._replace(n=n, size=seen.size, state=state_of(known))
    came = row._replace(duration=seen.mtime - row.start)
    if is_same(came, old.row):
        return row, known
    length = max(row.duration, came.duration if seen.mtime <= now else 0)
    doubt = Doubt(now, seen.mtime, WAS_LOST)
    return row._replace(duration=length, state=State.QUARANTINED), doubt


def doubt_elsewhere(
    tx: Connection, stream: Stream, row: Recording, doubt: Doubt | None, now: Micros
) -> Doubt | None:
    """The doubt about a recording once it is in another stream than this, its own: that
    about the whole stream goes with it."""
    in_doubt = doubt is not None and not doubt.settled
    if in_doubt or stream.quarantined is None:
        return doubt
    since = looks.known_since(tx, stream.key, row.end, now)
    return Doubt(since, row.end if doubt is None else doubt.mtime, ZONE)


def copies(
    tx: Connection, camera: int, rows: Iterable[Recording]
) -> dict[Key, Recording]:
    """The copy of each recording of a camera that the catalogue has besides it."""
    wanted = _by_start(rows)
    found = {}
    for stream in streams.of_camera(tx, camera):
        for other in recordings.starting_at(tx, stream.key, sorted(wanted)):
            if other.state in OURS_TO_CHANGE:
                for row in wanted[other.start]:
                    if row.key != other.key and is_same(row, other):
                        found[row.key] = other
    return found


def _by_start(rows: Iterable[Recording]) -> dict[Micros, list[Recording]]:
    found: dict[Micros, list[Recording]] = {}
    for row in rows:
        found.setdefault(row.start, []).append(row)
    return found


def _lost(
    tx: Connection, own: Stream, rows: Iterable[Recording], now: Micros
) -> dict[Key, _KnownBefore]:
    """Which new files were lost of late, by their keys."""
    new, found = _by_start(rows), dict[Key, _KnownBefore]()
    for stream in streams.of_camera(tx, own.camera):
        vanished = lost.starting_at(tx, stream.key, sorted(new), now - lost.LATELY)
        known = borne_out.lost(tx, own.camera, vanished, now)
        for gone in vanished:
            key = _first(new, gone.row, found)
            if key is not None:
                kept = known.get(gone.row.key)
                doubt = _doubt(tx, own, stream, gone.row, kept, now)
                found[key] = _KnownBefore(gone.row, doubt, gone)
    return found


def _there(
    catalogue: Catalogue,
    tx: Connection,
    own: Stream,
    rows: Iterable[Recording],
    now: Micros,
) -> dict[Key, _KnownBefore]:
    """Which new files the catalogue has already, by their keys."""
    new, found = _by_start(rows), dict[Key, _KnownBefore]()
    beside = sorted({row.start for rows in new.values() for row in rows if row.n})
    for stream in streams.of_camera(tx, own.camera):
        # In their own stream they have company where another starts with them.
        starts = beside if stream.key == own.key else sorted(new)
        there = recordings.starting_at(tx, stream.key, starts)
        if not there:
            continue
        (stream,) = borne_out.streams(catalogue, tx, [stream])
        kept = borne_out.doubts(catalogue, tx, there, now)
        for row in there:
            doubt = _doubt(tx, own, stream, row, kept.get(row.key), now)
            while (key := _first(new, row, found)) is not None:
                found[key] = _KnownBefore(row, doubt)
    return found


def _first(
    new: dict[Micros, list[Recording]], row: Recording, found: dict[Key, _KnownBefore]
) -> Key | None:
    """The first new file that is this recording and is not known yet."""
    for one in new.get(row.start, ()):
        if one.key not in found and is_same(one, row):
            return one.key
    return None


def _doubt(
    tx: Connection,
    own: Stream,
    stream: Stream,
    row: Recording,
    doubt: Doubt | None,
    now: Micros,
) -> Doubt | None:
    if stream.key == own.key:
        return doubt
    return doubt_elsewhere(tx, stream, row, doubt, now)
