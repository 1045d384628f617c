"""What a scan remembers of a footage root: directories, and which names need no look.

Lives in memory only and is rebuilt by the first scan.  Names are kept compressed: a
hundred busy cameras are 24 million files, of which nothing else is kept.  Unknown files
are summed up by directory and reason, and never touched (promise P8).
"""

import zlib
from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from retention.catalogue.unknown import Unknown
from retention.footage.read import look
from retention.footage.roots import OpenRoot
from retention.model.values import MINUTE, Micros

_NONE: frozenset[bytes] = frozenset()
_LOOSE = 1_000  # names added or dropped before a blob is made anew


class Names:
    """A set of file names: one compressed blob, and the few that moved since."""

    __slots__ = ("_added", "_blob", "_dropped")

    def __init__(self, names: Iterable[bytes] = ()) -> None:
        self._blob = b""
        self._added = frozenset(names)
        self._dropped = _NONE
        self._pack()

    def everything(self) -> set[bytes]:
        """All names, as a set of the caller's own."""
        names = set(zlib.decompress(self._blob).split(b"\0")) if self._blob else set()
        names -= self._dropped
        names |= self._added
        return names

    def add(self, names: Iterable[bytes]) -> None:
        """These are known from now on."""
        fresh = frozenset(names)
        self._dropped -= fresh
        self._added |= fresh
        self._settle()

    def drop(self, names: Iterable[bytes]) -> None:
        """These are not known any more: met again, they are new."""
        gone = frozenset(names)
        self._added -= gone
        if self._blob:
            self._dropped |= gone
        self._settle()

    def _settle(self) -> None:
        if len(self._added) + len(self._dropped) > _LOOSE:
            self._pack()

    def _pack(self) -> None:
        names = self.everything()
        # Level 1: at 20,000 names a higher one costs more than reading the directory.
        self._blob = zlib.compress(b"\0".join(sorted(names)), 1) if names else b""
        self._added = self._dropped = _NONE  # one object for 33,000 directories


class Met(NamedTuple):
    """A name that is not done with: its file may still be written.

    `absent_at` is the last look at which it was not there, None where no look says.
    `delay`: how long after its own time something of it arrived.  `size` is that of the
    last look, at `at` by a believed clock; -1 before the first.  `grew`: something of it
    came after the first.
    """

    absent_at: Micros | None = None
    delay: Micros | None = None
    size: int = -1
    at: Micros | None = None
    grew: bool = False

    def inspection(self, size: int, own: Micros, at: Micros | None) -> "Met":
        """Its file is looked at: what came since the look before was not there then,
        and says of itself that it is of `own`."""
        since = self.absent_at if self.size < 0 else self.at
        delay = self.delay
        if since is not None and size != self.size:
            delay = since - own if delay is None else max(delay, since - own)
        grew = self.grew or 0 <= self.size < size
        return Met(self.absent_at, delay, size, self.at if at is None else at, grew)


class SeenDirectory:
    """One directory as it was read last.

    `mtime` and `ctime` are from before its names were read; `settled` says that a
    directory which still has both needs no reading.  `names` need no look at all; `odd` are the
    names of files that are nobody's, by reason, `was_odd` those that may be somebody's
    by now; `pending` are met and not done with.
    """

    __slots__ = ("ctime", "mtime", "names", "odd", "pending", "settled", "was_odd")

    def __init__(self) -> None:
        self.mtime = self.ctime = -1
        self.settled = False
        self.names: Names | None = None
        self.odd: dict[str, Names] | None = None
        self.was_odd: dict[str, Names] | None = None
        self.pending: dict[bytes, Met] | None = None

    def known(self) -> set[bytes]:
        """Every name in it that was dealt with."""
        found = self.names.everything() if self.names else set()
        for names in (self.odd or {}).values():
            found |= names.everything()
        return found

    def add_odd(self, reason: str, names: Iterable[bytes]) -> None:
        """Files of these names are nobody's."""
        if self.odd is None:
            self.odd = {}
        self.odd.setdefault(reason, Names()).add(names)

    def drop_odd(self, gone: set[bytes]) -> bool:
        """These names are gone; True where some were nobody's."""
        found = False
        for reason, names in list((self.odd or {}).items()):
            left = names.everything()
            if not left.isdisjoint(gone):
                found = True
                names.drop(gone & left)
                if left <= gone and self.odd is not None:
                    del self.odd[reason]
        return found

    def forget_odd(self) -> None:
        """The register changed: what was nobody's may be somebody's now."""
        if self.odd:
            self.was_odd, self.odd = self.odd, None
            self.settled = False


