"""Rows of cameras, roots and streams that are gone, written again as the log tells them.

A part of `control.repair`, which puts the rest of them right.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from retention.catalogue import cameras, restored, roots, streams
from retention.catalogue.entries import CatalogueSource
from retention.model.policy import BEGINNING
from retention.tlog.canonical import path_bytes
from retention.tlog.kinds import KINDS, telling
from retention.tlog.source import Query

if TYPE_CHECKING:
    from retention.catalogue.db import Transaction
    from retention.tlog.in_force import InForce


def put_cameras(tx: Transaction, said: InForce) -> None:
    """Cameras whose rows are gone are again as the log tells them.  First of all: holds
    and streams speak of them."""
    gone = said.custody.keys() - {one.key for one in cameras.everyone(tx)}
    if not gone:
        return
    for record in CatalogueSource(tx).of_kinds(_OF_CAMERAS):
        fields = record.entry["fields"]
        key = fields["old"] if record.kind == "camera.replaced" else fields["camera"]
        if key not in gone or record.is_void:
            continue
        if record.kind == "camera.added":
            restored.put_camera(tx, key, restored.camera_columns(fields))
        elif columns := restored.changed_columns(record.entry):
            restored.change_camera(tx, key, columns)
    for record in CatalogueSource(tx).backwards(Query(telling("ids"))):
        given = KINDS[record.kind].id_given(record.entry["fields"])
        if given is not None and given[0] in gone and not record.is_void:
            restored.put_id(tx, *given, record.entry["at"])


_OF_CAMERAS = tuple(
    name for name, kind in KINDS.items() if (kind.act or "").endswith("_camera")
)


def put_roots(tx: Transaction, said: InForce) -> None:
    """Roots that streams of the log lie in, under the key that those streams' rows have."""
    keys = {
        said.streams[one.key].root: one.root
        for one in streams.by_keys(tx, said.streams)
    }
    for name in {one.root for one in said.streams.values()}:
        if roots.by_name(tx, name) is not None:
            continue
        for record in reversed(
            list(CatalogueSource(tx).backwards(Query(_OF_ROOTS, f"root:{name}")))
        ):
            if record.is_void:
                continue
            fields, found = record.entry["fields"], roots.by_name(tx, name)
            if record.kind == "root.created":
                roots.put_back(
                    tx, keys.get(name), name=name, uuid=fields["uuid"],
                    path=os.fsdecode(path_bytes(fields["path"])),
                )  # fmt: skip
            elif record.kind == "root.replaced" and found is not None:
                roots.replace(tx, found, fields["new"])
            elif found is not None:
                roots.set_adopted(tx, found.key, record.entry["at"])


_OF_ROOTS = tuple(
    name for name, kind in KINDS.items() if (kind.act or "").endswith("_root")
)


def put_streams(tx: Transaction, said: InForce) -> None:
    """Streams whose rows are gone, as they were opened; they reach back as far as their
    longest recording does."""
    names = {root.name: root.key for root in roots.everyone(tx)}
    there = {one.key for one in streams.by_keys(tx, said.streams)}
    for key in sorted(said.streams.keys() - there):
        query = Query(("stream.opened",), f"stream:{key}")
        opened = (r for r in CatalogueSource(tx).backwards(query) if not r.is_void)
        fields = next(opened).entry["fields"]
        if fields["root"] in names:
            root = names[fields["root"]]
            restored.add_stream(tx, restored.stream_opened(fields, root))
            longest = streams.longest(tx, key)
            streams.raise_lengths(tx, {key: longest}, believed=True)
            tx.touch(key, BEGINNING)
