"""Files that are not there any more: lost, unless this program deleted them.

Lost needs a complete, error-free read of the directory, then "no such file" from a
second look, and the row still ours to change in the transaction that says so.
"""

from collections.abc import Iterable, Iterator

from sqlalchemy import Connection

from retention.catalogue import holds, recordings
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.catalogue.recordings import OURS_TO_CHANGE
from retention.footage.read import look
from retention.ingest import recorded
from retention.ingest.intake import BLOCK, Parts, ScanResult
from retention.ingest.matching import rows_of
from retention.model import DAY, Micros, Recording, State


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
    for block in _blocks(missing):
        gone = [path for path in block if not _is_there(parts, path, there, result)]
        with parts.catalogue.read() as tx:
            rows += rows_of(tx, parts.owners, gone).values()
    lost = sorted(row for row in rows if row.state in OURS_TO_CHANGE)
    for start in range(0, len(lost), BLOCK):
        _remove(parts, lost[start : start + BLOCK], now, result)
    return there


def _blocks(paths: list[bytes]) -> Iterator[list[bytes]]:
    for start in range(0, len(paths), BLOCK):
        yield paths[start : start + BLOCK]


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
    if seen is not None:
        there.append(path)
    return seen is not None


def _remove(
    parts: Parts, rows: list[Recording], now: Micros, result: ScanResult
) -> None:
    streams = {stream.key: stream for stream in parts.owners.streams}
    cameras = {key: stream.camera for key, stream in streams.items()}
    with parts.catalogue.write(Priority.SCAN) as tx:
        gone = recordings.remove(tx, [row.key for row in rows])
        if not gone:
            return
        held = holds.of_cameras(tx, {cameras[row.stream] for row in gone}, now)
        doubtful = [
            row.key
            for row in gone
            if row.state is State.QUARANTINED
            or streams[row.stream].quarantined is not None
        ]
        _remember_ages(tx, parts.root.key, gone, now)
        parts.log.append(
            tx, recorded.lost(gone, held, cameras, doubtful, now, parts.actor)
        )
    result.lost += len(gone)


_AGES = "lost.ages."
_REMEMBERED, _ENOUGH, _MOST = 50, 20, 0.8


def _remember_ages(
    tx: Connection, root: int, gone: list[Recording], now: Micros
) -> None:
    """Keep the ages, in whole days, at which the last few files of a root vanished."""
    ages = get_fact(tx, f"{_AGES}{root}") or []
    ages += [(now - row.end) // DAY for row in gone[-_REMEMBERED:]]
    put_fact(tx, f"{_AGES}{root}", ages[-_REMEMBERED:])


def recorder_deletes(tx: Connection, root: int) -> int | None:
    """The age in days at which the recorder seems to delete by itself: most of what
    vanished in this root lately was about that old."""
    ages = sorted(get_fact(tx, f"{_AGES}{root}") or [])
    if len(ages) < _ENOUGH:
        return None
    middle: int = ages[len(ages) // 2]
    near = sum(abs(age - middle) <= 1 for age in ages)
    return middle if near >= _MOST * len(ages) else None
