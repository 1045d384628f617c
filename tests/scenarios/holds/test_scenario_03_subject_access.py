"""Scenario 3: a subject access request on day 27, at 16:50; the footage is due next
morning.

Held with a margin of an hour, skipped by the cycle, released when it is fulfilled, cooled
off, and deleted in the first cycle after: a hold gives nothing a new 28 days.
"""

from retention.model.values import HOUR, MINUTE
from tests.support.room import instant, there

SAR = (
    "--kind", "sar", "--received", "today 16:45", "--reference", "SAR 2026/41",
    "--reason", "subject access request", "--margin", "60m",
)  # fmt: skip


def test_held_on_day_27_and_deleted_in_the_first_cycle_after_its_cooling_off(
    room, people
):
    place = room("27/10/2026 16:50")
    files = place.film("1001", "2026-09-30 06:00Z", "2026-09-30 12:00Z")
    place.install()
    answer = place.ask(
        people.olga, "hold", "place", "1001",
        "--from", "2026-09-30 08:30Z", "--to", "2026-09-30 09:30Z", *SAR,
    )  # fmt: skip
    assert answer["since"] == "2026-09-30T07:30:00Z"
    assert answer["until"] == "2026-09-30T10:30:00Z"
    held, others = files[6:18], files[:6] + files[18:]
    assert answer["total"]["recordings"] == len(held)
    assert answer["total"]["seconds"] == 3600
    assert answer["total"]["surplus_seconds"] == 2 * 3600
    (row,) = place.ask(people.olga, "hold", "list", "--kind", "sar")["holds"]
    assert row["received"] == "2026-10-27T16:45:00Z"

    # Next day all of it has been due for hours.
    place.pass_until("28/10/2026 15:00")
    place.wait_gone(others)
    place.cycle()
    assert all(there(held))
    plan = place.ask(people.olga, "plan")
    assert plan["due"] == []
    assert [(one["recordings"], one["holds"]) for one in plan["blocked"]] == [
        (len(held), [answer["hold"]])
    ]

    # Fulfilled three weeks later; two people, and a week.
    place.pass_until("17/11/2026 10:00")
    number = str(answer["hold"])
    place.ask(people.olga, "hold", "release", number, "--reason", "copy handed over")
    free_at = instant(place.ask(people.sue, "hold", "approve", number)["free_at"])
    assert abs(free_at - instant("24/11/2026 10:00")) < MINUTE
    place.pass_until(free_at - HOUR)
    place.cycle()
    assert all(there(held))
    place.pass_until(free_at)
    place.wait_gone(held)
    done = place.entries("recordings.deleted")[-1]
    assert 0 <= done["at"] - free_at < MINUTE
    assert len(place.entries("hold.cooled")) == 1
    place.stop_service()
    assert place.verify().ok
