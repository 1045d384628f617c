"""Parts of a root that no scan reaches, and files that do not rest, as alarms.

What is not reached may hold recordings that nobody sees, holds or deletes: a disk that
is mounted below a root, a link to a directory, a directory that can't be read.
"""

from collections.abc import Mapping

from retention.catalogue import unread
from retention.catalogue.db import Transaction
from retention.control import alarms, guards
from retention.control.alarms import Condition
from retention.footage.ingest.intake import Parts
from retention.model.localtime import counted
from retention.model.values import DAY, Micros
from retention.tlog.canonical import path_text


def restless(parts: Parts, now: Micros) -> list[bytes]:
    """Files that are written on long after they should be done."""
    return sorted(parts.waiting.restless(now - parts.owners.max_length - DAY))


def settle(
    tx: Transaction,
    parts: Parts,
    unreached: Mapping[bytes, str],
    restless: list[bytes],
    now: Micros,
) -> None:
    """The last step of a whole scan's transaction: what of the root it did not reach, by
    path with the reason, and the files that do not rest."""
    reasons: dict[str, list[bytes]] = {}
    for path, why in sorted(unreached.items()):
        reasons.setdefault(why, []).append(path)
    said = {
        guards.UNREACHED: "; ".join(
            f"{_some(paths)} ({why})" for why, paths in reasons.items()
        ),
        guards.RESTLESS: f"{counted(len(restless), 'file')} still being written, a day "
        f"or more after the longest a recording may be: {_some(restless)}"
        if restless
        else "",
    }
    since: dict[int, Micros] = {}
    for owned in map(parts.owners.whose, restless):
        if owned is not None and owned.slot.camera is not None:
            camera, start = owned.slot.camera.key, owned.starts[0]
            since[camera] = min(start, since.get(camera, start))
    unread.note_writing(tx, parts.root.key, since)
    root = parts.root.name
    for name, detail in said.items():
        found = {root: Condition(detail)} if detail else {}
        alarms.settle(tx, now, name, found, root=root)


def _some(paths: list[bytes]) -> str:
    """As many by name as a hold's answer names."""
    shown = ", ".join(
        path_text(path) or "the root itself" for path in paths[: unread.MOST]
    )
    more = len(paths) - unread.MOST
    return f"{shown} and {more:,} more" if more > 0 else shown
