"""The catalogue against the disk: files that grew, shrank or vanished (design 6).

The scan meets what is new by its name; this looks at every catalogued file.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from retention.catalogue import doubtful_times, looks, recordings, roots, streams
from retention.catalogue.db import Priority, Transaction, get_fact, put_fact
from retention.catalogue.recordings import ARRIVED, OURS_TO_CHANGE, Doubt, Key
from retention.control import borne_out
from retention.footage.ingest import placing, recorded, vanished
from retention.footage.ingest.dates import (
    RUN,
    Around,
    DatingRules,
    Overwritten,
    WrittenOn,
    common_shift,
    is_moved,
    is_written_on,
    judge_change,
)
from retention.footage.ingest.intake import Parts, ScanResult
from retention.footage.ingest.losses import OTHER, Loss, note_held
from retention.footage.ingest.witness import Witness
from retention.footage.read import FileSeen, look, read_directory
from retention.model.layouts.dating import usual
from retention.model.layouts.layout import path_of, starts_in
from retention.model.layouts.walltime import repeated
from retention.model.values import HOUR, Micros, Recording, State, Stream


@dataclass(slots=True)
class ReconcileResult(ScanResult):
    """As a scan's result; `checked` rows were compared, `complete`: to the last."""

    checked: int = 0


def look_at_newest(
    parts: Parts,
    were_newest: Collection[Key],
    now: Micros,
    result: ScanResult,
    before: Witness | None = None,
) -> None:
    """Has a file been written on that is, or was before this scan, a stream's newest,
    or whose name comes again in these hours?

    A recorder that buffers leaves a file's mtime alone for longer than `stable_after`,
    and writes the rest just as the next file appears: then it is the newest no more.
    `before` says when they were looked at last; what came since can't be older.
    """
    known = {stream.key: stream for stream in parts.owners.streams}
    with parts.catalogue.read() as tx:
        rows = {row.key: row for row in recordings.newest(tx, parts.root.key)}
        for key in were_newest:
            row = None if key in rows else recordings.get(tx, key)
            if row is not None:
                rows[key] = row
        rows |= {row.key: row for row in _named_again(tx, known.values(), now)}
    pairs = [(known[r.stream], r) for r in rows.values() if r.stream in known]
    for at in range(0, len(pairs), PAGE):
        check(parts, pairs[at : at + PAGE], now, result, before)


def _named_again(
    tx: Connection, streams: Collection[Stream], now: Micros
) -> Iterator[Recording]:
    """In the night on which the clocks go back, the recordings of the first pass whose
    names may have come again by now."""
    zones = {stream.zone for stream in streams}
    windows = {zone: repeated(ZoneInfo(zone), now, _NIGHT) for zone in zones}
    for stream in streams:
        window = windows[stream.zone]
        if window is not None:
            first, last = window.start, window.end - 1
            yield from (
                row
                for row in recordings.around(
                    tx, stream.key, first, last, before=0, limit=10_000
                )
                if row.start <= last
            )


_NIGHT = 4 * HOUR

Pair = tuple[Stream, Recording]


def check(
    parts: Parts,
    pairs: Sequence[Pair],
    now: Micros,
    result: ScanResult,
    before: Witness | None = None,
) -> dict[bytes, FileSeen | None]:
    """Compare rows with their files; note what grew, doubt what does not fit.

    Rows of a batch in flight are left to it.  Returns the paths with no file, and what
    is there instead: a link, a directory.  The caller holds the root's mutex; at most
    5,000 rows.
    """
    missing: dict[bytes, FileSeen | None] = {}
    seen: list[tuple[Stream, Recording, FileSeen]] = []
    for stream, row in pairs:
        if row.state in OURS_TO_CHANGE:
            path = path_of(stream, row)
            try:
                found = look(parts.root, path)
            except OSError as error:
                result.errors.append((path, error.strerror or str(error)))
                continue
            if found is None or found.odd is not None:
                missing[path] = found
            else:
                seen.append((stream, row, found))
    with parts.catalogue.read() as tx:
        changes = list(_changes(tx, parts, seen, now, result, before))
    if result.moved is not None:
        _tell_moved(parts, result.moved, now)
        result.moved = None
    if changes:
        _write(parts, changes, now, result)
    return missing


def _tell_moved(parts: Parts, shift: Micros, now: Micros) -> None:
    """The mtimes of a root were moved: one event, whatever number of files."""
    with parts.write(now) as tx:
        tx.append("root.times_moved", root=parts.root.name, shift=shift)


