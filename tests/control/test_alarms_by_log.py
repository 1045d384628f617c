"""Alarms, and what a restoration or a successor log waits for, are what the log says:
whoever can write into the catalogue's file ends none of them."""

import json

import pytest

from retention.catalogue import db, raised, ruling_requests
from retention.catalogue.db import Priority, get_fact, put_fact
from retention.control import alarms, guards, in_force, rulings, successor
from retention.control.alarms import Condition
from retention.control.repair import schema_repair
from retention.model.values import DAY
from tests.control.test_alterations import ANNA, BEN, Altered
from tests.support.plant import T0
from tests.support.world import ACTOR

RESTORED = {"old_size": 1, "size": 2, "signed": 2, "holds": 0, "recordings": 0}
SUCCESSOR = {
    "log_id": "s", "public_key": "k", "format": "f", "timezone": "UTC", "pruning": "none",
    "succeeds": "t", "lost_first": 3, "lost_last": 4, "until": T0 + 7 * DAY,
}  # fmt: skip


@pytest.fixture
def plant(tmp_path):
    made = Altered(tmp_path)
    with made.transaction() as tx:
        alarms.trip(tx, T0, guards.VANISHED, "nvr1", "most of it is gone")
        alarms.trip(tx, T0, guards.HELD_LOST, "1/nvr1", "held and gone", cameras=[1])
    assert "mismatch" not in made.told()
    yield made
    made.close()


def put_right(plant):
    schema_repair(plant.by(ANNA), reason="bits flipped")
    schema_repair(plant.by(BEN), reason="seen")
    assert plant.verified().mismatches == []


@pytest.mark.parametrize("name", [guards.VANISHED, guards.HELD_LOST])
@pytest.mark.parametrize("how", ["delete from alarm", "update alarm set scope = 'x'"])
def test_an_alarm_whose_row_is_gone_stops_deletion_until_it_is_put_back(
    plant, name, how
):
    plant.alter(f"{how} where name = '{name}'")
    assert f"alarm {name} of " in plant.told()["mismatch"]
    plant.rounds()
    assert plant.is_kept()
    plant.now = T0
    put_right(plant)
    assert name in plant.told()


def test_nothing_goes_in_a_batch_while_a_guard_stands_by_the_log_alone(plant):
    free = plant.film(T0 - 3 * DAY, folder="1003")
    plant.camera("1003")
    plant.alter("delete from alarm where name = 'vanished'")
    plant.rounds()
    assert free.exists()


def test_a_restoration_that_nobody_acknowledged_is_known_by_the_log(plant):
    with plant.transaction() as tx:
        tx.append("catalogue.restored", RESTORED)
        put_fact(tx, db.RESTORED_FACT, {**RESTORED, "entry": 1, "detail": ""})
        for request in ruling_requests.everyone(tx):
            ruling_requests.drop(tx, request.number)
        rulings.clear_gone(tx, "people are asked again")
    assert "mismatch" not in plant.told()
    plant.alter(f"delete from fact where name = '{db.RESTORED_FACT}'")
    with plant.transaction() as tx:  # as at a start, where SQLite finds the file whole
        tx.append("guard.cleared", guard="catalogue", scope="", reason="whole")
    assert "the catalogue was restored" in plant.told()["mismatch"]
    put_right(plant)
    with plant.catalogue.read() as tx:
        assert alarms.is_restored(tx)


def test_what_a_successor_log_waits_for_is_known_by_the_log(plant):
    with plant.transaction() as tx:
        tx.append("log.opened", SUCCESSOR)
        successor.restore(tx, SUCCESSOR)
        tx.append("log.successor_holds", holds=[1], reason="all")
        successor.restore_holds(tx, [1])
    assert "mismatch" not in plant.told()
    plant.alter(f"delete from fact where name = '{successor.OPENED}'")
    assert "a successor log waits" in plant.told()["mismatch"]
    put_right(plant)
    with plant.catalogue.read() as tx:
        fact = get_fact(tx, successor.OPENED)
    assert (fact["until"], fact["holds"]) == (SUCCESSOR["until"], [1])
    plant.alter(f"delete from fact where name = '{successor.OPENED}'")
    plant.now = T0 + 8 * DAY  # its time is over
    assert "successor" not in plant.told().get("mismatch", "")


@pytest.mark.parametrize("name", [guards.OVERDUE, guards.MISMATCH, guards.UNLAWFUL])
def test_no_row_alone_says_that_an_alarm_was_acknowledged(plant, name):
    said = Condition("something is wrong")
    seen = json.dumps({"": said.detail})
    plant.alter(f"insert into fact values ('alarms.seen.{name}', '{seen}')")
    with plant.transaction() as tx:
        alarms.settle(tx, T0, name, {"": said})
        assert raised.is_raised(tx, name, "")


def test_what_a_person_acknowledged_is_not_said_again(plant):
    said = Condition("something is wrong")
    with plant.transaction() as tx:
        alarms.settle(tx, T0, guards.UNLAWFUL, {"": said})
        alarms.clear_in(tx, guards.UNLAWFUL, "", "seen to", acknowledged=True)
        alarms.settle(tx, T0, guards.UNLAWFUL, {"": said})
        assert not raised.is_raised(tx, guards.UNLAWFUL, "")


def test_what_the_clock_said_too_late_was_seen_by_now(plant):
    """Of a doubt that a clock ahead dated, the log says when that clock was put right."""
    with plant.catalogue.read() as tx:
        before = in_force.doubts_said(
            plant.catalogue, tx, [row.key for row in plant.rows()]
        )
    assert set(before.values()) == {T0}
    with plant.catalogue.write(Priority.SCAN, plant.log.by(ACTOR, T0 - DAY)) as tx:
        tx.append("guard.cleared", guard="clock", scope="", reason="right again")
    with plant.catalogue.read() as tx:
        after = in_force.doubts_said(plant.catalogue, tx, before)
    assert all(seen < T0 - DAY for seen in after.values())
