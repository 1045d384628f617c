"""What lies behind the signed head of a copy: anybody who can write there can put it
there, so nobody is shown it unasked, or without a mark."""

import json
import shutil
from datetime import datetime

import pytest

from retention import cli
from retention.model.values import SECOND, Rows
from retention.tlog import tiles
from retention.tlog.copied import DirectorySource
from retention.tlog.directory import Published
from tests.support.audited import AT, HELD
from tests.support.logs import COLUMNS, completed, intended, released
from tests.support.publishing import forge


@pytest.fixture(scope="module")
def forged(audited, tmp_path_factory):
    """A copy behind whose head somebody without the key put that the held recording was
    deleted, once its hold had been released."""
    directory = tmp_path_factory.mktemp("usb") / "log"
    shutil.copytree(audited.log, directory)
    source = DirectorySource(directory)
    size = source.signed
    (stream,) = source.of_kinds(["stream.opened"])
    start = int(datetime.fromisoformat(HELD).timestamp()) * SECOND
    fields = stream.entry["fields"]
    one = (
        fields["camera"],
        fields["stream"],
        start,
        0,
        5 * 60 * 10**6,
        1000,
        0,
        None,
        None,
    )
    rows = Rows(COLUMNS, [one])
    assert forge(directory, intended(rows), completed(size, rows), released()) == size
    return directory, size


@pytest.fixture
def run(capsys, monkeypatch, forged):
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def run(*arguments, directory=forged[0]):
        capsys.readouterr()
        status = cli.run(["audit", *arguments, "--dir", str(directory)])
        return status, *capsys.readouterr()

    return run


def answer(run, *arguments):
    return json.loads(run(*arguments, "--json")[1])


def test_the_list_ends_at_the_signed_head_and_says_what_it_leaves_out(run, forged):
    _, size = forged
    status, out, err = run("list", "--limit", "1")
    assert status == 0
    assert out.splitlines()[1].split()[0] == str(size - 1)
    assert "without 3 entries beyond the signed head" in err
    assert "--unsigned" in err
    found = answer(run, "list", "--kind", "hold.released")
    assert (found["entries"], found["signed"], found["beyond"]) == ([], size, 3)


def test_the_list_shows_them_with_a_mark_when_asked(run, forged):
    _, size = forged
    status, out, _ = run("list", "--limit", "4", "--unsigned")
    assert status == 0
    marked = [line for line in out.splitlines() if "(not signed yet)" in line]
    assert [line.split()[0] for line in marked] == [str(size + n) for n in (2, 1, 0)]
    found = answer(run, "list", "--limit", "4", "--unsigned")["entries"]
    assert [one["signed"] for one in found] == [False, False, False, True]


def test_the_life_of_a_hold_does_not_end_with_a_release_that_nobody_signed(run):
    def kinds(*options):
        found = answer(run, "list", "--subject", "hold:1", *options)["entries"]
        return [one["kind"] for one in found]

    assert kinds() == ["hold.placed"]
    assert kinds("--unsigned") == ["hold.released", "hold.placed"]


def test_an_entry_beyond_the_head_is_shown_only_when_asked(run, forged):
    _, size = forged
    status, out, err = run("show", str(size))
    assert (status, out) == (1, "")
    assert f"which has {size} under its signed head" in err
    assert "--unsigned" in err
    assert "no: not signed yet" in run("show", str(size), "--unsigned")[1]
    assert answer(run, "show", str(size), "--unsigned")["signed"] is False
    assert run("show", "999", "--unsigned")[0] == 1


def test_find_does_not_believe_a_deletion_that_nobody_signed(run, forged):
    _, size = forged
    asked = ("find", "--camera", "1101", "--at", HELD)
    found = answer(run, *asked)
    assert [one["fate"] for one in found["recordings"]] == []
    assert [one["in_force"] for one in found["holds"]] == [True]
    assert (found["signed"], found["unsigned"]) == (size, [])
    assert "deleted  " not in run(*asked)[1]


