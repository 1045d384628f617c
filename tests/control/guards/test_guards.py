"""Tripping, clearing and acknowledging, with a real catalogue and its log."""

import pytest
from structlog.testing import capture_logs

from retention.catalogue import log as audit
from retention.catalogue.db import Priority, get_fact
from retention.catalogue.entries import listing
from retention.control import alarms, guards
from retention.control.context import Context
from retention.model.errors import NotPermittedError, UsageError
from retention.model.values import HOUR, SECOND, Actor
from tests.support.json_schema import verb
from tests.support.logs import a_catalogue

NOON = 1_795_521_600 * SECOND
ACTOR = Actor(uid=990, login=2**32 - 1, pid=1, role="service")
ADMIN = Actor(uid=0, login=1000, pid=2, role="administrator")
LOG = audit.Log(site="test", host="h", program="p")


@pytest.fixture
def catalogue(tmp_path):
    made = a_catalogue(
        tmp_path, bytes(32), facts={"uuid": "c"}, log=LOG, at=NOON, actor=ACTOR,
        log_id="id", timezone="UTC",
    )  # fmt: skip
    yield made
    made.close()


@pytest.fixture
def log():
    return LOG


@pytest.fixture
def trip(catalogue, log):
    def trip(name="root", scope="nvr1", detail="not mounted", now=NOON):
        with catalogue.write(Priority.DELETION, log.by(ACTOR, now)) as tx:
            return alarms.trip(tx, now, name, scope, detail)

    return trip


def entries(catalogue, kind):
    with catalogue.read() as tx:
        return [entry["fields"] for entry in listing(tx, kind=kind)]


def tripped(catalogue):
    with catalogue.read() as tx:
        return [tuple(each[1:5]) for each in alarms.tripped(tx)]


def test_a_tripped_guard_is_a_row_and_an_entry(catalogue, trip):
    assert trip()
    assert tripped(catalogue) == [("root", "nvr1", NOON, "not mounted")]
    assert entries(catalogue, "guard.tripped") == [
        {"guard": "root", "scope": "nvr1", "detail": "not mounted"}
    ]


def test_tripping_again_keeps_one_entry_and_shows_the_newest_detail(catalogue, trip):
    trip()
    assert not trip(detail="another disk", now=NOON + HOUR)
    assert tripped(catalogue) == [("root", "nvr1", NOON, "another disk")]
    assert len(entries(catalogue, "guard.tripped")) == 1


def test_the_same_guard_trips_for_each_root(catalogue, trip):
    assert trip(scope="nvr1")
    assert trip(scope="nvr2")


def test_clearing_is_on_record(catalogue, log, trip):
    trip()
    assert alarms.clear(catalogue, log.by(ACTOR, NOON), "root", "nvr1", "it is back")
    assert tripped(catalogue) == []
    assert len(entries(catalogue, "guard.cleared")) == 1


def test_clearing_what_is_not_tripped_does_nothing(catalogue, log):
    assert not alarms.clear(catalogue, log.by(ACTOR, NOON), "root", "nvr1", "why not")
    assert entries(catalogue, "guard.cleared") == []


def test_a_guard_whose_entry_fails_is_not_tripped(catalogue, trip):
    with pytest.raises(UsageError):
        trip(detail="\udc80")
    assert tripped(catalogue) == []


def acknowledge(catalogue, log, actor=ADMIN, guard="clock", reason="checked"):
    context = Context(None, catalogue, log, NOON + HOUR, actor)
    return verb("guard.acknowledge")(context, guard=guard, reason=reason)


def test_an_administrator_acknowledges_the_clock(catalogue, log, trip):
    trip("clock", "", "the clock jumped ahead by 35 days")
    answer = acknowledge(catalogue, log)
    assert answer["detail"] == "the clock jumped ahead by 35 days"
    assert tripped(catalogue) == []
    with catalogue.read() as tx:
        assert get_fact(tx, "clock")["entry_at"] == NOON + HOUR
        assert audit.opened(tx, 2)["fields"]["reason"] == "checked"


@pytest.mark.parametrize("role", ["operator", "supervisor", "auditor", "service"])
def test_nobody_else_acknowledges(catalogue, log, trip, role):
    trip("clock", "")
    with pytest.raises(NotPermittedError):
        acknowledge(catalogue, log, ADMIN.__class__(1, 1, 1, role))
    assert len(tripped(catalogue)) == 1


def test_no_acknowledging_without_a_reason(catalogue, log, trip):
    trip("clock", "")
    with pytest.raises(UsageError, match="--reason"):
        acknowledge(catalogue, log, reason=" ")


def test_only_the_clock_is_acknowledged(catalogue, log, trip):
    trip()
    with pytest.raises(UsageError, match="mount the right disk"):
        acknowledge(catalogue, log, guard="root")


def test_what_is_not_tripped_can_not_be_acknowledged(catalogue, log):
    with pytest.raises(UsageError, match="not tripped"):
        acknowledge(catalogue, log)


def test_the_journal_hears_of_it_once_and_of_each_new_detail(trip):
    with capture_logs() as told:
        for detail in ("not mounted", "not mounted", "another disk"):
            trip(detail=detail)
    assert [(one["event"], one["detail"]) for one in told] == [
        ("guard.tripped", "not mounted"), ("guard.tripped", "another disk"),
    ]  # fmt: skip
    assert all(one["remedy"] == guards.remedy("root") for one in told)


@pytest.mark.parametrize("name", guards.ALARMS)
def test_each_alarm_says_what_to_do(name):
    assert len(guards.remedy(name)) > 40
