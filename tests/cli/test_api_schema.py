"""`retention api schema`: what is said of the answers is true of them.

That real answers fit is looked at wherever tests ask verbs: tests/support/json_schema.py.
"""

import json
from types import SimpleNamespace

import pytest

from retention.cli.base import Session
from retention.control.verbs import VERBS
from retention.model.answers.hold import HoldList
from retention.model.errors import RetentionError
from retention.service.api import answers
from tests.support.json_schema import answered

SCHEMA = answers.schema()


def test_it_is_printed_without_the_service(site):
    assert json.loads(site.alone("api", "schema").out) == SCHEMA


def test_every_verb_says_what_it_answers():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["properties"].keys() == VERBS.keys()
    for said in SCHEMA["properties"].values():
        assert all("$ref" in one for one in said.get("anyOf", [said]))


def test_every_part_is_explained_and_named():
    for name, part in SCHEMA["$defs"].items():
        assert part["description"].endswith((".", "?")), name
        assert not part["description"].startswith(f"{name}("), name  # made by Python
    used = set(json.dumps(SCHEMA).split('"#/$defs/')[1:])
    assert {text.partition('"')[0] for text in used} == SCHEMA["$defs"].keys()


def test_what_changes_says_whether_it_was_published():
    for verb, said in SCHEMA["properties"].items():
        for one in said.get("anyOf", [said]):
            if "$ref" in one:
                part = SCHEMA["$defs"][one["$ref"].removeprefix("#/$defs/")]
                assert ("not_published" in part["properties"]) == VERBS[verb].changes


def test_an_answer_that_is_not_as_declared_is_noticed():
    fit = {"hold": 1, "state": "active", "requested_by": "anna", "reason": "no"}
    assert answered("hold.reject", fit) == fit
    for wrong in (fit | {"hold": "1"}, {"hold": 1}, fit | {"more": 1}):
        with pytest.raises(AssertionError):
            answered("hold.reject", wrong)


def test_an_answer_of_another_version_is_one_sentence_that_says_what_to_do():
    old = {"holds": [{"hold": 1}], "two_person_release": True}
    session = Session(None, None)
    session.client = SimpleNamespace(call=lambda verb, **_: old)
    with pytest.raises(RetentionError) as refused:
        session.ask("hold.list", HoldList)
    assert str(refused.value) == (
        "the service did what was asked (hold.list), but its answer is not what this "
        "command expects (holds.0 has no 'state'): they are of two versions, so restart "
        "the service with `systemctl restart cctv-retention`"
    )
