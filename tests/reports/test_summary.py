"""`report summary`: what matters comes first, and what is wrong is not left out."""

from retention.model.values import DAY, MINUTE
from tests.support.reported import table


def said(report):
    return [(one.text, one.good) for one in report.verdict]


def test_a_site_without_fault_reads_so(site, reported):
    site.delete(site.row(age=28 * DAY + MINUTE))
    site.beat(0)
    found = said(reported(site).both("summary"))
    texts = [text for text, _ in found]
    assert texts[0].startswith(
        f"lawful and intact to entry {site.size - 1:,}, which is"
    )
    assert texts[1].startswith("0 overdue at ")
    assert texts[2] == "0 lost"
    assert "1 recording deleted from" in texts[3]
    wrong = [text for text, good in found if good is False]
    assert all(
        "of a camera" in one or "a camera had" in one or "of these cameras" in one
        for one in wrong
    )


def test_what_is_overdue_or_lost_is_said_with_its_number(site, reported):
    site.delete(site.row(), site.row(2), odd={1: "absent"})
    site.said("recordings.lost", (*site.row()[:6], 0, None), held=0)
    site.add(
        "heartbeat", recordings=3, overdue=3, held_cameras=0, holds=0,
        wall=site.now, boottime=1, synchronised=True,
    )  # fmt: skip
    found = dict(said(reported(site).both("summary")))
    assert found["2 lost"] is False
    overdue = {text: good for text, good in found.items() if "overdue at" in text}
    assert list(overdue.values()) == [False]
    assert next(iter(overdue)).startswith("3 overdue at ")


def test_what_a_check_of_the_log_found_comes_first(site, reported):
    site.add("alarm.raised", alarm="unlawful", scope="", detail="d", cameras=[])
    (text, good), *_ = said(reported(site).both("summary"))
    assert "unlawful stood" in text
    assert good is False


def test_whatever_another_report_finds_wrong_is_said_here_too(site, reported):
    site.delete(site.row(age=27 * DAY))
    site.add("guard.tripped", guard="clock", scope="", detail="d")
    site.beat(0)
    log = reported(site)
    found = said(log.both("summary"))
    for name in ("deletions", "compliance", "holds", "exceptions", "coverage"):
        wrong = [one for one in said(log.live(name)) if one[1] is False]
        assert set(wrong) <= set(found)
    assert any("EARLY" in text for text, _ in found)


def test_each_table_is_there_once(site, reported):
    report = reported(site).both("summary")
    names = [one.name for one in report.tables]
    assert len(set(names)) == len(names)
    assert {"by_day", "holds", "alarms", "cells"} <= set(names)
    assert table(report, "policies")
