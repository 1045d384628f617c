"""Law *time*: among entries of a believed clock time goes forward.

A clock that was set back is met by whoever writes next; the guard *clock*, which says so,
comes within a round of it.  So an entry that lies behind waits for that word, until the
clock is where it was.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from retention.model.localtime import format_duration
from retention.model.values import SECOND, Micros
from retention.tlog.lawful.laws import TIME, Verdict

BEHIND: Micros = 5 * SECOND
CLOCK = "clock"
WAITING = 100
"""So many entries that lie behind may wait for the guard's word."""


class _Behind(NamedTuple):
    entry: int
    by: Micros
    after: int


class TimeOrder:
    """Keeps the latest instant of a believed clock, and what lies behind it."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._latest: Micros | None = None
        self._of = 0
        self._believed = True
        self._behind: list[_Behind] = []
        self.unexplained = False
        """What says that a clock was set may be withheld."""

    def hear(self, number: int, entry: dict[str, Any]) -> None:
        """The next entry."""
        at: Micros = entry["at"]
        kind, fields = entry["kind"], entry["fields"]
        if kind.startswith("guard.") and fields.get("guard") == CLOCK:
            self._behind.clear()  # it was said
            self._believed = kind == "guard.cleared"
            if self._believed:
                self._latest, self._of = at, number
        elif self._believed:
            self._dated(number, at)

    def _dated(self, number: int, at: Micros) -> None:
        latest = at if self._latest is None else self._latest
        if at < latest - BEHIND:
            self._behind.append(_Behind(number, latest - at, self._of))
            if len(self._behind) > WAITING:
                self.end()
            return
        self.end()
        if at >= latest:
            self._latest, self._of = at, number

    def end(self) -> None:
        """Nothing more will be said of what lies behind."""
        if self.unexplained and self._behind:
            self._verdict.unchecked[TIME] += len(self._behind)
            self._behind.clear()
        for one in self._behind:
            self._verdict.broke(
                TIME, one.entry,
                f"was written {format_duration(one.by // SECOND * SECOND)} before entry "
                f"{one.after}, and no guard says that the clock was set",
            )  # fmt: skip
        self._behind.clear()
