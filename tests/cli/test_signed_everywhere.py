"""Signed means signed: whatever reads the log marks what no signature vouches for, in text
and JSON; what came back unsigned into the live log, and what lies behind a copy's head."""

import json
import shutil

import pytest

from retention import cli
from retention.catalogue import recordings, streams
from retention.cli.audit import balance, texts
from retention.cli.hold import texts as hold_texts
from retention.model import codec
from retention.model.answers.audit import EntryList, EntryShown
from retention.model.answers.books import BookBalance, BookFindings
from retention.model.answers.hold import HoldShown
from retention.model.layouts.layout import path_of
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Actor, Entry, Rows
from retention.site import clock
from retention.tlog.copied import DirectorySource
from tests.support import forger
from tests.support.installation import Installation, never
from tests.support.logs import COLUMNS
from tests.support.station import ANNA, CARA, Station

SERVICE = Actor(uid=990, login=4294967295, pid=1, role="service")
BACK, BEYOND = "came back unsigned", "not signed yet"


class Forged:
    """A site whose disk failed once: what somebody had put behind its head came back, that
    a held recording was deleted once its hold had been released, and a hold; and a copy of
    its log, behind whose head somebody put the same once more."""

    def __init__(self, directory) -> None:
        self.installed = Installation(directory)
        self.installed.init()
        self.station = station = Station(self.installed)
        now = clock.read().wall
        for number in range(3):
            self.installed.record(now, 2 * DAY + number * MINUTE)
        for number in range(2):
            self.installed.record(now, HOUR * (number + 1))
        station.round()
        station.approve()
        station.round()
        self.hold = station.ask(
            "hold.place", cameras=["1001"], since=format_utc(now - 3 * DAY),
            until=format_utc(now), kind="court", reference="r", reason="r",
        )["hold"]  # fmt: skip
        station.service.tick(never)
        station.service._publish(station.service._publishing.catch_up, now)
        with station.service._core.catalogue.read() as tx:
            (stream,) = streams.everyone(tx)
            self.there = [
                (1, *row[:5], row.end + DAY, path_of(stream, row), None)
                for row in recordings.page(tx, stream.key, None, 99)
            ]
        station.killed()
        log = station.settings.published_log
        first = self.put(log, self.there[0], self.hold + 1)
        self.back = [first, first + 1, first + 2, first + 3]
        station.start()
        station.ask("guard.acknowledge", CARA, guard="catalogue", reason="seen")
        station.round()
        station.ask("audit.publish", CARA)
        (self.restored,) = (
            one["index"] for one in self.installed.entries("catalogue.restored")
        )
        self.copy = directory / "usb"
        shutil.copytree(log, self.copy)
        first = self.put(self.copy, self.there[1], self.hold + 2)
        self.beyond = [first, first + 1, first + 2, first + 3]

    def put(self, log, row, hold) -> int:
        """As who has everything but the key; the number of the first."""
        now = clock.read().wall
        rows = Rows(COLUMNS, [row])
        start, size = row[2], row[5]
        bounds = {"oldest": start, "newest": start + row[4]}
        counts = dict.fromkeys(
            ("rescued", "absent", "absent_after_crash", "changed", "failed", "stopped"),
            0,
        )
        intent = DirectorySource(log).signed + 1
        told = {"free_at": now, "reason": "r"}
        window = {
            "since": now - 3 * DAY,
            "until": now,
            "review": now + DAY,
            "margin": 0,
        }
        entries = [
            Entry("hold.released", {"hold": self.hold, **told}),
            Entry(
                "deletion.intended",
                {"root": "nvr1", "count": 1, "bytes": size, **bounds},
                rows,
            ),
            Entry(
                "recordings.deleted",
                {
                    "intent": intent, "deleted": 1, **counts, "bytes": size,
                    "lateness": SECOND, "method": "unlink",
                },
            ),
            Entry(
                "hold.placed",
                {
                    "hold": hold, "kind": "court", "cameras": [1], **window,
                    "reference": "r", "reason": "r",
                },
            ),
        ]  # fmt: skip
        return forger.put(log, [(one, now, SERVICE) for one in entries])

    def at(self, number) -> str:
        """An instant of a recording that is there."""
        return format_utc(self.there[number][2])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    made = Forged(tmp_path_factory.mktemp("forged"))
    yield made
    made.station.killed()


