"""What a hold keeps, as the caller is told: counted in the hold's own transaction, so
that no batch can complete meanwhile and nothing is counted twice or missed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import due, roots, streams
from retention.catalogue.due import Sum
from retention.deletion.gate import GateFile
from retention.ingest import zone_doubts
from retention.localtime import format_utc
from retention.model import Camera, Micros, Window


class Kept(NamedTuple):
    """By camera key: what its own times hold, and what only the doubt about its times
    holds.  `pending`: files of a batch that a crash left open.  `read_until`: what came
    onto the disks since is not in the catalogue yet; None where nothing was ever read.
    """

    certain: dict[int, Sum]
    doubtful: dict[int, Sum]
    pending: int
    read_until: Micros | None
    times_in_doubt: list[str]

    def answer(
        self, cameras: list[Camera], rescued: Iterable[GateFile], until: Micros
    ) -> dict[str, Any]:
        """The counts, with the files that the hold saved in flight.

        `unread`: footage of before `until` may lie on a disk and not be counted here.
        """
        certain = dict(self.certain)
        for file in rescued:
            certain[file.camera] += Sum(1, file.size)
        lines = [
            {
                "camera": camera.id,
                "location": camera.location,
                "recordings": (certain[camera.key] + self.doubtful[camera.key]).number,
                "bytes": (certain[camera.key] + self.doubtful[camera.key]).size,
                "in_doubt": self.doubtful[camera.key].number,
            }
            for camera in cameras
        ]
        return {
            "recordings": sum(line["recordings"] for line in lines),
            "bytes": sum(line["bytes"] for line in lines),
            "in_doubt": sum(line["in_doubt"] for line in lines),
            "cameras": lines,
            "times_in_doubt": self.times_in_doubt,
            "read_until": None
            if self.read_until is None
            else format_utc(self.read_until),
            "unread": self.read_until is None or self.read_until < until,
        }


def what_is_kept(tx: Connection, cameras: list[int], window: Window) -> Kept:
    """What of these cameras is there for a hold on `window` to keep."""
    certain = dict.fromkeys(cameras, Sum(0, 0))
    doubtful = dict.fromkeys(cameras, Sum(0, 0))
    pending = 0
    for camera in cameras:
        for stream in streams.of_camera(tx, camera):
            at = (stream.key, stream.max_length, window)
            certain[camera] += due.overlapping(tx, *at)
            doubtful[camera] += due.kept_in_doubt(
                tx, stream.key, window, whole=stream.quarantined is not None
            )
            pending += due.in_batches(tx, *at)
    read = [root.scanned for root in roots.everyone(tx)]
    known = [at for at in read if at is not None]
    return Kept(
        certain,
        doubtful,
        pending,
        min(known) if known and len(known) == len(read) else None,
        zone_doubts.sentences(tx, set(cameras)),
    )
