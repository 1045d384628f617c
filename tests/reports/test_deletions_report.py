"""`report deletions` against a log whose truth is known."""

from collections import Counter

import pytest

from retention.model.errors import UsageError, VerificationError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.tlog.tiles import row_path
from tests.support.publishing import OTHER_KEY, publish
from tests.support.reported import BST_NIGHT, table
from tests.support.story import CARA


def said(report) -> list[str]:
    return [one.text for one in report.verdict]


def test_each_deletion_counts_on_the_local_day_of_its_deletion_and_of_its_footage(
    site, reported
):
    truth: dict[str, Counter[str]] = {"day": Counter(), "footage": Counter()}
    for hour in range(0, 24 * 6, 5):
        site.at(BST_NIGHT - 3 * DAY + hour * HOUR)
        rows = [site.row(1), site.row(2, age=30 * DAY)]
        site.delete(*rows)
        truth["day"][
            format_utc(site.now + HOUR * (site.now < BST_NIGHT + 2 * HOUR))[:10]
        ] += 2
        for row in rows:
            truth["footage"][format_utc(row[2] + HOUR)[:10]] += 1
    report = reported(site).both("deletions")
    for what, counts in truth.items():
        rows = table(report, f"by_{what}")
        assert {row[what]: row["recordings"] for row in rows} == counts
        assert [row[what] for row in rows] == sorted(counts)


def test_a_day_of_a_camera_is_told_with_hours_and_bytes(site, reported):
    site.at(BST_NIGHT + 12 * HOUR)
    site.delete(site.row(1, bytes=7), site.row(1, bytes=5), site.row(2, bytes=100))
    site.at(BST_NIGHT + 40 * HOUR)
    site.delete(site.row(1, bytes=1000))
    log = reported(site)
    (row,) = table(log.both("deletions", on="2026-10-25", camera="1001"), "by_day")
    assert (row["day"], row["recordings"], row["duration"], row["bytes"]) == (
        "2026-10-25", 2, 120, 12,
    )  # fmt: skip
    for asked in ({"location": "high st"}, {"controller": "Oadby"}):
        (row,) = table(log.both("deletions", **asked), "by_camera")
        assert (row["camera"], row["recordings"]) == ("1002", 1)
    (row,) = table(log.both("deletions", controller="leicester"), "by_camera")
    assert row["camera"] == "1001"
    spoken = log.both("deletions", since="2026-10-26", until="2026-10-27")
    assert said(spoken)[0].startswith("1 recording deleted from 2026-10-26 to")


def test_what_nobody_asked_for_or_nobody_has_is_refused_in_one_sentence(site, reported):
    site.at(BST_NIGHT + DAY).beat(0)
    log = reported(site)
    for asked, why in (
        ({"camera": "9"}, "no camera is or was called '9'"),
        ({"location": "nowhere"}, "no camera of this log is meant"),
        ({"controller": "wigston"}, "no camera of this log is meant"),
        ({"until": "2026-10-25 12:00"}, "whole days of Europe/London"),
        ({"on": "2026-10-25", "until": "2026-10-26"}, "--on is one day"),
    ):
        with pytest.raises(UsageError, match=why):
            log.live("deletions", **asked)
        with pytest.raises(UsageError, match=why):
            log.copied("deletions", **asked)


def test_none_late_and_none_early_is_said_so(site, reported):
    site.delete(site.row(age=28 * DAY + 30 * MINUTE), site.row(age=28 * DAY + MINUTE))
    report = reported(site).both("deletions")
    assert [(one.text, one.good) for one in report.verdict[1:]] == [
        (
            "deleted on time: 100% of 2 recordings; the longest wait was 30 min 2 s",
            True,
        ),
        ("none was deleted early", True),
    ]
    (row,) = table(report, "by_day")
    assert (row["on_time"], row["median_lateness"]) == (1, 120)
    assert row["worst_lateness"] == 30 * 60 + 2
    assert table(report, "late") == table(report, "early") == []


def test_each_late_one_is_listed_with_what_stood_in_its_way(site, reported):
    tripped = site.add("guard.tripped", guard="clock", scope="", detail="d")
    site.now += 2 * HOUR
    cleared = site.add("guard.cleared", guard="clock", scope="", reason="r")
    intent = site.delete(
        site.row(age=28 * DAY + 90 * MINUTE), site.row(2, age=28 * DAY)
    )
    site.now += 40 * DAY
    lonely = site.delete(site.row(age=28 * DAY + 3 * HOUR))
    report = reported(site).both("deletions")
    worst, late = table(report, "late")
    assert (worst["entry"], worst["lateness"]) == (lonely, 3 * 3600 + 2)
    assert worst["why"].startswith("not known")
    assert (late["entry"], late["row"], late["camera"]) == (intent, 0, "1001")
    assert late["why"] == f"guard clock (entries {tripped} and {cleared})"
    assert [tripped, tripped] in report.tables[5].rows[1].entries
    assert "33.33% of 3 recordings, 2 LATE" in report.verdict[1].text
    assert report.verdict[1].good is False


