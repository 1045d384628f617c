"""What a file that was not as catalogued turns out to be, after its batch.

A file that only grew gets its later end.  One whose mtime can't be its end goes into
quarantine, as a scan would put it there.  Any other is in doubt: it is kept, shown as
failed and tried again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection

from retention.audit.log import Log
from retention.catalogue import recordings
from retention.catalogue.recordings import Doubt
from retention.deletion.items import Item
from retention.footage.read import look
from retention.footage.roots import OpenRoot
from retention.layouts.dating import disagreement
from retention.model import Actor, Entry, Micros, Outcome, Rows, Stream

_CHANGED = [
    "camera",
    "stream",
    "start",
    "n",
    "old_duration",
    "duration",
    "old_bytes",
    "bytes",
]
_DOUBTFUL = ["camera", "stream", "start", "n", "duration", "bytes", "reason", "path"]


class Grown(NamedTuple):
    """A changed file as it is now; in doubt where its times can't be right."""

    item: Item
    duration: Micros
    size: int
    doubt: Doubt | None


class SecondLook(NamedTuple):
    """What became of the files that were not deleted for what they are."""

    grown: list[Grown]
    failures: list[tuple[tuple[int, int, int], str]]


def look_again(
    root: OpenRoot,
    items: list[Item],
    outcomes: list[Outcome],
    reasons: dict[int, str],
    streams: Iterable[Stream],
    tolerance: Micros,
    now: Micros,
) -> SecondLook:
    """Look at each changed file of a batch again.  Never raises OSError."""
    lengths = {stream.key: stream.max_length for stream in streams}
    seen = SecondLook([], [])
    for number, outcome in enumerate(outcomes):
        if outcome not in (Outcome.CHANGED, Outcome.FAILED):
            continue
        item = items[number]
        grown = None
        if outcome is Outcome.CHANGED:
            grown = _grown(root, item, lengths[item.stream], tolerance, now)
        if grown is None:
            seen.failures.append((item.key, reasons.get(number, "unknown")))
        else:
            seen.grown.append(grown)
    return seen


def _grown(
    root: OpenRoot, item: Item, max_length: Micros, tolerance: Micros, now: Micros
) -> Grown | None:
    try:
        file = look(root, item.path)
    except OSError:
        return None
    if file is None or not file.regular or file.links != 1 or file.size < item.size:
        return None
    if file.mtime <= item.latest_mtime and file.size == item.size:
        return None  # as catalogued by now: tried again as it is
    reason = disagreement(item.start, file.mtime, now, max_length, tolerance)
    if item.doubtful and reason is None:
        reason = "changed in quarantine"
    if reason is not None:
        doubt = Doubt(now, file.mtime, reason)
        return Grown(item, item.duration, file.size, doubt)
    duration = max(item.duration, file.mtime - item.start)
    return Grown(item, duration, file.size, None)


def note_grown(
    tx: Connection, log: Log, actor: Actor, grown: list[Grown], now: Micros
) -> None:
    """Write the later ends and the doubts of files whose rows are present again, and
    an entry for each of the two."""
    for one in grown:
        row = recordings.get(tx, one.item.key)
        if row is None:
            continue
        if one.doubt is None:
            recordings.extend(tx, row, one.duration, one.size)
        else:
            recordings.quarantine(tx, row, one.size, one.doubt)
    # Also of a doubtful one the bytes: the books of a day count them.
    later = [one for one in grown if one.doubt is None or one.size != one.item.size]
    if later:
        log.append(tx, _entry("recording.changed", _changed(later), later, now, actor))
    doubtful = [one for one in grown if one.doubt is not None]
    if doubtful:
        rows = _doubtful(doubtful)
        log.append(tx, _entry("recordings.quarantined", rows, doubtful, now, actor))


def _entry(
    kind: str, rows: Rows, grown: list[Grown], now: Micros, actor: Actor
) -> Entry:
    return Entry(kind, now, actor, {"count": len(grown)}, rows)


def _changed(grown: list[Grown]) -> Rows:
    return Rows(
        tuple(_CHANGED),
        [
            (*item[:4], item.duration, duration, item.size, size)
            for item, duration, size, _ in grown
        ],
    )


def _doubtful(grown: list[Grown]) -> Rows:
    return Rows(
        tuple(_DOUBTFUL),
        [
            (*item[:4], duration, size, doubt.reason if doubt else "", item.stored)
            for item, duration, size, doubt in grown
        ],
    )
