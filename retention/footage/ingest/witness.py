"""When each directory of a root was last looked at: that tells when a file arrived.

One instant stands for the whole walk, its start; only directories that failed or were
not reached in it have one of their own.  Looks by a clock that is not believed do not
count.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from retention.catalogue.db import get_fact, put_fact
from retention.catalogue.roots import Root
from retention.footage.ingest.seen import Met
from retention.model.layouts.presets import Preset
from retention.model.values import Micros
from retention.tlog.canonical import path_bytes, path_text

_FACT = "scan.witness."
_MOST = 1_000  # parts kept by name; of more, nothing at all is vouched for


class Witness:
    """The last error-free look at each directory of one root; `unrested`, by path: what was
    there at that look before this start, and not at rest, though it is older."""

    def __init__(self, rules: str = "") -> None:
        self.unrested: dict[bytes, Met] = {}
        self._walked: Micros | None = None
        self._own: dict[bytes, Micros | None] = {}
        self._rules = rules
        self._kept: object = None

    def load(self, tx: Connection, root: Root | None, slack: Micros) -> None:
        """Take up what is known from before the start.

        A file that was there at that look but had not been quiet for `slack` is in no
        row, nor are the `unrested`.  Nothing is known where another layout was read by
        then.
        """
        if root is None or root.adopted is None:
            return
        self._kept = kept = get_fact(tx, f"{_FACT}{root.key}")
        if kept is None or kept["rules"] != self._rules:
            return
        walked = root.scanned if kept["at"] is None else kept["at"]
        if walked is not None:
            self._walked = walked - slack
            self._own = dict.fromkeys(map(path_bytes, kept["unread"]))
            known = kept.get("unrested", ())
            self.unrested = {path_bytes(path): Met(*met) for path, *met in known}

    def at(self, path: bytes, now: Micros) -> Micros | None:
        """The last look at a directory; None where there was none, or only one by a
        clock that was ahead of `now`."""
        found = self._own.get(path, self._walked)
        return None if found is None or found > now else found

    def as_it_is(self) -> "Witness":
        """What it says now, whatever is looked at from here on."""
        kept = Witness(self._rules)
        kept._walked, kept._own = self._walked, dict(self._own)
        return kept

    def met(self, path: bytes, above: Micros | None) -> None:
        """A directory was met for the first time: it was not there, or not listed, at
        the last look at the one `above` it."""
        self._own.setdefault(path, above)

    def failed(self, path: bytes, *, elsewhere: bool = False) -> None:
        """It could not be read now.  On another device (`elsewhere`) is another
        directory of that name, of which no look says anything."""
        self._own[path] = None if elsewhere else self._own.get(path, self._walked)

    def read(self, path: bytes) -> None:
        """What was new in it is committed: from now on it goes with the walk."""
        self._own.pop(path, None)

    gone = read

    def walked(self, now: Micros, left: Iterable[bytes]) -> None:
        """A walk by a believed clock began at `now`, and is over but for what is
        `left`."""
        for path in left:
            self._own.setdefault(path, self._walked)
        self._walked = now

    def keep(
        self, tx: Connection, root: int, now: Micros, unrested: Mapping[bytes, Met]
    ) -> None:
        """Note beside a whole walk that began at `now` what of it doesn't count, and what
        a start would take for news."""
        unread = sorted(map(path_text, self._own))
        kept: dict[str, Any] = {
            "rules": self._rules,
            "at": None if self._walked == now else self._walked,
            "unread": unread if len(unread) + len(unrested) <= _MOST else [""],
        }
        if 0 < len(unrested) <= _MOST:
            kept["unrested"] = [
                [path_text(path), *unrested[path]] for path in sorted(unrested)
            ]
        if kept != self._kept:
            put_fact(tx, f"{_FACT}{root}", kept)
            self._kept = kept


def of(preset: Preset, zone: str) -> Witness:
    """The witness for a root whose names are read so: where that changes, files that
    were passed over until then are no arrivals."""
    said = (preset.template, preset.excluded, preset.in_progress, zone)
    return Witness(hashlib.sha256(repr(said).encode()).hexdigest()[:16])
