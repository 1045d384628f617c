"""Whose recording a path is: which layout reads it, which camera, which stream.

A stream is frozen, settings are not: what was catalogued under earlier settings keeps
its stream, new files get one by today's (one path, one row).
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import Connection

from retention.catalogue import cameras, streams
from retention.catalogue.db import Catalogue
from retention.catalogue.unknown import UNREGISTERED
from retention.control import borne_out, in_force
from retention.model.layouts.layout import Layout, compile_layout
from retention.model.values import Camera, Custody, Micros, Stream
from retention.tlog.in_force import StreamSaid

NOT_OF_LAYOUT = "not named as the layout says"
NO_TIME = "named as the layout says, but of no time that can be, or of one before 1970"
_NOT_OURS = {
    Custody.POLICE: "police custody: the council must hold none of it",
    Custody.THIRD_PARTY: "a third party's camera: not the council's footage",
}


def not_ours(camera: Camera) -> str | None:
    """Why a camera's files are nobody's here; None where they are the council's."""
    why = _NOT_OURS.get(camera.custody)
    return None if why is None else f"of camera {camera.id}, {why}"


def _folded(name: str) -> str:
    """A name as people compare it."""
    return unicodedata.normalize("NFKC", name).casefold().strip()


SlotKey = tuple[str, str, str, str]
"""(layout, zone, the recorder's name, extension)."""


class Slot:
    """All files that one layout gives one recorder's name and extension.

    `camera` is who new files belong to, None with a `reason` where nobody of ours.
    `stream` takes new files, None until the first; `streams` are all that took files
    so far, under whatever camera.
    """

    __slots__ = ("camera", "key", "layout", "reason", "stream", "streams")

    def __init__(self, key: SlotKey, layout: Layout) -> None:
        self.key = key
        self.layout = layout
        self.camera: Camera | None = None
        self.reason: str | None = None
        self.stream: Stream | None = None
        self.streams: list[Stream] = []

    def path_of(self, start: Micros) -> bytes | None:
        """What the layout would name a file of that start."""
        return self.layout.render(self.key[2], start, self.key[3])


class Owned(NamedTuple):
    """One reading of a path: its slot, and the instants its name may mean."""

    slot: Slot
    starts: tuple[Micros, ...]


class Register(NamedTuple):
    """The cameras as a scan needs them: by today's id, by key, and all labels."""

    everyone: list[Camera]
    nameless: set[int]
    today: dict[str, Camera]
    by_key: dict[int, Camera]
    labels: dict[int, frozenset[str]]


def read_register(tx: Connection, last: Register | None) -> Register:
    """The cameras of this moment; `last` itself where nothing changed."""
    everyone, nameless = cameras.everyone(tx), cameras.nameless(tx)
    if last is not None and (everyone, nameless) == (last.everyone, last.nameless):
        return last
    return Register(
        everyone,
        nameless,
        {camera.id: camera for camera in everyone if camera.key not in nameless},
        {camera.key: camera for camera in everyone},
        {
            key: frozenset(id for id, _, _ in labels)
            for key, labels in cameras.labels(tx).items()
        },
    )


