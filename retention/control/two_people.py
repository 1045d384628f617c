"""Where two people must agree: who the first may be, and who can be the second.

Who asks and who agrees differ in uid and in login uid (design, section 11), root is
neither, and whoever's login is not known can't be told from another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from retention.control import members
from retention.control.rules import Rules, not_another
from retention.model.errors import NotPermittedError
from retention.model.values import Actor
from retention.site.caller import UNSET_LOGIN, name_of

if TYPE_CHECKING:
    from retention.site.settings import Settings

NOT_AS_ROOT = "not as root: run it again without sudo"


class Asked(Protocol):
    """What is kept of the first of the two."""

    @property
    def uid(self) -> int: ...
    @property
    def login(self) -> int: ...
    @property
    def name(self) -> str: ...


def refuse_root(actor: Actor) -> None:
    """NotPermittedError for root, who is nobody in particular."""
    if actor.uid == 0:
        raise NotPermittedError(NOT_AS_ROOT)


def refuse_unknown_login(actor: Actor, rules: Rules) -> None:
    """NotPermittedError where it is not known who logged in, and that must be."""
    if rules.require_login_uid and actor.login == UNSET_LOGIN:
        raise NotPermittedError(
            "it is not known who logged in, so that two people could not be told apart: "
            "log in at the machine or by ssh and run it again; what cron, a service or a "
            "container starts has no login. A system without systemd sets "
            "require_login_uid = false"
        )


def refuse_same(actor: Actor, asked: Asked, rules: Rules, what: str, so: str) -> None:
    """NotPermittedError where `actor` is, or may be, who asked for `what`; `so` says
    what that leaves as it is."""
    why = not_another(rules, asked.uid, asked.login, actor)
    if rules.two_people and why is not None:
        raise NotPermittedError(
            f"{asked.name} asked for {what}, and another person must approve it: {why}. "
            f"{so}"
        )


def person(uid: int, name: str | None = None) -> str:
    """A user's name as it is shown; by number where the system knows none."""
    return name or name_of(uid) or f"uid {uid}"


def approvers(settings: Settings, requester: str) -> list[str]:
    """The supervisors who can approve what `requester` asked for."""
    return others(members.of(settings, "supervisor"), requester)


def others(supervisors: list[str], requester: str) -> list[str]:
    """Those who can approve what `requester` asked for: root never can."""
    return [name for name in supervisors if name not in ("root", requester)]