def test_find_marks_what_nobody_signed_when_asked(run, forged):
    _, size = forged
    asked = ("find", "--camera", "1101", "--at", HELD, "--unsigned")
    found = answer(run, *asked)
    assert [one["fate"] for one in found["recordings"]] == ["deleted"]
    assert found["unsigned"] == [size, size + 1, size + 2]
    out = run(*asked)[1]
    assert f"NOT SIGNED YET: entries {size}, {size + 1}, {size + 2}" in out
    marked = [
        line.split()[0] for line in out.splitlines() if "(not signed yet)" in line
    ]
    assert marked == ["intended", "deleted", "hold"]
    # What is signed has no mark, whoever asks.
    assert "(not signed yet)" not in run("find", "--camera", "1101", "--at", AT)[1]


def test_the_books_count_only_what_is_signed(run, forged):
    _, size = forged
    signed = answer(run, "balance")
    assert signed["total"]["deleted"]["recordings"] == 3
    assert (signed["signed"], signed["unsigned"]) == (size, [])
    more = answer(run, "balance", "--unsigned")
    assert more["total"]["deleted"]["recordings"] == 4
    assert more["unsigned"] == [size, size + 1]
    assert (
        f"NOT SIGNED YET: entries {size}, {size + 1}" in run("balance", "--unsigned")[1]
    )


def test_a_wider_file_does_not_change_what_is_signed(run, forged, tmp_path):
    """A bundle goes beyond the head and begins with other entries than those signed."""
    directory, size = forged
    shutil.copytree(directory, tmp_path / "log")
    bundle = tmp_path / "log" / f"tile/entries/000.p/{size + 3}"
    found = tiles.unbundled(bundle.read_bytes(), size + 3)
    placed = next(n for n, one in enumerate(found) if b'"hold.placed"' in one)
    found[placed] = found[placed].replace(b'"hold.placed"', b'"hold.plaxed"')
    bundle.write_bytes(tiles.bundle(found))
    for options in ((), ("--unsigned",)):
        found = run("show", str(placed), *options, directory=tmp_path / "log")
        assert "hold.placed" in found[1], found


def test_a_head_that_nobody_signed_is_none(run, forged, tmp_path):
    """To write a larger number into the checkpoint takes no key."""
    directory, size = forged
    shutil.copytree(directory, tmp_path / "log")
    head = tmp_path / "log" / "checkpoint"
    head.write_text(head.read_text().replace(f"\n{size}\n", f"\n{size + 3}\n"))
    status, out, err = run("list", directory=tmp_path / "log")
    assert (status, out) == (5, "")
    assert "retention audit verify" in err
    found = json.loads(
        run("list", "--unsigned", "--limit", "9", "--json", directory=tmp_path / "log")[
            1
        ]
    )
    assert found["signed"] == 0
    assert {one["signed"] for one in found["entries"]} == {False}


def test_an_older_head_that_was_put_back_hides_nothing(run, forged, tmp_path):
    directory, size = forged
    shutil.copytree(directory, tmp_path / "log")
    kept = tmp_path / "log" / "checkpoints" / "2026-11-02"
    kept.parent.mkdir(exist_ok=True)
    head = Published(directory).checkpoint_bytes().decode()
    kept.write_text(head.replace(f"\n{size}\n", f"\n{size + 1}\n"))
    status, out, err = run("list", directory=tmp_path / "log")
    assert (status, out) == (5, "")
    assert "retention audit verify" in err


@pytest.mark.parametrize("words", [["list"], ["show", "0"], ["balance"]])
def test_the_service_s_own_log_has_no_copy_s_head(words, capsys):
    assert cli.run(["audit", *words, "--unsigned"]) == 2
    assert (
        "--unsigned is for a published copy: name it with --dir"
        in capsys.readouterr().err
    )
