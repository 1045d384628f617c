"""The deletion cycle on real files: what goes, what stays, what the log says."""

import os

import pytest
from sqlalchemy import event

from retention.catalogue import recordings
from retention.catalogue.db import put_fact
from retention.catalogue.entries import listing
from retention.catalogue.log import Log, read_rows
from retention.catalogue.recordings import Doubt, Move
from retention.footage.ingest.rulings import resolved
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Outcome
from tests.support.site_ import ACTOR, NOW, Site, never

OLD = NOW - 29 * DAY


def entries(site, kind):
    with site.catalogue.read() as tx:
        return listing(tx, kind=kind, limit=1000)


def test_a_due_recording_is_deleted(site):
    path = site.record("a", OLD)
    assert site.cycle().deleted == 1
    assert not path.exists()
    assert site.rows() == 0


def test_a_recording_not_due_stays(site):
    path = site.record("a", NOW - 28 * DAY - MINUTE + SECOND)
    assert site.cycle().deleted == 0
    assert path.exists()


def test_a_recording_goes_in_the_cycle_at_the_instant_its_period_ends(site):
    start = NOW - 28 * DAY
    path = site.record("a", start)
    site.cycle(NOW + MINUTE - 1)
    assert path.exists()
    site.cycle(NOW + MINUTE)
    assert not path.exists()


def test_a_held_recording_stays_and_its_neighbours_go(site):
    paths = [site.record("a", OLD + n * MINUTE) for n in range(5)]
    site.hold("a", OLD + 2 * MINUTE, OLD + 3 * MINUTE)
    site.cycle()
    assert [path.exists() for path in paths] == [False, False, True, False, False]


def test_the_same_window_on_another_camera_holds_nothing(site):
    path = site.record("a", OLD)
    site.hold("b", OLD, OLD + DAY)
    site.cycle()
    assert not path.exists()


def test_a_long_recording_that_reaches_into_a_hold_stays(site):
    path = site.record("a", OLD, length=HOUR)
    site.hold("a", OLD + HOUR - SECOND, OLD + 2 * HOUR)
    site.cycle()
    assert path.exists()


def test_a_released_hold_keeps_until_it_has_cooled_off(site):
    path = site.record("a", OLD)
    hold = site.hold("a", OLD, OLD + HOUR)
    site.cycle()
    site.release(hold, NOW, NOW + 7 * DAY)
    site.cycle(NOW + 7 * DAY - 1)
    assert path.exists()
    site.cycle(NOW + 7 * DAY)
    assert not path.exists()


def test_footage_is_free_only_when_every_hold_is(site):
    path = site.record("a", OLD)
    first, second = site.hold("a", OLD, OLD + HOUR), site.hold("a", OLD, OLD + 1)
    site.release(first, NOW, NOW)
    site.cycle(NOW + 1)
    assert path.exists()
    site.release(second, NOW, NOW)
    site.cycle(NOW + 2)
    assert not path.exists()


def test_a_hold_placed_while_nothing_is_due_is_noticed(site):
    path = site.record("a", NOW - 28 * DAY)
    site.cycle(NOW)
    site.hold("a", NOW - 29 * DAY, NOW)
    site.cycle(NOW + DAY)
    assert path.exists()


def test_intent_and_completion_are_on_record_with_their_rows(site):
    site.record("a", OLD, size=7)
    site.record("b", OLD, size=5)
    site.cycle()
    (intent,) = entries(site, "deletion.intended")
    (done,) = entries(site, "recordings.deleted")
    assert (intent["fields"]["count"], intent["fields"]["bytes"]) == (2, 12)
    assert done["fields"]["intent"] == intent["index"]
    assert (done["fields"]["deleted"], done["fields"]["bytes"]) == (2, 12)
    assert done["fields"]["lateness"] == NOW - (OLD + MINUTE + 28 * DAY)
    with site.catalogue.read() as tx:
        rows = read_rows(tx, intent["index"])
    assert sorted(row[rows.columns.index("start")] for row in rows.values) == [OLD, OLD]


def test_each_batch_is_as_late_as_when_it_was_done(tmp_path):
    """A long cycle: the clock goes on while it deletes, by an hour at each look."""
    site, clock = Site(tmp_path, batch=2), [NOW]
    site.log = Log(site="test", host="here", program="0", clock=lambda: clock[0])
    site.root.close()
    site.open()
    for n in range(4):
        site.record("a", OLD + n * MINUTE)

    def stop():
        clock[0] += HOUR
        return False

    first, second = site.cycle(stop=stop).results
    period = MINUTE + 28 * DAY
    assert first.lateness == NOW + 3 * HOUR - (OLD + period)
    assert second.lateness == NOW + 6 * HOUR - (OLD + 2 * MINUTE + period)
    on_record = [
        entry["fields"]["lateness"] for entry in entries(site, "recordings.deleted")
    ]
    assert on_record == [second.lateness, first.lateness]
    site.close()


