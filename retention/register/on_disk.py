"""Which cameras footage is there of: by the catalogue, and by files that nobody's are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import recordings, roots, streams, unknown
from retention.catalogue.unknown import UNREGISTERED
from retention.model.layouts.layout import compile_layout
from retention.model.layouts.presets import preset_or_template

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.catalogue.unknown import Unknown
    from retention.site.settings import RootSettings

_MOST = 1_000_000


class Stranger(NamedTuple):
    """Files under a recorder's name that are nobody's: how many and why; `id` is the
    camera that the settings or the name itself mean."""

    root: str
    name: str
    id: str
    files: int
    reason: str

    @property
    def registered(self) -> bool:
        """Whether there is such a camera."""
        return not self.reason.startswith(UNREGISTERED)


class OnDisk(NamedTuple):
    """Keys of the cameras with footage, strangers, and the roots that were not read in
    full yet, so that there may be more."""

    cameras: set[int]
    strangers: list[Stranger]
    unread: list[str]


def read(tx: Connection, settings: Iterable[RootSettings]) -> OnDisk:
    """What the last scans saw."""
    by_name = {root.name: root for root in settings}
    whose = {one.key: one.camera for one in streams.everyone(tx)}
    found = OnDisk(set(), [], [])
    for root in roots.everyone(tx):
        newest = recordings.newest(tx, root.key)
        found.cameras.update(whose[row.stream] for row in newest)
        if root.adopted is None:
            found.unread.append(root.name)
        if root.name in by_name:
            rows = unknown.listing(tx, root.key, _MOST)
            found.strangers.extend(_strangers(rows, by_name[root.name]))
    return found


def _strangers(rows: Iterable[Unknown], root: RootSettings) -> Iterator[Stranger]:
    layout = compile_layout(preset_or_template(root.layout).template, root.timezone)
    files: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        parsed = layout.parse(row.directory + b"/" + row.example)
        if parsed is not None:
            files[parsed.name, row.reason] += row.files
    for (name, reason), count in sorted(files.items()):
        yield Stranger(root.name, name, root.cameras.get(name, name), count, reason)
