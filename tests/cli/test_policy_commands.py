"""`retention policy` and `plan --retention`, as typed."""

import sqlite3
import time

import pytest

from retention.catalogue import db
from retention.catalogue.log import Log
from retention.control import periods
from retention.model.values import DAY, HOUR, MINUTE, SECOND, State
from retention.site.caller import caller
from retention.site.clock import read
from retention.site.settings import load


@pytest.fixture
def kept(site):
    """Three recordings of half an hour: 20, 25 and 27 days old."""
    site.ok("camera", "add", "1101", "--location", "Market Place")
    now = int(time.time()) * SECOND
    with sqlite3.connect(site.state / db.NAME) as raw:
        raw.execute(
            "INSERT INTO stream (key, root, camera, layout, zone, name, extension, "
            "max_length) VALUES (1, 1, 1, 'l', 'UTC', '1101', '.mp4', ?)",
            (HOUR,),
        )
        raw.execute("UPDATE root SET adopted=1, caught_up=2, scanned=?", (now,))
        raw.executemany(
            "INSERT INTO recording VALUES (1, ?, 0, ?, 1000000, ?)",
            [(now - n * DAY, 30 * MINUTE, State.PRESENT) for n in (20, 25, 27)],
        )
    raw.close()
    return site


def configure(site, old, new):
    """An administrator edits the configuration and starts the service again."""
    text = site.config.read_text()
    assert old in text
    site.config.write_text(text.replace(old, new))
    settings = load(site.config, {})
    catalogue = db.open_(site.state / db.NAME)
    log = Log(site="leicester", host="h", program="p")
    periods.apply(catalogue, log.by(caller(), read().wall), settings)
    catalogue.close()


def shorter(site, days=21):
    configure(site, "[retention]\n", f"[retention]\ndays = {days}\n")


def test_without_a_proposal_it_says_what_is_in_force(kept):
    text = kept.ok("policy", "show")
    assert "28 days (policy 1, in force since " in text
    assert "ONE PERSON ALONE" in text
    assert "one person with two accounts" in text
    assert text.rstrip().endswith("The configuration proposes nothing else.")


def test_a_proposal_is_shown_with_what_it_would_make_due_and_what_to_type(kept):
    shorter(kept)
    text = kept.ok("policy", "show")
    assert "Proposal 1: shorter periods, proposed " in text
    assert "all cameras: 21 days instead of 28" in text
    assert "It would make due: 2 recordings, 1.0 hours, 2.0 MB." in text
    assert "`retention policy approve 1`" in text
    assert "`retention policy reject 1 --reason" in text


def test_status_names_the_proposal_and_what_to_type(kept):
    shorter(kept)
    text = kept.run("status").out
    assert (
        "proposal 1 of the configuration (all cameras: 21 days instead of 28)" in text
    )
    assert "`retention policy approve 1`" in text


def test_an_approved_period_is_in_force(kept):
    shorter(kept)
    text = kept.ok("policy", "approve", "1")
    assert text.startswith("Proposal 1 is in force since ")
    assert "all cameras: 21 days instead of 28" in text
    assert kept.json("policy", "show")["days"] == 21
    assert kept.json("policy", "show")["proposals"] == []


def test_a_rejected_period_stays_so_and_status_says_it(kept):
    shorter(kept)
    text = kept.ok("policy", "reject", "1", "--reason", "28 were agreed")
    assert "Correct the configuration" in text
    assert "Proposal 1, REJECTED: shorter periods" in kept.ok("policy", "show")
    assert "Rejected: proposal 1" in kept.run("status").out
    done = kept.run("policy", "approve", "1")
    assert done.status == 1
    assert "until the configuration changes" in done.err


def test_a_weaker_rule_is_shown_as_one(kept):
    configure(kept, "[retention]\n", '[retention]\ncooling_off = "1d"\n')
    text = kept.ok("policy", "show")
    assert "Proposal 1: a weaker rule" in text
    assert "cooling_off: 1 day instead of 7 days" in text
    assert kept.json("policy", "show")["rules"]["cooling_off_seconds"] == 7 * 86_400
    kept.ok("policy", "approve", "1")
    assert kept.json("policy", "show")["rules"]["cooling_off_seconds"] == 86_400


def test_the_plan_previews_a_shorter_period(kept):
    text = kept.ok("plan", "--retention", "21")
    assert (
        "With 21 days instead of 28, also due: 2 recordings, 1.0 hours, 2.0 MB." in text
    )
    assert "Market Place" in text
    assert kept.json("plan", "--retention", "21")["preview"]["recordings"] == 2


def test_the_plan_previews_a_longer_period_as_nothing(kept):
    assert "With 60 days nothing more would be due" in kept.ok(
        "plan", "--retention", "60"
    )


@pytest.mark.parametrize("days", ["0", "-3", "three"])
def test_a_preview_of_no_period_is_wrong_usage(kept, days):
    assert kept.run("plan", "--retention", days).status == 2


def test_a_proposal_that_never_was_is_refused_with_what_to_type(kept):
    done = kept.run("policy", "approve", "7")
    assert done.status == 1
    assert "`retention policy show`" in done.err


def test_a_rejection_without_a_reason_is_wrong_usage(kept):
    assert kept.run("policy", "reject", "1").status == 2


def test_json_of_the_policy_keeps_its_shape(kept):
    shorter(kept)
    answer = kept.json("policy", "show")
    assert {
        "version", "since", "days", "cameras", "rules", "proposals", "approvers",
        "overrides_of_unknown_cameras",
    } <= set(answer)  # fmt: skip
    assert {
        "proposal", "state", "proposed", "subject", "changes", "would_become_due",
    } <= set(answer["proposals"][0])  # fmt: skip


def test_check_says_what_is_not_applied_and_what_to_type(kept):
    shorter(kept)
    configure(kept, "[retention]\n", '[retention]\ncooling_off = "1d"\n')
    kept.ok("policy", "reject", "2", "--reason", "7 days were agreed")
    text = kept.run("check").out
    assert "21 days for all cameras, shorter than the 28 in force, and is not" in text
    assert "`retention policy approve 1`" in text
    assert "cooling_off = 1 day, weaker than the 7 days in force, and was" in text
