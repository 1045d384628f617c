"""`retention audit copy --public`, and what readers of such a copy are told."""

import json

import pytest

from retention import cli
from tests.support.audited import AT, HELD


@pytest.fixture
def run(capsys, monkeypatch):
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def run(*arguments):
        capsys.readouterr()
        status = cli.run(list(arguments))
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def public(audited, run, tmp_path):
    """A public copy of the log, and what was said when it was made."""
    directory = tmp_path / "public"
    words = ("audit", "copy", "--public", str(directory), "--from", str(audited.log))
    status, out, err = run(*words)
    assert (status, err) == (0, "")
    return directory, out


def test_it_says_how_much_is_withheld(audited, public, run):
    directory, out = public
    assert " entries withheld; the last that is not was written at " in out
    words = ("audit", "verify", str(directory), "--key", audited.key, "--deep")
    status, out, _ = run(*words)
    first, second = out.splitlines()[:2]
    assert status == 0
    assert first.startswith("Intact to entry ")
    assert "entries withheld" in first
    assert second.startswith("Lawful to entry ")
    assert "as far as can be checked" in second
    found = json.loads(run(*words, "--json")[1])
    assert (found["ok"], found["lawful"], found["intact"]) == (
        True,
        True,
        found["entries"],
    )
    assert found["withheld"] == found["law"]["withheld"] > 10


def test_each_reader_says_withheld(audited, public, run):
    directory = ("--dir", str(public[0]))
    listed = json.loads(run("audit", "list", *directory, "--json")[1])
    kinds = {one["kind"] for one in listed["entries"]}
    assert kinds >= {"log.opened", "camera.added", "policy.changed", "service.started"}
    assert not [kind for kind in kinds if kind.startswith(("hold", "record", "delet"))]
    for words in (
        ("list",), ("list", "--kind", "hold.*"), ("list", "--camera", "1101"),
        ("find", "--at", HELD), ("find", "--camera", "1101", "--at", AT),
        ("find", "--path", "1101/2026-01-05_12-00-00.mp4"), ("balance",),
    ):  # fmt: skip
        status, _, err = run("audit", *words, *directory)
        assert status == 0, words
        assert f"{listed['withheld']} entries of " in err
        assert "are withheld from this public copy" in err
    assert (
        "not known: withheld from this public copy"
        in run("audit", "find", "--at", HELD, *directory)[1]
    )
    assert "books are withheld" in run("audit", "balance", *directory)[1]


def test_what_is_withheld_is_refused_in_one_sentence(audited, public, run):
    directory = ("--dir", str(public[0]))
    there = json.loads(run("audit", "list", *directory, "--json")[1])["entries"]
    shown = {one["number"] for one in there}
    hidden = str(min(set(range(max(shown))) - shown))
    for words in (
        ("audit", "show", hidden),
        ("audit", "prove", hidden),
        ("audit", "prove", "--camera", "1101", "--at", AT),
        ("report", "deletions"),
    ):
        status, out, err = run(*words, *directory)
        assert (status, out) == (1, ""), words
        assert "withheld" in err
        assert len(err.splitlines()) == 1


def test_a_camera_that_is_not_published_is_not_said_to_have_never_been(public, run):
    for words in (
        ("audit", "list", "--camera", "1006"),
        ("audit", "find", "--camera", "1006", "--at", AT),
        ("audit", "balance", "--camera", "1006"),
        ("report", "foi", "--camera", "1006"),
    ):
        status, out, err = run(*words, "--dir", str(public[0]))
        assert (status, out) == (2, ""), words
        assert "1006" in err
        assert "; what is not published of cameras is not in this public copy" in err


def test_an_entry_that_is_public_is_proven_from_it(audited, public, run, tmp_path):
    proof = tmp_path / "0.tlog-proof"
    directory = ("--dir", str(public[0]))
    assert run("audit", "prove", "0", "--out", str(proof), *directory)[0] == 0
    status, out, _ = run("audit", "verify", str(proof), "--key", audited.key)
    assert status == 0
    assert "Proven: entry 0, log.opened" in out


def test_an_extract_takes_a_whole_log(public, run, tmp_path):
    words = ("audit", "copy", "--days", "3", str(tmp_path / "days"))
    status, _, err = run(*words, "--from", str(public[0]))
    assert (status, len(err.splitlines())) == (2, 1)
    assert "is a public copy" in err


def test_an_extract_is_not_for_the_public(audited, run, tmp_path):
    words = ("audit", "copy", "--public", "--days", "3", str(tmp_path / "extract"))
    status, _, err = run(*words, "--from", str(audited.log))
    assert status == 2
    assert "not for the public" in err
