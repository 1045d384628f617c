"""What a shorter period would make due, before anybody decides."""

import pytest

from retention.model import codec
from retention.model.errors import UsageError
from retention.model.values import DAY, HOUR, MINUTE
from retention.reports.plan import plan
from tests.support.site_ import NOW

EMPTY = {"recordings": 0, "seconds": 0, "bytes": 0, "cameras": []}


def preview(desk, days):
    return codec.to_json(plan(desk.context, retention=days).preview)


def test_a_preview_counts_what_is_between_the_two_periods(desk):
    desk.site.record("1001", NOW - 20 * DAY)
    desk.site.record("1001", NOW - 22 * DAY, length=HOUR, size=70)
    desk.site.record("1001", NOW - 27 * DAY, length=MINUTE, size=5)
    desk.site.record("1001", NOW - 30 * DAY)  # due already
    assert preview(desk, 21) == {
        "days": 21,
        "recordings": 2,
        "seconds": 3660,
        "bytes": 75,
        "cameras": [
            {
                "camera": "1001", "location": "at 1001", "days": 28,
                "proposed_days": 21, "recordings": 2, "seconds": 3660, "bytes": 75,
            }
        ],
    }  # fmt: skip


def test_a_recording_at_the_edge_is_counted_to_the_microsecond(desk):
    desk.site.record("1001", NOW - 21 * DAY - MINUTE)  # ends 21 days ago
    assert preview(desk, 21)["recordings"] == 1
    desk.now -= 1
    assert preview(desk, 21)["recordings"] == 0


def test_a_preview_leaves_out_what_a_hold_keeps(desk):
    desk.site.record("1001", NOW - 25 * DAY)
    desk.site.record("1001", NOW - 24 * DAY)
    desk.site.hold("1001", NOW - 25 * DAY, NOW - 24 * DAY)
    assert preview(desk, 21)["recordings"] == 1


def test_cameras_with_a_period_of_their_own_are_not_in_the_preview(desk):
    desk.start(cameras={"1001": 60})
    desk.site.record("1001", NOW - 25 * DAY)
    desk.site.record("1002", NOW - 25 * DAY)
    assert [one["camera"] for one in preview(desk, 21)["cameras"]] == ["1002"]


def test_a_longer_period_makes_nothing_due(desk):
    desk.site.record("1001", NOW - 25 * DAY)
    assert preview(desk, 28) == {"days": 28, **EMPTY}


def test_a_preview_changes_nothing(desk):
    file = desk.site.record("1001", NOW - 25 * DAY)
    preview(desk, 21)
    desk.site.cycle()
    assert (desk.current().days, file.exists()) == (28, True)


@pytest.mark.parametrize("days", [0, -1, 3651])
def test_a_period_that_no_setting_could_say_is_refused(desk, days):
    with pytest.raises(UsageError, match="1 to 3650"):
        preview(desk, days)


def test_a_plan_without_the_question_has_no_preview(desk):
    assert plan(desk.context).preview is None


def test_a_proposal_is_shown_with_what_it_would_make_due(desk):
    desk.start(cameras={"1001": 60})
    desk.site.record("1001", NOW - 25 * DAY)
    desk.site.record("1001", NOW - 50 * DAY)
    desk.site.record("1002", NOW - 25 * DAY)
    desk.start(days=21)
    (one,) = desk.show()["proposals"]
    found = one["would_become_due"]
    assert (found["recordings"], len(found["cameras"])) == (3, 2)
    assert one["changes"] == [
        {"camera": None, "location": None, "days": 28, "proposed_days": 21},
        {
            "camera": "1001", "location": "at 1001", "days": 60, "proposed_days": 21,
        },
    ]  # fmt: skip
