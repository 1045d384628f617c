"""The answer to a request under the Freedom of Information Act: how many cameras, where,
watched and recorded when, how long footage is kept and what happens then.

What such requests ask is in the design's studies; it began with one council's answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from retention.control.guards import CUSTODY, SILENT
from retention.model import monitored
from retention.model.answers.report import (
    Kind,
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import counted, day_text, format_duration, times
from retention.model.values import SECOND, PublicAs, published_by
from retention.reports.columns import entries_of, seconds
from retention.reports.coverage_report import CameraDays, camera_days
from retention.reports.evidence import Evidence, Selection
from retention.reports.forms.texts import share_text
from retention.reports.hold_register import SAR, lives
from retention.reports.lateness import (
    EVIDENCE,
    Lateness,
    grouped,
    total_of,
    wanted_of,
)
from retention.reports.standing import Stood, stood
from retention.tlog.cameras import KINDS, LoggedCamera
from retention.tlog.public import withheld_cameras

ANYONE, AUDITOR = "anyone can recompute", "an auditor can"
"""Who can check a figure: who has the public copy of the log and the key, or who has all
of it."""

FEW = 5
"""What is less is suppressed where that is asked: few people could be made out."""

POLICY, SITE, ANPR = "policy.changed", "site.described", "anpr"
_GROUPS = {"public_space": "public-space", ANPR: "ANPR"}


def foi(evidence: Evidence, asked: Selection, *, suppress: bool = False) -> Report:
    """The figures of the days asked for; `suppress`: numbers of people's acts below `FEW`
    are not shown."""
    days = evidence.days(asked)
    used = _used(evidence, asked)
    total = total_of(evidence.figures, wanted_of(evidence, asked))
    alarms = list(_alarms(evidence, asked))
    rows = [
        *_cameras(evidence, used),
        *_watching(evidence, days),
        *_recording(evidence, asked, days),
        *_keeping(evidence, asked, total),
        *_police(evidence, used, alarms),
        *_list(evidence),
        _silent(alarms),
    ]
    columns = [
        ReportColumn("question", "question"),
        ReportColumn("answer", "answer"),
        ReportColumn("check", "who can check it"),
    ]
    notes = [
        f'"{ANYONE}": from the public copy of the audit log and the public key; '
        f'"{AUDITOR}": from the whole of it, which tells where footage is held, and that '
        "no camera is there that is not published",
        "The cameras are those of the end of the log",
        SAR,
    ]
    if evidence.public:
        rows = [row for row in rows if row.cells[2] == ANYONE]
        notes.append(
            "This is from the public copy: what only an auditor can check is left out, and "
            "so are cameras of which it has no entry: those that are not published, and "
            "those of which the number alone is and that came into the register with "
            "their place"
        )
    if evidence.cameras.site.get("monitored_hours") not in (None, monitored.ALWAYS):
        notes.append("Watching past midnight counts to the day on which it begins")
    tables = [
        ReportTable("answers", "Questions and answers", columns, rows),
        _streets(used),
    ]
    if not evidence.public:
        tables += [
            _deletions(evidence, asked),
            _holds(evidence, asked, suppress=suppress),
        ]
    period = f"from {day_text(days.start)} to {day_text(days.stop - 1)}"
    return evidence.report(
        "foi", "CCTV: what is asked under the Freedom of Information Act", asked,
        [ReportSaid(f"{evidence.site}, {period}")], tables, notes,
    )  # fmt: skip


def _row(
    question: str, answer: str, check: str, entries: Iterable[list[int]] = ()
) -> ReportRow:
    return ReportRow([question, answer, check], list(entries))


def _alarms(evidence: Evidence, asked: Selection) -> Iterator[Stood]:
    """Those that name a camera that is asked for, as they were raised."""
    for one in stood(evidence.source, asked.window):
        raised = evidence.source.entry(one.entries[0])
        if one.what in (SILENT, CUSTODY) and (
            asked.cameras is None or raised.cameras() & asked.cameras
        ):
            yield one


# -- cameras --------------------------------------------------------------------------------


def _used(evidence: Evidence, asked: Selection) -> list[LoggedCamera]:
    return [
        one
        for key, one in sorted(evidence.cameras.by_key.items())
        if one.retired is None and (asked.cameras is None or key in asked.cameras)
    ]


def _cameras(evidence: Evidence, used: list[LoggedCamera]) -> list[ReportRow]:
    numbers = [one.number for one in evidence.source.of_kinds(KINDS)]
    entries = [[min(numbers), max(numbers)]] if numbers else []
    rows = []
    for group in (*_GROUPS.values(), "other"):
        every = [
            one
            for one in evidence.cameras.by_key.values()
            if _GROUPS.get(str(one.said.get("kind")), "other") == group
        ]
        kinds = Counter(str(one.said.get("kind")) for one in every if one in used)
        answer = f"{kinds.total():,}"
        if not kinds and (evidence.public or group == "other"):
            continue
        if group == "other":
            answer = "; ".join(
                f"{kind.replace('_', ' ')}: {number:,}"
                for kind, number in sorted(kinds.items())
            )
        question = f"How many {group} cameras are there?"
        rows.append(_row(question, answer, _known(evidence, every), entries))
    return rows


def _known(evidence: Evidence, those: Collection[LoggedCamera]) -> str:
    """Who can count them: anyone, unless the public copy lacks any entry about one, or all,
    for there are none."""
    withheld = withheld_cameras(evidence.source.of_kinds(KINDS))
    all_there = those and not any(one.key in withheld for one in those)
    return ANYONE if all_there else AUDITOR


def _place(one: LoggedCamera) -> str | None:
    """Where it is, as far as that is published."""
    said = one.said
    given = said.get("published") or published_by(str(said.get("kind")))
    if PublicAs(given) is not PublicAs.FULL:
        return None
    return str(said.get("location") or "") or None


def _streets(used: list[LoggedCamera]) -> ReportTable:
    found: dict[str, Counter[str]] = {}
    for one in used:
        place = _place(one) or "not published"
        kind = "anpr" if one.said.get("kind") == ANPR else "other"
        found.setdefault(place, Counter())[kind] += 1
    columns = [
        ReportColumn("location", "location"),
        ReportColumn("cameras", "cameras", "number"),
        ReportColumn("anpr", "ANPR cameras", "number"),
    ]
    rows = [
        ReportRow([place, number["other"], number["anpr"]])
        for place, number in sorted(found.items())
    ]
    return ReportTable("locations", "Where they are", columns, rows, evidence=[*KINDS])


# -- when -----------------------------------------------------------------------------------


def _watching(evidence: Evidence, days: range) -> list[ReportRow]:
    entries = entries_of(_last(evidence, SITE))
    said = evidence.cameras.site.get("monitored_hours")
    if said is None:
        answer = "not on record (setting monitored_hours)"
    else:
        found = monitored.read(str(said))
        year = int(day_text(days.stop - 1)[:4])
        low, high = found.hours_a_day
        hours = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        answer = f"{found.days_in(year)} days in {year}, {hours} hours a day ({said})"
    return [_row("When do people watch them?", answer, ANYONE, entries)]


def _last(evidence: Evidence, kind: str) -> list[int]:
    return [one.number for one in evidence.source.of_kinds((kind,))][-1:]


def _recording(evidence: Evidence, asked: Selection, days: range) -> list[ReportRow]:
    """By what was catalogued: a recording counts to the UTC day that it starts on."""
    found = camera_days(evidence, asked, days)
    total = CameraDays()
    for one in found.values():
        total.add(one)
    if not total.number or total.share is None:
        answer = "nothing was recorded"
    else:
        empty = "no camera was without any"
        if total.empty:
            empty = f"{times(total.empty)} a camera was without any"
        with_any = len({day for (_, day), one in found.items() if one.number})
        answer = (
            f"{with_any:,} of {len(days):,} days; {share_text(total.share)} of all hours of "
            f"{counted(len({key for key, _ in found}), 'camera')}; "
            f"{empty} for a whole day, whatever the reason"
        )
    return [_row("When do the council's cameras record?", answer, AUDITOR)]


# -- how long -------------------------------------------------------------------------------


def _keeping(evidence: Evidence, asked: Selection, total: Lateness) -> list[ReportRow]:
    policies = list(evidence.source.of_kinds((POLICY,)))
    rows = []
    if policies:
        last = policies[-1]
        own = len(last.periods())
        text = f"{counted(last.entry['fields']['days'], 'day')} from the end of each recording"
        if own:
            text += f"; {own:,} cameras have a period of their own"
        rows.append(
            _row("How long is footage kept?", text, ANYONE, entries_of([last.number]))
        )
    rows.append(
        _row(
            "What happens to it then?",
            "it is deleted automatically, unless it is under an evidence hold",
            ANYONE,
        )
    )
    early = sum(
        last - first + 1
        for odd in evidence.figures.odd("early", wanted_of(evidence, asked))
        for first, last in odd.rows
    )
    worst = format_duration(total.worst // SECOND * SECOND)
    rows.append(
        _row(
            "How much was deleted?",
            f"{counted(total.number, 'recording')}, {format_duration(total.duration)} of footage; "
            f"{f'{total.late:,}' if total.late else 'none'} of them late, the longest wait was {worst}",
            AUDITOR,
            total.entries,
        )
    )
    rows.append(
        _row(
            "Was any deleted before its time?",
            f"{early:,}" if early else "none",
            AUDITOR,
        )
    )
    return rows


def _police(
    evidence: Evidence, used: list[LoggedCamera], alarms: list[Stood]
) -> list[ReportRow]:
    """Cameras whose data is not the council's."""
    theirs = {one.key: one for one in used if one.said.get("custody") != "council"}
    if not theirs:
        return []
    custody = Counter(str(one.said.get("custody")) for one in theirs.values())
    seen_here = [one for one in alarms if one.what == CUSTODY]
    recorded = {row[1] for row in evidence.figures.recorded(list(theirs))}
    for one in seen_here:
        recorded |= theirs.keys() & evidence.source.entry(one.entries[0]).cameras()
    names = " ".join(sorted(theirs[key].id for key in recorded))
    answer = "; ".join(
        f"{kind.replace('_', ' ')}: {n:,}" for kind, n in custody.items()
    )
    seen = "no file of theirs was seen here"
    if recorded or seen_here:
        seen = f"FILES OF THEIRS WERE SEEN HERE ({names or 'of cameras out of use'})"
    entries = entries_of(n for one in seen_here for n in one.entries)
    return [
        _row(
            "Whose data is not the council's?",
            answer,
            _known(evidence, theirs.values()),
        ),
        _row("Does the council hold any of it?", seen, AUDITOR, entries),
    ]


