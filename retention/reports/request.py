"""What somebody asks the books: times as typed, and what a path would be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from retention.model.errors import UsageError
from retention.model.layouts.layout import starts_in
from retention.model.localtime import Moment, format_duration
from retention.model.values import DAY, FOREVER, Micros, Stream, Window

ALL_CAMERAS: Micros = DAY
"""The longest time that is asked for of all cameras at once."""

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@contextmanager
def of_cameras(*, public: bool) -> Iterator[None]:
    """Looking up an id in a log: what a public copy does not have there may be."""
    try:
        yield
    except UsageError as error:
        if not public:
            raise
        raise UsageError(
            f"{error}; what is not published of cameras is not in this public copy"
        ) from error


def window_of(
    camera: str | None,
    at: str | None,
    since: str | None,
    until: str | None,
    path: str | None,
    moment: Moment,
) -> Window | None:
    """The time asked for; None for a path.  UsageError where it is not one of the two."""
    if path is not None:
        if camera or at or since or until:
            raise UsageError("ask for a path, or for a camera and a time: not for both")
        return None
    if (at is None) == (since is None) or (at and until):
        raise UsageError(
            "say which footage: a time (--at) or a span (--from, --to), of a --camera or "
            "of all; or a --path"
        )
    if at is not None:
        instant = moment.instant(at)
        return Window(instant, instant + 1)
    window = moment.window(since, until, Window(0, moment.now))
    if camera is None and window.end - window.start > ALL_CAMERAS:
        length = format_duration(window.end - window.start)
        raise UsageError(
            f"of many cameras at most {format_duration(ALL_CAMERAS)} are asked for at "
            f"once, not {length}: ask for a shorter time, or name a camera"
        )
    return window


def days_of(since: str | None, until: str | None, moment: Moment) -> range | None:
    """The UTC days that [since, until) meets; None for all.  A date alone, such as
    2026-10-24, is its UTC midnight."""
    if since is None and until is None:
        return None
    start = 0 if since is None else _instant(since, moment)
    end = moment.now if until is None else _instant(until, moment)
    if start >= end:
        raise UsageError(f"from {since} to {until} is no time: the end comes first")
    return range(start // DAY, (min(end, FOREVER) - 1) // DAY + 1)


def _instant(text: str, moment: Moment) -> Micros:
    whole = f"{text}T00:00Z" if _DATE.fullmatch(text) else text
    return moment.instant(whole)


def named(streams: Iterable[Stream], path: bytes) -> dict[tuple[int, Micros], Stream]:
    """The recordings (stream, start) that a path below a root would be."""
    found: dict[tuple[int, Micros], Stream] = {}
    for stream in streams:
        for start in starts_in(stream, path):
            found[stream.key, start] = stream
    return found
