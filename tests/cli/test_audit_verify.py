"""`retention audit verify`, `checkpoint`, `key` and `publish`, as typed."""

import json
import re
import shutil
import sqlite3
from contextlib import closing

import pytest

from retention import cli
from retention.catalogue import db
from retention.model.values import DAY
from retention.tlog import merkle, note, page
from retention.tlog.entry import previous
from tests.support.logs import a_catalogue
from tests.support.publishing import OTHER_KEY, VERIFIER, fill, head, publish
from tests.support.story import Story

PAPER = note.fingerprint(VERIFIER.vkey)


@pytest.fixture
def entries(tmp_path):
    with closing(a_catalogue(tmp_path)) as catalogue:
        return fill(catalogue, 300)


@pytest.fixture
def log(tmp_path, entries):
    """A published log of 300 entries, signed at 200 before."""
    return publish(tmp_path / "log", entries, [200, 300])


@pytest.fixture
def verify(capsys, monkeypatch):
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def verify(*arguments):
        capsys.readouterr()
        status = cli.run(["audit", "verify", *map(str, arguments)])
        return status, *capsys.readouterr()

    return verify


@pytest.mark.parametrize("how", ["fingerprint", "typed", "text", "file", "paper file"])
def test_an_intact_log_is_intact_to_its_last_entry_by_any_form_of_the_key(
    verify, log, tmp_path, how
):
    (tmp_path / "vkey").write_text(VERIFIER.vkey + "\n")
    (tmp_path / "paper").write_text(PAPER + "\n")
    key = {
        "fingerprint": PAPER,
        "typed": PAPER.upper().replace(" ", "-"),
        "text": VERIFIER.vkey,
        "file": tmp_path / "vkey",
        "paper file": tmp_path / "paper",
    }[how]
    status, out, err = verify(log, "--key", key)
    assert (status, err) == (0, "")
    assert re.match(r"Intact to entry 299, signed at \w{3} \d", out)
    assert f"fingerprint {PAPER}" in out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "the digest of every row file"),
        (["--sums"], "that rows, counts and batches add up"),
        (["--deep", "--jobs", "2"], "every entry and every row"),
    ],
)
def test_it_says_what_was_checked(verify, tmp_path, options, words):
    story = Story()
    story.delete(story.row())
    log = publish(tmp_path / "log", story.entries)
    status, out, _ = verify(log, "--key", PAPER, *options)
    assert status == 0
    assert words in out
    assert ("Lawful to entry 6, by the rules in force then." in out) is (
        "--deep" in options
    )
    assert ("lawful             not looked at: --deep does" in out) is (
        "--deep" not in options
    )


def test_a_log_that_is_intact_and_not_lawful_says_both_and_ends_with_5(
    verify, tmp_path
):
    story = Story()
    early = story.delete(story.row(age=DAY))
    log = publish(tmp_path / "log", story.entries)
    status, out, err = verify(log, "--key", PAPER, "--deep")
    assert (status, err) == (5, "")
    intact, unlawful = out.splitlines()[:2]
    assert intact.startswith("Intact to entry 6, signed at ")
    assert re.fullmatch(
        rf"NOT LAWFUL: entry {early} has row 0, which is deleted 26 days 23 h before its "
        r"period is over \(rule 5: nothing is deleted before its period is over\)\.",
        unlawful,
    )
    assert verify(log, "--key", PAPER)[0] == 0  # it was not asked


def test_json_says_both_words(verify, tmp_path):
    story = Story()
    early = story.delete(story.row(age=DAY))
    log = publish(tmp_path / "log", story.entries)
    status, out, _ = verify(log, "--key", PAPER, "--deep", "--json")
    answer = json.loads(out)
    assert (status, answer["ok"], answer["faults"]) == (5, False, [])
    assert (answer["intact"], answer["lawful"]) == (answer["entries"], False)
    (one,) = answer["law"]["violations"]
    assert (one["entry"], one["rule"], one["name"]) == (early, 5, "period")
    answer = json.loads(verify(log, "--key", PAPER, "--json")[1])
    assert (answer["ok"], answer["lawful"], answer["law"]) == (True, None, None)


def test_without_an_older_checkpoint_it_says_what_would_not_show(verify, log):
    assert "none brought (--since)" in verify(log, "--key", PAPER)[1]


def _page(data: bytes) -> str:
    return page.page(page.Handed(data.decode(), PAPER, "Tue 24 Nov 2026"))


def _quoted(text: str) -> bytes:
    return "".join(f"> {line}\r\n" for line in text.splitlines()).encode()


def _broken(text: str) -> bytes:
    """As a mail program does that breaks long lines and knows no dash."""
    return re.sub(r"\u2014 (\S+) (\S{40})", r"- \1\n\2\n", text).encode()


@pytest.mark.parametrize("form", ["note", "page", "mail", "broken", "directory"])
def test_an_older_checkpoint_is_taken_in_whatever_form_it_was_kept(
    verify, log, entries, tmp_path, form
):
    older = head(entries, 200)
    kept = tmp_path / "kept"
    if form == "directory":
        kept.mkdir()
        (kept / "january").write_bytes(older)
        (kept / "february.txt").write_text(_page(head(entries, 250)))
    else:
        text = _page(older)
        kept.write_bytes(
            {
                "note": older,
                "page": text.encode(),
                "mail": _quoted(text),
                "broken": _broken(text),
            }[form]
        )
    status, out, err = verify(log, "--key", PAPER, "--since", kept)
    assert (status, err) == (0, "")
    count = 2 if form == "directory" else 1
    assert f"it extends {count} of {count} that you brought" in out


def test_a_root_on_paper_is_an_older_checkpoint_too(verify, log, entries):
    root = note.unverified(head(entries, 200)).root
    typed = f"200 {' '.join(page.grouped(root))}"
    status, out, _ = verify(log, "--key", PAPER, "--since", typed)
    assert status == 0
    assert "it extends 1 of 1 that you brought" in out
    status, out, _ = verify(log, "--key", PAPER, "--since", typed.replace("200", "201"))
    assert status == 5
    assert "NOT INTACT: entry 0 or a later one below 201 was rewritten" in out
    status, out, _ = verify(log, "--key", PAPER, "--since", typed.replace("200", "301"))
    assert status == 5
    assert "the log was cut or rolled back" in out


def test_a_rollback_shows_against_a_checkpoint_that_was_kept(verify, entries, tmp_path):
    rolled_back = publish(tmp_path / "log", entries[:250])
    (tmp_path / "kept").write_bytes(head(entries, 300))
    status, out, _ = verify(rolled_back, "--key", PAPER, "--since", tmp_path / "kept")
    assert status == 5
    assert out.startswith("NOT INTACT: entry 250 is not under the checkpoint any more")
    assert "Entries 0 to 249 are what was written." in out


def test_a_changed_entry_is_named_and_what_before_it_is_intact(verify, log):
    path = log / "tile" / "entries" / "001.p" / "44"
    data = bytearray(path.read_bytes())
    at = data.index(b'"index":280') + 30
    data[at] ^= 1
    path.write_bytes(data)
    status, out, err = verify(log, "--key", PAPER)
    assert (status, err) == (5, "")
    assert re.match(r"NOT INTACT: entry 280 was changed", out)
    assert "Entries 0 to 279 are what was written." in out


def test_json_says_the_same(verify, log, capsys):
    status, out, _ = verify(log, "--key", PAPER, "--json")
    answer = json.loads(out)
    assert (status, answer["ok"], answer["entries"], answer["intact"]) == (
        0,
        True,
        300,
        300,
    )
    assert set(answer) == {
        "ok", "origin", "entries", "intact", "signed_at", "unsigned", "ahead",
        "copied_while_written", "root", "depth",
        "rows", "open_intents", "extends", "strangers", "faults", "more_faults",
        "directory", "withheld", "checkpoint", "fingerprint", "brought", "lawful", "law",
    }  # fmt: skip


