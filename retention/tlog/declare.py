"""Owns how a kind of entry is declared, and the check of a new entry against it.

A declaration is text such as `@root:text oldest:int? ~reason:text`: a name, a type, `?`
where null (or left out) is allowed, `~` where the value is committed to and not shown,
`@` where it is what the entry is about, `>` where it is what the entry follows from.

A declaration also decides what every reader does with its kind: no other module lists
kinds, so that a new one is thought of everywhere at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from retention.model.errors import UsageError
from retention.tlog.canonical import integer, path_text


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a kind, or one column of its rows."""

    name: str
    type: str
    nullable: bool
    committed: bool

    def check(self, value: Any) -> Any:
        """`value` as it is written; TypeError where it is not of the type."""
        if value is None and self.nullable:
            return None
        try:
            return _TYPES[self.type](value)
        except TypeError:
            raise TypeError(
                f"{self.name} is {value!r}, should be {self.type}"
                f"{' or None' if self.nullable else ''}"
            ) from None
        except UnicodeEncodeError:
            raise UsageError(
                f"the {self.name} contains characters that are no valid text; "
                "type it again"
            ) from None


def _int(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError
    return integer(int(value))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()  # a lone surrogate has no UTF-8 form
    return str(value)


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _path(value: Any) -> str:
    return path_text(value) if isinstance(value, bytes) else _text(value)


def _list(check: Callable[[Any], Any]) -> Callable[[Any], list[Any]]:
    def checked(value: Any) -> list[Any]:
        if isinstance(value, str | bytes | Mapping):
            raise TypeError
        return [check(item) for item in value]

    return checked


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError
    return {_text(key): item for key, item in value.items()}


_TYPES: dict[str, Callable[[Any], Any]] = {
    "int": _int,
    "text": _text,
    "bool": _bool,
    "path": _path,
    "ints": _list(_int),
    "texts": _list(_text),
    "object": _object,
}


class Footage(Enum):
    """Which footage an entry speaks of, and so where it is found by camera and hour."""

    NONE = "none"
    ROWS = "the recordings in its rows"
    MOVED = "the recordings in its rows, by their new times or camera as well"
    DAYS = "all recordings of the cameras and days in its rows"
    INTENT = "the recordings in the rows of the entry that it follows from"
    HOLD = "what its hold covers"
    CAMERA = "the camera that it is about, at the time of the entry"
    REFUSED = "the cameras of its refused rows, at the time of the entry"


class Public(Enum):
    """Whether a copy for the public has an entry of a kind, and why not.

    What differs by whether footage is held, and when it is let go, tells of holds too.
    """

    YES = "yes, without rows"
    ROWS = "yes, with its rows"
    CAMERA = "where all of its camera is published, without rows"
    NUMBER = "where its camera is published, if it says a place in full, without rows"
    HOLDS = "withheld: it speaks of holds"
    PEOPLE = "withheld: it speaks of people and what they ask for"
    FOOTAGE = "withheld: by what footage is there or goes, and when, holds show"
    WORDS = "withheld: its words may speak of any of these"


TOPICS = {
    "books": "the balance of recordings, day by day",
    "cover": "what a hold covers from then on",
    "force": "what is in force: holds, periods, rules, streams, custody, doubts, rulings, a pause, alarms",
    "doubts": "which recordings are in doubt, and since when",
    "ids": "which camera has which published id",
    "register": "which cameras there are, their ids, and what the register says of them",
    "figures": "what was recorded and deleted, day by day, and what decides its lateness",
    "alive": "when the service ran",
    "guard": "when deletion was stopped",
    "late": "why a deletion was late",
    "odd": "what went otherwise with single recordings, in its rows",
    "stands": "which alarms and guards stood, and for how long",
    "site": "roots, streams and zone, for who has a copy of the log alone",
}
"""What the program reads the log for; what a kind `tells` is among these words."""

OPEN = "being deleted, until its batch is over"
RULED = "where a person put it"
"""Fates that the entry alone does not tell."""

SAME = "as before"

_NOTHING = "nothing: "
TOLD = f"{_NOTHING}it tells, and changes nothing"
AGAIN = f"{_NOTHING}people are asked again"
_RESTORE = re.compile(f"{_NOTHING}[a-z].*|(?!nothing)[a-z_]+")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entry: what it means, its fields, the columns of its rows.

    `rows` is "no", "may" or "must"; the columns stand in this order in every entry of
    the kind, for a row is hashed by position.
    """

    name: str
    meaning: str
    fields: tuple[Field, ...]
    columns: tuple[str, ...]
    rows: str
    subject: str | None
    """The field that says what an entry is about; None where that is the whole site."""
    correlation: str | None
    """The field that says which entry or request an entry follows from."""
    keeps: bool
    """It has its effect also where it came back under no signed head, so that anybody
    could have put it there: it only keeps footage."""
    restore: str
    """What a restore does with it: the name of an act, or "nothing: " and why."""
    footage: Footage
    tells: frozenset[str]
    """What it is read for: words of `TOPICS`."""
    gives: tuple[str, str] | None
    """The fields with the camera, by its key, and with the published id that it has from
    then on; None where it gives none."""
    fate: str
    """What each recording in its rows is from then on: a fate of `tlog.fates`, or `OPEN`,
    `RULED` or `SAME`; empty where its rows are no recordings."""
    by: frozenset[str]
    """The roles of those who may write it; empty: whoever has one."""
    agreed: frozenset[str]
    """The same of whoever agrees to what another asked for, by its `correlation`."""
    later: int
    """So many of its columns, the last ones, came with a newer program."""
    public: Public | None
    """Whether a copy for the public has it; None, which nobody decided, is withheld."""

    @property
    def salted(self) -> bool:
        """Its entries have something random in them: else who guesses what one says that
        is withheld could tell by its hash that he guessed right."""
        return self.public not in (Public.YES, Public.ROWS)

    @property
    def act(self) -> str | None:
        """The act by which a restore brings its effect back; None where it has none."""
        return None if self.restore.startswith(_NOTHING) else self.restore

    def split(self, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The clear fields and the committed ones; raises where they are not ours."""
        clear: dict[str, Any] = {}
        committed: dict[str, Any] = {}
        known = 0
        for field in self.fields:
            known += field.name in given
            value = field.check(given.get(field.name))
            hidden = field.committed and value is not None
            (committed if hidden else clear)[field.name] = value
        if known != len(given):
            names = {field.name for field in self.fields}
            raise TypeError(
                f"{self.name} has no field {', '.join(sorted(set(given) - names))}"
            )
        return clear, committed

    def named(self, fields: Mapping[str, Any]) -> dict[str, str]:
        """What every reader understands of an entry with these fields, whether it knows
        the kind or not: `subject` and `correlation`, each as name and value."""
        names = {"subject": self.subject, "correlation": self.correlation}
        return {
            key: f"{name}:{fields[name]}"
            for key, name in names.items()
            if name is not None and fields[name] is not None
        }

    def id_given(self, fields: Mapping[str, Any]) -> tuple[int, str] | None:
        """The camera, by its key, that has another published id by an entry with these
        fields, and that id."""
        if self.gives is None:
            return None
        camera, id_ = self.gives
        return fields[camera], fields[id_]

    def check_rows(self, columns: tuple[str, ...] | None) -> None:
        """TypeError where rows are missing, not wanted or of other columns."""
        if columns is None:
            if self.rows == "must":
                raise TypeError(f"{self.name} needs rows")
        elif self.rows == "no":
            raise TypeError(f"{self.name} takes no rows")
        elif columns != self.columns:
            raise TypeError(
                f"the rows of {self.name} are {' '.join(self.columns)}, "
                f"not {' '.join(columns)}"
            )

    def has_columns(self, names: tuple[str, ...]) -> bool:
        """Whether rows are of these columns, now or in an older log."""
        former = self.columns[: len(self.columns) - self.later]
        return names in (self.columns, former)


def declare(
    name: str,
    meaning: str,
    fields: str = "",
    rows: str = "",
    may: str = "",
    *,
    back: str | None = None,
    keeps: bool = False,
    footage: Footage = Footage.NONE,
    tells: str = "",
    gives: tuple[str, str] | None = None,
    fate: str = "",
    by: str = "",
    later: str = "",
    public: Public | None = None,
) -> Kind:
    """Read one declaration; `rows` are columns it must have, `may` it may have, `later`
    those of them that older logs lack; `back` is what a restore does with it, `keeps`:
    also where it comes back unsigned; `by` are the roles that may write it and, behind a
    semicolon, those that may agree to what another asked for; `public`: see `Public`.

    ValueError where one of these is left open, or where it tells what nobody reads.
    """
    texts = fields.split()
    if back is None:
        raise ValueError(f"{name}: say what a restore does with it")
    if not _RESTORE.fullmatch(back):
        raise ValueError(f"{name}: name the act that restores it, or say why nothing")
    if bool(fate) is not (footage in (Footage.ROWS, Footage.MOVED)):
        raise ValueError(f"{name}: say what the recordings in its rows are then")
    if unknown := set(tells.split()) - set(TOPICS):
        raise ValueError(f"{name}: nobody reads {', '.join(sorted(unknown))}")
    alone, _, agreed = by.partition(";")
    return Kind(
        name,
        meaning,
        tuple(_field(text) for text in texts),
        tuple(f"{rows or may} {later}".split()),
        "must" if rows else "may" if may else "no",
        _marked(texts, "@"),
        _marked(texts, ">"),
        keeps,
        back,
        footage,
        frozenset(tells.split()),
        gives,
        fate,
        frozenset(alone.split()),
        frozenset((agreed or alone).split()),
        len(later.split()),
        public,
    )


def _marked(texts: list[str], mark: str) -> str | None:
    found = [_field(text).name for text in texts if text[0] == mark]
    if len(found) > 1:
        raise ValueError(f"{mark} marks more than one field: {', '.join(found)}")
    return found[0] if found else None


def _field(text: str) -> Field:
    name, _, kind = text.lstrip("~@>").partition(":")
    found = Field(name, kind.removesuffix("?"), kind.endswith("?"), text[0] == "~")
    if found.type not in _TYPES:
        raise ValueError(f"{text} has no known type")
    return found
