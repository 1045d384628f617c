"""Takes files that a scan has not met before into the catalogue, a block at a time.

The caller holds the root's mutex from reading a directory until its files are
committed, so that no batch deletes what is being taken in (design, section 7).
"""

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from retention.audit.log import Log
from retention.catalogue import recordings
from retention.catalogue.db import Catalogue, Priority
from retention.footage.handles import Handle
from retention.footage.roots import OpenRoot
from retention.ingest import recorded
from retention.ingest.matching import rows_of, rows_of_read
from retention.ingest.owners import NOT_OF_LAYOUT, NOT_OURS, Owned, Owners, Slot
from retention.ingest.placing import File, Placed, doubt_zone, place
from retention.ingest.reappeared import Deletions
from retention.ingest.seen import Directory, Waiting
from retention.layouts.presets import Preset, is_excluded, is_in_progress
from retention.model import DAY, Actor, Entry, Micros, Recording

BLOCK = 5_000
"""Files looked at together; no more rows than that in one transaction (design 6)."""

NOT_REGULAR = "not a regular file"
SEVERAL_LINKS = "has several hard links"
UNFINISHED = "left unfinished by the recorder"


@dataclass(slots=True)
class ScanResult:
    """What one scan found.  Counts are of this scan, not of the root.

    `growing`: catalogued recordings whose files are being written again.  `streams`: by
    stream, the earliest end of what was added or changed.  `errors`:
    (directory or file, reason); nothing in them is called lost.  `complete`: the whole
    root was walked, though a directory in `errors` may be unread.
    """

    added: int = 0
    quarantined: int = 0
    changed: int = 0
    lost: int = 0
    reappeared: int = 0
    unknown: int = 0
    open: int = 0
    errors: list[tuple[bytes, str]] = field(default_factory=list)
    directories_read: int = 0
    directories_skipped: int = 0
    complete: bool = False
    streams: dict[int, Micros] = field(default_factory=dict)
    growing: set[recordings.Key] = field(default_factory=set)

    def touch(self, stream: int, end: Micros) -> None:
        """A recording of the stream that ends then was added or changed."""
        if end < self.streams.get(stream, end + 1):
            self.streams[stream] = end


class Parts(NamedTuple):
    """What ingest of one root works with."""

    catalogue: Catalogue
    log: Log
    root: OpenRoot
    preset: Preset
    owners: Owners
    waiting: Waiting
    actor: Actor
    tolerance: Micros


@dataclass(slots=True, eq=False)
class Reading:
    """A directory whose names were read: what is new in it, and what is done."""

    path: bytes
    directory: Directory
    mtime: Micros
    settled: bool
    names: list[bytes]
    done: list[bytes] = field(default_factory=list)
    odd: dict[str, list[bytes]] = field(default_factory=dict)
    odd_gone: bool = False

    def is_odd(self, name: bytes, reason: str) -> None:
        """The file of that name is nobody's recording."""
        self.odd.setdefault(reason, []).append(name)


class _File(NamedTuple):
    reading: Reading
    name: bytes
    path: bytes
    owned: Owned


class _Seen(NamedTuple):
    reading: Reading
    name: bytes
    file: File


Block = Iterable[tuple[Reading, Sequence[bytes]]]


