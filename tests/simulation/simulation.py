"""Events in order of time, drawn from one seed: the same seed is the same story."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from heapq import heappop, heappush
from pathlib import Path
from random import Random
from unittest import mock

from retention.control import members
from retention.model.values import DAY, FOREVER, HOUR, MINUTE, SECOND, Micros
from tests.simulation.disk import Disk, Take
from tests.simulation.oracle import Oracle
from tests.simulation.people import People
from tests.simulation.program import DAYS, FULL, LOCKED, Program
from tests.simulation.recorders import Recorder
from tests.support.control_room import ANNA, BEN, CARA
from tests.support.premises import ADMINISTRATOR, Crash

AUTUMN: Micros = 1_790_812_800 * SECOND  # 1 October 2026, 00:00:00 UTC
FLAT, DATED = "%Y-%m-%d_%H-%M-%S", "%Y-%m-%d/%H-%M-%S"
"""Files in a camera's own folder, or in one of each day below it."""


def _members(_: object, role: str) -> list[str]:
    return sorted(
        str(one.name) for one in (ANNA, BEN, CARA, ADMINISTRATOR) if one.role == role
    )


class Simulation:
    """A site: one recorder a camera, people, the program, and who looks on."""

    def __init__(
        self,
        directory: Path,
        seed: int,
        recorders: Sequence[type[Recorder]],
        *,
        zones: dict[str, str] | None = None,
        tick: Micros = 3 * HOUR,
        busy: float = 6,
        crashes: float = 0,
        troubles: float = 0,
        slips: float = 0,
        begin: Micros = AUTUMN,
        first: Micros = 0,
        names: dict[str, str] | None = None,
        pattern: str = FLAT,
        quiet: bool = True,
    ) -> None:
        """`tick` is between two rounds of the program: where nothing happens, more would
        be the same.  `busy`: holds a camera and year.  How many a day: `crashes`, and
        `troubles`, in which from some step of a round on nothing can be written.
        `slips`: the share of people's requests in which the process dies.  The service
        is started `first` after the beginning; `names` are recorders' names
        that the settings give to other cameras, `pattern` how they name their files;
        `quiet`: nothing needs a person, if
        all recorders are right."""
        self.dice = Random(seed)
        self.mischief = Random(f"{seed} mischief")
        self.linked: set[str] = set()
        self.undo = ExitStack()
        # Whoever takes part is in the group of their role, as this machine's are not.
        self._groups = mock.patch.object(members, "of", _members)
        self._groups.start()
        self.reached: dict[tuple[str, str], Micros] = {}
        """Since when the program can reach a camera's folder that it could not."""
        self.tick, self.crashes = tick, crashes
        self.troubles, self.slips = troubles, slips
        self.files = self.crashed = self.slipped = 0
        self.disturbed: list[Micros] = []
        """The rounds that did not come to their end, for a crash or a trouble."""
        self._events: list[tuple[Micros, int, Callable[[], None]]] = []
        self._number = 0
        self._trace = hashlib.sha256()
        self.cameras = [f"c{number}" for number in range(1, len(recorders) + 1)]
        zones = zones or {"nvr1": "UTC", "nvr2": "Europe/London"}
        self.now = self.begun = begin
        self.names = names or {}
        self.program = Program(
            directory, zones, self.cameras, begin, self.names,
            "{camera}/" + pattern + ".mp4",
        )  # fmt: skip
        self.disk = Disk(self.program.footage, zones, pattern)
        self.oracle = Oracle(self)
        self.at(self.now + first, self.round)
        self.at(self.now + first, self.beat)
        self.people = People(self, busy)
        self.recorders = [
            kind(self, camera, list(zones)[number % len(zones)])
            for number, (kind, camera) in enumerate(
                zip(recorders, self.cameras, strict=True)
            )
        ]
        self.liars = {one.camera for one in self.recorders if not one.right}
        self.all_right = quiet and all(one.right for one in self.recorders)

    def at(self, when: Micros, act: Callable[[], None]) -> None:
        """Let something happen; of what is at the same instant, the first told is first."""
        self._number += 1
        heappush(self._events, (when, self._number, act))

    def told(self, what: str) -> None:
        """Part of the story."""
        self._trace.update(f"{self.now} {what}\n".encode())

    @property
    def digest(self) -> str:
        """Of the story until now."""
        return self._trace.hexdigest()

    def run(
        self, length: Micros, progress: Callable[[Micros], None] | None = None
    ) -> None:
        """Until so much later; then a round in which nothing fails ends what is open."""
        until = self.now + length
        with self.program.steps.watched():
            while self._events[0][0] <= until:
                at, _, act = heappop(self._events)
                if progress is not None and at // DAY != self.now // DAY:
                    progress(at)
                self.now = self.program.now = at
                act()
            if self.troubles:
                self.troubles = 0
                self.round()
        self.oracle.end()

    # -- files ----------------------------------------------------------------------

    def arrive(self, take: Take) -> Take:
        """A file appears."""
        self.files += 1
        self.disk.write(self.now, take)
        if take.whole:
            self.arrived(take)
        return take

    def arrived(self, take: Take) -> None:
        """A file is whole now."""
        take.arrived, take.looked = self.now, self.looked(take)
        self.told(f"file {take.root}/{take.path}")
        if take.gone is None:
            self.oracle.expect(take)

    def looked(self, take: Take) -> Micros | None:
        """When the program last saw the folder of a file."""
        looked = self.program.looked.get(take.root)
        since = self.reached.get((take.root, take.camera), 0)
        return None if looked is None or looked < since else looked

    def out_of_reach(self, root: str, camera: str) -> None:
        """The program can't come to a camera's folder any more."""
        self._reach(root, camera, FOREVER)

    def in_reach(self, root: str, camera: str) -> None:
        """It can again."""
        self._reach(root, camera, self.now)

    def _reach(self, root: str, camera: str, since: Micros) -> None:
        self.told(f"{root}/{camera} is in reach from {since}")
        self.reached[root, camera] = since
        self.disk.touch(root, self.now)

    def look_at(self, when: Micros, root: str) -> None:
        """Have the program look at a root, where something hangs on it."""
        self.at(when, partial(self._look, root, 2))

    def _look(self, root: str, again: int) -> None:
        """What is open is looked at again soon, as the daemon does."""
        if self.program.scan(root) and again:
            self.at(self.now + MINUTE, partial(self._look, root, again - 1))

    def is_old(self, folder: str, named: Micros) -> bool:
        """Whether what is called so was filmed long ago, by somebody who watches it."""
        takes = self.disk.there.values()
        return all(
            take.end + DAYS * DAY <= self.now
            for take in takes
            if take.path.startswith(f"{folder}/") and take.named == named
        )

    # -- the program ----------------------------------------------------------------

    def round(self) -> None:
        """One round of the program; it may die in the middle."""
        self.at(self.now + self.tick, self.round)
        steps = self.program.steps
        if self.dice.random() < self.crashes * self.tick / DAY:
            steps.left = self.dice.randrange(12)
        elif self.mischief.random() < self.troubles * self.tick / DAY:
            steps.left = self.mischief.randrange(12)
            steps.trouble = self.mischief.choice((LOCKED, FULL))
            self.disturbed.append(self.now)
            self.told(steps.trouble)
        try:
            self.program.round(self.now)
        except Crash:
            self.crashed += 1
            self.disturbed.append(self.now)
            self.told("crash")
            self.program.die()
        steps.left = steps.trouble = None
        for root in self.program.open:
            self.look_at(self.now + MINUTE, root)
        self.oracle.look()

    def beat(self) -> None:
        """The service lives."""
        self.at(self.now + HOUR, self.beat)
        self.program.beat(self.now)

    def close(self) -> None:
        self._groups.stop()
        self.undo.close()
        self.program.close()
