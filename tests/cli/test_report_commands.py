"""`retention report`, as typed: of a site whose real daemon deleted something, and of its
published log."""

import csv
import io
import json
from base64 import b64decode, b64encode

import pytest

from retention import cli
from tests.support.audited import PRIVATE
from tests.support.served import served

DAY_OF = ["--camera", "1101", "--from", "2026-01-05 12:00", "--to", "2026-01-05 12:15"]
"""The three recordings that were deleted."""


@pytest.fixture
def typed(audited, tmp_path, capsys, monkeypatch):
    """Types a report, to the service or, with `there`, from the published copy."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: str, there: bool = False) -> str:
        where = ["--dir", str(audited.log), "--key", audited.key] if there else []
        capsys.readouterr()
        if there:
            status = cli.run(["report", *arguments, *where])
        else:
            with served(audited.config):
                status = cli.run(
                    ["--config", str(audited.config), "report", *arguments]
                )
        out, err = capsys.readouterr()
        assert status == 0, err
        return out

    return run


def test_who_has_no_home_has_the_same_report_of_a_copy(typed, monkeypatch):
    """An auditor's account, say: what is added up lasts as long as the command."""
    before = typed("deletions", "--csv", there=True)
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/none")
    assert typed("deletions", "--csv", there=True) == before


@pytest.mark.parametrize("form", ["--csv", "--json"])
@pytest.mark.parametrize(
    "asked",
    [
        ["deletions"],
        ["deletions", "--files", "--camera", "1101"],
        ["deletions", "--from", "2026-01-01", "--location", "market"],
        ["holds"],
        ["holds", "--location", "market"],
        ["summary"],
        ["coverage", "--hours"],
        ["certificate", *DAY_OF],
    ],
    ids=" ".join,
)
def test_it_is_the_same_to_the_byte_from_the_service_and_from_a_copy(
    typed, asked, form
):
    live, copied = typed(*asked, form), typed(*asked, form, there=True)
    assert live == copied
    assert len(live.splitlines()) > 1


def test_each_file_that_the_daemon_deleted_is_a_line_that_a_spreadsheet_reads(typed):
    text = typed("deletions", "--files", "--csv", there=True)
    headings, *rows = csv.reader(io.StringIO(text, newline=""))
    assert [row[headings.index("start_utc")] for row in rows] == [
        f"2026-01-05T12:{minute:02}:00Z" for minute in (0, 5, 10)
    ]
    assert {row[headings.index("camera")] for row in rows} == {"1101"}
    assert {row[headings.index("bytes")] for row in rows} == {"1000"}


def test_on_a_terminal_the_verdict_comes_first_and_the_head_last(typed):
    first, *_, last = typed("deletions").splitlines()
    assert first.startswith("3 recordings deleted from ")
    assert last.startswith("Rests on test/")


def test_every_number_names_its_entries_where_that_is_asked(typed, audited):
    found = json.loads(typed("deletions", "--json"))
    ((first, last),) = found["tables"][0]["rows"][0]["entries"]
    done = audited.json("audit", "show", str(first), "--dir", str(audited.log))
    assert done["kind"] == "recordings.deleted"
    assert f"{first}" in typed("deletions", "--explain")
    headings, row, *_ = csv.reader(
        typed("deletions", "--explain", "--csv").splitlines()
    )
    assert str(first) in row[headings.index("entries")].split("-")
    assert first <= last


def test_it_is_written_to_files(typed, tmp_path):
    page, pdf = tmp_path / "report.html", tmp_path / "report.pdf"
    assert typed("holds", "--html", str(page), "--pdf", str(pdf), there=True) == ""
    assert "<h1>Evidence holds" in page.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF-")


@pytest.fixture
def certified(audited, tmp_path, capsys, monkeypatch):
    """Asks for a certificate from the published copy."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: str) -> int:
        where = ["--dir", str(audited.log), "--key", audited.key]
        return cli.run(["report", "certificate", *arguments, *where])

    return run


def test_a_certificate_ends_with_whether_footage_is_there(certified):
    assert certified(*DAY_OF) == 0
    assert certified("--camera", "1101", "--on", "2026-01-05") == 7
    assert certified("--camera", "1101", "--on", "2026-01-06") == 8
    assert certified("--camera", "1101") == 2


@pytest.mark.parametrize("live", [False, True], ids=["copy", "service"])
def test_its_proofs_convince_a_third_person_and_altered_ones_nobody(
    audited, certified, typed, tmp_path, capsys, live
):
    proofs = tmp_path / "proofs"
    if live:
        typed("certificate", *DAY_OF, "--proofs", str(proofs))
    else:
        assert certified(*DAY_OF, "--proofs", str(proofs)) == 0
    files = sorted(proofs.iterdir())
    assert len(files) == 3
    for file in files:
        assert cli.run(["audit", "verify", str(file), "--key", audited.key]) == 0
        assert "was deleted by the program" in capsys.readouterr().out
    lines = files[0].read_text().splitlines()
    beside = b64decode(lines[1].removeprefix("extra "))
    changed = beside.replace(b",1000,", b",1001,")
    assert changed != beside
    other = b64encode(changed).decode()
    files[0].write_text("\n".join([lines[0], f"extra {other}", *lines[2:], ""]))
    assert cli.run(["audit", "verify", str(files[0]), "--key", audited.key]) == 5
    assert certified(*DAY_OF, "--proofs", str(proofs)) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_same_certificate_is_the_same_file_twice(certified, tmp_path):
    made = []
    for name in ("one", "two"):
        page, pdf = tmp_path / f"{name}.html", tmp_path / f"{name}.pdf"
        proofs = tmp_path / name
        assert certified(
            *DAY_OF, "--html", str(page), "--pdf", str(pdf), "--proofs", str(proofs)
        ) == 0  # fmt: skip
        files = {file.name: file.read_bytes() for file in proofs.iterdir()}
        made.append((page.read_bytes(), pdf.read_bytes(), files))
    assert made[0] == made[1]


def test_details_are_opened_to_people_of_the_site_alone(typed):
    assert PRIVATE in typed("holds", "--open")
    assert PRIVATE not in typed("holds")


def test_rebuilding_is_said_with_what_it_rests_on(typed):
    for there in (False, True):
        text = typed("rebuild", there=there)
        assert text.startswith("3 files of deletions were added up in ")
        assert "Every entry is what it says." in text


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (["deletions", "--key", "x"], "--key is for a published copy"),
        (["holds", "--open", "--dir", "{log}"], "is never published"),
        (["deletions", "--dir", "/nowhere"], "is no directory"),
        (["deletions", "--csv", "--table", "x", "--dir", "{log}"], "has no table x"),
        (
            ["deletions", "--camera", "9", "--dir", "{log}"],
            "no camera is or was called",
        ),
        (["deletions", "--from", "soon", "--dir", "{log}"], "soon"),
        (
            ["deletions", "--csv", "--json"],
            "--csv and --json: it is printed in one form",
        ),
        (["deletions", "--explain", "--markdown"], "--explain is for the terminal"),
        (["deletions", "--table", "by_day", "--json"], "--table is for the terminal"),
        (["holds", "--dir", "{log}", "--key", "1111 2222 3333 4444"], "fingerprint"),
    ],
)
def test_what_can_not_be_told_is_one_sentence(
    audited, asked, why, capsys, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    asked = [text.format(log=audited.log) for text in asked]
    assert cli.run(["--config", str(audited.config), "report", *asked]) != 0
    err = capsys.readouterr().err
    assert why in err
    assert "Traceback" not in err
