"""The service is down, does not answer, or is too busy: three things, told apart."""

import signal
import socket
import subprocess
import sys
import time
from functools import wraps

import pytest

from retention.catalogue import db
from retention.control.verbs import VERBS, Verb
from retention.model.answers.status import DeletionPlan
from retention.model.errors import UnreachableError, UsageError
from retention.model.values import SECOND
from retention.reports import plan
from retention.service.api.server import LARGEST_BODY
from retention.service.client import Client
from tests.support.office import Office, running
from tests.support.people import PACKAGE, environment

CONTACT = "IT on 0116"
PLACE = (
    "hold", "place", "1001", "--from", "2026-10-24T20:00Z", "--to",
    "2026-10-24T22:00Z", "--kind", "court", "--reference", "A/1", "--reason", "case",
)  # fmt: skip


@pytest.fixture(scope="module")
def alive(still_directory, people):
    """An office whose daemon runs, for all tests of this module."""
    office = Office(still_directory, people.groups)
    office.init()
    with running(office) as daemon:
        daemon.until(office.socket.exists)
        office.daemon = daemon
        yield office


def test_a_service_that_is_down_deletes_nothing_and_the_answer_says_so(
    directory, people
):
    office = Office(directory, people.groups)
    done = people.olga.retention(office.config, "hold", "list")
    assert done.returncode == 3
    assert "is not running" in done.stderr
    assert "nothing is being deleted by this program" in done.stderr
    assert CONTACT in done.stderr


def test_a_service_that_does_not_answer_may_be_deleting_and_the_answer_says_so(
    alive, people
):
    alive.daemon.process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        done = people.olga.retention(alive.config, "hold", "list")
        took = time.monotonic() - began
    finally:
        alive.daemon.process.send_signal(signal.SIGCONT)
    assert done.returncode == 3
    assert took > 4.5
    assert "does not answer" in done.stderr
    assert "not known whether it deletes" in done.stderr
    assert CONTACT in done.stderr


def test_a_hold_that_a_stopped_service_was_asked_for_is_placed_once_when_it_goes_on(
    alive, people
):
    alive.settings.spool.mkdir(exist_ok=True)
    alive.settings.spool.chmod(0o1777)
    alive.daemon.process.send_signal(signal.SIGSTOP)
    try:
        done = people.olga.retention(alive.config, *PLACE)
    finally:
        alive.daemon.process.send_signal(signal.SIGCONT)
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert "WAITING, NOT CONFIRMED" in done.stderr
    alive.daemon.until(lambda: not list(alive.settings.spool.glob("*.json")))
    (entry,) = alive.entries("hold.placed")
    assert entry["actor"]["uid"] == people.olga.uid


def test_where_no_request_can_be_left_the_answer_says_that_no_hold_is_placed(
    directory, people
):
    office = Office(directory, people.groups)
    office.settings.spool.mkdir()
    office.settings.spool.chmod(0o700)
    done = people.olga.retention(office.config, *PLACE)
    assert done.returncode == 3
    assert "NO HOLD IS PLACED" in done.stderr
    assert f"call {CONTACT}" in done.stderr


def test_a_path_that_is_not_a_socket_is_said_to_be_none(directory, people):
    office = Office(directory, people.groups)
    office.socket.write_text("")
    done = people.olga.retention(office.config, "hold", "list")
    assert done.returncode == 3
    assert "is not a socket" in done.stderr


def test_hold_list_loads_nothing_that_it_does_not_need(alive, people):
    script = (
        "import sys; from retention import cli; status = cli.run(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr); sys.exit(status)"
    )
    words = ("-c", script, "--config", str(alive.config), "hold", "list")
    done = people.olga.run(sys.executable, *words)
    assert done.returncode == 0, done
    loaded = set(done.stderr.split())
    assert "retention.cli.hold.commands" in loaded
    heavy = {
        "sqlalchemy", "pydantic", "pydantic_settings", "structlog", "apscheduler",
        "rich", "cryptography", "retention.site.settings", "retention.catalogue",
    }  # fmt: skip
    assert loaded & heavy == set()


@pytest.fixture
def brief(monkeypatch):
    """A client that waits for one second instead of five."""
    for verb in ("hold.list", "hold.show"):
        short = Verb(VERBS[verb].function, seconds=1)
        monkeypatch.setitem(VERBS, verb, short)


@pytest.mark.usefixtures("brief")
def test_a_full_queue_is_a_service_that_does_not_answer(directory, people):
    """Connecting to it fails at once, unlike over a network."""
    office = Office(directory, people.groups)
    with (
        socket.socket(socket.AF_UNIX) as listening,
        socket.socket(socket.AF_UNIX) as first,
    ):
        listening.bind(str(office.socket))
        listening.listen(0)
        first.connect(str(office.socket))
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="does not answer"):
            Client(office.config).call("hold.list")
        assert time.monotonic() - began > 0.9


@pytest.mark.usefixtures("brief")
def test_half_an_answer_is_none(directory, people):
    office = Office(directory, people.groups)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(office.socket))
        office.socket.chmod(0o666)
        listening.listen(1)
        listening.settimeout(120)
        asking = people.olga.command(
            sys.executable, "-m", "retention", "--config", str(office.config),
            "hold", "list",
        )  # fmt: skip
        with subprocess.Popen(
            asking, stderr=subprocess.PIPE, text=True, cwd=PACKAGE, env=environment()
        ) as process:
            connection, _ = listening.accept()
            connection.recv(9000)
            connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{"holds"')
            connection.close()
            told = process.communicate(timeout=120)[1]
    assert process.returncode == 3
    assert "broke off" in told
    assert "Traceback" not in told


def test_a_request_that_is_too_large_is_said_to_be(office: Office):
    with pytest.raises(UsageError, match="too large"):
        Client(office.config).call("camera.import", data="x" * (2 * LARGEST_BODY))


def test_a_socket_that_is_closed_to_the_user_is_said_to_be(office: Office, people):
    office.socket.chmod(0o600)
    done = people.olga.retention(office.config, "hold", "list")
    assert done.returncode == 3
    assert "is closed to you" in done.stderr
    assert CONTACT in done.stderr


def test_a_reading_without_an_end_is_ended_and_the_service_goes_on(
    office: Office, people, monkeypatch
):
    @wraps(plan.plan)  # what may be asked with is read off it, once
    def endless(context, **_: object) -> DeletionPlan:
        with context.catalogue.read() as tx:
            tx.exec_driver_sql(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) "
                "SELECT count(*) FROM n"
            ).all()

    monkeypatch.setattr(plan, "plan", endless)
    with monkeypatch.context() as patch:
        patch.setattr(db, "LONGEST_READ", 3 * SECOND)
        done = people.olga.retention(office.config, "plan")
    assert done.returncode == 1
    assert "takes longer than 5 s to read" in done.stderr
    assert "ask for less" in done.stderr
    assert "Traceback" not in done.stderr
    assert people.olga.retention(office.config, "hold", "list").returncode == 0
