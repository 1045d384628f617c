"""JSON Schema, as much of it as ours uses, and answers that are held against it."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from retention.control.verbs import VERBS
from retention.model import codec
from retention.service.api import answers

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "null": type(None), "number": (int, float),
}  # fmt: skip


def fits(
    value: Any, schema: dict[str, Any], defs: dict[str, Any] | None = None
) -> bool:
    """As much of JSON Schema as ours uses; any other word in it is an error.

    `defs`: the named schemas; an object of one of these has nothing besides.
    """
    for word, said in schema.items():
        if word == "type":
            names = said if isinstance(said, list) else [said]
            if isinstance(value, bool) and "boolean" not in names:
                return False
            good = any(isinstance(value, TYPES[name]) for name in names)
        elif word == "$ref":
            named = (defs or {})[said.removeprefix("#/$defs/")]
            good = (
                fits(value, named, defs) and value.keys() <= named["properties"].keys()
            )
        elif word == "anyOf":
            good = any(fits(value, one, defs) for one in said)
        elif word == "enum":
            good = value in said
        elif word == "properties":
            good = all(fits(value[n], s, defs) for n, s in said.items() if n in value)
        elif word == "additionalProperties":
            good = all(fits(one, said, defs) for one in value.values())
        elif word == "required":
            good = set(said) <= value.keys()
        elif word == "dependentRequired":
            good = all(set(n) <= value.keys() for k, n in said.items() if k in value)
        elif word == "items":
            good = all(fits(one, said, defs) for one in value)
        elif word == "allOf":
            good = all(fits(value, one, defs) for one in said)
        elif word == "not":
            good = not fits(value, said, defs)
        elif word == "if":
            good = not fits(value, said, defs) or fits(value, schema["then"], defs)
        elif word == "const":
            good = value == said
        elif word == "minimum":
            good = value >= said
        elif word == "pattern":
            good = re.search(said, value) is not None
        else:
            assert word in ("then", "description", "title", "$schema", "$comment"), word
            good = True
        if not good:
            return False
    return True


@cache
def _schema() -> dict[str, Any]:
    return answers.schema()


def answered(verb: str, answer: Any) -> dict[str, Any]:
    """An answer as JSON, after a look whether the schema has it and whether it is read
    back as the same value."""
    found: dict[str, Any] = codec.to_json(answer)
    said = _schema()
    assert fits(found, said["properties"][verb], said["$defs"]), (verb, found)
    kind = answers.answer_type(verb)
    assert codec.to_json(codec.from_json(kind, found)) == found
    return found


def verb(name: str) -> Callable[..., dict[str, Any]]:
    """The function of a verb, which gives its answer as JSON."""
    function = VERBS[name].resolve()
    return lambda *context, **given: answered(name, function(*context, **given))
