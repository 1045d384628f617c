"""What `recording.*` answers: finished footage files, and rulings on doubtful ones."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Why a recording's times are in doubt: when its file was first seen and changed."""

    seen: str
    mtime: str
    reason: str


@dataclass(frozen=True, slots=True)
class DeletionFailure:
    """Why a file is still there that should have been deleted, and when it is tried
    again."""

    reason: str
    since: str
    tries: int
    next_try: str


@dataclass(frozen=True, slots=True)
class RecordingRow:
    """A catalogued recording; `key` is stream/start/n, `duration` in seconds, `state`
    one of present, quarantined, failed, deleting."""

    key: str
    camera: str
    root: str
    path: str
    start: str
    end: str
    duration: float
    bytes: int
    state: str
    stream_quarantined: bool
    quarantine: Quarantine | None
    failure: DeletionFailure | None


@dataclass(frozen=True, slots=True)
class RecordingList:
    """Recordings, oldest first; `more`: there are others."""

    recordings: list[RecordingRow]
    more: bool


@dataclass(frozen=True, slots=True)
class RecordingDetail(RecordingRow):
    """A recording, whether a hold keeps it, and when its period ends."""

    held: bool
    due: str | None


@dataclass(frozen=True, slots=True)
class RecordingsShown:
    """The recordings that were asked for."""

    recordings: list[RecordingDetail]


@dataclass(frozen=True, slots=True)
class UncoveredRecording:
    """A recording that a ruling would take out of the cover of these holds."""

    key: str
    camera: str
    root: str
    path: str
    start: str
    end: str
    new_start: str
    new_end: str
    holds: list[int]


@dataclass(frozen=True, slots=True)
class RulingWaiting:
    """A ruling, in words, that would end the cover of holds and waits for a second
    person; until then they keep its recordings.  `streams`: how many would have times in
    doubt no more.  `approved`: since when it is being carried out.  `uncovers` are the
    first of the recordings."""

    request: int
    ruling: str
    reason: str
    requested: str
    requested_by: str
    approved: str | None
    approvers: list[str]
    recordings: int
    streams: int
    holds: list[int]
    uncovers: list[UncoveredRecording]


@dataclass(frozen=True, slots=True)
class RulingsWaiting:
    """Every ruling that waits for a second person, oldest first."""

    requests: list[RulingWaiting]


@dataclass(frozen=True, slots=True)
class RecordingsResolved(Changed):
    """How many recordings were ruled on, how, and the streams (by key) whose times are
    no longer in doubt; `waiting` is what needs a second person."""

    ruling: str
    recordings: int
    streams: list[int]
    waiting: RulingWaiting | None


@dataclass(frozen=True, slots=True)
class RulingApproved(Changed):
    """A ruling that waited was carried out: on so many recordings, and not on those that
    are no longer as they were shown.  `streams` as above."""

    request: int
    ruling: str
    recordings: int
    changed_meanwhile: int
    streams: list[int]


@dataclass(frozen=True, slots=True)
class RulingRejected(Changed):
    """A ruling that waited is not to be."""

    request: int
    ruling: str
    requested_by: str
    reason: str
