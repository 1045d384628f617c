"""Owns what of a log may be public: which entries, each by its kind and camera, and the
form that a public copy has them in.

A bundle of a public copy is one of tlog-tiles in which a withheld entry is of no bytes; it
lies below `public/`, since its bytes are not those that the tree is over.  The hash of each
entry is in the tiles all the same.  What is decided of an entry hangs on nothing behind it
but a restore, so that a copy that goes on keeps what it has.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from retention.model.values import PublicAs, published_by
from retention.tlog.canonical import decode, encode
from retention.tlog.declare import Public
from retention.tlog.kinds import KINDS
from retention.tlog.unsigned import Stretch, is_unsigned

if TYPE_CHECKING:
    from retention.tlog.source import Record

_ALWAYS = frozenset(
    kind.name for kind in KINDS.values() if kind.public in (Public.YES, Public.ROWS)
)
_OF_CAMERAS = frozenset(
    kind.name
    for kind in KINDS.values()
    if kind.public in (Public.CAMERA, Public.NUMBER)
)
_WITH_ROWS = frozenset(
    kind.name for kind in KINDS.values() if kind.public is Public.ROWS
)
_MARKS = re.compile(
    b'"kind":"(?:%s)"'
    % b"|".join(re.escape(one.encode()) for one in sorted(_ALWAYS | _OF_CAMERAS))
)
_PLACE = ("location", "view", "lon", "lat", "easting", "northing")


def with_rows(entry: Mapping[str, Any]) -> bool:
    """Whether the row file of a public entry is public too."""
    return entry["kind"] in _WITH_ROWS


def can_be_guessed(data: bytes) -> bool:
    """Whether nothing random is in an entry: then its hash tells who guesses it that he
    guessed right."""
    return not any(mark in data for mark in _RANDOM)


_RANDOM = (b'"salt":"', b'"sd":{"', b'"rows_root":"')


class PublicPart:
    """Asked of each entry, from the first on: whether it may be public.

    `unsigned`: what came back under no signed head.  Anybody may have written that, and
    the entry that says so is withheld: so it is, too.
    """

    def __init__(self, unsigned: Collection[Stretch] = ()) -> None:
        self._unsigned = unsigned
        self._cameras: dict[int, dict[str, Any]] = {}
        """What decides about a camera, by key: `kind` and `published`."""

    def entry(self, number: int, data: bytes) -> dict[str, Any] | None:
        """The next entry, if it is public; None where it is withheld."""
        if not _MARKS.search(data) or is_unsigned(self._unsigned, number):
            return None
        entry: dict[str, Any] = decode(data)
        kind = entry["kind"]
        if kind in _ALWAYS:
            return entry
        if kind in _OF_CAMERAS and self._is_published(kind, entry["fields"]):
            return entry
        return None

    def _is_published(self, kind: str, fields: Mapping[str, Any]) -> bool:
        """Before the entry and after it."""
        cameras = [fields[n] for n in ("camera", "old", "new") if _is_key(fields, n)]
        said = [self._of(camera) for camera in cameras]
        if kind == "camera.added":
            known = {name: fields.get(name) for name in ("kind", "published")}
            self._cameras[fields["camera"]] = known
            said = []
        for name, (_, new) in fields.get("changes", {}).items():
            if name in ("kind", "published") and fields["camera"] in self._cameras:
                self._cameras[fields["camera"]][name] = new
        said += [self._of(camera) for camera in cameras]
        if PublicAs.NO in said:
            return False
        if PublicAs.NUMBER not in said:
            return True
        return KINDS[kind].public is Public.NUMBER and not _says_place(fields)

    def _of(self, camera: int) -> str:
        known = self._cameras.get(camera)
        if known is None:
            return PublicAs.NO
        said = known["published"] or published_by(known["kind"])
        return str(said) if said in tuple(PublicAs) else PublicAs.NO


def withheld_cameras(records: Iterable[Record]) -> set[int]:
    """The cameras, by key, of which the public has not every one of these entries, which
    are all that there are about cameras, in the order of the log."""
    asked, found = PublicPart(), set()
    for record in records:
        if asked.entry(record.number, encode(record.entry)) is None:
            fields = record.entry["fields"]
            named = (name for name in ("camera", "old", "new") if _is_key(fields, name))
            found |= {fields[name] for name in named}
    return found


def _is_key(fields: Mapping[str, Any], name: str) -> bool:
    return type(fields.get(name)) is int


def _says_place(fields: Mapping[str, Any]) -> bool:
    changes = fields.get("changes", {})
    return any(fields.get(name) or name in changes for name in _PLACE)
