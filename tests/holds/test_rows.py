"""The catalogue's own walls: no function of it narrows a hold or frees one twice."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retention.catalogue import holds
from retention.catalogue.db import Priority
from retention.holds import views
from retention.holds.terms import REQUIRED, incomplete
from retention.model.errors import RetentionError
from retention.model.values import DAY, HOUR
from tests.support.site_ import NOW, Site


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    made.hold("a", NOW, NOW + HOUR)
    yield made
    made.close()


def change(site, function, *values, **more):
    with site.catalogue.write(Priority.HOLD) as tx:
        function(tx, 1, *values, **more)


@pytest.mark.parametrize(
    "narrower", [(NOW + 1, NOW + HOUR), (NOW, NOW + HOUR - 1), (NOW + 1, NOW + DAY)]
)
def test_a_window_that_does_not_contain_the_old_one_is_refused(site, narrower):
    with pytest.raises(RetentionError, match="not active"):
        change(site, holds.widen, *narrower, NOW + DAY)
    with site.catalogue.read() as tx:
        row = holds.find(tx, 1)
    assert (row.since, row.until) == (NOW, NOW + HOUR)


def test_a_released_hold_is_not_widened_reviewed_or_released(site):
    site.release(1, NOW, NOW + DAY)
    for function, *values in (
        (holds.widen, NOW, NOW + DAY, NOW),
        (holds.set_review, NOW),
        (holds.release, NOW, NOW + 1),
    ):
        with pytest.raises(RetentionError, match="hold 1 is not active any more"):
            change(site, function, *values)


def test_what_has_cooled_off_is_not_reinstated(site):
    site.release(1, NOW, NOW + DAY)
    with pytest.raises(RetentionError, match="not active"):
        change(site, holds.reinstate, NOW + DAY)


def test_a_camera_is_added_once(site):
    other = site.stream("b").camera
    for _ in range(2):
        change(site, holds.add_cameras, [site.stream("a").camera, other])
    with site.catalogue.read() as tx:
        assert sorted(holds.cameras_of(tx, 1)) == [site.stream("a").camera, other]
        assert holds.of_cameras(tx, [other], NOW)[other].windows == ((NOW, NOW + HOUR),)


def test_every_change_moves_the_version_that_caches_compare(site):
    def version():
        with site.catalogue.read() as tx:
            return holds.moved(tx, NOW).version

    before = version()
    for function, *values in (
        (holds.widen, NOW - 1, NOW + DAY, NOW),
        (holds.add_cameras, [site.stream("b").camera]),
        (holds.release, NOW, NOW + DAY),
        (holds.reinstate, NOW),
    ):
        change(site, function, *values)
        assert version() > before
        before = version()


def test_a_released_hold_holds_until_its_cooling_off_is_over(site):
    site.release(1, NOW, NOW + DAY)
    with site.catalogue.read() as tx:
        (camera,) = holds.cameras_of(tx, 1)
        still, over = (
            holds.of_cameras(tx, {camera}, now)[camera]
            for now in (NOW + DAY - 1, NOW + DAY)
        )
    assert still.hold(NOW, NOW + 1)
    assert not over.hold(NOW, NOW + 1)


kinds = st.sampled_from(sorted(REQUIRED))
texts = st.sampled_from(["", "x"])
placed = st.fixed_dictionaries(
    {
        "kind": kinds,
        "reference": texts,
        "officer": texts,
        "force": texts,
        "received": st.sampled_from([None, NOW]),
        "review": st.sampled_from([NOW - DAY, NOW, NOW + DAY]),
        "free_at": st.sampled_from([None, NOW - 1, NOW, NOW + 1]),
    }
)


@given(st.lists(placed, max_size=6))
@settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
def test_holds_are_counted_as_they_are_told_one_by_one(site, rows):
    with site.catalogue.write(Priority.HOLD) as tx:
        for table in ("hold_camera", "hold"):
            tx.exec_driver_sql(f"DELETE FROM {table}")
    for row in rows:
        site.hold_camera(1, NOW, **row)
    with site.catalogue.read() as tx:
        told = views.counts(tx, NOW, 3)
        found = list(holds.listing(tx, NOW))
    active = [row for row in found if row.free_at is None]
    assert (told.active, told.cooling_off) == (len(active), len(found) - len(active))
    assert told.review_due == sum(row.review <= NOW for row in active)
    assert told.incomplete == sum(bool(incomplete(row)) for row in active)
