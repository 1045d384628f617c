"""What `camera.*` answers: the register of cameras, and what was changed in it."""

from __future__ import annotations

from dataclasses import dataclass

from retention.model.answers.changed import Changed

Changes = dict[str, list[str | None]]
"""Field to [old, new], as text: the log takes no fractions."""


@dataclass(frozen=True, slots=True)
class CameraShown:
    """A camera; `key` is what the log calls it, `id` the published one of today, or the
    last that it had.  `lon` and `lat` in degrees (WGS84), or `easting` and `northing` in
    metres (OSGB36), as they were given.  `published`: how much of it is, full, number or
    no; `controller`: whose it is."""

    key: int
    id: str
    location: str
    view: str
    kind: str
    custody: str
    published: str
    controller: str
    lon: float | None
    lat: float | None
    easting: float | None
    northing: float | None
    listed: bool
    retired: bool


@dataclass(frozen=True, slots=True)
class CameraRow(CameraShown):
    """A camera of the register; `current` is false where another has its id now."""

    current: bool


@dataclass(frozen=True, slots=True)
class CamerasListed:
    """The cameras that were asked for, by their ids."""

    cameras: list[CameraRow]


@dataclass(frozen=True, slots=True)
class CameraLeftOut:
    """A camera that is not in the public list: not for publication, retired, unlisted."""

    id: str
    location: str
    why: str


@dataclass(frozen=True, slots=True)
class CamerasPublished:
    """The list of cameras for the public as `text`, and for CSV its `metadata` (CSVW).
    Counts: `withheld` are there by their number alone, `on_grid` with degrees computed
    from the national grid, `unknown` without a place."""

    format: str
    text: str
    metadata: str | None
    cameras: int
    controllers: list[str]
    withheld: int
    on_grid: int
    unknown: int
    left_out: list[CameraLeftOut]


@dataclass(frozen=True, slots=True)
class CameraDiffers:
    """A camera of which a published list, the register and what is on disk don't say the
    same.  `finding` is one of: published only, registered only, seen only, published and
    seen, registered and seen, not seen, differs, published too much, out of use, not ours;
    `detail` says what it is, `do` what to do about it."""

    id: str
    location: str
    published: bool
    registered: bool
    seen: bool
    finding: str
    detail: str
    do: str


@dataclass(frozen=True, slots=True)
class ListReconciled:
    """A published list held against the register and what is on disk: how many cameras
    each has, of how many all say the same, and the others."""

    file: str
    sha256: str
    columns: dict[str, str]
    ignored_columns: list[str]
    published: int
    registered: int
    seen: int
    agreeing: int
    differing: list[CameraDiffers]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class CameraLabel:
    """An id and the time in which it meant the camera; `to` is null while it does."""

    id: str
    from_: str
    to: str | None


@dataclass(frozen=True, slots=True)
class CameraStream:
    """What a recorder writes of a camera into a root; `max_length` in seconds,
    `quarantined`: since when its times look wrong."""

    stream: int
    root: str
    layout: str
    timezone: str
    name: str
    extension: str
    max_length: float
    quarantined: str | None


@dataclass(frozen=True, slots=True)
class CameraDetail(CameraRow):
    """A camera, its ids over time, cameras that its id meant at another time, its
    streams, and the holds over it."""

    ids: list[CameraLabel]
    others: list[CameraShown]
    streams: list[CameraStream]
    holds: list[int]


@dataclass(frozen=True, slots=True)
class FormerCamera(CameraShown):
    """The camera that an id meant until then."""

    until: str


@dataclass(frozen=True, slots=True)
class CameraAdded(Changed):
    """A camera that was registered, and the one that had its id before."""

    camera: CameraShown
    formerly: FormerCamera | None


@dataclass(frozen=True, slots=True)
class CameraAmended(Changed):
    """A camera of which the register says something else now."""

    camera: CameraShown
    changes: Changes


@dataclass(frozen=True, slots=True)
class CameraMoved(Changed):
    """A camera that hangs elsewhere now, and the holds over it."""

    camera: CameraShown
    changes: Changes
    metres: int | None
    holds: list[int]


@dataclass(frozen=True, slots=True)
class CameraReplaced(Changed):
    """Another camera under the id of an old one; the old one's holds, and those that
    cover the new one too until somebody rules on them."""

    camera: CameraShown
    old: CameraShown
    at: str
    holds: list[int]
    holds_covering_both: list[int]


@dataclass(frozen=True, slots=True)
class AssignedFrom:
    """Recordings that were catalogued under a wrong camera, and the holds on that one
    which cover any of them."""

    camera: str
    recordings: int
    holds: list[int]


@dataclass(frozen=True, slots=True)
class CameraAssigned(Changed):
    """What a recorder wrote under a name is its right camera's: from `since` on, or all
    where that is null.  `being_deleted`: so many were left, for their deletion is under
    way.  `holds_covering_both`: holds on a wrong camera that cover the right one too
    until somebody rules on them; `holds`: those of the right one.  `dry_run`: nothing
    was changed."""

    root: str
    name: str
    camera: CameraShown
    since: str | None
    recordings: int
    bytes: int
    being_deleted: int
    taken_from: list[AssignedFrom]
    holds_covering_both: list[int]
    holds: list[int]
    dry_run: bool


@dataclass(frozen=True, slots=True)
class CameraRetired(Changed):
    """A camera that is out of use, and the holds over it."""

    camera: CameraShown
    holds: list[int]


@dataclass(frozen=True, slots=True)
class RenumberedCamera:
    """A camera that has another id, and the holds over it."""

    key: int
    old: str
    new: str
    location: str
    holds: list[int]


@dataclass(frozen=True, slots=True)
class CamerasRenumbered(Changed):
    """Cameras that have other ids, and those that lost theirs to them."""

    renumbered: list[RenumberedCamera]
    displaced: list[CameraShown]
    at: str


@dataclass(frozen=True, slots=True)
class CameraBrief:
    """A camera in few words."""

    key: int
    id: str
    location: str


@dataclass(frozen=True, slots=True)
class CameraChanged(CameraBrief):
    """A camera of which the list says something else than before."""

    changes: Changes


@dataclass(frozen=True, slots=True)
class RowRefused:
    """A line of a list that a person must rule on: its place is too far (`metres`) from
    the camera of its id.  One of the `commands` says what is true."""

    line: int
    id: str
    location: str
    metres: int | None
    reason: str
    commands: list[str]
    holds: list[int]


@dataclass(frozen=True, slots=True)
class ListImported(Changed):
    """A published list that was taken in: how it was read, and what became of each."""

    file: str
    sha256: str
    encoding: str
    columns: dict[str, str]
    ignored_columns: list[str]
    cameras: int
    added: list[CameraBrief]
    changed: list[CameraChanged]
    unchanged: int
    listed: list[CameraBrief]
    unlisted: list[CameraBrief]
    refused: list[RowRefused]
    notes: list[str]


@dataclass(frozen=True, slots=True)
class PairProposed:
    """A camera that may have another id in the list, and why."""

    old: str
    new: str
    metres: float | None
    apply: bool
    why: str
    old_location: str
    new_location: str


@dataclass(frozen=True, slots=True)
class PairsProposed(Changed):
    """A list that was only looked at: pairs of ids that may be one camera, also as the
    `text` of a file to edit; cameras without a pair, and how many ids are new."""

    file: str
    sha256: str
    encoding: str
    columns: dict[str, str]
    ignored_columns: list[str]
    cameras: int
    text: str | None
    pairs: list[PairProposed]
    unpaired: list[str]
    appeared: int
    notes: list[str]
