"""How late deletions were, and what stood in their way, as far as the log says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from retention.model.coverage import SILENCE, STARTED, STOPPED
from retention.model.values import FOREVER, Micros
from retention.tlog.figures import EDGES, ON_TIME, Count
from retention.tlog.kinds import telling
from retention.tlog.source import Record

KINDS = telling("late")
"""The kinds that say what stood in the way of deletion."""

_OVERDUE = "overdue"


class Lateness(NamedTuple):
    """Recordings, their duration and bytes; how many were on time; how late at most half of
    them were, and the worst; and the completions that they lie between."""

    number: int = 0
    duration: int = 0
    size: int = 0
    on_time: int = 0
    median: Micros = 0
    worst: Micros = 0
    first: int = 0
    last: int = 0

    @property
    def share(self) -> float | None:
        """The part that was on time; None of nothing."""
        return self.on_time / self.number if self.number else None


def lateness(steps: Iterable[tuple[int, Count]]) -> Lateness:
    """Sums by step of lateness as one."""
    found = sorted(steps)
    total = sum(one.number for _, one in found)
    if not total:
        return Lateness()
    worst = max(0, *(one.worst for _, one in found))
    passed, median = 0, worst
    for step, one in found:
        passed += one.number
        if 2 * passed >= total:
            median = min(EDGES[step], worst) if step < len(EDGES) else worst
            break
    return Lateness(
        number=total,
        duration=sum(one.duration for _, one in found),
        size=sum(one.size for _, one in found),
        on_time=sum(one.number for step, one in found if step < ON_TIME),
        median=median,
        worst=worst,
        first=min(one.first for _, one in found),
        last=max(one.last for _, one in found),
    )


class Stood(NamedTuple):
    """What stood from one instant to another, of a root (or empty: of all), the entries
    that say so: the second None where it stands still."""

    what: str
    root: str
    since: Micros
    until: Micros
    entries: tuple[int, int | None]


class Obstacles:
    """All that stood in the way of deletion, by the entries of `KINDS` in their order."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.found: list[Stood] = []
        self._open: dict[tuple[str, str], tuple[Micros, int]] = {}
        self._alive: tuple[Micros, int, str] | None = None
        self._pause: Stood | None = None
        for record in records:
            if not record.is_void:
                self._note(record)
        for (what, root), (since, entry) in self._open.items():
            self.found.append(Stood(what, root, since, FOREVER, (entry, None)))

    def _note(self, record: Record) -> None:
        kind, fields, at = record.kind, record.entry["fields"], record.entry["at"]
        if kind in telling("alive"):
            self._lived(record)
        elif kind == "guard.tripped":
            self._begin(f"guard {fields['guard']}", fields["scope"], record)
        elif kind == "guard.cleared":
            self._end(f"guard {fields['guard']}", fields["scope"], record)
        elif kind.startswith("deletion."):
            self._paused(record)
        elif kind == "root.adopted":
            stood = Stood(
                "root not adopted", fields["root"], -FOREVER, at, (record.number, None)
            )
            self.found.append(stood)
        elif kind == "plan.proposed":
            self._begin(
                f"plan {fields['plan']} waited for approval", fields["root"], record
            )
        elif kind == "plan.approved":
            what = f"plan {fields['plan']} waited for approval"
            for name, root in [key for key in self._open if key[0] == what]:
                self._end(name, root, record)
        elif kind == "alarm.raised" and fields["alarm"] == _OVERDUE:
            self._begin("alarm overdue", fields["scope"], record)
        elif kind == "alarm.ended" and fields["alarm"] == _OVERDUE:
            self._end("alarm overdue", fields["scope"], record)

    def _paused(self, record: Record) -> None:
        """A pause ends by itself, unless it was ended before."""
        fields, at = record.entry["fields"], record.entry["at"]
        last = self._pause
        if last is not None and last.until > at:
            self.found.remove(last)
            entries = last.entries[0], record.number
            self.found.append(last._replace(until=at, entries=entries))
        self._pause = None
        if record.kind == "deletion.paused":
            self._pause = Stood("pause", "", at, fields["until"], (record.number, None))
            self.found.append(self._pause)

    def _begin(self, what: str, root: str, record: Record) -> None:
        self._open.setdefault((what, root), (record.entry["at"], record.number))

    def _end(self, what: str, root: str, record: Record) -> None:
        begun = self._open.pop((what, root), None)
        if begun is not None:
            stood = Stood(
                what, root, begun[0], record.entry["at"], (begun[1], record.number)
            )
            self.found.append(stood)

    def _lived(self, record: Record) -> None:
        """Between a stop and a start, or in a long silence, nothing was deleted."""
        at, last = record.entry["at"], self._alive
        if last is not None:
            down = last[2] == STOPPED and record.kind == STARTED
            if down or at - last[0] > SILENCE:
                numbers = last[1], record.number
                self.found.append(Stood("service down", "", last[0], at, numbers))
        self._alive = at, record.number, record.kind

    def between(self, due: Micros, gone: Micros, root: str) -> tuple[str, list[int]]:
        """What stood in the way of a file of a root, and the entries that say so."""
        met = [
            one
            for one in self.found
            if one.since < gone and due < one.until and one.root in ("", root)
        ]
        if not met:
            return "not known: the log names nothing that stood in its way", []
        entries = sorted({n for one in met for n in one.entries if n is not None})
        return "; ".join(dict.fromkeys(map(_text, met))), entries


def _text(one: Stood) -> str:
    first, last = one.entries
    where = f"entry {first}" if last is None else f"entries {first} and {last}"
    scope = f" of {one.root}" if one.root else ""
    return f"{one.what}{scope} ({where})"
