"""Which key a published log must be signed with, as the auditor gives it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from retention.model.errors import UsageError, VerificationError
from retention.tlog import note
from retention.tlog.canonical import UNREADABLE, decode, from_base64url
from retention.tlog.directory import Published
from retention.tlog.entry import origin
from retention.tlog.note import Verifier


def verifier_of(
    key: str, published: Published | None = None, offered: str | None = None
) -> Verifier:
    """The key that somebody gave: as a file, as text, or as the fingerprint on paper.

    With a fingerprint the key itself comes from the directory, or is the one `offered`
    by what is to be checked, and must have it.  Raises UsageError for what is none of these, VerificationError for another key.
    """
    if (asked := note.as_fingerprint(key)) is not None:
        found = [offered] if offered else []
        found += keys_in(published) if published else []
        for text in found:
            if note.fingerprint(text) == asked:
                return note.parse_vkey(text)
        if published is not None and not found:
            raise VerificationError(
                f"{published.directory} names no key of a log: is it a published one?"
            )
        others = " and ".join(sorted({note.fingerprint(text) for text in found}))
        raise VerificationError(
            f"no key with the fingerprint {asked} is there"
            + (f": it is {others}, another log or another key" if others else "")
        )
    try:
        text = Path(key).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        if "+" not in key:
            raise UsageError(
                f"{key!r} is neither a file, nor a verifier key, nor a fingerprint of 16 "
                "digits"
            ) from None
        return note.parse_vkey(key.strip())
    if "+" in text and "\n" not in text:
        return note.parse_vkey(text)
    if note.as_fingerprint(text) is None:
        raise UsageError(f"{key} holds neither a verifier key nor a fingerprint")
    return verifier_of(text, published, offered)


def named_key(published: Published) -> str:
    """The verifier key that a directory itself names; VerificationError."""
    for text in keys_in(published):
        with suppress(UsageError):
            return note.parse_vkey(text).vkey
    raise VerificationError(f"{published.directory} names no key of its log")


def keys_in(published: Published) -> list[str]:
    """The keys that a directory names: in its file, and in the log's first entry."""
    key = published.key()
    found = [] if key is None else [key]
    try:
        entry = decode(published.entry(0).data)
        public = from_base64url(entry["fields"]["public_key"])
        found.append(note.vkey(origin(entry), public))
    except (*UNREADABLE, UsageError, VerificationError):
        pass  # damaged: then only the file can have it
    return found
