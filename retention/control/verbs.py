"""The one table of verbs: all that can be asked for, who may, and how it is done.

The functions are named, not imported: one verb loads only what it needs, and
`retention --help` loads none of it; so the table stands below the rooms that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from retention.site.caller import ROLE as OFFLINE

OPERATOR = "operator"
SUPERVISOR = "supervisor"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"
ROLES = (OPERATOR, SUPERVISOR, AUDITOR, ADMINISTRATOR)

_KEEP = (OPERATOR, SUPERVISOR, ADMINISTRATOR)
"""What only keeps footage is for all who work with it, whatever their part."""
_CONTROL_ROOM = (OPERATOR, SUPERVISOR)
_ADMIN = (ADMINISTRATOR,)
_SUPER = (SUPERVISOR,)

QUICK = 5
PATIENT = 20
"""A hold's answer waits for files that are being unlinked, and for a look at the disks."""
LONG = 3600
"""What grows with the archive or the log."""


_REPORTS = (
    "summary deletions holds compliance coverage exceptions seizures access foi "
    "certificate"
)


def resolve(place: str) -> Callable[..., Any]:
    """The function at "module:name" below `retention`."""
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"retention.{module}"), name)
    return function


@dataclass(frozen=True, slots=True)
class Verb:
    """`function` is "module:name" below `retention`, `roles` are who may ask for it.

    `changes`: it changes something, and the audit log is published with it before it is
    answered; not where the argument named `trial` says only to look what it would do.
    `keeps`: it only keeps footage, and is done even on a full disk.  `mends`: what is
    missing where the log is published is written again.
    `seconds`: how long its answer may take before a caller gives up.
    """

    function: str
    roles: tuple[str, ...] = ROLES
    seconds: int = QUICK
    changes: bool = False
    keeps: bool = False
    mends: bool = False
    trial: str = ""

    def resolve(self) -> Callable[..., Any]:
        """The function itself: takes a Context and keywords, gives the frozen dataclass
        of `model/answers` that its signature names."""
        return resolve(self.function)


def _act(
    function: str, roles: tuple[str, ...], seconds: int = QUICK, **more: Any
) -> Verb:
    return Verb(function, roles, seconds, changes=True, **more)


