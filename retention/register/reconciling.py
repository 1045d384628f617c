"""`camera reconcile`: a published list, the register and what is on disk, held against each
other.  It changes nothing; it says what differs and what to do."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from retention.catalogue import cameras
from retention.model.answers.camera import CameraDiffers, ListReconciled
from retention.model.values import Camera, Custody, PublicAs
from retention.register import on_disk
from retention.register.changes import (
    compare,
    controller_of,
    differences,
    natural,
    of_controller,
    of_list,
)
from retention.register.files import unpacked
from retention.register.lists import (
    NOWHERE,
    CameraList,
    Listed,
    parse_columns,
    read_cameras,
)

if TYPE_CHECKING:
    from retention.control.context import Context
    from retention.register.on_disk import OnDisk, Stranger

_ANEW = "publish the list anew with `retention camera publish`"


class _Sides(NamedTuple):
    """The three sides of one comparison: rows by id, cameras by id, footage.

    `theirs`: the keys of those whose list it is; `own`: the site's own controller; `file`
    is the list as it is typed.
    """

    rows: Mapping[str, Listed]
    cameras: Mapping[str, Camera]
    theirs: set[int]
    seen: OnDisk
    own: str
    file: str


def camera_reconcile(
    context: Context,
    *,
    file: str,
    data: str,
    columns: str | None = None,
    controller: str | None = None,
) -> ListReconciled:
    """Hold a published list (CSV or GeoJSON) against the register and what the scans saw.

    `data` is the file's content in base64, `file` its name.  `controller`: the list is
    that one's, and cameras of others are left out.
    """
    content, own = unpacked(file, data), context.settings.own_controller
    found = read_cameras(
        content,
        PurePath(file).name,
        None if columns is None else parse_columns(columns),
    )
    with context.catalogue.read() as tx:
        current = cameras.current(tx)
        seen = on_disk.read(tx, context.settings.root)
    theirs = {one.key for one in of_controller(current.values(), own, controller)}
    rows = {one.id: one for one in of_list(found.cameras, controller)}
    sides = _Sides(rows, current, theirs, seen, own, shlex.quote(file))
    differing = sorted(_differing(sides), key=lambda one: natural(one.id))
    return _answer(file, content, found, sides, differing)


def _answer(
    file: str,
    content: bytes,
    found: CameraList,
    sides: _Sides,
    differing: list[CameraDiffers],
) -> ListReconciled:
    in_use = {
        id
        for id, one in sides.cameras.items()
        if one.key in sides.theirs and not one.retired
    }
    others = {id for id, one in sides.cameras.items() if one.key not in sides.theirs}
    strangers = {one.id for one in sides.seen.strangers} - others
    seen = strangers | {
        id for id in in_use if sides.cameras[id].key in sides.seen.cameras
    }
    apart = {one.id for one in differing}
    notes = found.notes + [
        f"{name} was not read in full yet: what seems not to be there may be there"
        for name in sides.seen.unread
    ]
    return ListReconciled(
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        columns=found.columns,
        ignored_columns=found.ignored,
        published=len(sides.rows),
        registered=len(in_use),
        seen=len(seen),
        agreeing=len((sides.rows.keys() | in_use | seen) - apart),
        differing=differing,
        notes=notes,
    )


def _differing(sides: _Sides) -> Iterator[CameraDiffers]:
    named = {one.id: one for one in sides.seen.strangers}
    for id, row in sides.rows.items():
        if id not in sides.cameras:
            yield _unregistered(row, named.get(id), sides.file)
    for one in sides.seen.strangers:
        camera = sides.cameras.get(one.id)
        if camera is not None and camera.key not in sides.theirs:
            continue
        if camera is not None and camera.custody is not Custody.COUNCIL:
            yield _not_ours(camera, one, camera.id in sides.rows)
        elif not one.registered and camera is None and one.id not in sides.rows:
            yield _stranger(one)
    for camera in sides.cameras.values():
        yield from _of_camera(camera, sides)


def _of_camera(camera: Camera, sides: _Sides) -> Iterator[CameraDiffers]:
    """What differs about a registered camera."""
    row = sides.rows.get(camera.id)
    seen = camera.key in sides.seen.cameras
    if camera.key not in sides.theirs:
        if row is not None:
            yield _of_another(camera, sides.own, seen)
    elif camera.retired:
        if row is not None:
            yield _out_of_use(camera, seen)
    else:
        if row is None and camera.publication is not PublicAs.NO:
            yield _unpublished(camera, seen)
        elif camera.custody is Custody.COUNCIL and not seen:
            yield _unseen(camera, row is not None)
        if row is not None:
            yield from _otherwise(camera, row, seen, sides)


def _otherwise(
    camera: Camera, row: Listed, seen: bool, sides: _Sides
) -> Iterator[CameraDiffers]:
    """What a list says of a camera that the register does not, or is not to say."""
    if camera.publication is PublicAs.NO:
        yield _found(
            camera, "published too much", "it is not for publication", seen,
            "have it taken out of the list; or, if that is wrong, "
            f"`retention camera amend {_id(camera)} --published number`",
        )  # fmt: skip
        return
    if camera.publication is PublicAs.NUMBER:
        if row.location or row.view or row.position != NOWHERE:
            yield _found(
                camera, "published too much", "only its number is for publication", seen,
                f"{_ANEW}; or, if its place may be known, `retention camera amend {_id(camera)} --published full`",
            )  # fmt: skip
        row = row._replace(location="", view=None, position=NOWHERE)
    comparison = compare({camera.id: camera}, [row], sides.own)
    for refused in comparison.refused:
        do = " or ".join(f"`{one}`" for one in refused.commands)
        do = do or "have the list corrected"
        yield _found(camera, "differs", refused.reason, seen, do)
    for known in comparison.known:
        if changes := differences(*known):
            yield _found(
                camera, "differs", "; ".join(_change(*one) for one in changes.items()),
                seen,
                f"`retention camera import {sides.file}` if the list is right, else {_ANEW}",
            )  # fmt: skip


def _change(name: str, values: list[str | None]) -> str:
    here, there = ("nothing" if one in (None, "") else repr(one) for one in values)
    return f"{name} is {there} in the list, {here} in the register"


def _id(camera: Camera) -> str:
    return shlex.quote(camera.id)


def _found(
    camera: Camera,
    finding: str,
    detail: str,
    seen: bool,
    do: str,
    *,
    published: bool = True,
) -> CameraDiffers:
    return CameraDiffers(
        id=camera.id,
        location=camera.location,
        published=published,
        registered=True,
        seen=seen,
        finding=finding,
        detail=detail,
        do=do,
    )


def _unregistered(row: Listed, stranger: Stranger | None, file: str) -> CameraDiffers:
    seen = stranger is not None
    where = ", and no hold can cover its footage" if seen else ""
    return CameraDiffers(
        id=row.id,
        location=row.location,
        published=True,
        registered=False,
        seen=seen,
        finding="published and seen" if seen else "published only",
        detail=f"not in the register{where}",
        do=f"`retention camera import {file}`; or have it taken out of the list",
    )


def _files(one: Stranger) -> str:
    return f"{one.files:,} file{'' if one.files == 1 else 's'}"


def _stranger(one: Stranger) -> CameraDiffers:
    return CameraDiffers(
        id=one.id,
        location=f"{one.root}/{one.name}",
        published=False,
        registered=False,
        seen=True,
        finding="seen only",
        detail=f"{_files(one)}, {one.reason}; no hold covers them, and nothing deletes them",
        do=f"`retention camera add {shlex.quote(one.id)} --location ...`; or, where it is "
        f"a known camera, give its id to the name under [root.cameras] of {one.root}",
    )


def _not_ours(camera: Camera, one: Stranger, published: bool) -> CameraDiffers:
    return _found(
        camera,
        "not ours",
        f"{_files(one)} in {one.root}/{one.name}, and its data is not the council's",
        True,
        "have its recorder stopped from writing there; `retention alarm list` has it too",
        published=published,
    )


def _of_another(camera: Camera, own: str, seen: bool) -> CameraDiffers:
    return _found(
        camera,
        "differs",
        f"registered as a camera of {controller_of(camera, own)}",
        seen,
        f"`retention camera amend {_id(camera)} --controller ...` if the list is right, "
        "else have it taken out of the list",
    )


def _out_of_use(camera: Camera, seen: bool) -> CameraDiffers:
    return _found(
        camera,
        "out of use",
        "published, and retired here",
        seen,
        f"{_ANEW}; where another camera is there now, `retention camera replace {_id(camera)} --location ...`",
    )


def _unpublished(camera: Camera, seen: bool) -> CameraDiffers:
    ours, amend = (
        camera.custody is Custody.COUNCIL,
        f"retention camera amend {_id(camera)}",
    )
    again = "" if camera.listed else f"`{amend} --published {camera.publication}` and "
    retire = f"`retention camera retire {_id(camera)}` if it is out of use, else "
    return _found(
        camera,
        "registered and seen" if seen else "registered only",
        "not in the list"
        + (", and no footage of it is here" if ours and not seen else ""),
        seen,
        f"{'' if seen else retire}{again}{_ANEW}; if nobody is to know of it, `{amend} "
        "--published no`",
        published=False,
    )


def _unseen(camera: Camera, published: bool) -> CameraDiffers:
    return _found(
        camera,
        "not seen",
        "no footage of it is here",
        False,
        "look whether a recorder writes it, and under which name; "
        f"`retention camera retire {_id(camera)}` if it is out of use",
        published=published,
    )
