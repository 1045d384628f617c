"""What is handed to somebody else: proofs, checkpoints, the key; and publishing now.

The verbs audit.prove, audit.checkpoint, audit.key and audit.publish.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retention.audit import heads, log, note, proof, shown
from retention.audit.copied import LOST, is_gone, the_one
from retention.audit.directory import Published
from retention.audit.labels import KINDS as LABELS
from retention.audit.listing import listing
from retention.audit.records import INTENDED
from retention.audit.views import fates, key_today
from retention.errors import RetentionError, UsageError
from retention.localtime import format_utc, parse_instant
from retention.model import Window
from retention.publication.compare import verifier_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.context import Context

Answer = dict[str, Any]

_MOST = 200
"""Entries about one camera at one instant that are looked at."""


def audit_key(context: Context) -> Answer:
    """The key that the log's heads are signed with, and its fingerprint for paper."""
    verifier = verifier_of(context.catalogue)
    return {
        "origin": verifier.name,
        "vkey": verifier.vkey,
        "fingerprint": note.fingerprint(verifier.vkey),
    }


def audit_checkpoint(context: Context) -> Answer:
    """The newest signed head, to be handed to somebody who keeps it elsewhere.

    `written` is when the last entry under it was.
    """
    with context.catalogue.read() as tx:
        newest = heads.newest(tx)
        if newest is None:
            raise RetentionError(
                "no checkpoint was signed yet: the service signs one within a minute"
            )
        last = log.read(tx, newest.size - 1)["at"]
    return {
        **audit_key(context),
        "checkpoint": newest.note,
        "size": newest.size,
        "root": newest.frontier.root().hex(),
        "written": format_utc(last),
        "published": str(context.settings.published_log),
    }


def audit_prove(
    context: Context,
    *,
    entry: int | None = None,
    row: int | None = None,
    camera: str | None = None,
    at: str | None = None,
    disclose: list[str] | None = None,
) -> Answer:
    """The proof of one entry, or of one row of it; or of what became of the recording of
    a camera at an instant.  It shows no other row.

    `disclose` names committed fields of the entry that the proof opens.  Rows name a
    camera by its key: `label` is the entry that says which id this is.
    """
    if (entry is None) == (camera is None) or (camera is None) != (at is None):
        raise UsageError("say what to prove: an entry, or a camera and a time")
    if disclose and (row is not None or camera is not None):
        raise UsageError("fields are disclosed of an entry alone, without a row")
    settings = context.settings
    label = None
    with context.catalogue.read() as tx:
        if camera is not None and at is not None:
            instant = parse_instant(at, settings.timezone, context.now)
            window, key = Window(instant, instant + 1), key_today(tx, camera)
            entry, row = the_one(_gone(tx, key, window), camera, at)
            label = _label(tx, key)
        number = int(entry or 0)
        kind = log.read(tx, number)["kind"]
        completion = None
        if row is not None and kind == INTENDED:
            completion = log.completion(tx, number)
        texts = _disclosures(tx, number, disclose or [])
    published = Published(settings.published_log)
    vkey = verifier_of(context.catalogue).vkey
    if row is None:
        text = proof.prove_entry(published, number, vkey=vkey, disclosures=texts)
    else:
        text = proof.prove_row(published, number, row, completion=completion, vkey=vkey)
    return {
        "entry": number, "row": row, "kind": kind, "label": label, "proof": text,
    }  # fmt: skip


def _label(tx: Connection, camera: int) -> int | None:
    """The newest entry that says which id the camera has."""
    found = [
        entry["index"]
        for kind in LABELS
        for entry in listing(tx, kind=kind, camera=camera, limit=1)
    ]
    return max(found, default=None)


def _gone(tx: Connection, camera: int, window: Window) -> list[tuple[int, int]]:
    """Entry and row of each recording of that time that is on record as gone."""
    found = []
    for kind in (INTENDED, LOST):
        for entry in listing(
            tx, kind=kind, camera=camera, since=window.start, until=window.end,
            limit=_MOST,
        ):  # fmt: skip
            number = entry["index"]
            rows = log.read_rows(tx, number)
            places = shown.places(rows, camera, window) if rows else []
            became = fates(tx, number, kind) if places else None
            found += [
                (number, place)
                for place in places
                if became is None or is_gone(became.of(place)["outcome"])
            ]
    return sorted(found)


def _disclosures(tx: Connection, number: int, names: list[str]) -> dict[str, str]:
    if not names:
        return {}
    texts = log.stored(tx, number, 1)[0].disclosures
    for name in names:
        if name not in texts:
            known = ", ".join(sorted(texts)) or "none"
            raise UsageError(
                f"entry {number} has no field {name} that could be disclosed: it has "
                f"{known}"
            )
    return {name: texts[name] for name in names}


def audit_publish(context: Context) -> Answer:
    """Publish all there is under a signed head, now, and write again what is missing.

    The publishing itself is done on the way out, as for a change of a hold.
    """
    return {"directory": str(context.settings.published_log)}
