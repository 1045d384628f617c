"""What became of recordings, and their books, from a published copy of the log alone.

A copy has no index and no catalogue: all of it is read, and what is still there is known
only as far as nothing says that it is gone.  Nothing is verified here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from retention import clock
from retention.audit.canonical import path_bytes, path_text
from retention.audit.records import Directory
from retention.coverage import (
    BEFORE_ADOPTION,
    SERVICE_DOWN,
    STARTED,
    STOPPED,
    Fate,
    Layer,
    account,
    down,
)
from retention.errors import UsageError, VerificationError
from retention.layouts.layout import compile_layout
from retention.ledger import answers
from retention.ledger.asked import days_of, named, window_of
from retention.ledger.balance import KINDS, Books
from retention.ledger.find import Finder, Key, Wanted, search
from retention.model import DAY, FOREVER, Micros, Stream, Window
from retention.policy import merge

Answer = dict[str, Any]

NOT_NAMED = (
    "the log names a recording when it is deleted, lost or in doubt; none here was"
)
BEYOND = "after the last entry of this copy"
NO_ROLL_UP = "no roll-up names this camera on that day"

_SIGNS = (STARTED, STOPPED, "heartbeat")
_KINDS = (
    "log.opened",
    "camera.added",
    "camera.renumbered",
    "camera.replaced",
    "root.created",
    "root.adopted",
    "stream.opened",
    *_SIGNS,
)


def find(
    directory: Path,
    now: Micros,
    *,
    camera: str | None = None,
    at: str | None = None,
    since: str | None = None,
    until: str | None = None,
    path: str | None = None,
    zone: str | None = None,
) -> Answer:
    """As the verb audit.find, but for what is there; times in the log's zone, or `zone`."""
    began = clock.monotonic()
    source = Directory(directory)
    site = _Site(source)
    window = window_of(camera, at, since, until, path, zone or site.zone, now)
    if window is None:
        wanted = site.at_path(path or "")
    else:
        wanted = Wanted(site.meant(camera or "", window), [window])
    finder = search(wanted, source)
    gaps = [] if window is None else list(site.gaps(finder, window))
    if window is None and not finder.lives:
        gaps = [answers.unnamed(known=bool(wanted.starts))]
    answer = answers.found(
        finder, site.names, window, now, there=None, waiting={}, gaps=gaps,
        paths=site.paths(finder),
    )  # fmt: skip
    return answer | _read(source, finder.rows, began)


def balance(
    directory: Path,
    now: Micros,
    *,
    camera: str | None = None,
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
    zone: str | None = None,
) -> Answer:
    """As the verb audit.balance, without what is there: `remaining` should be."""
    began = clock.monotonic()
    source = Directory(directory)
    site = _Site(source)
    days = days_of(since, until, zone or site.zone, now)
    keys = None
    if camera is not None:
        span = Window(days.start * DAY, days.stop * DAY) if days else answers.ALWAYS
        keys = site.meant(camera, span)
    books = Books(keys, days)
    books.read(source.of_kinds(KINDS))
    answer = answers.balanced(books, site.names, limit, complete=False)
    return answer | _read(source, books.rows, began)


def _read(source: Directory, rows: int, began: Micros) -> Answer:
    return answers.effort(
        source.entries, rows, clock.monotonic() - began, indexed=False
    )


class _Site:
    """What the log says of the site itself: read once, before all else."""

    def __init__(self, source: Directory) -> None:
        self.zone = "UTC"
        self.names: dict[int, str] = {}
        self._labels: list[tuple[str, int, Micros]] = []
        self._roots: dict[str, str] = {}
        self._streams: dict[int, tuple[str, Stream]] = {}
        self._adopted: Micros | None = None
        self._signs: list[tuple[Micros, str]] = []
        for record in source.of_kinds(_KINDS):
            if record.kind in _SIGNS:
                self._signs.append((record.entry["at"], record.kind))
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
        if kind == "log.opened":
            self.zone = fields["timezone"]
        elif kind == "camera.added":
            self._label(fields["id"], fields["camera"], at)
        elif kind == "camera.renumbered":
            self._label(fields["new"], fields["camera"], at)
        elif kind == "camera.replaced":
            self._label(fields["id"], fields["new"], at)
        elif kind == "root.created":
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

    def _label(self, id: str, key: int, at: Micros) -> None:
        self.names[key] = id
        self._labels.append((id, key, at))

    def meant(self, id: str, window: Window) -> set[int]:
        """The cameras that had the id in that time; the first to have it always had it,
        and the last of all counts too."""
        holders = [(key, at) for label, key, at in self._labels if label == id]
        if not holders:
            raise UsageError(f"no camera is or was called {id!r} in this log")
        found = {holders[-1][0]}
        for number, (key, at) in enumerate(holders):
            after = holders[number + 1][1] if number + 1 < len(holders) else FOREVER
            if (number == 0 or at < window.end) and window.start < after:
                found.add(key)
        return found

    def at_path(self, text: str) -> Wanted:
        """What a path would be; where nobody writes such a path, all is searched."""
        starts: dict[tuple[int, Micros], Stream] = {}
        raw = os.fsencode(text).strip(b"/")
        for root, below in self._below(text):
            streams = [one for name, one in self._streams.values() if name == root]
            found = named(streams, below)
            if found:
                starts |= found
                raw = below
        cameras = {stream.camera for stream in starts.values()}
        windows = [Window(start, start + 1) for _, start in starts]
        if not starts:
            cameras, windows = set(self.names), [answers.ALWAYS]
        days = {(one.camera, start // DAY) for (_, start), one in starts.items()}
        return Wanted(cameras, windows, set(starts), path_text(raw), days)

    def _below(self, text: str) -> Iterator[tuple[str, bytes]]:
        for root, path in self._roots.items():
            top = path_bytes(path).rstrip(b"/") + b"/"
            for raw in (os.fsencode(text), path_bytes(text)):
                yield root, raw.removeprefix(top).strip(b"/")
                yield root, raw.removeprefix(os.fsencode(root) + b"/").strip(b"/")

    def paths(self, finder: Finder) -> dict[Key, str]:
        """Where files were that the log names without a path."""
        found: dict[Key, str] = {}
        for key in finder.lives:
            if key[0] in self._streams:
                stream = self._streams[key[0]][1]
                layout = compile_layout(stream.layout, stream.zone)
                path = layout.render(stream.name, key[1], stream.extension)
                if path is not None:
                    found[key] = path_text(path)
        return found

    def gaps(self, finder: Finder, window: Window) -> Iterable[Answer]:
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
                    yield {"camera": self.names.get(camera, "")} | answers.gap(
                        part, str(piece.fate), why
                    )

    def _before_adoption(self) -> list[Window]:
        until = FOREVER + 1 if self._adopted is None else self._adopted
        return [Window(-FOREVER, until)]