@pytest.fixture
def audit(capsys, monkeypatch):
    """The command on a copy, as text and as JSON."""
    monkeypatch.setenv("RETENTION_CONFIG", "/nonexistent/retention.toml")

    def audit(*words):
        answers = []
        for more in ((), ("--json",)):
            capsys.readouterr()
            assert cli.run(["audit", *words, *more]) in (0, 5), words
            answers.append("".join(capsys.readouterr()))
        text, data = answers
        return text, json.loads(data)

    return audit


LIVE, COPY, UNSIGNED = "live log", "copy", "copy with --unsigned"
WHERE = (LIVE, COPY, UNSIGNED)


@pytest.fixture(params=WHERE)
def where(request):
    return request.param


@pytest.fixture
def ask(site, audit, where):
    """A reading verb, wherever the log lies: its text and its JSON."""
    shown = {
        "audit.list": (EntryList, texts.entries_text),
        "audit.show": (EntryShown, texts.entry_text),
        "audit.find": (BookFindings, balance.found_text),
        "audit.balance": (BookBalance, balance._balance),
    }

    def ask(verb, *words, **given):
        if where == LIVE:
            kind, text = shown[verb]
            found = site.station.ask(verb, ANNA, **given)
            return text(codec.from_json(kind, found), "UTC"), found
        more = ("--unsigned",) if where == UNSIGNED else ()
        return audit(
            verb.removeprefix("audit."), *words, "--dir", str(site.copy), *more
        )

    return ask


def lines(text, mark):
    """Those that have that mark at their end."""
    return [line for line in text.splitlines() if mark in line.rpartition("(")[2]]


def test_the_list_marks_each(site, ask, where):
    text, found = ask("audit.list", "--limit", "200", limit=200)
    entries = {one["number"]: one for one in found["entries"]}
    assert {n for n, one in entries.items() if one["came_back"]} == set(site.back)
    beyond = site.beyond if where == UNSIGNED else []
    false = {n for n, one in entries.items() if one.get("signed") is False}
    assert false == {*site.back, *beyond}
    assert len(lines(text, BACK)) == len(site.back)
    assert len(lines(text, BEYOND)) == len(beyond)


def test_an_entry_says_it_of_itself(site, ask, where):
    for number in site.back:
        text, found = ask("audit.show", str(number), number=number)
        assert f"no: it {BACK}" in text
        assert (found["signed"], found["came_back"]) == (False, True)
    for number in site.beyond if where == UNSIGNED else ():
        text, found = ask("audit.show", str(number), number=number)
        assert f"no: {BEYOND}" in text
        assert (found["signed"], found["came_back"]) == (False, False)
    text, found = ask("audit.show", "0", number=0)
    assert "no: " not in text
    assert found.get("signed") is not False


def test_find_marks_what_came_back_and_believes_none_of_it(site, ask, where):
    at = site.at(0)
    text, found = ask(
        "audit.find", "--camera", "1001", "--at", at, camera="1001", at=at
    )
    (one,) = found["recordings"]
    assert one["fate"] == ("present" if where == LIVE else "unsigned only")
    assert found["came_back"] == [site.back[0], site.back[1], site.back[3]]
    assert f"{BACK.upper()}: entries {site.back[0]}, {site.back[1]}" in text
    marked = [line.split()[0] for line in lines(text, BACK)]
    assert marked == ["intended", "hold", "hold"]
    holds = {hold["hold"]: hold for hold in one["holds"]}
    assert holds[site.hold]["in_force"] is (where != UNSIGNED)  # by what was asked for
    (line,) = (one for one in lines(text, BACK) if f"hold       {site.hold} " in one)
    assert where == UNSIGNED or "in force (" in line


