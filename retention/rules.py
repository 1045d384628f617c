"""What is in force of the rules that guard evidence: settings may only strengthen them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from retention.model import Micros

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from retention.settings import Settings


class Rules(NamedTuple):
    """Who must agree to a release, and how long footage then stays (micros)."""

    two_people: bool
    require_login_uid: bool
    cooling_off: Micros


def effective(tx: Connection, settings: Settings) -> Rules:
    """The rules in force."""
    own = settings.retention
    return Rules(
        own.release_requires_two_people, own.require_login_uid, own.cooling_off
    )
