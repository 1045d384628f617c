"""What a newer list would change in the register: the decision, not the deed.  Pure.

A row is taken as today's camera of its id unless it lies too far from it; what a row
does not say stays as it is.
"""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple, TypeVar

from retention.model.answers.camera import CameraShown, Changes
from retention.model.errors import UsageError
from retention.model.values import Camera, Custody, Entry, Micros
from retention.register.lists import Listed, check_both
from retention.register.pairs import SAME_PLACE_METRES, Place, distance

T = TypeVar("T")

_FIELDS = ("location", "view", "kind", "custody", "lon", "lat")


class CameraChange(NamedTuple):
    """A known camera as it was and as the list has it."""

    old: Camera
    new: Camera


class Refused(NamedTuple):
    """A row that a person must rule on; `commands` is what they can type."""

    row: Listed
    camera: Camera
    metres: float | None
    reason: str
    commands: list[str]


class Comparison(NamedTuple):
    """A list against the register: every row and every vanished camera, once."""

    added: list[Listed]
    known: list[CameraChange]
    refused: list[Refused]
    vanished: list[Camera]

    @property
    def changed(self) -> list[CameraChange]:
        """Known cameras of which the list says something new."""
        return [one for one in self.known if differences(*one)]

    @property
    def relisted(self) -> list[Camera]:
        """Known cameras that the register had as unlisted."""
        return [one.new for one in self.known if not one.old.listed]


def place(camera: Camera | Listed) -> Place:
    """A camera as pairing looks at it."""
    return Place(camera.id, camera.location, camera.lon, camera.lat)


def compare(current: Mapping[str, Camera], rows: Sequence[Listed]) -> Comparison:
    """`current`: today's camera of each id, retired ones too."""
    result = Comparison([], [], [], [])
    for row in rows:
        camera = current.get(row.id)
        if camera is None:
            result.added.append(row)
        elif refused := _refusal(camera, row):
            result.refused.append(refused)
        else:
            result.known.append(CameraChange(camera, merged(camera, row)))
    ids = {row.id for row in rows}
    result.vanished.extend(one for id, one in current.items() if id not in ids)
    return result


def _refusal(camera: Camera, row: Listed) -> Refused | None:
    metres = distance(place(camera), place(row))
    if metres is not None and metres > SAME_PLACE_METRES:
        where = f"--lon {row.lon} --lat {row.lat}"
        id, location = shlex.quote(row.id), shlex.quote(row.location)
        reason = (
            f"{metres:,.0f} m from camera {row.id} ({camera.location}), too far to be "
            "taken for the same camera"
        )
        commands = [
            f"retention camera moved {id} {where} --location {location}",
            f"retention camera replace {id} {where} --location {location}",
        ]
        return Refused(row, camera, metres, reason, commands)
    try:
        merged(camera, row)
    except UsageError as error:
        return Refused(row, camera, metres, str(error), [])
    return None


def merged(camera: Camera, row: Listed) -> Camera:
    """The camera with what the row says of it; UsageError where that can't be."""
    kind = row.kind or camera.kind
    custody = row.custody or camera.custody
    if row.custody is None and kind != camera.kind and custody is Custody.COUNCIL:
        custody = default_custody(kind)
    check_both(kind, custody)
    lon, lat = (camera.lon, camera.lat) if row.lon is None else (row.lon, row.lat)
    return replace(
        camera,
        location=row.location or camera.location,
        view=row.view or camera.view,
        kind=kind,
        custody=custody,
        lon=lon,
        lat=lat,
        listed=True,
    )


def fresh(row: Listed) -> Camera:
    """A camera that the register does not have yet; its key is still to come."""
    kind = row.kind or "public_space"
    return Camera(
        key=0,
        id=row.id,
        location=row.location,
        view=row.view or "",
        kind=kind,
        custody=row.custody or default_custody(kind),
        lon=row.lon,
        lat=row.lat,
    )


def default_custody(kind: str) -> Custody:
    """Whose data it is if nobody says: ANPR data goes straight to the police."""
    return Custody.POLICE if kind == "anpr" else Custody.COUNCIL


def differences(old: Camera, new: Camera) -> Changes:
    """What differs but for being listed."""
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in _FIELDS)
    return {name: [_text(a), _text(b)] for name, a, b in pairs if a != b}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def unchecked(changes: Iterable[CameraChange], rows: Mapping[str, Listed]) -> int:
    """How many known cameras could not be compared by place."""
    return sum(
        distance(place(one.old), place(rows[one.old.id])) is None for one in changes
    )


def describe(camera: Camera) -> CameraShown:
    """A camera as answers show it."""
    return described(CameraShown, camera)


def described(kind: Callable[..., T], camera: Camera, **more: Any) -> T:
    """A camera as a kind of answer that says `more`."""
    return kind(**asdict(camera) | {"custody": str(camera.custody)} | more)


def entry_of(at: Micros, name: str, cameras: Iterable[int], /, **fields: Any) -> Entry:
    """The audit entry of a change, to be found by each of `cameras` at that hour."""
    return Entry(name, fields, spans=tuple((c, at, at + 1) for c in cameras))


def added_entry(at: Micros, camera: Camera, source: str) -> Entry:
    """`camera.added`; `source` is how it came: add, replace or list:SHA-256."""
    return entry_of(
        at,
        "camera.added",
        [camera.key],
        camera=camera.key,
        id=camera.id,
        kind=camera.kind,
        custody=str(camera.custody),
        source=source,
        location=camera.location,
        view=camera.view,
        lon=_text(camera.lon),
        lat=_text(camera.lat),
    )
