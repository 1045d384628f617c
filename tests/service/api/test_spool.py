"""Requests that wait while the service is down: taken in before anything is deleted."""

import json
import os
import resource
import shutil
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from retention.catalogue import db
from retention.control import alarms, guards
from retention.control.alarms import Alarms
from retention.model.errors import RetentionError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR
from retention.service import spool
from retention.service.requests import Requests
from retention.service.worker import Worker
from retention.site import clock
from tests.support.installation import Installation, answers
from tests.support.office import HOLD, Office, running
from tests.support.people import UNSET, People, Person
from tests.support.served import SERVICE


def front(office: Office) -> Requests:
    """The service's front as a start makes it."""
    core = office.desk.core
    alarms = Alarms(core.catalogue, core.log, SERVICE)
    return Requests(replace(office.desk, core=replace(core, alarms=alarms)))


def take_in(office: Office) -> None:
    front(office).take_in(clock.read().wall)


def content(**changes: object) -> str:
    arguments = HOLD | {"request": str(uuid.uuid4())} | changes
    return json.dumps({"v": 1, "verb": "hold.place", "arguments": arguments})


def leave(office: Office, person: Person, text: str | bytes, name: str = "r") -> Path:
    """A file as that person's command leaves it."""
    path = office.settings.spool / f"{name}.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.chown(path, person.uid, 100)
    return path


def tripped(office: Office) -> dict[str, str]:
    with office.desk.core.catalogue.read() as tx:
        return {one.name: one.detail for one in alarms.tripped(tx)}


@pytest.fixture
def office(office: Office) -> Office:
    office.settings.spool.mkdir(exist_ok=True)
    return office


def test_what_an_operator_leaves_is_held_before_the_first_deletion(directory, people):
    """The whole way, with the real command and the real daemon."""
    office = Office(directory, people.groups)
    office.init()
    to_open_for(office, people)
    now = clock.read().wall
    kept = office.record(now, 2 * DAY)
    gone = [office.record(now, 2 * DAY + hours * HOUR) for hours in (2, 4)]
    with running(office) as daemon:
        daemon.until(lambda: office.entries("plan.proposed"))
        assert daemon.end() == 0
    office.approve()
    place = [
        "hold", "place", "1001", "--from", format_utc(now - 2 * DAY - HOUR),
        "--to", format_utc(now - 2 * DAY + HOUR), "--kind", "court",
        "--reference", "A/1", "--reason", "case", "--margin", "0",
    ]  # fmt: skip
    done = people.olga.retention(office.config, *place)
    assert done.returncode == 3, done
    assert "not running" in done.stderr
    assert "WAITING, NOT CONFIRMED" in done.stderr
    assert "IT on 0116" in done.stderr
    (left,) = office.settings.spool.glob("*.json")
    assert left.stat().st_uid == people.olga.uid
    with running(office) as daemon:
        daemon.until(lambda: not any(path.exists() for path in gone))
        listed = people.olga.retention(office.config, "hold", "list")
        assert daemon.end() == 0
    assert kept.exists()
    assert not left.exists()
    assert "A/1" in listed.stdout
    placed, intent = office.entries("hold.placed"), office.entries("deletion.intended")
    assert placed[0]["index"] < intent[0]["index"]
    assert placed[0]["actor"]["uid"] == people.olga.uid


def test_a_hold_waits_while_the_catalogue_is_damaged(directory, people):
    """With the service up: the operator hears that no hold is placed, and how it will be;
    `status` ends as where deletion is stopped."""
    office = Office(directory, people.groups)
    office.init()
    to_open_for(office, people)
    path = office.state / db.NAME
    backup = path.read_bytes()
    place = [
        "hold", "place", "1001", "--from", "2026-10-24T20:00Z", "--to",
        "2026-10-24T22:00Z", "--kind", "court", "--reference", "A/1", "--reason", "case",
    ]  # fmt: skip
    daemon = office.start().answering()
    try:
        with path.open("r+b") as file:
            file.write(os.urandom(12 << 10))
        done = people.olga.retention(office.config, *place)
        assert done.returncode == 1, done.stderr + daemon.log()
        assert "is damaged" in done.stderr
        assert "NO HOLD IS PLACED yet. The request is WAITING" in done.stderr
        shown = people.art.retention(office.config, "status")
        assert (shown.returncode, "NOT DELETING" in shown.stderr) == (6, True), shown
    finally:
        daemon.kill()
    for one in office.state.glob(f"{db.NAME}*"):
        one.unlink()
    path.write_bytes(backup)
    with running(office) as daemon:
        daemon.until(lambda: office.entries("hold.placed"))
        assert daemon.end() == 0


def test_the_spool_is_taken_in_before_a_root_is_opened(directory, people, monkeypatch):
    """A batch that a crash left open is finished as soon as its root is open."""
    office = Office(directory, people.groups)
    office.init()
    to_open_for(office, people)
    path = leave(office, people.olga, content())
    monkeypatch.setattr(Worker, "start", crash)
    service = office.service()
    with pytest.raises(KeyboardInterrupt):
        service.start()
    service._requests.close()
    assert not path.exists()
    assert len(office.entries("hold.placed")) == 1


