"""Owns reading the log as records about footage: from the catalogue by its index, or from
a published directory one after the other.

A record is an entry with its row file still unread.  In the order of the log; more may
come than was asked for, never less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from retention.audit import note, tiles
from retention.audit import rows as row_files
from retention.audit.books import UNREADABLE, row_file_complaint
from retention.audit.canonical import decode
from retention.audit.directory import CHECKPOINT, Published
from retention.audit.rows import LONG, RowFile
from retention.audit.tiles import WIDTH, Tile
from retention.errors import VerificationError
from retention.model import HOUR, Micros, Window

INTENDED, DELETED = "deletion.intended", "recordings.deleted"

FOOTAGE_KINDS = (
    "recordings.recorded",
    "recordings.quarantined",
    "recordings.resolved",
    "recording.changed",
    "recordings.lost",
    "recordings.reappeared",
    INTENDED,
    DELETED,
)
"""The kinds whose rows name recordings, and the completions of batches."""


Place = tuple[int, int]
"""(camera key, UTC day since the epoch)."""


class Record(NamedTuple):
    """One entry; `read` reads columns of its row file, checked against its digest."""

    number: int
    entry: dict[str, Any]
    fetch: Callable[[], bytes | None]

    @property
    def kind(self) -> str:
        """The kind of the entry."""
        return str(self.entry["kind"])

    def read(self, only: Set[str] | None = None) -> RowFile:
        """Its rows; VerificationError where they are not those that were written."""
        data = self.fetch()
        complaint = row_file_complaint(self.entry.get("rows_sha256"), data)
        if complaint or data is None:
            raise VerificationError(
                f"entry {self.number} {complaint or 'has no rows'}; run "
                "`retention audit verify`"
            )
        try:
            return row_files.read(data, only)
        except UNREADABLE as error:
            raise VerificationError(
                f"the rows of entry {self.number} can't be read: {error}"
            ) from error


class Source(Protocol):
    """Where records come from."""

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
    ) -> Iterable[Record]:
        """The records about footage of these cameras in the windows and holds on them,
        and the roll-ups of these cameras and days."""

    def of_kinds(self, kinds: Collection[str]) -> Iterable[Record]:
        """The records of these kinds."""


def hours_of(window: Window) -> list[tuple[int, int]]:
    """The ranges of hours, both ends included, under which the records about footage of
    a window are found: its own, and that of very long spans."""
    return [(LONG, LONG), (window.start // HOUR, (window.end - 1) // HOUR)]


def apart(fields: Mapping[str, Any], windows: Iterable[Window]) -> bool:
    """Whether a batch, by its first start and last end, has nothing in these windows: an
    hour has many batches, and one instant is in one or two of them."""
    return not any(
        fields["oldest"] < window.end and window.start < fields["newest"]
        for window in windows
    )


class Directory:
    """A published directory.  It has no index: everything in it is read, `entries` of
    them so far.  Nothing is verified but row files against their entries."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._published = Published(path)
        self._last = b""
        self.entries = 0

    def ends(self) -> Micros | None:
        """When the last entry that was read was written; None where that is not said."""
        try:
            at = decode(self._last)["at"]
        except UNREADABLE:
            return None
        return at if type(at) is int else None

    def about(
        self,
        cameras: Collection[int],
        windows: Collection[Window],
        days: Collection[Place],
    ) -> Iterable[Record]:
        """All that may be about footage, and all about holds."""
        return self._matching(_ABOUT)

    def of_kinds(self, kinds: Collection[str]) -> Iterable[Record]:
        """The records of these kinds."""
        names = "|".join(map(re.escape, sorted(kinds)))
        return self._matching(re.compile(f'"kind":"(?:{names})"'.encode()))

    def _matching(self, wanted: re.Pattern[bytes]) -> Iterator[Record]:
        """Those that have the words; a text field may have them too, which does no harm:
        every reader looks at the kind."""
        for number, data in self._all():
            if wanted.search(data):
                try:
                    entry = decode(data)
                    entry["kind"], entry["fields"], entry["at"]
                except UNREADABLE as error:
                    raise VerificationError(
                        f"entry {number} can't be read: {error!r}; run `retention audit "
                        f"verify {self._published.directory}`"
                    ) from error
                yield Record(number, entry, partial(self._published.rows, number))

    def _all(self) -> Iterator[tuple[int, bytes]]:
        """The bytes of every entry, up to the last full bundle and what lies behind it."""
        self.entries = number = 0
        while True:
            tile = Tile("entries", number)
            data = self._published.tile(tile)
            if data is None:
                widths = self._published.partials(tile)
                if not widths:
                    return self._refuse_cut()
                data = self._published.tile(tile._replace(width=widths[-1]))
            found = tiles.begun(data or b"")
            for at, entry in enumerate(found):
                self.entries += 1
                self._last = entry
                yield tile.first + at, entry
            if len(found) < WIDTH:
                return self._refuse_cut()
            number += 1

    def _refuse_cut(self) -> None:
        """An answer from a part of the log would pass for one from all of it."""
        heads = [data for _, data in self._published.kept()]
        heads.append(self._published.read(CHECKPOINT, note.SIZE_LIMIT) or b"")
        signed = 0
        for data in heads:
            with suppress(VerificationError):
                signed = max(signed, note.unverified(data).size)
        if self.entries < signed:
            raise VerificationError(
                f"{self._published.directory} was signed at {signed} entries and holds "
                f"{self.entries} without a gap: run `retention audit verify "
                f"{self._published.directory} --key KEY`"
            )


_ABOUT = re.compile(
    b'"kind":"(?:recordings?[.]|deletion[.]intended|hold[.]|policy[.]changed|'
    b"service[.]|heartbeat|root[.]adopted|guard[.])"
)
