"""Which catalogued recording a path is, if any: one path, one row."""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import Connection

from retention.catalogue import recordings, roots, streams
from retention.catalogue.recordings import Key
from retention.footage.ingest.owners import Owned, Owners, Slot
from retention.model.errors import RetentionError
from retention.model.values import Micros, Recording, Stream
from retention.tlog.canonical import path_bytes

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


def locate(tx: Connection, text: str) -> tuple[Stream, Recording]:
    """The recording that a person means by a path or a key; RetentionError if none."""
    key = as_key(text)
    if key is not None:
        row, stream = recordings.get(tx, key), streams.by_key(tx, key[0])
        if row is not None and stream is not None:
            return stream, row
    else:
        for root, path in places(tx, text):
            found = recordings.at_path(tx, streams.of_root(tx, root), path)
            if found is not None:
                return found
    raise RetentionError(
        f"there is no catalogued recording {text}: give its path below the footage "
        "root, or its key as `retention recording list --json` shows it"
    )


_KEY_PART = re.compile("[0-9]{1,18}")


def as_key(text: str) -> Key | None:
    """(stream, start, n) of "stream/start/n", else None."""
    parts = text.split("/")
    if len(parts) == 3 and all(map(_KEY_PART.fullmatch, parts)):
        stream, start, n = map(int, parts)
        return (stream, start, n)
    return None


def places(tx: Connection, text: str) -> Iterator[tuple[int, bytes]]:
    """(root, path below it) that a person may mean: a path that is absolute, below a
    root, or begins with a root's name; bytes as they are or as printed (%E9)."""
    for root in roots.everyone(tx):
        below = text
        if text.startswith("/"):
            try:
                below = str(Path(text).relative_to(root.path))
            except ValueError:
                continue
        forms = [below]
        if below == root.name or below.startswith(f"{root.name}/"):
            forms.append(below.removeprefix(root.name))
        for form in forms:
            raw = os.fsencode(form).strip(b"/")
            yield root.key, b"" if raw == b"." else raw
            if "%" in form:
                yield root.key, path_bytes(form).strip(b"/")
