"""What a whole scan tells of a root: what was not reached, what came late, adoption."""

from collections.abc import Mapping

from retention.catalogue import (
    looks,
    lost,
    recordings,
    roots,
    streams,
    unknown,
    unread,
)
from retention.catalogue.doubtful_times import ZONE, found
from retention.footage.ingest import late
from retention.footage.ingest import unreached as alarms_of
from retention.footage.ingest.intake import Parts
from retention.footage.ingest.seen import Met
from retention.footage.ingest.witness import Witness
from retention.model.values import Entry, Micros, Rows


def finish(
    parts: Parts,
    witness: Witness,
    now: Micros,
    *,
    believed: bool,
    unreached: Mapping[bytes, str],
    unrested: Mapping[bytes, Met],
) -> None:
    """Note a complete scan; the first one of a root adopts it.

    Only by a believed clock: what is due at the adoption is planned, and by a clock
    that is ahead that would be everything.  `unreached`: what of it was not read, and
    why, so that what was not seen in this root may be there all the same.  `unrested` is what
    was seen and is not at rest, and would be taken for news after a start.
    """
    with parts.catalogue.read() as tx:
        root = roots.get(tx, parts.root.key)
        adopting = believed and root is not None and root.adopted is None
        deliveries = late.find(tx, parts)
    # Counting reads every row: not while others wait to write.
    entry = _adopted(parts) if adopting else None
    restless = alarms_of.restless(parts, now)
    with parts.write(now) as tx:
        roots.set_scanned(tx, parts.root.key, now)
        witness.keep(tx, parts.root.key, now, unrested)
        unread.note(tx, parts.root.key, unreached)
        awaited = unread.awaited(tx, parts.root.key)
        if awaited is not None and now >= awaited and not unreached:
            unread.scan_again(tx, parts.root.key, None)
        if believed:
            looks.note(tx, parts.root.key, now)
            lost.forget_old(tx, parts.root.key, now)
        if entry is not None:
            roots.set_adopted(tx, parts.root.key, now)
            tx.append(*entry)
        late.settle(tx, parts, deliveries, now)
        alarms_of.settle(tx, parts, unreached, restless, now)


def _adopted(parts: Parts) -> Entry:
    """What was there when a root was taken in."""
    count = size = 0
    cameras: dict[int, tuple[int, int]] = {}
    oldest, newest, offset = [], [], None
    with parts.catalogue.read() as tx:
        found_streams = streams.of_root(tx, parts.root.key)
        unknown_files = unknown.count(tx, parts.root.key)[0]
    for stream in found_streams:
        with parts.catalogue.read() as tx:
            sums = recordings.totals(tx, stream.key)
            error = found(tx, stream.key, ZONE)
        files, bytes_ = cameras.get(stream.camera, (0, 0))
        cameras[stream.camera] = (files + sums.files, bytes_ + sums.size)
        count, size = count + sums.files, size + sums.size
        if sums.oldest is not None and sums.newest is not None:
            oldest.append(sums.oldest)
            newest.append(sums.newest)
        if stream.quarantined is not None:
            offset = error or offset
    fields = {
        "root": parts.root.name, "recordings": count, "bytes": size,
        "oldest": min(oldest, default=None), "newest": max(newest, default=None),
        "unknown": unknown_files, "zone_error": offset,
    }  # fmt: skip
    rows = [(camera, *each) for camera, each in sorted(cameras.items())]
    table = Rows(("camera", "count", "bytes"), rows) if rows else None
    return Entry("root.adopted", fields, table)
