"""`report compliance`, `exceptions`, `seizures` and `access` against a log whose truth is
known; each the same live and copied."""

import pytest

from retention.model.errors import UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, SECOND
from retention.reports.exceptions import ALL_WELL
from tests.support.reported import table
from tests.support.story import ANNA, BEN, CARA


def said(report):
    return [(one.text, one.good) for one in report.verdict]


def beat(site, overdue=0, oldest=None):
    site.add(
        "heartbeat", recordings=3, overdue=overdue, held_cameras=0, holds=0,
        oldest_unheld=oldest, wall=site.now, boottime=1, synchronised=True,
    )  # fmt: skip


# -- compliance ---------------------------------------------------------------------------


def test_a_site_that_keeps_its_promise_reads_so(site, reported):
    beat(site, oldest=site.now - 27 * DAY)
    site.delete(site.row(age=28 * DAY))
    site.now += HOUR
    beat(site, oldest=site.now - 28 * DAY)
    report = reported(site).both("compliance")
    assert all(good is not False for _, good in said(report))
    assert said(report)[0][0].startswith("deleted on time: 100% of 1 recording")
    assert (
        "at the end the oldest footage under no hold and not in doubt was 28 days old",
        None,
    ) in said(report)
    (day,) = table(report, "days")
    assert (day["recordings"], day["on_time"], day["overdue"]) == (1, 1.0, 0)
    (policy,) = table(report, "policies")
    assert (policy["version"], policy["days"], policy["cameras"]) == (1, 28, 0)


def test_how_long_footage_was_overdue_is_told(site, reported):
    began = site.now
    for overdue in (0, 4, 9, 2, 0, 1):
        beat(site, overdue)
        site.now = began = began + HOUR
    report = reported(site).both("compliance")
    assert [(row["most"], row["duration"]) for row in table(report, "overdue")] == [
        (9, pytest.approx(3 * 3600, abs=5)), (1, 0),
    ]  # fmt: skip
    assert said(report)[1][1] is False
    assert "overdue 2 times, the longest for" in said(report)[1][0]


def test_what_stopped_deletion_is_told_with_its_length(site, reported):
    site.add("guard.tripped", guard="clock", scope="", detail="ahead")
    site.now += HOUR - SECOND
    site.add("guard.cleared", by=BEN, guard="clock", scope="", reason="set right")
    site.add("guard.tripped", guard="root", scope="nvr1", detail="not mounted")
    site.add("alarm.raised", alarm="unlawful", scope="", detail="entry 7")
    report = reported(site).both("compliance")
    rows = [
        (row["what"], row["where"], row["duration"], row["ended"], row["until"] is None)
        for row in table(report, "guards")
    ]
    assert rows == [
        ("guard clock", None, 3600, "acknowledged", False),
        ("guard root", "nvr1", 1, "stands", True),
    ]
    assert ("guards stopped deletion 2 times", False) in said(report)
    assert (
        "entries that no rule allows were found once: alarm unlawful",
        False,
    ) in (said(report))


def test_footage_kept_longer_since_it_was_in_doubt_is_told(site, reported):
    site.delete(site.row(age=40 * DAY, seen=site.now - 29 * DAY))
    (row,) = table(reported(site).both("compliance"), "doubt")
    assert (row["camera"], row["recordings"]) == ("1001", 1)


# -- exceptions ---------------------------------------------------------------------------


def test_what_was_lost_late_or_not_deleted_is_listed_with_why(site, reported):
    lost, late = site.row(age=DAY, bytes=7), site.row(2, age=3 * DAY, bytes=5)
    site.said("recordings.lost", (*lost[:6], 1, None), held=1)
    site.said(
        "recordings.quarantined",
        (*late[:6], "arrived 3 days after its own end", None, None),
    )
    site.delete(site.row(), site.row(2), odd={1: "failed"})
    report = reported(site).both("exceptions")
    rows = [
        (row["what"], row["camera"], row["bytes"], row["reason"])
        for row in table(report, "recordings")
    ]
    assert rows == [
        ("lost while held", "1001", 7, None),
        ("arrived late", "1002", 5, "arrived 3 days after its own end"),
        ("not deleted: failed", "1002", 10, None),
    ]
    assert ("lost while held: 1 recording, 7 B", False) in said(report)
    of_one = reported(site).both("exceptions", camera="1002")
    assert [row["what"] for row in table(of_one, "by_kind")] == [
        "arrived late", "not deleted: failed",
    ]  # fmt: skip


