"""The service itself finds what its log says that was not allowed."""

import pytest

from retention.catalogue import raised
from retention.catalogue.db import Priority
from retention.control import lawful
from retention.control.acknowledge import alarm_acknowledge
from retention.model.values import HOUR, Actor
from tests.support.alarmed import watch
from tests.support.plant import T0, Plant
from tests.support.world import ACTOR

BEN = Actor(uid=4243, login=8, pid=3, role="supervisor", name="ben")
CARA = Actor(uid=4244, login=9, pid=3, role="supervisor", name="cara")


@pytest.fixture
def plant(tmp_path):
    made = Plant(tmp_path)
    made.watch()
    made.film(T0 - HOUR)
    made.round(T0)
    yield made
    made.close()


def approve_a_plan_alone(plant, number):
    """As who has the service's rights and wants to be rid of footage does."""
    with plant.catalogue.write(Priority.HOLD, plant.log.by(ACTOR, plant.now)) as tx:
        return tx.append("plan.approved", plan=number, digest="d")


def standing(plant):
    watch(plant.context())
    with plant.catalogue.read() as tx:
        return {one.scope: one for one in raised.named(tx, "unlawful")}


def test_an_honest_log_raises_nothing(plant):
    assert standing(plant) == {}


def test_what_is_not_lawful_is_an_alarm_with_entry_and_rule(plant):
    assert standing(plant) == {}
    entry = approve_a_plan_alone(plant, 1)
    assert standing(plant)["role"].detail == (
        f"entry {entry} was done by service: plan.approved is for supervisor (rule 11: "
        "who did it had a role that allows it, and is known to have had it)"
    )
    assert standing(plant).keys() == {"role"}


def test_two_people_acknowledge_it_and_it_stays_so_after_a_start(plant):
    approve_a_plan_alone(plant, 1)
    number = standing(plant)["role"].number
    for who, ended in (BEN, False), (CARA, True):
        plant.now += HOUR
        done = alarm_acknowledge(
            plant.asked(plant.settings(), who), alarm=number, reason="it was a drill"
        )
        assert done.ended is ended
    assert standing(plant) == {}
    plant.catalogue.lawful = None  # as a start
    assert standing(plant) == {}
    later = approve_a_plan_alone(plant, 2)
    assert standing(plant)["role"].detail.startswith(f"entry {later} ")


def test_what_stood_stands_until_the_log_was_looked_at_again(plant, monkeypatch):
    approve_a_plan_alone(plant, 1)
    assert standing(plant).keys() == {"role"}
    plant.catalogue.lawful = None  # as a start
    monkeypatch.setattr(lawful, "PAGE", 1)
    monkeypatch.setattr(lawful, "ROUND", -1)
    assert standing(plant).keys() == {"role"}


def test_what_is_not_intact_is_no_matter_of_law(plant):
    assert standing(plant) == {}
    with plant.catalogue.write(Priority.HOLD, plant.log.by(ACTOR, plant.now)) as tx:
        last = tx.append("service.stopped")
    plant.tamper(
        "DROP TRIGGER entry_update",
        f"UPDATE entry SET bytes = x'00' WHERE number = {last}",
    )
    assert standing(plant) == {}
