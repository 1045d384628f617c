"""`report coverage`: how much of the day each camera recorded, as a number."""

from dataclasses import replace

import pytest

from retention.model.errors import UsageError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports import coverage_report
from retention.tlog.kinds import KINDS
from tests.support.reported import table


def half_a_day(site):
    """Camera 1001 recorded twelve hours of a day that is over, 1002 nothing."""
    site.now += 3 * DAY
    day = (site.now // DAY - 1) * DAY
    row = site.row(age=site.now - day - 12 * HOUR, length=12 * HOUR)
    assert row[2] == day
    site.recorded(row)
    return format_utc(day)[:10]


def test_a_claim_that_all_is_recorded_is_a_number(site, reported):
    day = half_a_day(site)
    report = reported(site).both("coverage", on=day)
    rows = [
        (row["camera"], row["recordings"], row["complete"], row["empty"])
        for row in table(report, "by_camera")
    ]
    assert rows == [("1001", 1, 0.5, 0), ("1002", 0, 0.0, 1)]
    assert [(one.text, one.good) for one in report.verdict] == [
        ("25.00% of the time of these cameras was recorded", False),
        ("once a camera had nothing for a whole day", False),
        ("36 whole hours had nothing at all, counted camera by camera", False),
    ]


def test_each_camera_and_day_is_listed(site, reported):
    day = half_a_day(site)
    report = reported(site).both("coverage", on=day, camera="1001")
    assert table(report, "cells") == [
        {
            "camera": "1001", "day": day, "recordings": 1, "duration": 12 * 3600,
            "complete": 0.5, "gaps": 0, "silent": 12, "hours": "12-23",
        }
    ]  # fmt: skip


def test_a_camera_of_the_police_is_not_asked_for_footage(site, reported):
    site.add(
        "camera.added", camera=3, id="A3", kind="anpr", custody="police", source="test"
    )
    report = reported(site).both("coverage", on=half_a_day(site))
    assert "A3" not in str(report.tables)


def test_of_a_day_that_goes_on_only_what_is_over_counts(site, reported):
    site.now = (site.now // DAY + 1) * DAY + 6 * HOUR
    site.recorded(site.row(age=0, length=6 * HOUR))
    day = format_utc(site.now)[:10]
    (row,) = table(reported(site).both("coverage", on=day, camera="1001"), "by_camera")
    assert row["complete"] > 0.99
    other = table(reported(site).both("coverage", on=day, camera="1002"), "by_camera")
    assert (other[0]["complete"], other[0]["empty"]) == (0, 0)  # it is not over yet


def test_two_recorders_of_one_camera_do_not_make_up_for_another(site, reported):
    """Each hour of a camera counts once."""
    site.now += 3 * DAY
    day = (site.now // DAY - 1) * DAY
    twice = [site.row(start=day, length=DAY, stream=stream) for stream in (101, 103)]
    site.recorded(*twice)
    report = reported(site).both("coverage", on=format_utc(day)[:10])
    assert [row["complete"] for row in table(report, "by_camera")] == [1.0, 0.0]
    assert report.verdict[0].text.startswith("50.00% of the time")


def test_a_camera_is_asked_for_nothing_from_before_it_was_there_or_after(
    site, reported
):
    site.now = (site.now // DAY + 3) * DAY + 6 * HOUR
    since = site.now
    site.add(
        "camera.added", camera=3, id="1003", kind="public_space", custody="council",
        source="test",
    )  # fmt: skip
    site.now += 12 * HOUR
    site.add("camera.retired", camera=3, id="1003")
    site.now += 2 * DAY
    site.beat(0)
    day = since - 6 * HOUR
    site.recorded(site.row(3, start=since, length=12 * HOUR))
    span = {
        "since": format_utc(day - DAY)[:10],
        "until": format_utc(day + 2 * DAY)[:10],
    }
    report = reported(site).both("coverage", camera="1003", **span)
    (row,) = table(report, "by_camera")
    assert row["complete"] > 0.99
    assert len(table(report, "cells")) == 1


def test_what_each_hour_of_a_camera_is_adds_up_to_the_hour(site, reported, monkeypatch):
    """Deleted, lost, silent and the rest, also of a camera of the police."""
    site.add(
        "camera.added", camera=3, id="A3", kind="anpr", custody="police", source="test"
    )
    day = (site.now // DAY + 3) * DAY
    site.at(day - HOUR)
    site.add("root.adopted", root="nvr1", recordings=0, bytes=0, unknown=0)
    for hour in range(25):
        site.at(day + hour * HOUR)
        site.beat(0)
    first, second = (
        site.row(
            start=day + at * HOUR, length=HOUR, due=day + (at + 1) * HOUR + 28 * DAY
        )
        for at in (0, 1)
    )
    site.recorded(first, second)
    site.said("recordings.lost", (*second[:6], 0, None), held=0)
    site.at(day + 29 * DAY)
    site.delete(first)
    on = format_utc(day)[:10]
    report = reported(site).both("coverage", on=on, camera="1001", hours=True)
    rows = table(report, "hours")
    assert [len(rows), rows[0]["hour"]] == [24, format_utc(day)]
    assert [rows[n][what] for n, what in enumerate(("deleted", "lost"))] == [3600, 3600]
    assert {row["no_recording_seen"] for row in rows[2:]} == {3600}
    assert {sum(list(row.values())[2:]) for row in rows} == {3600}
    theirs = reported(site).both("coverage", on=on, camera="A3", hours=True)
    assert {row["not_ours"] for row in table(theirs, "hours")} == {3600}
    monkeypatch.setattr(coverage_report, "HOURS", 24)
    with pytest.raises(UsageError, match="these are 48 hours, and 24 are told one by"):
        reported(site).both("coverage", on=on, hours=True, controller="leicester")


def test_of_footage_older_than_the_register_nothing_is_asked_for_before_it_begins(
    site, reported
):
    """Taken in with a root: what was there before that, and is gone, nobody knows."""
    site.now = (site.now // DAY + 3) * DAY
    day = site.now - 2 * DAY
    site.add(
        "camera.added", camera=3, id="1003", kind="public_space", custody="council",
        source="test",
    )  # fmt: skip
    site.recorded(site.row(3, start=day + 12 * HOUR, length=12 * HOUR))
    site.beat(0)
    on = format_utc(day)[:10]
    report = reported(site).both("coverage", camera="1003", on=on)
    (row,) = table(report, "cells")
    assert (row["complete"], row["silent"]) == (1, 0)


def test_the_hours_of_which_there_was_nothing_are_named(site, reported):
    site.now += 3 * DAY
    day = (site.now // DAY - 1) * DAY
    for hour in (0, 1, 2, 5, 23):
        start = day + hour * HOUR + 59 * MINUTE
        site.recorded(site.row(start=start, length=MINUTE))
    report = reported(site).both("coverage", on=format_utc(day)[:10], camera="1001")
    (row,) = table(report, "cells")
    assert (row["silent"], row["hours"]) == (19, "03-04, 06-22")
    assert ("19 whole hours had nothing at all, counted camera by camera", False) in [
        (one.text, one.good) for one in report.verdict
    ]


def test_footage_of_before_midnight_may_reach_into_the_next_day(site, reported):
    site.now += 3 * DAY
    day = (site.now // DAY - 1) * DAY
    site.recorded(site.row(start=day - HOUR, length=2 * HOUR))
    report = reported(site).both("coverage", on=format_utc(day)[:10], camera="1001")
    (row,) = table(report, "cells")
    assert row["hours"] == "01-23"


def test_of_a_day_of_which_an_older_log_tells_no_hours_are_known(
    site, reported, monkeypatch
):
    kind = KINDS["recordings.recorded"]
    older = replace(kind, columns=kind.columns[: -kind.later], later=0)
    with monkeypatch.context() as patch:
        patch.setitem(KINDS, kind.name, older)
        day = half_a_day(site)
    site.recorded(site.row(age=0, length=HOUR))
    report = reported(site).both("coverage", on=day, camera="1001")
    (row,) = table(report, "cells")
    assert (row["recordings"], row["silent"], row["hours"]) == (1, None, None)
    assert not any("nothing at all" in one.text for one in report.verdict)


def test_a_figure_of_a_day_has_the_entries_that_tell_it(site, reported):
    site.now += 3 * DAY
    day = (site.now // DAY - 1) * DAY
    numbers = [
        site.recorded(site.row(start=day + n * HOUR, length=HOUR)) for n in (1, 2)
    ]
    report = reported(site).both("coverage", on=format_utc(day)[:10], camera="1001")
    (cells,) = (one for one in report.tables if one.name == "cells")
    assert [row.entries for row in cells.rows] == [[numbers]]


def test_an_hour_is_silent_only_when_its_footage_would_have_been_told(site, reported):
    """What was just recorded waits for its file's end, and for the next roll-up."""
    site.now = (site.now // DAY + 3) * DAY + 6 * HOUR
    day = format_utc(site.now)[:10]
    site.beat(0)
    report = reported(site).both("coverage", on=day, camera="1001")
    (row,) = table(report, "cells")
    assert (row["silent"], row["hours"]) == (3, "00-02")


def test_what_is_told_of_a_day_after_it_was_added_up_is_added_to_it(site, reported):
    site.now += 3 * DAY
    day = (site.now // DAY - 1) * DAY
    first = site.recorded(site.row(start=day + HOUR, length=HOUR))
    log = reported(site)
    asked = {"on": format_utc(day)[:10], "camera": "1001"}
    log.both("coverage", **asked)
    last = site.recorded(site.row(start=day + 2 * HOUR, length=HOUR))
    log.sign(site.entries)
    report = log.both("coverage", **asked)
    (row,) = table(report, "cells")
    assert (row["recordings"], row["hours"]) == (2, "00, 03-23")
    (cells,) = (one for one in report.tables if one.name == "cells")
    assert [one.entries for one in cells.rows] == [[[first, last]]]
