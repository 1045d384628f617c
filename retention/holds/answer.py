"""What a hold keeps, as the caller is told; of its gaps nothing is said yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.catalogue import due, recordings, roots, streams
from retention.catalogue.due import Sum
from retention.ingest import zone_doubts
from retention.model import MINUTE, SECOND, State

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context
    from retention.deletion.gate import Rescue
    from retention.holds.asked import Asked
    from retention.model import Camera, Window


def answer_of(
    context: Context,
    hold: Asked,
    cameras: list[Camera],
    rescue: Rescue,
    settled: bool,
    unfinished: set[str],
) -> dict[str, Any]:
    """What of these cameras a hold keeps; counted in one reading."""
    saved = {(file.camera, file.start, file.end) for file in rescue.rescued}
    with context.catalogue.read() as tx:
        lines = [_line(tx, camera, hold.window, saved) for camera in cameras]
        doubts = zone_doubts.sentences(tx, {camera.key for camera in cameras})
        scanned = [root.scanned for root in roots.everyone(tx)]
    known = [at for at in scanned if at is not None]
    fresh = len(known) == len(scanned) and not unfinished
    asked = hold.asked
    return {
        "cameras": lines,
        "total": {
            name: sum(line["protected"][name] for line in lines)
            for name in ("recordings", "seconds", "bytes", "in_doubt")
        }
        | {"surplus_seconds": 0},
        "outcome_follows": 0 if settled else len(rescue.unlinking),
        "times_in_doubt": doubts,
        "all_preserved": asked.start > context.now
        or (
            fresh
            and all(line["protected"]["recordings"] for line in lines)
            and min(known, default=0) >= min(asked.end, context.now) - 5 * MINUTE
        ),
    }


def _line(
    tx: Connection, camera: Camera, window: Window, saved: set[tuple[int, int, int]]
) -> dict[str, Any]:
    certain = doubtful = Sum(0, 0)
    length = 0
    for stream in streams.of_camera(tx, camera.key):
        for row in recordings.overlapping(tx, stream.key, window, stream.max_length):
            at = (camera.key, row.start, row.end)
            if row.state != State.DELETING or at in saved:
                certain += Sum(1, row.size)
                length += row.duration
        doubtful += due.kept_in_doubt(
            tx, stream.key, window, whole=stream.quarantined is not None
        )
    return {
        "camera": camera.id,
        "location": camera.location,
        "view": camera.view,
        "protected": {
            "recordings": certain.number + doubtful.number,
            "seconds": length // SECOND,
            "bytes": certain.size + doubtful.size,
            "in_doubt": doubtful.number,
        },
        "recorder_deletes": {"first_at": None, "known": False},
        "deleted": [],
        "lost": [],
        "no_recording_seen": [],
        "not_known": [],
        "pending": [],
        "surplus_seconds": 0,
    }
