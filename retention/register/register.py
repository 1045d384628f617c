"""The camera register's verbs: who is which camera, changed only on record.

Ids are labels.  Only a person says that an id passed to another camera or a camera
to another id, and no camera ever leaves the register (design 6).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retention.catalogue import cameras
from retention.catalogue.db import Priority
from retention.model.answers.camera import (
    CameraAdded,
    CameraAmended,
    CameraDetail,
    CameraLabel,
    CameraMoved,
    CameraReplaced,
    CameraRetired,
    CameraRow,
    CamerasListed,
    CamerasRenumbered,
    CameraStream,
    FormerCamera,
    ListImported,
    PairProposed,
    PairsProposed,
    RenumberedCamera,
)
from retention.model.errors import RetentionError, UsageError
from retention.model.localtime import format_utc, utc_or_null
from retention.model.values import FOREVER, SECOND, Camera, PublicAs, Window
from retention.register import under_hold
from retention.register.changes import (
    added_entry,
    default_custody,
    describe,
    described,
    differences,
    entry_of,
    fresh,
    merged,
    of_controller,
    of_list,
    place,
)
from retention.register.files import unpacked
from retention.register.ids import displace, holder, judge, replaced_entry, unknown
from retention.register.importing import Origin, suggest, take
from retention.register.lists import (
    NOWHERE,
    Listed,
    check_both,
    check_controller,
    check_custody,
    check_id,
    check_kind,
    check_position,
    check_published,
    check_text,
    parse_columns,
    read_cameras,
)
from retention.register.pairs import Pair, Typed, distance, read_pairs, write_pairs

if TYPE_CHECKING:
    from retention.control.context import Context

_ALWAYS = Window(-FOREVER, FOREVER)


def camera_list(
    context: Context, *, all: bool = False, controller: str | None = None
) -> CamerasListed:
    """Every camera of today, unlisted ones too; with `all` the retired as well, with
    `controller` that one's alone.

    `current` is false for a camera that lost its id to another: `id` is its last.
    """
    own = context.settings.own_controller
    with context.catalogue.read() as tx:
        without = cameras.nameless(tx)
        those = [one for one in cameras.everyone(tx) if all or not one.retired]
    found = [
        described(CameraRow, one, own, current=one.key not in without)
        for one in of_controller(those, own, controller)
    ]
    return CamerasListed(found)


def camera_show(context: Context, *, id: str) -> CameraDetail:
    """Today's camera of `id`, else the one that had it last; its ids, streams, holds.

    `others` are cameras that the id meant at another time.
    """
    with context.catalogue.read() as tx:
        meant = cameras.meaning(tx, id, _ALWAYS)
        camera = cameras.today(tx, id) or (meant[-1] if meant else None)
        if camera is None:
            raise unknown(tx, id)
        labels = cameras.ids(tx, camera.key)
        own = context.settings.own_controller
        return described(
            CameraDetail,
            camera,
            own,
            current=labels[-1][2] is None,
            ids=[
                CameraLabel(label, format_utc(since), utc_or_null(until))
                for label, since, until in labels
            ],
            others=[describe(one, own) for one in meant if one.key != camera.key],
            streams=[
                CameraStream(
                    stream=row.key,
                    root=row.root_name,
                    layout=row.layout,
                    timezone=row.zone,
                    name=row.name,
                    extension=row.extension,
                    max_length=row.max_length / SECOND,
                    quarantined=utc_or_null(row.quarantined),
                )
                for row in cameras.streams(tx, camera.key)
            ],
            holds=cameras.active_holds(tx, [camera.key], context.now)[camera.key],
        )


def camera_add(
    context: Context,
    *,
    id: str,
    location: str,
    view: str = "",
    kind: str = "",
    custody: str = "",
    published: str = "",
    controller: str = "",
    lon: str | float = "",
    lat: str | float = "",
    easting: str | float = "",
    northing: str | float = "",
) -> CameraAdded:
    """Register a camera under an id that no camera has today.

    Kind `anpr` is in police custody unless said otherwise, UsageError for the
    council's; of such a camera the number alone is published unless said otherwise.
    """
    own = context.settings.own_controller
    said = _said(id, location, view, kind, custody, published, controller)
    if not said.location:
        raise UsageError("the location is empty: say where the camera is")
    at = check_position(lon, lat, easting, northing)
    new = fresh(said._replace(position=at), own)
    with context.write(Priority.SCAN) as tx:
        there = cameras.today(tx, id)
        if there is not None:
            raise RetentionError(
                f"{id} is camera {there.key} already ({there.location}): `retention "
                "camera replace` puts another camera under that id"
            )
        lost = cameras.last_holder(tx, id)
        since = cameras.next_instant(tx, [id], context.now)
        new = replace(new, key=cameras.insert(tx, new, since))
        tx.append(*added_entry(context.now, new, "add"))
    formerly = None
    if lost is not None:
        until = format_utc(lost[1])
        formerly = described(FormerCamera, lost[0], own, until=until)
    return CameraAdded(describe(new, own), formerly)


def _said(
    id: str,
    location: str,
    view: str,
    kind: str,
    custody: str,
    published: str,
    controller: str,
) -> Listed:
    """What somebody typed of a camera, as a list says it."""
    checked, whose = check_kind(kind), check_custody(custody)
    check_both(checked, whose)
    return Listed(
        0,
        check_id(id),
        check_text("location", location),
        check_text("view", view) or None,
        checked,
        whose,
        check_published(published),
        check_controller(controller),
    )


def camera_amend(
    context: Context,
    *,
    id: str,
    location: str = "",
    view: str = "",
    kind: str = "",
    custody: str = "",
    published: str = "",
    controller: str = "",
) -> CameraAmended:
    """Correct what the register says of a camera; what is not given stays.

    Where something of it is to be published that was missing from the published list, it
    is in the register as listed again.
    """
    own = context.settings.own_controller
    said = _said(id, location, view, kind, custody, published, controller)
    with context.write(Priority.SCAN) as tx:
        old = holder(tx, id)
        again = said.published not in (None, PublicAs.NO) and not old.listed
        new = replace(merged(old, said, own), listed=old.listed or again)
        changes = differences(old, new)
        if old == new:
            raise RetentionError(
                f"the register says that of camera {id} already; nothing was changed"
            )
        cameras.update(tx, old, new)
        if changes:
            fields = {"camera": old.key, "id": id, "changes": changes}
            tx.append(*entry_of(context.now, "camera.changed", [old.key], **fields))
        if again:
            about = {"camera": old.key, "id": id}
            tx.append(*entry_of(context.now, "camera.listed", [old.key], **about))
    return CameraAmended(describe(new, own), changes)


def camera_moved(
    context: Context,
    *,
    id: str,
    lon: str | float = "",
    lat: str | float = "",
    easting: str | float = "",
    northing: str | float = "",
    location: str = "",
    view: str = "",
) -> CameraMoved:
    """The same camera hangs elsewhere now: it keeps its key, footage and holds."""
    at = check_position(lon, lat, easting, northing)
    if at == NOWHERE:
        raise UsageError(
            "say where the camera is now: --lon and --lat, or --easting and --northing"
        )
    with context.write(Priority.SCAN) as tx:
        old = holder(tx, id)
        new = replace(
            old,
            **at._asdict(),
            location=check_text("location", location) or old.location,
            view=check_text("view", view) or old.view,
        )
        changes = differences(old, new)
        if not changes:
            raise RetentionError(f"camera {id} is there already; nothing was changed")
        metres = distance(place(old), place(new))
        whole = None if metres is None else round(metres)
        cameras.update(tx, old, new)
        fields = {"camera": old.key, "id": id, "changes": changes, "metres": whole}
        tx.append(*entry_of(context.now, "camera.moved", [old.key], **fields))
        holds = under_hold.note(context, tx, [new], "moved")[old.key]
    own = context.settings.own_controller
    return CameraMoved(describe(new, own), changes, whole, holds)


def camera_replace(
    context: Context,
    *,
    id: str,
    location: str = "",
    view: str = "",
    kind: str = "",
    custody: str = "",
    published: str = "",
    controller: str = "",
    lon: str | float = "",
    lat: str | float = "",
    easting: str | float = "",
    northing: str | float = "",
) -> CameraReplaced:
    """Another camera is under `id` from now on: a new key gets the id, the old loses it.

    The old camera counts as retired; its footage and holds stay its own, and until
    somebody rules on these they cover the new one too.  Location, kind, custody, what is
    published and the controller are the old camera's unless given, the position is not.
    """
    own = context.settings.own_controller
    said = _said(id, location, view, kind, custody, published, controller)
    place_ = check_position(lon, lat, easting, northing)
    with context.write(Priority.SCAN) as tx:
        old = holder(tx, id)
        new = replace(
            merged(_successor(old, said), said, own),
            **place_._asdict(),
        )
        at = cameras.next_instant(tx, [id], context.now)
        displace(tx, old)
        cameras.relabel(tx, {old.key: id}, {}, at)
        new = replace(new, key=cameras.insert(tx, new, at))
        tx.append(*added_entry(context.now, new, "replace"))
        tx.append(*replaced_entry(context.now, id, old, new))
        holds = under_hold.note(context, tx, [old], "replaced")[old.key]
        covering = under_hold.cover(context, tx, holds, old, new)
    return CameraReplaced(
        camera=describe(new, own),
        old=replace(describe(old, own), listed=False, retired=True),
        at=format_utc(at),
        holds=holds,
        holds_covering_both=covering,
    )


def _successor(old: Camera, said: Listed) -> Camera:
    """What a camera in the old one's place is where nothing else is said of it; its
    custody follows its kind where that is another one."""
    kind = said.kind or old.kind
    whose = old.custody if kind == old.kind else default_custody(kind)
    return replace(old, key=0, view="", custody=whose, retired=False)


def camera_retire(context: Context, *, id: str) -> CameraRetired:
    """The camera is out of use: on record, and nothing else changes.

    Its id still means it, its footage keeps its period and its holds.
    """
    with context.write(Priority.SCAN) as tx:
        old = holder(tx, id)
        if old.retired:
            raise RetentionError(f"camera {id} is retired already")
        new = replace(old, retired=True)
        cameras.update(tx, old, new)
        fields = {"camera": old.key, "id": id}
        tx.append(*entry_of(context.now, "camera.retired", [old.key], **fields))
        holds = under_hold.note(context, tx, [old], "retired")[old.key]
    return CameraRetired(describe(new, context.settings.own_controller), holds)


def camera_renumber(
    context: Context,
    *,
    old: str | None = None,
    new: str | None = None,
    file: str | None = None,
    data: str | None = None,
) -> CamerasRenumbered:
    """Give a camera another id, or many at once from a file: all of them or none.

    `data` is the file's content in base64.  Ids may be exchanged within one file.  RetentionError names every bad pair with its
    line.
    """
    own = context.settings.own_controller
    if (file is None) == (old is None or new is None) or (file and (old or new)):
        raise UsageError("say either OLD and NEW or --file FILE")
    name = None if file is None else Path(file).name
    if file is not None:
        pairs = read_pairs(unpacked(file, data or ""), Path(file).name)
    else:
        pairs = [Typed(0, str(old), str(new))]
    with context.write(Priority.SCAN) as tx:
        renumbering = judge(tx, pairs, name)
        at = renumbering.apply(tx, context.now)
        for one in renumbering.entries(context.now):
            tx.append(*one)
        holds = under_hold.note(context, tx, renumbering.renamed(), "renumbered")
    return CamerasRenumbered(
        renumbered=[
            RenumberedCamera(
                key=renumbering.cameras[pair.old].key,
                old=pair.old,
                new=pair.new,
                location=renumbering.cameras[pair.old].location,
                holds=holds[renumbering.cameras[pair.old].key],
            )
            for pair in pairs
        ],
        displaced=[describe(one, own) for one in renumbering.displaced.values()],
        at=format_utc(at),
    )


def camera_import(
    context: Context,
    *,
    file: str,
    data: str,
    columns: str | None = None,
    propose: bool | None = None,
    controller: str | None = None,
) -> ListImported | PairsProposed:
    """Import a published list (CSV or GeoJSON) in one transaction, or with `propose` only suggest
    renumberings: `text` is then a file of them for a person to edit.

    `data` is the file's content in base64, `file` its name.  `controller`: the list is
    that one's; rows that say they are another's are left out, and so are its cameras.

    Rows too far from the camera of their id are refused and reported; the rest is
    imported.  Cameras that the list lacks become unlisted, nothing else.
    """
    content = unpacked(file, data)
    found = read_cameras(
        content, Path(file).name, None if columns is None else parse_columns(columns)
    )
    whose = check_controller(controller or "")
    rows = of_list(found.cameras, whose)
    rows = [one._replace(controller=one.controller or whose) for one in rows]
    own = context.settings.own_controller
    origin = Origin(context.now, hashlib.sha256(content).hexdigest(), own, whose)
    about: dict[str, Any] = {
        "file": file,
        "sha256": origin.sha256,
        "encoding": found.encoding,
        "columns": found.columns,
        "ignored_columns": found.ignored,
        "cameras": len(rows),
    }
    if propose:
        with context.catalogue.read() as tx:
            pairs, unpaired, appeared = suggest(tx, rows, origin)
        return PairsProposed(
            **about,
            text=write_pairs(pairs).decode() if pairs else None,
            pairs=[_suggestion(pair) for pair in pairs],
            unpaired=unpaired,
            appeared=appeared,
            notes=found.notes,
        )
    with context.write(Priority.SCAN) as tx:
        answer, entries = take(tx, rows, origin)
        for one in entries:
            tx.append(*one)
    answer["notes"] = found.notes + answer["notes"]
    return ListImported(**about, **answer)


def _suggestion(pair: Pair) -> PairProposed:
    return PairProposed(
        old=pair.old.id,
        new=pair.new.id,
        metres=None if pair.metres is None else round(pair.metres, 1),
        apply=pair.sure,
        why=pair.why,
        old_location=pair.old.location,
        new_location=pair.new.location,
    )
