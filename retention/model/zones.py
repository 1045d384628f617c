"""What a time zone says of a stretch of time: its offsets, as changes.  Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from retention.model.values import DAY, SECOND, Micros

Offsets = list[tuple[Micros, Micros]]
"""(from when, offset from UTC), oldest first; the first from the stretch's beginning."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def offsets(zone: str, since: Micros, until: Micros) -> Offsets:
    """The offsets of a zone in [since, until), each from the second on which it begins.

    No zone changed twice within a day since 1970, so a look a day finds every change.
    """
    found = [(since, _offset(zone, since))]
    low = since
    while low < until:
        high = min(low + DAY, until)
        at = _offset(zone, high)
        if at != found[-1][1]:
            while high - low > SECOND:
                middle = low + (high - low) // (2 * SECOND) * SECOND
                if _offset(zone, middle) == found[-1][1]:
                    low = middle
                else:
                    high = middle
            found.append((high, at))
        low = high
    return found


def differ(before: Offsets, now: Offsets) -> Micros | None:
    """The first instant from which two stretches of one length say different offsets."""
    starts = sorted({at for at, _ in (*before, *now)})
    for at in starts:
        if _at(before, at) != _at(now, at):
            return at
    return None


def _at(found: Offsets, instant: Micros) -> Micros:
    return [offset for at, offset in found if at <= instant][-1]


def _offset(zone: str, instant: Micros) -> Micros:
    moment = (_EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone))
    offset = moment.utcoffset()
    return 0 if offset is None else offset // timedelta(microseconds=1)
