"""The audit entries of ingest: what was opened, doubted, changed, lost, found again."""

from collections.abc import Iterable, Mapping, Sequence

from retention.catalogue.recordings import Doubt, Key
from retention.model import Actor, Entry, Micros, Recording, Rows, Stream
from retention.policy import Holds

_FOOTAGE = ("camera", "stream", "start", "n", "duration", "bytes")

Cameras = Mapping[int, int]
"""Stream key to camera key."""


def _footage(row: Recording, cameras: Cameras) -> tuple[int, ...]:
    camera = cameras[row.stream]
    return (camera, row.stream, row.start, row.n, row.duration, row.size)


def stream_opened(stream: Stream, root: str, now: Micros, actor: Actor) -> Entry:
    """A recorder's way of naming one camera's files, frozen."""
    fields = {
        "stream": stream.key, "root": root, "camera": stream.camera,
        "layout": stream.layout, "zone": stream.zone, "name": stream.name,
        "extension": stream.extension, "max_length": stream.max_length,
    }  # fmt: skip
    return Entry("stream.opened", now, actor, fields)


def stream_quarantined(stream: int, offset: Micros, now: Micros, actor: Actor) -> Entry:
    """The zone check tripped for a stream."""
    fields = {"stream": stream, "offset": offset}
    return Entry("stream.quarantined", now, actor, fields)


def quarantined(
    rows: Sequence[Recording],
    doubts: Mapping[Key, Doubt],
    cameras: Cameras,
    now: Micros,
    actor: Actor,
) -> Entry:
    """Recordings in doubt, each with its reason."""
    values = [
        (*_footage(row, cameras), doubts[row.key].reason, row.path) for row in rows
    ]
    table = Rows((*_FOOTAGE, "reason", "path"), values)
    return Entry("recordings.quarantined", now, actor, {"count": len(rows)}, table)


def changed(
    pairs: Sequence[tuple[Recording, Recording]],
    cameras: Cameras,
    now: Micros,
    actor: Actor,
) -> Entry:
    """Files that were written on: (old row, new row)."""
    columns = "camera stream start n old_duration duration old_bytes bytes"
    values = [
        (cameras[old.stream], *old.key, old.duration, new.duration, old.size, new.size)
        for old, new in pairs
    ]
    table = Rows(tuple(columns.split()), values)
    # Found by all of its time, also by what the end moved over.
    return Entry("recording.changed", now, actor, {"count": len(pairs)}, table)


def reappeared(
    rows: Sequence[Recording], cameras: Cameras, now: Micros, actor: Actor
) -> Entry:
    """Files for a time that the log calls deleted."""
    values = [(*_footage(row, cameras), row.path) for row in rows]
    table = Rows((*_FOOTAGE, "path"), values)
    return Entry("recordings.reappeared", now, actor, {"count": len(rows)}, table)


def lost(
    rows: Sequence[Recording],
    held: Mapping[int, Holds],
    cameras: Cameras,
    doubtful: Iterable[Key],
    now: Micros,
    actor: Actor,
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
    return Entry("recordings.lost", now, actor, fields, table)
