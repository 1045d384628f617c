"""Settings propose periods, the catalogue's policy decides; both on record."""

from types import SimpleNamespace

import pytest
from site_ import ACTOR, NOW, Site

from retention import periods
from retention.audit.log import listing
from retention.catalogue import policies


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    made.stream("1001")
    yield made
    made.close()


def apply(site, days, **cameras):
    settings = SimpleNamespace(
        retention=SimpleNamespace(days=days),
        camera={id_: SimpleNamespace(days=own) for id_, own in cameras.items()},
    )
    return periods.apply(site.catalogue, site.log, NOW, ACTOR, settings)


def current(site):
    with site.catalogue.read() as tx:
        return policies.current(tx)


def entries(site, kind):
    with site.catalogue.read() as tx:
        return [entry["fields"] for entry in listing(tx, kind=kind)]


def test_a_longer_period_becomes_a_new_version_on_record(site):
    apply(site, 31)
    assert (current(site).version, current(site).days) == (2, 31)
    (entry,) = entries(site, "policy.changed")
    assert (entry["old_days"], entry["days"]) == (28, 31)


def test_a_shorter_period_is_not_applied_and_that_is_on_record(site):
    found = apply(site, 21)
    assert current(site).version == 1
    assert [(c.now, c.proposed) for c in found.waiting] == [(28, 21)]
    assert [entry["days"] for entry in entries(site, "policy.proposed")] == [21]


def test_the_same_settings_again_write_nothing(site):
    for _ in range(3):
        apply(site, 21)
    apply(site, 21)
    assert len(entries(site, "policy.proposed")) == 1


def test_a_camera_s_own_longer_period_applies_to_it_alone(site):
    apply(site, 28, **{"1001": 60})
    key = site.stream("1001").camera
    assert (current(site).days_of(key), current(site).days) == (60, 28)


def test_a_removed_override_keeps_the_longer_period(site):
    apply(site, 28, **{"1001": 60})
    found = apply(site, 28)
    assert current(site).days_of(site.stream("1001").camera) == 60
    assert [(c.now, c.proposed) for c in found.waiting] == [(60, 28)]


def test_an_override_of_an_unknown_camera_is_told(site):
    assert apply(site, 28, **{"9999": 60}).unknown == ["9999"]
