"""What moves between a decision and an unlink: clocks, doubts, policy, holds, disks."""

import os
import threading
import time

import pytest

from retention.catalogue import (
    due,
    holds,
    looks,
    plans,
    policies,
    recordings,
    roots,
    streams,
)
from retention.catalogue.db import Priority
from retention.catalogue.due import scopes
from retention.control.approvals import deletion_approve
from retention.deletion import batch as procedure
from retention.deletion.batch import Batches
from retention.deletion.items import Paths
from retention.deletion.recheck import Grown, Rechecked
from retention.deletion.redecide import versions
from retention.model.choice import Decided
from retention.model.errors import RootUnavailableError, StaleError
from retention.model.policy import BEGINNING, Policy
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Outcome, Recording, State
from retention.site.settings import Settings
from tests.support.premises import Crash
from tests.support.site_ import ACTOR, NOW, Site

OLD = NOW - 29 * DAY


def approve(site, plan=1):
    context = site.asked(Settings(site="test"), gate=None)
    return deletion_approve(context, plan=plan)


def crash(site, monkeypatch):
    """Die after the intent, before the first unlink."""

    def dying(*_):
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(procedure, "delete", dying)
        with pytest.raises(Crash):
            site.cycle()
    site.restart()


def before_intent(monkeypatch, happens):
    """Let something happen after a batch was decided on, before its intent."""
    real = Batches.delete

    def delete(self, root, items, *rest):
        happens()
        return real(self, root, items, *rest)

    monkeypatch.setattr(Batches, "delete", delete)


@pytest.fixture
def small(tmp_path):
    """A site where three surprises a day are too many."""
    site = Site(tmp_path, deletion_floor=2, deletion_limit="0.01%")
    site.record("quiet", NOW)
    site.cycle()
    yield site
    site.close()


def state(site):
    with site.catalogue.read() as tx:
        return tx.exec_driver_sql("SELECT state FROM recording").scalar_one()


# -- clocks ---------------------------------------------------------------------------


def test_a_root_adopted_by_a_clock_that_was_ahead_loses_nothing_that_is_not_due(site):
    """The clock is right again; the plan that everyone expects is approved."""
    old, new = site.record("a", OLD), site.record("a", NOW - DAY)
    with site.catalogue.write(Priority.SCAN) as tx:
        roots.set_adopted(tx, site.root_key, NOW + 35 * DAY)
    site.cycle(NOW)
    approve(site)
    site.cycle(NOW + MINUTE)
    assert not old.exists()
    assert new.exists()


def test_after_such_an_adoption_ordinary_days_need_no_approval(site):
    site.record("a", OLD)
    with site.catalogue.write(Priority.SCAN) as tx:
        roots.set_adopted(tx, site.root_key, NOW + 35 * DAY)
    site.cycle(NOW)
    approve(site)
    site.cycle(NOW + MINUTE)
    ordinary = site.record("a", NOW - 28 * DAY + HOUR)
    site.restart()
    assert site.cycle(NOW + 2 * HOUR).blocked is None
    assert not ordinary.exists()


def test_what_a_clock_in_the_past_saw_first_is_not_due_by_that(site):
    """Seen 30 days ago by a clock 30 days behind, written yesterday."""
    path = site.record("a", NOW - DAY)
    site.doubt("a", NOW - DAY, seen=NOW - 30 * DAY, mtime=NOW - DAY + MINUTE)
    with site.catalogue.write(Priority.HOLD) as tx:
        looks.correct(tx, 30 * DAY, NOW)
    site.cycle(NOW)
    assert path.exists()
    site.cycle(NOW + 28 * DAY)
    assert not path.exists()


def test_what_is_dated_ahead_is_kept_no_longer_for_it(site):
    """Its recorder is 27 days ahead: its period counts from when it was seen."""
    path = site.record("a", NOW - DAY)
    mtime = NOW + 26 * DAY
    os.utime(path, ns=(mtime * 1000, mtime * 1000))
    site.doubt("a", NOW - DAY, seen=NOW, mtime=mtime, reason="dated in the future")
    site.cycle(NOW + 28 * DAY - 1)
    assert path.exists()
    site.cycle(NOW + 28 * DAY)
    assert not path.exists()


