"""The volume guard: far more due at once than there should be waits for a person."""

import sqlite3

import pytest
from structlog.testing import capture_logs

from retention.catalogue import due, plans, recordings, roots
from retention.catalogue.db import put_fact
from retention.control.alarms import tripped
from retention.control.approvals import deletion_approve
from retention.model.errors import MismatchError, RetentionError
from retention.model.values import DAY, HOUR, MINUTE, Recording
from retention.site.settings import Settings
from tests.support.site_ import NOW, Site

OLD = NOW - 60 * DAY


@pytest.fixture
def small(tmp_path):
    """A site where three surprises in a root are too many."""
    site = Site(tmp_path, deletion_floor=2, deletion_limit="0.01%")
    site.record("quiet", NOW)
    site.cycle()
    yield site
    site.close()


def guards(site):
    with site.catalogue.read() as tx:
        return [guard.name for guard in tripped(tx)]


def waiting(site):
    with site.catalogue.read() as tx:
        return plans.waiting(tx)


def approve(site, plan):
    context = site.asked(Settings(site="test"), gate=None)
    return deletion_approve(context, plan=plan)


def old(site, count, camera="a", first=0):
    return [site.record(camera, OLD + (first + n) * MINUTE) for n in range(count)]


def test_few_surprises_are_deleted_at_once(small):
    paths = old(small, 2)
    small.cycle(NOW + MINUTE)
    assert not any(path.exists() for path in paths)


def test_many_surprises_delete_nothing_and_propose_a_plan(small):
    paths = old(small, 3)
    assert "waits for a supervisor" in small.cycle(NOW + MINUTE).blocked
    assert all(path.exists() for path in paths)
    assert guards(small) == ["volume"]
    (plan,) = waiting(small)
    assert (plan.count_, plan.size) == (3, 30)


def test_the_journal_hears_of_the_plan_that_waits(small):
    old(small, 3)
    with capture_logs() as told:
        for minute in range(1, 4):
            small.cycle(NOW + minute * MINUTE)
    (line,) = [one for one in told if one["event"] == "guard.tripped"]
    assert (line["guard"], line["scope"]) == ("volume", "nvr1")
    assert "waits for a supervisor" in line["detail"]
    approve(small, waiting(small)[0].key)
    with capture_logs() as told:
        small.cycle(NOW + HOUR)
    assert [one["event"] for one in told] == ["guard.cleared"]


def test_an_ordinary_day_is_no_surprise_however_many_fall_due(small):
    paths = [small.record("a", NOW - 28 * DAY + n * MINUTE) for n in range(50)]
    small.cycle(NOW + HOUR)
    assert not any(path.exists() for path in paths)


def test_catching_up_after_a_stop_is_no_surprise(small):
    paths = [small.record("a", NOW - 28 * DAY + n * MINUTE) for n in range(50)]
    small.cycle(NOW)
    small.restart()
    small.cycle(NOW + 20 * DAY)
    assert not any(path.exists() for path in paths)


def test_what_falls_due_during_a_pause_is_no_surprise(small):
    small.record("a", NOW - 28 * DAY)
    with small.catalogue.write(0) as tx:
        put_fact(tx, "pause", {"until": NOW + DAY})
    paths = [small.record("a", NOW - 28 * DAY + n * MINUTE) for n in range(1, 50)]
    assert "paused" in small.cycle(NOW + HOUR).blocked
    small.cycle(NOW + DAY)
    assert not any(path.exists() for path in paths)


def test_an_approved_plan_is_deleted_and_the_guard_clears(small):
    paths = old(small, 3)
    small.cycle(NOW + MINUTE)
    approve(small, waiting(small)[0].key)
    small.cycle(NOW + 2 * MINUTE)
    assert not any(path.exists() for path in paths)
    assert guards(small) == []


LISTED = "select stream, start, n, 1 from recording where size = 7"


