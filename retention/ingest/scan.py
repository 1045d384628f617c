"""The scan of a footage root: what is on the disk comes into the catalogue (design 6).

The scan is the truth; whoever watches the disk only makes it prompt.  Unchanged
directories cost one stat each, changed ones a listing, unknown names a look.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from retention.audit.log import Log
from retention.catalogue import recordings, roots, unknown
from retention.catalogue.db import Catalogue, Priority
from retention.footage.read import DirectorySeen, read_directory
from retention.footage.roots import OpenRoot
from retention.ingest import adoption, vanished
from retention.ingest.intake import BLOCK, Intake, Parts, Reading, ScanResult
from retention.ingest.owners import Owners
from retention.ingest.reconcile import ReconcileResult, look_at_newest, reconcile
from retention.ingest.seen import Directory, Names, Waiting
from retention.ingest.strangers import summarise
from retention.layouts.layout import compile_layout
from retention.layouts.presets import Preset, is_excluded
from retention.model import SECOND, Actor, Micros
from retention.settings import RootSettings, Settings

__all__ = ["ScanResult", "Scanner"]

UNSETTLED: Micros = 2 * SECOND
"""A directory that changed this shortly before it was read may change again within
the same tick of its file system's clock (2 s on FAT)."""

_TOGETHER = 256  # directories read under one hold of the root's mutex

Stop = Callable[[], bool]


