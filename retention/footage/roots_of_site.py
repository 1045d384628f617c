"""The verbs of footage roots, and opening them: which disk is which, on record.

A root becomes ours in two steps: first its identity file, durably, then its row and
the entry `root.created` in one transaction.  A crash between leaves an identity of
this catalogue that no row knows; the same command again finds and uses it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection
from contextlib import suppress
from typing import TYPE_CHECKING

from retention.catalogue import raised, roots
from retention.catalogue.db import Priority, get_meta
from retention.catalogue.roots import Root
from retention.footage import kept_head
from retention.footage.handles import open_directory
from retention.footage.identity import Identity, create_identity, read_identity
from retention.footage.roots import OpenRoot, open_root, open_unverified
from retention.model.answers.root import RootList, RootShown, RootTakenIn
from retention.model.errors import RetentionError, RootUnavailableError, UsageError
from retention.model.localtime import utc_or_null

if TYPE_CHECKING:
    from retention.catalogue.db import Catalogue
    from retention.control.context import Context
    from retention.site.settings import RootSettings, Settings


def root_list(context: Context) -> RootList:
    """Every root of the configuration or the catalogue: is it there, and why not.

    `state` is "available", "not scanned yet", or why nothing in it is deleted.
    """
    with context.catalogue.read() as tx:
        rows = {row.name: row for row in roots.everyone(tx)}
        catalogue_uuid = get_meta(tx)["uuid"]
        doubts = {
            one.scope: one.detail for one in raised.everyone(tx) if one.name == "root"
        }
    settings = {setting.name: setting for setting in context.settings.root}
    found = []
    for name in sorted({*rows, *settings}):
        row = rows.get(name)
        why = _why_not(settings.get(name), row, catalogue_uuid) or doubts.get(name)
        found.append(_describe(settings.get(name), row, why))
    return RootList(found)


def _why_not(
    setting: RootSettings | None, row: Root | None, catalogue_uuid: str
) -> str | None:
    """Why a root can't be used, as far as can be seen without locking it."""
    if setting is None:
        return "not in the configuration: nothing in it is deleted; add it again"
    if row is None:
        return f"not taken in yet: run `retention root adopt {setting.name}`"
    try:
        root = open_unverified(key=row.key, name=row.name, path=setting.path)
        try:
            root.take(Identity(row.uuid, catalogue_uuid), lock=False)
        finally:
            root.close()
    except RootUnavailableError as error:
        return str(error).removeprefix(f"footage root {row.name} ({setting.path}): ")
    return None


def _describe(
    setting: RootSettings | None, row: Root | None, why: str | None
) -> RootShown:
    state = "available" if row and row.adopted is not None else "not scanned yet"
    return RootShown(
        name=setting.name if setting else row.name if row else "",
        path=str(setting.path) if setting else row.path if row else "",
        configured=setting is not None,
        available=why is None,
        state=why or state,
        uuid=row.uuid if row else None,
        adopted=utc_or_null(row.adopted if row else None),
        scanned=utc_or_null(row.scanned if row else None),
        reconciled=utc_or_null(row.reconciled if row else None),
    )


def root_adopt(context: Context, *, name: str) -> RootTakenIn:
    """Take in a root of the configuration: identity, row, entry `root.created`.

    The first complete scan then says what is in it (`root.adopted`), and nothing in
    it is deleted before.
    """
    setting = setting_of(context, name)
    with context.catalogue.read() as tx:
        row = roots.by_name(tx, name)
    if row is not None:
        raise RetentionError(
            f"footage root {name} was taken in already; `retention root list` says how "
            f"it is, and `retention root replace {name}` that another disk is there"
        )
    return _register(context, setting)


def register_roots(context: Context) -> tuple[list[RootTakenIn], dict[str, str]]:
    """Take in every root of the configuration that has no row: those, and why others
    could not be (by name).  Again is fine."""
    with context.catalogue.read() as tx:
        known = {row.name for row in roots.everyone(tx)}
    done: list[RootTakenIn] = []
    refused: dict[str, str] = {}
    for setting in context.settings.root:
        if setting.name in known:
            continue
        try:
            done.append(_register(context, setting))
        except RootUnavailableError as error:
            refused[setting.name] = str(error)
    return done, refused