_Change = tuple["_Odd", WrittenOn | Overwritten | Doubt]


def _changes(
    tx: Connection,
    parts: Parts,
    seen: Sequence[tuple[Stream, Recording, FileSeen]],
    now: Micros,
    result: ScanResult,
    before: Witness | None,
) -> Iterator[_Change]:
    """What is not as catalogued, and has been quiet long enough to be judged."""
    odd = _odd(tx, parts, seen, now)
    shifts = _shifts(tx, parts, odd, result)
    for one in odd:
        stream, row, found, doubt, around = one
        rules = DatingRules(now, stream.max_length, parts.tolerance)
        judged = judge_change(row, doubt, found.size, found.mtime, around, rules)
        if judged is None or (
            one.only_mtime and is_moved(one.base, found.mtime, shifts)
        ):
            continue
        judged = _late(tx, parts, one, judged, before, now)
        again = ("again", row.stream)
        if parts.waiting.is_quiet(
            again, found.path, row.start, found.size, found.mtime, now
        ):
            yield one, judged
        elif isinstance(judged, Overwritten) and found.size < row.size:
            # What it had is gone already, though the other is not finished: that one
            # is met as any new file is.
            result.overwritten.append(found.path)
            yield one, judged
        else:
            result.open += 1
            result.growing.add(row.key)


def _odd(
    tx: Connection,
    parts: Parts,
    seen: Sequence[tuple[Stream, Recording, FileSeen]],
    now: Micros,
) -> list["_Odd"]:
    """What may not be as catalogued: most files are, and the cheap look shows it."""

    def differs(
        stream: Stream, row: Recording, found: FileSeen, doubt: Doubt | None
    ) -> bool:
        rules = DatingRules(now, stream.max_length, parts.tolerance)
        judged = judge_change(row, doubt, found.size, found.mtime, Around(), rules)
        return judged is not None

    some = [
        one for one in seen if one[1].state is not State.PRESENT or differs(*one, None)
    ]
    doubts = recordings.doubts_of(tx, (row for _, row, _ in some))
    return [
        _Odd(stream, row, found, doubt, _around(tx, stream, row, found))
        for stream, row, found in some
        if differs(stream, row, found, doubt := doubts.get(row.key))
    ]


class _Odd(NamedTuple):
    """A file that may not be as catalogued."""

    stream: Stream
    row: Recording
    found: FileSeen
    doubt: Doubt | None
    around: Around

    def may_lack(self, rules: DatingRules) -> bool:
        """Something of what it had may be gone."""
        row, found = self.row, self.found
        return not is_written_on(
            row, self.doubt, found.size, found.mtime, self.around, rules
        )

    @property
    def base(self) -> Micros:
        """The mtime that it had, as far as is known."""
        return self.row.end if self.doubt is None else self.doubt.mtime

    @property
    def only_mtime(self) -> bool:
        """Nothing but its mtime is another; not that of a name that came again."""
        return self.found.size == self.row.size and self.around.again is None


def _late(
    tx: Connection,
    parts: Parts,
    one: _Odd,
    judged: WrittenOn | Overwritten | Doubt,
    before: Witness | None,
    now: Micros,
) -> WrittenOn | Overwritten | Doubt:
    """What was added since the look before, and says that it is older than that, comes
    late, as it was first seen, however long it took to come to rest; what came late
    before still does."""
    if isinstance(judged, Doubt) and one.doubt and one.doubt.reason.startswith(ARRIVED):
        return judged._replace(reason=one.doubt.reason)
    if not isinstance(judged, WrittenOn) or one.only_mtime:
        return judged
    path, waiting = one.found.path, parts.waiting
    if before is not None:
        looked = before.at(path.rpartition(b"/")[0], now)
        own = max(one.found.mtime, one.row.start)
        waiting.grew(path, one.found.size, own, looked)
    delay = waiting.delay(path)
    allowed = doubtful_times.accepted(tx, one.stream.key, doubtful_times.DELAY) or 0
    if delay is None or delay <= parts.tolerance + allowed:
        return judged
    return Doubt(now, one.found.mtime, placing.arrived_late(delay))


