"""Worlds in which something lies or is lost, each by what a person would say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from retention.model.values import DAY, HOUR, MINUTE, Micros
from tests.simulation import mishaps as m
from tests.simulation import recorders as r
from tests.simulation.mishaps import every, once
from tests.simulation.simulation import AUTUMN, DATED, FLAT, Simulation

NIGHT: Micros = AUTUMN + 23 * DAY + 20 * HOUR
"""24 October 2026, 20:00 UTC: the clocks go back at 01:00 UTC."""

ONE_ROOT = {"nvr1": "UTC"}
LOCAL = {"nvr1": "Europe/London"}
TWO_TIERS = {"nvr1": "UTC", "nvr2": "UTC"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """`seed`: one by which the fault shows where its mending is taken out; `root`:
    who plays it must be."""

    recorders: tuple[type[r.Recorder], ...]
    length: Micros = 34 * DAY
    mishap: m.Mishap | None = None
    zones: dict[str, str] = field(default_factory=lambda: ONE_ROOT)
    tick: Micros = 6 * HOUR
    begin: Micros = AUTUMN
    first: Micros = 0
    names: dict[str, str] = field(default_factory=dict)
    pattern: str = FLAT
    busy: float = 60
    troubles: float = 0
    slips: float = 0
    quiet: bool = False
    seed: int = 1
    root: bool = False

    def play(self, directory: Path, seed: int) -> Simulation:
        """The whole story; the caller closes it."""
        sim = Simulation(
            directory, seed, self.recorders, zones=self.zones, tick=self.tick,
            busy=self.busy, troubles=self.troubles, slips=self.slips,
            quiet=self.quiet, begin=self.begin, first=self.first, names=self.names,
            pattern=self.pattern,
        )  # fmt: skip
        if self.mishap is not None:
            self.mishap(sim)
        sim.run(self.length)
        return sim


SCENARIOS = {
    "the clock of a recorder is 20 days behind": Scenario((r.BehindWeeks,) * 2),
    "the clock of a recorder is 29 days behind": Scenario((r.BehindAMonth,) * 2),
    "the clock of a recorder is 40 days behind": Scenario((r.BehindForties,) * 2),
    "a recorder believes that it is 1970": Scenario((r.Epoch,) * 2),
    "the clock of a recorder is 20 minutes behind": Scenario((r.Behind,) * 2),
    "a clock 20 minutes behind, and files written in place": Scenario(
        (r.BehindGrowing,) * 2
    ),
    "the clock of a recorder is 40 minutes ahead": Scenario((r.Ahead,) * 2),
    "the clock of a recorder jumps about": Scenario((r.Jumping,) * 2),
    "the clock of a recorder jumps about, and names come again": Scenario(
        (r.Repeating,) * 2, 60 * DAY, busy=10
    ),
    "a recorder names its files by their ends": Scenario((r.EndNames,) * 2),
    "files come two days late and are right": Scenario((r.Backlog,) * 2),
    "a file is put back for the police": Scenario(
        (r.Recorder,) * 2, mishap=every(DAY, m.restores)
    ),
    "files are moved to a second disk": Scenario(
        (r.Recorder,) * 3, zones=TWO_TIERS, busy=4, quiet=True,
        mishap=every(DAY, m.tiers),
    ),
    "a file is 40 hours long": Scenario((r.Long,) * 2),
    "a supervisor mistypes a shift": Scenario(
        (r.Misnamed,) * 2, 45 * DAY, mishap=every(5 * DAY, m.careless_shift)
    ),
    "somebody removes what a hold keeps": Scenario(
        (r.Recorder,) * 2, 20 * DAY, mishap=every(5 * DAY, m.thief)
    ),
    "all modification times move by an hour": Scenario(
        (r.Recorder,) * 2, busy=1, mishap=once(20 * DAY, m.times_shift)
    ),
    "a backup makes hard links of everything": Scenario(
        (r.Recorder,) * 2, mishap=every(DAY, m.links)
    ),
    "a file never rests": Scenario((r.Recorder,) * 2, busy=1, mishap=every(5 * HOUR, m.restless)),
    "the second 01:xx overwrites the first": Scenario(
        (r.Overwriting, r.ShortFiles), DAY, begin=NIGHT, tick=10 * MINUTE, zones=LOCAL,
        mishap=once(7 * HOUR, m.the_first_hour_is_held),
    ),
    "the service starts after the autumn night": Scenario(
        (r.Minutes,), 10 * HOUR, begin=NIGHT, first=8 * HOUR + MINUTE,
        tick=10 * MINUTE, zones=LOCAL, quiet=True,
    ),
    "a camera's folder is moved to another disk, and linked": Scenario(
        (r.Recorder,) * 2, mishap=once(5 * DAY, m.linked)
    ),
    "the directory of a day can't be read for a week": Scenario(
        (r.Growing, r.Recorder), pattern=DATED, mishap=once(5 * DAY, m.today_forbidden)
    ),
    "the clock jumps about, and each day has a directory": Scenario(
        (r.Jumping, r.Recorder), pattern=DATED
    ),
    "files are put back, and each day has a directory": Scenario(
        (r.Recorder,) * 2, pattern=DATED, mishap=every(DAY, m.restores)
    ),
    "a camera's folder is another mount for a week": Scenario(
        (r.Growing, r.Recorder), mishap=once(5 * DAY, m.mounted), root=True,
    ),
    "a camera's folder can't be read for a week": Scenario(
        (r.Growing, r.Recorder), mishap=once(5 * DAY, m.forbidden)
    ),
    "now and then nothing can be written": Scenario((r.Recorder, r.Growing), troubles=1),
    "requests break off in the middle": Scenario((r.Backlog, r.Recorder), slips=0.5),
    "people know that a recorder's clock is 20 minutes behind": Scenario(
        (r.AlwaysBehind,) * 2
    ),
    "a recorder always delivers three hours late": Scenario((r.Slow,) * 2),
    "a recorder's name was given to the wrong camera": Scenario(
        (r.Recorder,) * 2, names={"c1": "c2"},
        mishap=once(5 * DAY, m.the_settings_are_corrected),
    ),
}  # fmt: skip
