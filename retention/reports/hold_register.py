"""The report on holds: the register, who did what, what each kept and what it came too late
for, as far as the log says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from json import dumps
from typing import Any, NamedTuple

from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.errors import VerificationError
from retention.model.localtime import counted, format_utc, utc_or_null
from retention.model.values import Micros, Window
from retention.reports.columns import ENTRY, entries_of, seconds, sums
from retention.reports.evidence import Evidence, Selection
from retention.reports.held import HoldHistory, HoldLife
from retention.tlog.commitments import ACTOR_NAME
from retention.tlog.kinds import HOLDS
from retention.tlog.lawful.releases import UNSET_LOGIN
from retention.tlog.source import DELETED, INTENDED, LOST, Believed, Record, outcomes
from retention.tlog.source import opened as clear


class Tally(NamedTuple):
    """Recordings, their duration and bytes, and how much of that duration lies outside a
    hold's own time."""

    number: int = 0
    duration: int = 0
    size: int = 0
    surplus: int = 0

    def plus(self, length: int, size: int, surplus: int) -> Tally:
        """With one recording more."""
        return Tally(
            self.number + 1, self.duration + length, self.size + size,
            self.surplus + surplus,
        )  # fmt: skip


_NONE = Tally()

WIDER = (
    "From and to are the time that is kept: what was asked for, and a margin around it"
)
SAR = "sar is a subject access request: somebody asks for footage of herself"


@dataclass(slots=True)
class HoldFootage:
    """What became of the footage that a hold covers, and the entries that say so."""

    before: Tally = _NONE
    """Deleted, or vanished, before it was placed, or extended to them: it came too late
    for these."""
    since: Tally = _NONE
    """Deleted since: once it had been released and had cooled off, or while it came."""
    lost: Tally = _NONE
    """Vanished while it stood, and not by this program."""
    told: set[int] = field(default_factory=set)


def lives(source: Believed) -> list[HoldLife]:
    """Every hold of a log."""
    history = HoldHistory()
    for record in source.of_kinds(HOLDS):
        if record.kind in HOLDS:
            history.read(record)
    return history.all()


class _Reach:
    """Which holds cover a recording: by camera, the windows one after another."""

    def __init__(self, holds: Iterable[HoldLife]) -> None:
        self._by_camera: dict[int, list[HoldLife]] = {}
        for hold in holds:
            for camera in hold.cameras:
                self._by_camera.setdefault(camera, []).append(hold)
        self.windows = [hold.window for hold in holds if hold.cameras]
        self.cameras = frozenset(self._by_camera)

    def over(self, camera: int, start: Micros, end: Micros) -> Iterator[HoldLife]:
        """The holds on a recording."""
        for hold in self._by_camera.get(camera, ()):
            if start < hold.window.end and hold.window.start < end:
                yield hold


def account(evidence: Evidence, holds: list[HoldLife]) -> dict[int, HoldFootage]:
    """What was deleted and lost of the footage of these holds, by their numbers."""
    found, reach = _lost(evidence, holds), _Reach(holds)
    if not reach.windows:
        return found
    for intent, done in evidence.of_footage(reach.cameras, reach.windows):
        became, at = outcomes(done), done.entry["at"]
        left = {row for row, one in became.exceptions.items() if not one.ours}
        for hold, reached, tally in _rows(reach, intent, left):
            one = found[hold.number]
            if at < reached:
                one.before = one.before.plus(*tally)
            else:
                one.since = one.since.plus(*tally)
            one.told |= {intent.number, done.number}
    return found


def _lost(evidence: Evidence, holds: list[HoldLife]) -> dict[int, HoldFootage]:
    """What vanished of it alone."""
    found = {hold.number: HoldFootage() for hold in holds}
    reach = _Reach(holds)
    for record in evidence.source.of_kinds((LOST,)):
        if record.kind == LOST:
            at = record.entry["at"]
            for hold, reached, tally in _rows(reach, record, set()):
                one, was_there = found[hold.number], reached <= at
                if was_there and not hold.stood(Window(at, at + 1)):
                    continue
                one.told.add(record.number)
                if was_there:
                    one.lost = one.lost.plus(*tally)
                else:
                    one.before = one.before.plus(*tally)
    return found


def _rows(
    reach: _Reach, record: Record, left: set[int]
) -> Iterator[tuple[HoldLife, Micros, tuple[int, int, int]]]:
    """Each hold with since when it covers a recording, and that one's duration, bytes and
    surplus."""
    names = ("camera", "start", "duration", "bytes")
    columns = record.read(set(names)).columns
    rows = zip(*(columns[name] for name in names), strict=True)
    for row, (camera, start, duration, size) in enumerate(rows):
        if row in left:
            continue
        end = start + duration
        for hold in reach.over(camera, start, end):
            inside = min(end, hold.window.end) - max(start, hold.window.start)
            reached = hold.reached(camera, start, end)
            yield hold, reached, (duration, size, duration - inside)


