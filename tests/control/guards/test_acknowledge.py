"""Alarms that people end: who may, with how many, and what is on record."""

import pytest

from retention.catalogue.db import Priority
from retention.control import acknowledge, alarms, guards
from retention.model.errors import NotPermittedError, UsageError
from retention.model.values import HOUR, Actor
from retention.site.settings import RetentionSettings, Settings
from tests.support.premises import Premises

SUE = Actor(uid=1001, login=1001, pid=1, role="supervisor", name="sue")
SAM = Actor(uid=1002, login=1002, pid=1, role="supervisor", name="sam")
ADA = Actor(uid=1003, login=1003, pid=1, role="administrator", name="ada")


class Alarmed(Premises):
    START = 100 * HOUR

    def by(self, who, **changes):
        own = RetentionSettings(**changes)
        settings = Settings.model_construct(timezone="UTC", retention=own)
        return self.asked(settings, by=who)

    def raised(self, name, scope="nvr1"):
        """The number of an alarm that was raised."""
        with self.catalogue.write(Priority.SCAN, self.log.by(SUE, self.now)) as tx:
            alarms.trip(tx, self.now, name, scope, "as seen", cameras=[7, 3, 7])
        return self.shown()[-1].number

    def shown(self):
        return acknowledge.alarm_list(self.by(SUE)).alarms

    def end(self, who, number, **changes):
        asked = self.by(who, **changes)
        return acknowledge.alarm_acknowledge(asked, alarm=number, reason="seen to")


@pytest.fixture
def site(tmp_path):
    made = Alarmed(tmp_path)
    yield made
    made.close()


def test_a_supervisor_ends_an_alarm_and_the_log_says_who(site):
    number = site.raised("lost")
    assert site.end(SUE, number).ended
    assert site.shown() == []
    (entry,) = site.listed("alarm.ended")
    assert entry["actor"]["uid"] == SUE.uid
    assert (entry["fields"]["raised"], entry["fields"]["acknowledged"]) == (
        number,
        True,
    )


def test_held_footage_that_is_lost_takes_two_people(site):
    number = site.raised("held-lost")
    assert not site.end(SUE, number).ended
    assert site.shown()[0].asked_by == "sue"
    with pytest.raises(NotPermittedError, match="another person must approve it"):
        site.end(SUE, number)
    assert site.end(SAM, number).ended
    assert site.shown() == []
    assert len(site.listed("alarm.end_asked")) == 1


def test_who_writes_a_first_person_into_the_catalogue_is_still_one_alone(site):
    number = site.raised("held-lost")
    with site.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("""UPDATE alarm SET asked = '[1001, 1001, "sue"]'""")
    assert not site.end(SAM, number).ended
    assert site.shown()[0].asked_by == "sam"
    assert site.end(SUE, number).ended


def test_one_person_is_enough_where_the_site_said_so(site):
    number = site.raised("held-lost")
    assert site.end(SUE, number, release_requires_two_people=False).ended


@pytest.mark.parametrize("name", ["overdue", "silent", "root"])
def test_what_ends_by_itself_nobody_ends(site, name):
    number = site.raised(name)
    with pytest.raises(UsageError, match="ends by itself once its cause is gone"):
        site.end(SUE, number)


def test_a_guard_of_a_root_takes_an_administrator(site):
    number = site.raised("vanished")
    with pytest.raises(NotPermittedError, match="only an administrator"):
        site.end(SUE, number)
    assert site.end(ADA, number).ended
    (entry,) = site.listed("guard.cleared")
    assert entry["fields"]["scope"] == "nvr1"


def test_an_administrator_ends_no_other_alarm(site):
    number = site.raised("lost")
    with pytest.raises(NotPermittedError, match="only a supervisor"):
        site.end(ADA, number)


def test_a_number_that_does_not_stand_is_said_to_be_none(site):
    with pytest.raises(UsageError, match="there is no alarm 17"):
        site.end(SUE, 17)


def test_the_worst_comes_first(site):
    for name in ("silent", "held-lost", "root"):
        site.raised(name)
    assert [one.alarm for one in site.shown()] == ["root", "held-lost", "silent"]
    assert [one.rank for one in site.shown()] == ["stops", "broken", "person"]


def test_settling_raises_what_is_new_and_ends_what_is_over(site):
    with site.catalogue.write(Priority.SCAN, site.log.by(SUE, site.now)) as tx:
        for found in (("a", "b"), ("b", "c")):
            alarms.settle(
                tx, site.now, "late", {s: alarms.Condition("x") for s in found}
            )
    assert sorted(one.scope for one in site.shown()) == ["b", "c"]
    assert len(site.listed("alarm.raised")) == 3
    assert len(site.listed("alarm.ended")) == 1


def test_each_alarm_ends_somehow():
    for name, declared in guards.ALARMS.items():
        assert declared.people in (0, 1, 2), name
