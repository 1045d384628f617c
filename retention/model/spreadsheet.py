"""Text in a CSV file that a spreadsheet would take for a formula, and back.

A leading apostrophe keeps it text.  What has one before such a character already gets
another, so that taking one off gives every text back as it was.  Pure.
"""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guarded(text: str) -> str:
    """The text as it stands in a cell; numbers are not texts and stay as they are."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell
