"""FORMAT.md is enough: a verifier written from it alone, `outsider.py`, tells an honest
log from an altered one, and from one that says what was not lawful."""

import ast
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from pathlib import Path

import pytest

from retention.model.values import DAY, MINUTE, SECOND, Actor, Rows
from retention.tlog import format, vectors
from retention.tlog.verify.published import verify_directory
from tests.interop import outsider
from tests.support.audited import AT
from tests.support.dated import Dated
from tests.support.press import COLUMNS, NOW, Press

SOURCE = Path(outsider.__file__)


@pytest.fixture(scope="module")
def description():
    return format.text()


def block(description, title):
    """The text below a title."""
    return re.search(
        rf"^### {re.escape(title)}\n\n```text\n(.*?)\n```$", description, re.M | re.S
    )[1]


@pytest.fixture(scope="module")
def example(description, tmp_path_factory):
    """The log of six entries, from what is printed of it, and its key."""
    directory = tmp_path_factory.mktemp("example")
    part = description.split("### The files of the log, each in base64")[1]
    for path, text in re.findall(
        r"^`(\S+)`\n\n```base64\n(.*?)\n```$", part, re.M | re.S
    ):
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(b64decode(text.replace("\n", "")))
    return directory, (directory / "key").read_text().strip()


def test_it_is_an_outsider():
    """Nothing of ours is in it."""
    names = {
        alias.name
        for node in ast.walk(ast.parse(SOURCE.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in [*node.names, ast.alias(getattr(node, "module", "") or "")]
    }
    assert not [name for name in names if name.startswith(("retention", "tests"))]


def test_the_example_is_intact_and_lawful(example, description):
    directory, key = example
    log = outsider.Log(directory, key, description)
    assert (log.faults, log.unchecked, log.size) == ([], [], 6)


def test_every_example_is_computed_again(example, description):
    directory, key = example
    log = outsider.Log(directory, key, description)
    hold, intent = vectors.HOLD, vectors.INTENT
    assert block(description, f"Entry {hold}").encode() == log.data[hold]
    assert block(description, f"Entry {intent}").encode() == log.data[intent]
    said = block(description, f"Leaf hash of entry {hold} (base64url)")
    assert outsider.unurl(outsider.leaf(log.data[hold])) == said
    said = block(description, "Root over the six entries (base64url)")
    assert outsider.unurl(outsider.tree(list(map(outsider.leaf, log.data)))) == said
    data = (directory / f"rows/{outsider.digits(intent)}").read_bytes()
    names, table, seed = outsider.read_rows(data)
    assert names == log.kinds["deletion.intended"]["columns"]
    leaves = [
        outsider.leaf(outsider.url(salt) + text.encode())
        for salt, text in (
            line.split(" ", 1)
            for line in block(
                description, "Leaves of its rows: salt (base64url) and row"
            ).split("\n")
        )
    ]
    assert leaves == [outsider.row_leaf(seed, n, row) for n, row in enumerate(table)]
    said = block(description, "Root over these rows (base64url)")
    assert outsider.unurl(outsider.tree(leaves)) == said


def test_the_example_s_disclosures_open_what_was_committed_to(example, description):
    directory, key = example
    sd = outsider.Log(directory, key, description).entries[vectors.HOLD]["sd"]
    lines = block(description, "Disclosures of that entry").split("\n")
    for name, text in (line.split(" ") for line in lines):
        assert outsider.unurl(outsider.sha(text.encode())) == sd[name]


def test_the_example_s_proof_shows_a_deletion(example, description):
    text = block(description, "Proof file of row 0") + "\n"
    kinds = outsider.kinds_of(description)
    shown = outsider.verify_proof(text, example[1], kinds)
    assert (shown["id"], shown["outcome"]) == ("1001", "deleted")
    assert shown["row"]["start"] == 1_788_000_000 * SECOND
    extra = text.split("\n")[1]
    for at in range(6, len(extra), 101):
        changed = extra[:at] + ("B" if extra[at] == "A" else "A") + extra[at + 1 :]
        with pytest.raises((outsider.Wrong, ValueError, KeyError, TypeError)):
            outsider.verify_proof(text.replace(extra, changed), example[1], kinds)


def test_what_rows_and_commitments_hash_to_never_changes(description):
    """A log of this format verifies for good: who changes this changes the format, or
    draws other salts for the example."""
    said = block(description, "Root over these rows (base64url)")
    assert said == "_ETrqclTVYIR3ivUcSkjBfL6m_aHi5puqQUF1XIsuxs"
    texts = dict(vectors.vectors().disclosures)
    digest = outsider.unurl(outsider.sha(texts["reason"].encode()))
    assert digest == "e_FKr-DDkcOU0P-OTQO61XkG3pYEoMj3-3bkiYzF7Bs"


def test_every_changed_byte_of_the_example_is_found(example, description, tmp_path):
    directory, key = example
    for path in sorted(one for one in directory.rglob("*") if one.is_file()):
        name = path.relative_to(directory)
        if str(name) == "key":
            continue
        data = path.read_bytes()
        for at in range(0, len(data), 23):
            copy = tmp_path / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(directory, copy)
            (copy / name).write_bytes(
                data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
            )
            assert outsider.Log(copy, key, description).faults, (name, at)


def test_a_real_log_is_intact_and_lawful_to_it(published, tmp_path):
    """As a process of its own, with the directory and the key."""
    command = [sys.executable, str(SOURCE), str(published.log), published.key]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done
    assert done.stdout.startswith("intact and lawful: ")


def test_a_real_proof_is_understood_by_it(published, tmp_path):
    out = tmp_path / "one.tlog-proof"
    done = published.call(
        "audit", "prove", "--camera", "1101", "--at", AT, "--out", str(out),
        "--dir", str(published.log), config=False,
    )  # fmt: skip
    assert done.returncode == 0, done
    kinds = outsider.kinds_of((published.log / "FORMAT.md").read_text())
    shown = outsider.verify_proof(out.read_text(), published.key, kinds)
    assert (shown["id"], shown["outcome"]) == ("1101", "deleted")


SERVICE = Actor(uid=990, login=4294967295, pid=1, role="service")
ANN = Actor(uid=1001, login=1001, pid=2, role="operator")
BEN = Actor(uid=1002, login=1002, pid=3, role="supervisor")
START = NOW - 29 * DAY
RULES = {
    "release_requires_two_people": "true", "require_login_uid": "true",
    "cooling_off": "7d",
}  # fmt: skip


class Story:
    """A log signed with its own key that says what is written here, lawful or not."""

    def __init__(self, press):
        self.press = press
        self.add("policy.changed", version=0, days=28, cameras={})
        self.add("rules.changed", old={}, new=RULES)

    def add(self, what, actor=SERVICE, table=None, /, **fields):
        return self.press.append(Dated(what, NOW, actor, fields, table)) - 1

    def hold(self, since=START, until=START + DAY, **changed):
        fields = {"hold": 1, "kind": "police", "cameras": [1], "review": NOW + DAY}
        self.add(
            "hold.placed", ANN,
            **fields | {"since": since, "until": until, "margin": 0} | changed,
        )  # fmt: skip

    def release(self, approver=BEN, asked=True, free_at=NOW + 7 * DAY):
        request = self.add("hold.release_requested", ANN, hold=1) if asked else None
        self.add("hold.released", approver, hold=1, free_at=free_at, request=request)

    def quarantine(self, start=START):
        row = (1, 4, start, 0, MINUTE, 1000, "future", None, start)
        columns = (*COLUMNS[:6], "reason", "path", "seen")
        table = Rows(columns, [row])
        self.add("recordings.quarantined", SERVICE, table, count=1)

    def delete(self, start=START, late=0, seen=None, **outcomes):
        due = start + MINUTE + 28 * DAY + late
        row = (1, 4, start, 0, MINUTE, 1000, due, None, seen)
        batch = self.add(
            "deletion.intended", SERVICE, Rows(COLUMNS, [row]), root="nvr1", count=1,
            bytes=1000, oldest=start, newest=start + MINUTE,
        )  # fmt: skip
        counts = dict.fromkeys(outsider.OUTCOMES, 0) | (outcomes or {"deleted": 1})
        self.add(
            "recordings.deleted", intent=batch, bytes=1000, lateness=0, method="unlink",
            **counts,
        )  # fmt: skip

    def faults(self):
        self.press.publish()
        return outsider.Log(self.press.published, self.press.vkey).faults


@pytest.fixture
def story(tmp_path):
    press = Press(tmp_path / "state")
    press.by_hand = True
    yield Story(press)
    press.catalogue.close()


def lawful(story):
    story.delete()


def beside_the_window(story):
    story.hold(since=START + MINUTE)
    story.delete()


def in_doubt(story):
    story.quarantine()
    story.delete(late=-5 * DAY, seen=START + MINUTE - 5 * DAY)


@pytest.mark.parametrize("told", [lawful, beside_the_window, in_doubt])
def test_what_was_lawful_is_found_lawful(story, told):
    told(story)
    assert story.faults() == []


def under_a_hold(story):
    story.hold()
    story.delete()


def under_an_extended_hold(story):
    story.hold(since=START + DAY, until=START + 2 * DAY)
    story.add(
        "hold.extended", ANN, hold=1, cameras=[], since=START, until=START + 2 * DAY,
        review=NOW, old_since=START + DAY, old_until=START + 2 * DAY, old_review=NOW,
    )  # fmt: skip
    story.delete()


def while_it_cools_off(story):
    story.hold()
    story.release()
    story.delete()


def in_doubt_under_a_hold_of_its_camera(story):
    story.hold(since=START + 3 * DAY, until=START + 4 * DAY)
    story.quarantine()
    story.delete()


def before_its_time(story):
    story.delete(start=NOW - DAY)


def by_a_shorter_period(story):
    story.delete(late=-DAY)


def twice(story):
    story.delete()
    story.delete()


def released_by_one_person(story):
    story.hold()
    story.release(approver=ANN)


def released_by_one_person_as_another_user(story):
    story.hold()
    story.release(approver=Actor(uid=1003, login=1001, pid=3, role="supervisor"))


def released_without_being_asked_for(story):
    story.hold()
    story.release(asked=False)


def free_too_early(story):
    story.hold()
    story.release(free_at=NOW)


@pytest.mark.parametrize(
    "told",
    [
        under_a_hold, under_an_extended_hold, while_it_cools_off,
        in_doubt_under_a_hold_of_its_camera, before_its_time, by_a_shorter_period,
        twice, released_by_one_person, released_by_one_person_as_another_user,
        released_without_being_asked_for, free_too_early,
    ],
)  # fmt: skip
def test_what_was_not_lawful_is_found_though_the_log_is_intact(story, told):
    told(story)
    assert [one for one in story.faults() if "is not lawful" in one]
    assert verify_directory(story.press.published, story.press.vkey).ok
