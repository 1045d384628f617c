"""`retention audit prove`, and `verify` of what it made: for a third person."""

import json
from base64 import b64decode, b64encode

import pytest

from retention import cli
from tests.support.audited import AT, HELD, PRIVATE


@pytest.fixture(scope="module")
def running(audited):
    with audited.running():
        yield audited


@pytest.fixture
def verify(capsys, monkeypatch):
    """In this process, without service and configuration."""
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def verify(*arguments):
        capsys.readouterr()
        status = cli.run(["audit", "verify", *map(str, arguments)])
        return status, *capsys.readouterr()

    return verify


def beside(proof):
    """What the file holds beside what other programs read."""
    first, extra, _ = proof.read_text().split("\n", 2)
    assert first == "c2sp.org/tlog-proof@v1"
    return json.loads(b64decode(extra.removeprefix("extra ")))


@pytest.fixture
def proof(running, tmp_path):
    """The proof of one deletion, by the service."""
    out = tmp_path / "one.tlog-proof"
    done = running.call(
        "audit", "prove", "--camera", "1101", "--at", AT, "--out", str(out)
    )
    assert done.returncode == 0, done
    assert str(out) in done.stderr
    return out


def _number(running, kind):
    entries = running.json("audit", "list", "--kind", kind)["entries"]
    return entries[0]["number"]


def test_a_deletion_is_proven_to_who_has_the_fingerprint_alone(running, proof, verify):
    paper = running.json("audit", "key", "show")["fingerprint"]
    status, out, err = verify(proof, "--key", paper)
    assert (status, err) == (0, "")
    assert out.startswith(
        "Proven: the recording of camera 1101 from Mon 5 Jan 2026 12:00"
    )
    assert "was deleted by the program, between" in out


def test_it_reveals_no_other_row_and_nobodys_data(running, proof):
    shown = beside(proof)
    assert shown["row"]["text"].startswith("[1,1,17676")
    for later in ("1767614700000000", "1767615000000000"):
        assert f",{later}," not in json.dumps(shown)
    assert PRIVATE not in json.dumps(shown)


def test_a_published_copy_proves_the_same(running, proof, tmp_path, verify):
    running.json("audit", "publish")
    out = tmp_path / "copy.tlog-proof"
    done = running.call(
        "audit", "prove", "--camera", "1101", "--at", AT, "--out", str(out),
        "--dir", str(running.log), config=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    answers = [
        json.loads(verify(file, "--key", running.key, "--json")[1])
        for file in (proof, out)
    ]
    for answer in answers:
        answer.pop("size")
    assert answers[0] == answers[1]
    assert answers[0]["outcome"] == "deleted"
    assert answers[0]["values"]["bytes"] == 1000


def test_the_camera_is_named_by_the_entry_that_gave_it_its_id(running, proof, verify):
    answer = running.json("audit", "prove", "--camera", "1101", "--at", AT)
    assert answer["camera"] == "1101"
    shown = json.loads(beside(proof)["camera"]["entry"])
    assert (shown["index"], shown["kind"]) == (answer["label"], "camera.added")
    out = verify(proof, "--key", running.key)[1]
    assert "Market Place" in out


def test_a_field_is_opened_only_where_it_is_named(running, tmp_path, verify):
    number = str(_number(running, "hold.placed"))
    closed, opened = tmp_path / "closed", tmp_path / "opened"
    running.call("audit", "prove", number, "--out", str(closed))
    running.call("audit", "prove", number, "--disclose", "reason", "--out", str(opened))
    assert PRIVATE not in verify(closed, "--key", running.key)[1]
    out = verify(opened, "--key", running.key)[1]
    assert PRIVATE in out
    assert "not shown" in out


def test_without_a_file_the_proof_is_the_answer(running, tmp_path, verify):
    done = running.call("audit", "prove", "0")
    (tmp_path / "piped").write_text(done.stdout)
    status, out, _ = verify(tmp_path / "piped", "--key", running.key)
    assert status == 0
    assert out.startswith("Proven: entry 0, log.opened")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('\\"deleted\\":3', '\\"deleted\\":2'),
        (",1000,", ",2000,"),
        ('"id\\":\\"1101', '"id\\":\\"1102'),
    ],
)
def test_a_proof_that_was_changed_proves_nothing(running, proof, verify, old, new):
    text = json.dumps(beside(proof), sort_keys=True, separators=(",", ":"))
    assert old in text
    changed = b64encode(text.replace(old, new, 1).encode()).decode()
    first, _, rest = proof.read_text().split("\n", 2)
    proof.write_text(f"{first}\nextra {changed}\n{rest}")
    _proves_nothing(running, proof, verify)


@pytest.mark.parametrize(("old", "new"), [("\nindex ", "\nindex 1"), ("\n\n", "\n")])
def test_a_proof_that_was_cut_or_renumbered_proves_nothing(
    running, proof, verify, old, new
):
    proof.write_text(proof.read_text().replace(old, new, 1))
    _proves_nothing(running, proof, verify)


def _proves_nothing(running, proof, verify):
    status, out, err = verify(proof, "--key", running.key)
    assert (status, out) == (5, "")
    assert f"{proof} proves nothing: " in err
    assert len(err.splitlines()) == 1


def test_another_key_is_said(proof, verify):
    status, _, err = verify(proof, "--key", "dead beef dead beef")
    assert status == 5
    assert "no key with the fingerprint dead beef dead beef is there" in err
    status, _, err = verify(proof)
    assert status == 2
    assert "name the log's key with --key" in err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "say what to prove"),
        (["1", "--camera", "1101", "--at", AT], 2, "say what to prove"),
        (["--camera", "1101"], 2, "belong together"),
        (["--camera", "1101", "--at", AT, "--row", "1"], 2, "is a row of an entry"),
        (["--camera", "77", "--at", AT], 2, "no camera has the id 77"),
        (["--camera", "1101", "--at", HELD], 1, "has nothing on record"),
        (["9999"], 1, "there is no entry 9999"),
        (["0", "--row", "3"], 1, "entry 0 has no rows"),
        (["0", "--disclose", "reason"], 2, "has no field reason"),
        (["0", "--out", "/nonexistent/x"], 1, "no such file"),
        (["0", "--out", "/etc/hostname"], 2, "is there already"),
    ],
)
def test_what_can_not_be_proven_is_one_sentence(running, arguments, status, words):
    done = running.call("audit", "prove", *arguments)
    assert done.returncode == status, done
    assert words in done.stderr
    assert len(done.stderr.splitlines()) <= 2