# -- the report -----------------------------------------------------------------------------


def chosen(evidence: Evidence, asked: Selection) -> list[HoldLife]:
    """The holds that stood in the time asked for, on any of the cameras asked for."""
    return [
        hold
        for hold in lives(evidence.source)
        if hold.stood(asked.window)
        and (asked.cameras is None or hold.cameras & asked.cameras)
    ]


def holds(evidence: Evidence, asked: Selection) -> Report:
    """The holds that stood in the time asked for, on any of the cameras asked for."""
    found = chosen(evidence, asked)
    footage = account(evidence, found)
    return evidence.report(
        "holds", "Evidence holds", asked, _verdict(evidence, found, footage),
        [
            hold_table("holds", "Register", evidence, found, footage, _REGISTER),
            _footage(evidence, found, footage),
            _acts(found),
        ],
        [
            "People are uid and role, as the kernel named them; names, references and "
            "reasons are in the log as commitments only",
            "Of footage that is still there the log says nothing one by one: it names a "
            "recording when it is deleted, lost or in doubt; what a hold keeps now "
            "`retention hold show N` counts",
            WIDER, SAR,
            "Surplus is footage outside a hold's time, in recordings that reach into it",
        ],
    )  # fmt: skip


def register(evidence: Evidence, asked: Selection) -> Report:
    """The same without what was deleted of their footage, for which batches are read."""
    found = chosen(evidence, asked)
    footage = _lost(evidence, found)
    tables = [hold_table("holds", "Register", evidence, found, footage, _REGISTER)]
    verdict = _verdict(evidence, found, footage)
    return evidence.report("holds", "Evidence holds", asked, verdict, tables, [])


def _verdict(
    evidence: Evidence, found: list[HoldLife], footage: dict[int, HoldFootage]
) -> list[ReportSaid]:
    now = evidence.written
    states = [hold.state(now) for hold in found]
    force = sum(state.startswith("in force") for state in states)
    cooling = states.count("cooling off")
    said = [
        ReportSaid(
            f"{counted(len(found), 'hold')}: {force} in force, {cooling} cooling off, "
            f"{len(found) - force - cooling} released"
        )
    ]
    overdue = [hold for hold in found if hold.is_overdue(now)]
    if overdue:
        numbers = ", ".join(str(hold.number) for hold in overdue[:20])
        said.append(ReportSaid(f"{len(overdue)} overdue for review: {numbers}", False))
    else:
        said.append(ReportSaid("no review is overdue", True))
    for number, one in footage.items():
        if one.lost.number:
            text = f"hold {number} LOST {one.lost.number:,} of its recordings"
            said.append(ReportSaid(text, False))
    alone = [hold for hold in found if hold.released and _is_alone(hold)]
    if alone:
        numbers = ", ".join(str(hold.number) for hold in alone[:20])
        said.append(ReportSaid(f"{len(alone)} released by one person: {numbers}"))
    return said


def _is_alone(hold: HoldLife) -> bool:
    asked, agreed = hold.requested, hold.released
    if agreed is None or asked is None:
        return True
    return any(
        a == b != UNSET_LOGIN for a, b in zip(asked.person, agreed.person, strict=True)
    )


_COLUMNS = (
    ReportColumn("hold", "hold", "number"),
    ReportColumn("kind", "kind"),
    ReportColumn("received", "request came", "instant"),
    ReportColumn("cameras", "cameras"),
    ReportColumn("since", "from", "instant"),
    ReportColumn("until", "to", "instant"),
    ReportColumn("state", "state"),
    ReportColumn("placed", "placed", "instant"),
    ReportColumn("placed_by", "by"),
    ReportColumn("reviewed", "last reviewed", "instant"),
    ReportColumn("reviewed_by", "by"),
    ReportColumn("review", "review due", "instant"),
    ReportColumn("review_overdue", "overdue"),
    ReportColumn("release_asked_by", "release asked for by"),
    ReportColumn("released", "released", "instant"),
    ReportColumn("released_by", "approved by"),
    ReportColumn("free_at", "free from", "instant"),
    ReportColumn("kept", "how it is kept"),
    ReportColumn("too_late", "gone before", "number"),
    ReportColumn("lost", "lost while held", "number"),
)
"""What is told of a hold, by `_told`."""

_REGISTER = (
    "hold kind received cameras since until state placed placed_by reviewed reviewed_by "
    "review review_overdue release_asked_by released released_by free_at"
)