class Owners:
    """Tells whose a path below one root is.  `load` before use, and after changes."""

    def __init__(
        self, root: int, layout: Layout, names: Mapping[str, str], max_length: Micros
    ) -> None:
        self._root = root
        self._today = layout
        self._names = names
        self.max_length = max_length
        self._register: Register | None = None
        self._folded: dict[str, str] | None = None
        self._streams: dict[SlotKey, list[Stream]] = {}
        self._by_name: dict[str, Stream] = {}
        self._slots: dict[SlotKey, Slot] = {}
        self._todays: dict[tuple[str, str], Slot] = {}
        self._layouts: list[Layout] = [layout]

    def load(self, catalogue: Catalogue, tx: Connection) -> bool:
        """Read cameras and streams anew; True where cameras changed since last time."""
        register = read_register(tx, self._register)
        changed = self._register is not None and register is not self._register
        self._register = register
        self._folded = None if changed else self._folded
        self.load_streams(catalogue, tx)
        return changed

    def load_streams(self, catalogue: Catalogue, tx: Connection) -> None:
        """Read the streams anew, and the cameras if they never were."""
        if self._register is None:
            self._register = read_register(tx, None)
        self._slots, self._todays, self._streams, self._by_name = {}, {}, {}, {}
        old: dict[tuple[str, str], None] = {}
        for stream in borne_out.streams(catalogue, tx, streams.of_root(tx, self._root)):
            key = (stream.layout, stream.zone, stream.name, stream.extension)
            self._streams.setdefault(key, []).append(stream)
            self._by_name[stream.name] = stream  # the newest is last
            old[stream.layout, stream.zone] = None
        old.pop((self._today.text, self._today.zone), None)
        self._layouts = [self._today, *(compile_layout(*each) for each in old)]

    def outdated(self, tx: Connection) -> bool:
        """Whether somebody else opened a stream of the root since they were read."""
        known = sum(len(found) for found in self._streams.values())
        return streams.count(tx, self._root) != known

    @property
    def streams(self) -> Iterator[Stream]:
        """Every stream of the root."""
        for found in self._streams.values():
            yield from found

    def whose(self, path: bytes) -> Owned | None:
        """The reading by today's layout, else by an earlier one; None: nobody's."""
        parsed = self._today.parse(path)
        if parsed is not None:
            slot = self._todays.get((parsed.name, parsed.extension))
            if slot is None:
                slot = self._slot(self._today, parsed.name, parsed.extension)
                self._todays[parsed.name, parsed.extension] = slot
            return Owned(slot, parsed.starts)
        for owned in self.readings(path):
            if owned.slot.streams:
                return owned
        return None

    def readings(self, path: bytes) -> Iterator[Owned]:
        """Every reading of a path, today's first.  Usually there is just one."""
        for layout in self._layouts:
            parsed = layout.parse(path)
            if parsed is not None:
                yield Owned(
                    self._slot(layout, parsed.name, parsed.extension), parsed.starts
                )

    def why_nobodys(self, path: bytes) -> str:
        """Why a path has no reading."""
        fits = any(layout.fits(path) for layout in self._layouts)
        return NO_TIME if fits else NOT_OF_LAYOUT

    @property
    def has_earlier(self) -> bool:
        """Whether other settings were in force for this root before."""
        return len(self._layouts) > 1

    def _slot(self, layout: Layout, name: str, extension: str) -> Slot:
        key = (layout.text, layout.zone, name, extension)
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = self._make(key, layout)
        return slot

    def _make(self, key: SlotKey, layout: Layout) -> Slot:
        slot = Slot(key, layout)
        slot.streams = self._streams.get(key, [])
        camera = self._camera_of(key[2])
        if camera is None:
            slot.reason = self._unregistered(key[2])
        elif (why := not_ours(camera)) is not None:
            slot.reason = why
            slot.camera = camera
        else:
            slot.camera = camera
            slot.stream = next(
                (one for one in slot.streams if one.camera == camera.key), None
            )
        return slot

    def _unregistered(self, name: str) -> str:
        """Why a name is nobody's; a name that people would read as another says so."""
        if self._register is None:
            raise TypeError("load the register first")
        if self._folded is None:
            known = (*self._register.today, *self._names)
            self._folded = {_folded(one): one for one in known}
        meant = self._folded.get(_folded(name), name)
        if meant == name:
            return UNREGISTERED
        return (
            f'{UNREGISTERED}, but "{meant}" is one: the two differ in spaces, capitals '
            "or in how accents are written"
        )

    def _camera_of(self, name: str) -> Camera | None:
        """Whose footage the recorder means by `name`.

        Published ids move, recorders' folders don't: a camera that was renumbered
        keeps the folder that was its own, also where its old id is another's now.
        Where a camera was replaced under its id, the folder goes to the new one.
        """
        register = self._register
        if register is None:
            raise TypeError("load the register first")
        wanted = self._names.get(name, name)
        today = register.today.get(wanted)
        stream = self._by_name.get(name)
        if stream is None or (today is not None and today.key == stream.camera):
            return today
        before = register.by_key.get(stream.camera)
        if before is None:
            return today
        renumbered = (
            before.key not in register.nameless
            and wanted in register.labels[before.key]
        )
        return before if renumbered or today is None else today

    def gone(
        self, catalogue: Catalogue, tx: Connection, root: str, slots: Iterable[Slot]
    ) -> list[Slot]:
        """Those of the slots whose stream the log has, and only its row is gone."""
        gone = in_force.gone_streams(catalogue, tx)
        return [
            slot
            for slot in slots
            if slot.camera is not None
            and StreamSaid(slot.camera.key, root, *slot.key) in gone
        ]

    def open_stream(self, tx: Connection, slot: Slot) -> Stream:
        """Freeze a stream for the slot's new files; the caller logs it."""
        if slot.camera is None:
            raise TypeError("a slot without a camera has no stream")
        layout, zone, name, extension = slot.key
        return streams.add(
            tx, root=self._root, camera=slot.camera.key, layout=layout, zone=zone,
            name=name, extension=extension, max_length=self.max_length,
        )  # fmt: skip

    def opened(self, slot: Slot, stream: Stream) -> None:
        """The stream is committed: new files of the slot are its."""
        slot.stream = stream
        self._streams.setdefault(slot.key, [])
        self._streams[slot.key].append(stream)
        slot.streams = self._streams[slot.key]
        self._by_name[stream.name] = stream

    def doubt(self, stream: Stream, at: Micros) -> None:
        """The stream's times are in doubt: committed."""
        doubted = replace(stream, quarantined=at)
        for found in self._streams.values():
            found[:] = [doubted if one.key == stream.key else one for one in found]
        for slot in self._slots.values():
            if slot.stream is not None and slot.stream.key == stream.key:
                slot.stream = doubted