def test_a_quarantined_file_of_a_time_to_come_still_ends(site):
    path = site.record("a", OLD)
    ahead = NOW + 300 * DAY
    os.utime(path, ns=(ahead * 1000, ahead * 1000))
    site.doubt("a", OLD, seen=NOW - 28 * DAY, mtime=ahead)
    site.cycle(NOW)
    assert not path.exists()


def items_of(site, rows):
    with site.catalogue.read() as tx:
        return [
            Paths(streams.of_root(tx, site.root_key)).item(row._replace(due=at))
            for row, at in rows
        ]


def everything_due(site, now=NOW):
    with site.catalogue.read() as tx:
        policy = policies.current(tx)
        return [
            row
            for scope in scopes(tx, site.root_key, policy, now)
            for row in due.rows(tx, scope, due.Span(BEGINNING, now))
        ]


def decided(site):
    with site.catalogue.read() as tx:
        cameras = [one.camera for one in streams.of_root(tx, site.root_key)]
        held = holds.of_cameras(tx, cameras, NOW)
        return Decided(held, versions(tx, NOW), BEGINNING)


def test_no_intent_is_made_for_what_is_not_due(site):
    """The last wall: whatever the selection did."""
    path = site.record("a", OLD)
    items = items_of(site, [(row, NOW + 1) for row in everything_due(site)])
    batches = Batches(site.catalogue, site.log, site.gate, ACTOR, 0)
    with pytest.raises(StaleError):
        batches.delete(site.root, items, decided(site), NOW, lambda: False)
    assert path.exists()


def test_no_intent_is_made_for_what_is_held(site):
    path = site.record("a", OLD)
    items = items_of(site, [(row, row.due) for row in everything_due(site)])
    site.hold("a", OLD, OLD + HOUR)
    batches = Batches(site.catalogue, site.log, site.gate, ACTOR, 0)
    with pytest.raises(StaleError, match="held"):
        batches.delete(site.root, items, decided(site), NOW, lambda: False)
    assert path.exists()


# -- between decision and intent ------------------------------------------------------


def test_a_stream_that_comes_into_doubt_before_the_intent_is_kept_by_any_hold(
    site, monkeypatch
):
    path = site.record("a", OLD)
    site.hold("a", OLD + 2 * HOUR, OLD + 3 * HOUR)

    def scanned():
        with site.catalogue.write(Priority.SCAN) as tx:
            streams.quarantine(tx, site.stream("a").key, NOW)

    before_intent(monkeypatch, scanned)
    site.cycle()
    assert path.exists()


def test_a_recording_that_comes_into_doubt_before_the_intent_is_kept(site, monkeypatch):
    path = site.record("a", OLD)
    site.hold("a", OLD + 2 * HOUR, OLD + 3 * HOUR)
    before_intent(
        monkeypatch, lambda: site.doubt("a", OLD, seen=NOW, mtime=OLD + MINUTE)
        if state(site) == State.PRESENT else None,
    )  # fmt: skip
    site.cycle()
    assert path.exists()


def test_a_longer_period_before_the_intent_keeps_what_is_not_due_any_more(
    site, monkeypatch
):
    path = site.record("a", OLD)

    def lengthen():
        with site.catalogue.write(Priority.HOLD) as tx:
            if policies.current(tx).version == 1:
                policies.insert(tx, NOW, Policy(2, 60))

    before_intent(monkeypatch, lengthen)
    site.cycle()
    assert path.exists()


def test_a_batch_waits_for_a_directory_that_is_being_taken_in(site):
    path = site.record("a", OLD)
    site.root.mutex.acquire()
    thread = threading.Thread(target=site.cycle)
    thread.start()
    time.sleep(0.2)
    assert path.exists()
    site.root.mutex.release()
    thread.join()
    assert not path.exists()


# -- recovery -------------------------------------------------------------------------


def test_recovery_keeps_what_a_longer_period_made_not_due(site, monkeypatch):
    path = site.record("a", OLD)
    crash(site, monkeypatch)
    with site.catalogue.write(Priority.HOLD) as tx:
        policies.insert(tx, NOW, Policy(2, 60))
    assert site.cycle().results[0].outcomes[Outcome.RESCUED] == 1
    assert path.exists()


