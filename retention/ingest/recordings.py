"""The verbs of recordings: list and show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from retention.audit.canonical import path_text
from retention.catalogue import cameras, due, holds, policies, roots, streams
from retention.catalogue import recordings as rows
from retention.catalogue.recordings import Doubt
from retention.deletion.redecide import doubt_of
from retention.errors import UsageError
from retention.ingest.matching import locate, path_of
from retention.ingest.rulings import recording_resolve
from retention.localtime import format_utc, parse_instant, parse_window
from retention.model import FOREVER, SECOND, Recording, State, Stream, Window
from retention.policy import Holds, decide

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context

__all__ = ["recording_list", "recording_resolve", "recording_show"]

Answer = dict[str, Any]

LIMIT = 1_000
MOST = 100_000
ALWAYS = Window(-FOREVER, FOREVER)


def recording_list(
    context: Context,
    *,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    state: str | None = None,
    limit: int | None = None,
) -> Answer:
    """Catalogued recordings that overlap [since, until), oldest first.

    `camera` is every camera that the id meant in that time; `state` one of present,
    quarantined, failed, deleting.  `more` says that there are others.
    """
    if limit is not None and not 1 <= limit <= MOST:
        raise UsageError(
            f"recordings are listed from 1 to {MOST:,} at a time, not {limit}: ask for a "
            "shorter time"
        )
    zone, count = context.settings.timezone, limit or LIMIT
    window = parse_window(since, until, zone, context.now, ALWAYS)
    wanted = _state(state)
    with context.catalogue.read() as tx:
        found = [
            (row, stream)
            for stream in _streams_of(tx, camera, window)
            for row in rows.overlapping(
                tx, stream.key, window, stream.max_length, count + 1, state=wanted
            )
        ]
        found.sort(key=lambda pair: (pair[0].start, pair[0].key))
        describe = _Describer(tx)
        return {
            "recordings": [describe(*pair) for pair in found[:count]],
            "more": len(found) > count,
        }


def recording_show(
    context: Context,
    *,
    path: str | None = None,
    camera: str | None = None,
    at: str | None = None,
) -> Answer:
    """The recordings at a path, of a key (stream/start/n), or of a camera at a time.

    Each with its quarantine, the instant its period ends and whether it is held.
    """
    with context.catalogue.read() as tx:
        if path is not None:
            found = [locate(tx, path)]
        elif camera is not None and at is not None:
            found = list(_at(context, tx, camera, at))
        else:
            raise UsageError("say which recording: a path, or a camera and a time")
        describe = _Describer(tx)
        return {
            "recordings": [
                describe(row, stream) | _fate(context, tx, row, stream)
                for stream, row in found
            ]
        }


def _at(
    context: Context, tx: Connection, camera: str, at: str
) -> Iterator[tuple[Stream, Recording]]:
    instant = parse_instant(at, context.settings.timezone, context.now)
    window = Window(instant, instant + 1)
    for stream in _streams_of(tx, camera, window):
        for row in rows.overlapping(tx, stream.key, window, stream.max_length):
            yield stream, row


def _fate(context: Context, tx: Connection, row: Recording, stream: Stream) -> Answer:
    """When its period ends, and whether a hold keeps it."""
    policy = policies.current(tx)
    kept = rows.doubt(tx, row.key)
    since = doubt_of(
        row.end, due.seen_of(tx, row.key), kept and kept.mtime, stream, context.now
    )
    held = holds.of_cameras(tx, [stream.camera], context.now)
    windows = held.get(stream.camera, Holds())
    is_held = windows.hold(row.start, row.end, doubtful=since is not None)
    if policy is None:
        return {"held": is_held, "due": None}
    decision = decide(
        row.start, row.end, holds=windows, period=policy.period(stream.camera),
        now=context.now, doubtful_since=since,
    )  # fmt: skip
    return {"held": is_held, "due": format_utc(decision.due)}


def _state(text: str | None) -> State | None:
    if text is None:
        return None
    names = {state.name.lower(): state for state in State}
    if text.lower() not in names:
        raise UsageError(f"{text!r} is no state: use one of {', '.join(names)}")
    return names[text.lower()]


def _streams_of(tx: Connection, camera: str | None, window: Window) -> list[Stream]:
    if camera is None:
        return streams.everyone(tx)
    meant = cameras.meaning(tx, camera, window)
    today = cameras.today(tx, camera)
    keys = dict.fromkeys(one.key for one in (*meant, *([today] if today else [])))
    if not keys:
        raise UsageError(
            f"no camera is or was called {camera!r}: look it up with "
            "`retention camera list`"
        )
    return [stream for key in keys for stream in streams.of_camera(tx, key)]


class _Describer:
    """Says a recording as JSON; looks up names of cameras and roots once."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._cameras = {camera.key: camera.id for camera in cameras.everyone(tx)}
        self._roots = {root.key: root.name for root in roots.everyone(tx)}

    def __call__(self, row: Recording, stream: Stream) -> Answer:
        doubt = None
        if row.state is State.QUARANTINED:
            doubt = rows.doubt(self._tx, row.key)
        return {
            "key": f"{row.stream}/{row.start}/{row.n}",
            "camera": self._cameras.get(stream.camera, ""),
            "root": self._roots.get(stream.root, ""),
            "path": path_text(path_of(stream, row)),
            "start": format_utc(row.start),
            "end": format_utc(row.end),
            "duration": row.duration / SECOND,
            "bytes": row.size,
            "state": row.state.name.lower(),
            "stream_quarantined": stream.quarantined is not None,
            "quarantine": _doubt(doubt),
            "failure": self._failure(row),
        }

    def _failure(self, row: Recording) -> Answer | None:
        """Why it is still there, where it should have been deleted."""
        found = due.failure_of(self._tx, row.key) if row.state is State.FAILED else None
        if found is None:
            return None
        return {
            "reason": found.error,
            "since": format_utc(found.since),
            "tries": found.tries,
            "next_try": format_utc(found.retry_at),
        }


def _doubt(doubt: Doubt | None) -> Answer | None:
    if doubt is None:
        return None
    return {
        "seen": format_utc(doubt.seen),
        "mtime": format_utc(doubt.mtime),
        "reason": doubt.reason,
    }
