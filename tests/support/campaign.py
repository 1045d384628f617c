"""How much of a campaign is run, and by which draws.

A campaign tries many cases: a tenth of them or less by default, all with `--campaign`.
Which tenth, and what chance draws, hangs on the seed; each run has one of its own, which
`--seed` sets, so over the days every case has its turn.  Set in `tests/conftest.py`.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

WHOLE = False
SEED = 0
PART = 10

Case = TypeVar("Case")


def share(count: int, part: int = PART) -> int:
    """How many of so many examples to try: a smaller part of those that take long."""
    return count if WHOLE else -(-count // part)


def some(cases: Sequence[Case], what: object = "") -> Sequence[Case]:
    """All of the cases, or every tenth from a first one that the seed draws.

    `what` says whose cases they are, so that not all begin alike.
    """
    if WHOLE or not cases:
        return cases
    first = chance(what).randrange(min(PART, len(cases)))
    return cases[first::PART]


def chance(what: object = "") -> random.Random:
    """Draws that are the same for the same seed."""
    return random.Random(f"{SEED} {what}")
