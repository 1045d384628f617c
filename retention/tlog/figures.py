"""The figures: what the log's entries add up to, day by day, folded entry after entry.

A day is one of the site's zone, as days since the epoch.  A file counts on the day on which
its batch was complete, by the day of its own start, its camera, why it was due, what became
of it, and how late that was.  What is folded is checked against what each entry says of
itself.  Pure: `catalogue.figures` keeps it, and a fold goes on where it ended.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from retention.model.errors import RetentionError
from retention.model.localtime import day_of, midnight
from retention.model.policy import Policy
from retention.model.values import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    Micros,
    Outcome,
    Window,
)
from retention.tlog.canonical import UNREADABLE
from retention.tlog.kinds import telling
from retention.tlog.source import Record, acts, outcomes

KINDS = telling("figures")
"""The kinds that are folded."""

LATE: Micros = HOUR
"""Deleted later than this after it was due, a recording was late."""

SLACK: Micros = 5 * SECOND
"""An entry is written a moment after its `now` was read."""

EDGES: tuple[Micros, ...] = tuple(
    [n * SECOND for n in (1, 5, 10, 30)]
    + [n * MINUTE for n in (1, 2, 5, 10, 15, 30)]
    + [n * HOUR for n in (1, 2, 4, 8, 12)]
    + [n * DAY for n in (1, 2, 4, 7, 14, 28, 90, 365)]
)
"""Lateness is counted up to each of these, and beyond the last."""

ON_TIME = bisect_right(EDGES, LATE)
"""Steps of lateness from this one on are late."""


class Cell(NamedTuple):
    """What is counted together: `policy` is the version of the periods that the batch went
    by, `doubt` 1 where the period counted from when the file was seen, since its times were
    in doubt; `step` is that of `EDGES` that the lateness is below."""

    day: int
    camera: int
    footage: int
    policy: int
    doubt: int
    outcome: str
    step: int


class Count(NamedTuple):
    """Recordings, their duration (microseconds) and bytes, the worst lateness, and the
    first and the last completion that they are in."""

    number: int
    duration: int
    size: int
    worst: Micros
    first: int
    last: int


class Recorded(NamedTuple):
    """What roll-ups say was catalogued of a camera on a UTC day of the start."""

    number: int
    duration: int
    size: int
    gaps: int
    hours: int | None
    """Those with footage since the day began, as bits; None where an entry does not say."""
    first: int
    """The first entry that tells of them, and the last."""
    last: int

    def plus(self, other: Recorded) -> Recorded:
        """With what a later entry tells."""
        hours = None
        if self.hours is not None and other.hours is not None:
            hours = self.hours | other.hours
        return Recorded(
            self.number + other.number, self.duration + other.duration,
            self.size + other.size, self.gaps + other.gaps, hours, self.first, other.last,
        )  # fmt: skip


class OddFiles(NamedTuple):
    """Files of one batch that were deleted `late` or `early`: the rows of its intent, as
    ranges with both ends, and the worst of them (microseconds)."""

    what: str
    day: int
    completion: int
    intent: int
    rows: list[tuple[int, int]]
    worst: Micros


class HoldKnown(NamedTuple):
    """A hold as far as lateness goes by it."""

    since: Micros
    until: Micros
    cameras: frozenset[int]
    free_at: Micros | None


@dataclass(slots=True)
class Grounds:
    """What decides whether a deletion was late or early, as of the last folded entry; and
    the batches that are `open` by then, by their intents."""

    policies: dict[int, Policy] = field(default_factory=dict)
    holds: dict[int, HoldKnown] = field(default_factory=dict)
    open: set[int] = field(default_factory=set)

    def due(
        self,
        camera: int,
        start: Micros,
        end: Micros,
        due: Micros,
        *,
        at: Micros,
        doubtful: bool,
    ) -> Micros:
        """When a recording that was deleted at `at` could be at the earliest: its period
        was over, and every hold on it had cooled off; later ones came too late for it.
        One in doubt any hold of its camera keeps."""
        for hold in self.holds.values():
            if (
                hold.free_at is not None
                and hold.free_at <= at
                and camera in hold.cameras
                and (doubtful or (start < hold.until and hold.since < end))
            ):
                due = max(due, hold.free_at)
        return due


class BatchRows(NamedTuple):
    """The rows of a batch and what became of each, column by column; `late` is how long
    after it was due each was gone, less than nothing where that was before."""

    cameras: Sequence[int]
    starts: Sequence[Micros]
    durations: Sequence[int]
    sizes: Sequence[int]
    due: Sequence[Micros]
    seen: Sequence[Micros | None]
    outcomes: list[str]
    late: Sequence[Micros]


@dataclass(slots=True)
class Folded:
    """What some entries add up to, and how many rows they have."""

    cells: dict[Cell, Count] = field(default_factory=dict)
    recorded: dict[tuple[int, int], Recorded] = field(default_factory=dict)
    odd: list[OddFiles] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    rows: int = 0


class LocalDays:
    """The local days of instants; a batch has few, so their bounds are looked up once."""

    def __init__(self, zone: str) -> None:
        self._zone = ZoneInfo(zone)
        self._until: dict[int, Micros] = {}

    def of(self, instants: Sequence[Micros]) -> list[int]:
        """The day of each."""
        if not instants:
            return []
        first, last = self.day(min(instants)), self.day(max(instants))
        if first == last:
            return [first] * len(instants)
        bounds = [midnight(day, self._zone) for day in range(first + 1, last + 1)]
        return [first + bisect_right(bounds, instant) for instant in instants]

    def day(self, instant: Micros) -> int:
        """The day of one."""
        return day_of(instant, self._zone)


SETTLED: Micros = 3 * HOUR
"""So long after an hour its footage is in roll-ups: files are up to an hour long as a rule,
and a roll-up is written each hour."""


def silent_hours(
    day: int, told: Recorded | None, before: Recorded | None, written: Micros
) -> list[Window] | None:
    """The hours of a UTC day of which roll-ups say that there was no footage, by those of
    it and of the day before, and of a log that ends with `written`; None where they do not
    say."""
    bits = 0
    for one, shift in ((told, 0), (before, 24)):
        if one is not None:
            if one.hours is None:
                return None
            bits |= one.hours >> shift
    last = min((written - SETTLED) // HOUR - day * 24, 24)
    hours = [day * 24 + hour for hour in range(last) if not bits >> hour & 1]
    return [Window(hour * HOUR, (hour + 1) * HOUR) for hour in hours]


class Fold:
    """Folds records, in the order of the log, from where `known` is of.

    `fetch` gives an entry by its number: an intent that was read before.
    """

    def __init__(
        self, zone: str, known: Grounds, fetch: Callable[[int], Record]
    ) -> None:
        self.known = known
        self.found = Folded()
        self._days = LocalDays(zone)
        self._fetch = fetch
        self._intents: dict[int, Record] = {}
        self._cells: dict[
            tuple[int, int, int, str], dict[tuple[int, int, int], list[int]]
        ] = {}
        self._acts = acts(self, KINDS)

    def take(self, record: Record) -> None:
        """Fold the next record; what can't be read of it becomes a fault."""
        act = self._acts.get(record.kind)
        if act is None:
            return
        try:
            act(record)
        except RetentionError as error:
            self.found.faults.append((record.number, str(error)))
        except UNREADABLE as error:
            self.found.faults.append((record.number, f"can't be understood: {error!r}"))

    # -- what lateness goes by ---------------------------------------------------------

    def _changed(self, record: Record) -> None:
        fields = record.entry["fields"]
        policy = Policy(fields["version"], fields["days"], record.periods())
        self.known.policies[policy.version] = policy

    def _placed(self, record: Record) -> None:
        fields = record.entry["fields"]
        old = self.known.holds.get(fields["hold"])
        hold = HoldKnown(fields["since"], fields["until"], record.cameras(), None)
        if old is not None:
            hold = hold._replace(
                cameras=hold.cameras | old.cameras, free_at=old.free_at
            )
        if old is not None and record.unsigned is not None:  # no less by what came back
            hold = hold._replace(
                since=min(hold.since, old.since), until=max(hold.until, old.until)
            )
        self.known.holds[fields["hold"]] = hold

    _extended = _placed

    def _released(self, record: Record) -> None:
        self._free(record, record.entry["fields"]["free_at"])

    def _reinstated(self, record: Record) -> None:
        self._free(record, None)

    def _free(self, record: Record, at: Micros | None) -> None:
        hold = record.entry["fields"]["hold"]
        if hold in self.known.holds:
            self.known.holds[hold] = self.known.holds[hold]._replace(free_at=at)

    # -- recordings --------------------------------------------------------------------

    def _recorded(self, record: Record) -> None:
        fields = record.entry["fields"]
        columns = record.read(
            {"camera", "day", "count", "duration", "bytes", "gaps", "hours"}
        ).columns
        names = ("count", "duration", "bytes")
        said = tuple(fields[name] for name in ("recordings", "duration", "bytes"))
        if (summed := tuple(sum(columns[name]) for name in names)) != said:
            self._odd_sum(record, summed, said)
        gaps = columns.get("gaps", [0] * len(columns["day"]))
        hours = columns.get("hours", [None] * len(gaps))
        rows = zip(
            *(columns[name] for name in ("camera", "day", *names)),
            gaps,
            hours,
            strict=True,
        )
        for camera, day, count, duration, size, gap, bits in rows:
            entry, place = record.number, (camera, day)
            new = Recorded(count, duration, size, gap, bits, entry, entry)
            old = self.found.recorded.get(place)
            self.found.recorded[place] = new if old is None else old.plus(new)
        self.found.rows += len(gaps)

    def _intended(self, record: Record) -> None:
        self._intents[record.number] = record
        self.known.open.add(record.number)

    def _deleted(self, record: Record) -> None:
        number = record.entry["fields"]["intent"]
        self.known.open.discard(number)
        if (intent := self._intents.pop(number, None)) is None:
            intent = self._fetch(number)
        batch = batch_of(intent, record, self.known)
        self._check(record, batch)
        self._count(intent, record, batch)
        self._note_odd(intent, record, batch)
        self.found.rows += len(batch.starts)

    def _check(self, record: Record, batch: BatchRows) -> None:
        """The entry says of itself how many had which outcome, and the bytes deleted."""
        fields = record.entry["fields"]
        said = [fields[outcome] for outcome in Outcome] + [fields["bytes"]]
        summed = [batch.outcomes.count(outcome) for outcome in Outcome]
        gone = compress(batch.sizes, map(_OURS.__contains__, batch.outcomes))
        summed.append(sum(gone))
        if summed != said:
            self._odd_sum(record, summed, said)

    def _odd_sum(
        self, record: Record, summed: Iterable[int], said: Iterable[int]
    ) -> None:
        self.found.faults.append(
            (record.number, f"says {list(said)}, and its rows add up to {list(summed)}")
        )

    def _count(self, intent: Record, record: Record, batch: BatchRows) -> None:
        """A year has a hundred million rows, so this loop is as short as it can be."""
        number, day = record.number, self._days.day(record.entry["at"])
        kinds = zip(
            repeat(day), repeat(intent.entry["policy"]),
            [int(seen is not None) for seen in batch.seen], batch.outcomes,
        )  # fmt: skip
        steps = [bisect_right(EDGES, late) for late in batch.late]
        keys = zip(batch.cameras, self._days.of(batch.starts), steps, strict=True)
        sums = zip(batch.durations, batch.sizes, batch.late, strict=True)
        last: tuple[int, int, int, str] | None = None
        cells: dict[tuple[int, int, int], list[int]] = {}
        for kind, key, (duration, size, late) in zip(kinds, keys, sums, strict=False):
            if kind != last:
                last, cells = kind, self._cells.setdefault(kind, {})
            one = cells.get(key)
            if one is None:
                cells[key] = [1, duration, size, late, number, number]
            else:
                one[0] += 1
                one[1] += duration
                one[2] += size
                if late > one[3]:
                    one[3] = late
                one[5] = number

    def folded(self) -> Folded:
        """What was folded since it was last asked."""
        found, self.found = self.found, Folded()
        for (day, policy, doubt, outcome), cells in self._cells.items():
            for (camera, footage, step), sums in cells.items():
                place = Cell(day, camera, footage, policy, doubt, outcome, step)
                found.cells[place] = Count(*sums)
        self._cells = {}
        return found

    def _note_odd(self, intent: Record, record: Record, batch: BatchRows) -> None:
        day = self._days.day(record.entry["at"])
        policy = self.known.policies.get(intent.entry["policy"])
        late = [row for row in late_rows(batch.late) if _ours(batch, row)]
        early = early_rows(batch, intent.entry["at"], policy)
        for what, rows, worst in (
            ("late", late, max((batch.late[row] for row in late), default=0)),
            ("early", list(early), max(early.values(), default=0)),
        ):
            if rows:
                odd = OddFiles(
                    what, day, record.number, intent.number, ranges(rows), worst
                )
                self.found.odd.append(odd)


