"""Recorders, right and lying: each writes files of one camera into one root."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from retention.model.values import DAY, HOUR, MINUTE, SECOND, Micros
from tests.simulation.disk import Take

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation


class Recorder:
    """A right one: it names a file by its start and renames it once it is complete."""

    right = True
    looks: tuple[int, ...] = ()
    """Minutes from the end of a file at which the program looks besides."""

    ruling: Mapping[str, str] = MappingProxyType({})
    """What somebody who knows it says of its times, and since when."""

    vouched: Micros | None = None

    ends_only = False
    length: Micros = 4 * HOUR

    def __init__(self, sim: Simulation, camera: str, root: str) -> None:
        self.sim, self.camera, self.root = sim, camera, root
        self.begin()

    def shown(self, at: Micros) -> Micros:
        """What its clock shows at an instant."""
        return at

    def begin(self) -> None:
        """The next file begins now; no two are of the same length."""
        start = self.sim.now
        end = start + self.lasts()
        self.sim.at(end, partial(self.finish, start))
        self.look_around(end)

    def lasts(self) -> Micros:
        """How long the next file is."""
        return self.length + self.sim.dice.randrange(-30, 30) * SECOND

    def look_around(self, at: Micros) -> None:
        """The program looks more often than the simulation lets it everywhere."""
        for minutes in self.looks:
            self.sim.look_at(at + minutes * MINUTE, self.root)

    def finish(self, start: Micros) -> None:
        self.deliver(self.take(start, self.sim.now))
        self.begin()

    def take(self, start: Micros, end: Micros) -> Take:
        """What it filmed in that time, as it will be on the disk."""
        named = self.named(start, end)
        return Take(
            self.camera, start, end, self.root,
            self.sim.disk.path(self.root, self.camera, named), named, self.shown(end),
            self.sim.dice.randint(1, 20), 0, None, ends_only=self.ends_only,
        )  # fmt: skip

    def named(self, start: Micros, end: Micros) -> Micros:
        return self.shown(start)

    def deliver(self, take: Take) -> None:
        self.sim.arrive(take)


class Growing(Recorder):
    """Writes in place, a part at a time: buffers longer than a file seems at rest."""

    parts = 4

    def begin(self) -> None:
        start = self.sim.now
        take = self.take(start, start + SECOND)
        take.whole = False
        self.sim.arrive(take)
        part = self.length // self.parts
        for number in range(1, self.parts + 1):
            at = start + number * part
            self.sim.at(at, partial(self.grow, take, number == self.parts))
            self.look_around(at)

    def grow(self, take: Take, last: bool) -> None:
        take.end = self.sim.now
        self.sim.disk.grow(self.sim.now, take, self.shown(self.sim.now))
        if last:
            take.whole = True
            self.sim.arrived(take)
            self.begin()


class Silent(Recorder):
    """Without a picture for days now and then, which is nothing that is wrong about a
    file."""

    right = False

    def begin(self) -> None:
        if self.sim.dice.random() < 0.02:
            self.sim.at(self.sim.now + self.sim.dice.randint(1, 9) * DAY, super().begin)
        else:
            super().begin()


LATE_BUT_RIGHT = MappingProxyType({"ruling": "times_right"})


class Lying(Recorder):
    """One whose clock is `off`, on its files' names and on the disk it serves, after
    some days in which it was right."""

    right = False
    off: Micros = 0
    honest: Micros = 2 * DAY

    def shown(self, at: Micros) -> Micros:
        return at if at < self.sim.begun + self.honest else at + self.off


class BehindAMonth(Lying):
    """The clock is 29 days behind."""

    off = -29 * DAY


class BehindWeeks(Lying):
    """The clock is 20 days behind: nothing is due when it comes."""

    off = -20 * DAY


class BehindForties(Lying):
    """The clock is 40 days behind."""

    off = -40 * DAY


class Epoch(Lying):
    """The clock began anew in 1970."""

    off = -20_700 * DAY


class Behind(Lying):
    """The clock is 20 minutes behind."""

    off = -20 * MINUTE
    looks = (-2,)


class AlwaysBehind(Behind):
    """The clock was 20 minutes behind from the first file on, and people know it."""

    honest = 0
    by = "20 min"
    ruling = MappingProxyType({"ruling": "shift", "shift": by})


class Slow(Recorder):
    """Right, but each of its files comes three hours late; once somebody has said so,
    none of them is late any more."""

    right = False
    looks = (175, 181)
    ruling = LATE_BUT_RIGHT

    def deliver(self, take: Take) -> None:
        self.sim.at(self.sim.now + 3 * HOUR, partial(self._late, take))

    def _late(self, take: Take) -> None:
        """What was ruled while it was on its way is true of it, too."""
        take.ruled = self.vouched
        self.sim.arrive(take)


class Ahead(Lying):
    """The clock is 40 minutes ahead."""

    off = 40 * MINUTE
    looks = (1, 2)


class BehindGrowing(Growing, Lying):
    """Written in place by a clock that is 20 minutes behind."""

    off = -20 * MINUTE
    looks = (-2,)
    parts = 2


class Jumping(Lying):
    """The clock jumps now and then, and is put right days later."""

    looks = (-2, 2)

    def begin(self) -> None:
        if self.sim.dice.random() < 0.05:
            jumps = [-3 * HOUR, -2 * DAY, -35 * DAY, 3 * HOUR, 2 * DAY]
            self.off = 0 if self.off else self.sim.dice.choice(jumps)
        super().begin()


class Repeating(Jumping):
    """The same, with files so regular that their names come again, but not to the byte."""

    def lasts(self) -> Micros:
        return self.length

    def take(self, start: Micros, end: Micros) -> Take:
        take = super().take(start, end)
        take.size = self.sim.dice.randint(1, 10**4)
        return take


class EndNames(Lying):
    """Its names say when a recording ended; no zone is out by two hours and ten minutes."""

    length = 130 * MINUTE

    ends_only = True

    def named(self, start: Micros, end: Micros) -> Micros:
        return end


class Misnamed(Lying):
    """Its names are seven hours ahead, as one in another zone; the disk has a clock of
    its own, which is right."""

    def named(self, start: Micros, end: Micros) -> Micros:
        return start + 7 * HOUR


class Long(Recorder):
    """Files of 40 hours, which nobody told the program."""

    right = False
    length = 40 * HOUR
    ruling = LATE_BUT_RIGHT


class Backlog(Recorder):
    """Right, but its files wait for days now and then, and come all at once."""

    right = False
    ruling = LATE_BUT_RIGHT

    def __init__(self, sim: Simulation, camera: str, root: str) -> None:
        self.waiting: list[Take] = []
        self.until: Micros = 0
        super().__init__(sim, camera, root)

    def deliver(self, take: Take) -> None:
        now = self.sim.now
        if now >= self.until and self.sim.dice.random() < 0.02:
            self.until = now + self.sim.dice.randint(4, 60) * HOUR
        self.waiting.append(take)
        if now >= self.until:
            for one in self.waiting:
                self.sim.arrive(one)
            self.waiting = []


class ShortFiles(Recorder):
    """Files of ten minutes, as the autumn night needs them."""

    length = 10 * MINUTE


class Minutes(Recorder):
    """Files of a minute and a second: in autumn no name comes twice."""

    length = MINUTE + SECOND

    def lasts(self) -> Micros:
        return self.length


class Overwriting(ShortFiles):
    """Names in local time without an offset: in autumn the second 01:xx overwrites."""

    right = False

    def lasts(self) -> Micros:
        """On the full ten minutes, so that names meet."""
        return self.length
