"""The report on deletions: what was deleted when, of which footage, why, and how late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from retention.catalogue.figures import CellsWanted
from retention.model.answers.report import (
    Kind,
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.localtime import (
    counted,
    day_text,
    format_duration,
    format_size,
    format_utc,
)
from retention.model.values import Outcome
from retention.reports.columns import CAMERA, ENTRY, SUMS, entries_of, seconds, sums
from retention.reports.evidence import Evidence, Selection
from retention.reports.lateness import (
    COLUMNS,
    EVIDENCE,
    OURS,
    Lateness,
    grouped,
    lateness,
    total_of,
    wanted_of,
)
from retention.reports.standing import IN_THE_WAY, Obstacles
from retention.tlog.figures import LATE, BatchRows, Count, OddFiles, batch_of
from retention.tlog.source import Record

LISTED = 1_000
"""Recordings that are listed one by one as late or early."""

FILES = 10_000
"""Files in one answer."""

KEPT = {
    Outcome.RESCUED: "kept: a hold came before the file was touched",
    Outcome.ABSENT: "was not there any more: lost",
    Outcome.CHANGED: "left: not the file that was catalogued",
    Outcome.FAILED: "could not be deleted; it is tried again",
    Outcome.STOPPED: "left: deletion stopped",
}
"""What became of files of a batch that were not deleted."""

_FILE = [
    ENTRY,
    ReportColumn("row", "row", "number"),
    CAMERA,
    ReportColumn("start", "recorded from", "instant"),
    ReportColumn("end", "to", "instant"),
    ReportColumn("bytes", "bytes", "bytes"),
    ReportColumn("due", "due", "instant"),
    ReportColumn("deleted", "deleted", "instant"),
]


class DeletedFile(NamedTuple):
    """One row of a batch that is complete."""

    intent: Record
    done: Record
    row: int
    batch: BatchRows


def deletions(evidence: Evidence, asked: Selection, *, files: bool = False) -> Report:
    """What was deleted on the days asked for; `files`: with a row for each file."""
    wanted = wanted_of(evidence, asked)
    total = total_of(evidence.figures, wanted)
    early = _odd(evidence, "early", wanted)
    tables = [
        _by(evidence, wanted, "day", "By day of deletion", "deleted on", total),
        _by(evidence, wanted, "footage", "By day of footage", "recorded on", total),
        _by(evidence, wanted, "camera", "By camera", "camera", total),
        _by_reason(evidence, wanted, total),
        _kept(evidence, wanted),
        _late(evidence, wanted, total),
        _early(early),
    ]
    if files:
        tables.insert(0, _files(evidence, wanted, total))
    return evidence.report(
        "deletions", "Deletions", asked, _verdict(evidence, wanted, total, early), tables,
        [
            "A recording is late where it was deleted over "
            f"{format_duration(LATE)} after its period, and every hold on it, was over",
            "Lateness is counted in steps: half were deleted within the time shown, or "
            "sooner",
            "Deleted means that the file was unlinked; its blocks are not overwritten",
        ],
    )  # fmt: skip


def _verdict(
    evidence: Evidence, wanted: CellsWanted, total: Lateness, early: _Odds
) -> list[ReportSaid]:
    first, last = (wanted.since or 0), (wanted.until or 0) - 1
    deleted = counted(total.number, "recording") if total.number else "nothing"
    said = [
        ReportSaid(
            f"{deleted} deleted from {day_text(first)} to {day_text(last)}"
            f": {format_duration(total.duration)} of footage, {format_size(total.size)}"
        )
    ]
    if total.number:
        said.append(total.said())
    if early.number:
        text = f"{counted(early.number, 'recording')} deleted EARLY"
        said.append(ReportSaid(text, False))
    else:
        said.append(ReportSaid("none was deleted early", True))
    return [*said, *_unfinished(evidence)]


def _unfinished(evidence: Evidence) -> Iterator[ReportSaid]:
    """What became of the files of an open batch the log says when it goes on."""
    found = sorted(evidence.known.open)
    if found:
        files = sum(
            evidence.source.entry(number).entry["fields"]["count"] for number in found
        )
        numbers = ", ".join(map(str, found[:20]))
        yield ReportSaid(
            f"at the end of the log {files:,} files were being deleted (entries {numbers})"
        )


# -- sums ---------------------------------------------------------------------------------


def _by(
    evidence: Evidence,
    wanted: CellsWanted,
    what: str,
    title: str,
    heading: str,
    total: Lateness,
) -> ReportTable:
    shown: Callable[[int], Any] = (
        evidence.cameras.name if what == "camera" else day_text
    )
    kind: Kind = "text" if what == "camera" else "day"
    rows = [
        one.row(shown(key[0]))
        for key, one in grouped(evidence.figures, (what,), wanted)
    ]
    return _summed(
        f"by_{what}", title, [ReportColumn(what, heading, kind)], rows, total
    )


def _summed(
    name: str, title: str, columns: list[ReportColumn], rows: list[ReportRow],
    total: Lateness,
) -> ReportTable:  # fmt: skip
    whole = total.row(*[None] * len(columns)) if rows else None
    return ReportTable(
        name, title, [*columns, *COLUMNS], rows, whole, empty="nothing was deleted",
        evidence=EVIDENCE,
    )  # fmt: skip


def _by_reason(evidence: Evidence, wanted: CellsWanted, total: Lateness) -> ReportTable:
    """A camera's own period is a reason of its own."""
    found: dict[tuple[int, int, int], list[tuple[int, Count]]] = defaultdict(list)
    groups = ("policy", "camera", "doubt", "step")
    for (version, camera, doubt, step), one in evidence.figures.summed(groups, wanted):
        policy = evidence.known.policies.get(version)
        days = -1 if policy is None else policy.days_of(camera)
        found[version, days, doubt].append((step, one))
    rows = [
        lateness(steps).row(_reason(days, doubt), version)
        for (version, days, doubt), steps in sorted(found.items())
    ]
    columns = [
        ReportColumn("reason", "why"),
        ReportColumn("policy", "policy version", "number"),
    ]
    return _summed("by_reason", "By reason", columns, rows, total)


