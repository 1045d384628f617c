"""Many connections: a user's share is his own, and nobody else waits for him."""

import time
from threading import Timer

import pytest

from retention.service.api import denials, server
from retention.service.api.server import EACH
from tests.support.office import HOLD, denied
from tests.support.people import UNSET


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


@pytest.mark.usefixtures("patient")
def test_one_user_alone_is_turned_away_with_a_reason_and_that_is_on_record(
    office, people
):
    hostile = office.session(people.olga)
    hostile.idle(EACH)
    for _ in range(3):
        reply = hostile.post("hold.list")
        assert (reply.status, reply.kind) == (503, "busy")
        assert "too many requests of yours" in reply.message
    (one,) = turned_away(office)
    assert (one["actor"]["uid"], one["count"]) == (people.olga.uid, 3)


def turned_away(office):
    """What the record has of connections that nobody had room for."""
    office.desk.denials.flush(0, all_=True)
    denied = office.written("access.denied")
    return [one for one in denied if one["verb"] == denials.CONNECTION]


@pytest.mark.usefixtures("patient")
def test_a_crowd_without_roles_shares_one_part_and_keeps_nobody_out(office, people):
    """Eight accounts without a role, eight idle connections each: an operator is answered
    all the same, and those are told what is so."""
    hostile = [
        office.session(people.unknown(800_000 + number, 100), UNSET)
        for number in range(8)
    ]
    for one in hostile:
        one.idle(EACH)
    assert office.session(people.olga).post("hold.place", **HOLD).status == 200
    reply = office.session(people.stranger).post("hold.list")
    assert (reply.status, reply.kind) == (503, "busy")
    assert "connections for users without a role are taken" in reply.message
    turned = turned_away(office)
    assert people.stranger.uid in {one["actor"]["uid"] for one in turned}
    assert sum(one["count"] for one in turned) >= 8 * EACH - server.STRANGERS


@pytest.mark.usefixtures("patient")
def test_who_is_turned_away_tries_again_until_there_is_room(office, people):
    """The program, not the bare socket: its user sees nothing of it."""
    crowd = office.session(people.olga)
    crowd.idle(EACH)
    ended = Timer(1, crowd.close)
    ended.start()
    try:
        done = people.olga.retention(office.config, "hold", "list")
    finally:
        ended.join()
    assert done.returncode == 0, done


@pytest.mark.usefixtures("patient")
def test_after_five_seconds_it_says_why(office, people):
    office.session(people.olga).idle(EACH)
    done = people.olga.retention(office.config, "hold", "list")
    assert done.returncode == 3, done
    assert "too many requests of yours are open (8 at most)" in done.stderr


@pytest.mark.usefixtures("impatient")
def test_idle_connections_are_ended_and_their_user_is_answered_again(office, people):
    hostile = office.session(people.stranger)
    hostile.idle(EACH)
    for _ in range(1200):
        reply = hostile.post("hold.list")
        if reply.raw and reply.kind != "busy":  # else a busy machine was too slow
            break
        time.sleep(0.1)
    assert denied(reply)
