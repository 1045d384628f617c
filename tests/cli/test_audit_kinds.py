"""`retention audit kinds`: what is written of the log's entries is true of them."""

import json
import re
from contextlib import closing

import pytest
from cli.audited import build
from logs import a_catalogue
from publishing import fill

from retention import cli
from retention.audit import document
from retention.audit.canonical import decode
from retention.audit.copied import Copied
from retention.audit.kinds import KINDS

SCHEMA = document.schema()

TYPES = {
    "object": dict, "array": list, "string": str, "boolean": bool, "integer": int,
    "null": type(None),
}  # fmt: skip


def fits(value, schema):
    """As much of JSON Schema as ours uses; any other word in it is an error."""
    for word, said in schema.items():
        if word == "type":
            names = said if isinstance(said, list) else [said]
            kinds = tuple(TYPES[name] for name in names)
            if isinstance(value, bool) and bool not in kinds:
                return False
            good = isinstance(value, kinds)
        elif word == "properties":
            good = all(fits(value[n], s) for n, s in said.items() if n in value)
        elif word == "additionalProperties":
            good = all(fits(one, said) for one in value.values())
        elif word == "required":
            good = set(said) <= value.keys()
        elif word == "dependentRequired":
            good = all(set(n) <= value.keys() for k, n in said.items() if k in value)
        elif word == "items":
            good = all(fits(one, said) for one in value)
        elif word == "allOf":
            good = all(fits(value, one) for one in said)
        elif word == "not":
            good = not fits(value, said)
        elif word == "if":
            good = not fits(value, said) or fits(value, schema["then"])
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


@pytest.fixture(scope="module")
def entries(tmp_path_factory):
    """Entries of a real daemon, and of a log with every sort of row."""
    directory = tmp_path_factory.mktemp("kinds")
    copied = Copied(build(directory / "site").log)
    found = [decode(data) for _, data in copied.backwards(None)]
    with closing(a_catalogue(directory)) as catalogue:
        found += [decode(one.data) for one in fill(catalogue, 30)]
    assert len({one["kind"] for one in found}) > 12
    return found


def test_every_entry_fits_the_schema(entries):
    assert [one["kind"] for one in entries if not fits(one, SCHEMA)] == []


def test_an_entry_that_is_none_does_not_fit(entries):
    batch = next(one for one in entries if one["kind"] == "deletion.intended")
    hold = next(one for one in entries if one["kind"] == "hold.released")
    fields = batch["fields"]
    for wrong in (
        batch | {"index": -1},
        batch | {"at": "now"},
        batch | {"rows_sha256": "short"},
        {name: value for name, value in batch.items() if name != "rows_root"},
        {name: value for name, value in batch.items() if not name.startswith("rows")},
        batch | {"fields": fields | {"count": None}},
        batch | {"fields": {"root": "nvr1"}},
        hold | {"fields": hold["fields"] | {"reason": "in clear"}},
        hold | {"rows": 1, "rows_root": "A" * 43, "rows_sha256": "A" * 43},
    ):
        assert not fits(wrong, SCHEMA)


def test_a_kind_or_a_field_of_a_newer_program_fits(entries):
    assert fits(entries[0] | {"kind": "hold.shared", "new": 1}, SCHEMA)


def _run(capsys, *arguments):
    status = cli.run(["audit", "kinds", *arguments])
    return status, *capsys.readouterr()


def test_the_text_names_every_kind_with_every_field_and_column(capsys):
    status, out, _ = _run(capsys)
    assert status == 0
    sections = re.split(r"^## ", out, flags=re.MULTILINE)
    by_name = {text.partition("\n")[0]: text for text in sections}
    for kind in KINDS.values():
        text = by_name[kind.name]
        assert kind.meaning in text
        for field in kind.fields:
            mark = "~" if field.committed else ""
            assert f"`{mark}{field.name}` {field.type}" in text
        assert all(f"`{name}`" in text for name in kind.columns)


def test_kinds_can_be_asked_for_by_name_and_as_json(capsys):
    _, out, _ = _run(capsys, "hold.cooled", "--json")
    (one,) = json.loads(out)["kinds"]
    assert (one["kind"], one["rows"]) == ("hold.cooled", "no")
    assert one["fields"][0]["name"] == "hold"
    _, out, _ = _run(capsys, "--schema")
    assert json.loads(out) == SCHEMA


def test_an_unknown_kind_is_one_sentence(capsys):
    status, out, err = _run(capsys, "hold.eaten")
    assert (status, out) == (2, "")
    assert "hold.eaten is no kind of entry" in err
