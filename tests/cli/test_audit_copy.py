"""`retention audit ... --dir DIR`: what an auditor without an account can read."""

import json
import shutil
import subprocess
import sys

import pytest

from retention import cli
from tests.support.audited import AT, HELD, PRIVATE

HEAVY = (
    *("sqlalchemy", "pydantic", "pydantic_settings", "structlog", "apscheduler"),
    *("retention.site.settings", "retention.service", "retention.catalogue.db"),
)


@pytest.fixture(scope="module")
def usb(audited, tmp_path_factory):
    """The published directory as it was carried away."""
    directory = tmp_path_factory.mktemp("usb") / "log"
    shutil.copytree(audited.log, directory)
    return directory


@pytest.fixture
def run(capsys, monkeypatch, usb):
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def run(*arguments):
        capsys.readouterr()
        status = cli.run(["audit", *arguments, "--dir", str(usb)])
        return status, *capsys.readouterr()

    return run


def alone(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "retention", *arguments], capture_output=True, text=True
    )


def _json(run, *arguments):
    status, out, err = run(*arguments, "--json")
    assert (status, err) == (0, "")
    return json.loads(out)


def _number(run, kind):
    return _json(run, "list", "--kind", kind)["entries"][0]["number"]


def test_the_list_is_newest_first_in_the_sites_time_and_says_that_nothing_was_verified(
    run, usb
):
    status, out, err = run("list", "--limit", "2")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == ["entry", "time", "kind", "by", "what"]
    assert "service.stopped" in lines[1]
    assert lines[3] == f"Older ones: add --before {int(lines[2].split()[0])}"
    assert f"retention audit verify {usb} --key KEY" in err


def test_pages_of_a_list_join_without_a_gap(run):
    numbers, before = [], None
    while True:
        more = [] if before is None else ["--before", str(before)]
        answer = _json(run, "list", "--limit", "5", *more)
        numbers += [one["number"] for one in answer["entries"]]
        before = answer["before"]
        if before is None:
            break
    assert numbers == list(range(numbers[0], -1, -1))


def test_a_list_of_a_time_has_what_was_written_then(run):
    opened = _json(run, "list", "--kind", "log.opened")["entries"][0]["at"]
    assert _json(run, "list", "--to", opened)["entries"] == []
    since = _json(run, "list", "--from", opened)["entries"]
    assert since[-1]["kind"] == "log.opened"


def test_a_list_of_a_hold_has_only_what_is_about_it(run):
    entries = _json(run, "list", "--subject", "hold:1")["entries"]
    assert {one["kind"] for one in entries} == {"hold.placed"}
    assert {one["subject"] for one in entries} == {"hold:1"}
    assert _json(run, "list", "--subject", "hold:2")["entries"] == []


def test_a_list_of_a_hold_and_a_camera_has_what_is_about_both(run):
    about = ("--subject", "hold:1", "--camera", "1101")
    assert [one["kind"] for one in _json(run, "list", *about)["entries"]] == [
        "hold.placed"
    ]


def test_the_copy_answers_for_a_camera_what_the_catalogue_answers(audited, run):
    asked = ("list", "--camera", "1101", "--from", AT, "--to", "2026-01-07T00:00Z")
    with audited.running():
        live = audited.json("audit", *asked)["entries"]
    copy = _json(run, *asked)["entries"]
    assert {one["kind"] for one in copy} >= {"deletion.intended", "hold.placed"}
    assert [_open(one) for one in copy] == [_open(one) for one in live]


def _open(entry):
    """An entry without what only the site can open."""
    hidden = {"reference", "reason", "typed"}
    fields = {
        name: value for name, value in entry["fields"].items() if name not in hidden
    }
    actor = {name: value for name, value in entry["actor"].items() if name != "name"}
    return entry | {"fields": fields, "actor": actor, "withheld": None, "signed": None}


def test_rows_of_a_batch_come_with_what_became_of_them(run):
    entry = _json(run, "show", str(_number(run, "deletion.intended")))
    assert [row["outcome"] for row in entry["rows"]] == ["deleted"] * 3
    assert entry["rows"][0]["completion"] == _number(run, "recordings.deleted")
    assert entry["signed"] is True


