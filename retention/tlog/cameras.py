"""The cameras as the log tells of them: their ids, when each meant which, and what the
register said of them last.  Pure: fed with the entries of `KINDS` in the order of the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from retention.model.errors import UsageError, VerificationError
from retention.model.values import Micros, Window
from retention.tlog.kinds import KINDS as ALL
from retention.tlog.kinds import telling
from retention.tlog.source import Believed, Record, Source

KINDS = telling("register")
"""The kinds that say which cameras there are, and what they are called."""


@dataclass(slots=True)
class _Label:
    """An id and the camera that it meant from an instant on, until another: None while
    it does."""

    id: str
    key: int
    since: Micros
    until: Micros | None = None


@dataclass(slots=True)
class LoggedCamera:
    """One camera by its key, under its last id; `added` and `retired` are when it came
    into use, and went out of it; `said` is what the register said of it last, by name, as
    far as it is on record."""

    key: int
    added: Micros
    id: str = ""
    retired: Micros | None = None
    said: dict[str, Any] = field(default_factory=dict)


class LoggedCameras:
    """What the entries that were taken say of cameras; VerificationError from `take` for
    one that can't be understood."""

    def __init__(self) -> None:
        self._labels: list[_Label] = []
        self.site: dict[str, Any] = {}
        """What the site said of itself last, by name."""
        self.by_key: dict[int, LoggedCamera] = {}

    def take(self, records: Iterable[Record]) -> None:
        """The next entries; those of other kinds, or that came back
        unsigned, do no harm."""
        for record in records:
            if record.kind not in KINDS or record.is_void:
                continue
            try:
                self._note(record.kind, record.entry["at"], record.entry["fields"])
            except (KeyError, TypeError) as error:
                raise VerificationError(
                    f"entry {record.number} can't be understood: {error!r}; run "
                    "`retention audit verify`"
                ) from error

    def _note(self, kind: str, at: Micros, fields: Mapping[str, Any]) -> None:
        if kind == "site.described":
            self.site = dict(fields)
            return
        given = ALL[kind].id_given(fields)
        key = fields["camera"] if given is None else given[0]
        one = self.by_key.setdefault(key, LoggedCamera(key, at))
        if given is not None:
            self._label(given[1], key, at)
            one.id = given[1]
        if kind == "camera.added":
            one.said |= fields
        elif kind == "camera.retired":
            one.retired = at
        elif kind == "camera.replaced":
            old = fields["old"]
            self.by_key.setdefault(old, LoggedCamera(old, at)).retired = at
        for name, (_, new) in fields.get("changes", {}).items():
            one.said[name] = new

    def _label(self, id: str, key: int, at: Micros) -> None:
        """The camera loses the id that it had, and the id the camera that it meant."""
        for one in self._labels:
            if one.until is None and (one.id == id or one.key == key):
                one.until = at
        self._labels.append(_Label(id, key, at))

    def controller(self, key: int) -> str:
        """Whose a camera is; of one that has no controller of its own, the site's."""
        own = self.by_key[key].said.get("controller")
        return str(own or self.site.get("controller") or "")

    def of_controller(self, whose: str) -> frozenset[int]:
        """The cameras of a controller, in capitals or not; UsageError where there are
        none."""
        named = {key: self.controller(key) for key in self.by_key}
        words = whose.casefold()
        found = frozenset(key for key, one in named.items() if one.casefold() == words)
        if not found:
            there = ", ".join(sorted(set(filter(None, named.values())))) or "none"
            raise UsageError(
                f"no camera of this log is meant by controller {whose[:100]!r}: the "
                f"controllers are {there}"
            )
        return found

    @property
    def names(self) -> dict[int, str]:
        """The last id of each camera."""
        return {one.key: one.id for one in self.by_key.values() if one.id}

    def name(self, key: int) -> str:
        """The last id of a camera; of one that the log gives none, its key as `#17`."""
        one = self.by_key.get(key)
        return one.id if one is not None and one.id else f"#{key}"

    def key(self, id: str) -> int:
        """The camera that has the id at the end of the log; UsageError for none."""
        found = [one for one in self._labels if one.id == id]
        if not found:
            raise UsageError(f"no camera has ever had the id {id}, says this log")
        if found[-1].until is not None:
            raise UsageError(f"no camera has the id {id} any more, says this log")
        return found[-1].key

    def meant(self, id: str, window: Window) -> set[int]:
        """The cameras that had the id in that time, and the one that has it at the end;
        the first to have it always had it."""
        labels = [one for one in self._labels if one.id == id]
        found = {
            one.key
            for number, one in enumerate(labels)
            if one.until is None
            or ((number == 0 or one.since < window.end) and window.start < one.until)
        }
        if not found:
            raise UsageError(f"no camera is or was called {id!r} in this log")
        return found


def logged(source: Source | Believed) -> LoggedCameras:
    """All that a log says of cameras; errors as `LoggedCameras.take`."""
    known = LoggedCameras()
    known.take(source.of_kinds(KINDS))
    return known
