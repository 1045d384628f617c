"""The hours in which a site says that people watch its cameras.  Pure."""

from __future__ import annotations

import re
from calendar import isleap
from datetime import date
from itertools import pairwise
from typing import NamedTuple

ALWAYS = "24/7"
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES
_PART = re.compile(
    r"([a-z]{3})(?:-([a-z]{3}))? ([0-2][0-9]):([0-5][0-9])-([0-2][0-9]):([0-5][0-9])",
    re.IGNORECASE,
)


class Monitored(NamedTuple):
    """Minutes of watching that begin on each day of the week, Monday first."""

    minutes: tuple[int, ...]

    def days_in(self, year: int) -> int:
        """How many days of a calendar year have hours."""
        first = date(year, 1, 1).weekday()
        length = 366 if isleap(year) else 365
        return sum(self.minutes[(first + day) % 7] > 0 for day in range(length))

    @property
    def hours_a_day(self) -> tuple[float, float]:
        """The fewest and the most hours of a day that has any."""
        found = [minutes / 60 for minutes in self.minutes if minutes]
        return min(found), max(found)


def read(text: str) -> Monitored:
    """`24/7`, or parts such as `Mon-Fri 08:00-22:00, Sat 20:00-04:00` in local time.

    Hours that end at or before they begin go on into the next day and count to the day
    on which they begin; `00:00-24:00` is a whole one.  ValueError says what is wrong.
    """
    if text == ALWAYS:
        return Monitored((_DAY_MINUTES,) * 7)
    spans = sorted(span for part in text.split(",") for span in _spans(part.strip()))
    again = (spans[0][0] + _WEEK_MINUTES, 0)
    for (_, end), (start, _) in pairwise([*spans, again]):
        if start < end:
            raise ValueError(
                f"says some hours of a {DAYS[start // _DAY_MINUTES % 7]} twice"
            )
    minutes = [0] * 7
    for start, end in spans:
        minutes[start // _DAY_MINUTES] += end - start
    return Monitored(tuple(minutes))


def _spans(part: str) -> list[tuple[int, int]]:
    """[start, end) in minutes of the week, one for each day that is named."""
    found = _PART.fullmatch(part)
    if found is None:
        raise ValueError(f'has "{part[:40]}", which is not days and hours')
    first, last = (_day(name) for name in (found[1], found[2] or found[1]))
    begin, end = (60 * int(found[n]) + int(found[n + 1]) for n in (3, 5))
    if begin >= _DAY_MINUTES or end > _DAY_MINUTES:
        raise ValueError(f'has "{part}", and a day has 24 hours')
    length = end - begin if end > begin else end - begin + _DAY_MINUTES
    starts = (
        _DAY_MINUTES * (day % 7) + begin
        for day in range(first, first + 1 + (last - first) % 7)
    )
    return [(start, start + length) for start in starts]


def _day(name: str) -> int:
    if name.capitalize() not in DAYS:
        raise ValueError(f'has "{name}", which is no day of the week')
    return DAYS.index(name.capitalize())