def test_recovery_keeps_what_came_into_doubt(site, monkeypatch):
    path = site.record("a", OLD)
    crash(site, monkeypatch)
    with site.catalogue.write(Priority.SCAN) as tx:
        streams.quarantine(tx, site.stream("a").key, NOW)
    site.cycle()
    assert path.exists()


def test_recovery_of_a_quarantined_file_obeys_any_hold_of_its_camera(site, monkeypatch):
    path = site.record("a", OLD)
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    crash(site, monkeypatch)
    site.hold("a", NOW - DAY, NOW)
    site.cycle()
    assert path.exists()
    assert state(site) == State.QUARANTINED


def test_a_backlog_cut_short_by_a_crash_is_no_surprise_afterwards(small, monkeypatch):
    paths = [small.record("a", NOW - 28 * DAY + n * MINUTE) for n in range(20)]
    small.deleter._batch = 5
    real = procedure.delete
    calls = iter(range(100))

    def dying(*args):
        if next(calls) == 7:
            raise Crash
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(procedure, "delete", dying)
        with pytest.raises(Crash):
            small.cycle(NOW + HOUR)
    small.restart()
    small.cycle(NOW + HOUR)
    assert not any(path.exists() for path in paths)


# -- quarantine -----------------------------------------------------------------------


def test_a_quarantined_recording_is_held_by_any_hold_of_its_camera(site):
    path = site.record("a", OLD)
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    site.hold("a", NOW - DAY, NOW)
    site.cycle()
    assert path.exists()


def test_a_stream_in_doubt_counts_its_period_from_then(site):
    path = site.record("a", OLD)
    with site.catalogue.write(Priority.SCAN) as tx:
        streams.quarantine(tx, site.stream("a").key, NOW - DAY)
    site.deleter.reset()
    site.cycle(NOW + 27 * DAY - 1)
    assert path.exists()
    site.cycle(NOW + 27 * DAY)
    assert not path.exists()


def test_a_stream_in_doubt_that_we_watched_has_no_second_period(site):
    """Looked at all the time; the doubt about the zone comes on the last day."""
    path = site.record("a", OLD)
    with site.catalogue.write(Priority.SCAN) as tx:
        for minute in range(-10, 60, 5):
            looks.note(tx, site.root_key, OLD + minute * MINUTE)
        streams.quarantine(tx, site.stream("a").key, OLD + 28 * DAY - HOUR)
    site.deleter.reset()
    site.cycle(OLD + 28 * DAY)
    assert path.exists()
    site.cycle(OLD + 28 * DAY + MINUTE)
    assert not path.exists()


def test_a_stream_in_doubt_is_held_by_any_hold_of_its_camera(site):
    path = site.record("a", OLD)
    with site.catalogue.write(Priority.SCAN) as tx:
        streams.quarantine(tx, site.stream("a").key, OLD)
    site.deleter.reset()
    site.hold("a", NOW - DAY, NOW)
    site.cycle()
    assert path.exists()


def test_released_quarantined_footage_beyond_the_limit_is_a_surprise(small):
    hold = small.hold("a", OLD, OLD + DAY)
    paths = [small.record("a", OLD + n * MINUTE) for n in range(5)]
    for n in range(5):
        small.doubt("a", OLD + n * MINUTE, seen=OLD, mtime=OLD + (n + 1) * MINUTE)
    small.cycle(NOW)
    small.release(hold, NOW, NOW + MINUTE)
    assert "waits for a supervisor" in small.cycle(NOW + HOUR).blocked
    assert all(path.exists() for path in paths)
    approve(small)
    small.cycle(NOW + 2 * HOUR)
    assert not any(path.exists() for path in paths)


# -- failed files ---------------------------------------------------------------------


def fail(site, *paths):
    """Let the deletion of these files fail: each has a second link."""
    for path in paths:
        os.link(path, site.directory / f"link-{path.name}")
    site.cycle()


def heal(site, *paths):
    for path in paths:
        (site.directory / f"link-{path.name}").unlink()


