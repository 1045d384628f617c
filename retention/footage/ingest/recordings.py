"""The verbs of recordings: list and show them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from retention.catalogue import cameras, due, holds, looks, policies, roots, streams
from retention.catalogue import recordings as rows
from retention.catalogue.recordings import Doubt
from retention.footage.ingest.matching import locate
from retention.footage.ingest.rulings import recording_resolve
from retention.model.answers.recording import (
    DeletionFailure,
    Quarantine,
    RecordingDetail,
    RecordingList,
    RecordingRow,
    RecordingsShown,
)
from retention.model.errors import UsageError
from retention.model.layouts.layout import path_of
from retention.model.localtime import format_utc
from retention.model.policy import Holds, decide, doubt_of
from retention.model.values import FOREVER, SECOND, Recording, State, Stream, Window
from retention.tlog.canonical import path_text

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context

__all__ = ["recording_list", "recording_resolve", "recording_show"]

T = TypeVar("T")

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
) -> RecordingList:
    """Catalogued recordings that overlap [since, until), oldest first.

    `camera` is every camera that the id meant in that time; `state` one of present,
    quarantined, failed, deleting.  `more` says that there are others.
    """
    if limit is not None and not 1 <= limit <= MOST:
        raise UsageError(
            f"recordings are listed from 1 to {MOST:,} at a time, not {limit}: ask for a "
            "shorter time"
        )
    count = limit or LIMIT
    window = context.moment.window(since, until, ALWAYS)
    wanted = _state(state)
    with context.catalogue.read() as tx:
        found = [
            (row, stream)
            for stream in _streams_of(tx, camera, window)
            for row in rows.overlapping(
                tx, stream.key, window, stream.longest, count + 1, state=wanted
            )
        ]
        found.sort(key=lambda pair: (pair[0].start, pair[0].key))
        describe = _Describer(tx)
        return RecordingList(
            recordings=[describe(RecordingRow, *pair) for pair in found[:count]],
            more=len(found) > count,
        )


def recording_show(
    context: Context,
    *,
    path: str | None = None,
    camera: str | None = None,
    at: str | None = None,
) -> RecordingsShown:
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
        return RecordingsShown(
            [
                describe(
                    RecordingDetail, row, stream, **_fate(context, tx, row, stream)
                )
                for stream, row in found
            ]
        )


def _at(
    context: Context, tx: Connection, camera: str, at: str
) -> Iterator[tuple[Stream, Recording]]:
    instant = context.moment.instant(at)
    window = Window(instant, instant + 1)
    for stream in _streams_of(tx, camera, window):
        for row in rows.overlapping(tx, stream.key, window, stream.longest):
            yield stream, row


def _fate(
    context: Context, tx: Connection, row: Recording, stream: Stream
) -> dict[str, Any]:
    """When its period ends, and whether a hold keeps it."""
    policy = policies.current(tx)
    since = doubt_of(
        row.end, due.seen_of(tx, row.key), looks.doubts(tx, [stream]).get(stream.key)
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
    """Says a recording as a value of some kind; looks up names of cameras and roots once."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._cameras = {camera.key: camera.id for camera in cameras.everyone(tx)}
        self._roots = {root.key: root.name for root in roots.everyone(tx)}

    def __call__(
        self, kind: Callable[..., T], row: Recording, stream: Stream, **more: Any
    ) -> T:
        doubt = None
        if row.state is State.QUARANTINED:
            doubt = rows.doubt(self._tx, row.key)
        return kind(
            key=f"{row.stream}/{row.start}/{row.n}",
            camera=self._cameras.get(stream.camera, ""),
            root=self._roots.get(stream.root, ""),
            path=path_text(path_of(stream, row)),
            start=format_utc(row.start),
            end=format_utc(row.end),
            duration=row.duration / SECOND,
            bytes=row.size,
            state=row.state.name.lower(),
            stream_quarantined=stream.quarantined is not None,
            quarantine=_doubt(doubt),
            failure=self._failure(row),
            **more,
        )

    def _failure(self, row: Recording) -> DeletionFailure | None:
        """Why it is still there, where it should have been deleted."""
        found = due.failure_of(self._tx, row.key) if row.state is State.FAILED else None
        if found is None:
            return None
        return DeletionFailure(
            reason=found.error,
            since=format_utc(found.since),
            tries=found.tries,
            next_try=format_utc(found.retry_at),
        )


def _doubt(doubt: Doubt | None) -> Quarantine | None:
    if doubt is None:
        return None
    return Quarantine(
        seen=format_utc(doubt.seen),
        mtime=format_utc(doubt.mtime),
        reason=doubt.reason,
    )