def batch_of(intent: Record, done: Record, known: Grounds) -> BatchRows:
    """The rows of a batch that is complete; VerificationError where they can't be read."""
    names = ("camera", "start", "duration", "bytes", "due")
    found = intent.read({*names, "seen"})
    columns = found.columns
    cameras, starts, durations, sizes, due = (columns[name] for name in names)
    seen = columns.get("seen", [None] * found.count)
    became = outcomes(done)
    said = [str(Outcome.DELETED)] * found.count
    for row, outcome in became.exceptions.items():
        said[row] = str(outcome)
    at = done.entry["at"]
    late = [at - one for one in due]
    for row in late_rows(late):  # few: the others were due whatever held them
        free = known.due(
            cameras[row], starts[row], starts[row] + durations[row], due[row],
            at=at, doubtful=seen[row] is not None,
        )  # fmt: skip
        late[row] = at - free
    return BatchRows(cameras, starts, durations, sizes, due, seen, said, late)


def late_rows(late: Sequence[Micros]) -> list[int]:
    """The rows of those that were late."""
    if max(late, default=0) < LATE:
        return []
    return [row for row, by in enumerate(late) if by >= LATE]


def early_rows(
    batch: BatchRows, at: Micros, policy: Policy | None
) -> dict[int, Micros]:
    """The rows deleted before their period was over, and by how much: before they were due
    by their own word, or by the periods in force.  `at` is when the batch was begun."""
    latest, found = at + SLACK, {}
    periods = (
        {} if policy is None else {c: policy.period(c) for c in set(batch.cameras)}
    )
    ends = map(int.__add__, batch.starts, batch.durations)
    newest = max(ends, default=0) + max(periods.values(), default=0)
    if max(newest, max(batch.due, default=0)) <= latest:
        return {}  # as a rule: looking at each takes longer than all else
    rows = zip(
        batch.cameras, batch.starts, batch.durations, batch.due, batch.seen, strict=True
    )
    for row, (camera, start, duration, due, seen) in enumerate(rows):
        over = start + duration if seen is None else seen
        over += periods.get(camera, 0)
        if max(due, over) > latest and _ours(batch, row):
            found[row] = max(due, over) - at
    return found


