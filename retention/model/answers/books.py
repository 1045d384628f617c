"""What `audit.find` and `audit.balance` answer: what became of recordings, and whether
the books add up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# -- both -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordingTotal:
    """How many recordings, how long, and how many bytes."""

    recordings: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class EntryFault:
    """An entry that could not be read, and why: what it says is not in the answer."""

    entry: int
    what: str


@dataclass(frozen=True, slots=True)
class Effort:
    """What the answer cost: without an index all of a log is read."""

    indexed: bool
    entries: int
    rows: int
    seconds: float


# -- find -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Its times were in doubt, for this reason (entry, row)."""

    what: Literal["quarantined"]
    entry: int
    at: str
    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class GivenTo:
    """It was catalogued under the wrong camera, and goes on under this one."""

    what: Literal["given to"]
    entry: int
    at: str
    row: int
    camera: str


@dataclass(frozen=True, slots=True)
class RulingAsked:
    """A person asked for such times, which would take it out of a hold's cover; so a
    second one decides."""

    what: Literal["ruling asked for"]
    entry: int
    at: str
    row: int
    request: int
    ruling: str
    new_start: str
    new_end: str


@dataclass(frozen=True, slots=True)
class RuledOn:
    """A person ruled on its times."""

    what: Literal["ruled on"]
    entry: int
    at: str
    row: int
    ruling: str
    new_start: str
    new_end: str


@dataclass(frozen=True, slots=True)
class Grew:
    """The file was found longer or larger than before."""

    what: Literal["changed"]
    entry: int
    at: str
    row: int
    old_seconds: float
    seconds: float
    old_bytes: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Vanished:
    """It was gone, and not by this program; `held`: a hold covered it."""

    what: Literal["lost"]
    entry: int
    at: str
    row: int
    held: bool


@dataclass(frozen=True, slots=True)
class CameBack:
    """What was lost was there again."""

    what: Literal["reappeared"]
    entry: int
    at: str
    row: int


@dataclass(frozen=True, slots=True)
class FoundAgain:
    """What was lost was there again, perhaps in another place."""

    what: Literal["moved"]
    entry: int
    at: str
    row: int


@dataclass(frozen=True, slots=True)
class DeletionIntended:
    """It was due, by this version of the policy (and the entry that says so), and its
    deletion was begun."""

    what: Literal["deletion intended"]
    entry: int
    at: str
    row: int
    root: str
    due: str
    policy: int
    policy_entry: int | None
    days: int | None
    why: str


@dataclass(frozen=True, slots=True)
class DeletionDone:
    """What became of it in a batch: `what` is "not deleted" or its fate."""

    what: str
    entry: int
    at: str
    intent: int
    row: int
    outcome: str
    due: str
    policy: int
    method: str


RecordingEvent = (
    Quarantined
    | GivenTo
    | RulingAsked
    | RuledOn
    | Grew
    | Vanished
    | CameBack
    | FoundAgain
    | DeletionIntended
    | DeletionDone
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldOver:
    """A hold that ever covered the footage: whether it is in force now, and was when
    the footage went.  `camera` where it is not said of one recording."""

    camera: str | None = None
    hold: int
    kind: str
    since: str
    until: str | None
    placed: str
    released: str | None
    free_at: str | None
    entries: list[int]
    in_force: bool
    in_force_then: bool | None


@dataclass(frozen=True, slots=True)
class CountedIn:
    """An entry that counts the recordings of a day; it names none."""

    entry: int
    at: str
    origin: str


@dataclass(frozen=True, slots=True)
class CataloguedAs:
    """What the catalogue has of a recording that is there."""

    state: str
    bytes: int
    stream_quarantined: bool
    reason: str | None
    seen: str | None


@dataclass(frozen=True, slots=True)
class RecordingFound:
    """One recording: what became of it at last (`fate`), and entry by entry.

    `present` is null where it is not there, or where nobody knows: a copy of the log
    can't say.  `recorded`: the entries that may count it, the likely one first.
    """

    key: str
    camera: str
    start: str
    end: str
    seconds: float
    bytes: int
    path: str | None
    fate: str
    present: CataloguedAs | None
    recorded: list[CountedIn]
    history: list[RecordingEvent]
    holds: list[HoldOver]


@dataclass(frozen=True, slots=True)
class RollUpShown:
    """An entry that counts the recordings of a day."""

    entry: int
    at: str
    origin: str
    digest: str
    recordings: int
    seconds: float
    bytes: int


@dataclass(frozen=True, slots=True)
class DayFound:
    """What was counted of a camera and UTC day, and what waits for that."""

    camera: str
    day: str
    recorded: RecordingTotal
    waiting: RecordingTotal
    entries: list[RollUpShown]


@dataclass(frozen=True, slots=True)
class UnnamedTime:
    """A time for which no recording is named, and why that may be."""

    camera: str | None
    since: str | None
    until: str | None
    what: str
    why: str


@dataclass(frozen=True, slots=True)
class CameraMeant:
    """A camera that the id meant."""

    camera: str
    key: int


@dataclass(frozen=True, slots=True)
class BookFindings:
    """What became of footage; `more` recordings are not listed.

    `came_back`: entries named here that came back under no signed head, so that anybody
    may have written them.  Of a published copy: `signed` entries are under its
    checkpoint, `withheld` are not in a copy for the public, `beyond` lie behind those, not
    signed yet; `unsigned` are the ones of
    them that the answer rests on.
    """

    cameras: list[CameraMeant]
    since: str | None
    until: str | None
    path: str | None
    recordings: list[RecordingFound]
    more: int
    days: list[DayFound]
    holds: list[HoldOver]
    gaps: list[UnnamedTime]
    faults: list[EntryFault]
    summary: str
    read: Effort
    came_back: list[int]
    signed: int | None = None
    beyond: int | None = None
    unsigned: list[int] | None = None
    withheld: int | None = None


# -- balance --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BookLine:
    """The books of a camera and UTC day, or (without these) of all.

    Recorded, corrected, waiting, changed and moved, less deleted and lost, must be what
    is present or in quarantine; `remaining` is what must be, `difference` what is there
    besides.  What is there is null where that is not known.
    """

    camera: str | None = None
    key: int | None = None
    day: str | None = None
    recorded: RecordingTotal
    corrected: RecordingTotal
    waiting: RecordingTotal
    changed: RecordingTotal
    moved: RecordingTotal
    deleted: RecordingTotal
    lost: RecordingTotal
    present: RecordingTotal | None
    quarantined: RecordingTotal | None
    remaining: RecordingTotal
    difference: RecordingTotal | None


@dataclass(frozen=True, slots=True)
class BookBalance:
    """Whether the books add up, null where a public copy withholds them; `complete`:
    what is there is in them.  `more` days are
    not listed, `open_intents` are entries whose batch is not finished.  `came_back`: the
    entries in them that did.  `signed`, `beyond` and `unsigned` as in what `audit.find`
    answers."""

    balanced: bool | None
    complete: bool
    days: list[BookLine]
    more: int
    differences: list[BookLine]
    different_days: int
    total: BookLine
    open_intents: list[int]
    faults: list[EntryFault]
    summary: str
    read: Effort
    came_back: list[int]
    signed: int | None = None
    beyond: int | None = None
    unsigned: list[int] | None = None
    withheld: int | None = None
