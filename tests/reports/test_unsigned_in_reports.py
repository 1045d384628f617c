"""What somebody put into a published directory without the key, and what came of it, is in no
report: each says which entries that are.  What it keeps counts."""

import pytest

from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.by_name import REPORTS
from tests.support.reported import BST_NIGHT, table
from tests.support.story import CARA

DAY_ASKED = format_utc(BST_NIGHT + 12 * HOUR)[:10]


@pytest.fixture
def forged(site):
    """A site at which one recording was deleted; then an intent of five that never were
    came back, which the service completes as withdrawn, and more of all kinds."""
    site.at(BST_NIGHT + 12 * HOUR)
    site.beat(0)
    site.delete(site.row())
    site.first = signed = site.size
    never = [site.row(age=n * MINUTE) for n in range(5)]
    site.never = never
    intent = site.intend(*never)
    site.said("recordings.lost", (*site.row(2)[:6], 0, None), held=0)
    site.add("guard.tripped", guard="clock", scope="", detail="d")
    site.add("alarm.raised", alarm="late", scope="nvr1", detail="d")
    site.add("policy.changed", by=CARA, version=2, days=1, cameras={})
    site.add("access.denied", by=CARA, verb="hold.release", count=1)
    site.place(site.now - 3 * DAY, site.now, hold=7, camera=2)
    site.end = site.size
    site.add(
        "catalogue.restored", old_size=signed, size=site.end, signed=signed, holds=1,
        recordings=0,
    )  # fmt: skip
    site.complete(intent, tuple(never), dict.fromkeys(range(5), "stopped"))
    site.now += DAY
    site.beat(0)
    return site


def asked(name):
    return (
        {"camera": "1001", "on": DAY_ASKED}
        if name in ("certificate", "coverage")
        else {}
    )


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_says_which_entries_came_back_unsigned(forged, reported, name):
    report = reported(forged).both(name, **asked(name))
    (said,) = (one for one in report.verdict if "came back under no" in one.text)
    assert said.text.startswith(f"entries {forged.first} to {forged.end - 1} came")


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_no_figure_rests_on_what_came_back_unsigned_but_for_a_hold(
    forged, reported, name
):
    report = reported(forged).both(name, **asked(name))
    hold = forged.end - 1
    named = {
        one.name: number
        for one in report.tables
        for row in [*one.rows, *([one.total] if one.total else [])]
        for first, last in row.entries
        if (number := first) == last and forged.first <= number < hold
    }
    assert named == {}


def test_recordings_that_only_such_an_intent_names_were_not_there_to_be_deleted(
    forged, reported
):
    log = reported(forged)
    total = table(log.both("deletions"), "by_day")
    assert [row["recordings"] for row in total] == [1]
    assert sum(row.get("stopped") or 0 for row in total) == 0
    assert table(log.both("exceptions"), "by_kind") == []
    certificate = log.both("certificate", **asked("certificate"))
    assert table(certificate, "recordings") == []


def test_a_hold_that_came_back_is_in_the_register(forged, reported):
    (hold,) = table(reported(forged).both("holds"), "holds")
    assert (hold["hold"], hold["state"]) == (7, "in force")


def test_a_guard_that_nobody_signed_excuses_no_deletion_that_was_late(forged, reported):
    forged.delete(forged.row(age=28 * DAY + 2 * HOUR))
    late = table(reported(forged).both("deletions"), "late")[-1]
    assert "guard" not in late["why"]


def test_where_nothing_came_back_nothing_is_said_of_it(site, reported):
    site.delete(site.row())
    report = reported(site).both("deletions")
    assert not any("came back" in one.text for one in report.verdict)


def test_of_one_entry_it_is_said_in_the_singular(site, reported):
    site.delete(site.row())
    signed = site.size
    site.add("access.denied", by=CARA, verb="hold.release", count=1)
    site.add(
        "catalogue.restored", old_size=signed, size=site.size, signed=signed, holds=0,
        recordings=0,
    )  # fmt: skip
    report = reported(site).both("deletions")
    (said,) = (one.text for one in report.verdict if "came back" in one.text)
    assert said.startswith(f"entry {signed} came back under no signed head")
    assert said.endswith("counts here")
