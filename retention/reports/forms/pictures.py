"""The pictures of a report's page: of its tables, drawn in paths and words.

A picture is of any table that has its columns, by their names.  What it shows is said in
words beside it, and its figures stand in that table.  A mark has a kind; how that looks,
on a screen or on paper, is the style sheet's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from math import log10
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from retention.model.answers.report import Report, ReportTable
from retention.model.localtime import (
    day_of,
    day_text,
    format_date,
    instant_of,
    midnight,
)
from retention.model.values import HOUR, SECOND, Micros
from retention.reports.forms.texts import share_text, text_of
from retention.tlog.figures import LATE

WIDE = 960
"""Units that a picture is wide: as many as CSS pixels on an ordinary screen."""

HIGH = 1_200
"""Units that a panel is high at most: so that it fits on a page of A4."""

ROWS = 75
"""Life lines in one picture."""

APART = 46
"""Units between the words along an axis, at the least."""

_EPOCH = date(1970, 1, 1).toordinal()


class Mark(NamedTuple):
    """A path (SVG) of some kind, and what it says when it is pointed at."""

    kind: str
    path: str
    says: str = ""


class PictureText(NamedTuple):
    """Words at a place; `anchor` is which end of them is there."""

    x: str
    y: str
    text: str
    anchor: str = "middle"


class Panel(NamedTuple):
    """One drawing: so many units high."""

    height: int
    marks: list[Mark]
    labels: list[PictureText]


class Picture(NamedTuple):
    """A picture of a table: what it shows in words, in which panels; the legend has what
    each kind of mark means."""

    name: str
    title: str
    says: str
    panels: list[Panel]
    legend: list[tuple[str, str]]
    table: str


class Columns:
    """A table by the names of its columns."""

    def __init__(self, table: ReportTable, report: Report) -> None:
        self.table, self.report, self.zone = table, report, ZoneInfo(report.zone)
        self._place = {one.name: n for n, one in enumerate(table.columns)}
        self._rows = table.rows

    def of(self, name: str) -> list[Any]:
        """The cells of a column."""
        return [row.cells[self._place[name]] for row in self._rows]

    def texts(self, name: str) -> list[str]:
        """The same as people read them."""
        column, zone = self.table.columns[self._place[name]], self.report.zone
        return [text_of(column, cell, zone) for cell in self.of(name)]

    def where(self, name: str) -> Columns:
        """Those rows alone of which this is known."""
        found = Columns(self.table, self.report)
        place = self._place[name]
        found._rows = [row for row in self._rows if row.cells[place] is not None]
        return found

    def has(self, names: Sequence[str]) -> bool:
        """Whether there are such columns."""
        return set(names) <= self._place.keys()


def pictures_of(report: Report) -> list[Picture]:
    """Every picture of a report, in the order of its tables."""
    found = []
    for table in report.tables:
        columns = Columns(table, report)
        for number, (title, names, draw) in enumerate(PICTURES):
            if columns.has(names):
                found.append(draw(f"{table.name}-{number}", title, columns))
    return [one for one in found if one is not None]


def _several(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


_Draw = Callable[[str, str, Columns], Picture | None]

# -- lines and words ------------------------------------------------------------------------


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def _box(x: float, y: float, wide: float, high: float) -> str:
    return f"M{_n(x)} {_n(y)}h{_n(wide)}v{_n(high)}h{_n(-wide)}z"


def _line(x: float, y: float, to_x: float, to_y: float) -> str:
    return f"M{_n(x)} {_n(y)}L{_n(to_x)} {_n(to_y)}"


def _dot(x: float, y: float, size: float) -> str:
    return f"M{_n(x - size)} {_n(y)}l{_n(size)} {_n(-size)} {_n(size)} {_n(size)} {_n(-size)} {_n(size)}z"


def _label(x: float, y: float, text: str, anchor: str = "middle") -> PictureText:
    return PictureText(_n(x), _n(y), text, anchor)


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH


def _named_days(days: range) -> Iterator[tuple[int, str]]:
    """Those days along an axis that are named: each, each Monday, or the first of each
    month."""
    for day in days:
        found = date.fromordinal(day + _EPOCH)
        if len(days) <= 120:
            if len(days) <= 14 or found.weekday() == 0:
                yield day, f"{found.day} {found:%b}"
        elif found.day == 1:
            yield day, f"{found:%b %Y}" if found.month == 1 else f"{found:%b}"


def _axis(
    named: Iterable[tuple[int, str]], place: Callable[[int], float], top: float,
    bottom: float,
) -> tuple[list[Mark], list[PictureText]]:  # fmt: skip
    """Days or hours along the bottom, each with a line up to the top."""
    lines: list[str] = []
    labels: list[PictureText] = []
    last = -WIDE * 1.0
    for number, text in named:
        x = place(number)
        if x - last >= APART and x <= WIDE - APART / 2:
            last = x
            lines.append(_line(x, top, x, bottom + 4))
            labels.append(_label(x, bottom + 16, text))
    return [Mark("grid", "".join(lines))], labels


# -- how complete cameras' days are ---------------------------------------------------------

_STEPS = (
    (0.999, "full", "99.9% or more"),
    (0.99, "most", "99% or more"),
    (0.95, "much", "95% or more"),
    (0.75, "some", "75% or more"),
    (1e-9, "little", "less"),
    (0.0, "nothing", "nothing"),
)


def _step(share: float) -> str:
    return next(kind for least, kind, _ in _STEPS if share >= least)


def matrix(
    columns: Columns, across: str = "day", down: str = "camera", cell: str = "complete"
) -> dict[str, dict[int, float]]:
    """The shares of each camera, by day; what is not known is left out."""
    found: dict[str, dict[int, float]] = {}
    for name, day, share in zip(
        columns.of(down), columns.of(across), columns.of(cell), strict=True
    ):
        row = found.setdefault(name, {})
        if share is not None:
            row[_day(day)] = share
    return found


def _heat(name: str, title: str, columns: Columns) -> Picture | None:
    rows = matrix(columns)
    known = [day for row in rows.values() for day in row]
    if not known:
        return None
    days = range(min(known), max(known) + 1)
    panels = _grid(
        {
            camera: {day: _step(share) for day, share in row.items()}
            for camera, row in rows.items()
        },
        {camera: _row(camera, row) for camera, row in rows.items()},
        days,
        list(_named_days(days)),
    )
    shares = [share for row in rows.values() for share in row.values()]
    whole = sum(_step(share) == "full" for share in shares)
    empty = sum(share == 0 for share in shares)
    says = (
        f"{_several(len(rows), 'camera')}, {_several(len(days), 'day')}: of "
        f"{len(shares):,} days of a camera {whole:,} were recorded to 99.9% or more, "
        f"{len(shares) - whole - empty:,} in part, {empty:,} not at all"
    )
    legend = [(kind, text) for _, kind, text in _STEPS]
    return Picture(name, title, says, panels, legend, columns.table.name)


_FATES = {
    "deleted": "full",
    "present": "bar",
    "held": "stands",
    "lost": "late",
    "no_recording_seen": "some",
    "not_known": "unknown",
    "not_ours": "theirs",
}
"""Columns of what an hour may be, and as which kind of mark it is drawn."""


def _hours(name: str, title: str, columns: Columns) -> Picture | None:
    """What each hour of each camera is for the most part."""
    kinds: dict[str, dict[int, str]] = {}
    sums = dict.fromkeys(_FATES, 0)
    lengths = zip(*(columns.of(fate) for fate in _FATES), strict=True)
    for camera, text, one in zip(
        columns.of("camera"), columns.of("hour"), lengths, strict=True
    ):
        fate = max(zip(one, _FATES, strict=True), key=lambda found: found[0])[1]
        kinds.setdefault(camera, {})[instant_of(text) // HOUR] = _FATES[fate]
        sums[fate] += 1
    if not kinds:
        return None
    known = [hour for row in kinds.values() for hour in row]
    hours = range(min(known), max(known) + 1)
    days = range(hours.start // 24, hours[-1] // 24 + 1)
    named = [(day * 24, text) for day, text in _named_days(days)]
    if len(hours) <= 48:
        named = [(hour, f"{hour % 24:02}:00") for hour in hours if hour % 3 == 0]
    said = {fate: f"{fate.replace('_', ' ')} {sums[fate]:,}" for fate in _FATES}
    says = ", ".join(said[fate] for fate in _FATES if sums[fate])
    legend = [
        (kind, fate.replace("_", " ")) for fate, kind in _FATES.items() if sums[fate]
    ]
    panels = _grid(kinds, {camera: camera for camera in kinds}, hours, named)
    return Picture(
        name, title, f"hours (UTC) of cameras: {says}", panels, legend,
        columns.table.name,
    )  # fmt: skip


def _grid(
    rows: Mapping[str, Mapping[int, str]], says: Mapping[str, str], across: range,
    named: Sequence[tuple[int, str]],
) -> list[Panel]:  # fmt: skip
    """A line of cells for each camera: their kinds, and what the line says."""
    left = min(8 + 7 * max(map(len, rows)), WIDE // 4)
    wide = min(22, (WIDE - left - 4) / len(across))
    names = list(rows)
    high = 12 if len(names) * 12 <= HIGH else 6
    panels = []

    def place(number: int) -> float:
        return left + (number - across.start) * wide

    for first in range(0, len(names), HIGH // high):
        part = names[first : first + HIGH // high]
        bottom = high * len(part)
        paths: dict[str, list[str]] = {}
        over: list[Mark] = []
        labels = []
        for n, camera in enumerate(part):
            y = n * high
            for kind, start, length in _runs(rows[camera]):
                box = _box(place(start), y, length * wide, high - 1)
                paths.setdefault(kind, []).append(box)
            if n % (12 // high) == 0:
                labels.append(_label(left - 6, y + 9, camera, "end"))
            whole = _box(left, y, wide * len(across), high)
            over.append(Mark("over", whole, says[camera]))
        axis, along = _axis(named, place, 0, bottom)
        marks = [Mark(kind, "".join(found)) for kind, found in sorted(paths.items())]
        panels.append(Panel(bottom + 22, [*marks, *axis, *over], [*labels, *along]))
    return panels


def _runs(row: Mapping[int, str]) -> Iterator[tuple[str, int, int]]:
    """Neighbours of one kind: the kind, the first of them, how many."""
    steps = enumerate((number, row[number]) for number in sorted(row))
    for (_, kind), run in groupby(steps, lambda one: (one[1][0] - one[0], one[1][1])):
        found = [number for _, (number, _) in run]
        yield kind, found[0], len(found)


def _row(camera: str, row: Mapping[int, float]) -> str:
    if not row:
        return camera
    worst = min(row, key=lambda day: (row[day], day))
    return (
        f"{camera}: {share_text(sum(row.values()) / len(row))} of {len(row)} days, the "
        f"least {share_text(row[worst])} on {day_text(worst)}"
    )


# -- day by day -----------------------------------------------------------------------------

_LEFT, _HIGH = 64, 180


def _columns(days: range) -> tuple[float, Callable[[int], float]]:
    """How wide a day is, and where each begins."""
    wide = min(44, (WIDE - _LEFT) / len(days))
    return wide, lambda day: _LEFT + (day - days.start) * wide


def _bars(name: str, title: str, columns: Columns) -> Picture | None:
    """How many were deleted each day; below it those days on which any was late."""
    columns = columns.where("on_time")
    days = [_day(text) for text in columns.of("day")]
    if not days:
        return None
    numbers, shares = columns.of("recordings"), columns.of("on_time")
    across = range(min(days), max(days) + 1)
    wide, place = _columns(across)
    step = _round(max(numbers) / 4)
    top = step * max(1, -(-max(numbers) // step))
    bars, late = [], []
    for day, number, share in zip(days, numbers, shares, strict=True):
        says = f"{day_text(day)}: {number:,}"
        x, high = place(day), _HIGH * number / top
        bars.append(
            Mark("bar", _box(x + wide * 0.1, 8 + _HIGH - high, wide * 0.8, high), says)
        )
        if share < 1:
            says = f"{day_text(day)}: {number - round(number * share):,} late"
            late.append(
                Mark("late", _box(x + wide * 0.1, _HIGH + 9, wide * 0.8, 5), says)
            )
    levels = [
        (8 + _HIGH - _HIGH * n * step / top, f"{n * step:,}")
        for n in range(top // step + 1)
    ]
    most = max(zip(numbers, days, strict=True))
    said = [
        f"{sum(numbers):,} on {_several(len(days), 'day')}",
        f"the most {most[0]:,} on {day_text(most[1])}",
        f"some late on {_several(len(late), 'day')}" if late else "none late",
    ]
    panel = _plot(across, place, levels, [*bars, *late])
    legend = [("bar", "deleted")] + ([("late", "some of them late")] if late else [])
    return Picture(name, title, "; ".join(said), [panel], legend, columns.table.name)


def _round(least: float) -> int:
    """1, 2 or 5 times a power of ten, at least so much."""
    ten = 1
    while ten * 10 < least:
        ten *= 10
    return next(ten * n for n in (1, 2, 5, 10) if ten * n >= least)


def _plot(
    days: range, place: Callable[[int], float], levels: list[tuple[float, str]],
    marks: list[Mark],
) -> Panel:  # fmt: skip
    """Marks over a line for each level, and the days below."""
    right = place(days.stop)
    lines = "".join(_line(_LEFT, y, right, y) for y, _ in levels)
    labels = [_label(_LEFT - 6, y + 4, text, "end") for y, text in levels]
    axis, along = _axis(_named_days(days), place, 8, _HIGH + 14)
    return Panel(_HIGH + 34, [*axis, Mark("grid", lines), *marks], [*labels, *along])


_LENGTHS = (
    (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"), (3600, "1 h"),
    (86_400, "1 day"), (7 * 86_400, "1 week"), (28 * 86_400, "4 weeks"),
    (365 * 86_400, "1 year"), (3_650 * 86_400, "10 years"),
)  # fmt: skip
_LATE = LATE // SECOND


def _lateness(name: str, title: str, columns: Columns) -> Picture | None:
    """How long deletions waited: from what half of them had at most to the worst."""
    columns = columns.where("on_time")
    days = [_day(text) for text in columns.of("day")]
    if not days:
        return None
    worst = columns.of("worst_lateness")
    half = columns.of("median_lateness") if columns.has(["median_lateness"]) else worst
    across = range(min(days), max(days) + 1)
    wide, place = _columns(across)
    top = next(
        (one for one, _ in _LENGTHS if one >= max(*worst, _LATE + 1)), max(worst)
    )

    def height(seconds: float) -> float:
        return 8 + _HIGH * (1 - log10(max(seconds, 1)) / log10(top))

    marks = [
        Mark("limit", _line(_LEFT, height(_LATE), place(across.stop), height(_LATE)))
    ]
    texts = columns.texts("worst_lateness")
    for day, low, high, text in zip(days, half, worst, texts, strict=True):
        x, kind = place(day) + wide / 2, "late" if high >= _LATE else "wait"
        size = min(3.5, max(wide * 0.4, 1.2))
        path = _dot(x, height(high), size)
        if low < high:
            path += _box(x - 0.6, height(high), 1.2, height(low) - height(high))
        marks.append(Mark(kind, path, f"{day_text(day)}: at worst {text}"))
    levels = [(height(one), text) for one, text in _LENGTHS if one <= top]
    late = sum(one >= _LATE for one in worst)
    longest = texts[worst.index(max(worst))]
    says = f"the longest wait after the period was over was {longest}; over an hour on {late:,} of {_several(len(days), 'day')}"
    legend = [
        ("wait", "the longest wait of a day, down to what half waited at most"),
        *([("late", "the same, late")] if late else []),
        ("limit", "late from here on"),
    ]
    return Picture(
        name,
        title,
        says,
        [_plot(across, place, levels, marks)],
        legend,
        columns.table.name,
    )


# -- life lines -----------------------------------------------------------------------------


class _LifeLine(NamedTuple):
    name: str
    since: Micros
    until: Micros | None
    review: Micros | None
    overdue: bool


def _holds(name: str, title: str, columns: Columns) -> Picture | None:
    """Each hold from its placing until footage is free, and when its review is due."""
    lives = [
        _LifeLine(
            f"{hold} {kind}", instant_of(placed), _instant(free), _instant(review),
            overdue == "yes",
        )
        for hold, kind, placed, free, review, overdue in zip(
            *map(columns.of, ("hold", "kind", "placed", "free_at", "review",
                              "review_overdue")), strict=True,
        )
    ]  # fmt: skip
    legend = [
        ("life", "from its placing until its footage is free"),
        ("stands", "still in force"),
        ("review", "its review is due"),
        ("late", "its review is overdue"),
    ]
    return _lives(name, title, columns, lives, legend)


def _stood(name: str, title: str, columns: Columns) -> Picture | None:
    """What stood from one instant to another."""
    lives = [
        _LifeLine(f"{one} {of or ''}".strip(), instant_of(since), _instant(until), None, False)
        for one, of, since, until in zip(
            *map(columns.of, ("what", "where", "since", "until")), strict=True
        )
    ]  # fmt: skip
    legend = [("life", "stood, and is over"), ("stands", "still stands")]
    return _lives(name, f"{columns.table.title}: {title}", columns, lives, legend)


def _instant(text: str | None) -> Micros | None:
    return None if text is None else instant_of(text)


def _lives(
    name: str, title: str, columns: Columns, lives: list[_LifeLine],
    legend: list[tuple[str, str]],
) -> Picture | None:  # fmt: skip
    if not lives:
        return None
    zone, written = columns.zone, instant_of(columns.report.head.written)
    shown = lives[-ROWS:]
    first = min(one.since for one in shown)
    last = max([written, *(one.until or 0 for one in shown)])
    left = min(12 + 7 * max(len(one.name) for one in shown), WIDE // 3)
    scale = (WIDE - left - 12) / max(last - first, 1)
    high, marks, labels = 16, list[Mark](), list[PictureText]()

    def place(instant: Micros) -> float:
        return left + (min(max(instant, first), last) - first) * scale

    bottom = high * len(shown)
    for n, one in enumerate(shown):
        y, x, end = n * high, place(one.since), place(one.until or last)
        kind = "stands" if one.until is None or one.until > written else "life"
        says = f"{one.name}: from {format_date(one.since, columns.report.zone)}"
        if one.until is not None:
            says += f" to {format_date(one.until, columns.report.zone)}"
        marks.append(Mark(kind, _box(x, y + 3, max(end - x, 2), high - 6), says))
        if one.review is not None and one.until is None and one.review <= last:
            kind = "late" if one.overdue else "review"
            marks.append(Mark(kind, _dot(place(one.review), y + high / 2, 5)))
        labels.append(_label(left - 6, y + 12, one.name, "end"))
    days = range(day_of(first, zone), day_of(last, zone) + 1)
    named = _named_days(days)
    axis, along = _axis(named, lambda day: place(midnight(day, zone)), 0, bottom)
    marks.insert(0, *axis)
    standing = sum(one.until is None for one in lives)
    says = f"{len(lives):,} in all; {standing:,} of them stand at the end of the log"
    if len(shown) < len(lives):
        says += f". These are the last {len(shown)}"
    panel = Panel(bottom + 22, marks, [*labels, *along])
    return Picture(name, title, says, [panel], legend, columns.table.name)


PICTURES: tuple[tuple[str, tuple[str, ...], _Draw], ...] = (
    ("How complete each camera's days are", ("camera", "day", "complete"), _heat),
    ("What each hour is", ("camera", "hour", *_FATES), _hours),
    ("Deletions a day", ("day", "recordings", "on_time"), _bars),
    ("How late, day by day", ("day", "on_time", "worst_lateness"), _lateness),
    (
        "Life lines of holds",
        ("hold", "kind", "placed", "free_at", "review", "review_overdue"),
        _holds,
    ),
    ("how long each stood", ("what", "where", "since", "until", "ended"), _stood),
)
"""Each picture: its title, the columns of a table that it is of, and what draws it."""