class _Wait(NamedTuple):
    start: Micros
    size: int
    mtime: Micros
    since: Micros
    seen: Micros


class Waiting:
    """Files that may still be written: not recordings yet, looked at in every scan.

    `grown`, by path: what is known of those that are recordings, and written on.
    """

    def __init__(self, stable_after: Micros, *, network: bool) -> None:
        self._stable_after = stable_after
        # Attributes on a network file system may be a minute old.
        self._stale = 2 * MINUTE if network else 0
        self._files: dict[Hashable, dict[bytes, _Wait]] = {}
        self.grown: dict[bytes, Met] = {}

    def surely_quiet(self, now: Micros) -> Micros:
        """A file last written by then, and never met while it was open, is finished."""
        return now - max(self._stable_after, self._stale)

    def knows(self, slot: Hashable) -> bool:
        """Whether any file of the slot was met while it was open."""
        return slot in self._files

    def is_quiet(
        self, slot: Hashable, path: bytes, start: Micros, size: int, mtime: Micros,
        now: Micros,
    ) -> bool:  # fmt: skip
        """Whether `stable_after` has passed since size and mtime stopped changing.

        An mtime in the future says nothing: then it counts from the first look.
        """
        files = self._files.get(slot)
        before = None if files is None else files.get(path)
        if before is None:
            since = mtime if mtime <= now - self._stale else now
        elif (before.size, before.mtime) == (size, mtime):
            since = before.since
        else:
            since = now
        if now - since >= self._stable_after:
            if files is not None and before is not None:
                del files[path]
                if not files:
                    del self._files[slot]
            return True
        wait = _Wait(start, size, mtime, since, now)
        self._files.setdefault(slot, {})[path] = wait
        return False

    def grew(self, path: bytes, size: int, own: Micros, looked: Micros | None) -> None:
        """A recording is written on: the look before was at `looked`, and what came since
        says of itself that it is of `own`."""
        met = self.grown.get(path) or Met(looked)
        self.grown[path] = met._replace(at=looked).inspection(size, own, None)

    def delay(self, path: bytes) -> Micros | None:
        """How long after its own time a part of it came, where that was seen."""
        met = self.grown.get(path)
        return None if met is None else met.delay

    def old(self, now: Micros) -> Iterator[bytes]:
        """Files that were not at rest at a look long after they say that they were."""
        quiet = self.surely_quiet(now)
        for files in self._files.values():
            yield from (path for path, wait in files.items() if wait.mtime <= quiet)

    def starts(self, slot: Hashable) -> list[Micros]:
        """When the open files of one slot begin."""
        return [wait.start for wait in self._files.get(slot, {}).values()]

    def restless(self, before: Micros) -> list[bytes]:
        """Files that began before then and are written on all the same."""
        return [
            path
            for files in self._files.values()
            for path, wait in files.items()
            if wait.start < before
        ]

    def forget_unseen(self, now: Micros) -> None:
        """Drop the files that a complete scan at `now` did not meet."""
        for slot, files in list(self._files.items()):
            left = {path: wait for path, wait in files.items() if wait.seen >= now}
            if left:
                self._files[slot] = left
            else:
                del self._files[slot]
        if self.grown:
            still = {path for files in self._files.values() for path in files}
            self.grown = {path: self.grown[path] for path in still & self.grown.keys()}


def summarise(
    root: OpenRoot, path: bytes, directory: SeenDirectory, now: Micros
) -> list[Unknown]:
    """The unknown files of a directory, one row a reason."""
    found = []
    prefix = path + b"/" if path else b""
    for reason, names in (directory.odd or {}).items():
        sizes, mtimes, example = 0, [now], b""
        everything = names.everything()
        for name in everything:
            try:
                there = look(root, prefix + name)
            except OSError:
                continue
            if there is not None:
                sizes += there.size
                mtimes.append(there.mtime)
        if everything:
            example = min(everything)
            found.append(
                Unknown(
                    root.key, path, reason, example, len(everything), sizes,
                    min(mtimes), now,
                )
            )  # fmt: skip
    return found
