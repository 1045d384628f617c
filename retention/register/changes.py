"""What a newer list would change in the register: the decision, not the deed.  Pure.

A row is taken as today's camera of its id unless it lies too far from it; what a row
does not say stays as it is.
"""

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple, TypeVar

from retention.model.answers.camera import CameraShown, Changes
from retention.model.errors import UsageError
from retention.model.values import (
    Camera,
    Custody,
    Entry,
    Micros,
    PublicAs,
    published_by,
)
from retention.register.lists import (
    NOWHERE,
    SAME_PLACE_METRES,
    Listed,
    Position,
    check_both,
)
from retention.register.pairs import Place, distance

T = TypeVar("T")

_FIELDS = (
    "location", "view", "kind", "custody", "published", "controller", *Position._fields,
)  # fmt: skip


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

    @property
    def unlisted(self) -> list[Camera]:
        """Vanished cameras that a list should have: not those out of use, nor those of
        which nothing is published."""
        return [
            one
            for one in self.vanished
            if one.listed and not one.retired and one.publication is not PublicAs.NO
        ]


def place(one: Camera | Listed) -> Place:
    """A camera as pairing looks at it."""
    return Place(one.id, one.location, position(one).degrees)


def position(one: Camera | Listed) -> Position:
    """Where the register or a list has a camera."""
    if isinstance(one, Listed):
        return one.position
    return Position(one.lon, one.lat, one.easting, one.northing)


def compare(
    current: Mapping[str, Camera],
    rows: Sequence[Listed],
    own: str,
    whose: str | None = None,
) -> Comparison:
    """`current`: today's camera of each id, retired ones too; `own`: as in `merged`;
    `whose`: the list is that of one controller, and lacks no camera of others."""
    result = Comparison([], [], [], [])
    for row in rows:
        camera = current.get(row.id)
        if camera is None:
            result.added.append(row)
        elif refused := _refusal(camera, row, own, whose):
            result.refused.append(refused)
        else:
            result.known.append(CameraChange(camera, merged(camera, row, own)))
    ids = {row.id for row in rows}
    result.vanished.extend(
        one
        for id, one in current.items()
        if id not in ids and same_controller(controller_of(one, own), whose)
    )
    return result


def of_list(rows: Iterable[Listed], whose: str | None) -> list[Listed]:
    """The rows of one controller's list: all but those that say they are another's;
    UsageError where that leaves none, for it is another's list."""
    every = list(rows)
    theirs = [row for row in every if same_controller(row.controller, whose)]
    if every and not theirs:
        raise UsageError(
            f"every camera of this list is another's than {str(whose)[:100]!r}, as it "
            "says itself: name whose list it is. Nothing was changed"
        )
    return theirs


def same_controller(name: str | None, whose: str | None) -> bool:
    """Whether they are the same, as far as both are said."""
    if name is None or whose is None:
        return True
    return name.casefold() == " ".join(whose.split()).casefold()


def _refusal(
    camera: Camera, row: Listed, own: str, whose: str | None
) -> Refused | None:
    has = controller_of(camera, own)
    if whose is not None and not same_controller(has, whose):
        amend = f"retention camera amend {shlex.quote(row.id)} --controller "
        reason = f"camera {row.id} ({camera.location}) is one of {has} in the register"
        return Refused(row, camera, None, reason, [amend + shlex.quote(whose)])
    metres = distance(place(camera), place(row))
    if metres is not None and metres > SAME_PLACE_METRES:
        where = " ".join(
            f"--{name} {value}"
            for name, value in row.position._asdict().items()
            if value is not None
        )
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
        merged(camera, row, own)
    except UsageError as error:
        return Refused(row, camera, metres, str(error), [])
    return None


def merged(camera: Camera, row: Listed, own: str) -> Camera:
    """The camera with what the row says of it; UsageError where that can't be.

    `own`: the site's own controller, whose cameras need not say so.
    """
    kind = row.kind or camera.kind
    custody = row.custody or camera.custody
    if row.custody is None and kind != camera.kind and custody is Custody.COUNCIL:
        custody = default_custody(kind)
    check_both(kind, custody)
    at = position(camera) if row.position == NOWHERE else row.position
    has = controller_of(camera, own)
    return replace(
        camera,
        location=row.location or camera.location,
        view=row.view or camera.view,
        kind=kind,
        custody=custody,
        published=_published(camera, kind, row.published),
        controller=_controller(
            camera.controller
            if same_controller(has, row.controller)
            else row.controller,
            own,
        ),
        listed=True,
        **at._asdict(),
    )


def _published(camera: Camera, kind: str, said: PublicAs | None) -> PublicAs | None:
    """As it was, unless something else is said; whose kind is another one is published in
    full only if that is said."""
    same = kind == camera.kind or camera.published is not PublicAs.FULL
    before = camera.published if same else None
    return before if said in (None, before or published_by(kind)) else said


def _controller(name: str | None, own: str) -> str | None:
    return None if name is None or name.casefold() == own.casefold() else name


def fresh(row: Listed, own: str) -> Camera:
    """A camera that the register does not have yet; its key is still to come."""
    kind = row.kind or "public_space"
    return Camera(
        key=0,
        id=row.id,
        location=row.location,
        view=row.view or "",
        kind=kind,
        custody=row.custody or default_custody(kind),
        published=row.published,
        controller=_controller(row.controller, own),
        **row.position._asdict(),
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


def describe(camera: Camera, own: str) -> CameraShown:
    """A camera as answers show it; `own`: the site's own controller."""
    return described(CameraShown, camera, own)


def described(kind: Callable[..., T], camera: Camera, own: str, **more: Any) -> T:
    """A camera as a kind of answer that says `more`."""
    said = {
        "custody": str(camera.custody),
        "published": str(camera.publication),
        "controller": controller_of(camera, own),
    }
    return kind(**asdict(camera) | said | more)


def controller_of(camera: Camera, own: str) -> str:
    """Whose camera it is."""
    return camera.controller or own


def of_controller(those: Iterable[Camera], own: str, name: str | None) -> list[Camera]:
    """Those cameras, or this controller's alone, by their ids; UsageError for one that
    none of them has."""
    found = sorted(those, key=lambda one: (natural(one.id), one.key))
    if name is None:
        return found
    wanted = " ".join(name.split()).casefold()
    theirs = [one for one in found if controller_of(one, own).casefold() == wanted]
    if not theirs:
        known = ", ".join(sorted({controller_of(one, own) for one in found})) or "none"
        raise UsageError(
            f"no camera is that of {name[:100]!r}; the controllers are: {known}"
        )
    return theirs


def natural(id: str) -> list[tuple[int, int, str]]:
    """Sorts ids as people do: 9 before 10, and both before A."""
    parts = re.findall(r"[0-9]+|[^0-9]+", id)
    return [(0, int(p), "") if p[0] in "0123456789" else (1, 0, p) for p in parts]


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
        published=_text(camera.published),
        controller=camera.controller,
        **{name: _text(value) for name, value in position(camera)._asdict().items()},
    )