class Scanner:
    """Scans one open root again and again; what it remembers lives in memory only."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: Log,
        root: OpenRoot,
        preset: Preset,
        settings_root: RootSettings,
        settings: Settings,
        actor: Actor,
    ) -> None:
        layout = compile_layout(preset.template, settings_root.timezone)
        self._root = root
        self._catalogue = catalogue
        self._parts = Parts(
            catalogue,
            log,
            root,
            preset,
            Owners(root.key, layout, settings_root.cameras, settings_root.max_length),
            Waiting(settings_root.stable_after, network=root.network),
            actor,
            settings.retention.clock_tolerance,
        )
        self._directories: dict[bytes, Directory] = {b"": Directory()}
        self._missing: dict[bytes, None] = {}
        self._alarms: dict[int, tuple[int, bytes]] = {}
        self._forgotten: deque[bytes] = deque()
        self._reported: set[bytes] | None = None
        self._believed = True
        # Kept until a scan comes to its end: it is looked at then.
        self._were_newest: set[recordings.Key] = set()
        self._untold: dict[int, Micros] = {}
        self._full_next = False

    def scan(
        self,
        now: Micros,
        stop: Stop,
        directories: Iterable[bytes] | None = None,
        *,
        full: bool = False,
        believed: bool = True,
    ) -> ScanResult:
        """Look at the root, or only at these directories (below the root) of it.

        `now` is the cycle's one reading of the clock.  `stop` is asked between
        directories; what was not reached is reached next time.  `full` reads unchanged
        directories too.  `believed`: whether `now` is; a root is adopted only then.
        RootUnavailableError where the root is not what
        it was: then nothing is lost, nor anything else.
        """
        self._root.check()
        self._believed = believed
        full = full or self._full_next
        # What a scan cut short by an error added is told with the next one.
        result = ScanResult(streams=self._untold)
        adopted = self._begin(full=full)
        intake = Intake(self._parts, now, result, self._alarms, adopted=adopted)
        if directories is None:
            work = self._stale(result, full=full)
        else:
            work = sorted(set(directories))
        while work and not stop():
            with self._root.mutex:
                self._some(work, intake, result, stop)
        result.complete = not work and directories is None
        if not work:
            self._end(now, result)
        adoption.raise_alarms(self._parts, self._alarms, now)
        self._alarms.clear()
        self._untold = {}
        self._full_next = self._full_next and not result.complete
        return result

    def reconcile(self, now: Micros, stop: Stop) -> ReconcileResult:
        """Compare every row of the root with its file: see `reconcile.reconcile`.

        After a complete one the next scan is a full one: then both were compared, the
        rows with the disk and the disk with the rows.
        """
        result, gone = reconcile(self._parts, now, stop)
        self.forget(gone)
        self._full_next = self._full_next or result.complete
        return result

    def forget(self, paths: Iterable[bytes]) -> None:
        """A batch deleted these files: met again, they are new.  From any thread."""
        self._forgotten.extend(paths)

    def _begin(self, *, full: bool) -> bool:
        """Read what may have changed since the last scan; True if the root is adopted."""
        with self._catalogue.read() as tx:
            register_changed = self._parts.owners.load(tx)
            root = roots.get(tx, self._root.key)
            newest = recordings.newest(tx, self._root.key)
            self._were_newest |= {row.key for row in newest}
            if self._reported is None:
                found = unknown.listing(tx, self._root.key, 1_000_000)
                self._reported = {row.directory for row in found}
        if register_changed or full:
            for directory in self._directories.values():
                directory.forget_odd()
        while self._forgotten:
            path, _, name = self._forgotten.popleft().rpartition(b"/")
            known = self._directories.get(path)
            if known is not None and known.names is not None:
                known.names.drop([name])
                known.settled = False
        return root is not None and root.adopted is not None

    def _stale(self, result: ScanResult, *, full: bool) -> list[bytes]:
        """The directories that need reading, in order: one stat each, by a path that
        is only compared here; what is read is opened without following links."""
        fd, stale = self._root.fd, []
        for path, known in self._directories.items():
            if known.settled and not full:
                try:
                    there = os.stat(path or b".", dir_fd=fd, follow_symlinks=False)
                except OSError:
                    pass
                else:
                    if there.st_mtime_ns // 1000 == known.mtime:
                        continue
            stale.append(path)
        result.directories_skipped = len(self._directories) - len(stale)
        stale.sort()
        return stale

    def _some(
        self, work: list[bytes], intake: Intake, result: ScanResult, stop: Stop
    ) -> None:
        """Read directories and commit what is new in them, under the root's mutex.

        From the last path back: of dated directories the newer first, so that the
        next start is known where an end depends on it.
        """
        readings: list[Reading] = []
        names = 0
        while work and len(readings) < _TOGETHER and names < BLOCK:
            reading = self._read(work.pop(), work, intake.now, result)
            if reading is not None:
                readings.append(reading)
                names += len(reading.names)
            if stop():
                break
        for block in _blocks(readings):
            intake.take(block)
        self._remember(readings, intake.now, result)

    def _read(
        self, path: bytes, work: list[bytes], now: Micros, result: ScanResult
    ) -> Reading | None:
        seen = read_directory(self._root, path)
        known = self._directories.get(path)
        if seen.gone:
            if known is not None:
                self._gone(path, known)
            return None
        if known is None:
            known = self._directories[path] = Directory()
        if not seen.complete:
            known.settled = False
            # Made by mkfs for the administrator alone; no recorder writes there.
            if path != b"lost+found":
                result.errors.append((path, seen.error or "can't be read"))
            return None
        result.directories_read += 1
        self._descend(seen, work)
        return self._compare(seen, known, now)

    def _descend(self, seen: DirectorySeen, work: list[bytes]) -> None:
        """Sub-directories met for the first time are read in this scan."""
        prefix = seen.path + b"/" if seen.path else b""
        paths = (prefix + name for name in seen.directories)
        new = [
            path
            for path in paths
            if path not in self._directories
            and not is_excluded(self._parts.preset, path)
        ]
        for path in new:
            self._directories[path] = Directory()
        work.extend(sorted(new))

    def _compare(self, seen: DirectorySeen, known: Directory, now: Micros) -> Reading:
        """What is new in a directory, and what is missing."""
        names = known.known()
        new = [name for name in seen.files if name not in names]
        names.difference_update(seen.files)
        new.sort(reverse=True)
        settled = now - seen.mtime > UNSETTLED and not self._root.network
        reading = Reading(seen.path, known, seen.mtime, settled, new)
        if names:
            self._miss(seen.path, known, names)
            reading.odd_gone = known.drop_odd(names)
        return reading

    def _gone(self, path: bytes, known: Directory) -> None:
        """A directory is not there any more, nor what was in it."""
        self._directories.pop(path, None)
        self._root.forget(path)
        if known.names is not None:
            self._miss(path, known, known.names.everything())
        if self._reported and path in self._reported:
            self._reported.discard(path)
            with self._catalogue.write(Priority.SCAN) as tx:
                unknown.remove(tx, self._root.key, [path])

    def _miss(self, path: bytes, known: Directory, names: set[bytes]) -> None:
        """These were there; whether any was a recording is asked at the end."""
        prefix = path + b"/" if path else b""
        if known.names is not None:
            known.names.drop(names)
        self._missing.update(dict.fromkeys(prefix + name for name in names))

    def _remember(
        self, readings: Sequence[Reading], now: Micros, result: ScanResult
    ) -> None:
        """All is committed: these names need no look until the directory changes."""
        for reading in readings:
            known = reading.directory
            if known.names is None:
                known.names = Names(reading.done)
            elif reading.done:
                known.names.add(reading.done)
            for reason, names in reading.odd.items():
                result.unknown += len(names)
                known.add_odd(reason, names)
            known.mtime, known.settled = reading.mtime, reading.settled
        self._report(
            [
                reading
                for reading in readings
                if reading.odd
                or reading.odd_gone
                or (
                    reading.path in (self._reported or ()) and not reading.directory.odd
                )
            ],
            now,
        )

    def _report(self, readings: Sequence[Reading], now: Micros) -> None:
        """Sum up the unknown files of directories in which they changed."""
        if not readings:
            return
        found = [
            (reading.path, summarise(self._root, reading.path, reading.directory, now))
            for reading in readings
        ]
        with self._catalogue.write(Priority.SCAN) as tx:
            for path, rows in found:
                unknown.replace(tx, self._root.key, path, rows)
        if self._reported is not None:
            self._reported |= {path for path, rows in found if rows}
            self._reported -= {path for path, rows in found if not rows}

    def _end(self, now: Micros, result: ScanResult) -> None:
        """What needs the whole walk: growth, losses, adoption."""
        parts = self._parts
        with self._root.mutex:
            look_at_newest(parts, self._were_newest, now, result)
            self._were_newest = set(result.growing)
            again = vanished.book(parts, self._missing, now, result)
        self._missing.clear()
        for path in again:
            known = self._directories.get(path.rpartition(b"/")[0])
            if known is not None:
                known.settled = False
        if result.complete:
            parts.waiting.forget_unseen(now)
            adoption.finish(
                parts, now, believed=self._believed, unread=bool(result.errors)
            )


def _blocks(
    readings: Iterable[Reading],
) -> Iterator[list[tuple[Reading, Sequence[bytes]]]]:
    """The new names of directories in blocks of bounded size."""
    block: list[tuple[Reading, Sequence[bytes]]] = []
    room = BLOCK
    for reading in readings:
        names: Sequence[bytes] = reading.names
        while names:
            block.append((reading, names[:room]))
            names, room = names[room:], room - len(names[:room])
            if room == 0:
                yield block
                block, room = [], BLOCK
    if block:
        yield block
