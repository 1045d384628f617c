"""What is in force of the rules that guard evidence: settings may only strengthen them.

A weaker value in the settings proposes, and a supervisor approves (design, section 11).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from retention.catalogue.db import get_fact, put_fact
from retention.model.answers.policy import RulesShown
from retention.model.localtime import format_duration, parse_duration
from retention.model.values import SECOND, Actor, Micros
from retention.site.caller import UNSET_LOGIN

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.site.settings import RetentionSettings, Settings

_FACT = "rules"


class Rules(NamedTuple):
    """Who must agree to a release, how long footage then stays (micros), and how much
    may fall due by surprise before a person is asked (share of a root, recordings)."""

    two_people: bool
    require_login_uid: bool
    cooling_off: Micros
    deletion_limit: float
    deletion_floor: int


_NAMES = (
    "release_requires_two_people",
    "require_login_uid",
    "cooling_off",
    "deletion_limit",
    "deletion_floor",
)
"""What the settings call them, in the order of `Rules`."""

_STRONGEST = (max, max, max, min, min)


class Weaker(NamedTuple):
    """A setting that would weaken a rule, by the name that it has in the settings."""

    rule: str
    now: Any
    proposed: Any


def effective(tx: Connection, settings: Settings) -> Rules:
    """The rules in force."""
    return of(tx, settings.retention)


def of(tx: Connection, own: RetentionSettings) -> Rules:
    """The rules in force: the stronger of what was adopted and what the settings say.

    Before the first start has adopted them, they are what the settings say.
    """
    kept = get_fact(tx, _FACT) or {}
    return Rules._make(
        strongest(value, kept.get(name, value))
        for name, value, strongest in zip(_NAMES, _said(own), _STRONGEST, strict=True)
    )


def _said(own: RetentionSettings) -> tuple[Any, ...]:
    return tuple(getattr(own, name) for name in _NAMES)


def weaker(tx: Connection, own: RetentionSettings) -> list[Weaker]:
    """What the settings ask for and does not apply before a supervisor approves it."""
    return [
        Weaker(name, now, proposed)
        for name, now, proposed in zip(_NAMES, of(tx, own), _said(own), strict=True)
        if now != proposed
    ]


def adopted(tx: Connection, own: RetentionSettings) -> bool:
    """Whether `adopt` has nothing to do."""
    kept: dict[str, Any] | None = get_fact(tx, _FACT)
    return kept == _kept(of(tx, own))


def adopt(tx: Connection, own: RetentionSettings) -> dict[str, Any]:
    """Put stronger settings in force, and at the first start whatever they say.

    Returns the fields of `rules.changed`, for the caller to append.
    """
    before, now = get_fact(tx, _FACT), _kept(of(tx, own))
    put_fact(tx, _FACT, now)
    return _difference(before, now)


def weaken(tx: Connection, own: RetentionSettings, rule: str) -> dict[str, Any]:
    """Put one weaker setting in force; the fields of `rules.changed`."""
    before = _kept(of(tx, own))
    now = {**before, rule: getattr(own, rule)}
    put_fact(tx, _FACT, now)
    return _difference(before, now)


def restore(tx: Connection, new: Mapping[str, str]) -> None:
    """Put in force what `rules.changed` says, in a catalogue that is older than it."""
    said = {name: _value(name, value) for name, value in new.items() if name in _NAMES}
    put_fact(tx, _FACT, {**(get_fact(tx, _FACT) or {}), **said})


def weaker_than(tx: Connection, said: Mapping[str, str]) -> list[str]:
    """The names of the rules that are kept weaker than the log said last, or not at
    all: then the settings alone would say."""
    kept = get_fact(tx, _FACT) or {}
    return [
        name
        for name, strongest in zip(_NAMES, _STRONGEST, strict=True)
        if name in said
        and (
            name not in kept
            or strongest(kept[name], _value(name, said[name])) != kept[name]
        )
    ]


def _kept(rules: Rules) -> dict[str, Any]:
    return dict(zip(_NAMES, rules, strict=True))


def _difference(before: dict[str, Any] | None, now: dict[str, Any]) -> dict[str, Any]:
    old = before or {}
    moved = [name for name in now if name not in old or old[name] != now[name]]
    return {
        "old": {name: text(name, old[name]) for name in moved if name in old},
        "new": {name: text(name, now[name]) for name in moved},
    }


def text(name: str, value: Any) -> str:
    """A rule's value as people read it; the log takes no fractions."""
    if isinstance(value, bool):
        return str(value).lower()
    if name == "cooling_off":
        return format_duration(value) if value else "0s"
    return f"{value * 100:g}%" if name == "deletion_limit" else str(value)


def _value(name: str, shown: str) -> Any:
    """The reverse of `text`, to the precision that it shows."""
    if name == "cooling_off":
        return parse_duration(shown)
    if name == "deletion_limit":
        return float(shown.removesuffix("%")) / 100
    return int(shown) if name == "deletion_floor" else shown == "true"


def described(rules: Rules) -> RulesShown:
    """The rules as answers show them: names of the settings, durations in seconds."""
    return RulesShown(
        release_requires_two_people=rules.two_people,
        require_login_uid=rules.require_login_uid,
        deletion_limit=rules.deletion_limit,
        deletion_floor=rules.deletion_floor,
        cooling_off_seconds=rules.cooling_off // SECOND,
    )


def not_another(rules: Rules, uid: int, login: int, actor: Actor) -> str | None:
    """Why `actor` can't be the second person beside the one of `uid` and `login`.

    None where he can.  `sudo` and a second account keep the login uid, so both must
    differ; an unset one proves nothing (design, section 11).
    """
    if actor.uid == uid:
        return "it was this same account that asked"
    if UNSET_LOGIN in (login, actor.login):
        if not rules.require_login_uid:
            return None
        whose = "the first person's" if login == UNSET_LOGIN else "your"
        return (
            f"{whose} session has no login, so two people can't be told apart: log in "
            "at a terminal or by ssh as yourself, not through cron, a service or a "
            "container"
        )
    if actor.login == login:
        return "it was the same person who asked, logged in under another account"
    return None