def open_roots(
    catalogue: Catalogue,
    settings: Settings,
    boot_now: str,
    names: Collection[str] | None = None,
) -> tuple[list[OpenRoot], dict[str, str]]:
    """Open, verify and lock the roots; those, and why others are unavailable (by name).

    `names` are the ones to open, all by default: what is open already is locked, by
    this process too, so a daemon that tries the missing ones again names them.
    """
    with catalogue.read() as tx:
        rows = {row.name: row for row in roots.everyone(tx)}
        catalogue_uuid = get_meta(tx)["uuid"]
    configured = {setting.name: setting for setting in settings.root}
    opened: list[OpenRoot] = []
    refused: dict[str, str] = {}
    for name in sorted({*rows, *configured} if names is None else names):
        setting, row = configured.get(name), rows.get(name)
        if setting is None or row is None:
            refused[name] = _why_not(setting, row, catalogue_uuid) or ""
            continue
        try:
            opened.append(_open(setting, row, catalogue_uuid, boot_now))
        except RootUnavailableError as error:
            refused[name] = str(error)
    _note(catalogue, opened, rows, boot_now)
    return opened, refused


def _open(
    setting: RootSettings, row: Root, catalogue_uuid: str, boot_now: str
) -> OpenRoot:
    return open_root(
        key=row.key,
        name=row.name,
        path=setting.path,
        uuid=row.uuid,
        catalogue_uuid=catalogue_uuid,
        device=row.device,
        boot=row.boot,
        boot_now=boot_now,
    )


def _note(
    catalogue: Catalogue, opened: list[OpenRoot], rows: dict[str, Root], boot: str
) -> None:
    """Remember where each was found; most often that is known already."""
    moved = [
        root
        for root in opened
        if rows[root.name]
        != rows[root.name]._replace(path=str(root.path), device=root.device, boot=boot)
    ]
    if not moved:
        return
    with catalogue.write(Priority.DELETION) as tx:
        for root in moved:
            roots.note(tx, root.key, path=str(root.path), device=root.device, boot=boot)


def setting_of(context: Context, name: str) -> RootSettings:
    """What the configuration says of a root; UsageError names those that it has."""
    for setting in context.settings.root:
        if setting.name == name:
            return setting
    known = ", ".join(setting.name for setting in context.settings.root) or "none"
    raise UsageError(
        f"the configuration has no footage root {name} (it has {known}): add a [[root]] "
        "of that name first"
    )


def _register(context: Context, setting: RootSettings) -> RootTakenIn:
    new = make_identity(context, setting)
    with context.write(Priority.DELETION) as tx:
        roots.add(tx, name=setting.name, path=str(setting.path), uuid=new)
        number = tx.append(
            "root.created", root=setting.name, uuid=new, path=str(setting.path)
        )
    return RootTakenIn(
        name=setting.name,
        path=str(setting.path),
        uuid=new,
        entry=number,
    )


def make_identity(context: Context, setting: RootSettings) -> str:
    """Give the directory of a root an identity of its own; its uuid.

    One of this catalogue that no row has is what a crash left: it is used.
    """
    with context.catalogue.read() as tx:
        known = {row.uuid: row.name for row in roots.everyone(tx)}
        catalogue_uuid = get_meta(tx)["uuid"]
    device_of(setting)  # refuses a missing directory, and links in the path
    found = read_identity(setting.path)
    new = str(uuid.uuid4())
    if found is not None and found.catalogue == catalogue_uuid:
        if found.root in known:
            raise RootUnavailableError(
                f"the disk at {setting.path} is footage root {known[found.root]}: mount "
                f"the one of {setting.name} there, or correct the configuration"
            )
        new = found.root
    create_identity(setting.path, new, catalogue_uuid)
    with suppress(OSError):  # the service makes it at its next start, or says why not
        kept_head.make(open_directory(setting.path), _service(context.settings))
    return new


def _service(settings: Settings) -> tuple[int, int] | None:
    """Whose what root makes shall be: whoever has the state directory."""
    if os.geteuid() != 0:
        return None
    owner = os.stat(settings.state_directory)
    return owner.st_uid, owner.st_gid


def device_of(setting: RootSettings) -> int:
    """Number of the file system that is at a root's path now."""
    root = open_unverified(key=0, name=setting.name, path=setting.path)
    root.close()
    return root.device
