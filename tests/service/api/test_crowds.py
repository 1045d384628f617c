"""Many connections: a user's share is his own, and nobody else waits for him."""

import time

import pytest

from retention.service.api import server
from retention.service.api.server import EACH
from tests.support.office import HOLD, denied


@pytest.fixture
def impatient(monkeypatch):
    """A server that waits for one second for a request to arrive, instead of five."""
    monkeypatch.setattr(server, "READ_SECONDS", 1)


@pytest.fixture
def patient(monkeypatch):
    """One that waits for a minute: who has to wait for it is seen on any machine."""
    monkeypatch.setattr(server, "READ_SECONDS", 60)
    monkeypatch.setattr(server._Handler, "timeout", 60)


@pytest.mark.usefixtures("patient")
def test_200_idle_connections_of_one_user_cost_another_no_second(office, people):
    hostile, other = office.session(people.stranger), office.session(people.olga)
    assert other.post("hold.list").status == 200
    hostile.idle(200)
    for _ in range(3):
        began = time.monotonic()
        assert other.post("hold.place", **HOLD).status == 200
        assert time.monotonic() - began < server.READ_SECONDS / 2


def test_one_user_alone_is_turned_away_with_a_reason(office, people):
    hostile = office.session(people.stranger)
    hostile.idle(EACH)
    reply = hostile.post("hold.list")
    assert (reply.status, reply.kind) == (503, "busy")
    assert "too many requests of yours" in reply.message


@pytest.mark.usefixtures("impatient")
def test_idle_connections_are_ended_and_their_user_is_answered_again(office, people):
    hostile = office.session(people.stranger)
    hostile.idle(EACH)
    time.sleep(1.5)
    assert denied(hostile.post("hold.list"))