def test_an_idle_cycle_writes_nothing(site):
    site.record("a", NOW - DAY)
    site.cycle()
    with site.catalogue.read() as tx:
        before = tx.exec_driver_sql("PRAGMA data_version").scalar()
        assert site.cycle(NOW + MINUTE).results == []
        assert tx.exec_driver_sql("PRAGMA data_version").scalar() == before


def test_an_idle_cycle_reads_once_and_asks_nothing_of_streams_with_nothing_due(site):
    """However many there are."""
    asked, readings = [], []
    real = site.catalogue.read
    site.catalogue.read = lambda: readings.append(1) or real()
    event.listen(
        site.catalogue._engine, "before_cursor_execute", lambda *it: asked.append(it[2])
    )

    def questions():
        asked.clear(), readings.clear()
        assert site.cycle(NOW + MINUTE).blocked is None
        assert len(readings) == 1
        return len(asked)

    site.record("a", NOW - DAY)
    site.cycle()
    few = questions()
    for n in range(20):
        site.record(f"b{n}", NOW - DAY)
    site.cycle()
    assert questions() == few


def test_a_pause_stops_a_cycle_between_two_of_its_batches(tmp_path):
    site = Site(tmp_path, batch=1)
    paths = [site.record("a", OLD + n * MINUTE) for n in range(3)]

    def stop():
        if not paths[0].exists():
            with site.catalogue.write(0) as tx:
                put_fact(tx, "pause", {"until": NOW + DAY})
        return False

    assert site.cycle(stop=stop).blocked.startswith("paused")
    assert [path.exists() for path in paths] == [False, True, True]
    site.close()


def test_a_file_that_somebody_removed_is_absent_and_not_our_deletion(site):
    site.record("a", OLD).unlink()
    result = site.cycle().results[0]
    assert result.outcomes[Outcome.ABSENT] == 1
    assert entries(site, "recordings.deleted")[0]["fields"]["deleted"] == 0


def test_a_file_that_grew_is_kept_and_gets_its_later_end(site):
    start = NOW - 28 * DAY - 2 * MINUTE
    path = site.record("a", start)
    path.write_bytes(b"x" * 99)
    later = (start + 30 * MINUTE) * 1000
    os.utime(path, ns=(later, later))
    site.cycle()
    assert path.exists()
    (changed,) = entries(site, "recording.changed")
    assert changed["fields"]["count"] == 1
    site.cycle(start + 30 * MINUTE + 28 * DAY - 1)
    assert path.exists()
    site.cycle(start + 30 * MINUTE + 28 * DAY)
    assert not path.exists()


def test_a_due_file_touched_long_after_the_next_began_is_in_doubt_not_longer(site):
    """As a scan that met it would say: others recorded that time."""
    first = site.record("a", OLD)
    for minutes in (1, 2, 3):
        site.record("a", OLD + minutes * MINUTE)
    at = (OLD + 40 * MINUTE) * 1000
    os.utime(first, ns=(at, at))
    site.cycle()
    assert first.exists()
    assert not entries(site, "recording.changed")
    assert len(entries(site, "recordings.quarantined")) == 1


def test_a_file_touched_long_after_goes_to_quarantine_and_still_ends(site):
    path = site.record("a", OLD)
    os.utime(path)  # today's mtime: the machine's clock is far from the test's
    site.cycle()
    assert path.exists()
    (doubt,) = entries(site, "recordings.quarantined")
    assert doubt["fields"]["count"] == 1
    site.cycle(NOW + 28 * DAY - 1)
    assert path.exists()
    site.cycle(NOW + 28 * DAY)
    assert not path.exists()


def test_a_file_touched_between_look_and_unlink_is_in_doubt_for_that(site):
    """So that whoever is told of it, once its period is over, knows why it is there."""
    path = site.record("a", OLD)
    at = (NOW - HOUR) * 1000
    os.utime(path, ns=(at, at))
    site.cycle()
    with site.catalogue.read() as tx:
        doubt = recordings.doubt(tx, (site.stream("a").key, OLD, 0))
    assert doubt.reason == "the file was changed long after its name"


def ruled(site, start):
    """A file of a later mtime that a person ruled on: its name is right."""
    path = site.record("a", start)
    later = (start + 5 * DAY) * 1000
    os.utime(path, ns=(later, later))
    stream, key = site.stream("a"), (site.stream("a").key, start, 0)
    with site.catalogue.write(0, site.log.by(ACTOR, NOW)) as tx:
        row = recordings.get(tx, key)
        move = Move(row, row, Doubt(NOW, start + 5 * DAY, "ruled: times right"))
        recordings.change(tx, [move], NOW)
        tx.append(*resolved(stream, "times are right", "so", [move], {}))
    return path


