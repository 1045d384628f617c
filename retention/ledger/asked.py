"""What somebody asks the books: times as typed, and what a path would be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from retention.errors import UsageError
from retention.layouts.layout import compile_layout
from retention.localtime import parse_instant, parse_window
from retention.model import DAY, FOREVER, Micros, Stream, Window

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def window_of(
    camera: str | None,
    at: str | None,
    since: str | None,
    until: str | None,
    path: str | None,
    zone: str,
    now: Micros,
) -> Window | None:
    """The time asked for; None for a path.  UsageError where it is not one of the two."""
    if path is not None:
        if camera or at or since or until:
            raise UsageError("ask for a path, or for a camera and a time: not for both")
        return None
    if camera is None or (at is None) == (since is None) or (at and until):
        raise UsageError(
            "say which footage: a camera and a time (--at), a camera and a span (--from, "
            "--to), or a path"
        )
    if at is not None:
        instant = parse_instant(at, zone, now)
        return Window(instant, instant + 1)
    return parse_window(since, until, zone, now, Window(0, now))


def days_of(
    since: str | None, until: str | None, zone: str, now: Micros
) -> range | None:
    """The UTC days that [since, until) meets; None for all.  A date alone, such as
    2026-10-24, is its UTC midnight."""
    if since is None and until is None:
        return None
    start = 0 if since is None else _instant(since, zone, now)
    end = now if until is None else _instant(until, zone, now)
    if start >= end:
        raise UsageError(f"from {since} to {until} is no time: the end comes first")
    return range(start // DAY, (min(end, FOREVER) - 1) // DAY + 1)


def _instant(text: str, zone: str, now: Micros) -> Micros:
    whole = f"{text}T00:00Z" if _DATE.fullmatch(text) else text
    return parse_instant(whole, zone, now)


def named(streams: Iterable[Stream], path: bytes) -> dict[tuple[int, Micros], Stream]:
    """The recordings (stream, start) that a path below a root would be."""
    found: dict[tuple[int, Micros], Stream] = {}
    for stream in streams:
        parsed = compile_layout(stream.layout, stream.zone).parse(path)
        if parsed and (parsed.name, parsed.extension) == (
            stream.name,
            stream.extension,
        ):
            for start in parsed.starts:
                found[stream.key, start] = stream
    return found