def test_what_a_released_hold_kept_is_due_when_it_had_cooled_off(site, reported):
    site.place(site.now - 100 * DAY, site.now)
    site.release(site.ask())
    site.now += 7 * DAY
    site.delete(site.row(age=50 * DAY), site.row(2, age=50 * DAY))
    report = reported(site).both("deletions")
    (late,) = table(report, "late")
    assert late["camera"] == "1002"
    (row, _) = table(report, "by_camera")
    assert (row["camera"], row["on_time"]) == ("1001", 1)


def test_a_hold_that_came_later_changes_nothing_of_what_was_late(site, reported):
    site.delete(site.row(age=50 * DAY))
    (before,) = table(reported(site).both("deletions"), "late")
    site.place(site.now - 100 * DAY, site.now)
    site.release(site.ask())
    site.now += 30 * DAY
    site.beat(0)
    assert table(reported(site).both("deletions"), "late") == [before]


def test_an_early_deletion_is_named_with_its_entry_and_row(site, reported):
    site.delete(site.row())
    intent = site.delete(site.row(2), site.row(age=27 * DAY), site.row(2))
    report = reported(site).both("deletions")
    (early,) = table(report, "early")
    assert (early["entry"], early["row"], early["camera"]) == (intent, 1, "1001")
    assert (
        report.verdict[2].text,
        report.verdict[2].good,
    ) == ("1 recording deleted EARLY", False)


def test_a_period_of_its_own_and_a_doubt_are_reasons_of_their_own(site, reported):
    site.policy = site.add("policy.changed", version=2, days=28, cameras={"2": 31})
    site.policy = 2
    site.delete(
        site.row(1), site.row(2, age=32 * DAY), site.row(1, seen=site.now - 30 * DAY)
    )
    found = {
        row["reason"]: row["recordings"]
        for row in table(reported(site).both("deletions"), "by_reason")
    }
    doubt = "counted from when it was seen: its times were in doubt"
    assert found == {
        "period of 28 days over": 1,
        "period of 31 days over": 1,
        f"period of 28 days over, {doubt}": 1,
    }


def test_what_was_begun_and_not_deleted_is_counted_apart(site, reported):
    site.delete(
        *(site.row() for _ in range(4)),
        odd={0: "rescued", 1: "absent", 2: "absent_after_crash"},
    )
    report = reported(site).both("deletions")
    assert {row["outcome"]: row["recordings"] for row in table(report, "not_deleted")} == {
        "rescued": 1, "absent": 1,
    }  # fmt: skip
    (row,) = table(report, "by_day")
    assert row["recordings"] == 2


def test_what_is_being_deleted_as_the_log_ends_is_said(site, reported):
    site.delete(site.row())
    rows = (site.row(), site.row(2))
    intent = site.intend(*rows)
    log = reported(site)
    text = f"at the end of the log 2 files were being deleted (entries {intent})"
    assert text in said(log.both("deletions"))
    site.complete(intent, rows, {})
    log.sign(site.entries)
    assert "being deleted" not in str(log.both("deletions"))


def test_each_file_has_the_entry_and_the_row_that_prove_it(site, reported):
    intents = [site.delete(site.row(1), site.row(2)) for _ in range(3)]
    log = reported(site)
    rows = table(log.both("deletions", camera="1002", files=True), "files")
    assert [(row["entry"], row["row"]) for row in rows] == [(one, 1) for one in intents]
    assert rows[0]["deleted"] == format_utc(site.now - 4 * SECOND)


def test_only_what_is_signed_is_told(site, reported, tmp_path):
    site.delete(site.row())
    log = reported(site)
    site.delete(site.row())
    with log.catalogue.write(0) as tx:
        for one in site.entries[len(log.entries) :]:
            tx.exec_driver_sql(
                "INSERT INTO entry VALUES (?, ?, ?, ?)",
                (one.number, site.now, "deletion.intended", one.data),
            )
    assert table(log.both("deletions"), "by_day")[0]["recordings"] == 1


def test_a_copy_signed_by_somebody_else_is_refused(site, reported, tmp_path):
    log = reported(site)
    other = publish(tmp_path / "other", site.entries, key=OTHER_KEY)
    with pytest.raises(VerificationError):
        log.copied("deletions", other)


def test_a_copy_in_which_an_entry_was_altered_is_refused(site, reported):
    site.delete(site.row(bytes=12345))
    log = reported(site)
    log.copied("deletions")
    (bundle,) = (one for one in log.copy.glob("tile/entries/*.p/*"))
    data = bundle.read_bytes()
    assert b'"bytes":12345' in data
    bundle.write_bytes(data.replace(b'"bytes":12345', b'"bytes":12346'))
    for name in ("deletions", "holds"):
        with pytest.raises(
            VerificationError, match="other entries than its head signs"
        ):
            log.copied(name)


