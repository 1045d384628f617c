"""Places new files among the recordings of their stream: start, end, doubts, key."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue import doubtful_times, recordings
from retention.catalogue.doubtful_times import AHEAD, DELAY, NAMED, WrongTimes
from retention.catalogue.lost import Lost
from retention.catalogue.recordings import ARRIVED, Doubt, Key
from retention.footage.ingest.dates import (
    RUN,
    ZONE,
    Dated,
    DatingRules,
    RecordingSpan,
    date,
    is_in_zone,
    zone_offset,
)
from retention.footage.ingest.owners import Slot
from retention.model.arrivals import (
    MANY,
    NOTHING,
    SAME,
    Allowed,
    Arrivals,
    Late,
    arrived,
    count_named,
    steady_delay,
)
from retention.model.layouts.dating import FUTURE, NEAR, choose_start, usual
from retention.model.localtime import format_duration
from retention.model.values import MINUTE, Micros, Recording, State, Stream

_NEIGHBOURS = 10  # on either side of an ambiguous name


class Finished(NamedTuple):
    """A finished file of one slot, to be catalogued.

    `absent_at` is the last look at which it was not there, None where none says so;
    `delay` how long after its own time a part of it came that was seen to be added;
    `grew`: some was.
    """

    starts: tuple[Micros, ...]
    mtime: Micros
    size: int
    path: bytes
    absent_at: Micros | None = None
    delay: Micros | None = None
    grew: bool = False

    def delayed(self, end: Micros) -> Micros | None:
        """How long, at least, after its own `end` it arrived; None where nobody looked
        before, less than nothing where that was before its end."""
        if self.absent_at is None:
            return self.delay
        return max(self.absent_at - end, self.delay or self.absent_at - end)


@dataclass(slots=True)
class Placed:
    """What a transaction writes for the new files of one stream.

    `delays`: how long after its own end each arrived, where that was seen; `early` the
    same of those that were seen before the time that they say they are of.  `late`: the
    keys of those in doubt for it.  `moved`: those that were lost, as they were then and
    now; `copies`: the keys of those that are elsewhere too.  `extended`: earlier neighbours whose end moves later, to the next start.
    `arrivals`: what is known of the stream's last ones by now, and `wrong` what looks
    wrong with it all, where that is news.  `fits`: names that look so far out were seen
    to be right; `mended`: those that were out are right again.
    """

    stream: Stream
    rows: list[Recording] = field(default_factory=list)
    doubts: dict[Key, Doubt] = field(default_factory=dict)
    delays: dict[Key, Micros] = field(default_factory=dict)
    early: dict[Key, Late] = field(default_factory=dict)
    late: set[Key] = field(default_factory=set)
    moved: list[tuple[Lost, Recording]] = field(default_factory=list)
    copies: set[Key] = field(default_factory=set)
    extended: list[tuple[Recording, Recording]] = field(default_factory=list)
    arrivals: Arrivals = NOTHING
    wrong: WrongTimes | None = None
    fits: Micros | None = None
    mended: bool = False

    def rows_seen(self) -> list[Recording]:
        """Those whose delay is known."""
        return [row for row in self.rows if row.key in self.delays]


def arrived_late(delay: Micros) -> str:
    """The reason of a doubt about a file that arrived so long after its own end."""
    return f"{ARRIVED}{format_duration(delay)} after its own end"


class _Neighbours(NamedTuple):
    """Catalogued recordings near the new files; `whole`: all that lie between."""

    rows: list[Recording]
    whole: bool


def place(
    tx: Connection,
    slot: Slot,
    stream: Stream,
    files: Sequence[Finished],
    still_open: Sequence[Micros],
    now: Micros,
    tolerance: Micros,
) -> Placed:
    """Date the new files of a slot and give them keys; nothing is written.  What is
    known of them comes next (`moved.recognise`), then `note_delays`.

    `still_open` are the starts of files that are being written.
    """
    allowed = _allowed(tx, stream, tolerance)
    rules = DatingRules(now + allowed.early - tolerance, stream.max_length, tolerance)
    spans = _spans(tx, stream, files, rules)
    around = _around(tx, stream.key, [span.start for span, _ in spans])
    placed = Placed(stream, arrivals=doubtful_times.arrivals(tx, stream.key))
    named = _note_named(tx, placed, [span for span, _ in spans], around)
    placed.wrong = _zone(tx, placed, spans, around, rules)
    if placed.wrong is None and named and _is_news(tx, stream):
        placed.wrong = WrongTimes(NAMED)
    in_doubt = stream.quarantined is not None or placed.wrong is not None
    others = [row.start for row in around.rows] + list(still_open)
    dated = date(
        [_without_mtime(span) if named else span for span, _ in spans],
        others, rules, ZONE if in_doubt else None,
    )  # fmt: skip
    numbers = _numbers(tx, stream.key, [span.start for span, _ in spans], around)
    for (_, file), found, n in zip(spans, dated, numbers, strict=True):
        row = _row(slot, stream, file, found, n)
        delay, reason = file.delayed(found.end), found.reason
        if delay is not None:
            placed.delays[row.key] = delay
            if delay > allowed.late and reason in (None, ZONE):
                reason = arrived_late(delay)
                placed.late.add(row.key)
            if reason == FUTURE and file.absent_at is not None:
                own = max(found.start, file.mtime)
                placed.early[row.key] = Late(file.absent_at - own, now - own, 1)
        if reason is not None:
            row = row._replace(state=State.QUARANTINED)
            placed.doubts[row.key] = Doubt(now, file.mtime, reason)
        placed.rows.append(row)
    placed.extended = _extensions(placed.rows, around.rows)
    return placed


def _allowed(tx: Connection, stream: Stream, tolerance: Micros) -> Allowed:
    """How far out of time a file of the stream may arrive, as was ruled."""
    late, early = (
        doubtful_times.accepted(tx, stream.key, what) or 0 for what in (DELAY, AHEAD)
    )
    return Allowed(tolerance + late, tolerance + early)


def _note_named(
    tx: Connection, placed: Placed, spans: Sequence[RecordingSpan], around: _Neighbours
) -> bool:
    """Whether the stream's mtimes say no more than its names."""
    if doubtful_times.accepted(tx, placed.stream.key, NAMED) is not None:
        return True
    before = [row.start for row in around.rows if row.start < spans[0].start]
    count = count_named(placed.arrivals.named, spans, max(before, default=None))
    placed.arrivals = placed.arrivals._replace(named=count)
    return count >= MANY


