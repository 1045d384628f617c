"""Scenario 5: police hold 21:00-23:30, an insurer 23:00-23:45.

Released by the police, what the insurer needs is kept, and the plan names whose it is.
"""

from tests.support.room import INSURER, POLICE, instant, there


def test_what_the_police_release_stays_where_the_insurer_needs_it(room, people):
    place = room("26/10/2026 09:00")
    files = place.film("1001", "24/10/2026 20:30", "25/10/2026 00:00")
    place.install()
    first, second = (
        place.ask(
            people.olga, "hold", "place", "1001", "--margin", "0",
            "--from", f"24/10/2026 {since}", "--to", f"24/10/2026 {until}", *who,
        )["hold"]
        for since, until, who in (
            ("21:00", "23:30", POLICE), ("23:00", "23:45", INSURER),
        )
    )  # fmt: skip
    place.pass_until("22/11/2026 09:00")
    place.wait_gone(files[:2] + files[13:])
    assert all(there(files[2:13]))
    (line,) = place.ask(people.olga, "plan")["blocked"]
    assert line["holds"] == [first, second]

    reason = ("--reason", "master handed over")
    place.ask(people.olga, "hold", "release", str(first), *reason)
    answer = place.ask(people.sue, "hold", "approve", str(first))
    place.pass_until(instant(answer["free_at"]))
    place.wait_gone(files[2:10])
    place.cycle()
    assert all(there(files[10:13]))
    (line,) = place.ask(people.olga, "plan")["blocked"]
    assert (line["camera"], line["holds"]) == ("1001", [second])
    assert line["recordings"] == 3
    (row,) = place.ask(people.olga, "hold", "list", "--camera", "1001")["holds"]
    assert (row["hold"], row["state"]) == (second, "active")