def test_a_file_that_was_ruled_on_goes_when_its_own_period_is_over(site):
    path = ruled(site, OLD)
    assert site.cycle().deleted == 1
    assert not path.exists()


def test_a_file_that_was_ruled_on_is_not_held_by_any_hold_of_its_camera(site):
    path = ruled(site, OLD)
    site.hold("a", NOW - DAY, NOW)
    site.cycle()
    assert not path.exists()


def test_a_file_that_was_ruled_on_stays_so_after_a_stop(site):
    ruled(site, OLD)
    site.cycle(stop=iter([False, True, True, True]).__next__)
    with site.catalogue.read() as tx:
        assert tx.exec_driver_sql("SELECT state FROM recording").scalar() == 0


@pytest.mark.parametrize("how", ["symlink", "directory", "hard link", "smaller"])
def test_a_file_that_is_not_what_was_catalogued_is_kept_and_shown(site, how):
    path = site.record("a", OLD)
    other = site.directory / "other"
    if how == "hard link":
        os.link(path, other)
    elif how == "smaller":
        path.write_bytes(b"x")
        old = (OLD + MINUTE) * 1000
        os.utime(path, ns=(old, old))
    else:
        path.unlink()
        other.write_bytes(b"x" * 10)
        path.mkdir() if how == "directory" else path.symlink_to(other)
    result = site.cycle().results[0]
    assert result.outcomes[Outcome.CHANGED] == 1
    assert os.path.lexists(path)
    with site.catalogue.read() as tx:
        tries = tx.exec_driver_sql("SELECT tries, error FROM failure").one()
    assert tries[0] == 1


def test_a_failed_file_is_tried_again_after_its_back_off_and_not_before(site):
    path = site.record("a", OLD)
    os.link(path, site.directory / "other")
    site.cycle()
    (site.directory / "other").unlink()
    assert site.cycle(NOW + MINUTE - 1).results == []
    assert site.cycle(NOW + MINUTE).deleted == 1


def test_a_failed_file_that_came_under_a_hold_is_not_tried(site):
    path = site.record("a", OLD)
    os.link(path, site.directory / "other")
    site.cycle()
    (site.directory / "other").unlink()
    site.hold("a", OLD, OLD + HOUR)
    site.cycle(NOW + HOUR)
    assert path.exists()


def test_a_stop_in_the_middle_of_a_batch_leaves_the_rest_for_later(site):
    paths = [site.record("a", OLD + n * MINUTE) for n in range(6)]
    asked = iter([False] * 4 + [True] * 99)  # two of them before the batch begins
    result = site.cycle(stop=lambda: next(asked)).results[0]
    assert result.outcomes[Outcome.STOPPED] == 6 - result.outcomes[Outcome.DELETED]
    assert 0 < sum(path.exists() for path in paths) < 6
    site.restart()
    assert site.cycle().results[0].outcomes[Outcome.DELETED] > 0
    assert not any(path.exists() for path in paths)


def test_a_camera_directory_stays_when_its_last_file_goes(site):
    path = site.record("a", OLD)
    site.cycle()
    assert path.parent.is_dir()


def test_more_than_ten_thousand_exceptions_fit_into_one_batch(tmp_path):
    site = Site(tmp_path, batch=12_000, deletion_floor=20_000)
    stream = site.stream("a")
    with site.catalogue.write(0) as tx:
        tx.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<10499)"
            " INSERT INTO recording SELECT ?, ?+i*60000000, 0, 60000000, 1, 0 FROM n",
            (stream.key, NOW - 60 * DAY),
        )
    (result,) = site.cycle().results
    assert result.outcomes[Outcome.ABSENT] == 10_500
    (done,) = entries(site, "recordings.deleted")
    with site.catalogue.read() as tx:
        assert len(read_rows(tx, done["index"]).values) == 10_500
    site.close()


def test_a_root_not_scanned_yet_loses_nothing(site):
    path = site.record("a", OLD)
    with site.catalogue.write(0) as tx:
        tx.exec_driver_sql("UPDATE root SET adopted=NULL")
    assert site.cycle().blocked == "not scanned completely yet"
    assert path.exists()


def test_two_cycles_delete_as_one_does(site):
    for n in range(3):
        site.record("a", OLD + n * MINUTE)
    assert site.cycle().deleted == 3
    assert site.cycle().deleted == 0
    assert len(entries(site, "recordings.deleted")) == 1


def test_each_batch_is_bounded(tmp_path):
    site = Site(tmp_path, batch=4)
    for n in range(10):
        site.record("a", OLD + n * MINUTE)
    assert [sum(r.outcomes.values()) for r in site.cycle().results] == [4, 4, 2]
    site.close()


def test_a_stopped_program_deletes_nothing(site):
    path = site.record("a", OLD)
    assert site.cycle(stop=lambda: True).deleted == 0
    assert path.exists()
    assert site.cycle(stop=never).deleted == 1
