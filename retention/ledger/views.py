"""The verbs audit.find and audit.balance, on the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention import clock
from retention.audit.canonical import path_text
from retention.audit.indexed import Indexed
from retention.catalogue import cameras, recordings, streams, tally
from retention.coverage import NO_GAP, Fate, split
from retention.errors import UsageError
from retention.holds.accounting import accounts
from retention.holds.asked import Asked
from retention.ingest.matching import path_of, places
from retention.layouts.layout import compile_layout
from retention.ledger import answers
from retention.ledger.asked import days_of, named, window_of
from retention.ledger.balance import KINDS, Books, Sum
from retention.ledger.find import MOST, Finder, Key, Wanted, search
from retention.ledger.rollup import add_catalogue
from retention.localtime import format_utc
from retention.model import DAY, Camera, Micros, Recording, State, Stream, Window
from retention.policy import merge

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context

Answer = dict[str, Any]

_SEEN = (Fate.SILENT, Fate.UNKNOWN, Fate.PENDING)
"""Pieces of time that no recording stands for."""


def audit_find(
    context: Context,
    *,
    camera: str | None = None,
    at: str | None = None,
    since: str | None = None,
    until: str | None = None,
    path: str | None = None,
) -> Answer:
    """What became of the recordings of a camera at an instant or in [since, until), or
    of the file at a path: recorded, deleted, held, lost, there, or why it is not known.

    `camera` is every camera that the id meant then.
    """
    began = clock.monotonic()
    window = window_of(
        camera, at, since, until, path, context.settings.timezone, context.now
    )
    with context.catalogue.read() as tx:
        source = Indexed(tx)
        if path is not None or window is None:
            wanted = _at_path(tx, path or "")
            meant: list[Camera] = []
        else:
            meant = _meant(tx, camera or "", window)
            wanted = Wanted({one.key for one in meant}, [window])
        size = None
        while size != wanted.size():
            size = wanted.size()
            finder = search(wanted, source)
            there = _there(tx, finder)
        gaps = [] if window is None else _gaps(tx, context, finder, meant, window)
        if window is None and not finder.lives:
            gaps = [answers.unnamed(known=bool(wanted.starts))]
        answer = answers.found(
            finder, _names_of(tx, finder), window, context.now, there=there,
            waiting=_waiting(tx), gaps=gaps, paths=_paths(tx, finder),
        )  # fmt: skip
    return answer | _read(source, finder.rows, began)


def audit_balance(
    context: Context,
    *,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
) -> Answer:
    """Per camera and UTC day of the start: recorded, deleted, lost, moved, there, and
    the difference, which must be nothing.

    Of a camera, and of the days that [since, until) meets; else of all.  At most `limit`
    days are listed, and as many of those that differ.
    """
    began = clock.monotonic()
    days = days_of(since, until, context.settings.timezone, context.now)
    with context.catalogue.read() as tx:
        names = _names(tx)
        keys = None
        if camera is not None:
            span = Window(days.start * DAY, days.stop * DAY) if days else answers.ALWAYS
            keys = {one.key for one in _meant(tx, camera, span)}
        source = Indexed(tx)
        books = Books(keys, days)
        if days is None:
            books.read(source.of_kinds(KINDS))
        else:
            window = Window(days.start * DAY, days.stop * DAY)
            books.read(source.about(keys or set(names), [window], []))
        add_catalogue(tx, books, keys, days)
        answer = answers.balanced(books, names, limit, complete=True)
    return answer | _read(source, books.rows, began)


def _read(source: Indexed, rows: int, began: Micros) -> Answer:
    length = clock.monotonic() - began
    return answers.effort(source.entries, rows, length, indexed=True)


def _names(tx: Connection) -> dict[int, str]:
    return {one.key: one.id for one in cameras.everyone(tx)}


def _names_of(tx: Connection, finder: Finder) -> dict[int, str]:
    found = (cameras.by_key(tx, key) for key in finder.wanted.cameras)
    return {one.key: one.id for one in found if one is not None}


def _meant(tx: Connection, id: str, window: Window) -> list[Camera]:
    """Every camera that the id meant in that time, and the one of today."""
    today = cameras.today(tx, id)
    found = [*cameras.meaning(tx, id, window), *([today] if today else [])]
    if not found:
        raise UsageError(
            f"no camera is or was called {id!r}: look it up with `retention camera list`"
        )
    return list({one.key: one for one in found}.values())


def _at_path(tx: Connection, path: str) -> Wanted:
    """What a path would be by the streams of its root."""
    below = list(places(tx, path))
    if not below:
        raise UsageError(
            f"{path} is in no footage root: give it from the root's top, or in full"
        )
    starts: dict[tuple[int, int], Stream] = {}
    for root, raw in below:
        found = streams.of_root(tx, root)
        starts |= named(found, raw)
        for stream in found:
            for row in recordings.by_paths(tx, stream.key, [raw]).values():
                starts[stream.key, row.start] = stream
    return Wanted(
        {stream.camera for stream in starts.values()},
        [Window(start, start + 1) for _, start in starts],
        set(starts),
        path_text(below[0][1]),
        {(stream.camera, start // DAY) for (_, start), stream in starts.items()},
    )


def _there(tx: Connection, finder: Finder) -> dict[Key, Answer]:
    """The catalogue's rows of what is asked for; each gets its life."""
    wanted, found = finder.wanted, {}
    for camera in sorted(wanted.cameras):
        for stream in streams.of_camera(tx, camera):
            for window in merge(wanted.windows):
                rows = recordings.overlapping(
                    tx, stream.key, window, stream.max_length, MOST + 1
                )
                for row in rows:
                    text = None if row.path is None else path_text(row.path)
                    if wanted.is_one(stream.key, row.start, text):
                        found[row.key] = _row(tx, stream, row)
                        life = finder.life(row.key, camera, row.duration, row.size)
                        life.path = path_text(path_of(stream, row))
    return found