_OURS = frozenset(str(outcome) for outcome in Outcome if outcome.ours)


def _ours(batch: BatchRows, row: int) -> bool:
    return batch.outcomes[row] in _OURS


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Numbers in order as ranges, both ends included."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and found[-1][1] >= number - 1:
            found[-1] = found[-1][0], max(found[-1][1], number)
        else:
            found.append((number, number))
    return found


def grounds_of(found: Mapping[str, Any]) -> Grounds:
    """What `grounds_json` was made of."""
    policies = {
        int(version): Policy(int(version), days, {int(k): v for k, v in own.items()})
        for version, (days, own) in found.get("policies", {}).items()
    }
    holds = {
        int(hold): HoldKnown(since, until, frozenset(cameras), free_at)
        for hold, (since, until, cameras, free_at) in found.get("holds", {}).items()
    }
    return Grounds(policies, holds, set(found["open"]))


def grounds_json(known: Grounds) -> dict[str, Any]:
    """What is known as JSON, to go on from."""
    return {
        "policies": {
            str(one.version): [one.days, {str(k): v for k, v in one.cameras.items()}]
            for one in known.policies.values()
        },
        "holds": {
            str(hold): [one.since, one.until, sorted(one.cameras), one.free_at]
            for hold, one in known.holds.items()
        },
        "open": sorted(known.open),
    }
