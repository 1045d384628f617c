"""Scenario 1: on Mon 26 Oct 2026 police ask for two cameras, last Saturday 21:00-23:30.

Saturday was summer time, Monday is not: the interval is 20:00Z-22:30Z, and a tool that
takes today's offset keeps the wrong hours.
"""

from tests.support.room import POLICE, there


def test_the_held_files_of_both_cameras_stay_and_those_of_a_third_go(room, people):
    place = room("26/10/2026 09:00")
    files = {
        camera: place.film(camera, "2026-10-24 19:30Z", "2026-10-24 23:00Z")
        for camera in ("1001", "1002", "1003")
    }
    place.install()
    answer = place.ask(
        people.olga, "hold", "place", "1001", "1002",
        "--from", "Sat 24 Oct 2026 21:00", "--to", "24/10/2026 23:30", *POLICE,
    )  # fmt: skip
    assert answer["asked"] == {
        "since": "2026-10-24T20:00:00Z",
        "until": "2026-10-24T22:30:00Z",
    }
    # 15 minutes each from 19:30: those that the margin of 5 minutes meets are the
    # second (19:45) to the thirteenth (22:30).
    held = {camera: files[camera][1:13] for camera in ("1001", "1002")}
    for one in answer["cameras"]:
        assert one["protected"]["recordings"] == len(held[one["camera"]]) == 12
        assert one["protected"]["seconds"] == 2.5 * 3600
        assert one["surplus_seconds"] == 30 * 60
        assert not one["deleted"] + one["lost"] + one["not_known"] + one["pending"]
    assert [one["location"] for one in answer["cameras"]] == ["Market Place", "Station"]
    assert answer["total"]["surplus_seconds"] == 60 * 60
    assert answer["all_preserved"]
    # On that cycle: the last that was asked for ended at 22:30Z, 28 days before.
    place.pass_until("2026-11-21 22:30Z")
    place.wait_gone(files["1003"][:12])
    place.cycle()
    for camera, kept in held.items():
        assert there(kept) == [True] * 12
        assert not files[camera][0].exists()
    place.pass_until("2026-11-21 23:01Z")
    place.wait_gone(files["1003"])
    assert all(there(held["1001"] + held["1002"]))
    assert not any(file.exists() for file in files["1001"][13:])
    assert place.verify().ok


def test_the_hold_is_shown_in_the_time_of_that_saturday(room, people):
    place = room("26/10/2026 09:00")
    place.install()
    said = place.by(
        people.olga, "hold", "place", "1001",
        "--from", "24/10/2026 21:00", "--to", "24/10/2026 23:30", *POLICE,
    )  # fmt: skip
    assert said.status == 7, said  # nothing was filmed
    assert "Sat 24 Oct 2026 21:00:00 +01:00 (2026-10-24T20:00:00Z)" in said.out
    assert "Sat 24 Oct 2026 23:30:00 +01:00 (2026-10-24T22:30:00Z)" in said.out
