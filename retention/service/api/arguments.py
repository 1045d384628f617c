"""What a verb may be asked with: read off its function, checked before it is called."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from retention.control.verbs import VERBS
from retention.model.errors import UsageError

_LARGEST = 2**63 - 1
"""What the catalogue can store as a number."""


@cache
def model(verb: str) -> type[BaseModel]:
    """The verb's arguments: strict types, and nothing that it does not know."""
    fields: dict[str, Any] = {
        name: (annotation, ... if default is inspect.Parameter.empty else default)
        for name, annotation, default in parameters(verb)
    }
    return create_model(
        verb, __config__=ConfigDict(strict=True, extra="forbid"), **fields
    )


def parameters(verb: str) -> Iterator[tuple[str, Any, Any]]:
    """(name, type, default) of each argument, in order."""
    function = VERBS[verb].resolve()
    hints = get_type_hints(function, localns={"Context": object})
    for name, parameter in list(inspect.signature(function).parameters.items())[1:]:
        yield name, hints[name], parameter.default


def checked(verb: str, body: bytes) -> dict[str, Any]:
    """The arguments in a request's body; UsageError says which one is wrong and how."""
    try:
        found = model(verb).model_validate_json(body or b"{}")
    except ValidationError as error:
        raise UsageError(_sentence(verb, error)) from None
    given = found.model_dump(exclude_unset=True)
    _check_numbers(given)
    return given


def _sentence(verb: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    name = f"argument {where!r}" if where else "body"
    return f"the request {verb} has a wrong {name}: {first['msg']}"


def _check_numbers(value: Any) -> None:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            _check_numbers(one)
    elif isinstance(value, int) and abs(value) > _LARGEST:
        raise UsageError(
            "a number in the request is larger than any that is meant here"
        )