def test_find_has_what_lies_behind_the_head_only_when_asked(site, ask, where):
    at = site.at(1)
    text, found = ask(
        "audit.find", "--camera", "1001", "--at", at, camera="1001", at=at
    )
    fates = [one["fate"] for one in found["recordings"]]
    if where == UNSIGNED:
        assert fates == ["deleted"]
        assert set(site.beyond) <= set(found["unsigned"])
        marked = [line.split()[0] for line in lines(text, BEYOND)]
        assert marked == ["intended", "deleted", "hold", "hold"]
    else:
        assert fates == (["present"] if where == LIVE else [])
        assert not found.get("unsigned")
        assert BEYOND not in text


def test_the_books_say_what_in_them_came_back(site, ask, where):
    text, found = ask("audit.balance")
    assert found["balanced"], found
    assert found["came_back"] == site.back[1:3]
    assert f"{BACK.upper()}: entries {site.back[1]}, {site.back[2]}" in text
    assert found["total"]["deleted"]["recordings"] == 3 + (where == UNSIGNED)
    if where == UNSIGNED:
        assert set(site.beyond[1:3]) <= set(found["unsigned"])
        assert BEYOND.upper() in text


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("of", [LIVE, COPY])
def test_a_proof_says_that_its_entry_came_back(site, audit, tmp_path, of, number):
    entry = site.back[number]
    if of == LIVE:
        proof = site.station.ask("audit.prove", ANNA, entry=entry)
    else:
        text, proof = audit("prove", str(entry), "--dir", str(site.copy))
        assert f"entry {entry} {BACK}" in text
    assert proof["came_back"] == [entry]
    file = tmp_path / "one.tlog-proof"
    file.write_text(proof["proof"])
    key = (site.copy / "key").read_text().strip()
    text, found = audit("verify", str(file), "--key", key)
    assert f"{BACK.upper()}, as entry {site.restored} says" in text
    assert (found["restored"], found["entry"]["came_back"]) == (site.restored, True)
    assert found["entry"]["signed"] is False


def test_a_proof_of_what_is_signed_says_nothing_of_it(site):
    proof = site.station.ask("audit.prove", ANNA, entry=0)
    assert proof["came_back"] == []


def test_a_deletion_that_nobody_signed_has_no_proof(site, audit, capsys):
    """Its completion is the service's: nothing came of it."""
    _, proof = audit("prove", str(site.back[1]), "--row", "0", "--dir", str(site.copy))
    assert proof["came_back"] == [site.back[1]]
    at = site.at(0)
    words = ["audit", "prove", "--camera", "1001", "--at", at, "--dir", str(site.copy)]
    assert cli.run(words) == 1
    assert "has nothing on record" in capsys.readouterr().err
    assert (
        cli.run(["audit", "prove", str(site.beyond[0]), "--dir", str(site.copy)]) == 1
    )


def test_the_life_of_a_hold_is_marked(site):
    found = codec.from_json(HoldShown, site.station.ask("hold.show", hold=site.hold))
    said = {one.number: one.came_back for one in found.history}
    assert said[site.back[0]] is True
    assert sum(said.values()) == 1
    assert f"hold.released ({BACK})" in hold_texts.hold(found, "UTC")
    found = site.station.ask("hold.show", hold=site.hold + 1)
    assert [one["came_back"] for one in found["history"]] == [True]


def test_who_asks_for_a_hold_is_not_told_of_a_loss_that_nobody_signed(site):
    answer = site.station.ask(
        "hold.place", cameras=["1001"], since=site.at(0), until="now", kind="court",
        reference="r", reason="r", dry_run=True,
    )  # fmt: skip
    (camera,) = answer["cameras"]
    assert camera["deleted"] == camera["lost"] == []
