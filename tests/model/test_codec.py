"""Dataclasses as JSON and back, and what is refused on the way back."""

import json
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from retention.model import codec
from retention.model.errors import RetentionError


@dataclass(frozen=True, slots=True)
class Inner:
    """A part,
    told in two lines."""

    at: str | None
    more: int | None = None


@dataclass(frozen=True, slots=True)
class Other:
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Whole(Base):
    count: int
    share: float
    good: bool
    state: Literal["on", "off"]
    parts: list[Inner | Other]
    by_name: dict[str, Inner]
    rest: Any = None


WHOLE = Whole(
    2, 0.5, True, "on", [Inner(None), Other("two")], {"a": Inner("x", 3)}, note="n"
)
JSON = {
    "count": 2,
    "share": 0.5,
    "good": True,
    "state": "on",
    "parts": [{"at": None}, {"rule": "two"}],
    "by_name": {"a": {"at": "x", "more": 3}},
    "note": "n",
}


def test_fields_come_in_their_order_and_without_those_that_say_nothing():
    assert json.dumps(codec.to_json(WHOLE)) == json.dumps(JSON)


def test_json_becomes_the_same_value_again():
    assert codec.from_json(Whole, JSON) == WHOLE


def test_what_is_no_dataclass_stays_as_it_is():
    assert codec.to_json({"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}


def test_what_a_later_version_says_besides_is_not_looked_at():
    assert codec.from_json(Whole, JSON | {"new": 1}) == WHOLE


def test_a_whole_number_may_stand_for_one_with_a_fraction():
    assert codec.from_json(Whole, JSON | {"share": 1}).share == 1


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "the whole is not an object"),
        (JSON | {"count": "2"}, "count is not a whole number"),
        (JSON | {"count": True}, "count is not a whole number"),
        (JSON | {"count": None}, "count is not a whole number"),
        (JSON | {"share": "2"}, "share is not a number"),
        (JSON | {"good": 1}, "good is not true or false"),
        (JSON | {"state": "out"}, "state is none of 'on', 'off'"),
        (JSON | {"parts": {}}, "parts is not a list"),
        (JSON | {"parts": [{"rule": 3}]}, "parts.0.rule is not text"),
        (JSON | {"by_name": {"b": {}}}, "by_name.b has no 'at'"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(found, says):
    with pytest.raises(RetentionError) as refused:
        codec.from_json(Whole, found)
    assert str(refused.value) == says


def test_the_schema_says_the_same():
    known: dict[str, Any] = {}
    assert codec.schema(Whole, known) == {"$ref": "#/$defs/Whole"}
    assert known["Inner"] == {
        "description": "A part, told in two lines.",
        "type": "object",
        "properties": {
            "at": {"type": ["string", "null"]},
            "more": {"type": "integer"},
        },
        "required": ["at"],
    }
    assert known["Whole"]["properties"] == {
        "count": {"type": "integer"},
        "share": {"type": "number"},
        "good": {"type": "boolean"},
        "state": {"enum": ["on", "off"]},
        "parts": {
            "type": "array",
            "items": {"anyOf": [{"$ref": "#/$defs/Inner"}, {"$ref": "#/$defs/Other"}]},
        },
        "by_name": {
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/Inner"},
        },
        "rest": {},
        "note": {"type": "string"},
    }
