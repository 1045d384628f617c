"""The demo's small archive: which files two recorders would have left in 31 days.

Pure but for `data`.  Given `now`, the list says by itself what must become of each
file, and names are made here from the calendar alone: nothing that is shown to work
has a part in what it is measured by.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from importlib.resources import files
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from retention.model.values import DAY, HOUR, MINUTE, SECOND, Micros

ZONE = "Europe/London"
WITNESS: Micros = 25 * SECOND
"""After this time one recording falls due, for people to see.  No other does within
twenty minutes, when the demo is long over."""

_PERIOD, _SPAN = 28 * DAY, 31 * DAY
_CLIP: Micros = 10 * SECOND  # how long the seed clip plays
_MARGIN: Micros = 5 * MINUTE  # kept around a hold, unless told otherwise
_MEDIAMTX = "nvr1/{}/%Y-%m-%d_%H-%M-%S-%f.mp4"
_FRIGATE = "nvr2/%Y-%m-%d/%H/{}/%M.%S.mp4"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """One file of the archive; `path` is below the footage directory.

    Footage of [start, end); only where `why` is "recording" is it this program's.
    """

    path: str
    camera: str
    start: Micros
    end: Micros
    why: Literal["recording", "police", "stranger"] = "recording"

    @property
    def due(self) -> Micros:
        """When its retention period is over."""
        return self.end + _PERIOD

    def goes(self, now: Micros, holds: Iterable[AskedHold]) -> bool:
        """Whether it must be gone at `now`: ours, due, and overlapped by no hold."""
        due = self.why == "recording" and self.due <= now
        return due and not any(hold.keeps(self) for hold in holds)


class AskedHold(NamedTuple):
    """A hold on one camera, from and to as people type it."""

    camera: str
    since: datetime
    until: datetime

    def keeps(self, file: ArchiveFile) -> bool:
        """Whether it overlaps the file."""
        start, end = (int(at.timestamp()) * SECOND for at in (self.since, self.until))
        overlaps = file.start < end + _MARGIN and start - _MARGIN < file.end
        return file.camera == self.camera and overlaps


def at(now: Micros, days: int, hour: int, minute: int = 0) -> datetime:
    """The site's clocks so many days before `now`; no time that they show twice or not
    at all."""
    day = _moment(now, ZoneInfo(ZONE)) - timedelta(days=days)
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0, fold=0)


def _moment(instant: Micros, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(instant / SECOND, zone)


def archive(now: Micros) -> list[ArchiveFile]:
    """Every file, oldest first, as the recorders had left it at `now`."""
    stranger, police = now - 40 * DAY, _nvr1("anpr-mill-lane", "9001", now, 30 * 24)
    hours = range(1, _SPAN // HOUR + 1)
    found = [
        *(_nvr1("market-east", "1001", now, back) for back in hours),
        *(_nvr1("market-west", "1002", now, back) for back in hours),
        *_events("station", "1003", now),
        *_events("river-walk", "1004", now),
        witness(now),
        ArchiveFile(police.path, "9001", police.start, now - 30 * DAY, "police"),
        ArchiveFile("nvr2/copied by hand.mp4", "", stranger, stranger, "stranger"),
    ]
    return sorted(found, key=lambda file: (file.end, file.path))


def witness(now: Micros) -> ArchiveFile:
    """The recording that falls due `WITNESS` after `now`."""
    return _nvr2("river-walk", "1004", now + WITNESS - _PERIOD - _CLIP)


def _events(name: str, camera: str, now: Micros) -> Iterable[ArchiveFile]:
    """Something moves every eight hours, for three files of ten seconds."""
    for back in range(8 * HOUR, _SPAN + 1, 8 * HOUR):
        first = now - back + 40 * MINUTE
        yield from (_nvr2(name, camera, first + i * _CLIP) for i in range(3))


def _nvr2(name: str, camera: str, start: Micros) -> ArchiveFile:
    start = start // SECOND * SECOND
    path = _moment(start, UTC).strftime(_FRIGATE.format(name))
    return ArchiveFile(path, camera, start, start + _CLIP)


def _nvr1(name: str, camera: str, now: Micros, back: int) -> ArchiveFile:
    """A file of an hour, until the next begins."""
    start, end = _hour(now, back), _hour(now, back - 1)
    path = _moment(start, ZoneInfo(ZONE)).strftime(_MEDIAMTX.format(name))
    return ArchiveFile(path, camera, start, end)


def _hour(now: Micros, back: int) -> Micros:
    """A start of an hourly file: half an hour past what `now` is a multiple of, and
    some microseconds as recorders have them; they tell the hours apart that the
    clocks give the same name in autumn."""
    return now - back * HOUR - HOUR // 2 + back * 7_919 % 1_000_000


def data(name: str) -> bytes:
    """A file of the demo's: the clip that every file of the archive is a copy of, its
    cameras, its configuration."""
    return files("retention.cli.local").joinpath("data", name).read_bytes()
