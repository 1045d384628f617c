"""What a deletion cycle does next in a root, chosen from one reading of its situation.

Pure.  `retention.deletion.situation` reads, `choose` chooses, and
`retention.deletion.cycle` does it, then reads again.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from retention.model.localtime import counted, format_utc
from retention.model.policy import (
    BEGINNING,
    Decision,
    Holds,
    InDoubt,
    Reason,
    decide,
    doubt_of,
)
from retention.model.values import Micros, State, Stream


class Scope(NamedTuple):
    """One stream as deletion sees it."""

    stream: int
    camera: int
    period: Micros
    longest: Micros
    in_doubt: InDoubt | None
    now: Micros


class Due(NamedTuple):
    """A catalogued recording that is due, or may be, as deletion sees it."""

    stream: int
    start: Micros
    n: int
    duration: Micros
    size: int
    path: bytes | None
    due: Micros
    """When its period ends; of a failed one only once it was decided on anew."""
    mtime: Micros | None = None
    """Of a file that is, or before a person's ruling was, in quarantine: its mtime when
    first seen, since its end does not follow from that."""
    state: int = State.PRESENT
    seen: Micros | None = None
    """Of a file in quarantine: when it was first seen."""

    @property
    def doubtful(self) -> bool:
        """In quarantine: any hold on its camera holds it."""
        return self.seen is not None

    @property
    def key(self) -> tuple[int, int, int]:
        """(stream, start, n)."""
        return self[:3]


# -- what is read -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """What may stand in the way of all deletion in a root.

    `guards` says of each that is tripped for the root or for everything which it is and
    why, but for the volume guard: whether that one is tripped for the root is
    `volume_tripped`.  `adopted` is the root's first complete scan; `caught_up`, as it is
    written, the `now` of the last cycle that left nothing due behind.  `unfinished` are
    the intents that a crash or a lost disk left open.  `restored`: what a restored
    catalogue waits for.
    """

    paused_until: Micros | None = None
    guards: tuple[str, ...] = ()
    volume_tripped: bool = False
    adopted: Micros | None = None
    caught_up: Micros | None = None
    unfinished: tuple[int, ...] = ()
    restored: str | None = None

    def blocked(self, now: Micros) -> str | None:
        """Why nothing may be deleted, whatever is due; None where it may."""
        if self.paused_until is not None and now < self.paused_until:
            return f"paused until {format_utc(self.paused_until)}"
        if self.guards:
            return f"guard {self.guards[0]}"
        if self.restored is not None:
            return self.restored
        return "not scanned completely yet" if self.adopted is None else None


class Volume(NamedTuple):
    """How many recordings were due before the root was caught up and yet are there, how
    many of those may go without a person, and the approved plan that permits more.

    Of one camera, where of that alone there are too many.  `found` were due when they
    were first catalogued: of those none may go.
    """

    surprises: int = 0
    allowed: int = 0
    plan: int | None = None
    found: int = 0

    @property
    def too_many(self) -> str | None:
        """Why a person is to be asked first, or None."""
        if self.plan is not None:
            return None
        if self.found:
            return (
                f"due when first catalogued: {counted(self.found, 'recording')}, which "
                "is never deleted without approval"
            )
        if self.surprises <= self.allowed:
            return None
        return (
            "more is due than there should be, and was not due or not there before: "
            f"{counted(self.surprises, 'recording')} (allowed without approval: "
            f"{self.allowed})"
        )


class Versions(NamedTuple):
    """What a decision rests on: the numbers that move when it may be another."""

    holds: int
    policy: int


NO_SURPRISES, NOT_READ = Volume(), Versions(0, 0)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the next step in a root is chosen from, as one transaction saw it.

    Where something stands in the way, what comes after it is not read.  `caught_up` is
    until when nothing due was left behind, never later than now; `soonest` is when the
    next recording falls due.  `rows` are what the catalogue calls due, up to a batch,
    oldest first within a stream; where a plan is carried out, `planned` has instead
    what it lists of them.  `failed` could not be deleted before and may be tried again.
    `streams` and `scopes` (by stream) are of the whole root, `held` are the holds on the
    cameras of these rows.
    """

    standing: Standing
    caught_up: Micros = BEGINNING
    soonest: Micros | None = None
    volume: Volume = NO_SURPRISES
    versions: Versions = NOT_READ
    streams: tuple[Stream, ...] = ()
    scopes: Mapping[int, Scope] = field(default_factory=dict)
    held: Mapping[int, Holds] = field(default_factory=dict)
    rows: tuple[Due, ...] = ()
    planned: tuple[Due, ...] = ()
    failed: tuple[Due, ...] = ()
    limit: int = 0
    """Files of one batch."""


