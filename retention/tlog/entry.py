"""An entry as it is kept, wherever that is: what appending writes and verifying reads."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from retention.tlog import merkle
from retention.tlog.canonical import base64url

PREVIOUS_BYTES = 6


class Stored(NamedTuple):
    """One entry and what lies beside it.

    `disclosures` are texts by field; what was erased is not in it.  `at` and `kind` are
    the database's copies, which entries are found by; None in a published log.
    """

    number: int
    data: bytes
    rows: bytes | None = None
    disclosures: Mapping[str, str] = {}
    at: int | None = None
    kind: str | None = None


def origin(opened: Mapping[str, Any]) -> str:
    """The name of a log, which is its key's too, by its first entry."""
    fields = opened["fields"]
    return str(fields.get("origin") or f"{opened['site']}/{fields['log_id']}")


def zone(opened: Mapping[str, Any]) -> str:
    """The zone in which people at the site read times, by the first entry; UTC where it is
    not known here."""
    try:
        return ZoneInfo(str(opened["fields"]["timezone"])).key
    except (OSError, ValueError, KeyError, TypeError):
        return "UTC"


def previous(data: bytes) -> str:
    """What an entry says of the one before it: the start of that one's leaf hash.

    The tree proves the order; this finds the place where it was broken.
    """
    return base64url(merkle.leaf(data)[:PREVIOUS_BYTES])
