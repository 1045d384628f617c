"""The program on a machine whose clocks stand where the test puts them.

`python machine.py FILE ARGUMENT...` is `retention ARGUMENT...` with two numbers read from
FILE at each look at the clock: how far its wall clock is from this machine's since its
installation, and how much more time has passed since, which boot time saw as well (both
in microseconds).  So weeks pass, to the guards too; the clock is never set.  libfaketime
can't do this: with boot time it moves the clock by which threads wait, and they hang.
"""

import sys
from pathlib import Path

from retention import clock

file = Path(sys.argv.pop(1))
real = clock.read


def read() -> clock.Reading:
    off, passed = map(int, file.read_text().split())
    now = real()
    return now._replace(wall=now.wall + off + passed, boottime=now.boottime + passed)


clock.read = read

from retention.cli import main  # noqa: E402 - it may look at the clock

main()