VERBS: dict[str, Verb] = {
    "status": Verb("reports.status:status", seconds=LONG),
    "plan": Verb("reports.plan:plan", seconds=LONG),
    "camera.list": Verb("register.register:camera_list"),
    "camera.show": Verb("register.register:camera_show"),
    "camera.publish": Verb("register.publishing:camera_publish"),
    "camera.reconcile": Verb("register.reconciling:camera_reconcile", seconds=LONG),
    "camera.add": _act("register.register:camera_add", _ADMIN),
    "camera.amend": _act("register.register:camera_amend", _ADMIN),
    "camera.import": _act(
        "register.register:camera_import", _ADMIN, LONG, trial="propose"
    ),
    "camera.renumber": _act("register.register:camera_renumber", _ADMIN),
    "camera.moved": _act("register.register:camera_moved", _ADMIN),
    "camera.replace": _act("register.register:camera_replace", _ADMIN),
    "camera.retire": _act("register.register:camera_retire", _ADMIN),
    "camera.assign": _act(
        "register.assigning:camera_assign", _ADMIN, LONG, trial="dry_run"
    ),
    "root.list": Verb("footage.roots_of_site:root_list"),
    "root.adopt": _act("footage.roots_of_site:root_adopt", _ADMIN, LONG),
    "root.replace": _act(
        "deletion.replacements:root_replace", (ADMINISTRATOR, SUPERVISOR), LONG
    ),
    "recording.list": Verb("footage.ingest.recordings:recording_list", seconds=LONG),
    "recording.show": Verb("footage.ingest.recordings:recording_show"),
    "recording.resolve": _act(
        "footage.ingest.recordings:recording_resolve", _SUPER, LONG
    ),
    "recording.requests": Verb("footage.ingest.ruling_requests:recording_requests"),
    "recording.approve": _act(
        "footage.ingest.ruling_approvals:recording_approve", _SUPER, LONG
    ),
    "recording.reject": _act("footage.ingest.ruling_requests:recording_reject", _SUPER),
    "hold.place": _act(
        "holds.place:hold_place", _KEEP, PATIENT, keeps=True, trial="dry_run"
    ),
    "hold.list": Verb("holds.views:hold_list"),
    "hold.show": Verb("holds.views:hold_show", seconds=PATIENT),
    "hold.extend": _act("holds.change:hold_extend", _CONTROL_ROOM, PATIENT, keeps=True),
    "hold.amend": _act("holds.change:hold_amend", _CONTROL_ROOM),
    "hold.review": _act("holds.change:hold_review", _CONTROL_ROOM),
    "hold.release": _act("holds.release:hold_release", _CONTROL_ROOM),
    "hold.approve": _act("holds.release:hold_approve", _SUPER),
    "hold.reject": _act("holds.release:hold_reject", _SUPER),
    "hold.reinstate": _act("holds.release:hold_reinstate", _SUPER, PATIENT, keeps=True),
    "policy.show": Verb("control.periods:policy_show", seconds=LONG),
    "policy.approve": _act("control.approvals:policy_approve", _SUPER),
    "policy.reject": _act("control.approvals:policy_reject", _SUPER),
    "audit.list": Verb("reports.audit:audit_list", seconds=LONG),
    "audit.show": Verb("reports.audit:audit_show"),
    "audit.find": Verb("reports.audit:audit_find", seconds=LONG),
    "audit.balance": Verb("reports.audit:audit_balance", seconds=LONG),
    "audit.verify": Verb("reports.verify:audit_verify", seconds=LONG),
    "audit.prove": Verb("reports.audit:audit_prove", seconds=LONG),
    "audit.checkpoint": Verb("reports.audit:audit_checkpoint"),
    "audit.key": Verb("reports.audit:audit_key"),
    "audit.publish": _act("reports.audit:audit_publish", _ADMIN, LONG, mends=True),
    **{
        f"report.{name}": Verb(f"reports.report:report_{name}", seconds=LONG)
        for name in _REPORTS.split()
    },
    "report.holds_open": _act(
        "reports.report:report_holds_open", (SUPERVISOR, AUDITOR, ADMINISTRATOR), LONG
    ),
    "report.rebuild": Verb(
        "reports.report:report_rebuild", (AUDITOR, ADMINISTRATOR), seconds=LONG
    ),
    "alarm.list": Verb("control.acknowledge:alarm_list"),
    "alarm.show": Verb("control.acknowledge:alarm_show"),
    "alarm.acknowledge": _act(
        "control.acknowledge:alarm_acknowledge", (SUPERVISOR, ADMINISTRATOR)
    ),
    "guard.acknowledge": _act("control.acknowledge:guard_acknowledge", _ADMIN),
    "schema.repair": _act(
        "control.repair:schema_repair", (ADMINISTRATOR, SUPERVISOR), keeps=True
    ),
    "schema.successor": _act("control.successor:schema_successor", _ADMIN),
    "schema.successor_approve": _act(
        "control.successor:schema_successor_approve", _SUPER
    ),
    "schema.successor_reject": _act(
        "control.successor:schema_successor_reject", _SUPER
    ),
    "schema.successor_holds": _act("control.successor:schema_successor_holds", _SUPER),
    "deletion.pause": _act("control.approvals:deletion_pause", _KEEP, keeps=True),
    "deletion.resume": _act(
        "control.approvals:deletion_resume", (SUPERVISOR, ADMINISTRATOR)
    ),
    "deletion.approve": _act("control.approvals:deletion_approve", _SUPER),
}


def may_ask(role: str, verb: str) -> bool:
    """Whether a role allows `verb`; offline whoever may open the closed catalogue."""
    return role == OFFLINE or role in VERBS[verb].roles


def role_for(verb: str, roles: Collection[str]) -> str | None:
    """The role by which somebody with `roles` may ask for `verb`; None: not at all."""
    return next((role for role in VERBS[verb].roles if role in roles), None)


def refusal(verb: str, roles: Collection[str], name: str, uid: int) -> str:
    """Why `role_for` gave None, and what to do about it."""
    command = "retention " + verb.replace(".", " ").replace("_", " --")
    allowed = VERBS[verb].roles
    needed = " or ".join(
        part for part in (", ".join(allowed[:-1]), *allowed[-1:]) if part
    )
    if uid == 0 and ADMINISTRATOR not in allowed:
        return (
            f"`{command}` is not for root, who is administrator and nothing more: run "
            "it again without sudo, under your own name"
        )
    if not roles:
        return (
            f"{name} has no role here, and `{command}` needs that of {needed}: ask an "
            "administrator to add you to its group. This was put on record"
        )
    return (
        f"`{command}` needs the role {needed}, and {name} is {' and '.join(roles)}: ask "
        "somebody who has it. This was put on record"
    )