def test_failed_files_that_are_held_do_not_starve_others(site):
    """More of them than one look takes."""
    path, key = site.record("b", OLD), site.stream("a").key
    with site.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<4999)"
            " INSERT INTO recording SELECT ?, ?+i*60000000, 0, 60000000, 1, 3 FROM n",
            (key, NOW - 60 * DAY),
        )
        tx.exec_driver_sql("UPDATE recording SET state=3")
        tx.exec_driver_sql(
            "INSERT INTO failure SELECT stream, start, n, 0, 1, 0, 'x' FROM recording"
        )
    site.hold("a", 0)
    site.deleter.reset()
    site.cycle()
    assert not path.exists()


def test_failed_files_that_a_stop_left_alone_are_no_surprise(small):
    paths = [small.record("a", NOW - 28 * DAY + n * MINUTE) for n in range(6)]
    for path in paths:
        os.link(path, small.directory / f"link-{path.name}")
    small.cycle(NOW + HOUR)
    heal(small, *paths)
    asked = iter([False] + [True] * 50)
    small.cycle(NOW + 2 * HOUR, stop=lambda: next(asked))
    small.restart()
    small.cycle(NOW + 3 * HOUR)
    assert not any(path.exists() for path in paths)


def test_a_second_failure_waits_longer_than_the_first(site):
    path = site.record("a", OLD)
    fail(site, path)
    site.cycle(NOW + MINUTE)
    heal(site, path)
    assert site.cycle(NOW + 5 * MINUTE).deleted == 0
    assert site.cycle(NOW + 6 * MINUTE).deleted == 1


def test_a_failed_file_is_not_tried_under_a_plan_that_does_not_list_it(small):
    failed = small.record("b", OLD + DAY)
    fail(small, failed)
    [small.record("a", NOW - 60 * DAY + n * MINUTE) for n in range(3)]
    small.cycle(NOW + 1)
    approve(small)
    heal(small, failed)
    (result, *_) = small.cycle(NOW + 2 * MINUTE).results
    assert sum(result.outcomes.values()) == 3


# -- the volume guard -----------------------------------------------------------------


def test_surprises_a_few_at_a_time_are_many_in_the_end(small):
    paths = []
    for cycle in range(10):
        paths += [
            small.record("a", NOW - 60 * DAY + (2 * cycle + n) * MINUTE)
            for n in range(2)
        ]
        small.cycle(NOW + (cycle + 1) * MINUTE)
    assert sum(not path.exists() for path in paths) == 2


def test_a_day_later_a_few_more_may_go(small):
    for n in range(2):
        small.record("a", NOW - 60 * DAY + n * MINUTE)
    small.cycle(NOW + MINUTE)
    path = small.record("a", NOW - 60 * DAY + HOUR)
    small.cycle(NOW + 2 * MINUTE)
    assert path.exists()
    small.cycle(NOW + MINUTE + DAY)
    assert not path.exists()


def test_a_camera_that_appears_while_a_plan_is_made_stops_nothing(small, monkeypatch):
    for n in range(3):
        small.record("a", NOW - 60 * DAY + n * MINUTE)
    real = small.deleter._volume.trip

    def trip(*args):
        small.stream("new")
        return real(*args)

    monkeypatch.setattr(small.deleter._volume, "trip", trip)
    assert "plan 1" in small.cycle(NOW + MINUTE).blocked


def test_what_falls_due_after_the_plan_is_not_deleted_under_it(small):
    [small.record("a", NOW - 60 * DAY + n * MINUTE) for n in range(3)]
    small.cycle(NOW + MINUTE)
    late = small.record("a", NOW - 28 * DAY + MINUTE)
    approve(small)
    small.deleter._batch = 3
    with small.catalogue.read() as tx:
        plan = plans.find(tx, 1)
        scope = scopes(tx, small.root_key, policies.current(tx), NOW + DAY)
        rows = [
            row
            for one in scope
            for row in due.rows(tx, one, due.Span(BEGINNING, NOW + DAY), plan=plan.key)
        ]
    assert len(rows) == 3
    assert late.exists()


# -- disks ----------------------------------------------------------------------------


