"""What is lost, what is not, and what comes back."""

import shutil
import threading

import pytest

from retention.catalogue import roots
from retention.catalogue.db import Priority
from retention.model.errors import RootUnavailableError
from retention.model.values import DAY, HOUR, MINUTE, SECOND, Rows, State
from retention.tlog.rows import prepare
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.needs import root as needs_root

T0 = 1_784_541_600 * SECOND
NAMES = [f"1001/2026-07-20_{hour:02}-00-00.mp4" for hour in range(6, 10)]


def fill(world):
    """Four hours of one camera."""
    return [
        world.write(name, T0 - 4 * HOUR + number * HOUR + HOUR)
        for number, name in enumerate(NAMES)
    ]


def test_a_file_that_vanished_is_lost(world, scan):
    files = fill(world)
    scan()
    world.remove(files[1])
    result = scan()
    (entry,) = world.entries("recordings.lost")
    assert (result.lost, len(world.rows())) == (1, 3)
    assert (entry["count"], entry["bytes"], entry["held"]) == (1, 10, 0)
    assert entry["rows"][0]["start"] == T0 - 3 * HOUR


def test_the_lost_of_one_scan_are_one_entry(world, scan):
    files = fill(world)
    world.write("1002/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    shutil.rmtree(files[0].parent)
    shutil.rmtree(world.directory / "nvr1" / "1002")
    world.settle(world.directory / "nvr1")
    scan()
    (entry,) = world.entries("recordings.lost")
    assert (entry["count"], world.rows()) == (5, [])


def test_lost_footage_under_a_hold_is_counted(world, scan):
    files = fill(world)
    world.hold_camera(1, T0 - 4 * HOUR, T0 - 3 * HOUR)
    scan()
    for file in files:
        world.remove(file)
    scan()
    (entry,) = world.entries("recordings.lost")
    assert entry["held"] == 1
    assert [row["held"] for row in entry["rows"]] == [1, 0, 0, 0]


def test_any_hold_of_the_camera_holds_a_lost_file_in_doubt(world, scan):
    file = world.write("1001/2026-07-20_02-00-00.mp4", T0)
    world.hold_camera(1, T0 + 300 * DAY)
    scan()
    world.remove(file)
    scan()
    assert world.entries("recordings.lost")[0]["held"] == 1


@pytest.mark.parametrize("state", [State.QUARANTINED, State.FAILED])
def test_files_in_other_states_of_ours_can_be_lost(world, scan, state):
    files = fill(world)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("UPDATE recording SET state = ?", (int(state),))
    world.remove(files[0])
    assert scan().lost == 1


def test_a_file_of_an_open_intent_is_not_lost(world, scan):
    files = fill(world)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("UPDATE recording SET state = 1")
    world.remove(files[0])
    assert (scan().lost, len(world.rows())) == (0, 4)


def test_a_file_that_we_deleted_is_not_lost(world, scan):
    files = fill(world)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("DELETE FROM recording WHERE start = ?", (T0 - 4 * HOUR,))
    world.remove(files[0])
    scan.scanner.forget([NAMES[0].encode()])
    assert scan().lost == 0


def test_a_file_that_is_there_at_the_second_look_is_not_lost(world, scan):
    from retention.footage.ingest import vanished
    from retention.footage.ingest.intake import ScanResult

    fill(world)
    scan()
    result = ScanResult()
    there = vanished.book(scan.scanner._parts, [NAMES[0].encode()], world.NOW, result)
    assert (there, result.lost, len(world.rows())) == ([NAMES[0].encode()], 0, 4)


def test_an_unreadable_directory_fails_and_the_others_go_on(world, scan):
    """Here a link in place of the directory; root may read anything else."""
    files = fill(world)
    world.write("1002/2026-07-20_10-00-00.mp4", T0 + HOUR)
    scan()
    files[0].parent.rename(world.directory / "aside")
    files[0].parent.symlink_to(world.directory / "aside")
    world.settle(world.directory / "nvr1")
    world.write("1002/2026-07-20_11-00-00.mp4", T0 + 2 * HOUR)
    result = scan()
    assert {path.split(b"/")[0] for path, _ in result.errors} == {b"1001"}
    assert (result.added, result.lost, len(world.rows())) == (1, 0, 6)


def test_nothing_is_lost_where_the_root_is_not_what_it_was(world, scan):
    fill(world)
    scan()
    shutil.rmtree(world.directory / "nvr1")
    (world.directory / "nvr1").mkdir()
    with pytest.raises(RootUnavailableError):
        scan()
    assert len(world.rows()) == 4


@needs_root
def test_nothing_is_lost_in_a_directory_that_something_was_mounted_on(world, scan):
    import subprocess

    files = fill(world)
    scan()
    subprocess.run(["mount", "-t", "tmpfs", "none", files[0].parent], check=True)
    try:
        result = scan()
    finally:
        subprocess.run(["umount", files[0].parent], check=True)
    assert (result.lost, len(world.rows())) == (0, 4)


def deleted(world, outcome="deleted"):
    """The log calls the first recording of the camera deleted, its row is gone."""
    row = world.rows()[0]
    columns = [
        "camera",
        "stream",
        "start",
        "n",
        "duration",
        "bytes",
        "due",
        "path",
        "seen",
    ]
    table = Rows(
        tuple(columns), [(1, *row.key, row.duration, row.size, T0, None, None)]
    )
    fields = {
        "root": "nvr1", "count": 1, "bytes": row.size, "oldest": row.start,
        "newest": row.end,
    }  # fmt: skip
    counts = dict.fromkeys(
        [
            "deleted",
            "rescued",
            "absent",
            "absent_after_crash",
            "changed",
            "failed",
            "stopped",
        ],
        0,
    )
    kept = Rows(("row", "outcome"), [(0, outcome)]) if outcome != "deleted" else None
    actor = world.context().actor
    with world.catalogue.write(Priority.DELETION) as tx:
        tx.exec_driver_sql("DELETE FROM recording WHERE start = ?", (row.start,))
        intent = Dated("deletion.intended", world.now, actor, fields, prepare(table))
        number = append_dated(world.log, tx, intent)
        done = counts | {outcome: 1, "intent": number, "bytes": 0, "lateness": 0}
        from retention.tlog import kinds

        known = {field.name for field in kinds.of("recordings.deleted").fields}
        done = {name: done[name] for name in done if name in known}
        done["method"] = "unlink"
        append_dated(
            world.log, tx, Dated("recordings.deleted", world.now, actor, done, kept)
        )
    return row


def test_a_file_for_a_time_that_the_log_calls_deleted_is_reappeared(world):
    """A backup came back with its times (cp -p)."""
    file = world.write("1001/2026-06-01_10-00-00.mp4", T0 - 49 * DAY + HOUR)
    scanner = world.scanner()
    scanner.scan(world.NOW, lambda: False)
    row = deleted(world)
    content = file.read_bytes()
    world.remove(file)
    scanner.forget([b"1001/2026-06-01_10-00-00.mp4"])
    scanner.scan(world.NOW, lambda: False)
    file.write_bytes(content)
    world.touch(file, T0 - 49 * DAY + HOUR)
    result = scanner.scan(world.NOW, lambda: False)
    (entry,) = world.entries("recordings.reappeared")
    assert (result.reappeared, entry["rows"][0]["start"]) == (1, row.start)
    assert [r.state for r in world.rows()] == [State.QUARANTINED]


def test_what_was_rescued_from_a_batch_has_not_reappeared(world, scan):
    file = world.write("1001/2026-06-01_10-00-00.mp4", T0 - 49 * DAY + HOUR)
    scan()
    deleted(world, "rescued")
    world.settle(file.parent)
    world.scanner().scan(world.NOW, lambda: False)
    assert (len(world.rows()), world.entries("recordings.reappeared")) == (1, [])


def test_an_archive_being_adopted_has_not_reappeared(world, scan):
    world.write("1001/2026-06-01_10-00-00.mp4", T0 - 49 * DAY + HOUR)
    scan()
    deleted(world)
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("UPDATE root SET adopted = NULL")
    world.scanner().scan(world.NOW, lambda: False)
    assert world.entries("recordings.reappeared") == []


def test_a_deleted_file_that_came_back_between_two_scans_is_met_as_new(world, scan):
    files = fill(world)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("DELETE FROM recording WHERE start = ?", (T0 - 4 * HOUR,))
    world.settle(files[0].parent)
    scan.scanner.forget([NAMES[0].encode()])
    assert scan().added == 1


def test_a_deleted_file_that_came_back_is_met_even_if_its_directory_looks_the_same(
    world, scan
):
    fill(world)
    scan()
    with world.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("DELETE FROM recording WHERE start = ?", (T0 - 4 * HOUR,))
    scan.scanner.forget([NAMES[0].encode()])
    assert scan().added == 1


def test_nothing_is_taken_in_from_a_root_without_its_identity(world, scan):
    fill(world)
    (world.directory / "nvr1" / ".cctv-retention-root").unlink()
    with pytest.raises(RootUnavailableError):
        scan()
    assert world.rows() == []


def test_only_what_a_complete_listing_does_not_show_can_be_lost(world, scan):
    from retention.footage.ingest import reconcile

    fill(world)
    parts = scan.scanner._parts
    asked = [NAMES[0].encode(), b"1001/gone.mp4", b"gone/too.mp4"]
    nothing = dict.fromkeys(asked)
    assert reconcile._not_listed(parts, nothing) == set(asked[1:])


def test_a_scan_waits_for_a_batch_in_its_root(world, scan):
    """A directory's read-and-commit never overlaps a batch: one mutex a root."""
    fill(world)
    root = world.root()
    done = threading.Event()

    def work():
        scan()
        done.set()

    with root.mutex:
        thread = threading.Thread(target=work)
        thread.start()
        assert not done.wait(0.2)
        assert world.rows() == []
    thread.join(120)
    assert (done.is_set(), len(world.rows())) == (True, 4)


def test_reconciliation_finds_what_was_lost_while_nobody_looked(world, scan):
    files = fill(world)
    scan()
    world.remove(files[2])
    scanner = world.scanner()
    scanner.scan(world.NOW, lambda: False)
    assert len(world.rows()) == 4
    result = scanner.reconcile(world.NOW, lambda: False)
    assert (result.lost, result.checked, result.complete) == (1, 4, True)
    with world.catalogue.read() as tx:
        assert roots.get(tx, world.root().key).reconciled == world.NOW


def test_reconciliation_finds_a_directory_that_is_gone(world, scan):
    files = fill(world)
    scan()
    shutil.rmtree(files[0].parent)
    result = world.scanner().reconcile(world.NOW, lambda: False)
    assert (result.lost, world.rows()) == (4, [])


def test_reconciliation_finds_files_that_grew(world, scan):
    files = fill(world)
    scan()
    world.touch(files[0], T0 - 3 * HOUR + 2 * MINUTE)
    result = world.scanner().reconcile(world.NOW, lambda: False)
    assert (result.changed, world.rows()[0].end) == (1, T0 - 3 * HOUR + 2 * MINUTE)


def test_a_stopped_reconciliation_goes_on_where_it_was(world, scan, monkeypatch):
    from retention.footage.ingest import reconcile

    fill(world)
    scan()
    monkeypatch.setattr(reconcile, "PAGE", 1)
    calls = iter([False, False])
    first = scan.scanner.reconcile(world.NOW, lambda: next(calls, True))
    second = world.scanner().reconcile(world.NOW, lambda: False)
    assert (first.checked, first.complete) == (2, False)
    assert (second.checked, second.complete) == (2, True)
    assert world.scanner().reconcile(world.NOW, lambda: False).checked == 4


def test_reconciliation_leaves_what_it_can_not_read(world, scan):
    files = fill(world)
    scan()
    files[0].parent.rename(world.directory / "aside")
    files[0].parent.symlink_to(world.directory / "aside")
    result = world.scanner().reconcile(world.NOW, lambda: False)
    assert (result.lost, len(result.errors), len(world.rows())) == (0, 4, 4)
