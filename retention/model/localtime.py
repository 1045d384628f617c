"""Times, durations and sizes as people type and read them.  Pure.

Inside the program an instant is an integer of microseconds in UTC; here, and
nowhere else, it becomes local time of the site's zone, and back (design, time).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from retention.model.errors import UsageError
from retention.model.values import (
    DAY,
    FOREVER,
    HOUR,
    LONG_AGO,
    MINUTE,
    SECOND,
    Micros,
    Window,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UTC_EPOCH = _EPOCH.replace(tzinfo=None)
_MICROSECOND = timedelta(microseconds=1)
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# Not strftime: %a and %b change with the locale of whoever runs the program.
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_DAYS_AWAY = {"yesterday": -1, "today": 0, "tomorrow": 1}

_TIME = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,6}))?)?"
_OFFSET = r"( ?(?P<offset>[zZ]|[+-][0-9]{2}(:?[0-9]{2})?))?"
_FORMS = tuple(
    # Words as people type them at night: "Yesterday", "sat 24 oct".
    re.compile(rf"{date}{_TIME}{_OFFSET}", re.IGNORECASE | re.ASCII)
    for date in (
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})[ tT]",
        r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4}) ",
        rf"((?P<weekday>{'|'.join(_WEEKDAYS)}) )?(?P<day>[0-9]{{1,2}}) (?P<name>{'|'.join(_MONTHS)}) (?P<year>[0-9]{{4}}) ",
        rf"(?P<away>{'|'.join(_DAYS_AWAY)}) ",
    )
)
_COUNTS_FROM_NOW = re.compile(rf"[+-]|(now|{'|'.join(_DAYS_AWAY)})\b", re.IGNORECASE)
_KNOWN_FORMS = (
    '"2026-10-24 21:00", "2026-10-24T20:00Z", "24/10/2026 21:00", '
    '"yesterday 21:00", "now" or "+2h"'
)

WRITTEN = re.compile(
    r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z"
)
"""What `format_utc` writes."""

_UNITS: dict[str, Micros] = {
    **dict.fromkeys(("w", "week", "weeks"), 7 * DAY),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("h", "hour", "hours"), HOUR),
    **dict.fromkeys(("m", "min", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("s", "second", "seconds"), SECOND),
}
_PART = re.compile(r"([0-9]+)(?:\.([0-9]{1,6}))? ?([A-Za-z]*) ?")


def parse_instant(text: str, zone: str, now: Micros) -> Micros:
    """Return the instant that a person means by `text` in `zone`.

    Takes the forms of the design's command line section, and what
    `format_local` and `format_utc` print.  A local time that happens twice
    (autumn) or not at all (spring) is a `UsageError` with both readings.
    """
    plain = " ".join(text.split())
    if plain.lower() == "now":
        return now
    if plain[:1] in {"+", "-"}:
        distance = parse_duration(plain[1:])
        return _within_range(
            now + distance if plain[0] == "+" else now - distance, text
        )
    for form in _FORMS:
        if match := form.fullmatch(plain):
            return _within_range(_read(match, zone, now), text)
    raise UsageError(_unreadable(plain))


def _believed() -> None:
    """Nothing speaks against the clock."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When somebody says a time: the zone that it is meant in, and `now`.

    `doubt` says why `now` is not to be believed, None where nothing speaks against it;
    it is asked only of times that count from now.
    """

    zone: str
    now: Micros
    doubt: Callable[[], str | None] = _believed

    def instant(self, text: str) -> Micros:
        """What `text` means: see `parse_instant`, and `refuse_in_doubt`."""
        self.refuse_in_doubt(text)
        return parse_instant(text, self.zone, self.now)

    def refuse_in_doubt(self, text: str) -> None:
        """UsageError for a time that counts from a clock that is in doubt."""
        if _COUNTS_FROM_NOW.match(text.strip()) and (why := self.doubt()):
            time = re.search(_TIME, text)
            raise UsageError(
                f"the clock of this machine is in doubt ({why}), and "
                f'"{text}" counts from it: write the date itself, such as '
                f'"2026-10-24 {time[0] if time else "21:00"}".'
            )

    def day(self, text: str) -> Window:
        """The whole day of the zone that `text` names; UsageError where it is none.  It
        has 23 or 25 hours where clocks are set."""
        self.refuse_in_doubt(text)
        return _day(text, self.zone, self.now)

    def window(self, since: str | None, until: str | None, always: Window) -> Window:
        """Return [since, until) as typed; what is not given is as in `always`.

        UsageError as of `instant`, and where the end does not come last.
        """
        window = Window(
            always.start if since is None else self.instant(since),
            always.end if until is None else self.instant(until),
        )
        if window.start >= window.end:
            words = f"from {since}" if until is None else f"from {since} to {until}"
            raise UsageError(
                f"{words} is no time: the end comes first"
                if since is not None
                else f"there is nothing before {until}"
            )
        return window


def _day(text: str, zone: str, now: Micros) -> Window:
    plain = " ".join(text.split())
    for form in _FORMS:
        if match := form.fullmatch(f"{plain} 00:00"):
            wall = _wall_time(match, zone, now)
            if wall.date() == date.max:  # no day comes after it
                return Window(0, _within_range(FOREVER, text))
            # Where midnight is skipped, or comes twice, the day begins with the first
            # instant of it.
            start, end = (
                _micros(one.replace(tzinfo=ZoneInfo(zone), fold=0))
                for one in (wall, wall + timedelta(days=1))
            )
            return Window(_within_range(start, text), _within_range(end, text))
    raise UsageError(
        f'"{plain}" is no day: write it like "2026-10-24", "24/10/2026" or "yesterday".'
    )


def _read(match: re.Match[str], zone: str, now: Micros) -> Micros:
    wall, part = _wall_time(match, zone, now), match.groupdict()
    if not part["offset"]:
        return _from_local(wall, zone)
    if part.get("away"):
        raise UsageError(
            f'"{match[0]}" counts days in {zone} but names another offset: '
            f'write the date, such as "{_iso(wall)}{part["offset"]}".'
        )
    return _micros(wall.replace(tzinfo=_fixed(part["offset"], match[0])))


def _wall_time(match: re.Match[str], zone: str, now: Micros) -> datetime:
    """Return the date and time of day as written, without a zone."""
    part = match.groupdict()
    if part.get("away"):
        date = _local(now, zone) + timedelta(days=_DAYS_AWAY[part["away"].lower()])
        year, month, day = date.year, date.month, date.day
    else:
        name = part.get("name")
        month = _MONTHS.index(name.title()) + 1 if name else int(part["month"])
        year, day = int(part["year"]), int(part["day"])
    fraction = int((part["fraction"] or "").ljust(6, "0"))
    clock = int(part["hour"]), int(part["minute"]), int(part["second"] or 0)
    try:
        wall = datetime(year, month, day, *clock, fraction)  # noqa: DTZ001 the zone follows
    except ValueError as error:
        raise UsageError(_impossible(match[0], part, error)) from None
    weekday = (part.get("weekday") or "").title()
    if weekday and weekday != _WEEKDAYS[wall.weekday()]:
        raise UsageError(
            f'"{match[0]}" is a {_WEEKDAYS[wall.weekday()]}, not a {weekday}: '
            "correct the date, or leave the day of the week out."
        )
    return wall


def _from_local(wall: datetime, zone: str) -> Micros:
    """Return the one instant at which clocks in `zone` showed `wall`."""
    first, second = (
        _micros(wall.replace(tzinfo=ZoneInfo(zone), fold=fold)) for fold in (0, 1)
    )
    if first == second:
        return first
    # In the autumn both folds come back as typed; in the spring gap neither does.
    if _local(first, zone).replace(tzinfo=None) == wall:
        raise UsageError(
            f'"{_iso(wall)}" happens twice in {zone}, as the clocks go back: '
            f'write "{_iso(wall)}{_offset_at(first, zone)}" for the first '
            f"({format_utc(first)}) or "
            f'"{_iso(wall)}{_offset_at(second, zone)}" for the second '
            f"({format_utc(second)})."
        )
    # zoneinfo reads a time in the gap with the offset before it, then after it.
    raise UsageError(
        f'"{_iso(wall)}" does not exist in {zone}, as the clocks go forward: '
        f'write "{_iso(wall)}{_gap_offset(wall, first)}" for '
        f"{format_local(first, zone)} ({format_utc(first)}) or "
        f'"{_iso(wall)}{_gap_offset(wall, second)}" for '
        f"{format_local(second, zone)} ({format_utc(second)})."
    )


def _gap_offset(wall: datetime, instant: Micros) -> str:
    offset = _micros(wall.replace(tzinfo=UTC)) - instant
    return _offset_text(timedelta(microseconds=offset))


def _fixed(offset: str, text: str) -> timezone:
    if offset in {"Z", "z"}:
        return UTC
    digits = offset[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 18 or minutes > 59:
        raise UsageError(
            f'"{text}" has the impossible offset {offset}: '
            "write one such as +01:00, or Z for UTC."
        )
    size = timedelta(hours=hours, minutes=minutes)
    return timezone(-size if offset[0] == "-" else size)


def _within_range(instant: Micros, text: str) -> Micros:
    if 0 <= instant < FOREVER:
        return instant
    raise UsageError(f'"{text}" is not between 1970 and 2255: check the year.')


def _impossible(text: str, part: dict[str, str | None], error: ValueError) -> str:
    if part["hour"] == "24":
        return f'"{text}" has the hour 24: write 00:00 of the next day.'
    if "/" in text:
        return f'"{text}" is not a time ({error}): write day/month/year hour:minute.'
    return f'"{text}" is not a time ({error}): correct it.'


def _unreadable(text: str) -> str:
    if re.fullmatch(_TIME, text):
        return f'"{text}" has no day: write "today {text}" or "yesterday {text}".'
    if any(form.fullmatch(f"{text} 00:00") for form in _FORMS):
        return f'"{text}" has no time of day: write "{text} 00:00" for its midnight.'
    return f'"{text}" is not a time: write it like {_KNOWN_FORMS}.'


def parse_duration(text: str) -> Micros:
    """Return the length that `text` names: "28d", "60s", "1h30m", "1.5 h".

    Units are w, d, h, m (min) and s, from the largest to the smallest; a day
    is 86,400 s.  Raises `UsageError`, also for a number without its unit.
    """
    total, position, smallest = 0, 0, FOREVER
    plain = text.strip()
    while match := _PART.match(plain, position):
        unit = _UNITS.get(match[3], 0)
        if not unit or unit >= smallest:
            break
        whole = int(match[1] + (match[2] or "").ljust(6, "0"))
        total += whole * unit // SECOND
        position, smallest = match.end(), unit
    if not plain or position < len(plain):
        raise UsageError(_no_duration(plain))
    if total >= FOREVER:
        raise UsageError(f'"{text}" is too long for a duration: write a shorter one.')
    return total


def _no_duration(text: str) -> str:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return (
            f'"{text}" has no unit: write "{text}s", "{text}m", "{text}h" or "{text}d".'
        )
    if text.startswith("-"):
        return f'"{text}" is negative: write a duration such as "30m".'
    return (
        f'"{text}" is not a duration: write numbers with units from large to small '
        '(w, d, h, m, s), such as "28d", "1h30m" or "60s".'
    )


def format_duration(length: Micros) -> str:
    """Return `length` in its two largest units, cut off: "1 h 30 min", "28 days"."""
    if length < 0:
        return f"-{format_duration(-length)}"
    days, rest = divmod(length, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, fraction = divmod(rest, SECOND)
    if length < MINUTE and fraction:
        return f"{seconds}.{fraction:06}".rstrip("0") + " s"
    names = "day" if days == 1 else "days", "h", "min", "s"
    parts = list(zip((days, hours, minutes, seconds), names, strict=True))
    while len(parts) > 1 and not parts[0][0]:
        del parts[0]
    kept = [f"{number} {name}" for number, name in parts[:2] if number]
    return " ".join(kept) or "0 s"


def format_size(size: int) -> str:
    """Return `size` bytes in decimal units: "1.4 GB" is 1,400,000,000 bytes."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95:  # else it would round to "1000.0"
            return f"{value:.1f} {unit}"
    return f"{value / 1000:.1f} PB"


def counted(number: float, noun: str, plural: str = "") -> str:
    """ "1 recording", "2,000 recordings"; "3 entries" where `plural` says so."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def times(number: int) -> str:
    """ "never", "once", "2,000 times"."""
    return {0: "never", 1: "once"}.get(number, f"{number:,} times")


def format_local(instant: Micros, zone: str) -> str:
    """Return local time for people: "Sat 24 Oct 2026 21:00:00 +01:00".

    Microseconds show only where there are any, so that nothing is lost.
    """
    when = _local(instant, zone)
    return f"{_date(when)} {_clock(when)} {_offset_at(instant, zone)}"


def format_date(instant: Micros, zone: str) -> str:
    """Return the local date for people: "Sat 24 Oct 2026"."""
    return _date(_local(instant, zone))


def next_day(instant: Micros, zone: str) -> Micros:
    """Return the first instant of the local day after that of `instant`."""
    midnight = _local(instant, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return _micros((midnight + timedelta(days=1)).replace(fold=0))


def format_utc(instant: Micros) -> str:
    """Return RFC 3339 in UTC: "2026-10-24T20:00:00Z"; microseconds if any."""
    return f"{(_UTC_EPOCH + instant * _MICROSECOND).isoformat()}Z"


def instant_of(text: str) -> Micros:
    """Return the instant that `format_utc` wrote."""
    return _micros(datetime.fromisoformat(text))


def localised(text: str, zone: str) -> str:
    """A sentence, its UTC instants in local time to the second; what only looks like one,
    in a person's words, stays as it is."""

    def shown(found: re.Match[str]) -> str:
        try:
            return format_local(instant_of(found[0]) // SECOND * SECOND, zone)
        except (ValueError, OverflowError):
            return found[0]

    return WRITTEN.sub(shown, text)


def iso_local(text: str, zone: str) -> str:
    """Return what `format_utc` wrote as local time: "2026-10-24T21:00:00+01:00"."""
    return datetime.fromisoformat(text).astimezone(ZoneInfo(zone)).isoformat()


def day_of(instant: Micros, zone: ZoneInfo) -> int:
    """Return the local day of an instant, as days since 1 January 1970."""
    return _local_date(instant, zone).toordinal() - _EPOCH.toordinal()


def midnight(day: int, zone: ZoneInfo) -> Micros:
    """Return the instant at which a local day begins."""
    date = datetime.fromordinal(day + _EPOCH.toordinal())
    return _micros(date.replace(tzinfo=zone))


def day_text(day: int) -> str:
    """Return a day as "2026-10-24"."""
    return datetime.fromordinal(day + _EPOCH.toordinal()).date().isoformat()


def utc_or_null(instant: Micros | None) -> str | None:
    """Return `format_utc`, and None (in JSON null) where there is no instant: for
    None, and for FOREVER, the end of what is open."""
    return None if instant is None or instant >= FOREVER else format_utc(instant)


def dated(mtime: Micros) -> str:
    """Return "of " and `format_utc` for a file's mtime, which may be LONG_AGO."""
    return "of no possible time" if mtime <= LONG_AGO else f"of {format_utc(mtime)}"


def _date(when: datetime) -> str:
    return (
        f"{_WEEKDAYS[when.weekday()]} {when.day} {_MONTHS[when.month - 1]} {when.year}"
    )


def _clock(when: datetime) -> str:
    return f"{when:%H:%M:%S}" + (f".{when.microsecond:06}" if when.microsecond else "")


def _iso(wall: datetime) -> str:
    """Return a wall time in the shortest form that `parse_instant` takes."""
    exact = wall.second or wall.microsecond
    return f"{wall:%Y-%m-%d} {_clock(wall) if exact else f'{wall:%H:%M}'}"


def _offset_at(instant: Micros, zone: str) -> str:
    return _offset_text(_local(instant, zone).utcoffset() or timedelta())


def _offset_text(offset: timedelta) -> str:
    sign, size = ("-", -offset) if offset < timedelta() else ("+", offset)
    hours, rest = divmod(size, timedelta(hours=1))
    return f"{sign}{hours:02}:{rest // timedelta(minutes=1):02}"


def _local_date(instant: Micros, zone: ZoneInfo) -> datetime:
    return (_EPOCH + instant * _MICROSECOND).astimezone(zone)


def _local(instant: Micros, zone: str) -> datetime:
    return _local_date(instant, ZoneInfo(zone))


def _micros(when: datetime) -> Micros:
    return (when - _EPOCH) // _MICROSECOND
