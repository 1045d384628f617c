"""The values that flow between the rooms: frozen, no I/O, no clock.

Instants and durations are integers in microseconds (`Micros`): instants since the
Unix epoch in UTC.  Intervals are half-open, [start, end).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

Micros = int

SECOND: Micros = 1_000_000
MINUTE: Micros = 60 * SECOND
HOUR: Micros = 60 * MINUTE
DAY: Micros = 24 * HOUR


class Custody(StrEnum):
    """Whose data a camera's footage is."""

    COUNCIL = "council"
    POLICE = "police"
    THIRD_PARTY = "third_party"


class PublicAs(StrEnum):
    """How much of a camera the list for the public has: all that is published of one, its
    number without its place, or nothing."""

    FULL = "full"
    NUMBER = "number"
    NO = "no"


LONGEST_CONTROLLER = 100
"""Characters of the name of a controller."""


class State(IntEnum):
    """Where a catalogued recording is in its life.  Deleted rows leave."""

    PRESENT = 0
    DELETING = 1
    QUARANTINED = 2
    FAILED = 3


class Window(NamedTuple):
    """A half-open interval of time, [start, end)."""

    start: Micros
    end: Micros


FOREVER: Micros = 2**53 - 1
"""End of a window that stays open until its hold is released (year 2255)."""


LONG_AGO: Micros = -(2**31) * SECOND
"""No file is of then (December 1901): it stands for a time that no file can have."""


class Recording(NamedTuple):
    """One finished footage file of one stream: the catalogue's row.

    `path` is the file's path below its root, as bytes, where rendering the
    stream's layout would not give the same bytes; else None.
    """

    stream: int
    start: Micros
    n: int
    duration: Micros
    size: int
    state: State = State.PRESENT
    path: bytes | None = None

    @property
    def end(self) -> Micros:
        """The instant after the last frame."""
        return self.start + self.duration

    @property
    def key(self) -> tuple[int, int, int]:
        """(stream, start, n)."""
        return (self.stream, self.start, self.n)


@dataclass(frozen=True, slots=True)
class Camera:
    """One row of the camera register, under today's id.

    Its place is `lon` and `lat` in degrees (WGS84), or `easting` and `northing` in metres
    (British national grid, OSGB36), as it was given; or not known.  `published` is None
    where its kind decides, `controller` where it is the site's own.
    """

    key: int
    id: str
    location: str
    view: str = ""
    kind: str = "public_space"
    custody: Custody = Custody.COUNCIL
    lon: float | None = None
    lat: float | None = None
    listed: bool = True
    retired: bool = False
    published: PublicAs | None = None
    controller: str | None = None
    easting: float | None = None
    northing: float | None = None

    @property
    def publication(self) -> PublicAs:
        """How much of it the public list has."""
        return self.published or published_by(self.kind)


def published_by(kind: str) -> PublicAs:
    """What is published of a camera of this kind if nobody says: of an ANPR camera that
    there is one, not where."""
    return PublicAs.NUMBER if kind == "anpr" else PublicAs.FULL


@dataclass(frozen=True, slots=True)
class Stream:
    """What one recorder writes for one camera into one root; frozen once made.

    `layout` is the template's text, `zone` the zone of the names, `name` the
    recorder's own name for the camera, `extension` the file's (".mp4").
    `max_length` (microseconds): no longer file is believed without a second witness.
    `quarantined` is the instant since when its times look wrong, or None.  `reach`: the
    longest recording that the catalogue has of it, where that is longer.
    """

    key: int
    root: int
    camera: int
    layout: str
    zone: str
    name: str
    extension: str
    max_length: Micros
    quarantined: Micros | None = None
    reach: Micros = 0

    @property
    def longest(self) -> Micros:
        """No recording of it is longer: so far look-ups reach back."""
        return max(self.max_length, self.reach)


NOBODY = "none"
"""In place of a role, of whoever has none: what they ask for is refused, on record."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did a thing, as the kernel says (P5)."""

    uid: int
    login: int
    pid: int
    role: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a batch that lie beside an entry.

    `columns` names the fields in order, `values` holds one tuple a row of
    integers, strings, None, or a path as bytes (read back as text).
    """

    columns: tuple[str, ...]
    values: list[tuple[Any, ...]]

    def pick(self, *names: str) -> list[tuple[Any, ...]]:
        """These columns of every row, in this order; ValueError where one is none."""
        at = [self.columns.index(name) for name in names]
        return [tuple([row[i] for i in at]) for row in self.values]


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows as `audit.rows.prepare` makes them ready, outside a transaction.

    `data` is the row file and `sha256` its digest, `root` the Merkle root over the
    salted rows, `total` the sum of the column `bytes`, `hours` the (camera, hour) that
    the entry is found by.
    """

    columns: tuple[str, ...]
    count: int
    data: bytes
    root: bytes
    sha256: bytes
    total: int | None
    hours: frozenset[tuple[int, int]]


LISTED = 500
"""So many items of a list stand in an entry itself; a longer one is in its rows."""


class Entry(NamedTuple):
    """One audit record before it is written; `tx.append(*entry)` writes it.

    `fields` must be what `tlog.kinds` declares for `kind`; values declared
    there as committed (people, references, free text) are given here in clear
    and go into the log as salted commitments.  `spans` lists (camera key,
    first instant, instant after the last), by which the entry is found;
    rows with camera, start and duration add theirs without being asked.
    """

    kind: str
    fields: Mapping[str, Any] = {}
    rows: Rows | Prepared | None = None
    spans: tuple[tuple[int, Micros, Micros], ...] = ()


class Outcome(StrEnum):
    """What became of one file of a batch."""

    DELETED = "deleted"
    RESCUED = "rescued"
    ABSENT = "absent"
    ABSENT_AFTER_CRASH = "absent_after_crash"
    CHANGED = "changed"
    FAILED = "failed"
    STOPPED = "stopped"

    @property
    def ours(self) -> bool:
        """Whether this program removed the file."""
        return self in _OURS

    @property
    def gone(self) -> bool:
        """Whether the file is not there any more."""
        return self in _OURS or self is _ABSENT


_OURS = (Outcome.DELETED, Outcome.ABSENT_AFTER_CRASH)
_ABSENT = Outcome.ABSENT
