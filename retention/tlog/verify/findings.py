"""What a verification found: how deep it went, every fault, how far the log is intact."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from retention.model.answers.proof import (
    FaultFound,
    LawChecked,
    NotCheckable,
    PublishedChecked,
    ViolationFound,
)
from retention.model.localtime import utc_or_null
from retention.tlog import merkle
from retention.tlog.canonical import base64url
from retention.tlog.lawful.laws import LAWS, Verdict, Violation

_LISTED = 20
"""Faults and strange files in an answer; more are counted."""

FAULTS = 100
"""More than these are counted and not listed."""


class Depth(StrEnum):
    """How much is computed again; each includes the one before it."""

    TREE = "tree"
    """Every hash of the tree, and the digest of every row file."""
    SUMS = "sums"
    """What entries say: counts and sums of rows, intents and their completions."""
    DEEP = "deep"
    """The root over the rows of every row file."""


class Missing(StrEnum):
    """What a fault says is not there, and nothing else wrong with it."""

    ENTRIES = "entries"
    HASHES = "hashes"
    ROWS = "rows"


class Fault(NamedTuple):
    """A place where the log is not what was written: the entry, and what is wrong there,
    to be read after "entry N"; without an entry a sentence of its own."""

    entry: int | None
    what: str
    lost: Missing | None = None

    @property
    def sentence(self) -> str:
        """The fault as a person reads it."""
        return self.what if self.entry is None else f"entry {self.entry} {self.what}"


@dataclass(slots=True)
class Verification:
    """What was found.

    `size` is the head's, `intact` how many entries from the first on are what was
    written; `rows` how many rows were read (not at depth `tree`), `withheld` how many
    committed values were erased, `open_intents` batches without a completion.  Of a
    published log also: how many entries a public copy withholds (`left_out`), its `origin`, when its last signed entry was written (`signed_at`,
    microseconds), how many entries lie beyond the checkpoint (`unsigned`), the older
    checkpoints that it extends (`extends`), and files that are none of its (`strangers`).
    """

    size: int
    depth: Depth = Depth.TREE
    intact: int = 0
    root: bytes = merkle.EMPTY
    rows: int = 0
    withheld: int = 0
    left_out: int = 0
    open_intents: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unlisted: int = 0
    first: int | None = None
    """The first entry with a fault, listed or not."""
    origin: str = ""
    signed_at: int | None = None
    unsigned: int = 0
    extends: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    ahead: str | None = None
    """Which kept head covers more than the head does."""
    verdict: Verdict | None = None
    """Whether what it says was lawful; only with depth `deep`."""
    copied: bool = False
    """It was copied while it was written: what lies beyond `intact` is not whole."""

    @property
    def ok(self) -> bool:
        """The whole log is what was written."""
        return not self.faults

    @property
    def deep(self) -> bool:
        """Every row root was computed."""
        return self.depth is Depth.DEEP

    @property
    def fault(self) -> Fault | None:
        """The first place where it is not; the others are in `faults`."""
        return self.faults[0] if self.faults else None

    def add(self, fault: Fault) -> None:
        """Note a fault.  Of many, the first ones and those of no entry stay listed."""
        earlier = self.first is None or (fault.entry or 0) < self.first
        if fault.entry is not None and earlier:
            self.first = fault.entry
        if len(self.faults) >= FAULTS:
            self.unlisted += 1
            if fault.entry is not None and not earlier:
                return
            last = max(
                self.faults, key=lambda one: -1 if one.entry is None else one.entry
            )
            self.faults.remove(last)
        self.faults.append(fault)


class FaultError(Exception):
    """The entry at hand is not what was written."""

    def __init__(self, entry: int, what: str, lost: Missing | None = None) -> None:
        self.fault = Fault(entry, what, lost)


def answer(report: Verification, directory: str, **more: Any) -> PublishedChecked:
    """The report on the log that is published in a directory."""
    law = None if report.verdict is None else of_law(report.verdict)
    return PublishedChecked(
        ok=report.ok and (law is None or law.lawful),
        lawful=None if law is None else law.lawful,
        law=law,
        origin=report.origin,
        entries=report.size,
        withheld=report.left_out,
        intact=report.intact,
        signed_at=utc_or_null(report.signed_at),
        unsigned=report.unsigned,
        ahead=report.ahead,
        copied_while_written=report.copied,
        root=base64url(report.root),
        depth=str(report.depth),
        rows=report.rows,
        open_intents=report.open_intents,
        extends=report.extends,
        strangers=report.strangers[:_LISTED],
        faults=[FaultFound(one.entry, one.sentence) for one in report.faults[:_LISTED]],
        more_faults=max(0, len(report.faults) - _LISTED) + report.unlisted,
        directory=directory,
        **more,
    )


def of_law(verdict: Verdict) -> LawChecked:
    """A verdict as answers have it."""
    violations = verdict.violations
    return LawChecked(
        lawful=verdict.lawful,
        judged=verdict.judged,
        violations=[_violation(one) for one in violations[:_LISTED]],
        more_violations=max(0, len(violations) - _LISTED) + verdict.more,
        acknowledged=[_violation(one) for one in verdict.acknowledged[:_LISTED]],
        not_checkable=[
            NotCheckable(law.number, law.name, verdict.unchecked[law.name])
            for law in LAWS.values()
            if verdict.unchecked[law.name]
        ],
        in_flight=verdict.in_flight,
        withheld=verdict.withheld,
    )


def _violation(one: Violation) -> ViolationFound:
    number = LAWS[one.law].number
    return ViolationFound(one.entry, number, one.law, one.sentence)
