"""How a recorder names its files: from a path to a camera and a start, and back.

Owns matching and rendering of compiled templates (the language is `template`'s,
the arithmetic of local times `walltime`'s).  Pure.

Sources: the needs of presets in the field study of recorders (dates in directories
and name, UTC, named and epoch zones, cameras with slashes, anchored matching);
design sections 5 (an ambiguous local time has two readings, the caller chooses)
and 6 (a path is left out of a row only where rendering gives the same bytes).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from retention.model.errors import CatalogueError, SettingsError, put_back
from retention.model.layouts import walltime
from retention.model.layouts.pattern import (
    directory_patterns,
    extensions,
    own_directories,
    path_pattern,
    renderer,
    shown_name,
    written_name,
)
from retention.model.layouts.template import Component, read_template, refuse
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Micros, Stream, Window

# What is rendered: a day less than is parsed, whatever the zone.
_SHOWN, _SHOWN_END = DAY, walltime.END - DAY

_CACHED = 4096  # hours or names remembered by a layout: 28 days are 672 hours

_TWO = tuple(b"%02d" % number for number in range(60))
_MINUTES = {text: number * MINUTE for number, text in enumerate(_TWO)} | {b"": 0}
_SECONDS = {text: number * SECOND for number, text in enumerate(_TWO)} | {b"": 0}

_Found = re.Match[bytes]


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a path says.

    `name` is the recorder's own name for the camera; in it, bytes that are not
    UTF-8, control characters and "%" itself are percent-encoded.  `starts` has one
    instant, or two ascending where the local time came twice (autumn); a time that
    did not exist (spring) is read with the offset before the change.  `extension`
    has its dot.
    """

    name: str
    starts: tuple[Micros, ...]
    extension: str


