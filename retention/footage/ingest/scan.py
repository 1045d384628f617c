"""The scan of a footage root: what is on the disk comes into the catalogue (design 6).

The scan is the truth; whoever watches the disk only makes it prompt.  Unchanged
directories cost one stat each, changed ones a listing, unknown names a look.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from time import sleep

from retention.catalogue import recordings, roots, unknown
from retention.catalogue.db import Catalogue, Priority
from retention.catalogue.log import Log
from retention.footage.ingest import (
    adoption,
    held,
    left_alone,
    reappeared,
    vanished,
    witness,
)
from retention.footage.ingest.intake import (
    BLOCK,
    DirectoryReading,
    Intake,
    Parts,
    ScanResult,
)
from retention.footage.ingest.owners import Owners
from retention.footage.ingest.reconcile import (
    ReconcileResult,
    begin_anew,
    look_at_newest,
    reconcile,
)
from retention.footage.ingest.seen import (
    Met,
    Names,
    SeenDirectory,
    Waiting,
    summarise,
)
from retention.footage.read import (
    FOREIGN,
    TOO_DEEP,
    DirectorySeen,
    read_directory,
)
from retention.footage.roots import OpenRoot
from retention.model.layouts.layout import compile_layout
from retention.model.layouts.presets import Preset, is_excluded
from retention.model.values import SECOND, Actor, Micros
from retention.site.settings import RootSettings, Settings

__all__ = ["ScanResult", "Scanner"]

UNSETTLED: Micros = 2 * SECOND
"""A directory that changed this shortly before it was read may change again within
the same tick of its file system's clock (2 s on FAT)."""