def _shifts(
    tx: Connection, parts: Parts, odd: Sequence[_Odd], result: ScanResult
) -> list[Micros]:
    """By how much mtimes of the root were moved; told once, as of one event.

    A new shift is seen only among files of one stream, whose recorder can't have
    written on so many at once.  Where only its newest is at hand, those before it are
    looked at too.
    """
    shifts = looks.moved(tx, parts.root.name)
    news = [
        one
        for one in odd
        if one.only_mtime and not is_moved(one.base, one.found.mtime, [0, *shifts])
    ]
    if news:
        moved = [one.found.mtime - one.base for one in news]
        if len({one.stream.key for one in odd}) > 1 or len(moved) < RUN:
            moved = [moved[0], *_moved_before(tx, parts, news[0])]
        shift = common_shift(moved)
        if shift is not None:
            result.moved = shift
            shifts.append(shift)
    return shifts


def _moved_before(tx: Connection, parts: Parts, odd: _Odd) -> Iterator[Micros]:
    """By how much the mtimes of the recordings just before one moved."""
    stream = odd.stream
    for row in recordings.before(tx, stream.key, odd.row.start, RUN):
        if row.state is State.PRESENT:
            with suppress(OSError):
                found = look(parts.root, path_of(stream, row))
                if found is not None and found.odd is None and found.size == row.size:
                    yield found.mtime - row.end


def _around(tx: Connection, stream: Stream, row: Recording, found: FileSeen) -> Around:
    """What is known beside a file that changed."""
    following = recordings.after(tx, row.stream, row.start)
    start = None if following is None else following.start
    readings = starts_in(stream, found.path)
    if len(readings) != 2 or row.start != readings[0]:
        return Around(start)
    before = recordings.before(tx, row.stream, row.start, 10)
    return Around(start, readings[-1], usual(one.duration for one in before))


def _write(
    parts: Parts, changes: Sequence[_Change], now: Micros, result: ScanResult
) -> None:
    """One transaction: later ends, new doubts, what was overwritten, and the entries
    that say so."""
    grown: list[tuple[Recording, Recording]] = []
    doubts: dict[Key, Doubt] = {}
    doubted: list[Recording] = []
    losses: list[Loss] = []
    over: list[tuple[_Odd, Overwritten]] = []
    cameras = {one.stream.key: one.stream.camera for one, _ in changes}
    doubtful = [one.row for one, judged in changes if isinstance(judged, Doubt)]
    with parts.write(now) as tx:
        known = borne_out.doubts(parts.catalogue, tx, doubtful, now) if doubtful else {}
        for one, judged in changes:
            row, found = one.row, one.found
            if isinstance(judged, WrittenOn):
                if recordings.extend(tx, row, judged.duration, judged.size):
                    new = row._replace(duration=judged.duration, size=judged.size)
                    grown.append((row, new))
                    if new.duration != row.duration:
                        doubtful_times.written_on(tx, row.stream)
                continue
            if isinstance(judged, Overwritten):
                over.append((one, judged))
                continue
            kept = recordings.counted(
                tx, one.stream, row, found.size, judged, known.get(row.key)
            )
            if recordings.quarantine(tx, row, found.size, kept):
                new = row._replace(size=found.size, state=State.QUARANTINED)
                if found.size != row.size:
                    grown.append((row, new))
                doubts[row.key] = kept
                doubted.append(new)
                rules = DatingRules(now, one.stream.max_length, parts.tolerance)
                if one.may_lack(rules):
                    losses.append(Loss.of(one.stream, row))
        _overwrite(tx, parts, over, now, result)
        if doubted:
            entry = tx.append(*recorded.quarantined(doubted, doubts, cameras))
        if grown:
            tx.append(*recorded.changed(grown, cameras))
        if losses:
            note_held(tx, parts, now, losses, OTHER, entry)
    result.changed += len({row.key for row, _ in grown} | doubts.keys())
    result.quarantined += len(doubts)
    result.damaged += len(losses)


def _overwrite(
    tx: Transaction,
    parts: Parts,
    over: Sequence[tuple[_Odd, Overwritten]],
    now: Micros,
    result: ScanResult,
) -> None:
    """What the files had is lost; what they have is another recording, once finished."""
    taken, lost = vanished.take_out(tx, parts, [one.row for one, _ in over], now)
    gone = set(taken)
    result.lost += len(lost)
    for (stream, row, found, *_), judged in over:
        if row not in gone or found.path in result.overwritten:
            continue
        n = recordings.next_n(tx, stream.key, judged.start)
        length = judged.end - judged.start
        new = Recording(stream.key, judged.start, n, length, judged.size)
        if path_of(stream, new) != found.path:
            new = new._replace(path=found.path)
        recordings.insert(tx, [new])
        result.added += 1


