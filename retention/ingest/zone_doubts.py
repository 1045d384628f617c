"""Streams whose times are in doubt, as sentences for people (design, section 5)."""

from collections.abc import Container

from sqlalchemy import Connection

from retention.catalogue import roots, streams
from retention.catalogue.db import get_fact
from retention.ingest.placing import ZONE_FOUND
from retention.localtime import format_duration


def sentences(tx: Connection, cameras: Container[int] | None = None) -> list[str]:
    """One sentence a stream in doubt, of all cameras or of these (by key)."""
    names = {row.key: row.name for row in roots.everyone(tx)}
    found = []
    for stream in streams.everyone(tx):
        if stream.quarantined is None:
            continue
        if cameras is not None and stream.camera not in cameras:
            continue
        offset = get_fact(tx, f"{ZONE_FOUND}{stream.key}")
        out = "wrong" if offset is None else f"{format_duration(abs(offset))} out"
        found.append(
            f"times of {names[stream.root]}/{stream.name} look {out}: check the "
            "root's timezone, then rule with `retention recording resolve`"
        )
    return found
