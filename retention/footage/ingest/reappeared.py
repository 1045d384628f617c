"""Files for a time whose footage the audit log calls deleted (design, section 6).

Asked for all that a scan found, in the order of time and outside the root's mutex: the
index by camera and hour is searched once a day of footage, and each batch read once.
"""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection

from retention.catalogue import recordings
from retention.catalogue.entries import CatalogueSource
from retention.catalogue.recordings import Doubt
from retention.footage.ingest import recorded
from retention.footage.ingest.intake import BLOCK, Parts, ScanResult
from retention.footage.ingest.placing import arrived_late
from retention.footage.read import look
from retention.model.layouts.layout import path_of
from retention.model.policy import merge, overlaps
from retention.model.values import DAY, Micros, Recording, State, Window
from retention.tlog.source import INTENDED, Query, Record, apart, outcomes

_COLUMNS = frozenset({"camera", "start", "duration"})

Found = tuple[int, Recording]
"""Camera and recording."""


def tell(parts: Parts, found: Iterable[Found], now: Micros, result: ScanResult) -> None:
    """Put on record which new recordings are for a time that the log calls deleted.

    They are late, too: what was not in doubt yet is from now on, and its period counts
    from its arrival.
    """
    again: list[Found] = []
    for day in _days(found):
        with parts.catalogue.read() as tx:
            again += _deleted_before(tx, day)
    for at in range(0, len(again), BLOCK):
        _write(parts, again[at : at + BLOCK], now, result)


def _days(found: Iterable[Found]) -> Iterator[list[Found]]:
    """What was found, in order, by days of footage: a transaction is short."""
    day: list[Found] = []
    for one in sorted(found, key=lambda one: one[1].start):
        if day and one[1].start >= day[0][1].start + DAY:
            yield day
            day = []
        day.append(one)
    if day:
        yield day


def _deleted_before(tx: Connection, day: Sequence[Found]) -> list[Found]:
    wanted: dict[int, list[Window]] = {}
    for camera, row in day:
        wanted.setdefault(camera, []).append(Window(row.start, row.end))
    windows = {camera: merge(found) for camera, found in wanted.items()}
    gone: dict[int, list[Window]] = {camera: [] for camera in windows}
    source, read = CatalogueSource(tx), set[int]()
    for camera, parts in windows.items():
        time = Window(parts[0].start, parts[-1].end)
        for record in source.backwards(Query((INTENDED,), camera=camera, footage=time)):
            fields = record.entry["fields"]
            if record.number not in read and not apart(fields, [time]):
                read.add(record.number)
                for key, window in _gone(source, record):
                    if key in gone:
                        gone[key].append(window)
    merged = {camera: merge(found) for camera, found in gone.items()}
    return [one for one in day if overlaps(merged[one[0]], one[1].start, one[1].end)]


def _gone(source: CatalogueSource, intent: Record) -> Iterator[tuple[int, Window]]:
    """The files of an intent that its completion says were deleted, by camera; those
    that were gone before are lost."""
    became = outcomes(source.completion(intent.number))
    if became.completion is None:
        return
    columns = intent.read(_COLUMNS).columns
    names = ("camera", "start", "duration")
    rows = zip(*(columns[name] for name in names), strict=True)
    for row, (camera, start, duration) in enumerate(rows):
        outcome = became.of(row)
        if outcome is not None and outcome.ours:
            yield camera, Window(start, start + duration)


def _write(
    parts: Parts, again: Sequence[Found], now: Micros, result: ScanResult
) -> None:
    streams = {stream.key: stream for stream in parts.owners.streams}
    cameras = {row.stream: camera for camera, row in again}
    doubts: dict[recordings.Key, Doubt] = {}
    doubted: list[Recording] = []
    with parts.write(now) as tx:
        for _, row in again:
            if row.state is State.PRESENT:
                there = look(parts.root, path_of(streams[row.stream], row))
                mtime = row.end if there is None else there.mtime
                doubt = Doubt(now, mtime, arrived_late(now - row.end))
                if recordings.quarantine(tx, row, row.size, doubt):
                    doubts[row.key] = doubt
                    doubted.append(row._replace(state=State.QUARANTINED))
        if doubted:
            tx.append(*recorded.quarantined(doubted, doubts, cameras))
        tx.append(*recorded.reappeared([row for _, row in again], cameras))
    result.reappeared += len(again)
    result.quarantined += len(doubted)