def test_peoples_data_stays_closed(run, usb):
    number = _number(run, "hold.placed")
    entry = _json(run, "show", str(number))
    assert {"reason", "reference", "actor.name"} <= set(entry["withheld"])
    assert "withheld" in run("show", str(number))[1]
    files = [path for path in usb.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not any(PRIVATE.encode() in path.read_bytes() for path in files)


def test_find_says_when_and_why_it_was_deleted(run):
    status, out, _ = run("find", "--camera", "1101", "--at", AT)
    assert status == 0
    assert "1101/2026-01-05_12-00-00.mp4" in out
    assert "its period of 28 days was over" in out
    assert f"deleted    entry {_number(run, 'recordings.deleted')}" in out


def test_find_names_the_hold_and_says_what_a_copy_can_not_know(run):
    _, out, _ = run("find", "--camera", "1101", "--at", HELD)
    assert "hold       1 (internal)" in out
    assert "in force" in out


def test_balance_says_what_should_be_left(run):
    status, out, _ = run("balance")
    assert (status, len(out.splitlines())) == (0, 1)
    assert "nowhere is more gone than was recorded: 4 recordings of 1 camera" in out
    assert out.endswith(": 3 deleted, 1 left.\n")
    status, out, _ = run("balance", "--days")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["1101", "2026-01-05", "3", "3", "0"] in lines
    assert ["1101", "2026-01-06", "1", "0", "1"] in lines


def test_the_key_of_a_copy_is_shown_with_a_warning(audited, run):
    status, out, err = run("key", "show")
    assert status == 0
    assert audited.key in out
    assert "what the directory says of itself" in err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["list", "--camera", "77"], 2, "no camera has ever had the id 77"),
        (["show", "999"], 1, "there is no entry 999"),
        (["list", "--from", "now", "--to", "now"], 2, "the end comes first"),
        (["find", "--camera", "1101"], 2, "say which footage"),
        (["prove", "999"], 1, "there is no entry 999"),
        (["list", "--subject", "holds:1"], 2, "such as hold:17"),
        (["list", "--kind", "hold.place"], 2, "no kind of entry is called"),
        (["list", "--kind", "\udcff"], 2, "no kind of entry is called"),
        (["prove", "1", "--disclose", "reason"], 2, "leave out --disclose"),
    ],
)
def test_what_can_not_be_answered_is_one_sentence(run, arguments, status, words):
    found, out, err = run(*arguments)
    assert (found, out) == (status, "")
    assert words in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["find", "--camera", "1101", "--at", AT],
        ["balance"],
        ["list", "--camera", "1101"],
    ],
)
def test_a_copy_that_was_cut_gives_no_answer(usb, tmp_path, words):
    """It would pass for one from the whole log."""
    from retention.tlog import tiles

    shutil.copytree(usb, tmp_path / "log")
    for bundle in (tmp_path / "log" / "tile" / "entries" / "000.p").iterdir():
        found = tiles.unbundled(bundle.read_bytes(), int(bundle.name))
        bundle.with_name("10").write_bytes(tiles.bundle(found[:10]))
        if int(bundle.name) > 10:
            bundle.unlink()
    done = alone("audit", *words, "--dir", str(tmp_path / "log"))
    assert done.returncode in (1, 5)
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "fault in" not in done.stderr


@pytest.mark.parametrize(
    "changes",
    [{"fields": [1]}, {"actor": None}, {"at": "noon"}, {"fields": {"hold": "\ud800"}}],
)
@pytest.mark.parametrize("words", [["list"], ["show", "13"], ["list", "--json"]])
def test_an_entry_of_another_shape_is_no_fault_of_the_program(
    usb, tmp_path, changes, words
):
    from retention.tlog import canonical, tiles

    shutil.copytree(usb, tmp_path / "log")
    there = (tmp_path / "log" / "tile" / "entries" / "000.p").iterdir()
    bundle = max(there, key=lambda path: int(path.name))
    found = tiles.unbundled(bundle.read_bytes(), int(bundle.name))
    found[13] = json.dumps(canonical.decode(found[13]) | changes).encode()
    bundle.write_bytes(tiles.bundle(found))
    done = alone("audit", *words, "--dir", str(tmp_path / "log"))
    assert "fault in" not in done.stderr
    assert done.returncode in (0, 5)


def test_a_directory_that_is_no_log_is_one_sentence(capsys, tmp_path):
    for place, words in ((tmp_path, "is missing"), (tmp_path / "no", "no directory")):
        assert cli.run(["audit", "list", "--dir", str(place)]) in (2, 5)
        assert words in capsys.readouterr().err


COMMANDS = (
    ["list"],
    ["list", "--camera", "1101"],
    ["show", "0"],
    ["find", "--camera", "1101", "--at", AT],
    ["balance"],
    ["prove", "0"],
    ["checkpoint", "--print"],
    ["key", "show"],
)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_copy_is_read_without_database_settings_and_daemon(usb, arguments):
    _loads_nothing_heavy([*arguments, "--dir", str(usb)], usb)


def test_it_is_verified_without_them_too(audited, usb):
    _loads_nothing_heavy(["verify", str(usb), "--key", audited.key, "--deep"], usb)


def _loads_nothing_heavy(arguments, usb):
    program = (
        "import sys\nfrom retention.cli import run\n"
        f"status = run(['audit', *{arguments!r}])\n"
        f"print([n for n in {HEAVY!r} if n in sys.modules], status, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=usb,
        env={"PATH": "/usr/bin:/bin", "RETENTION_CONFIG": "/nonexistent"},
    )
    assert done.stderr.splitlines()[-1] == "[] 0"


@pytest.mark.parametrize("what", ["log", "proof"])
def test_verifying_needs_these_rooms_alone(audited, run, usb, tmp_path, what):
    """Who only has `model`, `tlog` and the command for it can check log and proof."""
    words = [str(usb), "--key", audited.key, "--deep"]
    if what == "proof":
        words = [str(tmp_path / "0.tlog-proof"), "--key", audited.key]
        assert run("prove", "0", "--out", words[0])[0] == 0
    program = (
        "import sys\nfrom retention.cli import run\n"
        f"assert run(['audit', 'verify', *{words!r}]) == 0\n"
        "print(*[n for n in sys.modules if n.startswith('retention.')], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    parts = {".".join(name.split(".")[1:3]) for name in loaded}
    assert {part.split(".")[0] for part in parts} == {"cli", "model", "tlog"}
    assert {one for one in parts if one.startswith("cli.")} <= {
        "cli.audit", "cli.base", "cli.display",
    }  # fmt: skip


def test_a_copy_is_taken_of_the_log_that_the_configuration_names(audited, tmp_path):
    with audited.running():
        done = audited.call("audit", "copy", str(tmp_path / "usb"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Entries 0 to ")
    words = ["audit", "verify", str(tmp_path / "usb"), "--key", audited.key, "--deep"]
    assert alone(*words).returncode == 0