_MANY = 100_000  # recordings about which the log is asked at once
_A_MOMENT = 0.001  # seconds: who waits for the mutex gets it before who let go
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
            settings_root.recorder_keeps,
        )
        self._held = held.all_held(self._parts)
        self._changed: dict[bytes, Names] = {}
        self._over = held.written_over(self._parts, self._changed)
        self._directories: dict[bytes, SeenDirectory] = {b"": SeenDirectory()}
        self._witness = witness.of(preset, settings_root.timezone)
        self._missing: dict[bytes, None] = {}
        self._apart: dict[bytes, dict[bytes, str]] = {}
        self._excluded: set[bytes] = set()
        self._forgotten: deque[bytes] = deque()
        self._reported: set[bytes] | None = None
        self._believed = True
        self._adopted = False
        # Kept until a scan comes to its end: it is looked at then.
        self._were_newest: set[recordings.Key] = set()
        self._full_next = False
        self._old: list[reappeared.Found] = []
        self._before: witness.Witness | None = None

    def scan(
        self, now: Micros, stop: Stop, *, full: bool = False, believed: bool = True
    ) -> ScanResult:
        """Look at the root.

        `now` is the cycle's one reading of the clock.  `stop` is asked between
        directories; what was not reached is reached next time.  `full` reads unchanged
        directories too.  `believed`: whether `now` is; a root is adopted only then.
        RootUnavailableError where the root is not what it was: then nothing is lost,
        nor anything else.
        """
        self._root.check()
        self._believed = believed
        full = full or self._full_next
        result = ScanResult()
        self._adopted = self._begin(full=full)
        # Until it comes to its end nobody has looked whether files grew.
        self._before = self._before or self._witness.as_it_is()
        intake = Intake(
            self._parts, now, result, self._old,
            adopted=self._adopted, believed=believed,
        )  # fmt: skip
        work = self._stale(result, full=full)
        while work and not stop():
            self._some(work, intake, result, stop)
            self._ask(now, result, _MANY)
        self._ask(now, result, 1)
        result.complete = not work
        if believed:
            self._witness.walked(now, work)
        if result.complete:
            self._end(now, result)
        self._full_next = self._full_next and not result.complete
        return result

    def reconcile(self, now: Micros, stop: Stop) -> ReconcileResult:
        """Compare every row of the root with its file: see `reconcile.reconcile`.

        After a complete one the next scan is a full one: then both were compared, the
        rows with the disk and the disk with the rows.
        """
        result, gone = reconcile(self._parts, now, stop)
        self._note(result, gone)
        self._full_next = self._full_next or result.complete
        if result.complete:
            left_alone.tell(self._parts, self._excluded, now, stop)
        return result

    def is_time(self, now: Micros, every: Micros) -> bool:
        """Whether the root, once adopted, was not reconciled for so long."""
        with self._catalogue.read() as tx:
            row = roots.get(tx, self._root.key)
        if row is None or row.adopted is None:
            return False
        return row.reconciled is None or now - row.reconciled >= every

    def compare_anew(self) -> None:
        """The disk was away: it may be another's snapshot, so all rows are compared."""
        with self._catalogue.write(Priority.SCAN) as tx:
            begin_anew(tx, self._root.key)

    def compare_held(self, now: Micros, stop: Stop) -> held.HeldResult:
        """Compare what holds keep with the disk: see `held.all_held`."""
        return self._met(self._held.go_on(now, stop))

    def compare_written_over(self, now: Micros, stop: Stop) -> held.HeldResult:
        """Compare what may have been written over: see `held.written_over`."""
        return self._met(self._over.go_on(now, stop))

    def inspect(
        self, wanted: held.Wanted, now: Micros, most: int, stop: Stop
    ) -> held.HeldResult:
        """Look at what these holds keep, for an answer: see `held.inspect`."""
        return self._met(held.inspect(self._parts, wanted, now, most, stop))

    def _met(self, found: held.HeldResult) -> held.HeldResult:
        self._note(found, found.gone)
        return found

    def _note(self, found: ScanResult, gone: Iterable[bytes]) -> None:
        """What is not there any more, met again, is new; what is written on is looked at
        in each scan until it rests."""
        self.forget([*gone, *found.overwritten])
        self._were_newest |= found.growing

    def forget(self, paths: Iterable[bytes]) -> None:
        """A batch deleted these files: met again, they are new.  From any thread."""
        self._forgotten.extend(paths)

    def _ask(self, now: Micros, result: ScanResult, enough: int) -> None:
        """Ask the log about what was found, with no batch waiting for it meanwhile.

        What a scan cut short by an error found is asked about with the next one.
        """
        if len(self._old) >= enough:
            reappeared.tell(self._parts, self._old, now, result)
            self._old.clear()

    def _begin(self, *, full: bool) -> bool:
        """Read what may have changed since the last scan; True if the root is adopted."""
        with self._catalogue.read() as tx:
            register_changed = self._parts.owners.load(self._catalogue, tx)
            root = roots.get(tx, self._root.key)
            newest = recordings.newest(tx, self._root.key)
            self._were_newest |= {row.key for row in newest}
            if self._reported is None:
                found = unknown.listing(tx, self._root.key, 1_000_000)
                self._reported = {row.directory for row in found}
                self._witness.load(tx, root, -self._parts.waiting.surely_quiet(0))
                self._parts.waiting.grown = dict(self._witness.unrested)
        if register_changed or full:
            for directory in self._directories.values():
                directory.forget_odd()
        while self._forgotten:
            path, _, name = self._forgotten.popleft().rpartition(b"/")
            known = self._directories.get(path)
            if known is not None and known.names is not None:
                known.names.drop([name])
                known.settled = False
                known.mtime = -1  # it changed by this
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
                    times = there.st_mtime_ns // 1000, there.st_ctime_ns // 1000
                    if times == (known.mtime, known.ctime):
                        continue
            stale.append(path)
        result.directories_skipped = len(self._directories) - len(stale)
        stale.sort()
        return stale

    def _some(
        self, work: list[bytes], intake: Intake, result: ScanResult, stop: Stop
    ) -> None:
        """Read directories and commit what is new in them, under the root's mutex but
        between blocks, so that a batch waits for one at most.

        From the last path back: of dated directories the newer first, so that the
        next start is known where an end depends on it.
        """
        readings: list[DirectoryReading] = []
        names = 0
        with self._root.mutex:
            while work and len(readings) < _TOGETHER and names < BLOCK:
                reading = self._read(work.pop(), work, intake.now, result)
                if reading is not None:
                    readings.append(reading)
                    names += len(reading.names)
                if stop():
                    break
            blocks = _blocks(readings)
            for block in islice(blocks, 1):
                intake.take(block)
        for block in blocks:
            sleep(_A_MOMENT)
            with self._root.mutex:
                intake.take(block)
        self._remember(readings, intake.now, result)

    def _read(
        self, path: bytes, work: list[bytes], now: Micros, result: ScanResult
    ) -> DirectoryReading | None:
        seen = read_directory(self._root, path)
        known = self._directories.get(path)
        if seen.gone:
            if known is not None:
                self._gone(path, known)
            return None
        if known is None:
            known = self._directories[path] = SeenDirectory()
        if not seen.complete:
            known.settled = False
            self._witness.failed(path, elsewhere=seen.elsewhere)
            # Made by mkfs for the administrator alone; no recorder writes there.
            if path != b"lost+found":
                result.errors.append((path, seen.error or "can't be read"))
            return None
        result.directories_read += 1
        self._descend(seen, work, now)
        return self._compare(seen, known, now)

    def _descend(self, seen: DirectorySeen, work: list[bytes], now: Micros) -> None:
        """Sub-directories met for the first time are read in this scan."""
        for name, why in seen.apart.items():
            if why == FOREIGN:
                self._witness.failed(seen.path_of(name), elsewhere=True)
        if seen.apart:
            self._apart[seen.path] = {
                seen.path_of(name): why for name, why in seen.apart.items()
            }
        else:
            self._apart.pop(seen.path, None)
        above = self._witness.at(seen.path, now)
        paths = [seen.path_of(name) for name in seen.directories]
        new = [path for path in paths if path not in self._directories]
        excluded = {path for path in new if is_excluded(self._parts.preset, path)}
        self._excluded |= excluded
        new = [path for path in new if path not in excluded]
        known = self._directories[seen.path].known() if new else set()
        for path in new:
            self._directories[path] = SeenDirectory()
            # What was a link, or a file, says nothing of the directory.
            was_else = path.rpartition(b"/")[2] in known
            self._witness.met(path, None if was_else else above)
        work.extend(sorted(new))

    def _compare(
        self, seen: DirectorySeen, known: SeenDirectory, now: Micros
    ) -> DirectoryReading:
        """What is new in a directory, and what is missing."""
        names = known.known()
        new = [name for name in seen.files if name not in names]
        names.difference_update(seen.files)
        came = [name for name in new if name not in (known.pending or ())]
        if _may_be_over(seen, known, came, names):
            self._changed[seen.path] = known.names or Names()
        new.sort(reverse=True)
        settled = now - seen.mtime > UNSETTLED and not self._root.network
        # A mount goes, and where a link leads ends, with no change of the directory.
        settled = settled and {*seen.apart.values()} <= {TOO_DEEP}
        looked = self._witness.at(seen.path, now) if self._adopted else None
        if known.names is None and seen.path in (self._reported or ()):
            # Of the files that were nobody's before the start, no names are known.
            looked = None
        if known.names is None and self._witness.unrested:
            paths = {name: seen.path_of(name) for name in new}
            met = {
                name: self._witness.unrested.get(path) for name, path in paths.items()
            }
            known.pending = {name: one for name, one in met.items() if one} or None
        reading = DirectoryReading(
            seen.path, known, seen.mtime, seen.ctime, settled, new, looked
        )
        if names:
            self._miss(seen.path, known, names)
            reading.odd_gone = known.drop_odd(names)
        return reading

    def _gone(self, path: bytes, known: SeenDirectory) -> None:
        """A directory is not there any more, nor what was in it."""
        self._directories.pop(path, None)
        self._apart.pop(path, None)
        self._witness.gone(path)
        self._root.forget(path)
        if known.names is not None:
            self._miss(path, known, known.names.everything())
        if self._reported and path in self._reported:
            self._reported.discard(path)
            with self._catalogue.write(Priority.SCAN) as tx:
                unknown.replace(tx, self._root.key, path, ())

    def _miss(self, path: bytes, known: SeenDirectory, names: set[bytes]) -> None:
        """These were there; whether any was a recording is asked at the end."""
        prefix = path + b"/" if path else b""
        if known.names is not None:
            known.names.drop(names)
        self._missing.update(dict.fromkeys(prefix + name for name in names))

    def _remember(
        self, readings: Sequence[DirectoryReading], now: Micros, result: ScanResult
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
            known.pending, known.was_odd = reading.pending(), None
            self._witness.read(reading.path)
            known.mtime, known.ctime = reading.mtime, reading.ctime
            known.settled = reading.settled
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

    def _report(self, readings: Sequence[DirectoryReading], now: Micros) -> None:
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
            look_at_newest(parts, self._were_newest, now, result, self._before)
            self._before = None
            self.forget(result.overwritten)
            self._were_newest = set(result.growing)
            again = vanished.book(parts, self._missing, now, result)
        self._missing.clear()
        for path in again:
            known = self._directories.get(path.rpartition(b"/")[0])
            if known is not None:
                known.settled = False
        parts.waiting.forget_unseen(now)
        unreached = dict(result.errors)
        for apart in self._apart.values():
            unreached |= apart
        adoption.finish(
            parts, self._witness, now, believed=self._believed, unreached=unreached,
            unrested={
                path: met for path in parts.waiting.old(now) if (met := self._met_as(path))
            },
        )  # fmt: skip

    def _met_as(self, path: bytes) -> Met | None:
        """What is known of a file that is not at rest."""
        directory, _, name = path.rpartition(b"/")
        known = self._directories.get(directory)
        pending = None if known is None else known.pending
        return self._parts.waiting.grown.get(path) or (pending or {}).get(name)


def _may_be_over(
    seen: DirectorySeen, known: SeenDirectory, new: Sequence[bytes], gone: set[bytes]
) -> bool:
    """Whether a directory changed and no recording's name says why: none came, none went.
    One may have been put in the place of another."""
    return (
        known.names is not None
        and known.mtime not in (-1, seen.mtime)
        and not new
        and not (gone and gone & known.names.everything())
    )


def _blocks(
    readings: Iterable[DirectoryReading],
) -> Iterator[list[tuple[DirectoryReading, Sequence[bytes]]]]:
    """The new names of directories in blocks of bounded size."""
    block: list[tuple[DirectoryReading, Sequence[bytes]]] = []
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
