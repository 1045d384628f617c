"""The files of a batch: catalogue rows joined with the paths that their streams give."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.audit.canonical import path_bytes
from retention.audit.log import read_rows
from retention.catalogue import due, streams
from retention.catalogue.due import Due
from retention.deletion.gate import Flight, GateFile
from retention.errors import CatalogueError
from retention.layouts.layout import Layout, compile_layout
from retention.model import Micros, Rows, Stream
from retention.policy import MTIME_SLACK

COLUMNS = ("camera", "stream", "start", "n", "duration", "bytes", "due", "path")
"""The columns of `deletion.intended`.  The path only where it can't be rendered from
the stream (its `stream.opened` entry has the layout)."""


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

    @property
    def key(self) -> tuple[int, int, int]:
        """The catalogue's key."""
        return (self.stream, self.start, self.n)

    @property
    def end(self) -> Micros:
        """The instant after the last frame."""
        return self.start + self.duration


class Paths:
    """Gives each due row its path, from streams frozen when their first file came."""

    def __init__(self, streams: Iterable[Stream]) -> None:
        self._streams = {
            stream.key: (stream, compile_layout(stream.layout, stream.zone))
            for stream in streams
        }

    def layout(self, stream: int) -> Layout:
        """The compiled layout of one stream."""
        return self._streams[stream][1]

    def item(self, row: Due) -> Item:
        """The file of one row."""
        stream, layout = self._streams[row.stream]
        path = row.path
        if path is None:
            path = layout.render(stream.name, row.start, stream.extension)
        if path is None:
            raise CatalogueError(
                f"the path of recording {row.stream}/{row.start}/{row.n} can't be told "
                "from its stream; run `retention audit verify` and restore a backup"
            )
        doubtful = row.doubtful or stream.quarantined is not None
        latest = row.start + row.duration + MTIME_SLACK
        if row.mtime is not None:
            latest = row.mtime if row.doubtful else max(latest, row.mtime)
        return Item(
            stream.camera, row.stream, row.start, row.n, row.duration, row.size,
            row.due, row.path, path, path.rpartition(b"/")[0], latest, row.state,
            doubtful,
        )  # fmt: skip


def intent_rows(items: Iterable[Item]) -> Rows:
    """What `deletion.intended` lists."""
    return Rows(
        COLUMNS,
        [
            (i.camera, i.stream, i.start, i.n, i.duration, i.size, i.due,
             i.stored)
            for i in items
        ],
    )  # fmt: skip


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
        [GateFile(i.camera, i.start, i.end, i.size, i.doubtful) for i in items]
    )


def items_of(tx: Connection, intent: int) -> list[Item]:
    """The files of an open intent, from the rows beside its entry."""
    rows = read_rows(tx, intent)
    if rows is None:
        raise CatalogueError(
            f"the rows of entry {intent} are missing, so an interrupted deletion can't "
            "be finished: run `retention audit verify`"
        )
    found = [due_of_row(rows.columns, values) for values in rows.values]
    paths = Paths(streams.by_keys(tx, {row.stream for row in found}))
    return [paths.item(due.with_doubt(tx, row)) for row in found]