def _reason(days: int, doubt: int) -> str:
    period = (
        "period not known" if days < 0 else f"period of {counted(days, 'day')} over"
    )
    return (
        f"{period}, counted from when it was seen: its times were in doubt"
        if doubt
        else period
    )


def _kept(evidence: Evidence, wanted: CellsWanted) -> ReportTable:
    others = [str(one) for one in KEPT]
    found = evidence.figures.summed(("outcome",), wanted._replace(outcomes=others))
    rows = [
        ReportRow(
            [outcome, KEPT[Outcome(outcome)], *sums(one)], [[one.first, one.last]]
        )
        for (outcome,), one in found
    ]
    columns = [
        ReportColumn("outcome", "outcome"),
        ReportColumn("meaning", "what it means"),
        *SUMS,
    ]
    return ReportTable(
        "not_deleted", "Begun and not deleted, once for each try", columns, rows,
        empty="none: every file of every batch was deleted", evidence=EVIDENCE,
    )  # fmt: skip


# -- one by one ---------------------------------------------------------------------------


def _files(evidence: Evidence, wanted: CellsWanted, total: Lateness) -> ReportTable:
    rows: list[ReportRow] = []
    for one in _within(evidence, wanted, total):
        if len(rows) == FILES:
            break
        late = seconds(one.batch.late[one.row])
        rows.append(_file(evidence, one, [late]))
    return ReportTable(
        "files", "Each file", [*_FILE, ReportColumn("lateness", "lateness", "duration")],
        rows, more=total.number - len(rows), empty="nothing was deleted",
        evidence=EVIDENCE,
    )  # fmt: skip


