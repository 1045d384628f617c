"""`report holds` against a log whose truth is known."""

from dataclasses import replace

from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE
from retention.tlog.lawful.releases import UNSET_LOGIN
from tests.support.reported import table
from tests.support.story import ANNA, BEN, CARA


def said(report) -> list[tuple[str, bool | None]]:
    return [(one.text, one.good) for one in report.verdict]


def test_the_register_says_who_did_what_by_uid_and_role(site, reported):
    window = site.now - 3 * DAY, site.now - 2 * DAY
    placed = site.place(*window)
    site.add(
        "hold.reviewed", by=BEN, hold=1, review=site.now + 9 * DAY, old_review=0,
        reason="r",
    )  # fmt: skip
    asked = site.ask(by=ANNA)
    agreed = site.release(asked, by=CARA)
    report = reported(site).both("holds")
    (row,) = table(report, "holds")
    shown = {
        "hold": 1, "kind": "court", "cameras": "1001", "state": "cooling off",
        "since": format_utc(window[0]), "until": format_utc(window[1]),
        "placed_by": "1001 (operator)", "reviewed_by": "1002 (supervisor)",
        "review_overdue": "no", "release_asked_by": "1001 (operator)",
        "released_by": "1003 (supervisor)",
    }  # fmt: skip
    assert {name: row[name] for name in shown} == shown
    acts = [(one["entry"], one["what"], one["who"]) for one in table(report, "acts")]
    assert acts == [
        (placed, "placed", "1001 (operator)"),
        (placed + 1, "reviewed", "1002 (supervisor)"),
        (asked, "release requested", "1001 (operator)"),
        (agreed, "released", "1003 (supervisor)"),
    ]
    assert report.tables[0].rows[0].entries == [[placed, agreed]]
    assert said(report) == [
        ("1 hold: 0 in force, 1 cooling off, 0 released", None),
        ("no review is overdue", True),
    ]


def test_each_state_that_a_hold_can_be_in(site, reported):
    for hold in (1, 2, 3, 4):
        site.place(0, site.now, hold=hold)
    site.ask(2)
    site.release(site.ask(3), 3)
    site.release(site.ask(4), 4)
    site.now += 8 * DAY
    site.add("hold.cooled", hold=4)
    site.add("hold.reinstated", by=CARA, hold=3, free_at=site.now, reason="r")
    states = [row["state"] for row in table(reported(site).both("holds"), "holds")]
    assert states == [
        "in force", "in force, release asked for", "in force", "released",
    ]  # fmt: skip


def test_a_review_that_is_overdue_is_in_the_verdict(site, reported):
    site.place(0, site.now)
    site.now += 91 * DAY
    site.beat(0)
    report = reported(site).both("holds")
    assert said(report)[1] == ("1 overdue for review: 1", False)
    assert table(report, "holds")[0]["review_overdue"] == "yes"


def test_a_release_by_one_person_is_told(site, reported):
    site.place(0, site.now)
    site.release(None)
    site.place(0, site.now, hold=2)
    site.release(site.ask(2), 2)
    site.place(0, site.now, hold=3)
    site.release(site.ask(3, by=BEN), 3, by=BEN)
    site.place(0, site.now, hold=4)
    same_login = replace(BEN, login=ANNA.login)
    site.release(site.ask(4, by=ANNA), 4, by=same_login)
    assert ("3 released by one person: 1, 3, 4", None) in said(
        reported(site).both("holds")
    )


def test_two_accounts_whose_logins_nobody_knows_are_not_told_as_one_person(
    site, reported
):
    """As on every machine without systemd."""
    anna, ben = (replace(one, login=UNSET_LOGIN) for one in (ANNA, BEN))
    site.place(0, site.now)
    site.release(site.ask(by=anna), by=ben)
    assert not any(
        "one person" in text for text, _ in said(reported(site).both("holds"))
    )


