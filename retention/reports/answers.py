"""What people are told of recordings and of the books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import chain
from typing import Any

from retention.model.answers.books import (
    BookBalance,
    BookFindings,
    BookLine,
    CameraMeant,
    CataloguedAs,
    CountedIn,
    DayFound,
    Effort,
    EntryFault,
    HoldOver,
    RecordingFound,
    RecordingTotal,
    RollUpShown,
    UnnamedTime,
)
from retention.model.localtime import counted, day_text, format_utc, utc_or_null
from retention.model.values import DAY, FOREVER, Micros, Window
from retention.reports.columns import seconds
from retention.reports.find import Finder, Key, Life, RollUp
from retention.tlog.balance import (
    COLUMNS,
    NOTHING,
    Balance,
    Place,
    RecordingSum,
    difference,
    expected,
)
from retention.tlog.fates import RecordingFate

Names = Mapping[int, str]
"""Camera key to id."""

There = Mapping[Key, CataloguedAs] | None
"""More of each recording that is there, by key; None where that is not known."""

ALWAYS = Window(-FOREVER, FOREVER)

LIMIT = 1_000
"""Recordings, or days, in one answer; how many more there are is said."""


# -- what became of recordings ------------------------------------------------------


def found(
    finder: Finder,
    names: Names,
    window: Window | None,
    now: Micros,
    *,
    there: There,
    waiting: Mapping[tuple[int, int], RecordingSum],
    gaps: Sequence[UnnamedTime],
    paths: Mapping[Key, str],
    read: Effort,
    came_back: Set[int],
) -> BookFindings:
    """The answer of `audit find`.

    `waiting` is what is in no roll-up yet, `came_back` what was read that came back
    under no signed head: it is told where it is named.
    """
    lives = sorted(
        finder.lives.values(), key=lambda one: (one.start, one.camera, one.n)
    )
    recorded = {  # as text once, not for each recording of the day
        place: [(one.at, _written(one)) for one in roll_ups]
        for place, roll_ups in finder.roll_ups.items()
    }
    recordings = [
        _recording(finder, one, names, now, there, paths, recorded)
        for one in lives[:LIMIT]
    ]
    fates = Counter(str(_fate(one, there)) for one in lives)
    cameras = sorted(finder.wanted.cameras)
    days = [
        _day(place, names, finder.roll_ups.get(place, ()), waiting)
        for place in sorted(finder.wanted.days)
    ]
    holds = [] if window is None else _holds(finder, window, names, now)
    return BookFindings(
        cameras=[CameraMeant(names.get(key, ""), key) for key in cameras],
        since=None if window is None else format_utc(window.start),
        until=None if window is None else format_utc(window.end),
        path=finder.wanted.path,
        recordings=recordings,
        more=max(0, len(lives) - LIMIT),
        days=days,
        holds=holds,
        gaps=list(gaps),
        faults=[EntryFault(*one) for one in finder.faults],
        summary=_sentence(recordings, fates, gaps),
        read=read,
        came_back=sorted(came_back & set(_named(recordings, days, holds))),
    )


def _named(
    recordings: Iterable[RecordingFound],
    days: Iterable[DayFound],
    holds: Iterable[HoldOver],
) -> Iterator[int]:
    """The entries that an answer names."""
    for one in recordings:
        yield from (event.entry for event in one.history)
    for hold in chain(holds, *(one.holds for one in recordings)):
        yield from hold.entries
    for day in days:
        yield from (roll_up.entry for roll_up in day.entries)


def _recording(
    finder: Finder,
    life: Life,
    names: Names,
    now: Micros,
    there: There,
    paths: Mapping[Key, str],
    recorded: Mapping[tuple[int, int], Sequence[tuple[Micros, CountedIn]]],
) -> RecordingFound:
    key = life.key
    place = (life.camera, life.start // DAY)
    return RecordingFound(
        key=f"{life.stream}/{life.start}/{life.n}",
        camera=names.get(life.camera, ""),
        start=format_utc(life.start),
        end=format_utc(life.end),
        seconds=seconds(life.duration),
        bytes=life.size,
        path=life.path or paths.get(key),
        fate=str(_fate(life, there)),
        present=None if there is None else there.get(key),
        # In which of these it is, the log does not say: the first is the likely one.
        recorded=[text for at, text in recorded.get(place, ()) if at >= life.end],
        history=life.events,
        holds=list(finder.holds.over(life.camera, life.start, life.end, now, life.at)),
    )


def _written(one: RollUp) -> CountedIn:
    return CountedIn(one.entry, format_utc(one.at), one.origin)


def _fate(life: Life, there: There) -> RecordingFate:
    """What the catalogue says comes first: it has the row, or has it not."""
    if there is not None and (here := there.get(life.key)) is not None:
        return RecordingFate(here.state)
    if not life.signed:
        return RecordingFate.UNSIGNED
    if there is None:
        return life.fate
    still = (RecordingFate.RECORDED, RecordingFate.QUARANTINED, RecordingFate.DELETING)
    return RecordingFate.MISSING if life.fate in still else life.fate


def _day(
    place: tuple[int, int],
    names: Names,
    roll_ups: Sequence[RollUp],
    waiting: Mapping[tuple[int, int], RecordingSum],
) -> DayFound:
    total = NOTHING
    for one in roll_ups:
        total = total.plus(RecordingSum(one.number, one.duration, one.size))
    return DayFound(
        camera=names.get(place[0], ""),
        day=day_text(place[1]),
        recorded=_sum(total),
        waiting=_sum(waiting.get(place, NOTHING)),
        entries=[
            RollUpShown(
                entry=one.entry,
                at=format_utc(one.at),
                origin=one.origin,
                digest=one.digest,
                recordings=one.number,
                seconds=seconds(one.duration),
                bytes=one.size,
            )
            for one in roll_ups
        ],
    )


def _holds(finder: Finder, window: Window, names: Names, now: Micros) -> list[HoldOver]:
    return [
        replace(hold, camera=names.get(camera, ""))
        for camera in sorted(finder.wanted.cameras)
        for hold in finder.holds.over(camera, window.start, window.end, now, None)
    ]


def _sentence(
    recordings: Sequence[RecordingFound],
    fates: Counter[str],
    gaps: Sequence[UnnamedTime],
) -> str:
    if fates.total() == 1:
        (one,) = recordings
        text = f"{one.camera} from {one.start} to {one.end}: {one.fate}"
        last = one.history[-1] if one.history else None
        if last is not None:
            text += f" (entry {last.entry}, {last.at})"
        return text
    if recordings:
        parts = [f"{number} {fate}" for fate, number in sorted(fates.items())]
        return f"{fates.total()} recordings: {', '.join(parts)}"
    if gaps:
        what, why = gaps[0].what.replace("_", " "), gaps[0].why
        return f"{what}: {why}" if why else what
    return "no recording seen"


# -- the books ----------------------------------------------------------------------


def balanced(
    books: Balance,
    names: Names,
    limit: int | None,
    *,
    complete: bool,
    read: Effort,
    came_back: Set[int],
) -> BookBalance:
    """The answer of `audit balance`; `complete` where what is there is in the books,
    `came_back`: what in them came back under no signed head.

    Without that nothing can differ but a day of which more is gone than was recorded.
    """
    wanted = LIMIT if limit is None else limit
    days: list[BookLine] = []
    odd: list[BookLine] = []
    total = dict.fromkeys(COLUMNS, NOTHING)
    places = books.places()
    for place in places:
        sums = books.of(place)
        for name in COLUMNS:
            total[name] = total[name].plus(sums[name])
        wrong = _wrong(sums, complete=complete)
        if len(days) < wanted or (wrong and len(odd) < wanted):
            line = _line(
                sums, complete=complete, camera=names.get(place[0], ""), key=place[0],
                day=day_text(place[1]),
            )  # fmt: skip
            if len(days) < wanted:
                days.append(line)
            if wrong:
                odd.append(line)
    number = sum(_wrong(books.of(place), complete=complete) for place in places)
    faults = [EntryFault(*one) for one in books.faults]
    return BookBalance(
        balanced=not number and not faults,
        complete=complete,
        days=days,
        more=len(places) - len(days),
        differences=odd,
        different_days=number,
        total=_line(total, complete=complete),
        open_intents=books.open_intents,
        faults=faults,
        summary=_verdict(places, total, number, len(faults), complete=complete),
        read=read,
        came_back=sorted(came_back),
    )


def _wrong(sums: Mapping[str, RecordingSum], *, complete: bool) -> bool:
    if complete:
        return difference(sums) != NOTHING
    return min(expected(sums)) < 0


def _line(
    sums: Mapping[str, RecordingSum], *, complete: bool, **place: Any
) -> BookLine:
    there = ("present", "quarantined")
    shown: dict[str, Any] = {
        name: None if name in there and not complete else _sum(sums[name])
        for name in COLUMNS
    }
    return BookLine(
        **place,
        **shown,
        remaining=_sum(expected(sums)),
        difference=_sum(difference(sums)) if complete else None,
    )


def _verdict(
    places: Sequence[Place],
    total: Mapping[str, RecordingSum],
    wrong: int,
    faults: int,
    *,
    complete: bool,
) -> str:
    days = len(places)
    if faults:
        return (
            f"the rows of {faults} entries could not be read, so the books can't be "
            "balanced: run `retention audit verify`"
        )
    if wrong and complete:
        return (
            f"the books do NOT balance: on {wrong} of {days} days of a camera the "
            "recordings that are there are not those that should be"
        )
    if wrong:
        return f"on {wrong} of {days} days of a camera more is gone than was recorded"
    if not places:
        return "it balances: nothing was recorded in that time"
    what = _balanced_of(places, total, complete=complete)
    if complete:
        return f"it balances: {what}"
    return (
        f"it balances as far as a copy of the log tells, nowhere is more gone than was "
        f"recorded: {what}"
    )


def _balanced_of(
    places: Sequence[Place], total: Mapping[str, RecordingSum], *, complete: bool
) -> str:
    """What was balanced: recordings, cameras and days, and what became of them."""
    came = sum(total[name].number for name in ("recorded", "corrected", "waiting"))
    cameras, days = {camera for camera, _ in places}, [day for _, day in places]
    first, last = day_text(min(days)), day_text(max(days))
    became = [
        f"{total[name].number:,} {word}"
        for name, word in _BECAME.items()
        if total[name].number
    ]
    if not complete and (left := expected(total).number):
        became.append(f"{left:,} left")
    when = first if first == last else f"{first} to {last}"
    text = f"{counted(came, 'recording')} of {counted(len(cameras), 'camera')}, {when}"
    return f"{text}: {', '.join(became)}" if became else text


_BECAME = {
    "present": "present",
    "quarantined": "in doubt",
    "deleted": "deleted",
    "lost": "lost",
}


def _sum(found: RecordingSum) -> RecordingTotal:
    return RecordingTotal(found.number, seconds(found.duration), found.size)


def covering(finder: Finder, window: Window) -> Iterator[tuple[int, Window]]:
    """Each time in the window that some recording is named for, with its camera."""
    for one in finder.lives.values():
        inside = one.start < window.end and window.start < one.end
        if inside and one.fate is not RecordingFate.MOVED:
            part = Window(max(one.start, window.start), min(one.end, window.end))
            yield one.camera, part


def covered(finder: Finder, window: Window, camera: int) -> list[Window]:
    """The time in the window that some recording of a camera is named for."""
    return [part for key, part in covering(finder, window) if key == camera]


def gap(camera: str, window: Window, what: str, why: str) -> UnnamedTime:
    """A time for which no recording of a camera is named."""
    return UnnamedTime(
        camera, format_utc(window.start), utc_or_null(window.end), what, why
    )


WITHHELD = (
    "withheld from this public copy, which has no recording and no hold: the site knows, "
    "and whoever audits it"
)


def withheld(answer: BookFindings) -> BookFindings:
    """What a public copy says of footage: that it does not know."""
    why = UnnamedTime(None, answer.since, answer.until, "not_known", WITHHELD)
    return replace(answer, gaps=[why], summary=f"not known: {WITHHELD}")


def unnamed(*, known: bool) -> UnnamedTime:
    """Nothing is known of a path; `known` where a recorder may write such a one."""
    what, why = ("not_known", "no recorder is known to write such a path here")
    if known:
        what, why = ("no_recording_seen", "nothing names a file there")
    return UnnamedTime(None, None, None, what, why)