def _within(
    evidence: Evidence, wanted: CellsWanted, total: Lateness
) -> Iterator[DeletedFile]:
    """The files of the batches that the sums are of, in the order of the log."""
    if not total.number:
        return
    for intent, done in evidence.batches(total.first, total.last):
        yield from _of_batch(evidence, wanted, intent, done)


def _of_batch(
    evidence: Evidence, wanted: CellsWanted, intent: Record, done: Record,
    rows: Iterable[int] | None = None,
) -> Iterator[DeletedFile]:  # fmt: skip
    batch = batch_of(intent, done, evidence.known)
    for row in range(len(batch.starts)) if rows is None else rows:
        asked = wanted.cameras is None or batch.cameras[row] in wanted.cameras
        if asked and batch.outcomes[row] in OURS:
            yield DeletedFile(intent, done, row, batch)


def _file(evidence: Evidence, one: DeletedFile, more: list[Any]) -> ReportRow:
    batch, row = one.batch, one.row
    cells = [
        one.intent.number,
        row,
        evidence.cameras.name(batch.cameras[row]),
        format_utc(batch.starts[row]),
        format_utc(batch.starts[row] + batch.durations[row]),
        batch.sizes[row],
        format_utc(batch.due[row]),
        format_utc(one.done.entry["at"]),
    ]
    return ReportRow([*cells, *more], entries_of([one.intent.number, one.done.number]))


class _Odds(NamedTuple):
    """Late or early recordings: how many, and the first of them."""

    number: int
    rows: list[ReportRow]


def _odd(
    evidence: Evidence,
    what: str,
    wanted: CellsWanted,
    tell: Callable[[DeletedFile], tuple[list[Any], list[int]]] | None = None,
) -> _Odds:
    """Those of the days and cameras asked for, the worst batches first.  Of late ones only
    the first are counted: of all the sums tell."""
    number = 0
    rows: list[ReportRow] = []
    for odd in evidence.figures.odd(what, wanted):
        if what == "late" and len(rows) >= LISTED:
            break
        if wanted.cameras is None and len(rows) >= LISTED:
            number += sum(last - first + 1 for first, last in odd.rows)
            continue
        for one in _expanded(evidence, wanted, odd):
            number += 1
            if len(rows) < LISTED:
                more, entries = tell(one) if tell else ([], [])
                found = _file(evidence, one, more)
                found.entries.extend([entry, entry] for entry in entries)
                rows.append(found)
    return _Odds(number, rows)


def _expanded(
    evidence: Evidence, wanted: CellsWanted, odd: OddFiles
) -> Iterator[DeletedFile]:
    intent = evidence.source.entry(odd.intent)
    done = evidence.source.entry(odd.completion)
    rows = [row for first, last in odd.rows for row in range(first, last + 1)]
    return _of_batch(evidence, wanted, intent, done, rows)


def _late(evidence: Evidence, wanted: CellsWanted, total: Lateness) -> ReportTable:
    rows: list[ReportRow] = []
    if total.late:
        stood = Obstacles(evidence.source.of_kinds(IN_THE_WAY))

        def tell(one: DeletedFile) -> tuple[list[Any], list[int]]:
            by, gone = one.batch.late[one.row], one.done.entry["at"]
            root = one.intent.entry["fields"]["root"]
            why, entries = stood.between(gone - by, gone, root)
            return [seconds(by), why], entries

        rows = _odd(evidence, "late", wanted, tell).rows
    columns = [
        *_FILE,
        ReportColumn("lateness", "lateness", "duration"),
        ReportColumn("why", "what stood in its way"),
    ]
    return ReportTable(
        "late", "Late", columns, rows, more=total.late - len(rows), evidence=EVIDENCE
    )


def _early(found: _Odds) -> ReportTable:
    return ReportTable(
        "early", "Early", _FILE, found.rows, more=found.number - len(found.rows),
        evidence=EVIDENCE,
    )  # fmt: skip
