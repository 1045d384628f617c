"""Settings propose periods, the catalogue's policy decides; both on record."""

import pytest

from retention.catalogue.db import Priority
from retention.control import in_force
from tests.support.site_ import NOW


def test_a_longer_period_becomes_a_new_version_on_record(desk):
    desk.start(days=31)
    assert (desk.current().version, desk.current().days) == (2, 31)
    (entry,) = desk.fields("policy.changed")
    assert (entry["old_days"], entry["days"], entry["proposal"]) == (28, 31, None)


def test_a_shorter_period_is_not_applied_and_that_is_on_record(desk):
    found = desk.start(days=21)
    assert desk.current().version == 1
    assert [(c.now, c.proposed) for c in found.waiting] == [(28, 21)]
    (entry,) = desk.fields("policy.proposed")
    assert (entry["proposal"], entry["old_days"], entry["days"]) == (1, 28, 21)


def test_the_same_settings_again_write_nothing(desk):
    desk.start(days=21, cameras={"1001": 60})
    with desk.site.catalogue.read() as tx:
        before = tx.exec_driver_sql("SELECT count(*) FROM entry").scalar_one()
    for _ in range(3):
        desk.start(days=21, cameras={"1001": 60})
    with desk.site.catalogue.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM entry").scalar_one() == before


def test_a_camera_s_own_longer_period_applies_to_it_alone(desk):
    desk.start(cameras={"1001": 60})
    assert (desk.days("1001"), desk.current().days) == (60, 28)
    key = str(desk.site.stream("1001").camera)
    (entry,) = desk.fields("policy.changed")
    assert (entry["old_cameras"], entry["cameras"]) == ({}, {key: 60})


def test_a_removed_override_keeps_the_longer_period(desk):
    desk.start(cameras={"1001": 60})
    found = desk.start()
    assert desk.days("1001") == 60
    assert [(c.now, c.proposed) for c in found.waiting] == [(60, 28)]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from policy",
        "update policy set days = 1",
        "delete from fact where name = 'rules'",
        """update fact set value = replace(value, '"cooling_off": 604800000000',
            '"cooling_off": 0')""",
    ],
)
def test_what_was_taken_out_of_the_catalogue_the_settings_do_not_put_in_its_place(
    desk, statement
):
    """A shorter period or a weaker rule would need no approval, after a restart or within
    the hour."""
    desk.start()  # it is in the log what is in force
    desk.start(days=40)
    with desk.site.catalogue.write(Priority.HOLD) as tx:
        assert tx.exec_driver_sql(statement).rowcount
    before = {kind: desk.fields(kind) for kind in ("policy.changed", "rules.changed")}
    desk.start(days=7, cooling_off="1d", release_requires_two_people=False)
    assert {kind: desk.fields(kind) for kind in before} == before
    with desk.site.catalogue.read() as tx:
        assert in_force.compare(desk.site.catalogue, tx, NOW).less


def test_an_override_of_an_unknown_camera_is_told(desk):
    assert desk.start(cameras={"9999": 60}).unknown == ["9999"]
    assert desk.show()["overrides_of_unknown_cameras"] == ["9999"]
