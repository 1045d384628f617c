"""A site as a published copy of its log tells: its ids, and why nothing is on record of
some time.

What is still there is known only as far as nothing says that it is gone.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from retention.model.answers.books import UnnamedTime
from retention.model.coverage import (
    BEFORE_ADOPTION,
    SERVICE_DOWN,
    Fate,
    Layer,
    account,
    down,
)
from retention.model.errors import UsageError, VerificationError
from retention.model.layouts.layout import path_in
from retention.model.localtime import Moment
from retention.model.policy import merge
from retention.model.values import DAY, FOREVER, Micros, Stream, Window
from retention.reports import answers
from retention.reports.find import Finder, Key, Wanted
from retention.reports.request import named, of_cameras
from retention.tlog import cameras, kinds
from retention.tlog.balance import Balance, Place, RecordingSum
from retention.tlog.canonical import path_bytes, path_text
from retention.tlog.copied import DirectorySource

NOT_NAMED = (
    "the log names a recording when it is deleted, lost or in doubt; none here was"
)
BEYOND = "after the last entry of this copy"
NO_ROLL_UP = "no roll-up names this camera on that day"

_SIGNS = kinds.telling("alive")
_KINDS = (*kinds.telling("site"), *cameras.KINDS, *_SIGNS)


class CopiedSite:
    """What the log says of the site itself: read once, before all else."""

    complete = False

    def __init__(self, source: DirectorySource, zone: str) -> None:
        self._zone = zone
        self._public = source.published.is_public
        self._known = cameras.LoggedCameras()
        self._roots: dict[str, str] = {}
        self._streams: dict[int, tuple[str, Stream]] = {}
        self._adopted: Micros | None = None
        self._signs: list[tuple[Micros, str]] = []
        for record in source.of_kinds(_KINDS):
            if record.is_void:
                continue
            if record.kind in _SIGNS:
                self._signs.append((record.entry["at"], record.kind))
            elif record.kind in cameras.KINDS:
                self._known.take([record])
            else:
                try:
                    self._note(record.kind, record.entry["at"], record.entry["fields"])
                except (KeyError, TypeError) as error:
                    raise VerificationError(
                        f"entry {record.number} can't be understood: {error!r}; run "
                        "`retention audit verify`"
                    ) from error
        if not source.entries:
            raise UsageError(f"{source.path} is no published log: it has no entries")
        self._ends = source.ends()

    def _note(self, kind: str, at: Micros, fields: dict[str, Any]) -> None:
        if kind == "root.created":
            self._roots[fields["root"]] = fields["path"]
        elif kind == "root.adopted":
            self._adopted = at if self._adopted is None else min(self._adopted, at)
        elif kind == "stream.opened":
            stream = Stream(
                fields["stream"], 0, fields["camera"], fields["layout"],
                fields["zone"], fields["name"], fields["extension"],
                fields["max_length"],
            )  # fmt: skip
            self._streams[stream.key] = (fields["root"], stream)

    def key(self, id: str) -> int:
        """The camera that has the id at the end of the log; UsageError for none."""
        with of_cameras(public=self._public):
            return self._known.key(id)

    def moment(self, now: Micros) -> Moment:
        """By which the times are read that somebody asks for at `now`."""
        return Moment(self._zone, now)

    def names(self, keys: Collection[int] | None = None) -> Mapping[int, str]:
        """The last id of each camera."""
        return self._known.names

    def meant(self, id: str, window: Window) -> set[int]:
        """The cameras that had the id in that time, and the one that has it at the end;
        the first to have it always had it."""
        with of_cameras(public=self._public):
            return self._known.meant(id, window)

    def at_path(self, path: str) -> Wanted:
        """What a path would be; where nobody writes such a path, all is searched."""
        starts: dict[tuple[int, Micros], Stream] = {}
        raw = os.fsencode(path).strip(b"/")
        for root, below in self._below(path):
            streams = [one for name, one in self._streams.values() if name == root]
            found = named(streams, below)
            if found:
                starts |= found
                raw = below
        keys = {stream.camera for stream in starts.values()}
        windows = [Window(start, start + 1) for _, start in starts]
        if not starts:
            keys, windows = set(self.names()), [answers.ALWAYS]
        days = {(one.camera, start // DAY) for (_, start), one in starts.items()}
        return Wanted(keys, windows, set(starts), path_text(raw), days)

    def _below(self, text: str) -> Iterator[tuple[str, bytes]]:
        for root, path in self._roots.items():
            top = path_bytes(path).rstrip(b"/") + b"/"
            for raw in (os.fsencode(text), path_bytes(text)):
                yield root, raw.removeprefix(top).strip(b"/")
                yield root, raw.removeprefix(os.fsencode(root) + b"/").strip(b"/")

    def there(self, finder: Finder) -> None:
        """Not known: nothing says that a file is still there."""

    def waiting(self) -> dict[Place, RecordingSum]:
        """Nothing: what waits is in no log yet."""
        return {}

    def add_to(
        self, books: Balance, cameras: Collection[int] | None, days: range | None
    ) -> None:
        """Nothing, for the same reasons."""

    def paths(self, finder: Finder) -> dict[Key, str]:
        """Where files were that the log names without a path."""
        found: dict[Key, str] = {}
        for key in finder.lives:
            if key[0] in self._streams:
                stream = self._streams[key[0]][1]
                path = path_in(stream, key[1])
                if path is not None:
                    found[key] = path_text(path)
        return found

    def gaps(self, finder: Finder, window: Window) -> Iterable[UnnamedTime]:
        """The time that no recording is named for, and why that may be."""
        ends = FOREVER if self._ends is None else self._ends
        for camera in sorted(finder.wanted.cameras):
            recorded = [
                Window(day * DAY, (day + 1) * DAY)
                for key, day in finder.roll_ups
                if key == camera
            ]
            layers = [
                Layer(
                    Fate.PROTECTED, "", merge(answers.covered(finder, window, camera))
                ),
                Layer(Fate.UNKNOWN, BEYOND, [Window(ends, FOREVER + 1)]),
                Layer(Fate.UNKNOWN, NOT_NAMED, merge(recorded)),
                Layer(Fate.UNKNOWN, BEFORE_ADOPTION, self._before_adoption()),
                Layer(Fate.UNKNOWN, SERVICE_DOWN, down(window, self._signs, ends)),
            ]
            for piece in account(window, layers, Fate.SILENT):
                if piece.fate is not Fate.PROTECTED:
                    why = piece.why or NO_ROLL_UP
                    part = Window(piece.start, piece.end)
                    name = self.names().get(camera, "")
                    yield answers.gap(name, part, str(piece.fate), why)

    def _before_adoption(self) -> list[Window]:
        until = FOREVER + 1 if self._adopted is None else self._adopted
        return [Window(-FOREVER, until)]
