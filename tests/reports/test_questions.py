"""An auditor's questions, each answered by one report with the right value: of a log whose
truth is known, the same from the live log and from a published copy.

Twenty are asked in all; those that are not here yet wait for their reports.
"""

from typing import Any

import pytest

from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE
from tests.support.reported import BST_NIGHT, Council, Reported, table
from tests.support.story import ANNA, CARA, Row


class Year:
    """What happened, and what is true of it."""

    def __init__(self) -> None:
        self.site = site = Council()
        self.daily: dict[str, int] = {}
        self.rows: list[Row] = []
        for day in range(-20, 20):
            site.at(BST_NIGHT + day * DAY + 12 * HOUR)
            count = 3 + day % 4
            rows = [site.row(1 + n % 2, age=28 * DAY + MINUTE) for n in range(count)]
            site.delete(*rows)
            self.rows += rows
            self.daily[format_utc(site.now)[:10]] = count
        site.at(BST_NIGHT + 21 * DAY)
        self.tripped = site.add("guard.tripped", guard="clock", scope="", detail="d")
        site.now += 5 * HOUR
        site.add("guard.cleared", guard="clock", scope="", reason="r")
        self.late = site.delete(site.row(1, age=28 * DAY + 5 * HOUR))
        self.gone = site.row(2, age=35 * DAY, bytes=77)
        site.delete(self.gone)
        self.rows.append(self.gone)
        self.window = site.now - 36 * DAY, site.now - 34 * DAY
        site.place(*self.window, hold=1, camera=2)
        self.asked = site.ask(1, by=ANNA)
        self.agreed = site.release(self.asked, 1, by=CARA)
        site.place(site.now - DAY, site.now, hold=2, camera=1)
        site.now += 92 * DAY
        self.early = site.delete(site.row(1, age=27 * DAY))
        site.beat(0)


@pytest.fixture(scope="module")
def year():
    return Year()


@pytest.fixture(scope="module")
def log(year, tmp_path_factory):
    made = Reported(tmp_path_factory.mktemp("year") / "log", year.site.entries)
    yield made
    made.close()


def one(rows: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    (found,) = (row for row in rows if wanted.items() <= row.items())
    return found


def test_what_was_deleted_on_day_d_from_camera_c(year, log):
    for day, count in year.daily.items():
        report = log.both("deletions", on=day, camera="1001")
        assert one(table(report, "by_day"), day=day)["recordings"] == (count + 1) // 2


def test_and_why(log):
    report = log.both("deletions", on="2026-10-24", camera="1001")
    assert [(row["reason"], row["policy"]) for row in table(report, "by_reason")] == [
        ("period of 28 days over", 1)
    ]


def test_which_entry_and_row_prove_one_deletion(year, log):
    report = log.both("deletions", camera="1002", files=True)
    (found,) = (
        row
        for row in table(report, "files")
        if row["start"] == format_utc(year.gone[2])
    )
    record = log.entries[found["entry"]]
    assert record.rows is not None
    assert (found["row"], found["bytes"]) == (0, 77)


def test_was_anything_deleted_early(year, log):
    (found,) = table(log.both("deletions"), "early")
    assert (found["entry"], found["row"]) == (year.early, 0)


def test_was_anything_deleted_late_and_why(year, log):
    rows = table(log.both("deletions"), "late")
    found = one(rows, entry=year.late)
    assert found["why"].startswith(f"guard clock (entries {year.tripped} and ")
    assert 5 * 3600 <= found["lateness"] <= 5 * 3600 + 10


def test_how_much_was_deleted_between_two_days(year, log):
    days = [f"2026-10-{day}" for day in (20, 21, 22)]
    report = log.both("deletions", since=days[0], until="2026-10-23")
    total = report.tables[0].total
    assert total is not None
    assert total.cells[1] == sum(year.daily[day] for day in days)


def test_which_holds_were_there_and_who_released_them(year, log):
    rows = table(log.both("holds"), "holds")
    found = one(rows, hold=1)
    assert (
        found["placed_by"] == found["release_asked_by"] == f"{ANNA.uid} ({ANNA.role})"
    )
    assert found["released_by"] == f"{CARA.uid} ({CARA.role})"
    assert one(rows, hold=2)["state"] == "in force"


def test_which_reviews_are_overdue(log):
    rows = table(log.both("holds"), "holds")
    assert [row["hold"] for row in rows if row["review_overdue"] == "yes"] == [2]


def test_what_did_a_hold_come_too_late_for(year, log):
    since, until = year.window
    sizes = [
        row[5]
        for row in year.rows
        if row[0] == 2 and row[2] < until and since < row[2] + row[4]
    ]
    found = one(table(log.both("holds"), "footage"), hold=1)
    assert (found["too_late"], found["too_late_bytes"]) == (len(sizes), sum(sizes))
    assert len(sizes) > 1
