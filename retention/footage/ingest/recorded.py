"""The audit entries of ingest: what was opened, doubted, changed, lost, found again."""

from collections.abc import Iterable, Mapping, Sequence

from retention.catalogue.recordings import Doubt, Key
from retention.model.policy import Holds
from retention.model.values import Entry, Recording, Rows

_FOOTAGE = ("camera", "stream", "start", "n", "duration", "bytes")

Cameras = Mapping[int, int]
"""Stream key to camera key."""


def _footage(row: Recording, cameras: Cameras) -> tuple[int, ...]:
    camera = cameras[row.stream]
    return (camera, row.stream, row.start, row.n, row.duration, row.size)


def quarantined(
    rows: Sequence[Recording],
    doubts: Mapping[Key, Doubt],
    cameras: Cameras,
) -> Entry:
    """Recordings in doubt, each with its reason, and from when its period counts."""
    values = [
        (*_footage(row, cameras), doubt.reason, row.path, doubt.seen)
        for row in rows
        for doubt in [doubts[row.key]]
    ]
    table = Rows((*_FOOTAGE, "reason", "path", "seen"), values)
    return Entry("recordings.quarantined", {"count": len(rows)}, table)


def changed(
    pairs: Sequence[tuple[Recording, Recording]],
    cameras: Cameras,
) -> Entry:
    """Files that were written on: (old row, new row)."""
    columns = "camera stream start n old_duration duration old_bytes bytes"
    values = [
        (cameras[old.stream], *old.key, old.duration, new.duration, old.size, new.size)
        for old, new in pairs
    ]
    table = Rows(tuple(columns.split()), values)
    # Found by all of its time, also by what the end moved over.
    return Entry("recording.changed", {"count": len(pairs)}, table)


def moved(
    pairs: Sequence[tuple[Recording, Recording]], cameras: Cameras, *, lost: bool
) -> Entry:
    """Files that are elsewhere or there again: (old row, new row); `lost`: the log called
    them so."""
    values = [
        (
            cameras[new.stream],
            *old.key,
            old.duration,
            old.size,
            new.stream,
            new.n,
            new.path,
        )
        for old, new in pairs
    ]
    table = Rows((*_FOOTAGE, "new_stream", "new_n", "new_path"), values)
    fields = {"count": len(pairs), "origin": "lost" if lost else "there"}
    return Entry("recording.moved", fields, table)


def reappeared(rows: Sequence[Recording], cameras: Cameras) -> Entry:
    """Files for a time that the log calls deleted."""
    values = [(*_footage(row, cameras), row.path) for row in rows]
    table = Rows((*_FOOTAGE, "path"), values)
    return Entry("recordings.reappeared", {"count": len(rows)}, table)


def lost(
    rows: Sequence[Recording],
    held: Mapping[int, Holds],
    cameras: Cameras,
    doubtful: Iterable[Key],
) -> Entry:
    """Files that vanished, and not by this program."""
    in_doubt = frozenset(doubtful)
    marks = [
        held[cameras[row.stream]].hold(row.start, row.end, doubtful=row.key in in_doubt)
        for row in rows
    ]
    fields = {
        "count": len(rows),
        "bytes": sum(row.size for row in rows),
        "held": sum(marks),
    }
    values = [
        (*_footage(row, cameras), int(mark), row.path)
        for row, mark in zip(rows, marks, strict=True)
    ]
    table = Rows((*_FOOTAGE, "held", "path"), values)
    return Entry("recordings.lost", fields, table)
