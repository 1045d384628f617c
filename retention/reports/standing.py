"""What stood from when until when, by the log: alarms and guards, and all else that keeps
footage from being deleted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from retention.model.answers.report import ReportColumn, ReportRow, ReportTable
from retention.model.coverage import SILENCE, STARTED, STOPPED
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import FOREVER, Micros, Window
from retention.reports.columns import ENTRY, STOOD, entries_of, seconds
from retention.tlog.kinds import telling
from retention.tlog.source import Believed, Record

ALARMS, IN_THE_WAY = telling("stands"), telling("late")
"""The kinds that say what stands, and which of it is in the way of deletion."""

_GUARD, _PLAN, _OVERDUE = "guard ", "plan ", "overdue"
RAISED, TRIPPED, PROPOSED = "alarm.raised", "guard.tripped", "plan.proposed"
_BEGIN = RAISED, TRIPPED, PROPOSED


class Stood(NamedTuple):
    """What stood, of a root or another scope (empty: of all), from when until when (None:
    it stands), how it ended, and the entries that say so."""

    what: str
    scope: str
    since: Micros
    until: Micros | None
    how: str
    entries: list[int]

    @property
    def is_guard(self) -> bool:
        """Whether it is a guard: it stops deletion."""
        return self.what.startswith(_GUARD)

    def met(self, window: Window) -> bool:
        """Whether it stood at any time of these."""
        ended = FOREVER if self.until is None else self.until
        return self.since < window.end and window.start < ended


def stood(source: Believed, window: Window) -> list[Stood]:
    """Every alarm and guard that stood at any time of these, as they began."""
    return [one for one in _standing(source.of_kinds(ALARMS)) if one.met(window)]


def _standing(records: Iterable[Record]) -> list[Stood]:
    found: list[Stood] = []
    open_: dict[tuple[str, str], int] = {}
    for record in records:
        named = _named(record)
        if named is None:
            continue
        key, scope = named
        if record.kind in _BEGIN:
            if key not in open_:
                open_[key] = len(found)
                at = record.entry["at"]
                found.append(Stood(key[0], scope, at, None, "stands", [record.number]))
        elif (place := open_.pop(key, None)) is not None:
            one = found[place]
            found[place] = one._replace(
                until=record.entry["at"], how=_how(record),
                entries=[*one.entries, record.number],
            )  # fmt: skip
    return found


def _named(record: Record) -> tuple[tuple[str, str], str] | None:
    """What an entry says stands, or is over: by what it is known again, and its scope."""
    fields = record.entry["fields"]
    noun = record.kind.partition(".")[0]
    if noun == "plan":  # whoever approves one names no root
        return (f"{_PLAN}{fields['plan']} waited for approval", ""), fields.get(
            "root", ""
        )
    if noun not in ("alarm", "guard"):
        return None
    what = f"{_GUARD}{fields['guard']}" if noun == "guard" else str(fields["alarm"])
    return (what, str(fields["scope"])), str(fields["scope"])


def _how(record: Record) -> str:
    """A guard that a person acknowledged has that person as its actor."""
    by_person = record.entry["actor"]["role"] not in ("service", "offline")
    acknowledged = record.entry["fields"].get("acknowledged", by_person)
    return "acknowledged" if acknowledged else "over"


def stood_table(
    name: str, title: str, found: Iterable[Stood], written: Micros, kinds: Iterable[str]
) -> ReportTable:
    """They as a table; `written` is up to when they are known."""
    columns = [
        ReportColumn("what", "what"),
        ReportColumn("where", "where"),
        *STOOD,
        ReportColumn("ended", "ended"),
        ENTRY,
    ]
    rows = [
        ReportRow(
            [
                one.what, one.scope or None, format_utc(one.since), utc_or_null(one.until),
                seconds((one.until or written) - one.since), one.how, one.entries[0],
            ],
            entries_of(one.entries),
        )
        for one in found
    ]  # fmt: skip
    return ReportTable(name, title, columns, rows, evidence=[*kinds])


class Obstacles:
    """All that stood in the way of deletion, by the entries of `IN_THE_WAY`."""

    def __init__(self, records: Iterable[Record]) -> None:
        told = list(records)
        found = [*_silences(told), *_pauses(told), *_before_adoption(told)]
        for one in _standing(told):
            if one.what == _OVERDUE:
                found.append(one._replace(what="alarm overdue"))
            elif one.is_guard or one.what.startswith(_PLAN):
                found.append(one)
        self.found = sorted(found, key=lambda one: one.since)

    def between(self, due: Micros, gone: Micros, root: str) -> tuple[str, list[int]]:
        """What stood in the way of a file of a root, and the entries that say so."""
        met = [
            one
            for one in self.found
            if one.scope in ("", root) and one.met(Window(due, gone))
        ]
        if not met:
            return "not known: the log names nothing that stood in its way", []
        entries = sorted({number for one in met for number in one.entries})
        return "; ".join(dict.fromkeys(map(_text, met))), entries


def _silences(records: Iterable[Record]) -> Iterator[Stood]:
    """Between a stop and a start, or in a long silence, nothing was deleted."""
    last: Record | None = None
    for record in records:
        if record.kind not in telling("alive"):
            continue
        at = record.entry["at"]
        if last is not None:
            since = last.entry["at"]
            down = last.kind == STOPPED and record.kind == STARTED
            if down or at - since > SILENCE:
                entries = [last.number, record.number]
                yield Stood("service down", "", since, at, "over", entries)
        last = record


def _pauses(records: Iterable[Record]) -> list[Stood]:
    """One ends by itself, unless it is ended before."""
    found: list[Stood] = []
    for record in records:
        if not record.kind.startswith("deletion."):
            continue
        at, last = record.entry["at"], found[-1] if found else None
        if last is not None and last.until is not None and last.until > at:
            found[-1] = last._replace(until=at, entries=[*last.entries, record.number])
        if record.kind == "deletion.paused":
            until = record.entry["fields"]["until"]
            found.append(Stood("pause", "", at, until, "over", [record.number]))
    return found


def _before_adoption(records: Iterable[Record]) -> Iterator[Stood]:
    for record in records:
        if record.kind == "root.adopted":
            root, at = record.entry["fields"]["root"], record.entry["at"]
            yield Stood("root not adopted", root, -FOREVER, at, "over", [record.number])


def _text(one: Stood) -> str:
    where = ("entry " if len(one.entries) == 1 else "entries ") + " and ".join(
        map(str, one.entries)
    )
    scope = f"{one.scope}: " if one.scope else ""
    return f"{one.what} ({scope}{where})"
