"""Scenario 7: a hold whose review date has passed is pointed out, and never released."""

from tests.support.room import POLICE, there


def test_past_its_review_a_hold_is_in_force_until_somebody_rules(room, people):
    place = room("26/10/2026 09:00")
    files = place.film("1001", "24/10/2026 21:00", "24/10/2026 22:00")
    place.install()
    answer = place.ask(
        people.olga, "hold", "place", "1001",
        "--from", "24/10/2026 21:00", "--to", "24/10/2026 22:00", *POLICE,
    )  # fmt: skip
    number = str(answer["hold"])
    assert answer["review"].startswith("2027-01-24T09:0")  # 90 days

    place.pass_until("24/01/2027 08:30")
    assert place.ask(people.olga, "hold", "list", "--state", "review")["holds"] == []
    place.pass_until("01/03/2027 09:00")
    place.cycle()
    assert all(there(files))
    (row,) = place.ask(people.olga, "hold", "list", "--state", "review")["holds"]
    assert (row["hold"], row["state"]) == (answer["hold"], "active")
    assert place.ask(people.olga, "status")["holds"]["review_due"] == 1
    said = place.by(people.olga, "hold", "list").out
    assert "review" in said.lower()

    # Ruling takes a reason; a date that is too far is none.
    assert place.by(people.olga, "hold", "review", number).status == 2
    far = ("--reason", "trial", "--review", "02/03/2028 12:00")
    assert place.by(people.olga, "hold", "review", number, *far).status == 2
    kept = place.ask(people.olga, "hold", "review", number, "--reason", "trial in May")
    assert kept["review"].startswith("2027-05-30T")
    assert place.ask(people.olga, "hold", "list", "--state", "review")["holds"] == []
    assert place.ask(people.olga, "status")["holds"]["review_due"] == 0
    place.cycle()
    assert all(there(files))
    assert place.entries("hold.released") == []
