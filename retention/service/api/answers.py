"""What the verbs answer, as types and as JSON Schema: read off their functions."""

from __future__ import annotations

from typing import Any, get_type_hints

from retention.control.verbs import VERBS
from retention.model import codec


def answer_type(verb: str) -> Any:
    """The dataclass that the verb's function says it returns, or several (a union)."""
    function = VERBS[verb].resolve()
    return get_type_hints(function, localns={"Context": object})["return"]


def schema() -> dict[str, Any]:
    """JSON Schema of an object that has every verb's answer by the verb's name."""
    known: dict[str, Any] = {}
    found = {verb: codec.schema(answer_type(verb), known) for verb in VERBS}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "retention: what each verb answers, by its name",
        "type": "object",
        "properties": found,
        "$defs": dict(sorted(known.items())),
    }