def _list(evidence: Evidence) -> list[ReportRow]:
    site = evidence.cameras.site
    where, day = site.get("published_list"), site.get("published_list_day")
    if where is None:
        answer = "not on record (setting published_list)"
    else:
        answer = f"{where}, as of {day}" if day else str(where)
    entries = entries_of(_last(evidence, SITE))
    return [_row("Where is the list of cameras published?", answer, ANYONE, entries)]


def _silent(alarms: list[Stood]) -> ReportRow:
    found = [one for one in alarms if one.what == SILENT]
    entries = entries_of(n for one in found for n in one.entries)
    question = (
        "How often did the alarm sound that a camera had recorded without a gap, and then "
        "no more?"
    )
    return _row(question, times(len(found)), AUDITOR, entries)


# -- tables ---------------------------------------------------------------------------------


def _deletions(evidence: Evidence, asked: Selection) -> ReportTable:
    columns = [
        ReportColumn("day", "deleted on", "day"),
        ReportColumn("recordings", "recordings", "number"),
        ReportColumn("on_time", "on time", "share"),
        ReportColumn("worst_lateness", "worst lateness", "duration"),
    ]
    rows = [
        ReportRow(
            [day_text(day), one.number, one.share, seconds(one.worst)],
            one.entries,
        )
        for (day,), one in grouped(
            evidence.figures, ("day",), wanted_of(evidence, asked)
        )
    ]
    return ReportTable(
        "deletions", "Deletions by day", columns, rows, empty="nothing was deleted",
        evidence=EVIDENCE,
    )  # fmt: skip


