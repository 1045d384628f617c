"""What people are told of recordings and of the books: JSON-able, instants in UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from retention.ledger.balance import COLUMNS, NOTHING, Books, Sum, difference, expected
from retention.ledger.find import Fate, Finder, Key, Life, RollUp, seconds
from retention.localtime import format_utc
from retention.model import DAY, FOREVER, SECOND, Micros, Window

Answer = dict[str, Any]
Names = Mapping[int, str]
"""Camera key to id."""

ALWAYS = Window(-FOREVER, FOREVER)

LIMIT = 1_000
"""Recordings, or days, in one answer; how many more there are is said."""


def day_text(day: int) -> str:
    """A UTC day, such as 2026-10-24."""
    return format_utc(day * DAY)[:10]


# -- what became of recordings ------------------------------------------------------


def found(
    finder: Finder,
    names: Names,
    window: Window | None,
    now: Micros,
    *,
    there: Mapping[Key, Answer] | None,
    waiting: Mapping[tuple[int, int], Sum],
    gaps: Sequence[Answer],
    paths: Mapping[Key, str],
) -> Answer:
    """The answer of `audit find`.

    `there` says more of each recording that is there, by key; None where that is not
    known.  `waiting` is what is in no roll-up yet.
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
    answer = {
        "cameras": [{"camera": names.get(key, ""), "key": key} for key in cameras],
        "since": None if window is None else format_utc(window.start),
        "until": None if window is None else format_utc(window.end),
        "path": finder.wanted.path,
        "recordings": recordings,
        "more": max(0, len(lives) - LIMIT),
        "days": [
            _day(place, names, finder.roll_ups.get(place, ()), waiting)
            for place in sorted(finder.wanted.days)
        ],
        "holds": [] if window is None else _holds(finder, window, names, now),
        "gaps": list(gaps),
        "faults": [one._asdict() for one in finder.faults],
    }
    return answer | {"summary": _sentence(recordings, fates, gaps)}


