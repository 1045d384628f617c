"""Text cells of CSV that a spreadsheet takes for text: it would run what begins like a
formula.  Numbers are never touched.  Pure."""

import re

_RUN = re.compile(r"'*[=+\-@\t\r]")
_SHIELDED = re.compile(r"''*[=+\-@\t\r]")


def shielded(text: str) -> str:
    """With an apostrophe before it where it begins with = + - @, tab or line end, or
    with one that would be taken for it."""
    return f"'{text}" if _RUN.match(text) else text


def bare(cell: str) -> str:
    """The text that `shielded` was given."""
    return cell[1:] if _SHIELDED.match(cell) else cell
