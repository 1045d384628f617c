"""The report on compliance: whether footage was deleted when its period was over, how old
the oldest of it grew, what stood in the way, and by which policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

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
)
from retention.model.values import DAY, FOREVER, SECOND, Micros
from retention.reports.deletions import EVIDENCE, OURS, faults, grouped, seconds, times
from retention.reports.evidence import Evidence, Selection
from retention.reports.exceptions import ALARMS, CLEARED, TRIPPED, Standing, standing
from retention.reports.hold_register import who
from retention.reports.lateness import Lateness, lateness
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
    """A stretch of heartbeats that all said that something was overdue."""

    since: Micros
    until: Micros
    most: int
    first: int
    last: int


def compliance(evidence: Evidence, asked: Selection) -> Report:
    """Whether the promise was kept on the days asked for; deletions of the cameras asked
    for, all else of the whole site."""
    days = evidence.days(asked)
    wanted = CellsWanted(days.start, days.stop, asked.cameras, OURS)
    steps = evidence.figures.summed(("step",), wanted)
    total = lateness((key[0], one) for key, one in steps)
    beats = [
        one
        for one in evidence.source.of_kinds((HEARTBEAT,))
        if evidence.day(one.entry["at"]) in days and not one.is_void
    ]
    stood = [
        one
        for one in standing(evidence.source.of_kinds(ALARMS))
        if one.since < asked.window.end
        and asked.window.start < (FOREVER if one.until is None else one.until)
    ]
    late = _overdue(beats)
    policies = list(evidence.source.of_kinds((POLICY,)))
    tables = [
        _by_day(evidence, wanted, _watched(evidence, beats)),
        _overdue_table(late),
        _doubtful(evidence, wanted),
        _guards(stood, evidence.written),
        _policies(policies),
    ]
    return evidence.report(
        "compliance", "Compliance", asked,
        [*_verdict(total, beats, late, stood), *faults(evidence)], tables,
        [
            "The oldest footage under no hold and what is overdue are as the service "
            "counted them each hour: without the service there is no figure",
            "The service holds the log against its own rules each day; that it is intact "
            "and lawful `retention audit verify DIR --deep --key KEY` proves",
        ],
    )  # fmt: skip


def _verdict(
    total: Lateness, beats: list[Record], late: list[Overdue], stood: list[Standing]
) -> list[ReportSaid]:
    said = [_on_time(total)]
    if late:
        longest = max(one.until - one.since for one in late)
        said.append(
            ReportSaid(
                f"recordings were overdue {times(len(late))}, the longest for "
                f"{format_duration(longest)}",
                False,
            )
        )
    elif beats:
        said.append(ReportSaid("nothing was overdue at any full hour", True))
    else:
        said.append(ReportSaid("the service counted nothing in these days", False))
    oldest = beats[-1].entry["fields"]["oldest_unheld"] if beats else None
    if oldest is not None:
        age = beats[-1].entry["at"] - oldest
        said.append(
            ReportSaid(
                f"at the end the oldest footage under no hold was {age // DAY} days old"
            )
        )
    guards = [one for one in stood if one.what.startswith("guard ")]
    text = f"guards stopped deletion {times(len(guards))}"
    said.append(ReportSaid(text if guards else "no guard stopped deletion", not guards))
    unlawful = [one for one in stood if one.what == UNLAWFUL]
    if unlawful:
        text = f"entries that no rule allows were found {times(len(unlawful))}"
        said.append(ReportSaid(f"{text}: alarm {UNLAWFUL}", False))
    else:
        said.append(ReportSaid("the daily check found nothing unlawful", True))
    return said


def _on_time(total: Lateness) -> ReportSaid:
    if not total.number:
        return ReportSaid("nothing was deleted in these days")
    late = total.number - total.on_time
    share = 100 * total.on_time / total.number
    shown = "100" if not late else f"{min(share, 99.99):.2f}"
    worst = format_duration(total.worst // SECOND * SECOND)
    return ReportSaid(
        f"{shown} % of {total.number:,} recordings were deleted on time; the longest "
        f"wait was {worst}",
        not late,
    )


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
    deleted = {day: one for (day,), one in grouped(evidence, ("day",), wanted)}
    columns = [
        ReportColumn("day", "day", "day"),
        ReportColumn("recordings", "deleted", "number"),
        ReportColumn("on_time", "on time", "share"),
        ReportColumn("worst_lateness", "worst lateness", "duration"),
        ReportColumn("oldest_unheld", "oldest under no hold", "instant"),
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
        None if oldest is None else format_utc(oldest),
        None if seen is None or oldest is None else seconds(seen.at - oldest),
        None if seen is None else seen.overdue,
    ]  # fmt: skip
    entries = [[one.first, one.last]] if one.number else []
    return ReportRow(cells, entries + ([[seen.first, seen.last]] if seen else []))


def _overdue(beats: list[Record]) -> list[Overdue]:
    found: list[Overdue] = []
    stands = False
    for one in beats:
        at, most = one.entry["at"], one.entry["fields"]["overdue"]
        if most and stands:
            last = found[-1]
            found[-1] = last._replace(
                until=at, most=max(most, last.most), last=one.number
            )
        elif most:
            found.append(Overdue(at, at, most, one.number, one.number))
        elif stands:
            found[-1] = found[-1]._replace(until=at, last=one.number)
        stands = bool(most)
    return found


def _overdue_table(late: list[Overdue]) -> ReportTable:
    columns = [
        ReportColumn("since", "since", "instant"),
        ReportColumn("until", "until", "instant"),
        ReportColumn("duration", "for", "duration"),
        ReportColumn("most", "most at once", "number"),
    ]
    rows = [
        ReportRow(
            [format_utc(one.since), format_utc(one.until),
             seconds(one.until - one.since), one.most],
            [[one.first, one.last]],
        )
        for one in late
    ]  # fmt: skip
    return ReportTable("overdue", "Overdue", columns, rows, evidence=[HEARTBEAT])


# -- why ------------------------------------------------------------------------------------


def _doubtful(evidence: Evidence, wanted: CellsWanted) -> ReportTable:
    """Footage whose period did not count from its own end."""
    rows = [
        ReportRow(
            [
                evidence.cameras.name(camera),
                one.number,
                seconds(one.duration),
                one.size,
            ],
            [[one.first, one.last]],
        )
        for (camera, doubt), one in evidence.figures.summed(("camera", "doubt"), wanted)
        if doubt
    ]
    columns = [
        ReportColumn("camera", "camera"),
        ReportColumn("recordings", "recordings", "number"),
        ReportColumn("duration", "footage", "duration"),
        ReportColumn("bytes", "bytes", "bytes"),
    ]
    return ReportTable(
        "doubt", "Kept beyond their own period, since their times were in doubt", columns,
        rows, evidence=EVIDENCE,
    )  # fmt: skip


def _guards(stood: list[Standing], written: Micros) -> ReportTable:
    columns = [
        ReportColumn("guard", "guard"),
        ReportColumn("root", "root"),
        ReportColumn("since", "since", "instant"),
        ReportColumn("until", "until", "instant"),
        ReportColumn("duration", "for", "duration"),
        ReportColumn("ended", "ended"),
    ]
    rows = [
        ReportRow(
            [one.what.removeprefix("guard "), one.scope or "all", format_utc(one.since),
             None if one.until is None else format_utc(one.until),
             seconds((one.until or written) - one.since), one.how],
            [[entry, entry] for entry in one.entries],
        )
        for one in stood
        if one.what.startswith("guard ")
    ]  # fmt: skip
    return ReportTable(
        "guards", "What stopped deletion", columns, rows, evidence=[TRIPPED, CLEARED]
    )


def _policies(changed: list[Record]) -> ReportTable:
    columns = [
        ReportColumn("version", "policy", "number"),
        ReportColumn("at", "in force from", "instant"),
        ReportColumn("days", "days", "number"),
        ReportColumn("cameras", "cameras with a period of their own", "number"),
        ReportColumn("by", "by"),
    ]
    rows = [ReportRow(_policy(one), [[one.number, one.number]]) for one in changed]
    return ReportTable("policies", "Retention policy", columns, rows, evidence=[POLICY])


def _policy(record: Record) -> list[Any]:
    fields = record.entry["fields"]
    own = len(record.periods())
    return [
        fields["version"], format_utc(record.entry["at"]), fields["days"], own,
        who(record.entry),
    ]  # fmt: skip
