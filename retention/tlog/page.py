"""The page by which a checkpoint is handed to somebody else, and how it is read back.

A page is text for people around the signed note.  It is read back from wherever it ended
up: a mail (quoted, indented, other line ends), a file, a note without anything around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import fill
from typing import NamedTuple

from retention.model.errors import VerificationError
from retention.tlog import note

WIDTH = 72
"""Characters of a line, but for the note's own: mail programs break longer ones."""

_BEGIN = "-" * 20 + " checkpoint " + "-" * 20
_END = "-" * len(_BEGIN)

# Mail programs break long lines, and write other dashes.
_SIGNED = r"(?:\u2014|\u2013|--?) [^\s+]+\s[A-Za-z0-9+/]+(?:\n[A-Za-z0-9+/]+)*={0,2}\n"
_NOTE = re.compile(
    r"^(?P<text>\S[^\n]*\n[0-9]+\n[A-Za-z0-9+/]{43}=\n)\n"
    rf"(?P<lines>(?:{_SIGNED})+)",
    re.MULTILINE,
)
_SIZE = re.compile(r"[0-9]{1,18}")
_ROOT = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(_SIGNED)


class Handed(NamedTuple):
    """What a page says: the signed note, the key's fingerprint, when the last entry
    under it was written (as text for people; empty where that is not known)."""

    note: str
    fingerprint: str
    written: str


def grouped(root: bytes) -> list[str]:
    """A root for paper: 64 hex digits in groups of four, on two lines."""
    digits = root.hex()
    groups = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    return [" ".join(groups[:8]), " ".join(groups[8:])]


def page(handed: Handed) -> str:
    """The page: fits on a sheet and in a mail."""
    found = note.unverified(handed.note.encode())
    first, second = grouped(found.root)
    written = handed.written or "not known"
    what, keep, use = (
        fill(text, WIDTH)
        for text in (
            "What this is. Whoever has this page can tell, for ever and without trusting "
            f"anybody at the site, whether any of these {found.size} entries was changed, "
            "removed or put elsewhere later. What was written after it, this page does "
            "not cover.",
            "What to do with it. Keep it where the site's administrators can't change it: "
            "file the mail, or print it. Note the fingerprint apart from it, from "
            "somebody who read it off the machine itself.",
            "How to use it. Save this page as a file, get a copy of the published log (a "
            "directory), and type",
        )
    )
    return f"""\
CHECKPOINT OF AN AUDIT LOG OF CCTV FOOTAGE

log          {found.origin}
entries      {found.size} (numbers 0 to {found.size - 1})
last entry   {written}
root         {first}
             {second}
key          fingerprint {handed.fingerprint}

{_BEGIN}
{handed.note}{_END}

{what}

{keep}

{use}

  retention audit verify DIRECTORY \\
      --key "{handed.fingerprint}" \\
      --since FILE

or, from paper, instead of FILE, all of the root as it stands above:

      --since "{found.size} {first[:9]} ..."

"Intact" means that the log still begins with exactly these entries. Any
other answer: keep both, and ask why.
"""


def on_paper(text: str) -> tuple[int, bytes] | None:
    """Entries and root as somebody typed them from a page; None for anything else."""
    size, _, root = text.strip().partition(" ")
    digits = re.sub(r"\s", "", root).lower()
    if not _SIZE.fullmatch(size) or not _ROOT.fullmatch(digits):
        return None
    return int(size), bytes.fromhex(digits)


def notes_in(data: bytes) -> list[bytes]:
    """The signed notes that are in a text: as they were signed, whatever a mail did
    around them.  VerificationError where there is none."""
    if len(data) > 16 * note.SIZE_LIMIT:
        raise VerificationError("it is too large for a page with a checkpoint")
    try:
        note.unverified(data)
    except VerificationError:
        pass
    else:
        return [data]
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    found = [
        f"{one['text']}\n{''.join(_lines(one['lines']))}".encode()
        for one in _NOTE.finditer(_unquoted(text))
    ]
    if not found:
        raise VerificationError(
            "there is no checkpoint in it: log, size and root, an empty line, and a "
            "line with the signature"
        )
    return found


def _unquoted(text: str) -> str:
    lines = (line.lstrip(" \t>|").rstrip(" \t") for line in text.split("\n"))
    return "\n".join([*lines, ""])


def _lines(text: str) -> Iterator[str]:
    """Signature lines in their one form."""
    for line in _LINE.finditer(text):
        _, name, *parts = line[0].split()
        yield f"\u2014 {name} {''.join(parts)}\n"
