"""What the date and time in a file's name may mean as instants.

Owns the arithmetic between a recorder's wall clock and UTC.  Wall times are
integers too: the microseconds from 1970-01-01 00:00 on that clock.  Pure: time zone
data is the only thing read.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from retention.model.values import DAY, HOUR, MINUTE, SECOND, Micros, Window

FIRST_YEAR, LAST_YEAR = 1970, 2200
"""Years that a name may hold.  A recorder whose clock died writes 1970."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()


def wall(year: int, month: int = 1, day: int = 1, hour: int = 0) -> Micros | None:
    """The wall time of an hour, or None where there is no such date or hour."""
    if not (FIRST_YEAR <= year <= LAST_YEAR and 0 <= hour <= 23):
        return None
    try:
        ordinal = date(year, month, day).toordinal()
    except ValueError:  # 31 February
        return None
    return (ordinal - _EPOCH_DAY) * DAY + hour * HOUR


END: Micros = (date(LAST_YEAR + 1, 1, 1).toordinal() - _EPOCH_DAY) * DAY
"""The instant after the last that a name may mean."""


def readings(zone: ZoneInfo, at: Micros) -> tuple[Micros, ...]:
    """The offsets from UTC with which a wall time may have been written.

    One; or two where the clock went back, that of the earlier instant first.  A
    wall time that the clock jumped over is read with the offset before the jump.
    """
    before, after = _both_offsets(zone, at)
    return (before, after) if before > after else (before,)


def readings_of_hour(zone: ZoneInfo, at: Micros) -> tuple[Micros, ...] | None:
    """The `readings` of each minute of the hour at `at`; None where they differ."""
    first = readings(zone, at)
    return first if first == readings(zone, at + HOUR - SECOND) else None


def offset_at(zone: ZoneInfo, instant: Micros) -> Micros:
    """What the zone's clocks show more than UTC at an instant."""
    return _offset((_EPOCH + timedelta(microseconds=instant)).astimezone(zone))


def repeated(zone: ZoneInfo, now: Micros, ago: Micros) -> Window | None:
    """The instants whose wall time came a second time by `now`, where the zone's clocks
    went back less than `ago` before; None where they did not."""
    low, high = now - ago, now
    back = offset_at(zone, low) - offset_at(zone, high)
    if back <= 0:
        return None
    before = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if offset_at(zone, middle) == before:
            low = middle
        else:
            high = middle
    end = min(high, now - back)
    return Window(high - back, end) if end > high - back else None


def written_offset(text: bytes) -> Micros:
    """The offset that "Z", "+0100" or "+01:00" means."""
    if text == b"Z":
        return 0
    size = int(text[1:3]) * HOUR + int(text[-2:]) * MINUTE
    return -size if text[:1] == b"-" else size


def write_offset(offset: Micros) -> bytes | None:
    """An offset as strftime's %z writes it, "+0100"; None if it has odd seconds."""
    minutes, odd = divmod(abs(offset), MINUTE)
    if odd:
        return None
    return b"%b%02d%02d" % (b"-" if offset < 0 else b"+", minutes // 60, minutes % 60)


def calendar(hours: int) -> tuple[bytes, bytes, bytes, bytes]:
    """Year, month, day and hour, as digits, of a wall time in whole hours."""
    days, hour = divmod(hours, 24)
    shown = date.fromordinal(_EPOCH_DAY + days)
    return (
        b"%04d" % shown.year,
        b"%02d" % shown.month,
        b"%02d" % shown.day,
        b"%02d" % hour,
    )


def widest(zone: ZoneInfo, start: Micros, end: Micros) -> tuple[Micros, Micros]:
    """The instants that [start, end) on the wall can't begin before, nor end after.

    Every offset in force at either end is taken for both, so that a day on which
    the clock changes is an hour too wide rather than too narrow.
    """
    offsets = [*_both_offsets(zone, start), *_both_offsets(zone, end)]
    return start - max(offsets), end - min(offsets)


def _both_offsets(zone: ZoneInfo, at: Micros) -> tuple[Micros, Micros]:
    local = (_EPOCH + timedelta(microseconds=at)).replace(tzinfo=zone)
    return _offset(local), _offset(local.replace(fold=1))


def _offset(local: datetime) -> Micros:
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)
