"""Scenario 14: the retention period goes from 31 days to 28, and back.

Shorter is previewed and waits for a supervisor; what goes by it goes by the new policy's
version, and never what is held.  Longer protects at once what is still there.
"""

from retention.model.values import DAY
from tests.support.room import POLICE, there


def test_shorter_waits_for_a_second_person_and_longer_is_in_force_at_once(room, people):
    place = room("20/11/2026 09:00", days=31)
    old = place.film("1001", "21/10/2026 12:00", "21/10/2026 18:00")
    held = place.film("1002", "21/10/2026 12:00", "21/10/2026 13:00")
    young = place.film("1001", "24/10/2026 12:00", "24/10/2026 13:00")
    place.install()
    place.ask(
        people.olga, "hold", "place", "1002", "--from", "21/10/2026 12:00",
        "--to", "21/10/2026 13:00", *POLICE,
    )  # fmt: skip

    preview = place.ask(people.olga, "plan", "--retention", "28")["preview"]
    assert (preview["recordings"], preview["seconds"]) == (len(old), 6 * 3600)
    assert preview["bytes"] == sum(file.stat().st_size for file in old)

    place.stop_service()
    place.set_days(28)
    place.start_service()
    (proposal,) = place.ask(people.sue, "policy", "show")["proposals"]
    assert proposal["would_become_due"]["recordings"] == len(old)
    place.cycle()
    assert all(there(old + held + young))
    number = str(proposal["proposal"])
    for person in (people.olga, people.ada, people.root):
        assert place.by(person, "policy", "approve", number).status == 4
    before = place.ask(people.sue, "policy", "show")
    assert (before["days"], before["version"]) == (31, 1)

    place.ask(people.sue, "policy", "approve", number)
    place.wait_gone(old)
    place.cycle()
    assert all(there(held + young))
    after = place.ask(people.art, "policy", "show")
    assert (after["days"], after["version"]) == (28, 2)
    changed = place.entries("policy.changed")[-1]
    assert (changed["fields"]["version"], changed["fields"]["days"]) == (2, 28)
    assert changed["fields"]["proposal"] == proposal["proposal"]
    assert changed["actor"]["uid"] == people.sue.uid
    # By which policy each went shows in when it was due.
    assert place.periods_after(changed["index"]) == {28 * DAY}

    # The reverse, a day before the rest is due.
    place.stop_service()
    place.set_days(31)
    place.start_service()
    assert place.ask(people.sue, "policy", "show")["days"] == 31
    place.pass_until("23/11/2026 12:00")
    place.cycle()
    assert all(there(young))
    place.pass_until("24/11/2026 13:00")
    place.wait_gone(young)
    assert all(there(held))
    place.stop_service()
    assert place.verify().ok
