"""Scenario 6: two people release, and for a week a supervisor can take it back."""

from tests.support.room import POLICE, there


def test_the_same_person_is_refused_another_approves_and_within_a_week_it_is_undone(
    room, people
):
    place = room("26/10/2026 09:00")
    files = place.film("1001", "24/10/2026 21:00", "24/10/2026 22:00")
    place.install()
    number = str(
        place.ask(
            people.both, "hold", "place", "1001",
            "--from", "24/10/2026 21:00", "--to", "24/10/2026 22:00", *POLICE,
        )["hold"]
    )  # fmt: skip
    place.pass_until("22/11/2026 09:00")
    place.cycle()
    reason = ("--reason", "no charge")
    waiting = place.ask(people.both, "hold", "release", number, *reason)
    assert waiting["approvers"] == sorted([people.sue.name, people.sid.name])

    # Himself, also as another user by sudo: the login is his.
    for said in (
        place.by(people.both, "hold", "approve", number),
        place.by(people.sue, "hold", "approve", number, login=people.both.uid),
        place.by(people.root, "hold", "approve", number, login=people.sue.uid),
    ):
        assert said.status == 4, said
    denied = place.entries("access.denied")
    assert [one["actor"]["uid"] for one in denied] == [
        people.both.uid, people.sue.uid, 0
    ]  # fmt: skip

    answer = place.ask(people.sue, "hold", "approve", number)
    assert answer["state"] == "cooling off"
    place.pass_until("29/11/2026 08:30")  # a week but for half an hour
    place.cycle()
    assert all(there(files))
    refused = place.by(people.olga, "hold", "reinstate", number, *reason)
    assert refused.status == 4, refused
    again = place.ask(
        people.sid, "hold", "reinstate", number, "--reason", "new evidence"
    )
    assert again["total"]["recordings"] == len(files)
    assert again["all_preserved"]
    place.pass_until("24/12/2026 09:00")
    place.cycle()
    assert all(there(files))
    shown = place.ask(people.art, "hold", "show", number)
    assert shown["state"] == "active"
    assert [one["kind"] for one in shown["history"]] == [
        "hold.placed", "hold.release_requested", "hold.released", "hold.reinstated",
    ]  # fmt: skip
    assert [one["by"] for one in shown["history"]] == [
        one.name for one in (people.both, people.both, people.sue, people.sid)
    ]