PAGE = 1_000
_SAVE = 20  # pages between two notes of the position
_POSITION = "reconcile."


def begin_anew(tx: Connection, root: int) -> None:
    """The disk was away: whatever was compared of it before, compare all of it now."""
    put_fact(tx, f"{_POSITION}{root}", None)
    roots.not_reconciled(tx, root)


def reconcile(
    parts: Parts, now: Micros, stop: Callable[[], bool]
) -> tuple[ReconcileResult, list[bytes]]:
    """Compare every row of a root with its file; also returns the paths found lost.

    `stop` is asked between pages of 1,000 rows and may wait there: that is the
    throttle.  Stopped or crashed, the next one goes on where this one was.
    RootUnavailableError where the root is not what it was.
    """
    parts.root.check()
    result = ReconcileResult()
    gone: list[bytes] = []
    fact = f"{_POSITION}{parts.root.key}"
    with parts.catalogue.read() as tx:
        position = get_fact(tx, fact) or [0, None, None]
        todo = [
            stream
            for stream in streams.of_root(tx, parts.root.key)
            if stream.key >= position[0]
        ]
        parts.owners.load(parts.catalogue, tx)
    pages = 0
    for stream in todo:
        here = stream.key == position[0] and position[1] is not None
        after = (position[1], position[2]) if here else None
        while True:
            if stop():
                _note(parts, fact, [stream.key, *(after or (None, None))])
                return result, gone
            last = _page(parts, stream, after, now, result, gone)
            if last is None:
                break
            after, pages = last, pages + 1
            if pages % _SAVE == 0:
                _note(parts, fact, [stream.key, *after])
    with parts.catalogue.write(Priority.SCAN) as tx:
        put_fact(tx, fact, None)
        roots.set_reconciled(tx, parts.root.key, now)
    result.complete = True
    return result, gone


def _note(parts: Parts, fact: str, position: list[Micros | None]) -> None:
    with parts.catalogue.write(Priority.SCAN) as tx:
        put_fact(tx, fact, position)


def _page(
    parts: Parts,
    stream: Stream,
    after: tuple[Micros, int] | None,
    now: Micros,
    result: ReconcileResult,
    gone: list[bytes],
) -> tuple[Micros, int] | None:
    """Compare one page; the last (start, n) of it, None where there was none."""
    with parts.root.mutex:
        with parts.catalogue.read() as tx:
            rows = recordings.page(tx, stream.key, after, PAGE)
        if not rows:
            return None
        gone += compare(parts, [(stream, row) for row in rows], now, result)
    result.checked += len(rows)
    return rows[-1].start, rows[-1].n


def compare(
    parts: Parts, pairs: Sequence[Pair], now: Micros, result: ScanResult
) -> set[bytes]:
    """Compare rows with their files, and take out those of files that are lost; their
    paths.  The caller holds the root's mutex; at most 5,000 rows."""
    missing = check(parts, pairs, now, result)
    lost = sorted(_not_listed(parts, missing))
    return set(lost) - set(vanished.book(parts, lost, now, result))


def _not_listed(parts: Parts, missing: Mapping[bytes, FileSeen | None]) -> set[bytes]:
    """Those paths that a complete, error-free read of their directory does not show, or
    shows where something else is in the file's place."""
    found: set[bytes] = set()
    listed: dict[bytes, frozenset[bytes] | None] = {}
    for path, instead in missing.items():
        directory, _, name = path.rpartition(b"/")
        if directory not in listed:
            listed[directory] = _listing(parts, directory)
        names = listed[directory]
        if names is not None and (name in names) == (instead is not None):
            found.add(path)
    return found


def _listing(parts: Parts, directory: bytes) -> frozenset[bytes] | None:
    """The names in a directory, none where it is gone, None where that is not sure."""
    seen = read_directory(parts.root, directory)
    if seen.gone and directory:
        parent, _, name = directory.rpartition(b"/")
        above = read_directory(parts.root, parent)
        if above.gone:
            return _listing(parts, parent)
        return frozenset() if above.complete and name not in above.directories else None
    return frozenset((*seen.files, *seen.directories)) if seen.complete else None
