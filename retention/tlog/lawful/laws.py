"""The laws that a log is held against, each with its number, name and sentence; and what
was found."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


class Law(NamedTuple):
    """A law: `rule` is what it says, `name` its scope where it is an alarm."""

    number: int
    name: str
    rule: str


_ALL = (
    Law(1, "kind", "an entry has the fields, types and rows that its kind declares"),
    Law(2, "chain", "an entry names the one before it, its site and who did it"),
    Law(3, "time", "time goes forward while the clock is believed, within 5 seconds"),
    Law(4, "hold", "nothing is deleted under a hold in force when it was intended"),
    Law(5, "period", "nothing is deleted before its period is over"),
    Law(6, "twice", "nothing is deleted twice without having come again in between"),
    Law(7, "counts", "of no camera and day more is gone than was there"),
    Law(8, "batch", "each intent has one completion, before the next of its root"),
    Law(
        9,
        "release",
        "a hold ends by two people where the rules want two, the second after the first, "
        "while it stands, and then cools off",
    ),
    Law(10, "approval", "a shorter period or weaker rule was proposed and approved"),
    Law(
        11, "role", "who did it had a role that allows it, and is known to have had it"
    ),
    Law(12, "heartbeat", "a heartbeat counts as many recordings as the books have"),
)

LAWS = {law.name: law for law in _ALL}

(
    KIND, CHAIN, TIME, HOLD, PERIOD, TWICE, COUNTS, BATCH, RELEASE, APPROVAL, ROLE,
    HEARTBEAT,
) = LAWS  # fmt: skip

LISTED = 1_000
"""More violations than these are counted and not listed."""


class Violation(NamedTuple):
    """An entry that breaks a law: its name, and how, to be read after "entry N"."""

    entry: int
    law: str
    what: str

    @property
    def sentence(self) -> str:
        """As a person reads it."""
        return f"entry {self.entry} {self.what} (rule {LAWS[self.law].number}: {LAWS[self.law].rule})"


@dataclass(slots=True)
class Verdict:
    """What was found of the first `judged` entries.

    `unchecked`: by law how often it could not be looked at, since what it needs aged out,
    is withheld, or was never on record; that is no violation.  `in_flight`: files that
    were deleted under a hold placed after the intent, which it could not stop any more.
    `withheld`: entries that a public copy has not, of which nothing is known.
    `acknowledged`: violations that two people have seen to, on record.
    """

    judged: int = 0
    violations: list[Violation] = field(default_factory=list)
    more: int = 0
    acknowledged: list[Violation] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    withheld: int = 0

    @property
    def lawful(self) -> bool:
        """Nothing was found but what was acknowledged."""
        return not self.violations

    def broke(self, law: str, entry: int, what: str) -> None:
        """An entry breaks a law."""
        if len(self.violations) < LISTED:
            self.violations.append(Violation(entry, law, what))
        else:
            self.more += 1

    def acknowledge(self, law: str, before: int) -> None:
        """People have seen to what an alarm said of a law, raised at entry `before`."""
        seen = [one for one in self.violations if one.law == law and one.entry < before]
        self.violations = [one for one in self.violations if one not in seen]
        self.acknowledged += seen
