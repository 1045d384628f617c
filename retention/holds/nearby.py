"""What of a camera's directories is no recording that the catalogue knows: parts that no
scan reached, and files of nobody.  A hold's answer is not to say more than is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from retention.catalogue import unknown
from retention.catalogue import unread as unread_parts
from retention.model.answers.hold import FilesBeside
from retention.model.coverage import Fate, Layer, split
from retention.model.layouts.layout import concerns, span_in
from retention.model.policy import merge, overlaps
from retention.model.values import Stream, Window
from retention.tlog.canonical import path_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from retention.catalogue.roots import Root
    from retention.catalogue.unknown import Unknown


Strangers = list[FilesBeside]
"""Files of nobody in a camera's directories."""


class Nearby:
    """Reads what all cameras of an answer share once, and when it is asked for.

    `roots` are by key, `streams` by camera.
    """

    def __init__(
        self,
        tx: Connection,
        roots: Mapping[int, Root],
        streams: Mapping[int, Sequence[Stream]],
    ) -> None:
        self._tx = tx
        self._roots = roots
        self._streams = streams
        self._unknown: dict[int, list[Unknown]] = {}
        self._concerned: dict[tuple[int, bytes], list[Stream]] = {}

    def unread(self, root: Root, camera: int, past: Window) -> list[Layer]:
        """Of a root what was not read that may hold footage of a camera, and of when."""
        found = unread_parts.parts(self._tx, root.key)
        missing = f"not all of root {root.name} was reached"
        told: dict[tuple[Window, ...], list[str]] = {}
        for path, why in found.parts.items():
            windows = self._times_of(root, camera, path, past)
            if windows:
                said = path_text(path) or "the root itself"
                told.setdefault(windows, []).append(f"{said}: {why}")
        layers = [
            Layer(Fate.UNKNOWN, f"{missing} ({'; '.join(said)})", list(windows))
            for windows, said in told.items()
        ]
        if found.more:
            layers.append(Layer(Fate.UNKNOWN, missing, [past]))
        return layers

    def _times_of(
        self, root: Root, camera: int, path: bytes, past: Window
    ) -> tuple[Window, ...]:
        """The part of the past of which footage of a camera may lie at a path: none where
        its directories can only be another camera's."""
        if (root.key, path) not in self._concerned:
            self._concerned[root.key, path] = [
                one
                for found in self._streams.values()
                for one in found
                if one.root == root.key and concerns(one, path)
            ]
        there = self._concerned[root.key, path]
        own = [one for one in there if one.camera == camera]
        if there and not own:
            return ()
        times = [span_in(one, path) for one in own]
        dated = [one for one in times if one is not None]
        if not dated or len(dated) < len(times):
            return (past,)
        return tuple(split([past], merge(dated))[0])

    def beside(self, camera: int, window: Window) -> Strangers:
        """Files of nobody in a camera's own directories that may be of that time, by
        their reason."""
        groups: dict[tuple[str, str], FilesBeside] = {}
        if window.start >= window.end:
            return []
        for stream in self._streams.get(camera, []):
            for row in self._strangers(stream.root):
                if row.oldest > window.end + stream.longest:
                    continue
                times = span_in(stream, row.directory)
                if not concerns(stream, row.directory) or (
                    times is not None and not overlaps((window,), *times)
                ):
                    continue
                path = path_text(row.directory + b"/" + row.example).lstrip("/")
                one = FilesBeside(
                    self._roots[row.root].name, row.reason, path, row.files, row.size
                )
                # Streams of one camera can share a directory.
                groups.setdefault((one.root, path), one)
        return list(groups.values())

    def _strangers(self, root: int) -> list[Unknown]:
        if root not in self._unknown:
            self._unknown[root] = unknown.listing(self._tx, root)
        return self._unknown[root]


def lie_there(beside: Strangers) -> str:
    """Why nothing is said to be silent while files lie in a camera's directories."""
    files = sum(one.files for one in beside)
    more = f" and {files - 1:,} more" if files > 1 else ""
    return f"files of nobody lie there: {beside[0].example}{more}"