class Intake:
    """Takes blocks of unknown names.  One per scan.

    `alarms` gets the files of cameras whose footage is not ours: camera to (count, one
    path).
    """

    def __init__(
        self,
        parts: Parts,
        now: Micros,
        result: ScanResult,
        alarms: dict[int, tuple[int, bytes]],
        *,
        adopted: bool,
    ) -> None:
        self._parts = parts
        self.now = now
        self._surely_quiet = parts.waiting.surely_quiet(now)
        self._result = result
        self._deletions = Deletions() if adopted else None
        self._alarms = alarms

    def take(self, block: Block) -> None:
        """Catalogue what is new and finished among these names.

        Afterwards each reading knows which names need no other look.
        """
        files = self._read_names(block)
        seen = self._look(self._new(files))
        self._open_streams(seen)
        self._commit(seen, self._place(seen))

    def _read_names(self, block: Block) -> list[_File]:
        """What each name says, with no look at the file."""
        preset, whose = self._parts.preset, self._parts.owners.whose
        files = []
        for reading, names in block:
            prefix = reading.path + b"/" if reading.path else b""
            for name in names:
                path = prefix + name
                if is_excluded(preset, path):
                    reading.done.append(name)
                elif is_in_progress(preset, path):
                    self._in_progress(reading, name)
                elif (owned := whose(path)) is None:
                    reading.is_odd(name, NOT_OF_LAYOUT)
                else:
                    files.append(_File(reading, name, path, owned))
        return files

    def _in_progress(self, reading: Reading, name: bytes) -> None:
        there = self._stat(reading, name, None)
        if there is not None and there.st_mtime_ns // 1000 < self.now - 2 * DAY:
            reading.is_odd(name, UNFINISHED)
        else:
            self._open(reading)

    def _open(self, reading: Reading) -> None:
        reading.settled = False
        self._result.open += 1

    def _new(self, files: list[_File]) -> list[_File]:
        """Those files that no row is of; the others are done with."""
        parts = self._parts
        with parts.catalogue.read() as tx:
            rows = rows_of_read(tx, ((file.path, file.owned) for file in files))
            if parts.owners.has_earlier:
                left = [file.path for file in files if file.path not in rows]
                rows |= rows_of(tx, parts.owners, left)
        for file in files:
            if file.path in rows:
                file.reading.done.append(file.name)
        return [file for file in files if file.path not in rows]

    def _look(self, files: list[_File]) -> dict[Slot, list[_Seen]]:
        """The finished ones among the files, by slot."""
        found: dict[Slot, list[_Seen]] = {}
        handle, where = None, None
        for file in files:
            reading, slot = file.reading, file.owned.slot
            if slot.reason is not None:
                self._not_ours(file, slot)
                continue
            if where is not reading:
                handle, where = self._handle(reading), reading
            there = self._stat(reading, file.name, handle)
            if there is None:
                reading.settled = False
            elif not stat.S_ISREG(there.st_mode):
                reading.is_odd(file.name, NOT_REGULAR)
            elif there.st_nlink != 1:
                reading.is_odd(file.name, SEVERAL_LINKS)
            elif self._is_open(file, there):
                self._open(reading)
            else:
                mtime = there.st_mtime_ns // 1000
                seen = File(file.owned.starts, mtime, there.st_size, file.path)
                found.setdefault(slot, []).append(_Seen(reading, file.name, seen))
        return found

    def _is_open(self, file: _File, there: os.stat_result) -> bool:
        """Whether the file may still be written."""
        waiting, slot = self._parts.waiting, file.owned.slot.key
        mtime = there.st_mtime_ns // 1000
        if mtime <= self._surely_quiet and not waiting.knows(slot):
            return False
        return not waiting.is_quiet(
            slot, file.path, file.owned.starts[0], there.st_size, mtime, self.now
        )

    def _not_ours(self, file: _File, slot: Slot) -> None:
        file.reading.is_odd(file.name, slot.reason or "")
        if slot.camera is not None and slot.reason in NOT_OURS.values():
            count, example = self._alarms.get(slot.camera.key, (0, file.path))
            self._alarms[slot.camera.key] = (count + 1, example)

    def _handle(self, reading: Reading) -> Handle | None:
        try:
            return self._parts.root.directory(reading.path)
        except OSError as error:
            self._result.errors.append((reading.path, error.strerror or str(error)))
            return None

    def _stat(
        self, reading: Reading, name: bytes, handle: Handle | None
    ) -> os.stat_result | None:
        """The file itself, never what it links to; None where it is gone or unreadable."""
        try:
            if handle is None:
                handle = self._parts.root.directory(reading.path)
            return os.stat(name, dir_fd=handle, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            path = b"/".join(part for part in (reading.path, name) if part)
            self._result.errors.append((path, error.strerror or str(error)))
            return None

    def _open_streams(self, slots: Iterable[Slot]) -> None:
        """Freeze a stream for each slot that has its first file."""
        parts, owners = self._parts, self._parts.owners
        new = [slot for slot in slots if slot.stream is None]
        if not new:
            return
        with parts.catalogue.write(Priority.SCAN) as tx:
            opened = [(slot, owners.open_stream(tx, slot)) for slot in new]
            for _, stream in opened:
                entry = recorded.stream_opened(
                    stream, parts.root.name, self.now, parts.actor
                )
                parts.log.append(tx, entry)
        for slot, stream in opened:
            owners.opened(slot, stream)

    def _place(self, seen: dict[Slot, list[_Seen]]) -> list[Placed]:
        parts = self._parts
        with parts.catalogue.read() as tx:
            return [
                place(
                    tx, slot, stream, [one.file for one in found],
                    parts.waiting.starts(slot.key), self.now, parts.tolerance,
                )
                for slot, found in seen.items()
                if (stream := slot.stream) is not None
            ]  # fmt: skip

    def _commit(self, seen: dict[Slot, list[_Seen]], placed: list[Placed]) -> None:
        """Write what was placed, and only then note that these names are done with."""
        if not placed:
            return
        files = [one for found in seen.values() for one in found]
        again = self._reappeared(placed)
        try:
            self._write(placed, again)
        except IntegrityError:
            # A person ruled on these very files meanwhile: they are met again.
            for one in files:
                one.reading.settled = False
            return
        for one in files:
            one.reading.done.append(one.name)
        self._count(placed, again)

    def _reappeared(self, placed: list[Placed]) -> list[Recording]:
        """Those new recordings that are for a time the log calls deleted.

        Nothing is deleted before it is a day old, so newer ones need no look.
        """
        deletions = self._deletions
        old = [
            (one.stream.camera, row)
            for one in placed
            for row in one.rows
            if row.end < self.now - DAY
        ]
        if deletions is None or not old:
            return []
        with self._parts.catalogue.read() as tx:
            return [row for camera, row in old if deletions.has(tx, camera, row)]

    def _write(self, placed: list[Placed], again: list[Recording]) -> None:
        """One transaction: rows in, earlier neighbours extended, doubts, entries."""
        parts, now, actor = self._parts, self.now, self._parts.actor
        rows = [row for one in placed for row in one.rows]
        doubts = {key: doubt for one in placed for key, doubt in one.doubts.items()}
        cameras = {one.stream.key: one.stream.camera for one in placed}
        entries: list[Entry] = []
        with parts.catalogue.write(Priority.SCAN) as tx:
            recordings.insert(tx, rows, doubts)
            extended = [
                pair
                for one in placed
                for pair in one.extended
                if recordings.extend(tx, pair[0], pair[1].duration)
            ]
            for one in placed:
                offset = one.offset
                if offset is not None and doubt_zone(tx, one.stream.key, offset, now):
                    entries.append(
                        recorded.stream_quarantined(one.stream.key, offset, now, actor)
                    )
            if doubts:
                found = [row for row in rows if row.key in doubts]
                entries.append(recorded.quarantined(found, doubts, cameras, now, actor))
            if extended:
                entries.append(recorded.changed(extended, cameras, now, actor))
            if again:
                entries.append(recorded.reappeared(again, cameras, now, actor))
            for entry in entries:
                parts.log.append(tx, entry)

    def _count(self, placed: list[Placed], again: list[Recording]) -> None:
        result = self._result
        result.reappeared += len(again)
        for one in placed:
            result.added += len(one.rows)
            result.quarantined += len(one.doubts)
            result.changed += len(one.extended)
            ends = [row.end for row in one.rows]
            ends += [old.end for old, _ in one.extended]
            result.touch(one.stream.key, min(ends))
            if one.offset is not None:
                self._parts.owners.doubt(one.stream, self.now)
