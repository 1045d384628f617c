"""Texts that people type, as they go on record: one line that prints, of bounded length."""

import unicodedata

from retention.model.errors import UsageError

LONGEST = 500
"""Characters of one text: it goes on record for years, and is no place for a report."""

_REFUSED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode categories that a terminal or a reader could be misled by."""


def text_of(name: str, text: str | None) -> str:
    """A text as it is stored: without outer blanks, "" where none was given.

    UsageError where it is too long, or has characters that do not print.
    """
    plain = (text or "").strip()
    if len(plain) > LONGEST:
        raise UsageError(
            f"the {name} has {len(plain)} characters, {LONGEST} is the most: say it "
            "shorter"
        )
    for character in plain:
        if unicodedata.category(character) in _REFUSED:
            raise UsageError(
                f"the {name} contains the character U+{ord(character):04X}, which does "
                "not print: type it again on one line"
            )
    return plain


def reason_of(reason: str | None, why: str) -> str:
    """The reason for an act; UsageError where there is none, with what it is asked for."""
    text = text_of("reason", reason)
    if not text:
        raise UsageError(f"say why {why}, with --reason: it goes on record")
    return text
