"""Who may ask for what: the table of role x verb, and the one decision made by it.

Design, section 11.  A verb that is not in the table is allowed to nobody.
"""

from __future__ import annotations

from collections.abc import Collection

OPERATOR = "operator"
SUPERVISOR = "supervisor"
AUDITOR = "auditor"
ADMINISTRATOR = "administrator"

_EVERYBODY = (OPERATOR, SUPERVISOR, AUDITOR, ADMINISTRATOR)
_KEEP = (OPERATOR, SUPERVISOR, ADMINISTRATOR)
"""What only keeps footage is for all who work with it, whatever their part."""
_CONTROL_ROOM = (OPERATOR, SUPERVISOR)

TABLE: dict[str, tuple[str, ...]] = {
    "status": _EVERYBODY,
    "plan": _EVERYBODY,
    "camera.list": _EVERYBODY,
    "camera.show": _EVERYBODY,
    "camera.add": (ADMINISTRATOR,),
    "camera.import": (ADMINISTRATOR,),
    "camera.renumber": (ADMINISTRATOR,),
    "camera.moved": (ADMINISTRATOR,),
    "camera.replace": (ADMINISTRATOR,),
    "camera.retire": (ADMINISTRATOR,),
    "root.list": _EVERYBODY,
    "root.adopt": (ADMINISTRATOR,),
    "root.replace": (ADMINISTRATOR, SUPERVISOR),
    "recording.list": _EVERYBODY,
    "recording.show": _EVERYBODY,
    "recording.resolve": (SUPERVISOR,),
    "hold.place": _KEEP,
    "hold.list": _EVERYBODY,
    "hold.show": _EVERYBODY,
    "hold.extend": _CONTROL_ROOM,
    "hold.amend": _CONTROL_ROOM,
    "hold.review": _CONTROL_ROOM,
    "hold.release": _CONTROL_ROOM,
    "hold.approve": (SUPERVISOR,),
    "hold.reject": (SUPERVISOR,),
    "hold.reinstate": (SUPERVISOR,),
    "policy.show": _EVERYBODY,
    "policy.approve": (SUPERVISOR,),
    "policy.reject": (SUPERVISOR,),
    "audit.list": _EVERYBODY,
    "audit.show": _EVERYBODY,
    "audit.find": _EVERYBODY,
    "audit.balance": _EVERYBODY,
    "audit.verify": _EVERYBODY,
    "audit.prove": _EVERYBODY,
    "audit.checkpoint": _EVERYBODY,
    "audit.key": _EVERYBODY,
    "audit.publish": (ADMINISTRATOR,),
    "guard.acknowledge": (ADMINISTRATOR,),
    "deletion.pause": _KEEP,
    "deletion.resume": (SUPERVISOR, ADMINISTRATOR),
    "deletion.approve": (SUPERVISOR,),
}


def role_for(verb: str, roles: Collection[str]) -> str | None:
    """The role by which somebody with `roles` may ask for `verb`; None: not at all."""
    return next((role for role in TABLE.get(verb, ()) if role in roles), None)


def refusal(verb: str, roles: Collection[str], name: str, uid: int) -> str:
    """Why `role_for` gave None, and what to do about it."""
    command = "retention " + verb.replace(".", " ")
    allowed = TABLE.get(verb, ())
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
