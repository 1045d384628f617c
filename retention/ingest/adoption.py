"""What a whole scan tells of a root: alarms of custody, old unknown files, adoption."""

from collections.abc import Mapping

from sqlalchemy import Connection

from retention.audit.canonical import path_text
from retention.catalogue import policies, recordings, roots, streams, unknown
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.catalogue.spans import note_unread
from retention.ingest.intake import Parts
from retention.ingest.placing import ZONE_FOUND
from retention.model import DAY, Entry, Micros, Rows


def raise_alarms(
    parts: Parts, alarms: Mapping[int, tuple[int, bytes]], now: Micros
) -> None:
    """Entry `custody.alarm` once a root, camera and day: the council must hold no
    footage of these cameras, and here it has some."""
    if not alarms:
        return
    with parts.catalogue.write(Priority.SCAN) as tx:
        for camera, (count, example) in sorted(alarms.items()):
            fact = f"custody.{parts.root.key}.{camera}"
            if get_fact(tx, fact) == now // DAY:
                continue
            put_fact(tx, fact, now // DAY)
            fields = {
                "camera": camera, "root": parts.root.name, "count": count,
                "path": example,
            }  # fmt: skip
            parts.log.append(tx, Entry("custody.alarm", now, parts.actor, fields))


def finish(parts: Parts, now: Micros, *, believed: bool, unread: bool) -> None:
    """Note a complete scan; the first one of a root adopts it.

    Only by a believed clock: what is due at the adoption is planned, and by a clock
    that is ahead that would be everything.  `unread`: something in it could not be
    read, so that what was not seen in this root may be there all the same.
    """
    with parts.catalogue.read() as tx:
        root = roots.get(tx, parts.root.key)
        adopting = believed and root is not None and root.adopted is None
        # Counting reads every row: not while others wait to write.
        entry = _adopted(tx, parts, now) if adopting else None
        overdue = _overdue(tx, parts, now)
    with parts.catalogue.write(Priority.SCAN) as tx:
        roots.set_scanned(tx, parts.root.key, now)
        note_unread(tx, parts.root.key, unread=unread)
        if entry is not None:
            roots.set_adopted(tx, parts.root.key, now)
            parts.log.append(tx, entry)
        _tell_overdue(tx, parts, overdue, now)


def _adopted(tx: Connection, parts: Parts, now: Micros) -> Entry:
    """What was there when a root was taken in."""
    count = size = 0
    cameras: dict[int, tuple[int, int]] = {}
    oldest, newest, offset = [], [], None
    for stream in streams.of_root(tx, parts.root.key):
        found = recordings.totals(tx, stream.key)
        files, bytes_ = cameras.get(stream.camera, (0, 0))
        cameras[stream.camera] = (files + found.files, bytes_ + found.size)
        count, size = count + found.files, size + found.size
        if found.oldest is not None and found.newest is not None:
            oldest.append(found.oldest)
            newest.append(found.newest)
        if stream.quarantined is not None:
            offset = get_fact(tx, f"{ZONE_FOUND}{stream.key}") or offset
    fields = {
        "root": parts.root.name, "recordings": count, "bytes": size,
        "oldest": min(oldest, default=None), "newest": max(newest, default=None),
        "unknown": unknown.count(tx, parts.root.key)[0], "zone_error": offset,
    }  # fmt: skip
    rows = [(camera, *found) for camera, found in sorted(cameras.items())]
    table = Rows(("camera", "count", "bytes"), rows) if rows else None
    return Entry("root.adopted", now, parts.actor, fields, table)


Overdue = dict[str, tuple[bytes, int, int, Micros]]
"""Directory as text to (directory, files, bytes, oldest)."""


def _overdue(tx: Connection, parts: Parts, now: Micros) -> Overdue:
    """Directories whose oldest unknown file is past the site's retention period."""
    policy = policies.current(tx)
    found: Overdue = {}
    if policy is None:
        return found
    for row in unknown.overdue(tx, parts.root.key, now - policy.days * DAY):
        name = path_text(row.directory)
        _, files, size, oldest = found.get(name, (b"", 0, 0, row.oldest))
        found[name] = (
            row.directory,
            files + row.files,
            size + row.size,
            min(oldest, row.oldest),
        )
    return found


def _tell_overdue(tx: Connection, parts: Parts, overdue: Overdue, now: Micros) -> None:
    """Entry `unknown.overdue` once a directory, until it is in order again."""
    fact = f"unknown.overdue.{parts.root.key}"
    told = get_fact(tx, fact) or []
    if sorted(overdue) == told:
        return
    put_fact(tx, fact, sorted(overdue))
    for name in sorted(overdue.keys() - set(told)):
        directory, files, size, oldest = overdue[name]
        fields = {
            "root": parts.root.name, "directory": directory, "count": files,
            "bytes": size, "oldest": oldest,
        }  # fmt: skip
        parts.log.append(tx, Entry("unknown.overdue", now, parts.actor, fields))
