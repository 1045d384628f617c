"""Takes files that a scan has not met before into the catalogue, a block at a time.

The caller holds the root's mutex from reading a directory until its files are
committed, so that no batch deletes what is being taken in (design, section 7).
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy.exc import IntegrityError

from retention.catalogue import due, lost, policies, recordings, streams
from retention.catalogue.db import Catalogue, Priority, Transaction
from retention.catalogue.log import Log
from retention.catalogue.lost import Lost
from retention.catalogue.recordings import Doubt, Key
from retention.footage.ingest import doubted, losses, moved, recorded
from retention.footage.ingest.matching import rows_of, rows_of_read
from retention.footage.ingest.owners import Owned, Owners, Slot
from retention.footage.ingest.placing import Finished, Placed, note_delays, place
from retention.footage.ingest.seen import Met, SeenDirectory, Waiting
from retention.footage.read import FileSeen, as_seen
from retention.footage.roots import OpenRoot
from retention.model.layouts.presets import Preset, is_excluded, is_in_progress
from retention.model.values import DAY, Actor, Micros, Recording, State

BLOCK = 5_000
"""Files looked at together; no more rows than that in one transaction (design 6)."""

SEVERAL_LINKS = "has several hard links"
REFUSED = "the catalogue has something else in its place: run `retention audit verify`"
GONE = "its stream's row is gone from the catalogue: `retention schema repair`"
UNFINISHED = "left unfinished by the recorder"


@dataclass(slots=True)
class ScanResult:
    """What one scan found.  Counts are of this scan, not of the root.

    `damaged`: of the quarantined those of which something may be gone.
    `growing`: catalogued recordings whose files are being written again; `overwritten`:
    paths that have no row any more, since something else is being written there;
    `moved`: by how much mtimes of many files were just found moved.  `errors`:
    (directory or file, reason); nothing in them is called lost.  `complete`: the whole
    root was walked, though a directory in `errors` may be unread.
    """

    added: int = 0
    quarantined: int = 0
    damaged: int = 0
    changed: int = 0
    lost: int = 0
    reappeared: int = 0
    unknown: int = 0
    open: int = 0
    errors: list[tuple[bytes, str]] = field(default_factory=list)
    directories_read: int = 0
    directories_skipped: int = 0
    complete: bool = False
    growing: set[recordings.Key] = field(default_factory=set)
    overwritten: list[bytes] = field(default_factory=list)
    moved: Micros | None = None


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
    recorder_keeps: Micros | None = None

    def write(self, now: Micros) -> AbstractContextManager[Transaction]:
        """A transaction that appends in the service's name."""
        return self.catalogue.write(Priority.SCAN, self.log.by(self.actor, now))


@dataclass(slots=True, eq=False)
class DirectoryReading:
    """A directory whose names were read: what is new in it, and what is done.

    `looked` is the last look at it before; None where there is none that says anything.
    """

    path: bytes
    directory: SeenDirectory
    mtime: Micros
    ctime: Micros
    settled: bool
    names: list[bytes]
    looked: Micros | None = None
    done: list[bytes] = field(default_factory=list)
    odd: dict[str, list[bytes]] = field(default_factory=dict)
    odd_gone: bool = False
    _met: dict[bytes, Met] = field(default_factory=dict)
    _were_odd: set[bytes] | None = None

    def path_of(self, name: bytes) -> bytes:
        """Of one of its files, below the root."""
        return b"/".join(part for part in (self.path, name) if part)

    def is_odd(self, name: bytes, reason: str) -> None:
        """The file of that name is nobody's recording."""
        self.odd.setdefault(reason, []).append(name)

    def met(self, name: bytes) -> Met:
        """What is known of a new name from the looks before."""
        found = (self.directory.pending or {}).get(name) or self._met.get(name)
        if found is None and self._were_odd is None:
            was_odd = (self.directory.was_odd or {}).values()
            self._were_odd = {one for names in was_odd for one in names.everything()}
        return found or Met(None if name in (self._were_odd or ()) else self.looked)

    def note(self, name: bytes, met: Met) -> None:
        """What is known of it now, for the next look."""
        self._met[name] = met

    def pending(self) -> dict[bytes, Met] | None:
        """The new names that are not done with, and what is known of them."""
        left = set(self.names).difference(self.done, *self.odd.values())
        return {name: self._met.get(name) or self.met(name) for name in left} or None


