"""What became of the footage of cameras in a time, as the log tells: of each recording that it
names, and of each instant."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from retention.model.answers.books import DeletionDone, DeletionIntended
from retention.model.coverage import (
    SERVICE_DOWN,
    Fate,
    Layer,
    Piece,
    account,
    bridged,
    close_gaps,
    down,
    split,
)
from retention.model.policy import merge
from retention.model.values import DAY, FOREVER, Custody, Micros, Window
from retention.reports.copied_site import BEYOND, NO_ROLL_UP, NOT_NAMED
from retention.reports.evidence import Evidence
from retention.reports.find import Finder, Life, Wanted
from retention.reports.held import HoldLife
from retention.reports.hold_register import lives as hold_lives
from retention.reports.lateness import Lateness
from retention.tlog.fates import RecordingFate
from retention.tlog.figures import LATE, Recorded, batch_of, silent_hours
from retention.tlog.kinds import RECORDINGS, telling
from retention.tlog.source import DELETED, INTENDED, Record

_ROLL_UPS, POLICY, _ADOPTED = "recordings.recorded", "policy.changed", "root.adopted"
_SIGNS = telling("alive")
_ODD = tuple(kind for kind in RECORDINGS if kind not in (INTENDED, DELETED, _ROLL_UPS))

_OPEN = "being deleted as the log ends"
_NO_HOUR = "of all that was recorded that day, nothing was in that hour"
NOT_YET = "before footage was taken in (adopted): nobody says what was there then"

WORDS = {
    Fate.PENDING: "present",
    Fate.PROTECTED: "held",
    Fate.DELETED: "deleted",
    Fate.LOST: "lost",
    Fate.SILENT: "no recording seen",
    Fate.UNKNOWN: "not known",
}
NOT_OURS = "not ours"
"""What any instant of a camera is, in a word."""


def _hold(numbers: Iterable[str]) -> str:
    listed = list(numbers)
    return ("hold " if len(listed) == 1 else "holds ") + ", ".join(listed)


class Became(NamedTuple):
    """What a recording is, and why that is said."""

    fate: Fate
    why: str = ""


@dataclass(slots=True)
class Deletion:
    """How a recording was deleted: begun and completed, by which entries, how late."""

    intent: DeletionIntended
    done: DeletionDone
    late: Micros


@dataclass
class Findings:
    """What the log says of the time asked for, made wider to whole days of UTC."""

    evidence: Evidence
    window: Window
    request: Micros | None
    """When the day begins on which it was asked for."""
    lives: list[Life]
    holds: list[HoldLife]
    faults: list[str]
    batches: dict[int, Record]
    """Their intents and completions, by number."""
    policies: dict[int, Micros] = field(default_factory=dict)
    """When the entry was written that has a version of the policy."""

    @cached_property
    def reasons(self) -> list[Layer]:
        """Why nothing may have been seen.  All signs of the service are read for it."""
        return _reasons(self.evidence, self.window)

    def of(self, camera: int) -> list[Life]:
        """The recordings of a camera in the very time that was asked for."""
        return [
            one
            for one in self.lives
            if one.camera == camera
            and one.start < self.window.end
            and self.window.start < one.end
        ]

    def became(self, life: Life) -> Became:
        """What a recording is at the end of the log."""
        if life.fate is RecordingFate.DELETED:
            return Became(Fate.DELETED)
        if life.fate is RecordingFate.LOST:
            return Became(Fate.LOST, "it vanished, and not by this program")
        if life.fate is RecordingFate.DELETING:
            return Became(Fate.UNKNOWN, _OPEN)
        doubt = life.fate is RecordingFate.QUARANTINED
        over = [
            str(hold.number)
            for hold in self.holds
            if hold.met(life.camera, life.start, life.end)
            or (doubt and life.camera in hold.cameras)
        ]
        if over:
            return Became(Fate.PROTECTED, _hold(over))
        return Became(Fate.PENDING, "in doubt" if doubt else "when last spoken of")


# -- what the log says ----------------------------------------------------------------------


def findings(
    evidence: Evidence, window: Window, cameras: frozenset[int], request: Micros | None
) -> Findings:
    wide = Window(window.start // DAY * DAY, -(-window.end // DAY) * DAY)
    wanted = Wanted(set(cameras), [wide])
    source = evidence.source
    while True:
        asked = len(wanted.cameras), len(wanted.windows)
        finder = Finder(wanted)
        finder.read(source.of_kinds((POLICY,)))
        odd = (one for one in source.of_kinds(_ODD) if one.kind in _ODD)
        batches = _batches(evidence, wanted)
        finder.read(heapq.merge(odd, batches.values(), key=lambda one: one.number))
        if asked == (len(wanted.cameras), len(wanted.windows)):
            break  # else a person's ruling moved one of them to another time or camera
    now = evidence.written
    holds = [
        hold
        for hold in hold_lives(source)
        if hold.free_at is None or now < hold.free_at
    ]
    lives = sorted(
        (
            one
            for one in finder.lives.values()
            if one.fate is not RecordingFate.MOVED
            and one.start < wide.end
            and wide.start < one.end
        ),
        key=lambda one: (one.start, one.camera, one.stream, one.n),
    )
    return Findings(
        evidence, window, request, lives, holds,
        [f"entry {one.entry}: {one.what}" for one in finder.faults],
        batches,
        {
            version: source.entry(entry).entry["at"]
            for version, (entry, _) in finder.policies.items()
        },
    )  # fmt: skip


def _batches(evidence: Evidence, wanted: Wanted) -> dict[int, Record]:
    """Intents and completions with footage that is wanted, by number, in the order of the
    log; those that are open at its end, too."""
    found: dict[int, Record] = {}
    for pair in evidence.of_footage(wanted.cameras, wanted.windows):
        found |= {one.number: one for one in pair}
    for number in evidence.known.open:
        found[number] = evidence.source.entry(number)
    return dict(sorted(found.items()))


def deletions_of(found: Findings) -> dict[int, Deletion]:
    """How each recording that was deleted was, by the place of its value in memory: the
    lateness is that of all reports, which hear of holds."""
    by_batch: defaultdict[tuple[int, int], list[tuple[Life, DeletionDone]]]
    by_batch = defaultdict(list)
    for life in found.lives:
        if life.fate is RecordingFate.DELETED:
            done = life.events[-1] if life.events else None
            if isinstance(done, DeletionDone):  # else its entry is among the faults
                by_batch[done.intent, done.entry].append((life, done))
    made = {}
    for numbers, some in by_batch.items():
        intent, completion = (found.batches[number] for number in numbers)
        waits = [completion.entry["at"] - (life.due or 0) for life, _ in some]
        if max(waits) >= LATE:  # few: the others were due whatever held them
            late = batch_of(intent, completion, found.evidence.known).late
            waits = [late[done.row] for _, done in some]
        for (life, done), wait in zip(some, waits, strict=True):
            (intended,) = (
                one
                for one in life.events
                if isinstance(one, DeletionIntended) and one.entry == done.intent
            )
            made[id(life)] = Deletion(intended, done, wait)
    return made


def lateness_of(asked: list[Deletion]) -> Lateness:
    return Lateness(
        number=len(asked),
        on_time=sum(one.late < LATE for one in asked),
        worst=max(0, *(one.late for one in asked)),
    )


# -- the time, stretch by stretch -----------------------------------------------------------


def pieces(found: Findings, camera: int) -> list[Piece]:
    """Every instant of the time asked for, once."""
    evidence, window = found.evidence, found.window
    layers = _named(found, camera)
    if not is_ours(evidence, camera):
        return account(window, layers, Fate.SILENT)
    named = merge(one for layer in layers for one in layer.windows)
    if not split([window], named)[1]:  # then it is not asked why nothing was seen
        return close_gaps(account(window, layers, Fate.SILENT))
    unwatched = merge(one for layer in found.reasons for one in layer.windows)
    watched = split([window], unwatched)[1]
    accounted = set(_accounted(found, camera))
    told: list[Window] = []
    recorded: list[Window] = []
    days = {day: one for day, _, one in evidence.figures.recorded([camera])}
    for day in days:
        whole = Window(day * DAY, (day + 1) * DAY)
        (told if day in accounted else recorded).append(whole)
    layers += [
        Layer(Fate.SILENT, "all that was recorded that day is named",
              split(watched, merge(told))[0]),
        Layer(Fate.SILENT, _NO_HOUR, split(watched, list(_silent(found, days)))[0]),
        Layer(Fate.UNKNOWN, BEYOND, [Window(evidence.written, FOREVER + 1)]),
        *(
            Layer(
                Fate.PROTECTED, f"{_hold([str(hold.number)])}: what there is is kept",
                [hold.window],
            )
            for hold in found.holds
            if camera in hold.cameras
        ),
        Layer(Fate.UNKNOWN, NOT_NAMED, merge(recorded)),
        *found.reasons,
    ]  # fmt: skip
    return close_gaps(account(window, layers, Fate.SILENT))


def _named(found: Findings, camera: int) -> list[Layer]:
    """What recordings are named for; what is still there comes before what is gone."""
    windows: defaultdict[Became, list[Window]] = defaultdict(list)
    for life in found.of(camera):
        windows[found.became(life)].append(Window(life.start, life.end))
    order = [Fate.PROTECTED, Fate.PENDING, Fate.UNKNOWN, Fate.LOST, Fate.DELETED]
    return [
        Layer(*became, bridged(windows[became]))
        for became in sorted(windows, key=lambda one: (order.index(one.fate), one.why))
    ]


def is_ours(evidence: Evidence, camera: int) -> bool:
    return custody(evidence, camera) == Custody.COUNCIL


def told(evidence: Evidence, camera: int, piece: Piece) -> tuple[str, str]:
    """What a stretch is, as one of `WORDS` or `NOT_OURS`, and why."""
    if piece.fate is Fate.SILENT and not is_ours(evidence, camera):
        whose = custody(evidence, camera).replace("_", " ")
        return NOT_OURS, f"in the custody of the {whose}, who can be asked"
    why = NO_ROLL_UP if piece.fate is Fate.SILENT and not piece.why else piece.why
    return WORDS[piece.fate], why


def custody(evidence: Evidence, camera: int) -> str:
    one = evidence.cameras.by_key.get(camera)
    said = None if one is None else one.said.get("custody")
    return str(said or Custody.COUNCIL)


def _reasons(evidence: Evidence, window: Window) -> list[Layer]:
    signs, adopted = [], FOREVER + 1
    for record in evidence.source.of_kinds((*_SIGNS, _ADOPTED)):
        if record.kind in _SIGNS:
            signs.append((record.entry["at"], record.kind))
        elif record.kind == _ADOPTED:
            adopted = min(adopted, record.entry["at"])
    return [
        Layer(Fate.UNKNOWN, NOT_YET, [Window(-FOREVER, adopted)]),
        Layer(Fate.UNKNOWN, SERVICE_DOWN, down(window, signs, evidence.written)),
    ]


def _silent(found: Findings, days: Mapping[int, Recorded]) -> Iterator[Window]:
    """The hours in which roll-ups say that nothing was recorded, on days that they tell
    of: a hold over them keeps nothing.  Of what is a day old, for so long a file may be."""
    until = found.evidence.written - DAY
    for day in range(found.window.start // DAY, -(-found.window.end // DAY)):
        if (told := days.get(day)) is not None:
            yield from silent_hours(day, told, days.get(day - 1), until) or ()


def _accounted(found: Findings, camera: int) -> Iterator[int]:
    """The days of UTC, over by the end of the log, of which every recording is named, by
    number, duration and bytes."""
    sums: defaultdict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    for life in found.lives:
        if life.camera == camera:
            named = sums[life.start // DAY]
            for place, number in enumerate((1, life.duration, life.size)):
                named[place] += number
    for day, _, one in found.evidence.figures.recorded([camera]):
        over = (day + 1) * DAY <= found.evidence.written
        if over and [one.number, one.duration, one.size] == sums.get(day):
            yield day
