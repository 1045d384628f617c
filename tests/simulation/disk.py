"""Footage roots in memory: real files, and beside each what is true of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from retention.model.values import SECOND, Micros


@dataclass(slots=True, eq=False)
class Take:
    """One file: what was filmed and when, what it says of itself, when it came.

    `named` is the instant that its name says, `mtime` what its recorder gave it last.
    `arrived`: its last byte was there under this name; `looked`: the program's last look
    at its root before that.  `late`: that look was after all that it says of itself.
    """

    camera: str
    start: Micros
    end: Micros
    root: str
    path: str
    named: Micros
    mtime: Micros
    size: int
    arrived: Micros
    looked: Micros | None
    gone: Micros | None = None
    taken: bool = False
    """Gone, and not by the program."""
    whole: bool = True
    ruled: Micros | None = None
    """Since when a person vouches for its times: only its own end counts then."""
    ends_only: bool = False
    """Its name says when it ended."""

    @property
    def error(self) -> Micros:
        """By how much it is wrong about itself, and nobody has said so."""
        if self.ruled is not None:
            return 0
        return max(abs(self.named - self.start), abs(self.mtime - self.end))

    def contradicts(self, longest: Micros, tolerance: Micros) -> bool:
        """Whether name and modification time, or its coming, can't both be right."""
        return (
            self.mtime > self.arrived + tolerance
            or self.named > self.mtime + tolerance
            or self.mtime > self.named + longest + tolerance
            or self.ends_only
        )

    def late(self, tolerance: Micros) -> bool:
        """Whether somebody who looked could know that it came long after its own end."""
        return self.looked is not None and self.mtime + tolerance < self.looked

    def overlaps(self, since: Micros, until: Micros) -> bool:
        return self.start < until and self.end > since


class Disk:
    """Roots below a directory, each with the zone of its names; `pattern`: how a file is
    named in its camera's folder."""

    def __init__(self, directory: Path, zones: dict[str, str], pattern: str) -> None:
        self.directory = directory
        self._pattern = pattern
        self._zones = {root: ZoneInfo(zone) for root, zone in zones.items()}
        self.there: dict[tuple[str, str], Take] = {}
        self.gone: list[Take] = []
        self._tick = 0

    def path(self, root: str, folder: str, named: Micros) -> str:
        """Where a recorder puts what it names by that instant."""
        local = datetime.fromtimestamp(named // SECOND, self._zones[root])
        return f"{folder}/{local.strftime(self._pattern)}.mp4"

    def write(self, now: Micros, take: Take) -> Take:
        """A file as a recorder leaves it; whatever had its name is overwritten."""
        self._end(self.there.get((take.root, take.path)), now, taken=True)
        self.there[take.root, take.path] = take
        file = self._file(take)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"x" * take.size)
        self._touch(take)
        self.settle([take], now)
        return take

    def grow(self, now: Micros, take: Take, mtime: Micros) -> None:
        """So much more is in it, unless somebody removed it meanwhile."""
        file = self._file(take)
        if take.gone is None and file.exists():
            take.size += 1
            file.write_bytes(b"x" * take.size)
            take.mtime = mtime
            self._touch(take)

    def move(self, now: Micros, take: Take, root: str) -> None:
        """To another root, as `mv` does it: with its times."""
        old, new = self._file(take), self.directory / root / take.path
        new.parent.mkdir(parents=True, exist_ok=True)
        old.rename(new)
        del self.there[take.root, take.path]
        self.settle([take], now)
        take.root = root
        self.there[root, take.path] = take
        self.settle([take], now)

    def restore(self, now: Micros, take: Take, looked: Micros | None) -> Take:
        """A copy that somebody kept, put back where it was with its times."""
        again = replace(take, gone=None, arrived=now, looked=looked, ruled=None)
        return self.write(now, again)

    def remove(self, now: Micros, take: Take) -> None:
        """By somebody other than the program."""
        self._file(take).unlink()
        self._end(take, now, taken=True)
        self.settle([take], now)

    def shift(self, root: str, by: Micros) -> None:
        """All modification times of a root move, as a file system or a copy does it."""
        for take in self.there.values():
            if take.root == root:
                take.mtime += by
                self._touch(take)

    def missing(self) -> list[Take]:
        """Files that should be there and are not: the program's doing."""
        found = {(root, path) for root in self._zones for path in self._listed(root)}
        return [take for key, take in self.there.items() if key not in found]

    def note_deleted(self, takes: Iterable[Take], now: Micros) -> None:
        """The program removed these."""
        takes = list(takes)
        for take in takes:
            self._end(take, now, taken=False)
        self.settle(takes, now)

    def settle(self, takes: Iterable[Take], now: Micros) -> None:
        """Their directories changed at this instant of the simulation, not of ours."""
        for take in {self._file(take).parent: take for take in takes}.values():
            above = Path(take.root, take.path).parents
            for folder in above[:-1]:
                self._changed(self.directory / folder, now)

    def touch(self, root: str, now: Micros) -> None:
        """The same of a root itself."""
        self._changed(self.directory / root, now)

    def _changed(self, directory: Path, now: Micros) -> None:
        self._tick += 1
        at = (now + self._tick % SECOND) * 1000
        with suppress(FileNotFoundError):  # the program removes what is empty
            os.utime(directory, ns=(at, at))

    def _end(self, take: Take | None, now: Micros, *, taken: bool) -> None:
        if take is not None:
            take.gone, take.taken = now, taken
            del self.there[take.root, take.path]
            self.gone.append(take)

    def _listed(self, root: str) -> Iterator[str]:
        above = self.directory / root
        for folder, _, names in os.walk(above, followlinks=True):
            yield from (os.path.relpath(os.path.join(folder, n), above) for n in names)

    def _file(self, take: Take) -> Path:
        return self.directory / take.root / take.path

    def _touch(self, take: Take) -> None:
        at = take.mtime * 1000
        os.utime(self._file(take), ns=(at, at))
