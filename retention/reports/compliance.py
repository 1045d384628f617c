"""The report on compliance: whether footage was deleted when its period was over, how old
the oldest of it grew, what stood in the way, and by which policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from retention.catalogue.figures import CellsWanted
from retention.control.guards import UNLAWFUL
from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import (
    day_text,
    format_duration,
    format_utc,
    times,
    utc_or_null,
)
from retention.model.values import SECOND, Micros
from retention.reports.columns import (
    CAMERA,
    STOOD,
    SUMS,
    entries_of,
    seconds,
    sums,
    who,
)
from retention.reports.evidence import Evidence, Selection
from retention.reports.lateness import (
    EVIDENCE,
    Lateness,
    grouped,
    total_of,
    wanted_of,
)
from retention.reports.standing import ALARMS, Stood, stood, stood_table
from retention.tlog.source import Record

HEARTBEAT, POLICY = "heartbeat", "policy.changed"


@dataclass(slots=True)
class Watched:
    """What the heartbeats of a day said: the oldest footage under no hold at the last of
    them, the most that was overdue, and which entries they are."""

    oldest: Micros | None
    overdue: int
    first: int
    last: int
    at: Micros


class Overdue(NamedTuple):
    """Heartbeat after heartbeat that said that something was overdue, until the first that
    did not, or, where there is none yet, the end of the log."""

    since: Micros
    until: Micros | None
    duration: Micros
    most: int
    first: int
    last: int


def compliance(evidence: Evidence, asked: Selection) -> Report:
    """Whether the promise was kept on the days asked for; deletions of the cameras asked
    for, all else of the whole site."""
    wanted, days = wanted_of(evidence, asked), evidence.days(asked)
    total = total_of(evidence.figures, wanted)
    beats = [
        one
        for one in evidence.source.of_kinds((HEARTBEAT,))
        if evidence.day(one.entry["at"]) in days
    ]
    alarms = stood(evidence.source, asked.window)
    guards = [one for one in alarms if one.is_guard]
    late = _overdue(beats, min(asked.window.end, evidence.written))
    tables = [
        _by_day(evidence, wanted, _watched(evidence, beats)),
        _overdue_table(late),
        _doubtful(evidence, wanted),
        stood_table(
            "guards", "What stopped deletion", guards, evidence.written, ALARMS
        ),
        _policies(evidence.source.of_kinds((POLICY,))),
    ]
    return evidence.report(
        "compliance", "Compliance", asked, _verdict(total, beats, late, alarms), tables,
        [
            "The oldest footage under no hold and not in doubt, and what is overdue are as "
            "the service counted them each hour: without the service there is no figure",
            "What is overdue, guards and policies are of the whole site, whatever cameras are "
            "asked for",
            "The service holds the log against its own rules each day; that it is intact "
            "and lawful `retention audit verify DIR --deep --key KEY` proves",
        ],
    )  # fmt: skip


def _verdict(
    total: Lateness, beats: list[Record], late: list[Overdue], alarms: list[Stood]
) -> list[ReportSaid]:
    said = [total.said()]
    if late:
        longest = max(one.duration for one in late) // SECOND * SECOND
        text = f"recordings were overdue {times(len(late))}, the longest for at most "
        said.append(ReportSaid(text + format_duration(longest), False))
    elif beats:
        said.append(ReportSaid("nothing was overdue when it was counted", True))
    else:
        said.append(ReportSaid("the service counted nothing in these days", False))
    oldest = beats[-1].entry["fields"]["oldest_unheld"] if beats else None
    if oldest is not None:
        age = beats[-1].entry["at"] - oldest
        said.append(
            ReportSaid(
                "at the end the oldest footage under no hold and not in doubt was "
                f"{format_duration(age)} old"
            )
        )
    guards = [one for one in alarms if one.is_guard]
    text = f"guards stopped deletion {times(len(guards))}"
    said.append(ReportSaid(text if guards else "no guard stopped deletion", not guards))
    unlawful = [one for one in alarms if one.what == UNLAWFUL]
    if unlawful:
        text = f"entries that no rule allows were found {times(len(unlawful))}"
        said.append(ReportSaid(f"{text}: alarm {UNLAWFUL}", False))
    else:
        said.append(ReportSaid("nothing that no rule allows was found", True))
    return said


# -- day by day -----------------------------------------------------------------------------


def _watched(evidence: Evidence, beats: list[Record]) -> dict[int, Watched]:
    found: dict[int, Watched] = {}
    for one in beats:
        fields, at = one.entry["fields"], one.entry["at"]
        day = found.setdefault(
            evidence.day(at), Watched(None, 0, one.number, one.number, at)
        )
        day.oldest, day.last, day.at = fields["oldest_unheld"], one.number, at
        day.overdue = max(day.overdue, fields["overdue"])
    return found


def _by_day(
    evidence: Evidence, wanted: CellsWanted, watched: dict[int, Watched]
) -> ReportTable:
    deleted = {day: one for (day,), one in grouped(evidence.figures, ("day",), wanted)}
    columns = [
        ReportColumn("day", "day", "day"),
        ReportColumn("recordings", "deleted", "number"),
        ReportColumn("on_time", "on time", "share"),
        ReportColumn("worst_lateness", "worst lateness", "duration"),
        ReportColumn(
            "oldest_unheld", "oldest under no hold and not in doubt", "instant"
        ),
        ReportColumn("age", "its age", "duration"),
        ReportColumn("overdue", "most overdue at once", "number"),
    ]
    rows = [
        _day(day, deleted.get(day, Lateness()), watched.get(day))
        for day in sorted(deleted.keys() | watched.keys())
    ]
    return ReportTable(
        "days", "Day by day", columns, rows, empty="nothing in these days",
        evidence=[HEARTBEAT, *EVIDENCE],
    )  # fmt: skip


def _day(day: int, one: Lateness, seen: Watched | None) -> ReportRow:
    oldest = None if seen is None else seen.oldest
    cells = [
        day_text(day), one.number, one.share, seconds(one.worst),
        utc_or_null(oldest),
        None if seen is None or oldest is None else seconds(seen.at - oldest),
        None if seen is None else seen.overdue,
    ]  # fmt: skip
    beats = [[seen.first, seen.last]] if seen else []
    return ReportRow(cells, one.entries + beats)


def _overdue(beats: list[Record], end: Micros) -> list[Overdue]:
    """`end` is up to when that is asked."""
    found: list[Overdue] = []
    for one in beats:
        at, most = one.entry["at"], one.entry["fields"]["overdue"]
        last = found[-1] if found and found[-1].until is None else None
        if last is None:
            if most:
                found.append(Overdue(at, None, end - at, most, one.number, one.number))
        elif most:
            found[-1] = last._replace(most=max(most, last.most), last=one.number)
        else:
            length = at - last.since
            found[-1] = last._replace(until=at, duration=length, last=one.number)
    return found


def _overdue_table(late: list[Overdue]) -> ReportTable:
    columns = [*STOOD, ReportColumn("most", "most at once", "number")]
    rows = [
        ReportRow(
            [format_utc(one.since), utc_or_null(one.until), seconds(one.duration),
             one.most],
            [[one.first, one.last]],
        )
        for one in late
    ]  # fmt: skip
    return ReportTable(
        "overdue", "Overdue, as counted each hour", columns, rows, evidence=[HEARTBEAT]
    )


# -- why ------------------------------------------------------------------------------------


def _doubtful(evidence: Evidence, wanted: CellsWanted) -> ReportTable:
    """Footage whose period did not count from its own end."""
    rows = [
        ReportRow([evidence.cameras.name(camera), *sums(one)], [[one.first, one.last]])
        for (camera, doubt), one in evidence.figures.summed(("camera", "doubt"), wanted)
        if doubt
    ]
    return ReportTable(
        "doubt", "Kept beyond their own period, since their times were in doubt",
        [CAMERA, *SUMS], rows, evidence=EVIDENCE,
    )  # fmt: skip


def _policies(changed: Iterable[Record]) -> ReportTable:
    columns = [
        ReportColumn("version", "policy", "number"),
        ReportColumn("at", "in force from", "instant"),
        ReportColumn("days", "days", "number"),
        ReportColumn("cameras", "cameras with a period of their own", "number"),
        ReportColumn("by", "by"),
    ]
    rows = []
    for one in changed:
        said = one.entry["fields"]
        cells = [
            said["version"], format_utc(one.entry["at"]), said["days"],
            len(one.periods()), who(one.entry),
        ]  # fmt: skip
        rows.append(ReportRow(cells, entries_of([one.number])))
    return ReportTable("policies", "Retention policy", columns, rows, evidence=[POLICY])