def test_an_error_of_the_disk_is_the_roots_and_ends_the_batch(site, monkeypatch):
    for n in range(5):
        site.record("a", OLD + n * MINUTE)
    tried = []

    def failing(root, path, *_):
        tried.append(path)
        return Outcome.FAILED, "Input/output error"

    monkeypatch.setattr(procedure, "delete", failing)
    with pytest.raises(RootUnavailableError, match="Input/output error"):
        site.cycle()
    assert len(tried) == 1


def test_nothing_is_called_absent_on_a_disk_that_went_away(site, monkeypatch):
    """The files are missing since the root is: the second check says so."""
    site.record("a", OLD)
    real = procedure.delete

    def unplugged(root, path, *rest):
        (site.footage / ".cctv-retention-root").rename(site.directory / "away")
        monkeypatch.setattr(procedure, "delete", real)
        return Outcome.ABSENT, "no such file"

    monkeypatch.setattr(procedure, "delete", unplugged)
    with pytest.raises(RootUnavailableError):
        site.cycle()
    assert site.rows() == 1


# -- memory of what falls due next ----------------------------------------------------


def test_a_shorter_recording_that_begins_later_goes_first(site):
    long = site.record("a", NOW - 28 * DAY, length=HOUR)
    short = site.record("a", NOW - 28 * DAY + MINUTE)
    site.cycle(NOW)
    site.cycle(NOW + 2 * MINUTE)
    assert (long.exists(), short.exists()) == (True, False)


def test_an_older_recording_found_later_goes_at_once(site):
    site.record("a", NOW - 20 * DAY)
    site.cycle(NOW)
    path = site.record("a", NOW - 40 * DAY)
    site.cycle(NOW + MINUTE)
    assert not path.exists()


def test_a_rescued_recording_goes_once_its_hold_is_over(site, monkeypatch):
    """It lies before the first free recording that the cycle remembers."""
    path = site.record("a", OLD)
    site.record("a", NOW - DAY)
    crash(site, monkeypatch)
    hold = site.hold("a", OLD, OLD + HOUR)
    site.cycle(NOW)
    site.release(hold, NOW, NOW + DAY)
    site.cycle(NOW + DAY)
    assert not path.exists()


def test_a_future_dated_recording_counts_from_when_it_was_seen(site):
    start = (NOW + 300 * DAY) // SECOND * SECOND
    path = site.record("a", start)
    os.utime(path, ns=(NOW * 1000, NOW * 1000))
    site.doubt("a", start, seen=NOW, mtime=NOW, reason="dated in the future")
    site.cycle(NOW + 28 * DAY - 1)
    assert path.exists()
    site.cycle(NOW + 28 * DAY)
    assert not path.exists()


def test_the_paths_and_doubts_of_deleted_recordings_go_with_them(site):
    path = site.record("a", OLD)
    key = site.stream("a").key
    site.doubt("a", OLD, seen=OLD, mtime=OLD + MINUTE)
    odd = site.path("a", OLD + HOUR)
    name = os.fsencode(odd.relative_to(site.footage))
    stored = Recording(key, OLD + HOUR, 0, MINUTE, 1, State.PRESENT, name)
    odd.write_bytes(b"x")
    end = (OLD + HOUR + MINUTE) * 1000
    os.utime(odd, ns=(end, end))
    with site.catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [stored])
    site.deleter.reset()
    site.cycle()
    assert not path.exists()
    assert not odd.exists()
    with site.catalogue.read() as tx:
        left = [
            tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            for table in ("recording", "recording_path", "quarantine", "failure")
        ]
    assert left == [0, 0, 0, 0]


def test_a_file_that_changes_at_every_look_does_not_hold_up_the_cycle(
    site, monkeypatch
):
    """It is due again each time: the cycle ends and says why."""
    site.record("a", OLD)
    monkeypatch.setattr(
        procedure, "delete", lambda *_: (Outcome.CHANGED, "another size")
    )
    grown = iter(range(11, 9999))

    def recheck(root, items, *_):
        rows = [Grown(items[0], items[0].duration, next(grown), None)]
        return Rechecked(rows, [])

    monkeypatch.setattr(procedure, "recheck", recheck)
    found = site.cycle()
    assert "tried again in the next cycle" in found.blocked
    assert len(found.results) < 50
