"""Which camera has which published id, as the log itself tells it: for who has no
register."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from retention.errors import UsageError

KINDS = ("camera.added", "camera.renumbered", "camera.replaced")
"""The kinds by which ids pass; one that is retired keeps its own."""


class Labels:
    """Today's id of each camera key; entries are given in the order of the log."""

    def __init__(self, entries: Iterable[Mapping[str, Any]] = ()) -> None:
        self.ids: dict[int, str] = {}
        self.said: dict[int, int] = {}
        """The entry that gave a camera its id."""
        self._ever: set[str] = set()
        for entry in entries:
            self.one(entry["index"], str(entry["kind"]), entry["fields"])

    def one(self, number: int, kind: str, fields: Mapping[str, Any]) -> None:
        """Enter one entry of `KINDS`; others say nothing here."""
        if kind == "camera.added":
            self._pass(number, fields["camera"], fields["id"])
        elif kind == "camera.renumbered":
            self._pass(number, fields["camera"], fields["new"])
        elif kind == "camera.replaced":
            if self.ids.get(fields["old"]) == fields["id"]:
                del self.ids[fields["old"]]
            self._pass(number, fields["new"], fields["id"])

    def _pass(self, number: int, key: int, id: str) -> None:
        self.said[key] = number
        self.ids[key] = id
        self._ever.add(id)

    def key(self, id: str) -> int:
        """The camera that has this id at the end of the log; UsageError for none."""
        found = [key for key, label in self.ids.items() if label == id]
        if found:
            return found[-1]
        if id in self._ever:
            raise UsageError(f"no camera has the id {id} any more, says this log")
        raise UsageError(f"no camera has ever had the id {id}, says this log")
