"""Frozen dataclasses as JSON: written, read back, described by a JSON Schema.

A field is text, a number, true or false, a list, a dict by name, another dataclass, a
choice of these, or whatever JSON can say (Any).  A field that has a default is left out
where it is None; one without is always there, null where it is None.  Fields that are
keyword-only come last.  An underscore at the end of a name (`from_`) is Python's.  What JSON has besides is not looked at: it may be of a later
version.  Pure, with the standard library alone: every command loads it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin
from typing import get_type_hints as hints_of

from retention.model.errors import RetentionError

T = TypeVar("T")

Reader = Callable[[Any], Any]

_WORDS: dict[Any, str] = {
    str: "text", bool: "true or false", int: "a whole number", float: "a number",
    types.NoneType: "null",
}  # fmt: skip
_SCHEMAS = {
    str: "string", bool: "boolean", int: "integer", float: "number",
    types.NoneType: "null",
}  # fmt: skip


_LEAVES = (str, int, float, bool)


class _Hint(NamedTuple):
    """A field of a dataclass: its `attribute`, and its name in JSON; `needed`: it is
    there even where it is None."""

    attribute: str
    name: str
    type: Any
    needed: bool


def _is_ours(found: Any) -> bool:
    """A dataclass, or a value of one."""
    return is_dataclass(found)


@cache
def parts(kind: Any) -> tuple[_Hint, ...]:
    """The fields of a dataclass in the order in which JSON has them."""
    hints = hints_of(kind)
    return tuple(
        _Hint(
            one.name,
            one.name.removesuffix("_"),
            hints[one.name],
            one.default is MISSING,
        )
        for one in sorted(fields(kind), key=lambda one: bool(one.kw_only))
    )


def to_json(value: Any) -> Any:
    """What `json.dumps` takes; anything that is none of ours stays as it is."""
    if value is None or type(value) in _LEAVES:
        return value
    if isinstance(value, dict):
        return {name: to_json(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(one) for one in value]
    if not _is_ours(value):
        return value
    kind: Any = type(value)
    found = ((one, getattr(value, one.attribute)) for one in parts(kind))
    return {
        one.name: to_json(part) for one, part in found if one.needed or part is not None
    }


def from_json(kind: type[T], found: Any) -> T:
    """The value that JSON tells of.

    RetentionError where it does not fit, with a sentence that says what and where.
    """
    wanted: Any = kind
    try:
        value: T = _reader(wanted)(found)
    except _UnfitError as error:
        where = ".".join(reversed(error.path)) or "the whole"
        raise RetentionError(f"{where} {error.why}") from None
    return value


class _UnfitError(Exception):
    """It does not fit; `path` from the inside out."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why
        self.path: list[str] = []


def _within(name: str, read: Reader, found: Any) -> Any:
    try:
        return read(found)
    except _UnfitError as error:
        error.path.append(name)
        raise


@cache
def _reader(kind: Any) -> Reader:
    """What makes a value of this type from JSON."""
    inner, of = get_origin(kind), get_args(kind)
    if kind is Any:
        return lambda found: found
    if inner in (Union, types.UnionType):
        return _choice(of)
    if inner is Literal:
        return _one_of(of)
    if inner is list:
        return _list(_reader(of[0]))
    if inner is dict:
        return _dict(_reader(of[1]))
    if _is_ours(kind):
        return _dataclass(kind)
    return _plain(kind)


def _plain(kind: type) -> Reader:
    fits = (int, float) if kind is float else (kind,)

    def read(found: Any) -> Any:
        if type(found) not in fits:
            raise _UnfitError(f"is not {_WORDS[kind]}")
        return found

    return read


def _one_of(words: tuple[Any, ...]) -> Reader:
    def read(found: Any) -> Any:
        if found not in words:
            raise _UnfitError(f"is none of {', '.join(map(repr, words))}")
        return found

    return read


def _choice(kinds: tuple[Any, ...]) -> Reader:
    readers = [_reader(kind) for kind in kinds if kind is not types.NoneType]
    empty = types.NoneType in kinds

    def read(found: Any) -> Any:
        if found is None and empty:
            return None
        for one in readers[:-1]:
            try:
                return one(found)
            except _UnfitError:
                continue
        return readers[-1](found)

    return read


def _list(one: Reader) -> Reader:
    def read(found: Any) -> Any:
        if not isinstance(found, list):
            raise _UnfitError("is not a list")
        return [_within(str(n), one, part) for n, part in enumerate(found)]

    return read


def _dict(one: Reader) -> Reader:
    def read(found: Any) -> Any:
        _refuse_other_than_object(found)
        return {name: _within(name, one, part) for name, part in found.items()}

    return read


def _dataclass(kind: type) -> Reader:
    readers = [(one, _reader(one.type)) for one in parts(kind)]
    needed = [one.name for one in parts(kind) if one.needed]

    def read(found: Any) -> Any:
        _refuse_other_than_object(found)
        for name in needed:
            if name not in found:
                raise _UnfitError(f"has no {name!r}")
        return kind(
            **{
                one.attribute: _within(one.name, read, found[one.name])
                for one, read in readers
                if one.name in found
            }
        )

    return read


def _refuse_other_than_object(found: Any) -> None:
    if not isinstance(found, dict):
        raise _UnfitError("is not an object")


# -- JSON Schema ------------------------------------------------------------------


def schema(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a type; `known` gathers its dataclasses by name, as
    `$defs` has them.  A dataclass is described by its docstring."""
    inner, of = get_origin(kind), get_args(kind)
    if kind is Any:
        return {}
    if inner in (Union, types.UnionType):
        return _any_of([schema(one, known) for one in of])
    if inner is Literal:
        return {"enum": list(of)}
    if inner is list:
        return {"type": "array", "items": schema(of[0], known)}
    if inner is dict:
        return {"type": "object", "additionalProperties": schema(of[1], known)}
    if _is_ours(kind):
        name = kind.__name__
        if name not in known:
            known[name] = {}  # it may speak of itself
            known[name] = _object(kind, known)
        return {"$ref": f"#/$defs/{name}"}
    return {"type": _SCHEMAS[kind]}


def _any_of(found: list[dict[str, Any]]) -> dict[str, Any]:
    if all(one.keys() == {"type"} for one in found):
        return {"type": [one["type"] for one in found]}
    return {"anyOf": found}


def _object(kind: Any, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "description": " ".join((inspect.getdoc(kind) or "").split()),
        "type": "object",
        "properties": {
            one.name: schema(one.type if one.needed else _some(one.type), known)
            for one in parts(kind)
        },
        "required": [one.name for one in parts(kind) if one.needed],
    }


def _some(kind: Any) -> Any:
    """A type without None: what is left out is never null."""
    left = tuple(one for one in get_args(kind) if one is not types.NoneType)
    return Union[left] if types.NoneType in get_args(kind) else kind  # noqa: UP007
