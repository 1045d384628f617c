"""The catalogue against the disk: files that grew, shrank or vanished (design 6).

The scan meets what is new by its name; this looks at every catalogued file.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from retention.catalogue import recordings, roots, streams
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.catalogue.recordings import OURS_TO_CHANGE, Doubt, Key
from retention.footage.read import FileSeen, look, read_directory
from retention.ingest import recorded, vanished
from retention.ingest.dates import Grown, Rules, judge_change
from retention.ingest.intake import Parts, ScanResult
from retention.ingest.matching import path_of
from retention.model import Micros, Recording, State, Stream


@dataclass(slots=True)
class ReconcileResult(ScanResult):
    """As a scan's result; `checked` rows were compared, `complete`: to the last."""

    checked: int = 0


def look_at_newest(
    parts: Parts, were_newest: Collection[Key], now: Micros, result: ScanResult
) -> None:
    """Has a file been written on that is, or was before this scan, a stream's newest?

    A recorder that buffers leaves a file's mtime alone for longer than `stable_after`,
    and writes the rest just as the next file appears: then it is the newest no more.
    """
    known = {stream.key: stream for stream in parts.owners.streams}
    with parts.catalogue.read() as tx:
        rows = {row.key: row for row in recordings.newest(tx, parts.root.key)}
        for key in were_newest:
            row = None if key in rows else recordings.get(tx, key)
            if row is not None:
                rows[key] = row
    pairs = [(known[r.stream], r) for r in rows.values() if r.stream in known]
    for at in range(0, len(pairs), PAGE):
        check(parts, pairs[at : at + PAGE], now, result)


Pair = tuple[Stream, Recording]


def check(
    parts: Parts, pairs: Sequence[Pair], now: Micros, result: ScanResult
) -> list[bytes]:
    """Compare rows with their files; note what grew, doubt what does not fit.

    Rows of a batch in flight are left to it.  Returns the paths with no file.  The
    caller holds the root's mutex; at most 5,000 rows.
    """
    missing: list[bytes] = []
    seen: list[tuple[Stream, Recording, FileSeen]] = []
    for stream, row in pairs:
        if row.state in OURS_TO_CHANGE:
            path = path_of(stream, row)
            try:
                found = look(parts.root, path)
            except OSError as error:
                result.errors.append((path, error.strerror or str(error)))
                continue
            if found is None:
                missing.append(path)
            elif not found.regular:
                result.errors.append((path, "is not a regular file any more"))
            else:
                seen.append((stream, row, found))
    with parts.catalogue.read() as tx:
        changes = list(_changes(tx, parts, seen, now, result))
    if changes:
        _write(parts, changes, now, result)
    return missing


_Change = tuple[Stream, Recording, Grown | Doubt, int]


def _changes(
    tx: Connection,
    parts: Parts,
    seen: Sequence[tuple[Stream, Recording, FileSeen]],
    now: Micros,
    result: ScanResult,
) -> Iterator[_Change]:
    """What is not as catalogued, and has been quiet long enough to be judged."""
    for stream, row, found in seen:
        rules = Rules(now, stream.max_length, parts.tolerance)
        # The doubt only where the cheap look differs: most files are as they were.
        if judge_change(row, None, found.size, found.mtime, None, rules) is None and (
            row.state is State.PRESENT
        ):
            continue
        doubt = recordings.doubt(tx, row.key)
        following = recordings.after(tx, row.stream, row.start)
        judged = judge_change(
            row, doubt, found.size, found.mtime,
            None if following is None else following.start, rules,
        )  # fmt: skip
        if judged is None:
            continue
        again = ("again", row.stream)
        if parts.waiting.is_quiet(
            again, found.path, row.start, found.size, found.mtime, now
        ):
            yield stream, row, judged, found.size
        else:
            result.open += 1
            result.growing.add(row.key)


def _write(
    parts: Parts, changes: Sequence[_Change], now: Micros, result: ScanResult
) -> None:
    """One transaction: later ends, new doubts, and the entries that say so."""
    grown: list[tuple[Recording, Recording]] = []
    doubts: dict[Key, Doubt] = {}
    doubted: list[Recording] = []
    cameras = {stream.key: stream.camera for stream, *_ in changes}
    with parts.catalogue.write(Priority.SCAN) as tx:
        for _, row, judged, size in changes:
            if isinstance(judged, Grown):
                if recordings.extend(tx, row, judged.duration, judged.size):
                    new = row._replace(duration=judged.duration, size=judged.size)
                    grown.append((row, new))
            elif recordings.quarantine(tx, row, size, judged):
                new = row._replace(size=size, state=State.QUARANTINED)
                if size != row.size:
                    grown.append((row, new))
                doubts[row.key] = judged
                doubted.append(new)
        if doubted:
            parts.log.append(
                tx, recorded.quarantined(doubted, doubts, cameras, now, parts.actor)
            )
        if grown:
            parts.log.append(tx, recorded.changed(grown, cameras, now, parts.actor))
    result.changed += len({row.key for row, _ in grown} | doubts.keys())
    result.quarantined += len(doubts)
    for _, row, _, _ in changes:
        result.touch(row.stream, row.end)


PAGE = 1_000
_SAVE = 20  # pages between two notes of the position


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
    fact = f"reconcile.{parts.root.key}"
    with parts.catalogue.read() as tx:
        position = get_fact(tx, fact) or [0, None, None]
        todo = [
            stream
            for stream in streams.of_root(tx, parts.root.key)
            if stream.key >= position[0]
        ]
        parts.owners.load(tx)
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
        missing = check(parts, [(stream, row) for row in rows], now, result)
        lost = sorted(_not_listed(parts, missing))
        there = vanished.book(parts, lost, now, result)
    gone += set(lost) - set(there)
    result.checked += len(rows)
    return rows[-1].start, rows[-1].n


def _not_listed(parts: Parts, paths: Sequence[bytes]) -> set[bytes]:
    """Those paths that a complete, error-free read of their directory does not show."""
    found: set[bytes] = set()
    listed: dict[bytes, frozenset[bytes] | None] = {}
    for path in paths:
        directory, _, name = path.rpartition(b"/")
        if directory not in listed:
            listed[directory] = _listing(parts, directory)
        names = listed[directory]
        if names is not None and name not in names:
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
