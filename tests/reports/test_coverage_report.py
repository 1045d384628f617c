"""`report coverage`: how much of the day each camera recorded, as a number."""

from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR
from tests.support.reported import table


def half_a_day(site):
    """Camera 1001 recorded twelve hours of a day that is over, 1002 nothing."""
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
    ]


def test_each_camera_and_day_is_listed(site, reported):
    day = half_a_day(site)
    report = reported(site).both("coverage", on=day, camera="1001")
    assert table(report, "cells") == [
        {
            "camera": "1001", "day": day, "recordings": 1, "duration": 12 * 3600,
            "complete": 0.5, "gaps": 0,
        }
    ]  # fmt: skip


def test_a_camera_of_the_police_is_not_asked_for_footage(site, reported):
    site.add(
        "camera.added", camera=3, id="A3", kind="anpr", custody="police", source="test"
    )
    report = reported(site).both("coverage", on=half_a_day(site))
    assert "A3" not in str(report.tables)


def test_of_a_day_that_goes_on_only_what_is_over_counts(site, reported):
    site.now = (site.now // DAY) * DAY + 6 * HOUR
    site.recorded(site.row(age=0, length=6 * HOUR))
    day = format_utc(site.now)[:10]
    (row,) = table(reported(site).both("coverage", on=day, camera="1001"), "by_camera")
    assert row["complete"] > 0.99
