"""The certificate of disposal or existence: what became of the footage of a camera in a time,
recording by recording as far as the log names them, and each stretch of the time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from retention.control.guards import CUSTODY
from retention.model.answers.books import DeletionDone
from retention.model.answers.report import (
    Report,
    ReportColumn,
    ReportRow,
    ReportSaid,
    ReportTable,
)
from retention.model.coverage import (
    Fate,
    Piece,
)
from retention.model.errors import UsageError
from retention.model.localtime import day_text, format_duration, format_utc
from retention.model.values import DAY, FOREVER, Micros, Window
from retention.reports.columns import CAMERA, ENTRY, entries_of, seconds
from retention.reports.disposal import (
    NOT_OURS,
    POLICY,
    WORDS,
    Deletion,
    Findings,
    deletions_of,
    findings,
    lateness_of,
    pieces,
    told,
)
from retention.reports.evidence import Evidence, Selection
from retention.reports.find import Life
from retention.reports.standing import stood
from retention.tlog.fates import RecordingFate
from retention.tlog.kinds import RECORDINGS

LISTED = 10_000
"""Recordings that are listed one by one."""

KEPT, UNKNOWN = 8, 7
"""How the command ends where some of it is held or present still; where nothing is, but of
some it is not known what became of it."""


def certificate(
    evidence: Evidence, asked: Selection, *, requested_on: str | None = None
) -> Report:
    """What became of the footage of the camera and the time asked for.  With `requested_on`,
    the day somebody asked for it: whether it was fixed before what would be due when."""
    shown, cameras = asked.shown, asked.cameras
    if cameras is None or None in (shown.camera, shown.since, shown.until):
        raise UsageError(
            "a certificate is of one camera and a time: give --camera, --from and --to"
        )
    request = None if requested_on is None else evidence.moment.day(requested_on).start
    found = findings(evidence, asked.window, cameras, request)
    deletions = deletions_of(found)
    named = {camera: found.of(camera) for camera in sorted(cameras)}
    stretches = [(camera, piece) for camera in named for piece in pieces(found, camera)]
    tables = [
        _stretches(found, stretches),
        _recordings(found, named, deletions),
        _counts(found, cameras),
    ]
    return evidence.report(
        "certificate", "Certificate of disposal or existence", asked,
        _verdict(found, stretches, named, deletions), tables,
        [
            "Deleted means that the file was unlinked, between the instants of the two "
            "entries: that is not media sanitisation, its blocks are not overwritten",
            "The log names a recording when it is deleted, lost or in doubt; of all "
            "others it says how many there were a day, and not whether they are there",
            "A recording in doubt counts to the time that it says it is of, and may be of "
            "another",
            "A stretch is called deleted where a recording of it was: whether a camera of "
            "several streams has others of that time left, the counts of the day tell",
            "A third person needs the log's public key alone: `retention report "
            "certificate ... --proofs DIR` writes a proof for each recording named, and "
            "`retention audit verify FILE --key KEY` checks it",
        ],
    )  # fmt: skip


def exit_status(report: Report) -> int:
    """How the command ends: `KEPT`, `UNKNOWN`, or 0 where all of it is answered and none of
    it is there."""
    words = {row.cells[3] for row in report.tables[0].rows}
    if words & {WORDS[Fate.PROTECTED], WORDS[Fate.PENDING]}:
        return KEPT
    return UNKNOWN if WORDS[Fate.UNKNOWN] in words else 0


def provable(report: Report) -> Iterator[tuple[int, int]]:
    """Entry and row of each recording that a certificate names as gone."""
    (table,) = (one for one in report.tables if one.name == "recordings")
    names = [column.name for column in table.columns]
    for row in table.rows:
        cells = dict(zip(names, row.cells, strict=True))
        if cells["became"] in (WORDS[Fate.DELETED], WORDS[Fate.LOST]):
            yield cells["entry"], cells["row"]


# -- the tables -----------------------------------------------------------------------------


def _stretches(found: Findings, stretches: list[tuple[int, Piece]]) -> ReportTable:
    columns = [
        CAMERA,
        ReportColumn("since", "from", "instant"),
        ReportColumn("until", "to", "instant"),
        ReportColumn("became", "what it is"),
        ReportColumn("why", "why"),
        ReportColumn("duration", "for", "duration"),
    ]
    rows = []
    for camera, piece in stretches:
        word, why = _told(found, camera, piece)
        cells = [
            found.evidence.cameras.name(camera), format_utc(piece.start),
            format_utc(piece.end), word, why or None, seconds(piece.end - piece.start),
        ]  # fmt: skip
        rows.append(ReportRow(cells))
    return ReportTable("stretches", "The whole time", columns, rows)


def _told(found: Findings, camera: int, piece: Piece) -> tuple[str, str]:
    """What a stretch is: of a camera that is not the council's it is not known, where
    files of it were seen here all the same."""
    word, why = told(found.evidence, camera, piece)
    if word == NOT_OURS and (seen := _seen_here(found.evidence, camera)):
        return WORDS[
            Fate.UNKNOWN
        ], f"{why}; but files of it WERE SEEN HERE (entry {seen})"
    return word, why


def _seen_here(evidence: Evidence, camera: int) -> int | None:
    """The entry of the first alarm that files of a camera were here."""
    for one in stood(evidence.source, Window(-FOREVER, FOREVER)):
        first = one.entries[0]
        if one.what == CUSTODY and camera in evidence.source.entry(first).cameras():
            return first
    return None


_EACH = [
    CAMERA,
    ReportColumn("start", "recorded from", "instant"),
    ReportColumn("end", "to", "instant"),
    ReportColumn("bytes", "bytes", "bytes"),
    ReportColumn("became", "what it is"),
    ReportColumn("why", "why"),
    ReportColumn("policy", "policy", "number"),
    ReportColumn("days", "days kept", "number"),
    ReportColumn("due", "due", "instant"),
    ReportColumn("begun", "deleted after", "instant"),
    ReportColumn("deleted", "and before", "instant"),
    ReportColumn("lateness", "lateness", "duration"),
    ReportColumn("method", "method"),
    ENTRY,
    ReportColumn("row", "row", "number"),
]
_FIXED = [
    ReportColumn("fixed", "due date fixed"),
    ReportColumn("due_then", "due"),
    ReportColumn("deleted_then", "deleted"),
]


def _recordings(
    found: Findings,
    named: dict[int, list[Life]],
    deletions: dict[int, Deletion],
) -> ReportTable:
    every = [life for lives in named.values() for life in lives]
    rows = [_line(found, life, deletions.get(id(life))) for life in every[:LISTED]]
    return ReportTable(
        "recordings", "Each recording that the log names",
        _EACH if found.request is None else [*_EACH, *_FIXED], rows,
        more=len(every) - len(rows), empty="the log names none of that time",
        evidence=[*RECORDINGS, POLICY],
    )  # fmt: skip


def _line(found: Findings, life: Life, deletion: Deletion | None) -> ReportRow:
    became = found.became(life)
    last = life.events[-1] if life.events else None
    entry, row = (None, None) if last is None else (last.entry, last.row)
    cells: list[Any] = [
        found.evidence.cameras.name(life.camera), format_utc(life.start),
        format_utc(life.end), life.size, WORDS[became.fate], became.why or None,
    ]  # fmt: skip
    if isinstance(last, DeletionDone):
        entry, row = last.intent, last.row  # the row is the intent's
    if deletion is None:
        cells += [None] * 7
    else:
        intent, done = deletion.intent, deletion.done
        cells += [
            intent.policy, intent.days, intent.due, intent.at, done.at,
            seconds(deletion.late), done.method,
        ]  # fmt: skip
    cells += [entry, row]
    if found.request is not None:
        cells += _against(found, found.request, deletion)
    behind = {one.entry for one in life.events}
    if deletion is not None and deletion.intent.policy_entry is not None:
        behind.add(deletion.intent.policy_entry)
    return ReportRow(cells, entries_of(behind))


_BEFORE, _AFTER = "before the request", "after the request"


def _against(
    found: Findings, request: Micros, deletion: Deletion | None
) -> list[str | None]:
    """Whether its due date was fixed, it was due, and it was deleted before the request."""
    if deletion is None:
        return [None] * 3
    fixed = found.policies.get(deletion.intent.policy)
    instant = format_utc(request)
    texts = (
        None if fixed is None else format_utc(fixed),
        deletion.intent.due,
        deletion.done.at,
    )
    return [
        None if text is None else _BEFORE if text < instant else _AFTER
        for text in texts
    ]


def _counts(found: Findings, cameras: frozenset[int]) -> ReportTable:
    columns = [
        CAMERA,
        ReportColumn("day", "day (UTC)"),
        ReportColumn("recorded", "recorded", "number"),
        ReportColumn("deleted", "deleted", "number"),
        ReportColumn("lost", "lost", "number"),
        ReportColumn("other", "else named", "number"),
        ReportColumn("unnamed", "not named", "number"),
    ]
    rows, window = [], found.window
    days = range(window.start // DAY, -(-window.end // DAY))
    fates = Counter((one.camera, one.start // DAY, one.fate) for one in found.lives)
    named = Counter((one.camera, one.start // DAY) for one in found.lives)
    recorded = {
        (camera, day): one.number
        for day, camera, one in found.evidence.figures.recorded(list(cameras))
        if day in days
    }
    for camera, day in sorted({*recorded, *(key for key in named if key[1] in days)}):
        number = recorded.get((camera, day))
        gone = [
            fates[camera, day, fate]
            for fate in (RecordingFate.DELETED, RecordingFate.LOST)
        ]
        of_day = named[camera, day]
        left = None if number is None else max(0, number - of_day)
        cells = [
            found.evidence.cameras.name(camera), day_text(day), number, *gone,
            of_day - sum(gone), left,
        ]  # fmt: skip
        rows.append(ReportRow(cells))
    return ReportTable(
        "counts", "How many were recorded on these days", columns, rows,
        empty="none was recorded on these days",
    )  # fmt: skip


# -- the verdict ----------------------------------------------------------------------------


def _verdict(
    found: Findings,
    stretches: list[tuple[int, Piece]],
    named: dict[int, list[Life]],
    deletions: dict[int, Deletion],
) -> list[ReportSaid]:
    evidence = found.evidence
    said = []
    for camera, lives in named.items():
        lengths: Counter[str] = Counter()
        for key, piece in stretches:
            if key == camera:
                word, _ = _told(found, camera, piece)
                lengths[word] += piece.end - piece.start
        parts = [f"{format_duration(one)} {word}" for word, one in lengths.items()]
        name = evidence.cameras.name(camera)
        said.append(ReportSaid(f"camera {name}: {', '.join(parts)}"))
        fates = Counter(WORDS[found.became(one).fate] for one in lives)
        counts = ", ".join(f"{number:,} {word}" for word, number in fates.items())
        said.append(ReportSaid(f"recordings named of it: {counts or 'none'}"))
        if fates["lost"]:
            said.append(ReportSaid(f"{fates['lost']:,} of them LOST", False))
    asked = [
        one for lives in named.values() for life in lives
        if (one := deletions.get(id(life))) is not None
    ]  # fmt: skip
    if asked:
        said.append(lateness_of(asked).said())
        if early := sum(one.done.at < one.intent.due for one in asked):
            said.append(ReportSaid(f"{early:,} deleted EARLY", False))
        if found.request is not None:
            said += _requested(found, found.request, asked)
    said += [
        ReportSaid(f"it can't be relied on by {fault}", False) for fault in found.faults
    ]
    return said


def _requested(
    found: Findings, request: Micros, asked: list[Deletion]
) -> Iterator[ReportSaid]:
    day = day_text(found.evidence.day(request))
    fixed, due, gone = zip(
        *(_against(found, request, one) for one in asked), strict=True
    )
    before = fixed.count(_BEFORE)
    if before == len(asked):
        yield ReportSaid(
            f"the due date of each was fixed before the request of {day}", True
        )
    else:
        yield ReportSaid(
            f"the due date of {len(asked) - before:,} of {len(asked):,} was NOT shown to "
            f"be fixed before the request of {day}",
            False,
        )
    yield ReportSaid(
        f"before the request {due.count(_BEFORE):,} of them were due and "
        f"{gone.count(_BEFORE):,} deleted; after it {gone.count(_AFTER):,} were deleted"
    )
