"""What else a control room meets: a camera renumbered under a hold, all 104 cameras for
six hours, the next two hours, a camera whose data is the police's, and the question that
it all began with, under the Freedom of Information Act.
"""

from retention.model.values import DAY, HOUR, MINUTE
from tests.support.room import POLICE, instant, there


def test_a_camera_renumbered_under_a_hold_stays_held_under_both_ids(room, people):
    """What it recorded before, and what it records in a folder of its new id."""
    place = room("26/10/2026 09:00")
    old = place.film("1003", "26/10/2026 07:00", "26/10/2026 08:00")
    other = place.film("1002", "26/10/2026 07:00", "26/10/2026 08:00")
    place.install()
    number = place.ask(
        people.olga, "hold", "place", "1003", "--from", "26/10/2026 07:00",
        "--until-released", *POLICE, status=7,  # nothing was seen since eight
    )["hold"]  # fmt: skip
    done = place.ask(people.ada, "camera", "renumber", "1003", "2003")
    assert [one["holds"] for one in done["renumbered"]] == [[number]]
    (alarm,) = place.ask(people.olga, "status")["cameras_under_hold"]
    assert (alarm["camera"], alarm["holds"]) == ("2003", [number])
    assert len(place.entries("camera.under_hold")) == 1
    for id_ in ("1003", "2003"):
        (row,) = place.ask(people.olga, "hold", "list", "--camera", id_)["holds"]
        assert [one["camera"] for one in row["cameras"]] == ["2003"]

    place.pass_until("26/10/2026 12:00")
    new = place.film("2003", "26/10/2026 10:00", "26/10/2026 11:00")
    place.cycle()
    place.pass_until(instant("26/10/2026 12:00") + 28 * DAY)
    place.wait_gone(other)
    place.cycle()
    assert all(there(old + new))

    reason = ("--reason", "the same camera, now 2003")
    place.ask(people.olga, "hold", "review", str(number), *reason)
    assert place.ask(people.olga, "status")["cameras_under_hold"] == []


def test_a_coroner_has_104_cameras_kept_for_six_hours_in_one_command(room, people):
    ids = [str(number) for number in range(1001, 1105)]
    cameras = "id,location\n" + "".join(f"{id_},Street {id_}\n" for id_ in ids)
    place = room("26/10/2026 09:00", cameras=cameras)
    files = [
        file
        for id_ in ids
        for file in place.film(id_, "25/10/2026 13:00", "25/10/2026 21:00", HOUR)
    ]
    place.install()
    answer = place.ask(
        people.olga, "hold", "place", "1*", "--margin", "0",
        "--from", "25/10/2026 14:00", "--to", "25/10/2026 20:00",
        "--kind", "preservation", "--reference", "Coroner 5/26", "--reason", "inquest",
    )  # fmt: skip
    assert [one["camera"] for one in answer["cameras"]] == ids
    assert answer["total"]["recordings"] == 104 * 6
    assert answer["total"]["seconds"] == 104 * 6 * 3600
    assert answer["all_preserved"]
    place.pass_until("22/11/2026 22:00")
    beside = [file for n, file in enumerate(files) if n % 8 in (0, 7)]
    place.wait_gone(beside)
    place.cycle()
    assert sum(there(files)) == 104 * 6


def test_the_next_two_hours_are_kept_as_they_are_recorded(room, people):
    place = room("26/10/2026 20:00")
    files = place.film("1001", "26/10/2026 19:30", "26/10/2026 20:00")
    place.install()
    answer = place.ask(
        people.olga, "hold", "place", "1001", "--margin", "0",
        "--from", "now", "--to", "+2h", *POLICE,
    )  # fmt: skip
    (one,) = answer["cameras"]
    assert answer["all_preserved"]
    assert answer["total"]["recordings"] == 0
    assert {span["why"] for span in one["pending"]} == {"future"}
    start, end = (instant(answer["asked"][name]) for name in ("since", "until"))
    assert end - start == 2 * HOUR

    place.pass_until("26/10/2026 23:30")
    files += place.film("1001", "26/10/2026 20:00", "26/10/2026 23:00")
    place.cycle()
    place.pass_until(instant("26/10/2026 23:00") + 28 * DAY + MINUTE)
    # By quarters from half past seven: it was asked for just after eight.
    place.wait_gone(files[:2] + files[11:])
    place.cycle()
    assert all(there(files[2:11]))


def test_the_police_s_own_cameras_are_refused_with_who_holds_their_data(room, people):
    place = room("26/10/2026 09:00")
    place.install()
    for cameras in (("8001",), ("1001", "8001"), ("*",)):
        said = place.by(
            people.olga, "hold", "place", *cameras,
            "--from", "25/10/2026 14:00", "--to", "25/10/2026 20:00", *POLICE,
        )  # fmt: skip
        assert said.status == 4, said
        assert "8001" in said.err
        assert "police custody" in said.err
        assert "ask them" in said.err
    assert place.ask(people.olga, "hold", "list", "--state", "all")["holds"] == []
    kept = place.ask(people.olga, "camera", "show", "8001")
    assert (kept["custody"], kept["streams"]) == ("police", [])


def test_the_answer_to_the_freedom_of_information_request_is_one_command(room, people):
    """ "How many cameras, where, how long is footage kept, and what of the ANPR data?"""
    anpr = [str(number) for number in range(8001, 8009)]
    place = room(
        "26/10/2026 09:00",
        cameras="id,location,kind\n1001,Market Place,public_space\n"
        "1002,Market Place,public_space\n1003,Clock Tower,public_space\n"
        + "".join(f"{id_},Ring road,anpr\n" for id_ in anpr),
    )
    files = place.film("1001", "25/10/2026 13:00", "25/10/2026 15:00", HOUR)
    place.install()
    place.ask(
        people.olga, "hold", "place", "1001", "--margin", "0",
        "--from", "25/10/2026 14:00", "--to", "25/10/2026 15:00", *POLICE,
    )  # fmt: skip
    place.pass_until(instant("25/10/2026 14:00") + 28 * DAY + MINUTE)
    place.wait_gone(files[:1])
    place.ask(people.ada, "audit", "publish")

    def answers():
        year = ("--from", "2026-01-01", "--to", "2027-01-01")
        report = place.ask(people.art, "report", "foi", *year)
        tables = {one["name"]: one["rows"] for one in report["tables"]}
        rows = {name: [row["cells"] for row in rows] for name, rows in tables.items()}
        return rows, {question: answer for question, answer, _ in rows["answers"]}

    rows, said = answers()
    assert said["How many public-space cameras are there?"] == "3"
    assert said["How many ANPR cameras are there?"] == "8"
    assert said["How long is footage kept?"].startswith("28 days from the end")
    assert said["How much was deleted?"].startswith("1 recording, 1 h of footage")
    assert said["Was any deleted before its time?"] == "none"
    assert said["Whose data is not the council's?"] == "police: 8"
    assert said["Does the council hold any of it?"] == "no file of theirs was seen here"
    assert ["Market Place", 2, 0] in rows["locations"]
    assert ["police", 1, 0, 1] in rows["holds"]

    # A recorder is set wrongly, and a file of theirs comes: that is not kept quiet.
    place.film("8001", "22/11/2026 13:00", "22/11/2026 13:45", HOUR)
    place.pass_until("22/11/2026 14:10")
    place.cycle()
    place.wait(
        lambda: any(
            one["fields"]["alarm"] == "custody" for one in place.entries("alarm.raised")
        )
    )
    place.ask(people.ada, "audit", "publish")
    _, said = answers()
    assert said["Does the council hold any of it?"].startswith("FILES OF THEIRS")
