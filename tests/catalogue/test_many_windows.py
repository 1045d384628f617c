"""Of many hold windows those are passed over in which no recording can be: what is due,
held and next is the same as with every window asked about."""

import pytest

from retention.catalogue import due, policies
from retention.catalogue.due import Span, scopes
from retention.model.policy import BEGINNING
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.plan import plan
from tests.support.site_ import NOW, Site

FIRST = NOW - 60 * DAY


@pytest.fixture
def site(tmp_path):
    """A recording an hour in three separate days, and a hold on every second of forty
    days, some of them where nothing is."""
    made = Site(tmp_path)
    for day in (3, 4, 17):
        for hour in range(24):
            made.record("1001", FIRST + day * DAY + hour * HOUR, MINUTE)
    for day in range(0, 40, 2):
        made.hold("1001", FIRST + day * DAY, FIRST + day * DAY + 12 * HOUR)
    yield made
    made.close()


def asked(site):
    with site.catalogue.read() as tx:
        (scope,) = scopes(tx, site.root_key, policies.current(tx), NOW)
        span = Span(BEGINNING, NOW)
        return (
            [row.start for row in due.rows(tx, scope, span)],
            due.total(tx, scope, span).number,
            due.first_free(tx, scope, BEGINNING),
        )


def test_what_is_due_is_the_same_with_every_window_asked_about(site, monkeypatch):
    few = asked(site)
    monkeypatch.setattr(due, "_FEW", 1_000)
    assert asked(site) == few
    starts, number, _ = few
    assert number == len(starts) == 24 + 12 + 24  # only of day 4 a half is held


def test_so_is_what_holds_keep_past_its_period(site, monkeypatch):
    def blocked():
        return plan(site.asked(site.whole(), now=NOW)).blocked

    few = blocked()
    monkeypatch.setattr(due, "_FEW", 1_000)
    assert blocked() == few
    (line,) = few
    assert (line.recordings, line.holds) == (12, [3])