@pytest.mark.parametrize(
    "statement",
    [
        f"insert into plan_row {LISTED}",
        "update plan_row set start = start + 600000000",
        "delete from plan_row where start = (select min(start) from plan_row)",
        f"insert or replace into plan_row {LISTED}",
    ],
)
def test_a_plan_whose_list_was_changed_permits_nothing(small, statement):
    """Whoever writes into the catalogue adds what was found since."""
    planned = old(small, 3)
    small.cycle(NOW + MINUTE)
    approve(small, waiting(small)[0].key)
    later = [small.record("a", OLD + n * MINUTE, size=7) for n in range(10, 20)]
    with sqlite3.connect(small.catalogue.path) as other:
        assert other.execute(statement).rowcount > 0
    other.close()
    with pytest.raises(MismatchError, match="plan 1 lists other recordings"):
        small.cycle(NOW + 2 * MINUTE)
    assert all(path.exists() for path in planned + later)


@pytest.mark.parametrize("part", [1, 2, 5, 6, 100])
def test_a_plan_s_list_that_is_read_in_parts_has_the_digest_of_the_whole(
    small, monkeypatch, part
):
    old(small, 5)
    small.cycle(NOW + MINUTE)
    (plan,) = waiting(small)
    monkeypatch.setattr(plans, "PART", part)
    assert plans.digest_in_parts(small.catalogue.read, plan.key) == plan.digest
    with small.catalogue.read() as tx:
        assert plans.digest(tx, plan.key) == plan.digest


def test_a_plan_is_carried_out_batch_by_batch_and_then_forgotten(tmp_path):
    site = Site(tmp_path, batch=2, deletion_floor=2, deletion_limit="0.01%")
    site.record("quiet", NOW)
    site.cycle()
    planned = old(site, 5)
    site.cycle(NOW + MINUTE)
    approve(site, waiting(site)[0].key)
    site.cycle(NOW + 2 * MINUTE)
    assert not any(path.exists() for path in planned)
    site.cycle(NOW + 29 * DAY)  # something else is due
    with site.catalogue.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM plan_row").scalar() == 0
    site.close()


def test_an_approval_never_permits_what_was_found_after_it(small):
    planned = old(small, 3)
    small.cycle(NOW + MINUTE)
    approve(small, waiting(small)[0].key)
    found = old(small, 3, camera="b")
    small.cycle(NOW + 2 * MINUTE)
    assert not any(path.exists() for path in planned)
    assert all(path.exists() for path in found)
    assert [plan.count_ for plan in waiting(small)] == [3]


def test_an_approved_plan_does_not_delete_what_came_under_a_hold(small):
    paths = old(small, 4)
    small.cycle(NOW + MINUTE)
    approve(small, waiting(small)[0].key)
    small.hold("a", OLD, OLD + MINUTE)
    small.cycle(NOW + 2 * MINUTE)
    assert [path.exists() for path in paths] == [True, False, False, False]


def test_a_plan_that_waits_is_not_proposed_again_each_cycle(small):
    old(small, 3)
    for n in range(3):
        small.cycle(NOW + n * MINUTE)
    assert [plan.key for plan in waiting(small)] == [1]


def test_a_plan_is_proposed_again_when_more_is_found(small):
    old(small, 3)
    small.cycle(NOW + MINUTE)
    old(small, 2, first=10)
    small.cycle(NOW + 2 * MINUTE)
    assert [(plan.key, plan.count_) for plan in waiting(small)] == [(2, 5)]
    with pytest.raises(RetentionError, match="superseded"):
        approve(small, 1)


def test_a_plan_can_be_approved_only_once(small):
    old(small, 3)
    small.cycle(NOW + MINUTE)
    approve(small, 1)
    with pytest.raises(RetentionError, match="approved"):
        approve(small, 1)


def test_released_footage_beyond_the_limit_is_a_surprise(small):
    hold = small.hold("a", OLD, OLD + DAY)
    paths = old(small, 5)
    small.cycle(NOW + MINUTE)
    small.release(hold, NOW + MINUTE, NOW + HOUR)
    small.cycle(NOW + HOUR)
    assert all(path.exists() for path in paths)
    assert guards(small) == ["volume"]


