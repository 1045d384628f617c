"""Scenario 2: the nights on which the clocks change.

"Sat 23:00 to Sun 03:00" is five hours in October and three in March; "Sun 01:30" happens
twice in October and not at all in March, and is refused with what to write instead.
"""

import pytest

from retention.model.values import HOUR
from tests.support.room import POLICE


@pytest.mark.parametrize(
    ("now", "saturday", "sunday", "since", "until", "hours"),
    [
        ("26/10/2026 09:00", "24/10/2026", "25/10/2026",
         "2026-10-24T22:00:00Z", "2026-10-25T03:00:00Z", 5),
        ("29/03/2027 09:00", "27/03/2027", "28/03/2027",
         "2027-03-27T23:00:00Z", "2027-03-28T02:00:00Z", 3),
    ],
)  # fmt: skip
def test_saturday_23_to_sunday_3_is_five_hours_in_october_and_three_in_march(
    room, people, now, saturday, sunday, since, until, hours
):
    place = room(now)
    place.film("1001", f"{saturday} 20:00", f"{sunday} 06:00", HOUR)
    place.install()
    answer = place.ask(
        people.olga, "hold", "place", "1001", "--margin", "0",
        "--from", f"{saturday} 23:00", "--to", f"{sunday} 03:00", *POLICE,
    )  # fmt: skip
    assert answer["asked"] == {"since": since, "until": until}
    assert answer["total"]["recordings"] == hours
    assert answer["total"]["seconds"] == hours * 3600
    assert answer["all_preserved"]
    assert answer["total"]["surplus_seconds"] == 0


def test_half_past_one_happens_twice_in_october_and_either_can_be_meant(room, people):
    place = room("26/10/2026 09:00")
    place.film("1001", "24/10/2026 20:00", "25/10/2026 06:00", HOUR)
    place.install()
    words = ("hold", "place", "1001", "--to", "25/10/2026 03:00", *POLICE)
    said = place.by(people.olga, *words, "--from", "25/10/2026 01:30")
    assert said.status == 2, said
    assert "happens twice in Europe/London" in said.err
    first, second = "2026-10-25 01:30+01:00", "2026-10-25 01:30+00:00"
    assert f'"{first}"' in said.err
    assert f'"{second}"' in said.err
    assert place.ask(people.olga, "hold", "list", "--state", "all")["holds"] == []
    found = [
        place.ask(people.olga, *words, "--from", one)["asked"]["since"]
        for one in (first, second)
    ]
    assert found == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"]


def test_half_past_one_does_not_exist_in_march(room, people):
    place = room("29/03/2027 09:00")
    place.install()
    said = place.by(
        people.olga, "hold", "place", "1001",
        "--from", "28/03/2027 01:30", "--to", "28/03/2027 03:00", *POLICE,
    )  # fmt: skip
    assert said.status == 2, said
    assert "does not exist in Europe/London" in said.err
    assert "2027-03-28T00:30:00Z" in said.err
    assert "2027-03-28T01:30:00Z" in said.err
    assert place.entries("hold.placed") == []
