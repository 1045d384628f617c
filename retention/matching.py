"""Which catalogued recording a path is, if any: one path, one row."""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection

from retention.catalogue import recordings
from retention.model import Micros, Recording
from retention.owners import Owned, Owners, Slot

Named = tuple[bytes, tuple[Micros, ...]]


def rows_of(
    tx: Connection, owners: Owners, paths: Iterable[bytes]
) -> dict[bytes, Recording]:
    """The rows of those paths that are catalogued, by any layout of the root."""
    return rows_of_read(tx, ((p, own) for p in paths for own in owners.readings(p)))


def rows_of_read(
    tx: Connection, read: Iterable[tuple[bytes, Owned]]
) -> dict[bytes, Recording]:
    """As `rows_of`, for paths that were read already."""
    slots: dict[Slot, list[Named]] = {}
    for path, owned in read:
        slots.setdefault(owned.slot, []).append((path, owned.starts))
    found: dict[bytes, Recording] = {}
    for slot, named in slots.items():
        for stream in slot.streams:
            found |= _in_stream(tx, slot, stream.key, named)
    return found


def _in_stream(
    tx: Connection, slot: Slot, stream: int, named: Sequence[Named]
) -> dict[bytes, Recording]:
    starts = sorted({start for _, starts in named for start in starts})
    rows: dict[Micros, list[Recording]] = {}
    for row in recordings.starting_at(tx, stream, starts):
        rows.setdefault(row.start, []).append(row)
    found = {}
    if rows:
        for path, starts_ in named:
            for start in starts_:
                for row in rows.get(start, ()):
                    if (row.path or slot.path_of(start)) == path:
                        found[path] = row
    if len(found) < len(named) and recordings.has_paths(tx, stream):
        rest = [path for path, _ in named if path not in found]
        found |= recordings.by_paths(tx, stream, rest)
    return found
