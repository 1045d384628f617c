"""`report certificate` against a log whose truth is known."""

import os
import subprocess
import sys

import pytest

from retention.model.codec import to_json
from retention.model.coverage import SERVICE_DOWN
from retention.model.errors import UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.reports.certificate import KEPT, UNKNOWN, exit_status
from tests.support.reported import table

MIDNIGHT = 1_780_272_000 * SECOND
"""1 June 2026, 00:00 UTC."""


def asked(since, until, camera="1001", **more):
    return {
        "camera": camera, "since": format_utc(since), "until": format_utc(until), **more
    }  # fmt: skip


def morning(**more):
    """The first eight hours of that day."""
    return asked(MIDNIGHT, MIDNIGHT + 8 * HOUR, **more)


def stretches(report):
    return [
        (row["became"], row["duration"] / 3600) for row in table(report, "stretches")
    ]


def verdict(report):
    return {one.text: one.good for one in report.verdict}


def hour(site, number, camera=1):
    """The recording of that hour of the day."""
    start = MIDNIGHT + number * HOUR
    return site.row(
        camera, length=HOUR, start=start, due=start + HOUR + 28 * DAY, seen=None
    )


def watch(site, hours):
    """The service runs from an hour before that day on, and writes that it does."""
    site.at(MIDNIGHT - HOUR)
    site.add("root.adopted", root="nvr1", recordings=0, bytes=0, unknown=0)
    for beat in range(hours + 1):
        site.at(MIDNIGHT + (beat - 1) * HOUR + MINUTE)
        site.beat(0)


@pytest.fixture
def watched(site):
    """A site whose service ran on that day, and wrote down what it saw."""
    watch(site, 25)
    return site


def lost(site, row):
    return site.said("recordings.lost", (*row[:6], 0, None), held=0)


def test_each_recording_is_told_with_policy_due_deletion_and_entry(site, reported):
    first, second = site.row(age=28 * DAY + MINUTE), site.row(age=28 * DAY)
    intent = site.delete(first, site.row(2), second)
    log = reported(site)
    report = log.both("certificate", **asked(first[2], second[2] + second[4]))
    rows = table(report, "recordings")
    assert [(row["start"], row["due"], row["entry"], row["row"]) for row in rows] == [
        (format_utc(one[2]), format_utc(one[6]), intent, place)
        for one, place in ((first, 0), (second, 2))
    ]
    (row, _) = rows
    assert (row["became"], row["method"], row["policy"], row["days"]) == (
        "deleted", "unlink", 1, 28,
    )  # fmt: skip
    begun, done = (site.now - SECOND, site.now)
    assert (row["begun"], row["deleted"]) == (format_utc(begun), format_utc(done))
    assert row["lateness"] == 62
    assert [one for one, _ in stretches(report)] == ["deleted"]
    assert exit_status(report) == 0


def test_how_late_each_was_is_what_the_report_on_deletions_says(site, reported):
    kept, late = site.row(age=26 * DAY), site.row(age=27 * DAY)
    site.place(kept[2], kept[2] + MINUTE)
    site.release(site.ask())
    site.now += 9 * DAY
    site.delete(kept, late)
    log = reported(site)
    report = log.both("certificate", **asked(late[2], kept[2] + MINUTE))
    waits = {row["row"]: row["lateness"] for row in table(report, "recordings")}
    files = table(log.live("deletions", files=True), "files")
    assert waits == {row["row"]: row["lateness"] for row in files}
    assert waits[0] < waits[1] - 4 * 86_400  # its hold was over only then
    assert "2 LATE; the longest wait was 8 days" in str(report.verdict)


def test_each_stretch_of_the_time_is_called_what_it_is(watched, reported):
    site = watched
    site.recorded(*(hour(site, number) for number in (1, 2, 3, 5)))
    lost(site, hour(site, 2))
    doubted = (*hour(site, 3)[:6], "late", None, site.now)
    site.said("recordings.quarantined", doubted)
    site.place(MIDNIGHT + 5 * HOUR, MIDNIGHT + 6 * HOUR)
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1))
    report = reported(site).both("certificate", **morning())
    assert stretches(report) == [
        ("no recording seen", 1), ("deleted", 1), ("lost", 1), ("held", 1),
        ("no recording seen", 1), ("held", 1), ("no recording seen", 2),
    ]  # fmt: skip
    assert exit_status(report) == KEPT
    assert verdict(report)["1 of them LOST"] is False
    (counts,) = table(report, "counts")
    assert counts == {
        "camera": "1001", "day": "2026-06-01", "recorded": 4, "deleted": 1, "lost": 1,
        "other": 1, "unnamed": 1,
    }  # fmt: skip


def test_where_all_of_a_day_is_named_nothing_else_was_seen(watched, reported):
    site = watched
    site.recorded(hour(site, 1), hour(site, 20))
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1), hour(site, 20))
    report = reported(site).both("certificate", **morning())
    assert stretches(report) == [
        ("no recording seen", 1), ("deleted", 1), ("no recording seen", 6),
    ]  # fmt: skip
    assert exit_status(report) == 0