def test_rows_that_were_altered_are_told_in_the_verdict(site, reported):
    intent = site.delete(site.row())
    site.delete(site.row())
    log = reported(site)
    log.copy.joinpath(row_path(intent)).write_bytes(b"x")
    report = log.copied("deletions")
    assert report.verdict[-1].good is False
    assert f"entry {intent}" in report.verdict[-1].text
    assert sum(row["recordings"] for row in table(report, "by_day")) == 1


def test_nobody_is_named(site, reported):
    site.delete(site.row())
    site.place(0, 1)
    site.add("hold.reviewed", by=CARA, hold=1, review=1, old_review=0, reason="secret")
    assert "cara" not in str(reported(site).both("deletions"))


def test_figures_that_are_behind_go_on_where_they_ended(site, reported):
    log = reported(site)
    for _ in range(3):
        site.delete(site.row(), site.row(2))
        log.sign(site.entries)
        log.advanced()
        log.copied("deletions")
    intent = site.intend(row := site.row())
    log.sign(site.entries)
    assert table(log.both("deletions"), "by_day")[0]["recordings"] == 6
    site.complete(intent, (row,), {})
    log.sign(site.entries)
    assert sum(row["recordings"] for row in table(log.both("deletions"), "by_day")) == 7


def test_a_period_cut_short_by_its_own_word_is_early_by_the_policy(site, reported):
    row = site.row(age=27 * DAY, due=site.now - DAY)
    intent = site.delete(site.row(), row)
    (early,) = table(reported(site).both("deletions"), "early")
    assert (early["entry"], early["row"]) == (intent, 1)


def test_one_in_doubt_was_kept_by_any_hold_of_its_camera(site, reported):
    site.place(0, HOUR)
    site.release(site.ask())
    site.now += 7 * DAY
    seen = site.now - 40 * DAY
    site.delete(site.row(age=50 * DAY, seen=seen), site.row(age=50 * DAY))
    (late,) = table(reported(site).both("deletions"), "late")
    assert late["row"] == 1


def test_what_stood_in_another_root_stood_in_nobodys_way(site, reported):
    site.add("guard.tripped", guard="root", scope="nvr2", detail="d")
    site.now += 2 * HOUR
    site.delete(site.row(age=28 * DAY + 90 * MINUTE))
    (late,) = table(reported(site).both("deletions"), "late")
    assert late["why"].startswith("not known")


def test_each_thing_that_stood_in_the_way_is_named(site, reported):
    due = site.now
    site.add("service.stopped")
    site.now += 2 * HOUR
    site.add("service.started", pid=1, version="0", settings_digest="d")
    site.add("deletion.paused", until=site.now + HOUR, reason="r")
    site.add("alarm.raised", alarm="overdue", scope="nvr1", detail="d")
    site.add(
        "plan.proposed", plan=7, root="nvr1", cutoff=1, count=1, bytes=1, digest="d"
    )
    site.now += HOUR
    site.add("plan.approved", by=CARA, plan=7, digest="d")
    site.delete(site.row(age=28 * DAY + site.now - due))
    (late,) = table(reported(site).both("deletions"), "late")
    whys = [one.partition(" (")[0] for one in late["why"].split("; ")]
    assert whys == [
        "service down", "pause", "alarm overdue",
        "plan 7 waited for approval",
    ]  # fmt: skip


def test_a_pause_that_was_ended_early_stood_no_longer(site, reported):
    site.add("deletion.paused", until=site.now + 20 * HOUR, reason="r")
    site.now += HOUR
    site.add("deletion.resumed", by=CARA, reason="r")
    site.now += HOUR
    site.delete(site.row(age=28 * DAY + 30 * MINUTE), site.row(age=29 * DAY))
    (late,) = table(reported(site).both("deletions"), "late")
    assert late["why"].startswith("pause (entries ")
    site.delete(site.row(age=28 * DAY + 61 * MINUTE))
    site.now += 3 * HOUR
    site.delete(site.row(age=28 * DAY + 61 * MINUTE))
    last = table(reported(site).both("deletions"), "late")[-1]
    assert last["why"].startswith("not known")


def test_what_came_back_unsigned_counts_nothing(site, reported):
    site.delete(site.row())
    signed = site.size
    site.delete(site.row(2), site.row(2))
    site.add(
        "catalogue.restored", old_size=signed, size=site.size, signed=signed, holds=0,
        recordings=0,
    )  # fmt: skip
    (row,) = table(reported(site).both("deletions"), "by_day")
    assert row["recordings"] == 1
