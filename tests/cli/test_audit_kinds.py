"""`retention audit kinds`: what is written of the log's entries is true of them."""

import json
import re
from contextlib import closing

import pytest

from retention import cli
from retention.tlog import document
from retention.tlog.canonical import decode
from retention.tlog.copied import DirectorySource
from retention.tlog.kinds import KINDS
from retention.tlog.source import Query
from tests.support.json_schema import fits
from tests.support.logs import a_catalogue
from tests.support.publishing import fill

SCHEMA = document.schema()


@pytest.fixture(scope="module")
def entries(published, tmp_path_factory):
    """Entries of a real daemon, and of a log with every sort of row."""
    directory = tmp_path_factory.mktemp("kinds")
    source = DirectorySource(published.log)
    found = [record.entry for record in source.backwards(Query())]
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


def test_the_schema_names_the_standard_that_it_is_written_in():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