def test_the_first_cycle_over_an_adopted_archive_always_waits(tmp_path):
    site = Site(tmp_path)
    path = site.record("a", OLD)
    with site.catalogue.write(0) as tx:
        roots.set_adopted(tx, site.root_key, NOW)
    assert "plan 1" in site.cycle(NOW).blocked
    assert path.exists()
    approve(site, 1)
    site.cycle(NOW + MINUTE)
    assert not path.exists()
    site.close()


def test_an_adopted_archive_with_nothing_due_needs_no_approval(tmp_path):
    site = Site(tmp_path)
    path = site.record("a", NOW - 28 * DAY)
    with site.catalogue.write(0) as tx:
        roots.set_adopted(tx, site.root_key, NOW)
    site.cycle(NOW)
    site.cycle(NOW + MINUTE)
    assert not path.exists()
    site.close()


def test_a_plan_larger_than_a_batch_lists_each_recording_once(tmp_path):
    site = Site(tmp_path, deletion_floor=2, deletion_limit="0.01%")
    stream = site.stream("a")
    site.cycle()
    with site.catalogue.write(0) as tx:
        tx.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<11999)"
            " INSERT INTO recording SELECT ?, ?+(i/3)*60000000, i%3, 60000000, 1, 0"
            " FROM n",
            (stream.key, OLD),
        )
    site.deleter.reset()
    site.cycle(NOW + MINUTE)
    assert [plan.count_ for plan in waiting(site)] == [12_000]
    with site.catalogue.read() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM plan_row").scalar() == 12_000
    site.close()


def test_many_surprises_of_one_camera_wait_though_its_root_is_large(tmp_path):
    """Of a thousand recordings twenty may go, of a hundred of one camera two."""
    site = Site(tmp_path, deletion_floor=1, deletion_limit="2%")
    for camera, count in (("large", 900), ("small", 105)):
        stream, first = site.stream(camera).key, NOW - DAY
        found = [
            Recording(stream, first + n * MINUTE, 0, MINUTE, 1) for n in range(count)
        ]
        with site.catalogue.write(0) as tx:
            recordings.insert(tx, found)
    site.cycle()
    one = old(site, 2, camera="small")
    site.cycle(NOW + MINUTE)
    assert not any(path.exists() for path in one)
    more = old(site, 2, camera="small", first=10)
    assert "allowed without approval" in site.cycle(NOW + 2 * MINUTE).blocked
    assert all(path.exists() for path in more)
    site.close()


def test_what_was_due_when_it_was_catalogued_always_waits(small):
    (path,) = old(small, 1)
    with small.catalogue.write(0) as tx:
        due.mark_found(tx, recordings.page(tx, small.stream("a").key, None, 10))
    blocked = small.cycle(NOW + MINUTE).blocked
    assert "due when first catalogued: 1 recording," in blocked
    assert (guards(small), path.exists()) == (["volume"], True)
    small.cycle(NOW + 2 * MINUTE)
    (plan,) = waiting(small)
    assert (plan.key, plan.count_) == (1, 1)
    approve(small, plan.key)
    small.cycle(NOW + 3 * MINUTE)
    assert (guards(small), path.exists()) == ([], False)
    with small.catalogue.read() as tx:
        assert not due.any_found(tx, small.root_key)


def test_the_plan_for_it_lists_it_even_if_it_fell_due_after_the_last_cycle(small):
    path = small.record("a", NOW - 28 * DAY + MINUTE)
    with small.catalogue.write(0) as tx:
        due.mark_found(tx, recordings.page(tx, small.stream("a").key, None, 10))
    small.cycle(NOW + HOUR)
    assert [plan.count_ for plan in waiting(small)] == [1]
    approve(small, 1)
    small.cycle(NOW + 2 * HOUR)
    assert not path.exists()