def test_holds_are_answered_while_the_spool_is_taken_in(directory, monkeypatch):
    """However much waits there."""
    office = Installation(directory)
    office.init()
    answered = []

    def take_in(self: Requests, now: int) -> None:
        answered.append(answers(office.settings.socket))
        raise KeyboardInterrupt

    monkeypatch.setattr(Requests, "take_in", take_in)
    service = office.service()
    with pytest.raises(KeyboardInterrupt):
        service.start()
    service._requests.close()
    assert answered == [True]


def to_open_for(office: Office, people: People) -> None:
    """As tmpfiles.d makes the spool where it is not there: for operators, sticky."""
    path = office.settings.spool
    path.mkdir(exist_ok=True)
    shutil.chown(path, "root", people.groups["operator"])
    path.chmod(0o1770)


def test_the_files_owner_is_who_asked_and_nobody_knows_his_login(office, people):
    path = leave(office, people.olga, content())
    take_in(office)
    assert not path.exists()
    (entry,) = office.written("hold.placed")
    actor = entry["actor"]
    assert (actor["uid"], actor["login"]) == (people.olga.uid, UNSET)
    assert (actor["role"], actor["name"]) == ("operator", people.olga.name)


def test_a_request_left_and_answered_as_well_is_one_hold(office, people):
    request = str(uuid.uuid4())
    hold = office.hold(office.session(people.olga), request=request)
    path = leave(office, people.olga, content(request=request))
    take_in(office)
    assert not path.exists()
    again = office.session(people.olga).post("hold.place", **HOLD, request=request)
    assert (again.body["hold"], again.body["repeated"]) == (hold, True)
    assert len(office.written("hold.placed")) == 1


def test_a_crash_between_the_hold_and_the_end_of_its_file_is_one_hold(
    office, people, monkeypatch
):
    path = leave(office, people.olga, content())
    with monkeypatch.context() as patch:
        patch.setattr(spool, "taken", crash)
        with pytest.raises(KeyboardInterrupt):
            take_in(office)
    assert path.exists()
    take_in(office)
    assert not path.exists()
    assert len(office.written("hold.placed")) == 1


def test_a_crash_between_a_refusal_and_its_file_is_an_alarm_all_the_same(
    office, people, monkeypatch
):
    path = leave(office, people.stranger, content())
    with monkeypatch.context() as patch:
        patch.setattr(spool, "refused", crash)
        with pytest.raises(KeyboardInterrupt):
            take_in(office)
    take_in(office)
    assert not path.exists()
    assert guards.REQUEST in tripped(office)


def crash(_: object) -> None:
    raise KeyboardInterrupt


