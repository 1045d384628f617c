"""The program on a machine of the test's own.

`python machine.py FILE ARGUMENT...` is `retention ARGUMENT...`, but what the service does
every second it does five times a second, so that nobody waits for it.  Beside FILE, in
`rounds`, it says of each root when its last scan and its last cycle began, by the clock
that only goes on.

FILE has two numbers that are read at each look at the clock: how far
its wall clock is from this machine's since its installation, and how much more time has
passed since, which boot time saw as well (both in microseconds).  So weeks pass, to the
guards too; the clock is never set.  A preloaded
library can't do this: with boot time it would move the clock by which threads wait.
"""

import sys
import time
from pathlib import Path

from retention.model.values import SECOND
from retention.site import clock

file = sys.argv.pop(1)
real = clock.read


def read() -> clock.Reading:
    off, passed = map(int, Path(file).read_text().split())
    now = real()
    return now._replace(wall=now.wall + off + passed, boottime=now.boottime + passed)


clock.read = read


def told(what):
    """As it was, and whoever waits is told when it began that ended just now."""

    def do(self, stop):
        begun = time.monotonic()
        result = what(self, stop)
        rounds = Path(file).with_name("rounds")
        rounds.mkdir(exist_ok=True)
        new = rounds / f"{self.name}.{what.__name__}.new"
        new.write_text(str(begun))
        new.rename(new.with_suffix(""))
        return result

    return do


if "run" in sys.argv:
    from retention.service import schedule
    from retention.service.root_work import RootWork

    RootWork.scan, RootWork.cycle = told(RootWork.scan), told(RootWork.cycle)
    every = schedule.Every
    schedule.Every = lambda span: every(SECOND // 5 if span == SECOND else span)

from retention.cli import main  # noqa: E402 - it may look at the clock

main()