def test_a_second_copy_is_verified_by_its_newest_day(verify, entries, tmp_path):
    copy = publish(tmp_path / "copy", entries[:256], kept=(200, 256))
    (copy / "checkpoint").unlink()
    status, out, _ = verify(copy, "--key", PAPER, "--copy")
    assert status == 0
    assert out.startswith("Intact to entry 255, ")
    assert "that of 2026-11-02: this copy has no newer one" in out


def test_a_log_whose_head_was_removed_is_never_taken_for_a_second_copy(
    verify, entries, tmp_path
):
    log = publish(tmp_path / "log", entries, kept=(200, 256))
    (log / "checkpoint").unlink()
    status, out, _ = verify(log, "--key", PAPER)
    assert status == 5
    assert out.startswith("NOT INTACT: the checkpoint: ")
    assert "its head was removed" in out
    assert "with --copy" in out


def test_a_second_copy_with_a_head_of_its_own_is_verified_by_that(verify, log):
    assert verify(log, "--key", PAPER, "--copy")[1].startswith("Intact to entry 299, ")


def test_a_log_signed_with_another_key_is_not_the_one(verify, entries, tmp_path):
    other = publish(tmp_path / "log", entries, key=OTHER_KEY)
    status, _, err = verify(other, "--key", PAPER)
    assert status == 5
    assert f"no key with the fingerprint {PAPER}" in err
    status, out, _ = verify(other, "--key", VERIFIER.vkey)
    assert status == 5
    assert out.startswith("NOT INTACT: ")
    assert "Entries 0 to" not in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["LOG"], f"the copy itself names {PAPER}"),
        (["LOG", "--key", "nonsense"], "'nonsense' is neither a file"),
        (["LOG", "--key", "LOG/checkpoint"], "neither a verifier key nor"),
        (["LOG", "--key", "ROWS"], "neither a verifier key nor a fingerprint"),
        (["LOG", "--key", PAPER, "--since", "/nonexistent"], "can't be read"),
        (["LOG", "--key", PAPER, "--since", "ROWS"], "there is no checkpoint in it"),
        (["LOG", "--key", PAPER, "--since", "EMPTY"], "holds no file"),
        (["/nonexistent", "--key", PAPER], "is not there"),
        (["ROWS", "--key", PAPER], "is no proof of an audit log"),
        (["ROWS", "--key", PAPER, "--deep"], "are for a log"),
        (["ROWS", "--key", PAPER, "--copy"], "are for a log"),
        (["--copy"], "are for a published log"),
        (["--key", PAPER], "are for a published log"),
    ],
)
def test_what_can_not_be_asked_is_one_sentence(verify, log, tmp_path, arguments, words):
    (tmp_path / "rows").write_text("nothing of that kind\n")
    (tmp_path / "empty").mkdir()
    places = {"LOG": log, "ROWS": tmp_path / "rows", "EMPTY": tmp_path / "empty"}
    typed = [str(places.get(one, one)).replace("LOG/", f"{log}/") for one in arguments]
    status, out, err = verify(*typed)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


# -- what is handed out, and the live log ------------------------------------------


@pytest.fixture
def running(audited):
    with audited.running():
        yield audited


