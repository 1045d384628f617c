"""What is due and what holds keep is asked of all streams and windows at once."""

import pytest

from retention.control.preview import preview
from retention.model.policy import Policy
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.overdue import overdue
from retention.reports.plan import plan
from retention.reports.status import status
from retention.service.housekeeping import balance
from retention.site import clock
from tests.support.site_ import NOW, Site
from tests.support.statements import Statements

FIRST = NOW - 60 * DAY
READING = clock.read()._replace(wall=NOW)


def filled(site, cameras):
    """A recording an hour in three separate days, and a hold on every second of forty
    days, some of them where nothing is."""
    for camera in cameras:
        for day in (3, 4, 17):
            for hour in range(24):
                site.record(camera, FIRST + day * DAY + hour * HOUR, MINUTE)
        for day in range(0, 40, 2):
            site.hold(camera, FIRST + day * DAY, FIRST + day * DAY + 12 * HOUR)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    filled(made, ["1001"])
    yield made
    made.close()


def asked(site):
    context = site.asked(site.whole(), now=NOW)
    with site.catalogue.read() as tx:
        return {
            "plan": plan(context, ahead="2d", retention=7),
            "status": status(context),
            "heartbeat": balance(site.catalogue, READING, MINUTE),
            "overdue": overdue(context, tx),
            "preview": preview(site.catalogue, Policy(1, 28), Policy(1, 7), NOW),
        }


def test_what_is_due_and_what_holds_keep_add_up_to_what_is_past_its_period(site):
    found = asked(site)
    (line,) = found["plan"].due
    assert line.recordings == 24 + 12 + 24  # only of day 4 a half is held
    (kept,) = found["plan"].blocked
    assert (kept.recordings, kept.holds) == (12, [3])
    (root,) = found["status"].roots
    assert root.overdue.recordings == found["heartbeat"]["overdue"] == line.recordings
    assert found["preview"].recordings == 0


def test_what_is_asked_does_not_grow_with_streams_and_holds(site):
    with Statements() as few:
        asked(site)
    filled(site, [str(number) for number in range(1002, 1008)])
    with Statements() as many:
        asked(site)
    assert len(many) == len(few)


def test_what_falls_due_is_told_by_local_day(site):
    for hours in (1, 20, 30):
        site.record("1002", NOW - 28 * DAY + hours * HOUR - MINUTE, MINUTE)
    site.record("1002", NOW - 28 * DAY + 40 * HOUR, MINUTE)
    found = plan(site.asked(site.whole(), now=NOW), ahead="36h").ahead
    assert [(line.day, line.recordings) for line in found] == [
        ("Mon 21 Sep 2026", 1),
        ("Tue 22 Sep 2026", 2),
    ]
