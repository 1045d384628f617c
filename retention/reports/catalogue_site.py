"""A site as its catalogue knows it: its cameras' ids, what is there, what waits, and why
nothing is on record of some time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from retention.catalogue import cameras, recordings, streams, tally
from retention.footage.ingest.matching import places
from retention.holds.accounting import accounts
from retention.holds.terms import AskedTimes
from retention.model.answers.books import CataloguedAs, UnnamedTime
from retention.model.coverage import NO_GAP, Fate, split
from retention.model.errors import UsageError
from retention.model.layouts.layout import path_in, path_of
from retention.model.localtime import Moment, format_utc
from retention.model.policy import merge
from retention.model.values import DAY, Micros, Recording, State, Stream, Window
from retention.reports import answers, find, request, rollup
from retention.tlog import balance, canonical

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.control.context import Context

_SEEN = (Fate.SILENT, Fate.UNKNOWN, Fate.PENDING)
"""Pieces of time that no recording stands for."""


EXPLAINED = 200
"""Of so many cameras it is looked up at once why nothing is on record."""
_FEW = 20
"""So many cameras are looked up one by one."""
NOT_ASKED = "that is not looked up of so many cameras at once: ask for this one alone"


class CatalogueSite:
    """What the catalogue knows, within one transaction."""

    complete = True

    def __init__(self, tx: Connection, context: Context) -> None:
        self._tx = tx
        self._context = context

    def moment(self, now: Micros) -> Moment:
        """By which the times are read of this request, whose instant is `now`."""
        return replace(self._context.moment, now=now)

    def key(self, id: str) -> int:
        """The camera that has this id today; UsageError where none has."""
        found = cameras.today(self._tx, id)
        if found is None:
            raise UsageError(
                f"no camera has the id {id} today: see `retention camera list`"
            )
        return found.key

    def names(self, keys: Collection[int] | None = None) -> dict[int, str]:
        """The id of each camera, or of these: today's or, where it has none, its last."""
        if keys is None or len(keys) > _FEW:
            return {one.key: one.id for one in cameras.everyone(self._tx)}
        found = (cameras.by_key(self._tx, key) for key in keys)
        return {one.key: one.id for one in found if one is not None}

    def meant(self, id: str, window: Window) -> set[int]:
        """Every camera that the id meant in that time, and the one of today."""
        today = cameras.today(self._tx, id)
        found = [*cameras.meaning(self._tx, id, window), *([today] if today else [])]
        if not found:
            raise UsageError(
                f"no camera is or was called {id!r}: look it up with `retention camera list`"
            )
        return {one.key for one in found}

    def at_path(self, path: str) -> find.Wanted:
        """What a path would be by the streams of its root."""
        below = list(places(self._tx, path))
        if not below:
            raise UsageError(
                f"{path} is in no footage root: give it from the root's top, or in full"
            )
        starts: dict[tuple[int, int], Stream] = {}
        for root, raw in below:
            found = streams.of_root(self._tx, root)
            starts |= request.named(found, raw)
            for stream in found:
                for row in recordings.by_paths(self._tx, stream.key, [raw]).values():
                    starts[stream.key, row.start] = stream
        return find.Wanted(
            {stream.camera for stream in starts.values()},
            [Window(start, start + 1) for _, start in starts],
            set(starts),
            canonical.path_text(below[0][1]),
            {(stream.camera, start // DAY) for (_, start), stream in starts.items()},
        )

    def there(self, finder: find.Finder) -> dict[find.Key, CataloguedAs]:
        """The catalogue's rows of what is asked for; each gets its life."""
        wanted, found = finder.wanted, {}
        for stream in streams.of_cameras(self._tx, wanted.cameras):
            for window in merge(wanted.windows):
                rows = recordings.overlapping(
                    self._tx, stream.key, window, stream.longest, find.MOST + 1
                )
                for row in rows:
                    text = None if row.path is None else canonical.path_text(row.path)
                    if wanted.is_one(stream.key, row.start, text):
                        found[row.key] = self._row(stream, row)
                        life = finder.life(
                            row.key, stream.camera, row.duration, row.size
                        )
                        life.path = canonical.path_text(path_of(stream, row))
        return found

    def _row(self, stream: Stream, row: Recording) -> CataloguedAs:
        doubt = (
            recordings.doubt(self._tx, row.key)
            if row.state is State.QUARANTINED
            else None
        )
        states = {State.DELETING: "deletion under way"}
        return CataloguedAs(
            state=states.get(row.state, row.state.name.lower()),
            bytes=row.size,
            stream_quarantined=stream.quarantined is not None,
            reason=None if doubt is None else doubt.reason,
            seen=None if doubt is None else format_utc(doubt.seen),
        )

    def waiting(self) -> dict[tuple[int, int], balance.RecordingSum]:
        """What is in no roll-up yet."""
        return {
            (line.camera, line.day): balance.RecordingSum(
                line.number, line.duration, line.size
            )
            for line in tally.waiting(self._tx)
        }

    def add_to(
        self,
        books: balance.Balance,
        cameras: Collection[int] | None,
        days: range | None,
    ) -> None:
        """Enter what waits, and what is there, of these cameras and days."""
        rollup.add_catalogue(self._tx, books, cameras, days)

    def paths(self, finder: find.Finder) -> dict[find.Key, str]:
        """Where files were that the log names without a path."""
        missing = [key for key, life in finder.lives.items() if life.path is None]
        known = {
            one.key: one
            for one in streams.by_keys(self._tx, {key[0] for key in missing})
        }
        found: dict[find.Key, str] = {}
        for key in missing[: answers.LIMIT]:
            stream = known.get(key[0])
            if stream is not None:
                path = path_in(stream, key[1])
                if path is not None:
                    found[key] = canonical.path_text(path)
        return found

    def gaps(self, finder: find.Finder, window: Window) -> list[UnnamedTime]:
        """What is no recording's time, and why; asked for only where there is any."""
        wide: dict[int, list[Window]] = {key: [] for key in finder.wanted.cameras}
        for camera, one in answers.covering(finder, window):
            if camera in wide:
                there = Window(one.start - NO_GAP, one.end + NO_GAP)
                wide[camera].append(there)
        keys = [key for key, some in wide.items() if split([window], merge(some))[1]]
        found = (cameras.by_key(self._tx, key) for key in sorted(keys))
        meant = [one for one in found if one is not None]
        meant, others = meant[:EXPLAINED], meant[EXPLAINED:]
        hold = AskedTimes(None, window, window, None)
        return [
            answers.gap(one.camera.id, Window(*piece[:2]), str(piece.fate), piece.why)
            for one in accounts(self._tx, self._context, hold, meant, [], set())
            for piece in one.pieces
            if piece.fate in _SEEN
        ] + [
            answers.gap(one.id, window, str(Fate.UNKNOWN), NOT_ASKED) for one in others
        ]
