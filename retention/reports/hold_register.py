"""The report on holds: the register, who did what, what each kept and what it came too late
for, as far as the log says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import FOREVER, Micros, Window
from retention.reports.deletions import faults, seconds
from retention.reports.evidence import Evidence, Selection
from retention.tlog.commitments import ACTOR_NAME
from retention.tlog.figures import ranges
from retention.tlog.kinds import HOLDS, telling
from retention.tlog.source import DELETED, INTENDED, LOST, Record, outcomes
from retention.tlog.source import opened as clear

_COVER = telling("cover")


@dataclass(slots=True)
class Act:
    """Something that was done to a hold: which entry says so, when, and who did it, as
    "1001 (operator)" and by the uids of user and login."""

    entry: int
    at: Micros
    what: str
    who: str
    person: tuple[int, int]


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


_NOTHING, _NEVER = Tally(), Window(0, 0)


@dataclass(slots=True)
class HoldLife:
    """A hold from its placing on, and what became of the footage it covers."""

    number: int
    kind: str = ""
    cameras: frozenset[int] = frozenset()
    window: Window = _NEVER
    review: Micros = 0
    acts: list[Act] = field(default_factory=list)
    free_at: Micros | None = None
    requested: Act | None = None
    """The request for a release that waits, or by which it was released."""
    released: Act | None = None
    cooled: bool = False
    before: Tally = _NOTHING
    """Deleted before it was placed: it came too late for these."""
    since: Tally = _NOTHING
    """Deleted since: once it had been released and had cooled off, or while it came."""
    lost: Tally = _NOTHING
    """Vanished while it stood, and not by this program."""
    told: list[int] = field(default_factory=list)
    """The entries that say so."""

    @property
    def placed(self) -> Act:
        """How it began."""
        return self.acts[0]

    @property
    def entries(self) -> list[list[int]]:
        """All that speak of it."""
        return [[one.entry, one.entry] for one in self.acts]

    def state(self, now: Micros) -> str:
        """What it is at an instant."""
        if self.free_at is None:
            return "in force, release asked for" if self.requested else "in force"
        return "released" if self.cooled or self.free_at <= now else "cooling off"

    def stood(self, window: Window) -> bool:
        """Whether it was in force at any time of these."""
        ended = FOREVER if self.free_at is None else self.free_at
        return self.placed.at < window.end and window.start < ended


def who(entry: Mapping[str, Any]) -> str:
    """Who wrote an entry, the same in the log and in every copy: uid and role."""
    actor = entry["actor"]
    return f"{actor['uid']} ({actor['role']})"


def lives(records: Iterable[Record]) -> dict[int, HoldLife]:
    """Every hold by its number, by the entries of `HOLDS` in their order."""
    found: dict[int, HoldLife] = {}
    for record in records:
        if record.kind not in HOLDS or record.is_void:
            continue
        fields = record.entry["fields"]
        number = fields["hold"]
        if number not in found and record.kind not in _COVER:
            continue  # of one that was never placed: `audit verify --deep` tells
        hold = found.setdefault(number, HoldLife(number))
        what = record.kind.partition(".")[2].replace("_", " ")
        actor = record.entry["actor"]
        person = actor["uid"], actor["login"]
        act = Act(record.number, record.entry["at"], what, who(record.entry), person)
        hold.acts.append(act)
        _change(hold, act, record)
    return found


def _change(hold: HoldLife, act: Act, record: Record) -> None:
    fields, kind = record.entry["fields"], record.kind
    if kind in _COVER:
        hold.kind = hold.kind or str(fields.get("kind", ""))
        hold.cameras |= record.cameras()
        hold.window = Window(fields["since"], fields["until"])
    if "review" in fields:
        hold.review = fields["review"]
    if kind == "hold.release_requested":
        hold.requested = act
    elif kind == "hold.release_rejected":
        hold.requested = None
    elif kind == "hold.released":
        hold.released, hold.free_at = act, fields["free_at"]
        if fields.get("request") is None:
            hold.requested = None  # it took one person
    elif kind == "hold.reinstated":
        hold.released, hold.free_at, hold.requested = None, None, None
    elif kind == "hold.cooled":
        hold.cooled = True


# -- what became of their footage -----------------------------------------------------------


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


def account(evidence: Evidence, holds: list[HoldLife]) -> None:
    """Enter what was deleted and lost of the footage of these holds."""
    reach = _Reach(holds)
    if not reach.windows:
        return
    for intent, done in evidence.of_footage(reach.cameras, reach.windows):
        _deleted(reach, intent, done)
    for record in evidence.source.of_kinds((LOST,)):
        if record.kind == LOST and not record.is_void:
            for hold, tally in _rows(reach, record, None):
                stood = hold.free_at is None or record.entry["at"] < hold.free_at
                if stood and record.entry["at"] >= hold.placed.at:
                    hold.lost = hold.lost.plus(*tally)
                    hold.told.append(record.number)


def _deleted(reach: _Reach, intent: Record, done: Record) -> None:
    became, at = outcomes(done), done.entry["at"]
    gone = {row for row, one in became.exceptions.items() if not one.ours}
    for hold, tally in _rows(reach, intent, gone):
        if at < hold.placed.at:
            hold.before = hold.before.plus(*tally)
        else:
            hold.since = hold.since.plus(*tally)
        hold.told += [intent.number, done.number]


def _rows(
    reach: _Reach, record: Record, without: set[int] | None
) -> Iterator[tuple[HoldLife, tuple[int, int, int]]]:
    """Each hold with the duration, bytes and surplus of a recording that it covers."""
    names = ("camera", "start", "duration", "bytes")
    columns = record.read(set(names)).columns
    rows = zip(*(columns[name] for name in names), strict=True)
    for row, (camera, start, duration, size) in enumerate(rows):
        if without is not None and row in without:
            continue
        for hold in reach.over(camera, start, start + duration):
            inside = min(start + duration, hold.window.end) - max(
                start, hold.window.start
            )
            yield hold, (duration, size, duration - inside)


# -- the report -----------------------------------------------------------------------------


def chosen(evidence: Evidence, asked: Selection) -> list[HoldLife]:
    """The holds that stood in the time asked for, on any of the cameras asked for."""
    every = lives(evidence.source.of_kinds(HOLDS))
    return [
        hold
        for hold in every.values()
        if hold.stood(asked.window)
        and (asked.cameras is None or hold.cameras & asked.cameras)
    ]


def holds(evidence: Evidence, asked: Selection) -> Report:
    """The holds that stood in the time asked for, on any of the cameras asked for."""
    found = chosen(evidence, asked)
    account(evidence, found)
    return evidence.report(
        "holds", "Evidence holds", asked, _verdict(evidence, found),
        [_register(evidence, found), _footage(evidence, found), _acts(found)],
        [
            "People are uid and role, as the kernel named them; names, references and "
            "reasons are in the log as commitments only",
            "Of footage that is still there the log says nothing one by one: it names a "
            "recording when it is deleted, lost or in doubt",
            "Surplus is footage outside a hold's time, in recordings that reach into it",
        ],
    )  # fmt: skip


def _verdict(evidence: Evidence, found: list[HoldLife]) -> list[ReportSaid]:
    now = evidence.written
    states = [hold.state(now) for hold in found]
    force = sum(state.startswith("in force") for state in states)
    cooling = states.count("cooling off")
    text = "1 hold" if len(found) == 1 else f"{len(found):,} holds"
    said = [
        ReportSaid(
            f"{text}: {force} in force, {cooling} cooling off, "
            f"{len(found) - force - cooling} released"
        )
    ]
    overdue = [hold for hold in found if hold.free_at is None and hold.review <= now]
    if overdue:
        numbers = ", ".join(str(hold.number) for hold in overdue[:20])
        said.append(ReportSaid(f"{len(overdue)} overdue for review: {numbers}", False))
    else:
        said.append(ReportSaid("no review is overdue", True))
    lost = [hold for hold in found if hold.lost.number]
    for hold in lost:
        said.append(
            ReportSaid(
                f"hold {hold.number} LOST {hold.lost.number:,} of its recordings", False
            )
        )
    alone = [hold for hold in found if hold.released and _is_alone(hold)]
    if alone:
        numbers = ", ".join(str(hold.number) for hold in alone[:20])
        said.append(ReportSaid(f"{len(alone)} released by one person: {numbers}"))
    return said + faults(evidence)


def _is_alone(hold: HoldLife) -> bool:
    asked, agreed = hold.requested, hold.released
    if agreed is None or asked is None:
        return True
    return any(a == b for a, b in zip(asked.person, agreed.person, strict=True))


def _register(evidence: Evidence, found: list[HoldLife]) -> ReportTable:
    columns = [
        ReportColumn("hold", "hold", "number"),
        ReportColumn("kind", "kind"),
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
    ]
    rows = [ReportRow(_line(evidence, hold), hold.entries) for hold in found]
    return ReportTable(
        "holds", "Register", columns, rows, empty="no hold stood then",
        evidence=["hold.*"],
    )  # fmt: skip


def _line(evidence: Evidence, hold: HoldLife) -> list[Any]:
    reviews = [one for one in hold.acts if one.what == "reviewed"]
    reviewed = reviews[-1] if reviews else None
    overdue = hold.free_at is None and hold.review <= evidence.written
    agreed, requested = hold.released, hold.requested
    return [
        hold.number,
        hold.kind,
        _cameras(evidence, hold),
        format_utc(hold.window.start),
        utc_or_null(hold.window.end),
        hold.state(evidence.written),
        format_utc(hold.placed.at),
        hold.placed.who,
        None if reviewed is None else format_utc(reviewed.at),
        None if reviewed is None else reviewed.who,
        format_utc(hold.review),
        "yes" if overdue else "no",
        None if requested is None else requested.who,
        None if agreed is None else format_utc(agreed.at),
        None if agreed is None else agreed.who,
        None if hold.free_at is None else format_utc(hold.free_at),
    ]


def _cameras(evidence: Evidence, hold: HoldLife) -> str:
    """Their published ids: those of the end of the log."""
    return " ".join(sorted(map(evidence.cameras.name, hold.cameras)))


def _footage(evidence: Evidence, found: list[HoldLife]) -> ReportTable:
    parts = {
        "too_late": "gone before",
        "deleted_since": "deleted since",
        "lost": "lost while it stood",
    }
    columns = [ReportColumn("hold", "hold", "number")]
    for name, heading in parts.items():
        columns += [
            ReportColumn(name, heading, "number"),
            ReportColumn(f"{name}_duration", "footage", "duration"),
            ReportColumn(f"{name}_bytes", "bytes", "bytes"),
        ]
    columns.append(
        ReportColumn("surplus", "surplus, of those deleted since", "duration")
    )
    columns.append(ReportColumn("kept", "kept by it at the end of the log", "number"))
    rows = []
    for hold in found:
        cells: list[Any] = [hold.number]
        for tally in (hold.before, hold.since, hold.lost):
            cells += [tally.number, seconds(tally.duration), tally.size]
        cells += [seconds(hold.since.surplus), _kept(evidence, hold)]
        rows.append(ReportRow(cells, [list(one) for one in ranges(sorted(hold.told))]))
    return ReportTable(
        "footage", "What became of their footage", columns, rows,
        empty="no hold stood then", evidence=[INTENDED, DELETED, LOST],
    )  # fmt: skip


def _kept(evidence: Evidence, hold: HoldLife) -> int | None:
    """One that has cooled off keeps nothing any more; of others it is not known."""
    ended = hold.free_at is not None and hold.free_at <= evidence.written
    return 0 if ended else None


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
        rows += [ReportRow([hold, number, *one], [[number, number]]) for one in found]
        if found and hold not in numbers:
            numbers.append(hold)
    columns = [
        ReportColumn("hold", "hold", "number"),
        ReportColumn("entry", "entry", "entry"),
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
        ReportColumn("entry", "entry", "entry"),
        ReportColumn("at", "at", "instant"),
        ReportColumn("what", "what was done"),
        ReportColumn("who", "by"),
    ]
    rows = [
        ReportRow(
            [hold.number, one.entry, format_utc(one.at), one.what, one.who],
            [[one.entry, one.entry]],
        )
        for hold in found
        for one in hold.acts
    ]
    return ReportTable(
        "acts", "Who did what", columns, rows, empty="nothing", evidence=["hold.*"]
    )