def test_where_one_of_a_day_is_not_named_its_hour_alone_is_not_known(watched, reported):
    """Which hours of the day there was footage of the log says."""
    site = watched
    site.recorded(hour(site, 1), hour(site, 20))
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1))
    log = reported(site)
    report = log.both("certificate", **morning())
    assert stretches(report) == [
        ("no recording seen", 1), ("deleted", 1), ("no recording seen", 6),
    ]  # fmt: skip
    assert exit_status(report) == 0
    evening = asked(MIDNIGHT + 19 * HOUR, MIDNIGHT + 22 * HOUR)
    report = log.both("certificate", **evening)
    assert stretches(report) == [
        ("no recording seen", 1), ("not known", 1), ("no recording seen", 1),
    ]  # fmt: skip
    assert exit_status(report) == UNKNOWN


def test_an_hour_in_which_nothing_was_recorded_is_not_called_held(watched, reported):
    """A court must not wait for footage that never was."""
    site = watched
    site.recorded(hour(site, 1))
    site.place(MIDNIGHT, MIDNIGHT + 8 * HOUR)
    site.at(MIDNIGHT + 3 * DAY)
    site.beat(0)
    report = reported(site).both(
        "certificate", **asked(MIDNIGHT + 3 * HOUR, MIDNIGHT + 5 * HOUR)
    )
    assert stretches(report) == [("no recording seen", 2)]
    assert exit_status(report) == 0


def test_what_may_be_recorded_still_is_not_called_unseen(watched, reported):
    """A file may be a day long, and is told when it ends."""
    site = watched
    site.recorded(hour(site, 1))
    site.place(MIDNIGHT, MIDNIGHT + 8 * HOUR)
    report = reported(site).both("certificate", **morning())
    assert stretches(report) == [("held", 8)]


def test_while_the_day_goes_on_more_of_it_may_come(site, reported):
    watch(site, 9)
    site.recorded(hour(site, 1))
    lost(site, hour(site, 1))
    report = reported(site).both("certificate", **morning())
    assert stretches(report) == [("not known", 1), ("lost", 1), ("not known", 6)]


def test_it_is_held_until_the_hold_has_cooled_off(watched, reported):
    site = watched
    site.recorded(hour(site, 1))
    site.place(MIDNIGHT, MIDNIGHT + 8 * HOUR)
    site.at(MIDNIGHT + 30 * DAY)
    site.release(site.ask())
    cooling = reported(site).both("certificate", **morning())
    assert stretches(cooling) == [
        ("no recording seen", 1), ("held", 1), ("no recording seen", 6),
    ]  # fmt: skip
    site.now += 8 * DAY
    site.add("hold.cooled", hold=1)
    cooled = reported(site).both("certificate", **morning())
    assert stretches(cooled) == [
        ("no recording seen", 1), ("not known", 1), ("no recording seen", 6),
    ]  # fmt: skip


def test_a_hold_that_came_too_late_keeps_nothing(watched, reported):
    site = watched
    site.recorded(hour(site, 1))
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1))
    site.place(MIDNIGHT, MIDNIGHT + 8 * HOUR)
    assert exit_status(reported(site).both("certificate", **morning())) == 0


def test_while_nobody_watched_it_is_not_known(site, reported):
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1))
    report = reported(site).both("certificate", **morning())
    assert stretches(report) == [("not known", 1), ("deleted", 1), ("not known", 6)]
    assert exit_status(report) == UNKNOWN


def test_what_is_being_deleted_as_the_log_ends_is_not_called_deleted(watched, reported):
    site = watched
    site.recorded(hour(site, 1))
    site.at(MIDNIGHT + 30 * DAY)
    site.intend(hour(site, 1))
    report = reported(site).both("certificate", **morning())
    (row,) = table(report, "recordings")
    assert (row["became"], row["deleted"]) == ("not known", None)
    assert exit_status(report) == UNKNOWN


def test_what_was_rescued_at_the_last_moment_is_held(watched, reported):
    site = watched
    site.recorded(hour(site, 1))
    site.at(MIDNIGHT + 30 * DAY)
    site.place(MIDNIGHT, MIDNIGHT + 8 * HOUR)
    site.delete(hour(site, 1), odd={0: "rescued"})
    report = reported(site).both("certificate", **morning())
    (row,) = table(report, "recordings")
    assert (row["became"], row["why"]) == ("held", "hold 1")
    assert exit_status(report) == KEPT


def test_of_the_polices_cameras_it_says_whom_to_ask(site, reported):
    site.add(
        "camera.added", camera=3, id="A1", kind="anpr", custody="police",
        source="test", location="Ring Road",
    )  # fmt: skip
    report = reported(site).both("certificate", **morning(camera="A1"))
    (row,) = table(report, "stretches")
    assert (row["became"], "police" in row["why"]) == ("not ours", True)
    assert exit_status(report) == 0


