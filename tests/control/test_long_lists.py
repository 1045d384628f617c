"""A site may have 2,000 cameras with periods of their own, 1,500 members in a group and
an alarm about 3,000 cameras: what goes on record then is not too large for an entry."""

import json

import pytest

from retention.catalogue import cameras
from retention.catalogue.db import Priority
from retention.catalogue.entries import CatalogueSource
from retention.control import alarms, guards, in_force, members
from retention.control.context import Context
from retention.model.policy import Policy
from retention.model.values import Camera
from retention.tlog.seal import ENTRY_LIMIT
from tests.support.site_ import ACTOR, NOW

MANY = 2_000


@pytest.fixture
def overridden(desk):
    """Two thousand cameras are kept 31 days, the others 28."""
    ids = [f"2{number:05}" for number in range(MANY)]
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        keys = [cameras.insert(tx, Camera(0, id_, "there"), NOW) for id_ in ids]
    desk.start(dict.fromkeys(ids, 31))
    return desk, dict.fromkeys(keys, 31)


def newest(desk, kind):
    """The newest entry of a kind: what it says, its periods, and those before."""
    with desk.site.catalogue.read() as tx:
        record = list(CatalogueSource(tx).of_kinds((kind,)))[-1]
        columns = record.read().columns if "rows" in record.entry else {}
        return record.entry, record.periods(), columns.get("old_days")


def test_two_thousand_overrides_are_put_in_force_and_read_back(overridden):
    desk, days = overridden
    entry, periods, _ = newest(desk, "policy.changed")
    assert entry["fields"]["cameras"] is None
    assert periods == days
    assert len(json.dumps(entry)) < ENTRY_LIMIT
    assert desk.current().cameras == days


def test_the_rows_and_the_log_agree_on_them(overridden):
    desk, _ = overridden
    with desk.site.catalogue.read() as tx:
        found = in_force.compare(desk.site.catalogue, tx, NOW)
        said = desk.site.catalogue.said.policy
    assert found.less == []
    assert said == desk.current()


def test_so_is_a_proposal_to_end_them(overridden):
    desk, days = overridden
    desk.start()
    entry, periods, before = newest(desk, "policy.proposed")
    assert (periods, before) == ({}, list(days.values()))
    desk.approve(entry["fields"]["proposal"])
    assert newest(desk, "policy.changed")[1] == {}
    assert desk.current() == Policy(3, 28)


def test_fifteen_hundred_members_of_a_group_are_on_record(site, monkeypatch):
    names = [f"firstname.lastname.{number:04}@council" for number in range(1_500)]
    said = {"operator": names}
    monkeypatch.setattr(members, "of", lambda _, role: said.get(role, []))
    context = site.asked(site.whole(), ACTOR, now=NOW, gate=None)
    members.note(context)
    assert members_by_log(site) == set(names)
    said["operator"] = names[:3]
    members.note(context)
    assert members_by_log(site) == set(names[:3])
    before = len(site.opened("access.changed"))
    members.note(context)
    assert len(site.opened("access.changed")) == before


def members_by_log(site):
    found = set()
    for entry in site.opened("access.changed"):
        if entry["fields"]["role"] == "operator":
            found |= set(entry["fields"]["added"]["names"])
            found -= set(entry["fields"]["removed"]["names"])
    return found


def test_an_alarm_about_three_thousand_cameras_is_raised(site):
    with site.catalogue.write(Priority.HOLD, site.log.by(ACTOR, NOW)) as tx:
        alarms.trip(tx, NOW, guards.SETTINGS, "nvr1", "many", cameras=range(3_000))
    with site.catalogue.read() as tx:
        (record,) = CatalogueSource(tx).of_kinds(("alarm.raised",))
        assert record.cameras() == set(range(3_000))


def test_a_context_without_a_caller_on_the_socket_approves_as_before(site):
    """Who is listed by name is asked of callers over the socket alone."""
    context = site.asked(site.whole(), ACTOR, now=NOW, gate=None)
    assert isinstance(context, Context)
    members.refuse_unlisted(context)
