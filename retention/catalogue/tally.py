"""Owns what was catalogued and is in no roll-up of the log yet: sums by camera and day.

The day is the UTC day of a recording's start, in days since the epoch.  A line's digest
is a chain over its recordings in the order in which they were catalogued: SHA-256 over
the digest so far (nothing at first) and the canonical JSON of [start, n, duration,
bytes, stream].  Lines are kept in the transaction that inserts, and taken out in the one
that writes them into the log: a crash loses nothing and counts nothing twice.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue.db import parts
from retention.model.values import DAY, FOREVER, HOUR, Micros, Recording, State
from retention.tlog.canonical import LARGEST

Place = tuple[int, int]
"""(camera key, UTC day)."""


class Line(NamedTuple):
    """So many recordings of a camera that start on a day, the digest of their list, the
    earliest start and the latest end."""

    camera: int
    day: int
    number: int
    duration: int
    size: int
    digest: bytes
    first: Micros
    until: Micros
    hours: int | None
    """The hours in which they have footage, since the day began, as bits: see `hours_of`;
    None where that is not known."""

    @property
    def gaps(self) -> Micros:
        """The time between the first start and the last end that none of them covers;
        less than there is where some of them overlap."""
        return max(0, self.until - self.first - self.duration)


_PUT = (
    "INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (camera, day) "
    "DO UPDATE SET count=count+excluded.count, duration=duration+excluded.duration, "
    "size=size+excluded.size, digest=excluded.digest, first=min(first, excluded.first), "
    "until=max(until, excluded.until), hours=hours|excluded.hours"
)


def add(tx: Connection, rows: Sequence[Recording]) -> None:
    """Count recordings that this transaction inserts: one upsert a camera and day."""
    runs = list(_runs(rows))
    cameras = _cameras(tx, {stream for stream, _, _ in runs})
    places = dict.fromkeys((cameras[stream], day) for stream, day, _ in runs)
    digests = dict.fromkeys(places, b"") | _digests(tx, places)
    sums = dict.fromkeys(places, (0, 0, 0))
    spans = dict.fromkeys(places, (FOREVER, -FOREVER))
    hours = dict.fromkeys(places, 0)
    for stream, day, run in runs:
        place = (cameras[stream], day)
        number, duration, size = sums[place]
        sums[place] = (
            number + len(run),
            duration + sum([row[3] for row in run]),
            size + sum([row[4] for row in run]),
        )
        digests[place] = _chained(digests[place], run)
        first, until = spans[place]
        spans[place] = (
            min(first, min([row[1] for row in run])),
            max(until, max([row[1] + row[3] for row in run])),
        )
        hours[place] |= hours_of(day, run)
    tx.exec_driver_sql(
        _PUT,
        [
            (*place, *line, digests[place], *spans[place], hours[place])
            for place, line in sums.items()
        ],
    )


def _runs(
    rows: Iterable[Recording],
) -> Iterator[tuple[int, int, list[Recording]]]:
    """(stream, day, recordings) in order; most streams have one day in a transaction."""
    for stream, found in groupby(rows, itemgetter(0)):
        run = list(found)
        starts = [row[1] for row in run]
        if min(starts) // DAY == max(starts) // DAY:
            yield stream, starts[0] // DAY, run
        else:
            for day, part in groupby(run, lambda row: row[1] // DAY):
                yield stream, day, list(part)


def hours_of(day: int, run: Iterable[Recording]) -> int:
    """The hours in which recordings that start on a UTC day have footage, as bits: the
    lowest is its first hour, and the 25th that of the day after."""
    found = 0
    for row in run:
        start = row[1] - day * DAY
        last = min((start + row[3] - 1) // HOUR, 47)
        found |= (2 << last) - (1 << start // HOUR)
    return found


def _chained(digest: bytes, run: Iterable[Recording]) -> bytes:
    for item in [f"[{r[1]},{r[2]},{r[3]},{r[4]},{r[0]}]" for r in run]:
        digest = sha256(digest + item.encode()).digest()
    return digest


def take(tx: Connection, limit: int) -> list[Line]:
    """The first `limit` lines, which are nowhere any more but with the caller; fewer
    where their sums would be more than an entry can say."""
    lines: list[Line] = []
    duration = size = 0
    for row in tx.exec_driver_sql(
        "SELECT * FROM tally ORDER BY camera, day LIMIT ?", (limit,)
    ):
        line = Line(*row)
        duration, size = duration + line.duration, size + line.size
        if lines and max(duration, size) > LARGEST:
            break
        lines.append(line)
    if lines:
        tx.exec_driver_sql(
            "DELETE FROM tally WHERE (camera, day) <= (?, ?)", lines[-1][:2]
        )
    return lines


def waiting(tx: Connection) -> list[Line]:
    """All lines."""
    found = tx.exec_driver_sql("SELECT * FROM tally ORDER BY camera, day")
    return [Line(*row) for row in found]


class There(NamedTuple):
    """Recordings of a camera and day that have their rows: in quarantine, or not."""

    camera: int
    day: int
    quarantined: bool
    number: int
    duration: int
    size: int


def there(
    tx: Connection, cameras: Collection[int] | None = None, days: range | None = None
) -> Iterator[There]:
    """All rows of the catalogue, those of open batches too, summed by camera and day;
    of these cameras and days, or of all."""
    wanted = [
        row
        for row in tx.exec_driver_sql("SELECT key, camera FROM stream")
        if cameras is None or row[1] in cameras
    ]
    span = (-FOREVER, FOREVER)
    if days is not None:
        span = (days.start * DAY, days.stop * DAY)
    for stream, camera in wanted:
        # Rounded down, where SQLite would round towards 1970.
        rows = tx.exec_driver_sql(
            "SELECT (start - ((start % :day) + :day) % :day) / :day AS d, state = :doubt, "
            "count(*), sum(duration), sum(size) FROM recording WHERE stream = :stream "
            "AND start >= :first AND start < :last GROUP BY 1, 2",
            {
                "day": DAY, "doubt": int(State.QUARANTINED), "stream": stream,
                "first": span[0], "last": span[1],
            },
        )  # fmt: skip
        for day, doubtful, number, duration, size in rows:
            yield There(camera, day, bool(doubtful), number, duration, size)


def is_empty(tx: Connection) -> bool:
    """Whether nothing waits."""
    return tx.exec_driver_sql("SELECT 1 FROM tally LIMIT 1").first() is None


def _cameras(tx: Connection, streams: Iterable[int]) -> dict[int, int]:
    """The camera of each stream."""
    found: dict[int, int] = {}
    for part in parts(sorted(streams)):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT key, camera FROM stream WHERE key IN ({marks})"
        found |= {row[0]: row[1] for row in tx.exec_driver_sql(sql, tuple(part))}
    return found


def _digests(tx: Connection, places: Iterable[Place]) -> dict[Place, bytes]:
    """The digests of those lines that are there already, and maybe of others."""
    cameras, days = zip(*places, strict=True)
    found: dict[Place, bytes] = {}
    for part in parts(sorted(set(cameras))):
        marks = ", ".join("?" * len(part))
        rows = tx.exec_driver_sql(
            "SELECT camera, day, digest FROM tally "
            f"WHERE camera IN ({marks}) AND day BETWEEN ? AND ?",
            (*part, min(days), max(days)),
        )
        found |= {(camera, day): digest for camera, day, digest in rows}
    return found
