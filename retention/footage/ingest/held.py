"""Held recordings against the disk: what a hold keeps is looked at, not only believed.

Hourly all of a root, and before each answer of a hold what it counts; in each cycle what
may have been written over.  The comparison is the reconciliation's own, so what it finds
is booked and doubted in one way.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from sqlalchemy import Connection

from retention.catalogue import holds, recordings, spans
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.catalogue.recordings import OURS_TO_CHANGE
from retention.footage.ingest.intake import Parts, ScanResult
from retention.footage.ingest.matching import rows_of
from retention.footage.ingest.reconcile import PAGE, Pair, compare
from retention.footage.ingest.seen import Names
from retention.model.answers.hold import Inspection
from retention.model.policy import Holds, merge
from retention.model.values import FOREVER, Micros, Recording, State, Stream, Window

_COMPARED = "held.compared."
_ALWAYS = Window(-FOREVER, FOREVER)
_FIRST = 50  # rows of a first page: most holds are of an hour or two

Wanted = Mapping[int, Holds]
"""Holds by the key of their camera."""

Pages = Iterator[list[Pair]]


@dataclass(slots=True)
class HeldResult(ScanResult):
    """As a scan's result: `files` were compared, `left` not; at the paths in `gone` is
    nothing any more.  `complete`: nothing is left."""

    files: int = 0
    left: int = 0
    gone: set[bytes] = field(default_factory=set)

    def said(self) -> Inspection:
        """For people."""
        return Inspection(
            files=self.files,
            lost=self.lost,
            overwritten=self.damaged,
            written_on=self.open,
            unreadable=len(self.errors),
            not_looked_at=self.left,
        )


def compared(tx: Connection, root: int) -> Micros | None:
    """When the last comparison of all held recordings of a root began; None: never."""
    at: Micros | None = get_fact(tx, f"{_COMPARED}{root}")
    return at


class DiskComparison:
    """Compares with the disk what `pages` gives of a root, again and again; `fact`: under
    what it is kept when that was all compared last."""

    def __init__(
        self,
        parts: Parts,
        pages: Callable[[Parts, Micros], Pages],
        fact: str | None = None,
    ) -> None:
        self._parts = parts
        self._begin = pages
        self._fact = fact
        self._pages: Pages | None = None
        self._began: Micros = 0

    def go_on(self, now: Micros, stop: Callable[[], bool]) -> HeldResult:
        """Go on where it was stopped, else begin anew.

        `stop` is asked before each page of 1,000 rows and may wait there.
        RootUnavailableError where the root is not what it was.
        """
        parts, result = self._parts, HeldResult()
        parts.root.check()
        if self._pages is None:
            self._pages, self._began = self._begin(parts, now), now
        pages, self._pages = self._pages, None  # after an error it begins anew
        while not stop():
            if not _compare_page(parts, pages, now, result):
                if self._fact is not None:
                    with parts.catalogue.write(Priority.SCAN) as tx:
                        put_fact(tx, self._fact, self._began)
                return result
        self._pages = pages
        return result


def all_held(parts: Parts) -> DiskComparison:
    """Of all that holds keep in a root."""

    def pages(parts: Parts, now: Micros) -> Pages:
        with parts.catalogue.read() as tx:
            parts.owners.load_streams(parts.catalogue, tx)
            cameras = {stream.camera for stream in parts.owners.streams}
            wanted = holds.of_cameras(tx, cameras, now)
        return _held(parts, wanted)

    return DiskComparison(parts, pages, f"{_COMPARED}{parts.root.key}")


def written_over(parts: Parts, changed: dict[bytes, Names]) -> DiskComparison:
    """Of what may have been written over: once each the names of the `changed`
    directories, then the streams in doubt, whose names may come again."""

    def pages(parts: Parts, _: Micros) -> Pages:
        while changed:
            directory, names = changed.popitem()
            yield from _named(parts, directory, sorted(names.everything()))
        for stream in list(parts.owners.streams):
            if stream.quarantined is not None:
                for rows in _between(parts, stream, _ALWAYS):
                    yield [(stream, row) for row in rows if row.state in OURS_TO_CHANGE]

    return DiskComparison(parts, pages)


def _named(parts: Parts, directory: bytes, names: Sequence[bytes]) -> Pages:
    """The recordings of these names in a directory."""
    prefix = directory + b"/" if directory else b""
    streams = {stream.key: stream for stream in parts.owners.streams}
    for at in range(0, len(names), PAGE):
        paths = [prefix + name for name in names[at : at + PAGE]]
        with parts.catalogue.read() as tx:
            rows = rows_of(tx, parts.owners, paths).values()
        yield [(streams[row.stream], row) for row in rows]


def inspect(
    parts: Parts,
    wanted: Wanted,
    now: Micros,
    most: int,
    stop: Callable[[], bool],
) -> HeldResult:
    """Compare what these holds (by camera key) keep in the root: up to `most` files, as
    long as `stop` does not say so."""
    parts.root.check()
    with parts.catalogue.read() as tx:
        parts.owners.load_streams(parts.catalogue, tx)
    total = sum(_count(parts, one, wanted) for one in parts.owners.streams)
    result, pages = HeldResult(), _held(parts, wanted)
    while result.files < most and not stop():
        if not _compare_page(parts, pages, now, result):
            return result
    result.left = max(0, total - result.files)
    return result


def _count(parts: Parts, stream: Stream, wanted: Wanted) -> int:
    """How many recordings of a stream these holds keep."""
    windows = wanted.get(stream.camera, Holds()).windows
    if not windows:
        return 0
    with parts.catalogue.read() as tx:
        number = spans.in_doubt(tx, stream).number
        if stream.quarantined is None:
            number += sum(spans.sums(tx, stream, window).number for window in windows)
            number += sum(len(spans.unended(tx, stream, window)) for window in windows)
    return number


def _compare_page(parts: Parts, pages: Pages, now: Micros, result: HeldResult) -> bool:
    """Compare one page, read under the root's mutex; False where there is no more."""
    with parts.root.mutex:
        page = next(pages, None)
        if page is None:
            result.complete = True
        else:
            result.gone |= compare(parts, page, now, result)
            result.files += len(page)
    return page is not None


