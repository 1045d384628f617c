"""Every verb that a command can ask for: its name, its function, whether it changes.

The functions are named, not imported: one verb loads only what it needs, and
`retention --help` loads none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from retention.errors import RetentionError

if TYPE_CHECKING:
    from retention.context import Context

Answer = dict[str, Any]

QUICK = 5
PATIENT = 20
"""A hold's answer waits for files that are being unlinked, and for a look at the disks."""
LONG = 3600
"""What grows with the archive or the log."""


@dataclass(frozen=True, slots=True)
class Verb:
    """`function` is "module:name" below `retention`.

    `changes`: it changes something.  `keeps`: it only keeps footage, and is done even on
    a full disk.  `publishes`: the audit log is published before it is answered;
    `mends`: and what is missing there is written again.
    `seconds`: how long its answer may take before a caller gives up.
    """

    function: str
    changes: bool = False
    keeps: bool = False
    publishes: bool = False
    mends: bool = False
    seconds: int = QUICK

    def resolve(self) -> Callable[..., Answer]:
        """The function itself: takes a Context and keywords, gives a JSON-able dict."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Answer] = getattr(
            import_module(f"retention.{module}"), name
        )
        return function


VERBS: dict[str, Verb] = {
    "status": Verb("reports:status", seconds=LONG),
    "plan": Verb("reports:plan", seconds=LONG),
    "camera.list": Verb("cameras.register:camera_list"),
    "camera.show": Verb("cameras.register:camera_show"),
    "camera.add": Verb("cameras.register:camera_add", changes=True),
    "camera.import": Verb("cameras.register:camera_import", changes=True, seconds=LONG),
    "camera.renumber": Verb("cameras.register:camera_renumber", changes=True),
    "camera.moved": Verb("cameras.register:camera_moved", changes=True),
    "camera.replace": Verb("cameras.register:camera_replace", changes=True),
    "camera.retire": Verb("cameras.register:camera_retire", changes=True),
    "root.list": Verb("roots:root_list"),
    "root.adopt": Verb("roots:root_adopt", changes=True, seconds=LONG),
    "root.replace": Verb("replacements:root_replace", changes=True, seconds=LONG),
    "recording.list": Verb("ingest.recordings:recording_list", seconds=LONG),
    "recording.show": Verb("ingest.recordings:recording_show"),
    "recording.resolve": Verb(
        "ingest.recordings:recording_resolve", changes=True, seconds=LONG
    ),
    "hold.place": Verb(
        "holds.place:hold_place",
        changes=True,
        keeps=True,
        publishes=True,
        seconds=PATIENT,
    ),
    "hold.list": Verb("holds.views:hold_list"),
    "hold.show": Verb("holds.views:hold_show"),
    "hold.extend": Verb(
        "holds.change:hold_extend",
        changes=True,
        keeps=True,
        publishes=True,
        seconds=PATIENT,
    ),
    "hold.amend": Verb("holds.change:hold_amend", changes=True, publishes=True),
    "hold.review": Verb("holds.change:hold_review", changes=True, publishes=True),
    "hold.release": Verb("holds.release:hold_release", changes=True, publishes=True),
    "hold.approve": Verb("holds.release:hold_approve", changes=True, publishes=True),
    "hold.reject": Verb("holds.release:hold_reject", changes=True, publishes=True),
    "hold.reinstate": Verb(
        "holds.release:hold_reinstate",
        changes=True,
        keeps=True,
        publishes=True,
        seconds=PATIENT,
    ),
    "policy.show": Verb("periods:policy_show", seconds=LONG),
    "policy.approve": Verb("approvals:policy_approve", changes=True),
    "policy.reject": Verb("approvals:policy_reject", changes=True),
    "audit.list": Verb("audit.views:audit_list", seconds=LONG),
    "audit.show": Verb("audit.views:audit_show"),
    "audit.find": Verb("ledger.views:audit_find", seconds=LONG),
    "audit.balance": Verb("ledger.views:audit_balance", seconds=LONG),
    "audit.verify": Verb("publication.live:audit_verify", seconds=LONG),
    "audit.prove": Verb("publication.handing:audit_prove", seconds=LONG),
    "audit.checkpoint": Verb("publication.handing:audit_checkpoint"),
    "audit.key": Verb("publication.handing:audit_key"),
    "audit.publish": Verb(
        "publication.handing:audit_publish",
        changes=True,
        publishes=True,
        mends=True,
        seconds=LONG,
    ),
    "guard.acknowledge": Verb("guards:guard_acknowledge", changes=True),
    "deletion.pause": Verb("approvals:deletion_pause", changes=True, keeps=True),
    "deletion.resume": Verb("approvals:deletion_resume", changes=True),
    "deletion.approve": Verb("approvals:deletion_approve", changes=True),
}


def perform(context: Context, name: str, arguments: Answer) -> Answer:
    """Do the verb `name`; RetentionError where there is none of that name."""
    if name not in VERBS:
        raise RetentionError(f"this program does not know the request {name!r}")
    return VERBS[name].resolve()(context, **arguments)
