"""Files that are not there any more: lost, unless this program deleted them or a copy
of them is elsewhere.

Lost needs a complete, error-free read of the directory, then no regular file at a
second look (a link in its place is none), and the row still ours to change in the
transaction that says so.
"""

from collections.abc import Iterable, Mapping, Sequence

from retention.catalogue import holds, lost, recordings
from retention.catalogue.db import Transaction
from retention.catalogue.lost import Lost
from retention.catalogue.recordings import OURS_TO_CHANGE, Doubt, Key
from retention.control import borne_out
from retention.footage.ingest import moved, recorded
from retention.footage.ingest.intake import BLOCK, Parts, ScanResult
from retention.footage.ingest.losses import GONE, Loss, note_emptied, note_held
from retention.footage.ingest.matching import rows_of
from retention.footage.read import look
from retention.model.layouts.layout import path_of
from retention.model.values import Micros, Recording, State, Stream


def book(
    parts: Parts, paths: Iterable[bytes], now: Micros, result: ScanResult
) -> list[bytes]:
    """Take out the rows of those paths that are really gone; the caller has the mutex.

    All lost of one scan are one entry, or several of 5,000 rows.  Returns the paths at
    which there is a file again.  RootUnavailableError where the root went away: then
    nothing is lost.
    """
    missing = list(paths)
    if not missing:
        return []
    parts.root.check()
    there: list[bytes] = []
    rows: list[Recording] = []
    for start in range(0, len(missing), BLOCK):
        block = missing[start : start + BLOCK]
        gone = [path for path in block if not _is_there(parts, path, there, result)]
        with parts.catalogue.read() as tx:
            rows += rows_of(tx, parts.owners, gone).values()
    ours = sorted(row for row in rows if row.state in OURS_TO_CHANGE)
    for start in range(0, len(ours), BLOCK):
        _remove(parts, ours[start : start + BLOCK], now, result)
    return there


def _is_there(
    parts: Parts, path: bytes, there: list[bytes], result: ScanResult
) -> bool:
    """The second look.  What can't be looked at is not called lost."""
    try:
        seen = look(parts.root, path)
    except OSError as error:
        result.errors.append((path, error.strerror or str(error)))
        there.append(path)
        return True
    is_there = seen is not None and seen.odd is None
    if is_there:
        there.append(path)
    return is_there


def _remove(
    parts: Parts, rows: list[Recording], now: Micros, result: ScanResult
) -> None:
    with parts.write(now) as tx:
        _, gone = take_out(tx, parts, rows, now)
        if gone:
            note_emptied(tx, parts, now, gone)
        result.lost += len(gone)


def take_out(
    tx: Transaction, parts: Parts, rows: Iterable[Recording], now: Micros
) -> tuple[list[Recording], list[Loss]]:
    """Rows whose footage is gone leave the catalogue, on record: those of which there is
    a copy elsewhere moved there, the others are lost.

    Returns those that were ours to take out, and the losses among them.
    """
    streams = {stream.key: stream for stream in parts.owners.streams}
    rows = list(rows)
    doubts = borne_out.doubts(parts.catalogue, tx, rows, now)
    taken = recordings.remove(tx, [row.key for row in rows])
    by_camera: dict[int, list[Recording]] = {}
    for row in taken:
        by_camera.setdefault(streams[row.stream].camera, []).append(row)
    copies: dict[Key, Recording] = {}
    for camera, of_camera in by_camera.items():
        copies |= moved.copies(tx, camera, of_camera)
    pairs = [(row, copies[row.key]) for row in taken if row.key in copies]
    if pairs:
        _move(tx, streams, pairs, doubts, now)
    gone = [Loss.of(streams[row.stream], row) for row in taken if row.key not in copies]
    if gone:
        _lose(tx, parts, gone, doubts, now)
    return taken, gone


def _move(
    tx: Transaction,
    streams: Mapping[int, Stream],
    pairs: Sequence[tuple[Recording, Recording]],
    doubts: Mapping[Key, Doubt],
    now: Micros,
) -> None:
    """Their copies are these recordings from now on: no sooner over, and in no less doubt."""
    cameras = {new.stream: streams[old.stream].camera for old, new in pairs}
    grown, doubtful = list[tuple[Recording, Recording]](), list[Recording]()
    kept: dict[Key, Doubt] = {}
    for old, new in pairs:
        copy, stream = new, streams[old.stream]
        if old.end > new.end and recordings.extend(tx, new, old.duration):
            copy = new._replace(duration=old.duration)
            grown.append((new, copy))
        doubt = moved.doubt_elsewhere(tx, stream, old, doubts.get(old.key), now)
        if (
            doubt is not None
            and moved.state_of(doubt) is State.QUARANTINED is not copy.state
            and recordings.quarantine(tx, copy, copy.size, doubt)
        ):
            kept[copy.key] = doubt
            doubtful.append(copy._replace(state=State.QUARANTINED))
    if grown:
        tx.append(*recorded.changed(grown, cameras))
    if doubtful:
        tx.append(*recorded.quarantined(doubtful, kept, cameras))
    tx.append(*recorded.moved(pairs, cameras, lost=False))


def _lose(
    tx: Transaction,
    parts: Parts,
    gone: Sequence[Loss],
    doubts: Mapping[Key, Doubt],
    now: Micros,
) -> None:
    """They are lost: on record, told to the holds that kept them, and known again if
    their files come back."""
    streams = {stream.key: stream for stream in parts.owners.streams}
    cameras = {key: stream.camera for key, stream in streams.items()}
    held = holds.of_cameras(tx, {one.camera for one in gone}, now)
    kept = [
        held[one.camera].hold(one.row.start, one.row.end, doubtful=one.doubtful)
        for one in gone
    ]
    rows = [one.row for one in gone]
    doubtful = [one.row.key for one in gone if one.doubtful]
    entry = tx.append(*recorded.lost(rows, held, cameras, doubtful))
    lost.keep(
        tx,
        (
            Lost(
                parts.root.key, path_of(streams[row.stream], row), row, now, is_held,
                doubts.get(row.key),
            )
            for row, is_held in zip(rows, kept, strict=True)
        ),
    )  # fmt: skip
    note_held(tx, parts, now, gone, GONE, entry)