# -- what is chosen ---------------------------------------------------------------------


class Blocked(NamedTuple):
    """Nothing may be deleted, and why."""

    why: str


class Finish(NamedTuple):
    """Intents are open: what became of their files is found out before all else."""

    intents: tuple[int, ...]


class TooMany(NamedTuple):
    """So many surprises that a person is asked first."""

    why: str


class Clear(NamedTuple):
    """The volume guard waits for nobody any more."""

    reason: str


class Forgive(NamedTuple):
    """Failed files that are not due any more, or held: as any other again."""

    rows: tuple[Due, ...]


class PlanDone(NamedTuple):
    """Nothing of an approved plan is left that may be deleted."""

    plan: int


class Decided(NamedTuple):
    """What a batch was decided with: the holds of its cameras as of `versions`, until
    when the root was caught up before, and how many surprises it takes by camera."""

    holds: Mapping[int, Holds]
    versions: Versions
    caught_up: Micros
    surprises: Mapping[int, int] = MappingProxyType({})


class Batch(NamedTuple):
    """These are due, free of holds, and permitted: delete them."""

    rows: tuple[Due, ...]
    decided: Decided


class Nothing(NamedTuple):
    """Nothing due is left, nor, as far as is known, before `until` (None: for ever)."""

    until: Micros | None


Choice = Blocked | Finish | TooMany | Clear | Forgive | PlanDone | Batch | Nothing


def choose(situation: Situation, now: Micros) -> Choice:
    """The next step in a root.  Whoever did it reads anew and chooses again."""
    standing, volume = situation.standing, situation.volume
    if why := standing.blocked(now):
        return Blocked(why)
    if standing.unfinished:
        return Finish(standing.unfinished)
    if why := volume.too_many:
        return TooMany(why)
    if standing.volume_tripped:
        return Clear(_why_clear(volume))
    again, others = _tried_again(situation, now)
    if others:
        return Forgive(others)
    if volume.plan is None:
        asked = situation.rows
        rows = (*_free(situation, asked, now), *again)
    else:
        asked = situation.planned
        rows = _free(situation, asked, now)
    if rows:
        return _batch(situation, rows[: situation.limit])
    if asked:
        return Blocked(
            f"the catalogue calls {len(asked)} recordings due that are held or not due; "
            "that is a fault in this program, please report it"
        )
    return Nothing(situation.soonest) if volume.plan is None else PlanDone(volume.plan)


def _why_clear(volume: Volume) -> str:
    if volume.plan is None:
        return "no more is due than there should be"
    return f"plan {volume.plan} was approved"


def _decisions(
    situation: Situation, rows: Iterable[Due], now: Micros
) -> Iterator[tuple[Due, Decision]]:
    """The decision on each row: is it free of holds, and due?"""
    for row in rows:
        scope, end = situation.scopes[row.stream], row.start + row.duration
        since = doubt_of(end, row.seen, scope.in_doubt)
        decision = decide(
            row.start,
            end,
            holds=situation.held[scope.camera],
            period=scope.period,
            now=now,
            doubtful_since=since,
        )
        yield row, decision


def _free(situation: Situation, rows: Iterable[Due], now: Micros) -> tuple[Due, ...]:
    """Whatever the catalogue said: those that no hold touches and whose period ended."""
    found, due = _decisions(situation, rows, now), Reason.DUE
    return tuple(row for row, decision in found if decision.reason is due)


def _tried_again(
    situation: Situation, now: Micros
) -> tuple[tuple[Due, ...], tuple[Due, ...]]:
    """Failed files that are still due and free, and the others."""
    again: list[Due] = []
    others: list[Due] = []
    for row, decision in _decisions(situation, situation.failed, now):
        into = again if decision.reason is Reason.DUE else others
        into.append(row._replace(due=decision.due))
    return tuple(again), tuple(others)


def _batch(situation: Situation, rows: tuple[Due, ...]) -> Batch:
    """With a plan no surprise is counted: a person has permitted them."""
    surprises: Counter[int] = Counter()
    if situation.volume.plan is None:
        surprises.update(
            situation.scopes[row.stream].camera
            for row in rows
            if row.due <= situation.caught_up and row.state != State.FAILED
        )
    decided = Decided(
        situation.held, situation.versions, situation.caught_up, surprises
    )
    return Batch(rows, decided)