def _row(tx: Connection, stream: Stream, row: Recording) -> Answer:
    doubt = recordings.doubt(tx, row.key) if row.state is State.QUARANTINED else None
    states = {State.DELETING: "deletion under way"}
    return {
        "state": states.get(row.state, row.state.name.lower()),
        "bytes": row.size,
        "stream_quarantined": stream.quarantined is not None,
        "reason": None if doubt is None else doubt.reason,
        "seen": None if doubt is None else format_utc(doubt.seen),
    }


def _waiting(tx: Connection) -> dict[tuple[int, int], Sum]:
    return {
        (line.camera, line.day): Sum(line.number, line.duration, line.size)
        for line in tally.waiting(tx)
    }


def _paths(tx: Connection, finder: Finder) -> dict[Key, str]:
    """Where files were that the log names without a path."""
    missing = [key for key, life in finder.lives.items() if life.path is None]
    known = {one.key: one for one in streams.by_keys(tx, {key[0] for key in missing})}
    found: dict[Key, str] = {}
    for key in missing[: answers.LIMIT]:
        stream = known.get(key[0])
        if stream is not None:
            layout = compile_layout(stream.layout, stream.zone)
            path = layout.render(stream.name, key[1], stream.extension)
            if path is not None:
                found[key] = path_text(path)
    return found


def _gaps(
    tx: Connection,
    context: Context,
    finder: Finder,
    meant: list[Camera],
    window: Window,
) -> list[Answer]:
    """What is no recording's time, and why; asked for only where there is any."""
    whole = [window]
    wide = [
        Window(one.start - NO_GAP, one.end + NO_GAP)
        for one in answers.covered(finder, window)
    ]
    if len(meant) == 1 and not split(whole, merge(wide))[1]:
        return []
    hold = Asked(None, window, window, None)
    return [
        {"camera": one.camera.id}
        | answers.gap(Window(piece.start, piece.end), str(piece.fate), piece.why)
        for one in accounts(tx, context, hold, meant, [], set())
        for piece in one.pieces
        if piece.fate in _SEEN
    ]