class Layout:
    """A compiled template in its zone.  Never changes; threads may share it.

    `text` and `zone` are what it was compiled from; `camera` is the fixed camera
    of a template without {camera}, or None.
    """

    def __init__(
        self,
        text: str,
        zone: str,
        tz: ZoneInfo,
        components: Sequence[Component],
        camera: str | None,
    ) -> None:
        parts = [part for component in components for part in component]
        kinds = {part.kind for part in parts}
        self.text, self.zone, self.camera = text, zone, camera
        self._tz = tz
        self._match = path_pattern(components).fullmatch
        self._components = components
        self._own: dict[bytes, list[re.Pattern[bytes]]] = {}
        self._directories = directory_patterns(components)
        self._starts = (
            self._epoch_starts
            if "s" in kinds
            else self._offset_starts
            if "z" in kinds
            else self._local_starts
        )
        self._dated = bool(kinds & set("YmdHMS"))
        self._written_zone = "z" in kinds
        self._renders = not kinds & {"any", "word"}
        self._format, self._pick = renderer(components)
        self._finest = 1 if "f" in kinds else SECOND if kinds & {"S", "s"} else MINUTE
        self._extensions = extensions(parts[-1])
        self._written_extensions = {dot: raw for raw, dot in self._extensions.items()}
        # Remembered, each up to _CACHED of them; a dictionary's steps are atomic.
        self._names: dict[bytes, str] = {} if camera is None else {b"": camera}
        self._written_names = {name: raw for raw, name in self._names.items()}
        self._hours: dict[tuple[bytes | Any, ...], tuple[Micros, ...]] = {}
        self._offsets: dict[int, tuple[Micros, bytes | None]] = {}
        self._calendars: dict[int, tuple[bytes, bytes, bytes, bytes]] = {}

    def __repr__(self) -> str:
        return f"Layout({self.text!r}, {self.zone!r})"

    # From a path

    def parse(self, path: bytes) -> Parsed | None:
        """What `path` (below the root) says, or None: it is not of this layout.

        The whole path must match, its dates must exist and agree with each other;
        never an exception.
        """
        found = self._match(path)
        if found is None:
            return None
        camera, extension, minute, second, fraction = found.group(
            "camera", "ext", "M", "S", "f"
        )
        within = _MINUTES[minute] + _SECONDS[second]
        if fraction:
            within += int(fraction)
        starts = self._starts(found, within)
        if not starts:
            return None
        name = self._names.get(camera)
        if name is None:
            name = self._names[camera] = shown_name(camera)
            _bound(self._names)
        return Parsed(name, starts, self._extensions[extension])

    def fits(self, path: bytes) -> bool:
        """Whether a path matches, whatever its date and time may mean."""
        return self._match(path) is not None

    def _local_starts(self, found: _Found, within: Micros) -> tuple[Micros, ...]:
        hour = found.group("Y", "m", "d", "H")
        bases = self._hours.get(hour)
        if bases is None:
            bases = self._bases(hour, within)
        if len(bases) == 1:
            return (bases[0] + within,)
        return tuple([base + within for base in bases])

    def _bases(self, hour: tuple[Any, ...], within: Micros) -> tuple[Micros, ...]:
        """The instants that count as begin of a local hour; () if there is none."""
        wall = walltime.wall(*map(int, hour))
        if wall is None:
            return ()
        offsets = walltime.readings_of_hour(self._tz, wall)
        lasting = offsets is not None
        # In an hour in which the offset changes each file is worked out anew.
        offsets = offsets or walltime.readings(self._tz, wall + within)
        bases = tuple([wall - offset for offset in offsets])
        if bases[0] < 0:
            return ()
        if lasting:
            self._hours[hour] = bases
            _bound(self._hours)
        return bases

    def _offset_starts(self, found: _Found, within: Micros) -> tuple[Micros, ...]:
        hour = found.group("Y", "m", "d", "H")
        bases = self._hours.get(hour)
        if bases is None:
            wall = walltime.wall(*map(int, hour))
            bases = self._hours[hour] = () if wall is None else (wall,)
            _bound(self._hours)
        if not bases:
            return ()
        start = bases[0] + within - walltime.written_offset(found["z"])
        return (start,) if start >= 0 else ()

    def _epoch_starts(self, found: _Found, _within: Micros) -> tuple[Micros, ...]:
        start = int(found["s"]) * SECOND + int(found["f"] or 0)
        if start >= walltime.END:
            return ()
        if not self._dated:
            return (start,)
        # Calendar parts beside the epoch must say the same, or it is not ours.
        zone = found["z"]
        offset = (
            walltime.written_offset(zone)
            if zone
            else walltime.offset_at(self._tz, start)
        )
        hours, within = divmod(start + offset, HOUR)
        shown = (
            *walltime.calendar(hours),
            _TWO[within // MINUTE],
            _TWO[within % MINUTE // SECOND],
        )
        written = found.group("Y", "m", "d", "H", "M", "S")
        agrees = all(
            not text or text == other
            for text, other in zip(written, shown, strict=True)
        )
        return (start,) if agrees else ()

    # To a path

    def render(self, name: str, start: Micros, extension: str) -> bytes | None:
        """The path of a recording, or None where this layout can't name it.

        None: the template has {any}; `start` is finer than the template or outside
        1970 to 2200; `extension` (with its dot) is not the template's; `name` is
        none that `parse` gives.  A path that is rendered parses to the same, in a
        repeated autumn hour to both readings.  A file that is spelt otherwise (a
        time in the spring gap, "Z" where this writes "+0000") renders differently:
        compare, and keep its path beside.
        """
        if (
            not self._renders
            or start % self._finest
            or not _SHOWN <= start < _SHOWN_END
        ):
            return None
        camera = self._written_names.get(name)
        if camera is None:
            camera = self._write_name(name)
        shown_extension = self._written_extensions.get(extension)
        if camera is None or shown_extension is None:
            return None
        offset, zone = self._offsets.get(start // HOUR) or self._offset(start)
        if zone is None and self._written_zone:
            return None
        hours, within = divmod(start + offset, HOUR)
        minute, within = divmod(within, MINUTE)
        second, fraction = divmod(within, SECOND)
        year, month, day, hour = self._calendars.get(hours) or self._calendar(hours)
        path: bytes = self._format % self._pick(
            (
                year,
                month,
                day,
                hour,
                _TWO[minute],
                _TWO[second],
                fraction,
                zone,
                start // SECOND,
                camera,
                shown_extension,
            )
        )
        return path

    def _write_name(self, name: str) -> bytes | None:
        raw = written_name(name) if self.camera is None else None
        if raw is not None:
            self._written_names[name] = raw
            _bound(self._written_names)
        return raw

    def _offset(self, start: Micros) -> tuple[Micros, bytes | None]:
        """The offset at `start` and its spelling, remembered if it lasts the hour."""
        block = start // HOUR * HOUR
        offset = walltime.offset_at(self._tz, start)
        known = (offset, walltime.write_offset(offset))
        ends = (block, block + HOUR - SECOND)
        if all(walltime.offset_at(self._tz, at) == offset for at in ends):
            self._offsets[start // HOUR] = known
            _bound(self._offsets)
        return known

    def _calendar(self, hours: int) -> tuple[bytes, bytes, bytes, bytes]:
        shown = self._calendars[hours] = walltime.calendar(hours)
        _bound(self._calendars)
        return shown

    # Directories

    def concerns(self, name: str, path: bytes) -> bool:
        """Whether there may lie at `path`, or below it, what this layout calls `name`:
        the directories in it are those of that camera, as far as they tell."""
        camera = written_name(name) if self.camera is None else b""
        if camera is None:
            return True
        patterns = self._own.get(camera)
        if patterns is None:
            patterns = self._own[camera] = own_directories(self._components, camera)
            _bound(self._own)
        pairs = zip(patterns, path.split(b"/") if path else (), strict=False)
        return all(pattern.fullmatch(part) for pattern, part in pairs)

    def directory_span(self, directory: bytes) -> tuple[Micros, Micros] | None:
        """The [from, to) in UTC that a dated directory stands for, read most widely.

        None where the directory (a path below the root) is not of this layout or no
        date part stands in it or above it: it is a camera's, and stays.
        """
        for match in self._directories:
            found = match(directory)
            if found is not None:
                return self._span(found)
        return None

    def _span(self, found: _Found) -> tuple[Micros, Micros] | None:
        if found["s"]:
            start = int(found["s"]) * SECOND
            return start, start + SECOND
        walls = _walls(found)
        if walls is None:
            return None
        if self._written_zone:
            return walls[0] - 14 * HOUR, walls[1] + 12 * HOUR
        return walltime.widest(self._tz, *walls)


@lru_cache(maxsize=1024)
def compile_layout(text: str, zone: str, camera: str | None = None) -> Layout:
    """The layout of a template and of the zone that the recorder's names are in.

    `zone` ("Europe/London", "UTC") may be "" only where each name says its own, by
    %z or %s.  `camera`: the camera of all files, for a template without {camera}.
    Raises SettingsError that names the template and says what to type.  Cached.
    """
    components = read_template(text, fixed_camera=camera is not None)
    parts = [part for component in components for part in component]
    kinds = {part.kind for part in parts}
    if not zone and not kinds & {"z", "s"}:
        raise refuse(
            text,
            "its times say no zone: set the root's timezone to that of the names that "
            'the recorder writes, "Europe/London" or "UTC"',
        )
    tz = _zone(text, zone or "UTC")
    if zone and not kinds & {"z", "s"} and _says_utc(components) and not _is_utc(tz):
        raise refuse(
            text,
            f'the Z after the time says UTC, but the root\'s timezone is "{zone}": set '
            'timezone = "UTC", or write %z where the recorder writes an offset',
        )
    return Layout(text, zone, tz, components, None if "camera" in kinds else camera)


class Row(Protocol):
    """What of a catalogued recording says where its file is."""

    @property
    def stream(self) -> int: ...
    @property
    def start(self) -> Micros: ...
    @property
    def n(self) -> int: ...
    @property
    def path(self) -> bytes | None: ...


def path_of(stream: Stream, row: Row) -> bytes:
    """Where the file of a recording is, below its root."""
    path = row.path or path_in(stream, row.start)
    if path is None:
        raise CatalogueError(
            f"the path of recording {row.stream}/{row.start}/{row.n} can't be told "
            f"from its stream. To mend the catalogue: {put_back()}"
        )
    return path


def path_in(stream: Stream, start: Micros) -> bytes | None:
    """Where the stream's file that begins then lies, below its root; None where the
    recorder's names can't say."""
    layout = compile_layout(stream.layout, stream.zone)
    return layout.render(stream.name, start, stream.extension)


def concerns(stream: Stream, path: bytes) -> bool:
    """Whether files of the stream may lie at a path below its root, or below that."""
    return compile_layout(stream.layout, stream.zone).concerns(stream.name, path)


def span_in(stream: Stream, directory: bytes) -> Window | None:
    """When the stream's files in a directory below its root are of; None: of any time."""
    span = compile_layout(stream.layout, stream.zone).directory_span(directory)
    return None if span is None else Window(span[0], span[1] + stream.longest)


def starts_in(stream: Stream, path: bytes) -> tuple[Micros, ...]:
    """When the file began that the stream has at this path below its root: none where
    its recorder gives no file of it such a name."""
    parsed = compile_layout(stream.layout, stream.zone).parse(path)
    if parsed and (parsed.name, parsed.extension) == (stream.name, stream.extension):
        return parsed.starts
    return ()


def _zone(text: str, zone: str) -> ZoneInfo:
    try:
        if zone.startswith(("right/", "posix/")):  # "right" counts leap seconds
            raise ValueError(zone)
        return ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:  # OSError: "Europe", a directory
        raise SettingsError(
            f'The timezone "{zone}" of the layout "{text}" is not known: write one such '
            'as "Europe/London", or "UTC".'
        ) from error


def _is_utc(tz: ZoneInfo) -> bool:
    year = 365 * DAY
    return not any(
        walltime.offset_at(tz, 50 * year + at * year // 4) for at in range(4)
    )


def _says_utc(components: Sequence[Component]) -> bool:
    return any(
        before.kind in {"M", "S", "f"} and re.match("Z(?![0-9A-Za-z])", after.text)
        for component in components
        for before, after in pairwise(component)
    )


def _walls(found: _Found) -> tuple[Micros, Micros] | None:
    """The wall times at which a directory's year, month, day ... begins and ends."""
    known = [int(text) for text in _leading(found.group("Y", "m", "d", "H"))]
    start = walltime.wall(*known)
    if start is None:
        return None
    if len(known) == 4:
        minute, second = found.group("M", "S")
        start += _MINUTES[minute] + (_SECONDS[second] if minute else 0)
        return start, start + (HOUR if not minute else SECOND if second else MINUTE)
    if len(known) == 3:
        return start, start + DAY
    year, month = (known[0], known[1] + 1) if len(known) == 2 else (known[0], 13)
    year, month = (year + 1, 1) if month == 13 else (year, month)
    end = walltime.wall(year, month)
    return start, walltime.END if end is None else end


def _leading(texts: Sequence[Any]) -> list[Any]:
    """The texts before the first that is empty."""
    return [text for at, text in enumerate(texts) if all(texts[: at + 1])]


def _bound(remembered: dict[Any, Any]) -> None:
    if len(remembered) > _CACHED:
        remembered.clear()
