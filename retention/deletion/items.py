"""The files of a batch: catalogue rows joined with the paths that their streams give."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import due, recordings, streams
from retention.catalogue.log import read_rows
from retention.control.gate import Flight, GateFile
from retention.model.choice import Due
from retention.model.errors import CatalogueError
from retention.model.layouts.layout import Layout, compile_layout, path_of
from retention.model.policy import BEGINNING, MTIME_SLACK, Holds
from retention.model.values import Micros, Prepared, Rows, State, Stream
from retention.tlog.canonical import path_bytes
from retention.tlog.rows import prepare

COLUMNS = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path", "seen")
"""The columns of `deletion.intended`.  The path only where it can't be rendered from
the stream (its `stream.opened` entry has the layout)."""


class WhyKept(NamedTuple):
    """Why a file is not deleted, whatever its row says (`deletion.witness`); `doubted`:
    from now on its times are in doubt, on record."""

    reason: str
    doubted: bool


class Item(NamedTuple):
    """One file of a batch: the intent's row, and what the checks before unlink need."""

    camera: int
    stream: int
    start: Micros
    n: int
    duration: Micros
    size: int
    due: Micros
    stored: bytes | None
    path: bytes
    directory: bytes
    latest_mtime: Micros
    state: int
    doubtful: bool
    seen: Micros | None = None
    """From when the period of a doubtful one counts; None in a batch that is recovered."""
    ours: bool = True
    """Of an intent that was left open: the catalogue's own row is what that one says."""
    doubt: tuple[Micros, Micros | None] | None = None
    """Where one is kept beside its row: the mtime of its file then and, unless a person
    ruled on it, when it was first seen."""
    earliest_mtime: Micros = BEGINNING
    wrong: WhyKept | None = None
    others: tuple[tuple[int, Micros], ...] = ()
    """Cameras that it may be of as well by its name, each with its start then."""

    @property
    def key(self) -> tuple[int, int, int]:
        """The catalogue's key."""
        return (self.stream, self.start, self.n)

    @property
    def end(self) -> Micros:
        """The instant after the last frame."""
        return self.start + self.duration

    def held_elsewhere(self, held: Mapping[int, Holds]) -> int | None:
        """Another camera that it may be of, and on which a hold covers it."""
        for camera, start in self.others:
            end = max(start + 1, self.end)
            if held[camera].hold(start, end, doubtful=self.doubtful):
                return camera
        return None


def cameras_of(items: Sequence[Item]) -> set[int]:
    """All that these files may be of."""
    found = {item.camera for item in items}
    for others in {item.others for item in items}:
        found.update(camera for camera, _ in others)
    return found


class Paths:
    """Gives each due row its path, from streams frozen when their first file came.

    `periods`: how long the files of each stream are kept, where a batch is made.
    `tolerance`: so long before it began may a file have been written last.
    """

    def __init__(
        self,
        streams: Iterable[Stream],
        periods: Mapping[int, Micros] = MappingProxyType({}),
        tolerance: Micros = 0,
    ) -> None:
        self._streams = {stream.key: stream for stream in streams}
        self._renders = {key: self.layout(key).render for key in self._streams}
        self._periods = periods
        self._tolerance = tolerance

    def layout(self, stream: int) -> Layout:
        """The compiled layout of one stream."""
        found = self._streams[stream]
        return compile_layout(found.layout, found.zone)

    def item(self, row: Due) -> Item:
        """The file of one row."""
        key, start, n, duration, size, stored, at, mtime, state, seen = row
        stream = self._streams[key]
        path = stored or self._renders[key](stream.name, start, stream.extension)
        path = path or path_of(stream, row)  # which says why there is none
        doubtful = seen is not None or stream.quarantined is not None
        period = self._periods.get(key) if doubtful else None
        return Item(
            stream.camera, key, start, n, duration, size, at, stored, path,
            path.rpartition(b"/")[0], start + duration + MTIME_SLACK, state, doubtful,
            None if period is None else at - period,
            doubt=None if mtime is None else (mtime, seen),
            earliest_mtime=start - self._tolerance,
        )  # fmt: skip


def intent_rows(items: Iterable[Item]) -> Prepared:
    """What `deletion.intended` lists, made ready outside a transaction."""
    values = [
        (i.camera, i.stream, i.start, i.n, i.duration, i.size, i.due, i.stored, i.seen)
        for i in items
    ]
    return prepare(Rows(COLUMNS, values))


def due_of_row(columns: tuple[str, ...], values: tuple[Any, ...]) -> Due:
    """A row of `deletion.intended` as the catalogue's row again."""
    row = dict(zip(columns, values, strict=True))
    stored = row["path"]
    return Due(
        row["stream"], row["start"], row["n"], row["duration"], row["bytes"],
        None if stored is None else path_bytes(stored), row["due"],
    )  # fmt: skip


def flight_of(items: Iterable[Item]) -> Flight:
    """What the gate needs of a batch."""
    return Flight(
        [
            GateFile(i.camera, i.start, i.end, i.size, i.doubtful, i.others)
            for i in items
        ]
    )


def items_of(tx: Connection, intent: int, tolerance: Micros = 0) -> list[Item]:
    """The files of an open intent, in the order of the rows beside its entry; `tolerance`
    as in `Paths`.

    What is done to them goes by the catalogue's own rows: one that is not there, not
    being deleted or another than the intent says is not `ours`, whatever the row file
    says.
    """
    rows = read_rows(tx, intent)
    if rows is None:
        raise CatalogueError(
            f"the rows of entry {intent} are missing, so an interrupted deletion can't "
            "be finished: run `retention audit verify`"
        )
    found = [due_of_row(rows.columns, values) for values in rows.values]
    theirs = streams.by_keys(tx, {row.stream for row in found})
    paths = Paths(theirs, tolerance=tolerance)
    return [
        paths.item(due.with_doubt(tx, row))._replace(ours=_is_own(tx, row))
        for row in found
    ]


def _is_own(tx: Connection, said: Due) -> bool:
    row = recordings.get(tx, said.key)
    return row is not None and (row.duration, row.size, row.state, row.path) == (
        said.duration, said.size, State.DELETING, said.path,
    )  # fmt: skip