def _told(evidence: Evidence, hold: HoldLife, footage: HoldFootage) -> dict[str, Any]:
    state = hold.state(evidence.written)
    acts = {
        "placed": hold.placed, "reviewed": hold.reviewed, "released": hold.released,
        "release_asked": hold.requested,
    }  # fmt: skip
    return {
        "hold": hold.number,
        "kind": hold.kind,
        "received": utc_or_null(hold.received),
        "cameras": " ".join(sorted(map(evidence.cameras.name, hold.cameras))),
        "since": format_utc(hold.window.start),
        "until": utc_or_null(hold.window.end),
        "state": state,
        **{name: act and format_utc(act.at) for name, act in acts.items()},
        **{f"{name}_by": act and act.who for name, act in acts.items()},
        "review": format_utc(hold.review),
        "review_overdue": "yes" if hold.is_overdue(evidence.written) else "no",
        "free_at": utc_or_null(hold.free_at),
        "kept": "not any more"
        if state == "released"
        else "not deleted by this program",
        "too_late": footage.before.number,
        "lost": footage.lost.number,
    }


def hold_table(
    name: str, title: str, evidence: Evidence, found: list[HoldLife],
    footage: dict[int, HoldFootage], columns: str,
) -> ReportTable:  # fmt: skip
    """Holds, with some of the columns that there are; cameras have the ids that they have
    at the end of the log."""
    shown = [one for one in _COLUMNS if one.name in columns.split()]
    rows = []
    for hold in found:
        told = _told(evidence, hold, footage[hold.number])
        cells = [told[one.name] for one in shown]
        rows.append(ReportRow(cells, entries_of(hold.entries)))
    return ReportTable(
        name, title, shown, rows, empty="no hold stood then", evidence=["hold.*"]
    )


def _footage(
    evidence: Evidence, found: list[HoldLife], footage: dict[int, HoldFootage]
) -> ReportTable:
    parts = {
        "too_late": "gone before",
        "deleted_since": "kept, and deleted since",
        "lost": "lost while it stood",
    }
    columns = [ReportColumn("hold", "hold", "number")]
    for name, heading in parts.items():
        columns += [
            ReportColumn(name, heading, "number"),
            ReportColumn(f"{name}_duration", "footage", "duration"),
            ReportColumn(f"{name}_bytes", "bytes", "bytes"),
        ]
    columns.append(ReportColumn("surplus", "surplus of those", "duration"))
    rows = []
    for hold in found:
        one = footage[hold.number]
        cells = [hold.number, *sums(one.before), *sums(one.since), *sums(one.lost)]
        cells.append(seconds(one.since.surplus))
        rows.append(ReportRow(cells, entries_of(one.told)))
    return ReportTable(
        "footage", "What became of their footage", columns, rows,
        empty="no hold stood then", evidence=[INTENDED, DELETED, LOST],
    )  # fmt: skip


def opened(evidence: Evidence, asked: Selection) -> tuple[Report, list[int]]:
    """The same with what identifies people and every free text, of the live log alone; and
    the holds of which any was opened.

    A detail that is not the one committed to is left out, and the verdict says so.
    """
    report = holds(evidence, asked)
    numbers: list[int] = []
    rows: list[ReportRow] = []
    said: list[ReportSaid] = []
    (acts,) = (one for one in report.tables if one.name == "acts")
    for hold, number, *_ in (row.cells for row in acts.rows):
        try:
            found = list(_details(evidence, number))
        except VerificationError as error:
            said.append(ReportSaid(str(error), False))
            continue
        rows += [ReportRow([hold, number, *one], entries_of([number])) for one in found]
        if found and hold not in numbers:
            numbers.append(hold)
    columns = [
        ReportColumn("hold", "hold", "number"),
        ENTRY,
        ReportColumn("field", "detail"),
        ReportColumn("value", "in clear"),
    ]
    table = ReportTable(
        "details", "Details", columns, rows, evidence=["hold.*"],
        empty="none: nothing was committed to, or all of it was erased",
    )  # fmt: skip
    whole = replace(
        report, verdict=[*report.verdict, *said], tables=[*report.tables, table]
    )
    return whole, numbers


def _details(evidence: Evidence, number: int) -> Iterator[tuple[str, str]]:
    """Each committed value of an entry by its name; VerificationError where one is not
    that to which the entry is committed."""
    record = evidence.source.entry(number)
    names = set(record.entry.get("sd", {}))
    found = clear(record.entry, evidence.source.disclosures(number))
    values = {"name": found["actor"].get("name"), **found["fields"]}
    for name in sorted(values):
        known = name in names or (name == "name" and ACTOR_NAME in names)
        if known and values[name] is not None:
            value = values[name]
            yield name, value if isinstance(value, str) else dumps(value)


def _acts(found: list[HoldLife]) -> ReportTable:
    columns = [
        ReportColumn("hold", "hold", "number"),
        ENTRY,
        ReportColumn("at", "at", "instant"),
        ReportColumn("what", "what was done"),
        ReportColumn("who", "by"),
    ]
    rows = [
        ReportRow(
            [hold.number, one.entry, format_utc(one.at), one.what, one.who],
            entries_of([one.entry]),
        )
        for hold in found
        for one in hold.acts
    ]
    return ReportTable(
        "acts", "Who did what", columns, rows, empty="nothing", evidence=["hold.*"]
    )
