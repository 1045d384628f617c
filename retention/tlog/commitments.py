"""Owns committed fields: a digest in the log, the value in a table beside it.

The form is a disclosure of SD-JWT (RFC 9901): base64url of the JSON array [salt, name,
value], with a salt of 128 bits; the digest is base64url of SHA-256 over that text.
"""

import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeAlias

from retention.tlog.canonical import base64url, decode, encode, from_base64url

Random: TypeAlias = Callable[[int], bytes]
"""So many random bytes."""

SALT_BYTES = 16

ACTOR_NAME = "actor.name"
"""The name under which an actor's name is committed to."""


def disclose(name: str, value: Any, random: Random = secrets.token_bytes) -> str:
    """A new disclosure of `value` under `name`, with a salt of its own."""
    salt = base64url(random(SALT_BYTES))
    return base64url(encode([salt, name, value]))


def digest(disclosure: str) -> str:
    """What goes into the entry in place of the value."""
    return base64url(sha256(disclosure.encode()).digest())


def opened(disclosure: str, name: str, committed: str) -> Any:
    """The value, if the disclosure is the one that was committed to under `name`.

    Raises ValueError where it is another, or is none at all.
    """
    if digest(disclosure) != committed:
        raise ValueError(f"the disclosure of {name} is not the one committed to")
    found = decode(from_base64url(disclosure))
    if not isinstance(found, list) or len(found) != 3 or found[1] != name:
        raise ValueError(f"the disclosure of {name} is of another field")
    return found[2]
