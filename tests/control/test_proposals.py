"""What keeps less waits for a supervisor, under a number that means one thing."""

import pytest

from retention.catalogue import cameras
from retention.catalogue.db import Priority
from retention.model.errors import RetentionError, StaleError, UsageError
from retention.model.values import DAY, Camera
from tests.support.site_ import NOW


def test_a_shorter_period_applies_once_approved_with_old_and_new_on_record(desk):
    desk.start(days=21)
    answer = desk.approve(1)
    assert (desk.current().version, desk.current().days) == (2, 21)
    (entry,) = desk.entries("policy.changed")
    fields = entry["fields"]
    assert (fields["old_days"], fields["days"], fields["proposal"]) == (28, 21, 1)
    assert (entry["actor"]["uid"], entry["actor"]["role"]) == (2001, "supervisor")
    assert answer["entry"] == entry["index"]
    assert answer["changes"] == [
        {"camera": None, "location": None, "days": 28, "proposed_days": 21}
    ]
    assert desk.proposals() == []


def test_an_approval_covers_every_camera_of_the_proposal(desk):
    desk.start(cameras={"1001": 60})
    desk.start(days=21)
    assert len(desk.show()["proposals"][0]["changes"]) == 2
    desk.approve(1)
    assert (desk.current().days, desk.days("1001")) == (21, 21)


def test_a_changed_proposal_gets_another_number(desk):
    desk.start(days=21)
    desk.start(days=14)
    assert desk.proposals() == [(2, "periods", "waiting")]
    assert desk.fields("policy.withdrawn") == [{"proposal": 1}]
    with pytest.raises(RetentionError, match="proposal 1 is not one that waits"):
        desk.approve(1)
    assert desk.current().days == 28


def test_numbers_are_never_used_twice(desk):
    for days, number in ((21, 1), (28, None), (21, 2), (14, 3), (21, 4)):
        desk.start(days=days)
        seen = [one for one, _, _ in desk.proposals()]
        assert seen == ([] if number is None else [number])


def test_what_changed_by_the_register_since_is_not_approved_under_the_old_number(desk):
    """No restart between: the camera under an override is another one now."""
    desk.start(cameras={"1001": 60})
    desk.start(days=21, cameras={"1001": 40})
    assert desk.proposals() == [(1, "periods", "waiting")]
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        cameras.relabel(tx, {desk.site.stream("1001").camera: "1001"}, {}, NOW + 1)
        cameras.insert(tx, Camera(0, "1001", "elsewhere"), NOW + 1)
    assert desk.proposals() == [(None, "periods", "waiting")]
    with pytest.raises(RetentionError, match="proposal 1 is not one that waits"):
        desk.approve(1)
    assert desk.current().days == 28
    assert desk.proposals() == [(2, "periods", "waiting")]


def test_a_rejected_proposal_stays_rejected_until_the_settings_change(desk):
    desk.start(days=21)
    desk.reject(1)
    desk.start(days=21)
    assert desk.proposals() == [(1, "periods", "rejected")]
    with pytest.raises(RetentionError, match="was rejected"):
        desk.approve(1)
    with pytest.raises(RetentionError, match="was rejected"):
        desk.reject(1)
    assert desk.current().days == 28
    desk.start(days=14)
    assert desk.proposals() == [(2, "periods", "waiting")]


def test_a_rejection_is_on_record_with_its_reason(desk):
    desk.start(days=21)
    desk.reject(1, " the auditor wants 28 ")
    (entry,) = desk.fields("policy.rejected")
    assert entry == {"proposal": 1, "reason": "the auditor wants 28"}


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 501, "bell \a"])
def test_a_rejection_needs_a_reason_that_can_go_on_record(desk, reason):
    desk.start(days=21)
    with pytest.raises(UsageError, match="reason"):
        desk.reject(1, reason)
    assert desk.proposals() == [(1, "periods", "waiting")]


def test_a_proposal_is_approved_once(desk):
    desk.start(days=21)
    desk.approve(1)
    with pytest.raises(RetentionError, match="policy show"):
        desk.approve(1)
    assert desk.current().version == 2


def test_a_longer_period_meanwhile_leaves_what_waits_its_number(desk):
    desk.start(days=21)
    desk.start(days=21, cameras={"1001": 60})
    assert desk.proposals() == [(1, "periods", "waiting")]
    desk.approve(1)
    assert (desk.current().days, desk.days("1001")) == (21, 60)


def test_approved_periods_that_make_too_much_due_still_wait_for_the_plan(desk):
    """The volume guard asks about the very recordings (design, section 10)."""
    site = desk.site
    files = [site.record("1001", NOW - 25 * DAY + n * 60_000_000) for n in range(300)]
    site.cycle()
    desk.start(days=21)
    desk.approve(1)
    assert "deletion approve 1" in site.cycle(NOW + 1).blocked
    assert all(file.exists() for file in files)


def test_what_changes_while_it_is_approved_is_not_approved(desk, monkeypatch):
    """Between the numbers and the approval a camera changed."""
    desk.start(cameras={"1001": 60})
    desk.start(days=21, cameras={"1001": 40})
    with desk.site.catalogue.write(Priority.SCAN) as tx:
        cameras.relabel(tx, {desk.site.stream("1001").camera: "1001"}, {}, NOW + 1)
    monkeypatch.setattr("retention.control.approvals._number", lambda context: None)
    with pytest.raises(StaleError, match="changed meanwhile"):
        desk.approve(1)
    assert desk.current().days == 28
