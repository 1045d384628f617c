"""What happens to footage besides being recorded: moved, put back, touched, stolen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from retention.footage.ingest.rulings import recording_resolve
from retention.model.values import DAY, HOUR, MINUTE, Micros
from retention.register.assigning import camera_assign
from tests.simulation.program import DAYS
from tests.support.premises import ADMINISTRATOR

if TYPE_CHECKING:
    from tests.simulation.disk import Take
    from tests.simulation.simulation import Simulation

Mishap = Callable[["Simulation"], None]


def every(length: Micros, act: Mishap) -> Mishap:
    """Again and again."""

    def again(sim: Simulation) -> None:
        act(sim)
        sim.at(sim.now + length, partial(again, sim))

    return lambda sim: sim.at(sim.now + length, partial(again, sim))


def once(after: Micros, act: Mishap) -> Mishap:
    """One time, so long after the beginning."""
    return lambda sim: sim.at(sim.now + after, partial(act, sim))


def tiers(sim: Simulation) -> None:
    """What is a week old goes to the second disk, with its times."""
    for take in list(sim.disk.there.values()):
        if take.root == "nvr1" and take.whole and take.end < sim.now - 7 * DAY:
            sim.told(f"moved {take.path}")
            sim.disk.move(sim.now, take, "nvr2")


def restores(sim: Simulation) -> None:
    """`cp -p` of a file that was deleted, for the police."""
    old = [
        take
        for take in sim.disk.gone
        if (take.root, take.path) not in sim.disk.there
        and take.end + DAYS * DAY < sim.now
    ]
    if old:
        take = sim.dice.choice(old)
        sim.disk.gone.remove(take)
        again = sim.disk.restore(sim.now, take, sim.program.looked.get(take.root))
        sim.told(f"put back {again.path}")
        sim.oracle.expect(again)


def times_shift(sim: Simulation) -> None:
    """A file system or a copy moves every modification time by an hour."""
    sim.disk.shift("nvr1", HOUR)


def thief(sim: Simulation) -> None:
    """Somebody removes what a hold keeps."""
    held = [
        take
        for take in sim.disk.there.values()
        if any(h.keeps(sim.now) and h.covers(take) for h in sim.people.holds)
    ]
    if held:
        take = sim.dice.choice(held)
        sim.disk.remove(sim.now, take)
        sim.oracle.expect_alarm(f"{take.path}, which a hold keeps, was removed")


def links(sim: Simulation) -> None:
    """A backup makes hard links of everything from time to time."""
    for take in _unlinked(sim):
        file = sim.program.footage / take.root / take.path
        os.link(file, sim.program.directory / f"link-{len(sim.linked)}")
        sim.linked.add(take.path)


def _unlinked(sim: Simulation) -> list[Take]:
    return [one for one in sim.disk.there.values() if one.path not in sim.linked]


def linked(sim: Simulation) -> None:
    """A camera's folder is moved to another disk, and a link is left in its place."""
    folder, other = sim.program.footage / "nvr1/c1", sim.program.directory / "other"
    folder.rename(other)
    folder.symlink_to(other)

    def back() -> None:
        folder.unlink()
        other.rename(folder)

    _out_of_reach(sim, back)


def mounted(sim: Simulation) -> None:
    """What is in a camera's folder is moved to another disk, which is mounted there."""
    folder, other = sim.program.footage / "nvr1/c1", sim.program.directory / "other"
    other.mkdir()
    _move_all(folder, other)
    subprocess.run(["mount", "--bind", other, folder], check=True)
    sim.undo.callback(subprocess.run, ["umount", "-l", folder], check=True)

    def back() -> None:
        sim.undo.close()
        _move_all(other, folder)

    _out_of_reach(sim, back)


def _move_all(old: Path, new: Path) -> None:
    for file in old.iterdir():
        file.rename(new / file.name)


def forbidden(sim: Simulation) -> None:
    """A camera's folder can't be opened."""
    _forbid(sim, b"c1")


def today_forbidden(sim: Simulation) -> None:
    """The directory of the day that begins can't be."""
    _forbid(sim, os.path.dirname(sim.disk.path("nvr1", "c1", sim.now).encode()))


def _forbid(sim: Simulation, path: bytes) -> None:
    unreadable = sim.program.steps.unreadable
    unreadable.add(path)
    _out_of_reach(sim, unreadable.clear)


def _out_of_reach(sim: Simulation, back: Callable[[], None]) -> None:
    """For a week; what is recorded meanwhile is asked for, too."""
    sim.out_of_reach("nvr1", "c1")
    sim.oracle.expect_alarm("a camera's folder is out of reach")
    since = sim.now + 6 * HOUR
    sim.at(since + DAY, lambda: sim.people.place("c1", since, since + 2 * HOUR))

    def in_reach() -> None:
        back()
        sim.in_reach("nvr1", "c1")

    sim.at(sim.now + 7 * DAY, in_reach)


def restless(sim: Simulation) -> None:
    """One file is touched again and again."""
    take = next(iter(sim.disk.there.values()), None)
    if take is not None and take.whole:
        sim.disk.grow(sim.now, take, sim.now)


def careless_shift(sim: Simulation) -> None:
    """A supervisor mistypes: nine days instead of the hours that the name is out."""
    for hold in sim.people.holds:
        for take in sim.disk.there.values():
            if hold.keeps(sim.now) and hold.covers(take):
                sim.people.rule(
                    recording_resolve, ruling="shift", shift="-9d", path=take.path
                )


def the_settings_are_corrected(sim: Simulation) -> None:
    """The recorder's name was given to the wrong camera: now the settings are right."""
    sim.program.configure({})
    sim.program.die()
    sim.oracle.expect_alarm("the settings differ from what was catalogued")
    sim.at(sim.now + DAY, partial(_assigned, sim))


def _assigned(sim: Simulation) -> None:
    for name in sim.names:
        camera_assign(
            sim.program.context(ADMINISTRATOR),
            name=f"nvr1/{name}",
            camera=name,
            reason="it was",
        )


def the_first_hour_is_held(sim: Simulation) -> None:
    """Of the autumn night: the hour that the second 01:xx overwrote."""
    first = sim.now // HOUR * HOUR - 3 * HOUR
    sim.people.place("c1", first + 10 * MINUTE, first + 50 * MINUTE)