def test_of_the_polices_cameras_it_says_so_if_files_are_here_all_the_same(
    site, reported
):
    """Else a court would be told that there is nothing."""
    site.add(
        "camera.added", camera=3, id="A1", kind="anpr", custody="police",
        source="test", location="Ring Road",
    )  # fmt: skip
    number = site.add(
        "alarm.raised", alarm="custody", scope="nvr1/A1", detail="1 file", cameras=[3]
    )
    report = reported(site).both("certificate", **morning(camera="A1"))
    (row,) = table(report, "stretches")
    assert (row["became"], f"HERE (entry {number})" in row["why"]) == (
        "not known",
        True,
    )
    assert exit_status(report) == UNKNOWN


def test_it_says_whether_what_was_due_was_fixed_before_it_was_asked_for(site, reported):
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1))
    site.now += DAY
    site.add("policy.changed", version=2, days=14, cameras={})
    site.policy = 2
    site.delete(hour(site, 2))
    report = reported(site).both("certificate", **morning(requested_on="2026-07-01"))
    first, second = table(report, "recordings")
    before, after = "before the request", "after the request"
    then = ("fixed", "due_then", "deleted_then")
    assert [first[name] for name in then] == [before, before, after]
    assert [second[name] for name in then] == [after, before, after]
    text = (
        "the due date of 1 of 2 was NOT shown to be fixed before the request of "
        "2026-07-01"
    )
    assert verdict(report)[text] is False
    early = reported(site).both("certificate", **morning(requested_on="2026-07-05"))
    fixed = "the due date of each was fixed before the request of 2026-07-05"
    assert verdict(early)[fixed] is True


def test_without_a_camera_and_a_time_nothing_is_certified(site, reported):
    log = reported(site)
    for given in ({"camera": "1001"}, {"on": "2026-06-01"}):
        with pytest.raises(UsageError, match="give --camera, --from and --to"):
            log.live("certificate", **given)


def test_asked_twice_it_is_the_same(site, reported):
    site.delete(site.row())
    log = reported(site)
    one, other = (
        to_json(log.both("certificate", **asked(site.now - 30 * DAY, site.now)))
        for _ in range(2)
    )
    assert one == other


def test_of_a_day_that_is_all_named_no_other_recording_can_be_meant(site, reported):
    """From three to six the service was down, and that is why nothing is known."""
    site.at(MIDNIGHT - HOUR)
    site.add("root.adopted", root="nvr1", recordings=0, bytes=0, unknown=0)
    for beat in (*range(4), *range(6, 26)):
        site.at(MIDNIGHT + beat * HOUR)
        site.beat(0)
    site.recorded(hour(site, 1))
    site.at(MIDNIGHT + 30 * DAY)
    site.delete(hour(site, 1))
    span = asked(MIDNIGHT + 4 * HOUR, MIDNIGHT + 5 * HOUR)
    (found,) = table(reported(site).both("certificate", **span), "stretches")
    assert (found["became"], found["why"]) == ("not known", SERVICE_DOWN)


def test_what_is_in_doubt_is_held_by_any_hold_on_its_camera(watched, reported):
    """Nobody knows when it was filmed: so the program keeps it, and says so."""
    site = watched
    doubted = (*hour(site, 3)[:6], "late", None, site.now)
    site.said("recordings.quarantined", doubted)
    span = asked(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR)
    (row,) = table(reported(site).both("certificate", **span), "recordings")
    assert (row["became"], row["why"]) == ("present", "in doubt")
    site.place(MIDNIGHT + 5 * HOUR, MIDNIGHT + 6 * HOUR)
    report = reported(site).both("certificate", **span)
    (row,) = table(report, "recordings")
    assert (row["became"], row["why"]) == ("held", "hold 1")
    assert exit_status(report) == KEPT


def test_what_came_back_in_doubt_is_in_doubt(watched, reported):
    """It is for a time that the log calls deleted, and any hold on its camera keeps it."""
    site = watched
    doubted = (*hour(site, 3)[:6], "late", None, site.now)
    site.said("recordings.quarantined", doubted)
    site.said("recordings.reappeared", (*hour(site, 3)[:6], None))
    site.place(MIDNIGHT + 5 * HOUR, MIDNIGHT + 6 * HOUR)
    span = asked(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR)
    (row,) = table(reported(site).both("certificate", **span), "recordings")
    assert (row["became"], row["why"]) == ("held", "hold 1")


def test_from_a_copy_no_database_is_started(site, reported, tmp_path):
    """Loading it would take as long as the answer of a small log."""
    code = (
        "import contextlib, sys\n"
        "from retention import cli\n"
        "with contextlib.suppress(SystemExit):\n"
        "    cli.main()\n"
        "print('sqlalchemy' in sys.modules)"
    )
    site.delete(hour(site, 7))
    asked = ["report", "certificate", "--dir", reported(site).copy, "--camera", "1001"]
    days = ["--from", "2026-06-01", "--to", "2026-06-02"]
    done = subprocess.run(
        [sys.executable, "-c", code, *asked, *days],
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert "The whole time" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"