def test_what_the_service_hands_out_verifies_what_it_published(running, tmp_path):
    done = running.call("audit", "checkpoint", "--print")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) <= 45
    long = [line for line in lines if len(line) > page.WIDTH]
    assert [line[:2] for line in long] == ["\u2014 "]
    (tmp_path / "page.txt").write_text(done.stdout)
    key = running.json("audit", "key", "show")
    assert key["fingerprint"] in done.stdout
    assert key["vkey"] == running.key
    running.json("audit", "publish")
    verified = running.call(
        "audit", "verify", str(running.log), "--key", key["fingerprint"],
        "--since", str(tmp_path / "page.txt"), config=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified
    assert "it extends 1 of 1 that you brought" in verified.stdout


def test_the_service_compares_its_log_with_the_published_copy(running):
    running.json("audit", "publish")
    done = running.call("audit", "verify", "--deep")
    assert done.returncode == 0, done
    assert "its published copy is intact to entry" in done.stdout
    rows = next(path for path in (running.log / "rows").rglob("*") if path.is_file())
    data = rows.read_bytes()
    try:
        rows.write_bytes(data + b" ")
        done = running.call("audit", "verify")
        assert done.returncode == 5
        assert "but its published copy is NOT intact: entry " in done.stdout
    finally:
        rows.write_bytes(data)


def test_what_is_missing_from_the_copy_is_published_again(running):
    running.json("audit", "publish")
    tile = next(
        path for path in (running.log / "tile" / "0").rglob("*") if path.is_file()
    )
    rows = next(path for path in (running.log / "rows").rglob("*") if path.is_file())
    rows.unlink()
    assert running.call("audit", "verify").returncode == 5
    assert running.json("audit", "publish")["published"] is True
    assert tile.exists()
    assert running.call("audit", "verify").returncode == 0


def test_a_head_that_was_removed_from_the_copy_shows_and_is_published_again(running):
    running.json("audit", "publish")
    (running.log / "checkpoint").unlink()
    done = running.call("audit", "verify")
    assert done.returncode == 5
    assert "its published copy is NOT intact: the checkpoint: " in done.stdout
    assert running.json("audit", "publish")["published"] is True
    assert running.call("audit", "verify").returncode == 0


def test_what_was_changed_in_the_copy_is_never_written_over(running):
    rows = next(path for path in (running.log / "rows").rglob("*") if path.is_file())
    data = rows.read_bytes()
    try:
        rows.write_bytes(b"another")
        done = running.call("audit", "publish")
        assert done.returncode == 1
        assert "NOT published" in done.stdout
        assert rows.read_bytes() == b"another"
    finally:
        rows.write_bytes(data)
    assert running.json("audit", "publish")["published"] is True


def test_a_log_that_was_rewritten_in_the_database_is_found_by_what_was_signed(
    audited, tmp_path
):
    """Whoever has the database and not the key: entries, head and table are his."""
    state = audited.directory / "state"
    shutil.copytree(state, tmp_path / "before")
    try:
        with sqlite3.connect(state / db.NAME) as raw:
            for (name,) in raw.execute(
                "SELECT name FROM sqlite_master WHERE type='trigger'"
            ).fetchall():
                raw.execute(f"DROP TRIGGER {name}")
            rows = raw.execute("SELECT number, bytes FROM entry ORDER BY number")
            tree, last = merkle.Frontier(), None
            for number, data in rows.fetchall():
                data = bytes(data).replace(b"Market Place", b"Market Hall!")
                if last is not None:
                    old = re.search(rb'"prev":"([^"]+)"', data)
                    assert old is not None
                    data = data.replace(old[1], previous(last).encode())
                raw.execute("UPDATE entry SET bytes=? WHERE number=?", (data, number))
                tree, last = tree.append(merkle.leaf(data)), data
            raw.execute("UPDATE log_head SET frontier=?", (tree.to_bytes(),))
            raw.execute("DELETE FROM checkpoint")
        raw.close()
        with audited.running():
            done = audited.call("audit", "verify")
        assert done.returncode == 5
        assert "is not what was signed" in done.stdout
    finally:
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "before", state)


def test_status_says_which_memories_there_are_and_how_old(running):
    done = running.call("status")
    assert re.search(r"audit log +\d+ entries, signed to entry \d+", done.stdout)
    assert re.search(
        r"beside the key, \S+/last-checkpoint: to entry \d+, ", done.stdout
    )
    assert "log_copy is not set" in done.stdout


def test_no_checkpoint_yet_is_one_sentence(site):
    done = site.run("audit", "checkpoint")
    assert done.status == 1
    assert "no checkpoint was signed yet" in done.err