REFUSED = {
    "unknown camera": (content(cameras=["no-such"]), "no camera is called"),
    "a camera whose name is longer than an entry": (
        content(cameras=["x" * 40_000]),
        "at most 200 characters long",
    ),
    "unknown argument": (content(**{"\ud800": 1}), "wrong body"),
    "an argument of surrogates": (content(reason="\ud800"), "wrong body"),
    "an argument of the wrong type": (content(cameras="1001"), "wrong argument"),
    "no argument": ('{"verb": "hold.place", "arguments": {}}', "it has no `request`"),
    "another verb": (
        '{"verb": "hold.approve", "arguments": {"hold": 1}}',
        "no request that may wait",
    ),
    "a list": ("[]", "no request"),
    "a text": ('"hold.place"', "no request"),
    "a verb that is a list": ('{"verb": [], "arguments": {}}', "no request"),
    "nothing": ("", "no request"),
    "bytes": (b"\xff\xfe\x00", "no request"),
    "a huge number": ('{"verb": 1' + "0" * 10_000 + "}", "no request"),
    "depth": ("[" * 60_000, "no request"),
    "too much": (content() + " " * (64 << 10), "larger than"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_request_that_can_not_be_carried_out_is_an_alarm(office, people, case):
    text, why = REFUSED[case]
    path = leave(office, people.olga, text, "a")
    good = leave(office, people.olga, content(), "b")
    take_in(office)
    assert not path.exists()
    assert path.with_suffix(".refused").exists()
    detail = tripped(office)[guards.REQUEST]
    assert people.olga.name in detail
    assert why in detail
    assert len(detail) < 1500
    (entry,) = office.written("request.refused")
    assert why in entry["reason"]
    assert not good.exists()
    assert len(office.written("hold.placed")) == 1


def test_the_alarm_names_every_request_that_was_refused(office, people):
    """Else one is acknowledged, and the other is seen to by nobody."""
    leave(office, people.olga, content(cameras=["8888"]), "a")
    leave(office, people.ada, content(cameras=["7777"]), "b")
    take_in(office)
    detail = tripped(office)[guards.REQUEST]
    assert "8888" in detail
    assert "7777" in detail
    assert people.olga.name in detail


def test_an_alarm_of_very_many_requests_says_that_there_are_more(office, people):
    for number in range(60):
        leave(office, people.olga, content(cameras=[f"8{number:03}"]), f"r{number:02}")
    take_in(office)
    detail = tripped(office)[guards.REQUEST]
    assert len(detail) < 5_000
    assert detail.endswith("see to every file there that ends in .refused")


def test_a_request_of_somebody_without_a_role_is_an_alarm(office, people):
    """He had one when he left it; what counts is when it is carried out."""
    people.leave(people.olga, "operator")
    try:
        leave(office, people.olga, content())
        take_in(office)
    finally:
        people.join(people.olga, "operator")
    assert "has no role here" in tripped(office)[guards.REQUEST]
    assert not office.written("hold.placed")
    done = people.art.retention(office.config, "status")
    assert done.returncode == 6, done
    assert people.olga.name in done.stdout


def test_an_administrator_acknowledges_what_he_has_seen_to(office, people):
    leave(office, people.stranger, content())
    made = front(office)
    made.take_in(clock.read().wall)
    reply = office.session(people.ada).post(
        "guard.acknowledge", guard="request", reason="not ours"
    )
    assert reply.status == 200
    made.tick(clock.read().wall)
    assert guards.REQUEST not in tripped(office)


def make_link(path: Path, good: Path) -> None:
    path.symlink_to(good)


def make_second_name(path: Path, good: Path) -> None:
    path.hardlink_to(good)


def make_pipe(path: Path, _: Path) -> None:
    os.mkfifo(path)


def make_directory(path: Path, _: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("x")


def make_socket(path: Path, _: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def make_foreign_name(path: Path, _: Path) -> None:
    Path(os.fsdecode(os.fsencode(path.parent) + b"/\xff\x1b[2J\n.json")).write_text("x")


@pytest.mark.parametrize(
    "make",
    [
        make_link,
        make_second_name,
        make_pipe,
        make_directory,
        make_socket,
        make_foreign_name,
    ],
)
def test_what_is_no_plain_file_of_one_name_is_refused_at_once(
    office, people, directory, make
):
    """A link would lend its owner's name to what somebody else put there."""
    elsewhere = directory / "elsewhere.json"
    elsewhere.write_text(content(reference="foreign"))
    os.chown(elsewhere, people.sue.uid, 100)
    make(office.settings.spool / "a.json", elsewhere)
    leave(office, people.olga, content(), "b")
    take_in(office)  # and does not wait for ever for somebody to write into a pipe
    (entry,) = office.written("request.refused")
    assert entry["request"].isprintable()
    assert guards.REQUEST in tripped(office)
    (placed,) = office.written("hold.placed")
    assert placed["reference"] == HOLD["reference"]
    assert not list(office.settings.spool.glob("*.json"))


def test_what_can_not_be_moved_away_is_refused_once_and_keeps_nobody_waiting(
    office, people
):
    leave(office, people.olga, "x", "a")
    make_directory(office.settings.spool / "a.refused", Path())
    made = front(office)
    for number in range(3):
        leave(office, people.olga, content(reference=f"A/{number}"), f"b{number}")
        made.take_in(clock.read().wall)
    assert len(office.written("request.refused")) == 1
    assert len(office.written("hold.placed")) == 3


def test_names_that_are_no_requests_are_left_alone(office, people):
    names = ["x.new", ".x.json", "x.refused", "x.json.tmp", "json"]
    for name in names:
        (office.settings.spool / name).write_text("x")
    take_in(office)
    assert sorted(os.listdir(office.settings.spool)) == sorted(names)
    assert office.written("request.refused") == []


def test_a_spool_that_can_not_be_read_is_an_alarm(office, monkeypatch):
    def listdir(_: object) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(spool.os, "listdir", listdir)
    take_in(office)
    assert "can't be read (Permission denied)" in tripped(office)[guards.REQUEST]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A write beyond that is cut short, and the next one fails (setrlimit(2))."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_request_that_is_not_whole_on_the_disk_is_not_left(tmp_path):
    """Else the operator is told that it waits, and the service refuses it."""
    arguments = HOLD | {"request": str(uuid.uuid4())}
    with files_of_at_most(100), pytest.raises(OSError, match="File too large"):
        spool.leave(tmp_path, "hold.place", arguments)
    assert list(tmp_path.glob("*.json")) == []


def test_a_request_that_the_service_would_refuse_for_its_size_is_not_left(tmp_path):
    arguments = HOLD | {"request": str(uuid.uuid4()), "reason": "x" * spool.LARGEST}
    with pytest.raises(RetentionError, match="say it shorter"):
        spool.leave(tmp_path, "hold.place", arguments)
    assert list(tmp_path.iterdir()) == []


def test_left_requests_release_nothing(office, people):
    """Nobody knows who was logged in when one was written."""
    hold = office.hold(office.session(people.both))
    leave(office, people.both, content(replaces=hold))
    take_in(office)
    assert len(office.written("hold.placed")) == 2
    assert office.written("hold.release_requested") == []