def _recording(
    finder: Finder,
    life: Life,
    names: Names,
    now: Micros,
    there: Mapping[Key, Answer] | None,
    paths: Mapping[Key, str],
    recorded: Mapping[tuple[int, int], Sequence[tuple[Micros, Answer]]],
) -> Answer:
    key = life.key
    place = (life.camera, life.start // DAY)
    return {
        "key": f"{life.stream}/{life.start}/{life.n}",
        "camera": names.get(life.camera, ""),
        "start": format_utc(life.start),
        "end": format_utc(life.end),
        "seconds": seconds(life.duration),
        "bytes": life.size,
        "path": life.path or paths.get(key),
        "fate": str(_fate(life, there)),
        "present": None if there is None else there.get(key),
        # In which of these it is, the log does not say: the first is the likely one.
        "recorded": [text for at, text in recorded.get(place, ()) if at >= life.end],
        "history": life.events,
        "holds": list(
            finder.holds.over(life.camera, life.start, life.end, now, life.at)
        ),
    }


def _written(one: RollUp) -> Answer:
    return {"entry": one.entry, "at": format_utc(one.at), "origin": one.origin}


def _fate(life: Life, there: Mapping[Key, Answer] | None) -> Fate:
    """What the catalogue says comes first: it has the row, or has it not."""
    if there is None:
        return life.fate
    if (here := there.get(life.key)) is not None:
        return Fate(here["state"])
    still = (Fate.RECORDED, Fate.QUARANTINED, Fate.DELETING)
    return Fate.MISSING if life.fate in still else life.fate


def _day(
    place: tuple[int, int],
    names: Names,
    roll_ups: Sequence[RollUp],
    waiting: Mapping[tuple[int, int], Sum],
) -> Answer:
    total = NOTHING
    for one in roll_ups:
        total = total.plus(Sum(one.number, one.duration, one.size))
    return {
        "camera": names.get(place[0], ""),
        "day": day_text(place[1]),
        "recorded": _sum(total),
        "waiting": _sum(waiting.get(place, NOTHING)),
        "entries": [
            {
                **_written(one), "digest": one.digest,
                **_sum(Sum(one.number, one.duration, one.size)),
            }
            for one in roll_ups
        ],
    }  # fmt: skip


def _holds(finder: Finder, window: Window, names: Names, now: Micros) -> list[Answer]:
    return [
        {"camera": names.get(camera, ""), **hold}
        for camera in sorted(finder.wanted.cameras)
        for hold in finder.holds.over(camera, window.start, window.end, now, None)
    ]


def _sentence(
    recordings: Sequence[Answer], fates: Counter[str], gaps: Sequence[Answer]
) -> str:
    if fates.total() == 1:
        (one,) = recordings
        text = f"{one['camera']} from {one['start']} to {one['end']}: {one['fate']}"
        last = one["history"][-1] if one["history"] else None
        if last is not None:
            text += f" (entry {last['entry']}, {last['at']})"
        return text
    if recordings:
        parts = [f"{number} {fate}" for fate, number in sorted(fates.items())]
        return f"{fates.total()} recordings: {', '.join(parts)}"
    if gaps:
        what = gaps[0]["what"].replace("_", " ")
        return f"{what}: {gaps[0]['why']}" if gaps[0]["why"] else what
    return "no recording seen"


# -- the books ----------------------------------------------------------------------


def balanced(
    books: Books, names: Names, limit: int | None, *, complete: bool
) -> Answer:
    """The answer of `audit balance`; `complete` where what is there is in the books.

    Without that nothing can differ but a day of which more is gone than was recorded.
    """
    wanted = LIMIT if limit is None else limit
    days: list[Answer] = []
    odd: list[Answer] = []
    total = dict.fromkeys(COLUMNS, NOTHING)
    places = books.places()
    for place in places:
        sums = books.of(place)
        for name in COLUMNS:
            total[name] = total[name].plus(sums[name])
        wrong = _wrong(sums, complete=complete)
        if len(days) < wanted or (wrong and len(odd) < wanted):
            line = {
                "camera": names.get(place[0], ""), "key": place[0],
                "day": day_text(place[1]), **_line(sums, complete=complete),
            }  # fmt: skip
            if len(days) < wanted:
                days.append(line)
            if wrong:
                odd.append(line)
    number = sum(_wrong(books.of(place), complete=complete) for place in places)
    faults = [one._asdict() for one in books.faults]
    return {
        "balanced": not number and not faults,
        "complete": complete,
        "days": days,
        "more": len(places) - len(days),
        "differences": odd,
        "different_days": number,
        "total": _line(total, complete=complete),
        "open_intents": books.open_intents,
        "faults": faults,
        "summary": _verdict(len(places), number, len(faults), complete=complete),
    }


def _wrong(sums: Mapping[str, Sum], *, complete: bool) -> bool:
    if complete:
        return difference(sums) != NOTHING
    return min(expected(sums)) < 0


def _line(sums: Mapping[str, Sum], *, complete: bool) -> Answer:
    there = ("present", "quarantined")
    shown: Answer = {
        name: None if name in there and not complete else _sum(sums[name])
        for name in COLUMNS
    }
    shown["remaining"] = _sum(expected(sums))
    shown["difference"] = _sum(difference(sums)) if complete else None
    return shown


def _verdict(days: int, wrong: int, faults: int, *, complete: bool) -> str:
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
    if complete:
        return f"the books balance: {days} days of a camera"
    return (
        f"{days} days of a camera: nowhere is more gone than was recorded; whether the "
        "rest is there, this copy of the log can't tell"
    )


def _sum(found: Sum) -> Answer:
    return {
        "recordings": found.number,
        "seconds": seconds(found.duration),
        "bytes": found.size,
    }


def covered(finder: Finder, window: Window, camera: int | None = None) -> list[Window]:
    """The time in the window that some recording (of a camera) is named for."""
    return [
        Window(max(one.start, window.start), min(one.end, window.end))
        for one in finder.lives.values()
        if one.fate is not Fate.MOVED
        and camera in (None, one.camera)
        and one.start < window.end
        and window.start < one.end
    ]


def gap(window: Window, what: str, why: str) -> Answer:
    """A time for which no recording is named."""
    until = None if window.end >= FOREVER else format_utc(window.end)
    return {"since": format_utc(window.start), "until": until, "what": what, "why": why}


def unnamed(*, known: bool) -> Answer:
    """Nothing is known of a path; `known` where a recorder may write such a one."""
    what, why = ("not_known", "no recorder is known to write such a path here")
    if known:
        what, why = ("no_recording_seen", "nothing names a file there")
    return {"camera": None, "since": None, "until": None, "what": what, "why": why}


def effort(entries: int, rows: int, length: Micros, *, indexed: bool) -> Answer:
    """What an answer cost: without an index all of a log is read."""
    return {
        "read": {
            "indexed": indexed,
            "entries": entries,
            "rows": rows,
            "seconds": round(length / SECOND, 3),
        }
    }
