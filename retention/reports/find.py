"""What became of recordings, as the log says: one life for each, entry by entry.

Pure: entries come as records in the order of the log, from an index or from all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from retention.model.answers.books import (
    CameBack,
    DeletionDone,
    DeletionIntended,
    FoundAgain,
    GivenTo,
    Grew,
    Quarantined,
    RecordingEvent,
    RuledOn,
    RulingAsked,
    Vanished,
)
from retention.model.errors import UsageError
from retention.model.localtime import format_utc
from retention.model.policy import Policy
from retention.model.values import DAY, HOUR, Micros, Window
from retention.reports.columns import seconds
from retention.reports.held import HoldHistory
from retention.tlog.balance import UnreadEntry, entered
from retention.tlog.fates import RecordingFate, fate_of, fate_said
from retention.tlog.kinds import HOLDS, RECORDINGS
from retention.tlog.rows import Columns
from retention.tlog.source import Outcomes, Record, Source, acts, apart, outcomes

T = TypeVar("T", bound=RecordingEvent)

MOST = 20_000
"""Recordings in one answer: a time with more is asked for in parts."""

_ROLL_UP = ("camera", "day", "count", "duration", "bytes", "digest")


Key = tuple[int, Micros, int]
"""(stream, start, n)."""


@dataclass(slots=True)
class Life:
    """One recording: what it was last, and what was written of it."""

    camera: int
    stream: int
    start: Micros
    n: int
    duration: Micros
    size: int
    path: str | None = None
    fate: RecordingFate = RecordingFate.RECORDED
    at: Micros | None = None
    """When its deletion was begun, or its loss was seen."""
    due: Micros | None = None
    """When it was due, as its last intent says."""
    events: list[RecordingEvent] = field(default_factory=list)
    signed: bool = False
    """Whether anything names it but what came back unsigned."""

    @property
    def key(self) -> Key:
        """What it is catalogued under."""
        return self.stream, self.start, self.n

    @property
    def end(self) -> Micros:
        """The instant after the last frame."""
        return self.start + self.duration


@dataclass(slots=True)
class Wanted:
    """What is asked for: footage of these cameras in these windows, or the recordings
    that start at these instants of these streams, or lie at `path`."""

    cameras: set[int]
    windows: list[Window]
    starts: set[tuple[int, Micros]] | None = None
    path: str | None = None
    days: set[tuple[int, int]] = field(default_factory=set)
    """Cameras and days whose roll-ups are asked for."""
    held: list[Window] = field(default_factory=list)
    """Where holds are asked for: recordings reach beyond the windows that they meet."""

    def __post_init__(self) -> None:
        self.held += map(_wider, self.windows)
        if self.starts is None:
            self.days |= {
                (camera, day)
                for camera in self.cameras
                for window in self.windows
                for day in range(window.start // DAY, (window.end - 1) // DAY + 1)
            }

    def meets(self, camera: int, start: Micros, end: Micros) -> bool:
        """Whether footage of that time may be asked for."""
        return camera in self.cameras and any(
            start < window.end and window.start < end for window in self.windows
        )

    def is_one(self, stream: int, start: Micros, path: str | None) -> bool:
        """Whether it is the file, where one is asked for."""
        if self.starts is None:
            return True
        if path is not None and path == self.path:
            return True
        return (stream, start) in self.starts

    def follow(self, stream: int, start: Micros, camera: int | None = None) -> None:
        """A person moved a recording to another start, or to another camera."""
        if camera is not None:
            self.cameras.add(camera)
        window = Window(start, start + 1)
        if window not in self.windows:
            self.windows.append(window)
            self.held.append(_wider(window))
            if self.starts is not None:
                self.starts.add((stream, start))

    def reach(self, start: Micros, end: Micros) -> None:
        """A recording is of that time."""
        if not any(one.start <= start and end <= one.end for one in self.held):
            self.held.append(Window(start, end))

    def size(self) -> tuple[int, ...]:
        """Grows with all that is found out to be asked for as well."""
        return tuple(map(len, (self.cameras, self.windows, self.days, self.held)))


def _wider(window: Window) -> Window:
    """As far as most recordings reach."""
    return Window(window.start - HOUR, window.end + HOUR)


class RollUp(NamedTuple):
    """A row of a `recordings.recorded`."""

    entry: int
    at: Micros
    origin: str
    number: int
    duration: Micros
    size: int
    digest: str


class Finder:
    """Reads records and keeps what is wanted of them.

    `wanted` grows on the way: where a ruling moved a recording, and by the days of
    recordings.  Then all is to be read once more.
    """

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.lives: dict[Key, Life] = {}
        self.roll_ups: dict[tuple[int, int], list[RollUp]] = {}
        self.holds = HoldHistory()
        self.policies: dict[int, tuple[int, Policy]] = {}
        self.faults: list[UnreadEntry] = []
        self.rows = 0
        self._intents: dict[int, list[tuple[Life, int, DeletionIntended]]] = {}
        self._void: set[int] = set()
        self._acts = acts(self, RECORDINGS) | {
            **dict.fromkeys(HOLDS, self.holds.read),
            "policy.changed": self._policy,
        }

    def read(self, records: Iterable[Record]) -> None:
        """Enter records, in the order of the log."""
        self.faults.extend(entered(self._acts, records))

    def life(self, key: Key, camera: int, duration: Micros, size: int) -> Life:
        """The life of a recording, as it is by now."""
        life = self.lives.get(key)
        if life is None:
            if len(self.lives) >= MOST:
                raise UsageError(
                    f"there are more than {MOST:,} recordings in that time: ask for a "
                    "shorter one, or name a camera"
                )
            life = self.lives[key] = Life(camera, *key, duration, size)
            self.wanted.days.add((camera, key[1] // DAY))
        life.duration, life.size = duration, size
        self.wanted.reach(life.start, life.end)
        return life

    # -- by kind --------------------------------------------------------------------

    def _rows(self, record: Record) -> tuple[Columns, list[tuple[int, int, Life]]]:
        """Columns of its rows; and the place in these, the number and the life of each row
        that is asked for."""
        found = record.read(cameras=self.wanted.cameras)
        self.rows += found.count
        columns = found.columns
        names = ("camera", "start", "duration")
        rows = enumerate(zip(*(columns[name] for name in names), strict=True))
        places = [
            place
            for place, (camera, start, duration) in rows
            if self.wanted.meets(camera, start, start + duration)
        ]
        lives = []
        for place in places:
            stream, start, n, camera, duration, size = (
                columns[name][place]
                for name in ("stream", "start", "n", "camera", "duration", "bytes")
            )
            path = columns["path"][place] if "path" in columns else None
            if not self.wanted.is_one(stream, start, path):
                continue
            life = self.lives.get((stream, start, n)) if record.is_void else None
            if life is None:
                life = self.life((stream, start, n), camera, duration, size)
            life.path = path or life.path
            life.signed = life.signed or not record.is_void
            self._enter(life, record, columns, place)
            lives.append((place, found.places[place], life))
        return columns, lives

    def _enter(self, life: Life, record: Record, columns: Columns, place: int) -> None:
        if (
            record.kind == "recordings.reappeared"
            and life.fate is RecordingFate.QUARANTINED
        ):
            return  # what is back again is in doubt for that
        fate = fate_said(record.kind, columns, place, Outcomes())
        if fate is not None and not record.is_void:
            gone = fate in (RecordingFate.LOST, RecordingFate.DELETING)
            life.fate, life.at = fate, record.entry["at"] if gone else None

    def _recorded(self, record: Record) -> None:
        days = self.wanted.days
        if not any(day * DAY <= record.entry["at"] for _, day in days):
            return
        found = record.read(set(_ROLL_UP))
        self.rows += found.count
        columns = (found.columns[name] for name in _ROLL_UP)
        for camera, day, *sums in zip(*columns, strict=True):
            if (camera, day) in days:
                origin = record.entry["fields"]["origin"]
                self.roll_ups.setdefault((camera, day), []).append(
                    RollUp(record.number, record.entry["at"], origin, *sums)
                )

    def _event(
        self, life: Life, record: Record, kind: Callable[..., T], what: str, **more: Any
    ) -> T:
        at = format_utc(record.entry["at"])
        event = kind(what=what, entry=record.number, at=at, **more)
        life.events.append(event)
        return event

    def _quarantined(self, record: Record) -> None:
        columns, lives = self._rows(record)
        for place, row, life in lives:
            reason = columns["reason"][place]
            self._event(
                life, record, Quarantined, "quarantined", row=row, reason=reason
            )

    def _assigned(self, record: Record) -> None:
        """It goes on under its right camera."""
        columns, lives = self._rows(record)
        right = record.entry["fields"]["id"]
        for place, row, life in lives:
            self._event(life, record, GivenTo, "given to", row=row, camera=right)
            self.wanted.follow(
                columns["new_stream"][place], life.start, columns["new_camera"][place]
            )

    def _proposed(self, record: Record) -> None:
        columns, lives = self._rows(record)
        fields = record.entry["fields"]
        for place, row, life in lives:
            self._event(
                life, record, RulingAsked, "ruling asked for", row=row,
                request=fields["request"], ruling=fields["ruling"],
                new_start=format_utc(columns["new_start"][place]),
                new_end=format_utc(columns["new_end"][place]),
            )  # fmt: skip

    def _resolved(self, record: Record) -> None:
        """The ruling is found under both times; the recording goes on under the new."""
        columns, lives = self._rows(record)
        for place, row, life in lives:
            start, end = columns["new_start"][place], columns["new_end"][place]
            times = {"new_start": format_utc(start), "new_end": format_utc(end)}
            ruling = record.entry["fields"]["ruling"]
            self._event(
                life, record, RuledOn, "ruled on", row=row, ruling=ruling, **times
            )
            if life.fate is RecordingFate.MOVED:
                self.wanted.follow(life.stream, start)
            elif not record.is_void:
                life.duration = end - start

    def _changed(self, record: Record) -> None:
        columns, lives = self._rows(record)
        for place, row, life in lives:
            old = columns["old_duration"][place]
            self._event(
                life, record, Grew, "changed", row=row, old_seconds=seconds(old),
                seconds=seconds(life.duration),
                old_bytes=columns["old_bytes"][place], bytes=life.size,
            )  # fmt: skip

    def _lost(self, record: Record) -> None:
        columns, lives = self._rows(record)
        for place, row, life in lives:
            held = bool(columns["held"][place])
            self._event(life, record, Vanished, "lost", row=row, held=held)

    def _reappeared(self, record: Record) -> None:
        for _, row, life in self._rows(record)[1]:
            self._event(life, record, CameBack, "reappeared", row=row)

    def _moved(self, record: Record) -> None:
        """Where it was found in another place it goes on there."""
        columns, lives = self._rows(record)
        for place, row, life in lives:
            self._event(life, record, FoundAgain, "moved", row=row)
            self.wanted.follow(columns["new_stream"][place], life.start)

    def _intended(self, record: Record) -> None:
        fields = record.entry["fields"]
        if apart(fields, self.wanted.windows):
            return
        columns, lives = self._rows(record)
        for place, row, life in lives:
            due = columns["due"][place]
            if not record.is_void:
                life.due = due
            intended = self._event(
                life, record, DeletionIntended, "deletion intended", row=row,
                root=fields["root"], due=format_utc(due),
                **self._why(life, due, record.entry["policy"]),
            )  # fmt: skip
            intent = self._intents.setdefault(record.number, [])
            intent.append((life, row, intended))
        if record.is_void:
            self._void.add(record.number)

    def _why(self, life: Life, due: Micros, version: int) -> dict[str, Any]:
        """By which policy it was due."""
        entry, policy = self.policies.get(version, (None, None))
        days = None if policy is None else policy.days_of(life.camera)
        period = "its period" if days is None else f"its period of {days} days"
        return {
            "policy": version,
            "policy_entry": entry,
            "days": days,
            "why": f"{period} was over at {format_utc(due)}, by policy version {version}",
        }

    def _deleted(self, record: Record) -> None:
        """What became of each file of a batch.  One that came back unsigned completes
        nothing, and nothing became of one by an intent that did."""
        if record.is_void:
            return
        intent = record.entry["fields"]["intent"]
        lives = self._intents.pop(intent, None)
        if lives is None:
            return
        became = outcomes(record)
        self.rows += len(became.exceptions)
        for life, place, intended in lives:
            outcome = became.of(place)
            fate, what = fate_of(outcome), "not deleted"
            if fate is not RecordingFate.RECORDED:
                what = str(fate)
            if intent not in self._void:
                life.fate = fate
                life.at = None if fate is RecordingFate.RECORDED else life.at
            self._event(
                life, record, DeletionDone, what, intent=intent, row=place,
                outcome=str(outcome), due=intended.due, policy=intended.policy,
                method=record.entry["fields"]["method"],
            )  # fmt: skip

    def _policy(self, record: Record) -> None:
        if record.is_void:
            return
        fields = record.entry["fields"]
        found = Policy(fields["version"], fields["days"], record.periods())
        self.policies[found.version] = (record.number, found)


def search(wanted: Wanted, source: Source) -> Finder:
    """Find what is wanted: again where a ruling or a recording led on to other times."""
    while True:
        size = wanted.size()
        finder = Finder(wanted)
        finder.read(source.of_kinds(("policy.changed",)))
        finder.read(
            source.about(wanted.cameras, wanted.windows, wanted.days, wanted.held)
        )
        if wanted.size() == size:
            return finder
