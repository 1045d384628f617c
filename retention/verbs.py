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


@dataclass(frozen=True, slots=True)
class Verb:
    """`function` is "module:name" below `retention`; `changes` needs the writer."""

    function: str
    changes: bool = False

    def resolve(self) -> Callable[..., Answer]:
        """The function itself: takes a Context and keywords, gives a JSON-able dict."""
        module, _, name = self.function.partition(":")
        function: Callable[..., Answer] = getattr(
            import_module(f"retention.{module}"), name
        )
        return function


VERBS: dict[str, Verb] = {
    "status": Verb("reports:status"),
    "plan": Verb("reports:plan"),
    "camera.list": Verb("cameras.register:camera_list"),
    "camera.show": Verb("cameras.register:camera_show"),
    "camera.add": Verb("cameras.register:camera_add", changes=True),
    "camera.import": Verb("cameras.register:camera_import", changes=True),
    "camera.renumber": Verb("cameras.register:camera_renumber", changes=True),
    "camera.moved": Verb("cameras.register:camera_moved", changes=True),
    "camera.replace": Verb("cameras.register:camera_replace", changes=True),
    "camera.retire": Verb("cameras.register:camera_retire", changes=True),
    "root.list": Verb("roots:root_list"),
    "root.adopt": Verb("roots:root_adopt", changes=True),
    "root.replace": Verb("roots:root_replace", changes=True),
    "recording.list": Verb("ingest.recordings:recording_list"),
    "recording.show": Verb("ingest.recordings:recording_show"),
    "recording.resolve": Verb("ingest.recordings:recording_resolve", changes=True),
    "hold.place": Verb("holds:hold_place", changes=True),
    "hold.list": Verb("holds:hold_list"),
    "hold.release": Verb("holds:hold_release", changes=True),
    "audit.list": Verb("audit.views:audit_list"),
    "audit.show": Verb("audit.views:audit_show"),
    "audit.verify": Verb("audit.views:audit_verify"),
    "guard.acknowledge": Verb("guards:guard_acknowledge", changes=True),
    "deletion.pause": Verb("approvals:deletion_pause", changes=True),
    "deletion.resume": Verb("approvals:deletion_resume", changes=True),
    "deletion.approve": Verb("approvals:deletion_approve", changes=True),
}


def perform(context: Context, name: str, arguments: Answer) -> Answer:
    """Do the verb `name`; RetentionError where there is none of that name."""
    if name not in VERBS:
        raise RetentionError(f"this program does not know the request {name!r}")
    return VERBS[name].resolve()(context, **arguments)