def _is_news(tx: Connection, stream: Stream) -> bool:
    accepted = doubtful_times.accepted(tx, stream.key, NAMED)
    return stream.quarantined is None and accepted is None


def _without_mtime(span: RecordingSpan) -> RecordingSpan:
    """A span with an mtime that says nothing: it ends with the next start, if any."""
    same = abs(span.mtime - span.start) <= SAME
    return span._replace(mtime=span.start) if same else span


def note_delays(tx: Connection, placed: Placed, now: Micros, tolerance: Micros) -> None:
    """What this look says of how late the stream's recordings arrive, once those that
    were known before are out of it."""
    allowed = _allowed(tx, placed.stream, tolerance)
    if placed.delays:
        least, end = min((placed.delays[r.key], r.end) for r in placed.rows_seen())
        number = sum(delay > allowed.late for delay in placed.delays.values())
        look = Late(
            least, max(now - end, 0), number
        )  # an end that is a guess is not early
        if early := [placed.early[key] for key in placed.early.keys() & placed.delays]:
            look = min(early)._replace(number=len(early))
        placed.arrivals = arrived(placed.arrivals, look, allowed)
    if placed.wrong is None and placed.stream.quarantined is None:
        delay = steady_delay(placed.arrivals.late, allowed)
        if delay is not None:
            placed.wrong = WrongTimes(DELAY if delay > 0 else AHEAD, abs(delay))


def _spans(
    tx: Connection, stream: Stream, files: Sequence[Finished], rules: DatingRules
) -> list[tuple[RecordingSpan, Finished]]:
    """The files in order of start; an ambiguous name by mtime and neighbours."""
    ordered, found = sorted(files), []
    ends = sorted(file.mtime for file in files)
    for number, file in enumerate(ordered):
        start = file.starts[0]
        if len(file.starts) > 1:
            near = ordered[max(0, number - _NEIGHBOURS) : number + _NEIGHBOURS + 1]
            start = _read(tx, stream, file, near, ends, rules)
        found.append((RecordingSpan(start, file.mtime), file))
    return sorted(found)