class _FoundFile(NamedTuple):
    reading: DirectoryReading
    name: bytes
    path: bytes
    owned: Owned


class _SeenFile(NamedTuple):
    reading: DirectoryReading
    name: bytes
    file: Finished


Block = Iterable[tuple[DirectoryReading, Sequence[bytes]]]


class Intake:
    """Takes blocks of unknown names.  One per scan.

    `old` gets the recordings, with their cameras, that may have been there before:
    whether the log calls their time deleted is to be asked.
    """

    def __init__(
        self,
        parts: Parts,
        now: Micros,
        result: ScanResult,
        old: list[tuple[int, Recording]],
        *,
        adopted: bool,
        believed: bool,
    ) -> None:
        self._parts = parts
        self._looked_at = now if believed else None
        self.now = now
        self._surely_quiet = parts.waiting.surely_quiet(now)
        self._result = result
        self._adopted = adopted
        self._old = old

    def take(self, block: Block) -> None:
        """Catalogue what is new and finished among these names.

        Afterwards each reading knows which names need no other look.
        """
        files = self._read_names(block)
        seen = self._look(self._new(files))
        if gone := self._open_streams(seen):
            self._refused({slot: seen.pop(slot) for slot in gone}, GONE)
        # A person may rule on these very files meanwhile: placed again, they are as they
        # are by then.
        if not self._commit(seen) and not self._commit(seen):
            self._refused(seen, REFUSED)

    def _read_names(self, block: Block) -> list[_FoundFile]:
        """What each name says, with no look at the file."""
        preset, whose = self._parts.preset, self._parts.owners.whose
        files = []
        for reading, names in block:
            for name in names:
                path = reading.path_of(name)
                if is_excluded(preset, path):
                    reading.done.append(name)
                elif is_in_progress(preset, path):
                    self._in_progress(reading, name)
                elif (owned := whose(path)) is None:
                    reading.is_odd(name, self._parts.owners.why_nobodys(path))
                else:
                    files.append(_FoundFile(reading, name, path, owned))
        return files

    def _in_progress(self, reading: DirectoryReading, name: bytes) -> None:
        there = self._seen(reading, name, None)
        if there is not None and there.mtime < self.now - 2 * DAY:
            reading.is_odd(name, UNFINISHED)
        else:
            self._open(reading)

    def _open(self, reading: DirectoryReading) -> None:
        reading.settled = False
        self._result.open += 1

    def _new(self, files: list[_FoundFile]) -> list[_FoundFile]:
        """Those files that no row is of; the others are done with."""
        parts = self._parts
        with parts.catalogue.read() as tx:
            if parts.owners.outdated(tx):
                # Recordings went to another camera meanwhile: met again, they are known.
                for file in files:
                    file.reading.settled = False
                return []
            rows = rows_of_read(tx, ((file.path, file.owned) for file in files))
            if parts.owners.has_earlier:
                left = [file.path for file in files if file.path not in rows]
                rows |= rows_of(tx, parts.owners, left)
        for file in files:
            if file.path in rows:
                file.reading.done.append(file.name)
        new = [file for file in files if file.path not in rows]
        with parts.catalogue.read() as tx:
            held = lost.held_at(tx, parts.root.key, [file.path for file in new])
        return self._back(new, held) if held else new

    def _back(
        self, files: list[_FoundFile], held: Mapping[bytes, Lost]
    ) -> list[_FoundFile]:
        """Take in as what they were those files that vanished under a hold; the others.

        On one that is not the same a person rules: of itself it leaves no hold by having
        been away.
        """
        now, parts = self.now, self._parts
        same: list[tuple[Lost, Recording]] = []
        doubts: dict[Key, Doubt] = {}
        there, others = list[Recording](), list[_FoundFile]()
        with parts.write(now) as tx:
            for file in files:
                old = held.get(file.path)
                seen = old and self._seen(file.reading, file.name, None)
                if old is None or seen is None or seen.odd is not None:
                    others.append(file)
                    continue
                row, doubt = moved.again(tx, old, seen, now)
                recordings.insert(tx, [row], {row.key: doubt} if doubt else None)
                there.append(row)
                if moved.is_same(row, old.row):
                    same.append((old, row))
                if row.state is State.QUARANTINED and doubt is not None:
                    doubts[row.key] = doubt
                file.reading.done.append(file.name)
            self._enter(tx, [row for row in there if row.key in doubts], doubts, same)
        self._result.added += len(there)
        self._result.quarantined += len(doubts)
        return others

    def _enter(
        self,
        tx: Transaction,
        doubtful: Sequence[Recording],
        doubts: Mapping[Key, Doubt],
        back: Sequence[tuple[Lost, Recording]],
    ) -> None:
        """The entries of what came in in doubt, and of what was lost and is back; with
        that the alarms of it end."""
        both = [*doubtful, *(row for _, row in back)]
        cameras = {
            stream.key: stream.camera
            for stream in streams.by_keys(tx, {row.stream for row in both})
        }
        if doubtful:
            tx.append(*recorded.quarantined(doubtful, doubts, cameras))
        if back:
            pairs = [(old.row, row) for old, row in back]
            tx.append(*recorded.moved(pairs, cameras, lost=True))
            lost.forget(tx, [old for old, _ in back])
            losses.note_back(tx, [old for old, _ in back], self.now)

    def _look(self, files: list[_FoundFile]) -> dict[Slot, list[_SeenFile]]:
        """The finished ones among the files, by slot."""
        found: dict[Slot, list[_SeenFile]] = {}
        handle, where = None, None
        for file in files:
            reading, slot = file.reading, file.owned.slot
            if slot.reason is not None:
                reading.is_odd(file.name, slot.reason)
                continue
            if where is not reading:
                handle, where = self._handle(reading), reading
            there = self._seen(reading, file.name, handle)
            if there is None:
                reading.settled = False
            elif there.odd is not None:
                reading.is_odd(file.name, there.odd)
            elif there.links != 1:
                reading.is_odd(file.name, SEVERAL_LINKS)
            elif self._is_open(file, there):
                reading.note(file.name, self._met(file, there))
                self._open(reading)
            else:
                met = reading.met(file.name)
                delay = None if met.size < 0 else self._met(file, there).delay
                seen = Finished(
                    file.owned.starts, there.mtime, there.size, file.path,
                    met.absent_at, delay, met.grew,
                )  # fmt: skip
                found.setdefault(slot, []).append(_SeenFile(reading, file.name, seen))
        return found

    def _met(self, file: _FoundFile, there: FileSeen) -> Met:
        """What is known of a file after this look at it."""
        own = max(there.mtime, file.owned.starts[-1])
        met = file.reading.met(file.name)
        return met.inspection(there.size, own, self._looked_at)

    def _is_open(self, file: _FoundFile, there: FileSeen) -> bool:
        """Whether the file may still be written."""
        waiting, slot = self._parts.waiting, file.owned.slot.key
        if there.mtime <= self._surely_quiet and not waiting.knows(slot):
            return False
        return not waiting.is_quiet(
            slot, file.path, file.owned.starts[0], there.size, there.mtime, self.now
        )

    def _handle(self, reading: DirectoryReading) -> int | None:
        try:
            return self._parts.root.directory(reading.path)
        except OSError as error:
            self._result.errors.append((reading.path, error.strerror or str(error)))
            return None

    def _seen(
        self, reading: DirectoryReading, name: bytes, handle: int | None
    ) -> FileSeen | None:
        """The file itself, never what it links to; None where it is gone or unreadable."""
        try:
            if handle is None:
                handle = self._parts.root.directory(reading.path)
            there = os.stat(name, dir_fd=handle, follow_symlinks=False)
            return as_seen(reading.path_of(name), there)
        except FileNotFoundError:
            return None
        except OSError as error:
            why = error.strerror or str(error)
            self._result.errors.append((reading.path_of(name), why))
            return None

    def _open_streams(self, slots: Iterable[Slot]) -> list[Slot]:
        """Freeze a stream for each slot that has its first file; those that get none,
        since the log has their stream and only its row is gone: a second one would be of
        the same files."""
        parts, owners = self._parts, self._parts.owners
        new = [slot for slot in slots if slot.stream is None]
        if not new:
            return []
        with parts.write(self.now) as tx:
            left = owners.gone(parts.catalogue, tx, parts.root.name, new)
            opened = [
                (slot, owners.open_stream(tx, slot)) for slot in new if slot not in left
            ]
            for _, stream in opened:
                tx.append(*streams.opened(stream, parts.root.name))
        for slot, stream in opened:
            owners.opened(slot, stream)
        return left

    def _place(self, seen: dict[Slot, list[_SeenFile]]) -> list[Placed]:
        parts, found = self._parts, list[Placed]()
        with parts.catalogue.read() as tx:
            for slot, files in seen.items():
                if slot.stream is None:
                    continue
                one = place(
                    tx, slot, slot.stream, [file.file for file in files],
                    parts.waiting.starts(slot.key), self.now, parts.tolerance,
                )  # fmt: skip
                moved.recognise(parts.catalogue, tx, one, self.now, parts.tolerance)
                note_delays(tx, one, self.now, parts.tolerance)
                found.append(one)
        return found

    def _commit(self, seen: dict[Slot, list[_SeenFile]]) -> bool:
        """Write what is new, and only then note that these names are done with; False
        where the catalogue has something else in the place of one of them."""
        placed = self._place(seen)
        if not placed:
            return True
        try:
            self._write(placed)
        except IntegrityError:
            return False
        for one in (one for found in seen.values() for one in found):
            one.reading.done.append(one.name)
        self._count(placed)
        return True

    def _refused(self, seen: dict[Slot, list[_SeenFile]], why: str) -> None:
        """They are met again, and told as long as they can't be taken in."""
        for one in (one for found in seen.values() for one in found):
            one.reading.settled = False
            self._result.errors.append((one.reading.path_of(one.name), why))

    def _write(self, placed: list[Placed]) -> None:
        """One transaction: rows in, earlier neighbours extended, doubts, entries."""
        now = self.now
        rows = [row for one in placed for row in one.rows]
        doubts = {key: doubt for one in placed for key, doubt in one.doubts.items()}
        cameras = {one.stream.key: one.stream.camera for one in placed}
        with self._parts.write(now) as tx:
            recordings.insert(tx, rows, doubts)
            if self._adopted:  # an archive that is taken in waits as a whole
                self._mark_due(tx, placed)
            extended = [
                pair
                for one in placed
                for pair in one.extended
                if recordings.extend(tx, pair[0], pair[1].duration)
            ]
            for one in placed:
                doubted.note(tx, one, now)
                moved.recognise_lost_since(tx, one, now)
            if extended:
                tx.append(*recorded.changed(extended, cameras))
            doubtful = [row for row in rows if row.state is State.QUARANTINED]
            back = [pair for one in placed for pair in one.moved]
            self._enter(tx, doubtful, doubts, back)

    def _mark_due(self, tx: Transaction, placed: list[Placed]) -> None:
        """What is due already waits for a person, however little it is."""
        policy = policies.current(tx)
        if policy is not None:
            over = [
                row
                for one in placed
                for row in one.rows
                if row.state is State.PRESENT
                and row.end + policy.period(one.stream.camera) <= self.now
            ]
            if over:
                due.mark_found(tx, over)

    def _count(self, placed: list[Placed]) -> None:
        """Nothing is deleted before it is a day old, so what is newer is not `old`."""
        result, oldest = self._result, self.now - DAY
        for one in placed:
            if self._adopted:
                camera = one.stream.camera
                self._old += [(camera, row) for row in one.rows if row.end < oldest]
            result.added += len(one.rows)
            result.quarantined += len(one.doubts)
            result.changed += len(one.extended)
            if one.wrong is not None:
                self._parts.owners.doubt(one.stream, self.now)