def _held(parts: Parts, wanted: Wanted) -> Pages:
    """The recordings that these holds keep, each page read when it is asked for."""
    for stream in list(parts.owners.streams):
        held = wanted.get(stream.camera, Holds())
        if held.windows:
            yield from _of_stream(parts, stream, held)


def _of_stream(parts: Parts, stream: Stream, held: Holds) -> Pages:
    everything = stream.quarantined is not None
    windows = (_ALWAYS,) if everything else held.windows
    reach = stream.longest + 1
    for window in merge(Window(one.start - reach, one.end) for one in windows):
        for rows in _between(parts, stream, window):
            yield [
                (stream, row)
                for row in rows
                if row.state in OURS_TO_CHANGE
                and held.hold(
                    row.start,
                    row.end,
                    doubtful=everything or row.state is State.QUARANTINED,
                )
            ]
    if not everything:
        yield _doubtful(parts, stream, held)


def _between(parts: Parts, stream: Stream, window: Window) -> Iterator[list[Recording]]:
    """The recordings of a stream that start in a window, in order."""
    after, limit = (window.start, -1), _FIRST
    while True:
        with parts.catalogue.read() as tx:
            rows = recordings.page(tx, stream.key, after, limit)
        yield list(takewhile(lambda row: row.start < window.end, rows))
        if len(rows) < limit or rows[-1].start >= window.end:
            return
        after, limit = (rows[-1].start, rows[-1].n), PAGE


def _doubtful(parts: Parts, stream: Stream, held: Holds) -> list[Pair]:
    """Those in quarantine that only the doubt puts under a hold: see `Holds.hold`."""
    with parts.catalogue.read() as tx:
        doubts = recordings.doubts(tx, stream.key, -FOREVER, FOREVER)
        rows = recordings.starting_at(tx, stream.key, [start for _, start, _ in doubts])
    reach = stream.longest + 1
    read = merge(Window(one.start - reach, one.end) for one in held.windows)
    return [
        (stream, row)
        for row in rows
        if row.state is State.QUARANTINED
        and not any(one.start <= row.start < one.end for one in read)
    ]
