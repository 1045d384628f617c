"""`report holds --open`: people's details, checked against what the log is committed to, and
on record."""

from retention.catalogue.db import Priority
from retention.catalogue.entries import listing
from retention.reports.report import report_holds_open
from retention.tlog.canonical import base64url, from_base64url
from tests.support.reported import AUDITOR, table
from tests.support.story import ANNA

WORDS = "PC 4711, her own words"


def placed(site) -> int:
    return site.add(
        "hold.placed", by=ANNA, hold=1, kind="police", cameras=[1], since=0,
        until=site.now, review=site.now + 90, margin=0, reason=WORDS, officer="4711",
    )  # fmt: skip


def test_each_detail_is_told_with_its_entry(site, reported):
    number = placed(site)
    found = report_holds_open(reported(site).context())
    rows = table(found.report, "details")
    assert {row["entry"] for row in rows} == {number}
    assert {row["field"]: row["value"] for row in rows} == {
        "name": "anna", "officer": "4711", "reason": WORDS,
    }  # fmt: skip


def test_it_is_on_record_who_was_shown_which(site, reported):
    placed(site)
    log = reported(site)
    found = report_holds_open(log.context())
    with log.catalogue.read() as tx:
        (entry,) = listing(tx, kind="details.opened")
    assert entry["index"] == found.entry
    assert entry["fields"] == {"report": "holds", "holds": [1], "count": 1}
    assert (entry["actor"]["uid"], entry["actor"]["role"]) == (
        AUDITOR.uid, "auditor",
    )  # fmt: skip


def test_without_asking_for_it_nobody_is_named(site, reported):
    placed(site)
    assert WORDS not in str(reported(site).both("holds"))


def test_a_detail_that_was_altered_is_not_shown_and_the_verdict_says_so(site, reported):
    number = placed(site)
    other = placed(site)
    log = reported(site)
    with log.catalogue.write(Priority.HOLD) as tx:
        text = tx.exec_driver_sql(
            "SELECT text FROM disclosure WHERE entry = ? AND field = 'reason'",
            (number,),
        ).scalar()
        plain = from_base64url(text).decode()
        changed = base64url(plain.replace(WORDS, "nothing much").encode())
        assert changed != text
        # Replaced as whoever has the file could, past the trigger against accidents.
        tx.exec_driver_sql(
            "DELETE FROM disclosure WHERE entry = ? AND field = 'reason'", (number,)
        )
        tx.exec_driver_sql(
            "INSERT INTO disclosure VALUES (?, 'reason', ?)",
            (number, changed),
        )
    found = report_holds_open(log.context()).report
    assert {row["entry"] for row in table(found, "details")} == {other}
    assert (f"audit entry {number}" in found.verdict[-1].text, found.verdict[-1].good) == (
        True, False,
    )  # fmt: skip


def test_what_was_erased_is_left_out(site, reported):
    placed(site)
    log = reported(site)
    with log.catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql("DELETE FROM disclosure")
    found = report_holds_open(log.context()).report
    assert table(found, "details") == []
