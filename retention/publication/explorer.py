"""Owns the log explorer: static pages beside a published log, with which a reader's own
browser checks and searches it.

The pages lie in `pages/` as they are; `words.js` is made from the kinds' declarations, so
that it says what FORMAT.md says.  They are the same for every log.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from retention.model.errors import AlteredError, PublicationError, UsageError
from retention.publication.files import PublishedFiles
from retention.tlog.declare import Footage
from retention.tlog.directory import CHECKPOINT, KEPT, KEY
from retention.tlog.kinds import KINDS
from retention.tlog.render import DURATIONS, INSTANTS
from retention.tlog.words import WORDS

PLACE = "explorer"
"""The directory of the pages, beside `tile` and `rows`."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
"""Nothing comes from elsewhere and nothing goes there: in the page, and as a header."""

SIZE_LIMIT = 150_000
"""The pages are no larger, all together (bytes)."""

_PAGES = Path(__file__).with_name("pages")
_FIRST = "index.html"
_MARK = b"cctv-retention explorer"
"""Is at the start of each of our files, of whatever version."""
_MARKED_WITHIN = 200


class PagesWritten(NamedTuple):
    """The page to open, how many files were written, and how many were there already."""

    page: Path
    written: int
    there: int


class _Beside(PublishedFiles):
    """Pages: nothing of the service hangs on them."""

    def altered(self, path: str) -> AlteredError:
        return AlteredError(f"{path} is there and is none of the explorer's pages")

    def failed(self, path: str, what: str, error: OSError) -> PublicationError:
        return PublicationError(
            f"the explorer's pages can't be {what} ({path}: {error.strerror}): see to "
            "that directory and its file system"
        )


def write(directory: Path) -> PagesWritten:
    """Put the pages beside the log in `directory`, or into an empty or new directory.

    Pages of another version are replaced; UsageError, and nothing is written, where the
    directory or a file in it is somebody else's.
    """
    _refuse(directory)
    files = _Beside(directory)
    written = 0
    wanted = {f"{PLACE}/{name}": data for name, data in pages().items()}
    there = {name: files.read(name) for name in wanted}
    for name, data in there.items():
        if data is not None and _MARK not in data[:_MARKED_WITHIN]:
            raise UsageError(
                f"{directory / name} is there and is none of the explorer's pages: move "
                "it away"
            )
    # The page that names the others comes last: a kill leaves the old one, or none.
    for name in sorted(wanted, key=lambda name: name.endswith(_FIRST)):
        if there[name] != wanted[name]:
            files.replace(name, wanted[name])
            written += 1
    files.settle()
    return PagesWritten(directory / PLACE / _FIRST, written, len(wanted) - written)


def _refuse(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise UsageError(f"{directory} is no directory: name that of a published log")
    if not directory.exists():
        if not directory.absolute().parent.is_dir():
            raise UsageError(f"{directory.parent} is not there: mount it, or make it")
        return
    names = {path.name for path in directory.iterdir()}
    if names and not names & {CHECKPOINT, KEPT, KEY, PLACE}:
        raise UsageError(
            f"{directory} holds something else than a published log: name a log, a copy "
            "of one, or an empty directory"
        )


@cache
def pages() -> dict[str, bytes]:
    """The files of the explorer, by name."""
    found = {path.name: path.read_bytes() for path in sorted(_PAGES.iterdir())}
    found[_FIRST] = found[_FIRST].replace(b"{{policy}}", POLICY.encode())
    found["words.js"] = _words().encode()
    return found


def _words() -> str:
    kinds = {
        kind.name: {
            "meaning": _plain(kind.meaning),
            "columns": list(kind.columns),
            "gives": kind.gives,
            "hold": kind.footage is Footage.HOLD,
            "keeps": kind.keeps,
        }
        for kind in KINDS.values()
    }
    said = {
        "KINDS": kinds,
        "WORDS": {name: _plain(meaning) for name, meaning in WORDS.items()},
        "INSTANTS": sorted(INSTANTS),
        "DURATIONS": sorted(DURATIONS),
    }
    lines = [f"const {name} = {_json(value)};\n" for name, value in said.items()]
    note = f"/* {_MARK.decode()}: what entries mean; made from what declares them. */\n"
    return '"use strict";\n' + note + "".join(lines)


def _plain(text: str) -> str:
    """Without the marks that FORMAT.md puts around names."""
    return text.replace("`", "").replace("*", "")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)