def test_what_a_hold_came_too_late_for_and_what_it_lost(site, reported):
    window = site.now - 32 * DAY, site.now - 28 * DAY
    gone = site.row(age=30 * DAY, bytes=7)
    reaching = site.row(age=32 * DAY - 20 * MINUTE, length=HOUR, bytes=5)
    site.delete(gone, reaching, site.row(2, age=30 * DAY), site.row(age=33 * DAY))
    site.place(*window)
    kept = site.row(age=29 * DAY, bytes=11)
    lost = site.row(age=29 * DAY + HOUR, bytes=13)
    site.said(
        "recordings.lost",
        (*lost[:6], 1, None),
        (*site.row(2, age=29 * DAY)[:6], 0, None),
        held=1,
    )
    site.release(site.ask())
    site.now += 7 * DAY
    site.delete(kept)
    report = reported(site).both("holds")
    (row,) = table(report, "footage")
    shown = {
        "too_late": 2, "too_late_duration": 61 * 60, "too_late_bytes": 12,
        "deleted_since": 1, "deleted_since_bytes": 11, "surplus": 0,
        "lost": 1, "lost_bytes": 13,
    }  # fmt: skip
    assert {name: row[name] for name in shown} == shown
    assert ("hold 1 LOST 1 of its recordings", False) in said(report)


def test_a_hold_came_too_late_for_what_had_vanished(site, reported):
    """By itself or by somebody's hand: it is gone all the same."""
    lost = site.row(age=29 * DAY, bytes=13)
    site.said("recordings.lost", (*lost[:6], 0, None), held=0)
    site.now += DAY
    site.place(site.now - 32 * DAY, site.now - 28 * DAY)
    (row,) = table(reported(site).both("holds"), "footage")
    assert (row["too_late"], row["too_late_bytes"], row["lost"]) == (1, 13, 0)


def test_an_extension_came_too_late_for_what_was_gone_when_it_was_made(site, reported):
    """Placed in time on another camera and a shorter stretch, it kept none of these."""
    edge = site.now - 29 * DAY
    site.place(edge, edge + HOUR)
    lost = site.row(age=29 * DAY - 3 * HOUR)
    site.said("recordings.lost", (*lost[:6], 0, None), held=0)
    site.delete(site.row(age=29 * DAY - 4 * HOUR), site.row(2, age=29 * DAY))
    site.add(
        "hold.extended", by=ANNA, hold=1, since=edge, until=edge + 6 * HOUR,
        cameras=[2], review=0, old_since=0, old_until=0, old_review=0,
    )  # fmt: skip
    report = reported(site).both("holds")
    (row,) = table(report, "footage")
    assert (row["too_late"], row["deleted_since"], row["lost"]) == (3, 0, 0)
    assert not any("LOST" in text for text, _ in said(report))


def test_surplus_is_what_lies_outside_the_window(site, reported):
    edge = site.now - 29 * DAY
    site.place(edge - HOUR, edge)
    site.release(site.ask(), free_at=site.now + 2_000_000)
    site.now += DAY
    age = site.now - edge - 10 * MINUTE
    site.delete(site.row(age=age, length=HOUR))
    (row,) = table(reported(site).both("holds"), "footage")
    assert (row["deleted_since"], row["surplus"]) == (1, 10 * 60)


def test_holds_are_asked_for_by_camera_and_by_when_they_stood(site, reported):
    site.place(0, site.now)
    site.release(site.ask())
    site.now += 30 * DAY
    site.place(0, site.now, hold=2, camera=2)
    log = reported(site)
    after = format_utc(site.now - 10 * DAY)

    def numbers(**asked):
        return [row["hold"] for row in table(log.both("holds", **asked), "holds")]

    assert numbers() == [1, 2]
    assert numbers(camera="1002") == [2]
    assert numbers(since=after) == [2]
    assert numbers(until=after) == [1]
    assert numbers(since=after, camera="1001") == []


def test_a_hold_that_was_extended_covers_what_it_came_to_cover(site, reported):
    site.place(site.now - DAY, site.now)
    site.add(
        "hold.extended", by=BEN, hold=1, cameras=[2], since=site.now - 2 * DAY,
        until=site.now, review=site.now + DAY, old_since=0, old_until=0, old_review=0,
    )  # fmt: skip
    (row,) = table(reported(site).both("holds"), "holds")
    assert row["cameras"] == "1001 1002"
    assert row["since"] == format_utc(site.now - 2 * DAY - 1_000_000)
