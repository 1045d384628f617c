"""A long simulation on demand; its last line is a summary."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path
from random import Random

import structlog

from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, SECOND, Micros
from tests.simulation import recorders as r
from tests.simulation.simulation import DATED, FLAT, Simulation

RIGHT = (r.Recorder, r.Recorder, r.Growing)
LYING = (
    r.BehindAMonth, r.BehindForties, r.Epoch, r.Behind, r.Ahead, r.BehindGrowing,
    r.Jumping, r.EndNames, r.Backlog, r.Long, r.Misnamed, r.Silent, r.Slow,
    r.AlwaysBehind, r.Repeating,
)  # fmt: skip


def some_recorders(dice: Random, count: int, lying: float) -> list[type[r.Recorder]]:
    """So many, of which this share is lying; the last one is right."""
    kinds = [
        dice.choice(LYING if dice.random() < lying else RIGHT) for _ in range(count - 1)
    ]
    return [*kinds, r.Recorder]


def main() -> int:
    """1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--years", type=float, default=1)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lying", type=float, default=0.2, help="share of recorders")
    parser.add_argument("--holds", type=float, default=2, help="a camera and year")
    parser.add_argument("--crashes", type=float, default=0.2, help="a day")
    parser.add_argument("--troubles", type=float, default=0.05, help="a day")
    parser.add_argument("--slips", type=float, default=0.1, help="share of requests")
    parser.add_argument("--tick", type=int, default=6, help="hours between two rounds")
    parser.add_argument("--dated", action="store_true", help="a directory a day")
    parser.add_argument("--roots", type=int, default=5, help="recorders' disks")
    given = parser.parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )
    zones = {
        f"nvr{number}": ("UTC", "Europe/London")[number % 2]
        for number in range(given.roots)
    }
    kinds = some_recorders(Random(given.seed), given.cameras, given.lying)
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:
        sim = Simulation(
            Path(directory, "site"), given.seed, kinds, zones=zones, tick=given.tick * HOUR,
            busy=given.holds, crashes=given.crashes, troubles=given.troubles,
            slips=given.slips, pattern=DATED if given.dated else FLAT,
        )  # fmt: skip
        sim.program.ask_all = 7
        told = 0

        def progress(now: Micros) -> None:
            nonlocal told
            for one in sim.oracle.violations[told:]:
                print(one, flush=True)
            told = len(sim.oracle.violations)
            if (now - sim.begun) // DAY % 7 == 0:
                print(format_utc(now // SECOND * SECOND), summary(sim), flush=True)

        sim.run(int(given.years * 365) * DAY, progress)
        progress(sim.now)
        print(summary(sim), f"digest {sim.digest[:16]}")
        sim.close()
    return 1 if sim.oracle.violations else 0


def summary(sim: Simulation) -> str:
    """One line."""
    years = len(sim.cameras) * (sim.now - sim.begun) / (365 * DAY)
    alarms = ", ".join(f"{name} {n}" for name, n in sorted(sim.oracle.alarms.items()))
    return (
        f"{years:.1f} camera-years, {sim.files:,} files, {len(sim.people.holds)} holds, "
        f"{sim.oracle.deleted:,} deletions, {sim.crashed} crashes, alarms: "
        f"{alarms or 'none'}; {len(sim.oracle.violations)} violations"
    )


if __name__ == "__main__":
    sys.exit(main())