def _read(
    tx: Connection,
    stream: Stream,
    file: Finished,
    near: Sequence[Finished],
    ends: Sequence[Micros],
    rules: DatingRules,
) -> Micros:
    """The start that an ambiguous name means; `near` are names like it and itself,
    `ends` the mtimes of all new files, sorted."""
    before = recordings.before(tx, stream.key, file.starts[-1] + MINUTE, _NEIGHBOURS)
    names = sorted({*(one.starts[0] for one in near), *(row.start for row in before)})
    lengths = [row.duration for row in before]
    for one in near:
        # Of those that are ambiguous, too, what was over before the later reading.
        if len(one.starts) == 1 or one.mtime < one.starts[-1]:
            lengths.append(one.mtime - one.starts[0])
    beside = [row.end for row in before]
    for start in file.starts:
        at = bisect_left(ends, start - NEAR)
        beside += ends[at : bisect_right(ends, start + NEAR)]
    if file.mtime in beside:
        beside.remove(file.mtime)  # its own is nobody's beside it
    return choose_start(
        file.starts, file.mtime, rules.max_length, rules.tolerance, neighbours=beside,
        usual=(*usual(lengths), *usual(b - a for a, b in pairwise(names))),
    )  # fmt: skip


def _around(tx: Connection, stream: int, starts: Sequence[Micros]) -> _Neighbours:
    """Recordings before, between and after the new files.

    A few files scattered over a long archive are asked for one by one.
    """
    limit = 4 * len(starts) + 100
    rows = recordings.around(tx, stream, starts[0], starts[-1], before=RUN, limit=limit)
    if len(rows) < limit:
        return _Neighbours(rows, whole=True)
    near = [
        row
        for start in starts
        for row in recordings.around(tx, stream, start, start, before=1, limit=100)
    ]
    return _Neighbours(sorted({row.key: row for row in near}.values()), whole=False)


def _zone(
    tx: Connection,
    placed: Placed,
    spans: Sequence[tuple[RecordingSpan, Finished]],
    around: _Neighbours,
    rules: DatingRules,
) -> WrongTimes | None:
    """The offset of the stream's zone, where it is news and nothing speaks against it."""
    stream = placed.stream
    if stream.quarantined is not None or not around.whole:
        return None
    every = sorted([*(span for span, _ in spans), *_old_spans(tx, around.rows)])
    out = doubtful_times.off(tx, stream.key)
    offset = zone_offset(every, rules, out)
    placed.mended = out is not None and offset is None and is_in_zone(every, rules)
    if offset is None or offset in doubtful_times.right_zones(tx, stream.key):
        return None
    if any(_begun_as_named(span, file, offset, rules) for span, file in spans):
        placed.fits = offset
        return None
    return WrongTimes(doubtful_times.ZONE, offset)


def _begun_as_named(
    span: RecordingSpan, file: Finished, offset: Micros, rules: DatingRules
) -> bool:
    """Whether a file that was seen to be written on was not there yet when it was begun,
    were its name out by `offset`: a recorder that films by a schedule leaves gaps too.
    """
    begun = span.start - offset
    absent = file.absent_at
    return file.grew and absent is not None and absent > begun + rules.tolerance


def _old_spans(tx: Connection, rows: Sequence[Recording]) -> list[RecordingSpan]:
    """Catalogued recordings as the zone check sees them: most end with their mtime."""
    mtimes: dict[Key, Micros] = {}
    if any(row.state is not State.PRESENT for row in rows):
        first, last = rows[0], rows[-1]
        doubts = recordings.doubts(tx, first.stream, first.start, last.start + 1)
        mtimes = {key: doubt.mtime for key, doubt in doubts.items()}
    return [RecordingSpan(row.start, mtimes.get(row.key, row.end)) for row in rows]


def _row(slot: Slot, stream: Stream, file: Finished, found: Dated, n: int) -> Recording:
    path = None if slot.path_of(found.start) == file.path else file.path
    duration = found.end - found.start
    return Recording(stream.key, found.start, n, duration, file.size, path=path)


def _numbers(
    tx: Connection, stream: int, starts: Sequence[Micros], around: _Neighbours
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
