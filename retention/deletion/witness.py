"""What speaks against a row before its file goes: the file's own name, and the log.

A row is one witness: whoever can write into the catalogue's file changes it without a
word.  Its file's name says when it began and whose it is, its modification time that it
is no longer than that; and where the row says otherwise, the log has who ruled so.  What
they contradict is not deleted, and says so.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import Connection

from retention.catalogue import holds, looks, roots, streams
from retention.catalogue.db import Catalogue
from retention.catalogue.entries import CatalogueSource
from retention.control import in_force
from retention.deletion.items import Item, WhyKept
from retention.model.errors import MismatchError, VerificationError
from retention.model.layouts.layout import compile_layout, path_in, starts_in
from retention.model.policy import BEGINNING, LOOKS_APART, Holds
from retention.model.values import Micros, Stream, Window
from retention.tlog.canonical import path_bytes
from retention.tlog.source import Query, Record

OF_ANOTHER = "its name is not one that its recorder gives to this camera's recordings"
NAMED = "its name says that it began at another time than the catalogue's row does"
HELD_UNDER = (
    "its name may as well be one of camera {camera} (key), and a hold on that covers it"
)
UNLOGGED = "its row alone says that it is in quarantine"


def heard(
    catalogue: Catalogue,
    tx: Connection,
    items: Iterable[Item],
    now: Micros,
) -> list[Item]:
    """The files of a batch with what its witnesses say of each: the modification times
    between which the file must be, and why it does not go at all."""
    items = list(items)
    witnesses = _Witnesses(catalogue, tx, items, now)
    return [witnesses.hear(item) for item in items]


_ByName = dict[tuple[str, str], list[Stream]]
_Row = dict[str, Any]


class _GivenTimes(NamedTuple):
    """When a person gave a file which times."""

    at: Micros
    start: Micros
    end: Micros


class _Witnesses:
    def __init__(
        self, catalogue: Catalogue, tx: Connection, items: list[Item], now: Micros
    ) -> None:
        self._catalogue = catalogue
        self._tx = tx
        self._now = now
        self._window = Window(min(i.start for i in items), max(i.end for i in items))
        self._rulings: dict[int, dict[bytes, _GivenTimes]] = {}
        self._assigned: dict[int, set[tuple[int, bytes]]] = {}
        self._since: dict[int, Micros | None] = {}
        self._held: dict[int, Holds] = {}
        own = {one.key: one for one in streams.by_keys(tx, {i.stream for i in items})}
        self._roots = {one.root for one in own.values()}
        doubted = [
            i.key for i in items if i.doubt is not None and i.doubt[1] is not None
        ]
        self._doubts = in_force.doubts_said(catalogue, tx, doubted)
        every = [one for root in self._roots for one in streams.of_root(tx, root)]
        self._streams = {one.key: one for one in every} | own
        self._namers = _Namers(every)
        # Whose recordings are in no doubt has nothing else to be asked about them.
        self._sure = {
            one.key
            for one in own.values()
            if self._moved == (0, 0) and self._namers.is_alone(one)
        }

    def hear(self, item: Item) -> Item:
        plain = item.stored is None and item.doubt is None
        if plain and item.stream in self._sure:
            return item  # as it is: this is done for each file
        stream = self._streams[item.stream]
        named = item.stored is None or item.start in starts_in(stream, item.stored)
        mtime, seen = item.doubt or (item.latest_mtime, None)
        latest, earliest = item.latest_mtime, item.earliest_mtime
        item = item._replace(others=self._others(stream, item))
        wrong = self._wrong(stream, item, named=named)
        if seen is not None:
            latest, earliest = mtime, BEGINNING
        elif not named or item.doubt is not None:
            ruled = self._ruled(stream, item)
            if ruled is not None:
                latest, earliest = max(latest, ruled.at), BEGINNING
            elif not named:
                wrong = wrong or WhyKept(NAMED, doubted=True)
        back, on = self._moved
        return item._replace(
            latest_mtime=latest + on, earliest_mtime=earliest + back, wrong=wrong
        )

    def _wrong(self, stream: Stream, item: Item, *, named: bool) -> WhyKept | None:
        """Whatever people ruled of its times."""
        if not named and not starts_in(stream, item.path):
            return WhyKept(OF_ANOTHER, doubted=False)
        seen = None if item.doubt is None else item.doubt[1]
        if seen is not None and item.key not in self._doubts:
            return WhyKept(UNLOGGED, doubted=True)
        camera = item.held_elsewhere(self._holds_on(c for c, _ in item.others))
        if camera is None:
            return None
        return WhyKept(HELD_UNDER.format(camera=camera), doubted=False)

    @cached_property
    def _moved(self) -> tuple[Micros, Micros]:
        """By how much mtimes may be earlier and later than they were, by the log."""
        names = [row.name for row in roots.everyone(self._tx) if row.key in self._roots]
        by = [0, *(by for name in names for by in looks.moved(self._tx, name))]
        return min(by), max(by)

    # -- what people ruled -------------------------------------------------------------

    def _ruled(self, stream: Stream, item: Item) -> _GivenTimes | None:
        """The last ruling on the times of a file, where its row says what that says; it
        may have been written on since."""
        found = [
            self._rulings_on(one.camera).get(item.path)
            for one in self._namers.alike(stream)
        ]
        last = max((one for one in found if one is not None), default=None)
        fits = last and last.start == item.start and last.end <= item.end
        return last if fits else None

    def _rulings_on(self, camera: int) -> dict[bytes, _GivenTimes]:
        if camera not in self._rulings:
            found = self._rulings[camera] = {}
            for record, row, path in self._rows("recordings.resolved", camera):
                times = row["new_start"], row["new_end"]
                found.setdefault(path, _GivenTimes(record.entry["at"], *times))
        return self._rulings[camera]

    def _rows(self, kind: str, camera: int) -> Iterator[tuple[Record, _Row, bytes]]:
        """The rows of the entries about a camera in the time of the batch, the newest
        entry first, each with the path that the file had and has."""
        query = Query((kind,), camera=camera, footage=self._window)
        for record in CatalogueSource(self._tx).backwards(query):
            if record.is_void or "rows" not in record.entry:
                continue
            for row in _rows_of(record):
                stream = self._streams.get(row["stream"])
                if stream is not None and (path := _path(stream, row)) is not None:
                    yield record, row, path

    # -- whose it may be besides -------------------------------------------------------

    def _others(self, stream: Stream, item: Item) -> tuple[tuple[int, Micros], ...]:
        """The cameras that it may be of as well, unless the log says that it is this
        stream's: it ended when files were named so by that and no other, or a person
        gave it to that."""
        others = self._namers.others(stream, item)
        if (
            all(self._is_of(stream, one, item) for one, _ in others)
            or (stream.key, item.path) in self._assigned_to(stream.camera)
        ):  # fmt: skip
            return ()
        return tuple((one.camera, start) for one, start in others)

    def _holds_on(self, cameras: Iterable[int]) -> dict[int, Holds]:
        new = set(cameras) - self._held.keys()
        if new:
            in_force.refuse_less(self._catalogue, self._tx, new, self._now)
            self._held |= holds.of_cameras(self._tx, new, self._now)
        return self._held

    def _assigned_to(self, camera: int) -> set[tuple[int, bytes]]:
        """The files that a person gave to a camera, each with its stream."""
        if camera not in self._assigned:
            self._assigned[camera] = {
                (row["new_stream"], path)
                for _, row, path in self._rows("recordings.assigned", camera)
            }
        return self._assigned[camera]

    def _is_of(self, stream: Stream, other: Stream, item: Item) -> bool:
        """By the time from which on the newer of the two streams took the files in."""
        newer = max(stream.key, other.key)
        if newer not in self._since:
            self._since[newer] = self._opened(newer)
        since = self._since[newer]
        if since is None:
            return False
        if stream.key == newer:
            return item.end >= since - LOOKS_APART
        return item.end < since

    def _opened(self, key: int) -> Micros | None:
        """When the service was last there with the settings before those by which it
        opened the stream; None where the log does not say."""
        source = CatalogueSource(self._tx)
        opened = next(
            source.backwards(Query(("stream.opened",), f"stream:{key}")), None
        )
        if opened is None:
            return None
        started = Query(("service.started",), before=opened.number)
        first = next(source.backwards(started), opened)
        if first.number == 0:
            return None
        before = source.entry(first.number - 1)
        return int(min(before.entry["at"], opened.entry["at"]))


class _Namers:
    """Which streams of the roots name files how."""

    def __init__(self, every: Iterable[Stream]) -> None:
        self._by_layout: dict[tuple[int, str, str], _ByName] = {}
        for one in every:
            by_name = self._by_layout.setdefault((one.root, one.layout, one.zone), {})
            by_name.setdefault((one.name, one.extension), []).append(one)

    def is_alone(self, stream: Stream) -> bool:
        """Whether no file that is named as one of this stream can be another's."""
        layouts = [key for key in self._by_layout if key[0] == stream.root]
        return len(layouts) == 1 and len(self.alike(stream)) == 1

    def alike(self, stream: Stream) -> list[Stream]:
        """Those that name files as this one does, itself among them."""
        by_name = self._by_layout[stream.root, stream.layout, stream.zone]
        return by_name[stream.name, stream.extension]

    def others(self, stream: Stream, item: Item) -> list[tuple[Stream, Micros]]:
        """The other streams that a file may be of by its name, and when it began then."""
        found = [(o, item.start) for o in self.alike(stream) if o.key != stream.key]
        own = (stream.root, stream.layout, stream.zone)
        for (root, layout, zone), by_name in self._by_layout.items():
            if root != stream.root or (root, layout, zone) == own:
                continue
            parsed = compile_layout(layout, zone).parse(item.path)
            if parsed is not None:
                named = by_name.get((parsed.name, parsed.extension), ())
                found += [(o, start) for o in named for start in parsed.starts]
        return found


def _rows_of(record: Record) -> Iterator[_Row]:
    try:
        columns = record.read().columns
    except VerificationError as error:
        raise MismatchError(f"{error}: nothing says what people ruled") from error
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def _path(stream: Stream, row: _Row) -> bytes | None:
    if row["path"] is not None:
        return path_bytes(row["path"])
    return path_in(stream, row["start"])
