"""Places new files among the recordings of their stream: start, end, doubts, key."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue import recordings, streams
from retention.catalogue.db import get_fact, put_fact
from retention.catalogue.recordings import Doubt, Key
from retention.ingest.dates import RUN, ZONE, Dated, Rules, Span, date, zone_offset
from retention.ingest.owners import Slot
from retention.layouts.dating import NEAR, choose_start
from retention.model import MINUTE, Micros, Recording, State, Stream

ZONE_FOUND = "zone.found."
ZONE_ACCEPTED = "zone.accepted."
"""Facts, by stream: the offset that the zone check found last, and the one that a
person said is none."""


class File(NamedTuple):
    """A finished file of one slot, to be catalogued."""

    starts: tuple[Micros, ...]
    mtime: Micros
    size: int
    path: bytes


@dataclass(slots=True)
class Placed:
    """What a transaction writes for the new files of one stream.

    `extended`: earlier neighbours whose end moves later, to the next start.  `offset`:
    by how much the stream's names are out, where the zone check says so just now.
    """

    stream: Stream
    rows: list[Recording] = field(default_factory=list)
    doubts: dict[Key, Doubt] = field(default_factory=dict)
    extended: list[tuple[Recording, Recording]] = field(default_factory=list)
    offset: Micros | None = None


class _Around(NamedTuple):
    """Catalogued recordings near the new files; `whole`: all that lie between."""

    rows: list[Recording]
    whole: bool


def place(
    tx: Connection,
    slot: Slot,
    stream: Stream,
    files: Sequence[File],
    still_open: Sequence[Micros],
    now: Micros,
    tolerance: Micros,
) -> Placed:
    """Date the new files of a slot and give them keys; nothing is written.

    `still_open` are the starts of files that are being written.
    """
    rules = Rules(now, stream.max_length, tolerance)
    spans = _spans(tx, stream, files, rules)
    around = _around(tx, stream.key, [span.start for span, _ in spans])
    placed = Placed(stream)
    placed.offset = _zone(tx, stream, [span for span, _ in spans], around, rules)
    in_doubt = stream.quarantined is not None or placed.offset is not None
    others = [row.start for row in around.rows] + list(still_open)
    dated = date([span for span, _ in spans], others, rules, ZONE if in_doubt else None)
    numbers = _numbers(tx, stream.key, [span.start for span, _ in spans], around)
    for (span, file), found, n in zip(spans, dated, numbers, strict=True):
        row = _row(slot, stream, file, found, n)
        placed.rows.append(row)
        if found.reason is not None:
            placed.doubts[row.key] = Doubt(now, span.mtime, found.reason)
    placed.extended = _extensions(placed.rows, around.rows)
    return placed


def _spans(
    tx: Connection, stream: Stream, files: Sequence[File], rules: Rules
) -> list[tuple[Span, File]]:
    """The files in order of start; an ambiguous name by mtime and neighbours."""

    def start(file: File) -> Micros:
        if len(file.starts) == 1:
            return file.starts[0]
        before = recordings.before(tx, stream.key, file.starts[-1] + MINUTE, 4)
        return choose_start(
            file.starts, file.mtime, rules.max_length, rules.tolerance,
            neighbours=[row.end for row in before],
        )  # fmt: skip

    return sorted((Span(start(file), file.mtime), file) for file in files)


def _around(tx: Connection, stream: int, starts: Sequence[Micros]) -> _Around:
    """Recordings before, between and after the new files.

    A few files scattered over a long archive are asked for one by one.
    """
    limit = 4 * len(starts) + 100
    rows = recordings.around(tx, stream, starts[0], starts[-1], before=RUN, limit=limit)
    if len(rows) < limit:
        return _Around(rows, whole=True)
    near = [
        row
        for start in starts
        for row in recordings.around(tx, stream, start, start, before=1, limit=100)
    ]
    return _Around(sorted({row.key: row for row in near}.values()), whole=False)


def _zone(
    tx: Connection,
    stream: Stream,
    spans: Sequence[Span],
    around: _Around,
    rules: Rules,
) -> Micros | None:
    """The offset of the stream's zone, where it is news."""
    if stream.quarantined is not None or not around.whole:
        return None
    offset = zone_offset(sorted([*spans, *_old_spans(tx, around.rows)]), rules)
    if offset is None or get_fact(tx, f"{ZONE_ACCEPTED}{stream.key}") == offset:
        return None
    return offset


def doubt_zone(tx: Connection, stream: int, offset: Micros, now: Micros) -> bool:
    """The stream's times are in doubt from `now` on; False where they were already."""
    if not streams.quarantine(tx, stream, now):
        return False
    put_fact(tx, f"{ZONE_FOUND}{stream}", offset)
    return True


def _old_spans(tx: Connection, rows: Sequence[Recording]) -> list[Span]:
    """Catalogued recordings as the zone check sees them: most end with their mtime."""
    mtimes: dict[Key, Micros] = {}
    if any(row.state is not State.PRESENT for row in rows):
        first, last = rows[0], rows[-1]
        doubts = recordings.doubts(tx, first.stream, first.start, last.start + 1)
        mtimes = {key: doubt.mtime for key, doubt in doubts.items()}
    return [Span(row.start, mtimes.get(row.key, row.end)) for row in rows]


def _row(slot: Slot, stream: Stream, file: File, found: Dated, n: int) -> Recording:
    state = State.PRESENT if found.reason is None else State.QUARANTINED
    path = None if slot.path_of(found.start) == file.path else file.path
    duration = found.end - found.start
    return Recording(stream.key, found.start, n, duration, file.size, state, path)


def _numbers(
    tx: Connection, stream: int, starts: Sequence[Micros], around: _Around
) -> list[int]:
    """The n of each file: recordings of one stream and instant get different keys."""
    free = {
        start: recordings.next_n(tx, stream, start)
        for start in {row.start for row in around.rows} & set(starts)
    }
    numbers = []
    for start in starts:
        n = free.get(start, 0)
        numbers.append(n)
        free[start] = n + 1
    return numbers


def _extensions(
    new: Sequence[Recording], old: Sequence[Recording]
) -> list[tuple[Recording, Recording]]:
    """Neighbours that a new file follows within 5 s: they ended when it began.

    Only later, never earlier, and only where nothing starts in between.
    """
    starts = sorted({row.start for row in (*new, *old)})
    fresh = {row.start for row in new}
    found = []
    for row in old:
        at = bisect_left(starts, row.start) + 1
        following = starts[at] if at < len(starts) else None
        if (
            following is not None
            and following in fresh
            and row.end < following <= row.end + NEAR
            and row.state in (State.PRESENT, State.FAILED)
        ):
            found.append((row, row._replace(duration=following - row.start)))
    return found