def test_one_file_that_can_not_be_deleted_is_one_however_often_it_was_tried(
    site, reported
):
    row = site.row()
    tried = [site.delete(row, odd={0: "failed"}) for _ in range(3)]
    report = reported(site).both("exceptions")
    assert ("not deleted: failed: 1 recording, 10 B", None) in said(report)
    assert len(table(report, "recordings")) == len(tried)


def test_alarms_are_listed_with_how_long_they_stood(site, reported):
    raised = site.add("alarm.raised", alarm="silent", scope="nvr1", detail="d")
    site.now += 2 * HOUR - SECOND
    site.add(
        "alarm.ended", by=CARA, alarm="silent", scope="nvr1", raised=raised,
        acknowledged=True, reason="seen to",
    )  # fmt: skip
    site.add("alarm.raised", alarm="late", scope="nvr1/c1", detail="d")
    report = reported(site).both("exceptions")
    rows = [
        (row["what"], row["where"], row["duration"], row["ended"])
        for row in table(report, "alarms")
    ]
    assert rows == [
        ("silent", "nvr1", 7200, "acknowledged"), ("late", "nvr1/c1", 0, "stands"),
    ]  # fmt: skip
    assert table(report, "denied") == []
    assert ("2 alarms stood, 1 at the end of the log", False) in said(report)


def test_a_site_where_all_went_as_it_should_reads_so(site, reported):
    site.delete(site.row())
    assert said(reported(site).both("exceptions")) == [
        (ALL_WELL, True),
        ("no alarm stood", True),
    ]


def test_only_the_time_asked_for_is_told(site, reported):
    site.said("recordings.lost", (*site.row()[:6], 0, None), held=0)
    site.now += 3 * DAY
    site.said("recordings.lost", (*site.row(2)[:6], 0, None), held=0)
    report = reported(site).both("exceptions", since=format_utc(site.now - DAY))
    assert [row["camera"] for row in table(report, "recordings")] == ["1002"]


# -- seizures -----------------------------------------------------------------------------


def test_who_asked_for_what_and_how_it_is_kept(site, reported):
    site.place(site.now - 3 * DAY, site.now - 2 * DAY)
    site.place(site.now - 3 * DAY, site.now, hold=2, camera=2)
    site.release(site.ask(2), 2)
    site.now += 8 * DAY
    site.add("hold.cooled", hold=2)
    report = reported(site).both("seizures")
    rows = [
        (row["hold"], row["placed_by"], row["cameras"], row["kept"])
        for row in table(report, "seizures")
    ]
    assert rows == [
        (1, "1001 (operator)", "1001", "not deleted by this program"),
        (2, "1001 (operator)", "1002", "not any more"),
    ]
    assert table(report, "by_kind") == [
        {"kind": "court", "holds": 2, "standing": 1, "released": 1}
    ]


# -- access -------------------------------------------------------------------------------


def test_who_did_what_how_often_and_who_was_refused(site, reported):
    site.place(site.now - DAY, site.now)
    site.place(site.now - DAY, site.now, hold=2)
    site.add("access.denied", by=ANNA, verb="hold.approve", count=3)
    site.add("access.changed", role="supervisor", added={"1003": "cara"}, removed={})
    site.release(site.ask(2, by=ANNA), 2, by=CARA)
    report = reported(site).both("access")
    deeds = [(row["who"], row["what"], row["times"]) for row in table(report, "deeds")]
    assert deeds == [
        ("1001 (operator)", "hold.placed", 2),
        ("1001 (operator)", "hold.release_requested", 1),
        ("1003 (supervisor)", "hold.released", 1),
    ]
    (denied,) = table(report, "denied")
    assert (denied["who"], denied["verb"], denied["times"]) == (
        "1001 (operator)", "hold.approve", 3,
    )  # fmt: skip
    assert table(reported(site).both("exceptions"), "denied") == [denied]
    assert [row["role"] for row in table(report, "roles")] == ["supervisor"]
    assert said(report)[0] == ("2 people did 4 things that changed something", None)


def test_access_is_of_people_and_of_no_camera(site, reported):
    with pytest.raises(UsageError, match="this report is of people"):
        reported(site).both("access", camera="1001")


def test_no_name_of_a_person_is_in_any_report(site, reported):
    site.place(site.now - DAY, site.now)
    site.release(site.ask())
    log = reported(site)
    for name in ("compliance", "exceptions", "seizures", "access"):
        text = str(log.both(name))
        assert not any(one in text for one in ("anna", "ben", "cara"))