def _holds(evidence: Evidence, asked: Selection, *, suppress: bool) -> ReportTable:
    window = asked.window
    sums: dict[str, list[int]] = {}
    entries: dict[str, list[int]] = {}
    for hold in lives(evidence.source):
        if asked.cameras is not None and not hold.cameras & asked.cameras:
            continue
        freed = hold.released
        met = [
            window.start <= hold.placed.at < window.end,
            freed is not None and window.start <= freed.at < window.end,
            hold.state(evidence.written) != "released",
        ]
        if any(met):
            found = sums.setdefault(hold.kind, [0, 0, 0])
            sums[hold.kind] = [a + b for a, b in zip(found, met, strict=True)]
            entries.setdefault(hold.kind, []).append(hold.placed.entry)
    kind: Kind = "text" if suppress else "number"
    columns = [
        ReportColumn("kind", "asked for by"),
        ReportColumn("placed", "placed", kind),
        ReportColumn("released", "released", kind),
        ReportColumn("standing", "still kept", kind),
    ]
    rows: list[ReportRow] = []
    for asks, numbers in sorted(sums.items()):
        cells: list[Any] = [asks, *numbers]
        if suppress:
            few = f"fewer than {FEW}"
            cells = [asks, *(few if 0 < n < FEW else str(n) for n in numbers)]
        rows.append(ReportRow(cells, [] if suppress else entries_of(entries[asks])))
    return ReportTable(
        "holds", "Footage kept as evidence, by who asks", columns, rows,
        empty="nothing was kept", evidence=["hold.*"],
    )  # fmt: skip
