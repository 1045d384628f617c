"""Scenario 13: somebody removes a held file, and replaces another.

Both are noticed, the alarm names the hold, and the reports say so; what vanished when its
period was over is called lost, and never claimed as a deletion of ours.
"""

from retention.model.values import DAY, MINUTE
from tests.support.room import POLICE, Room, instant

LATE_EVENING = ("--from", "2026-09-03 22:00", "--to", "2026-09-03 23:00")


def report(place: Room, person, name: str, *words: str, status: int = 0):
    """The verdict of a report, and the rows of its tables by name."""
    answer = place.ask(person, "report", name, *words, status=status)
    tables = {}
    for one in answer["tables"]:
        names = [column["name"] for column in one["columns"]]
        rows = [dict(zip(names, row["cells"], strict=True)) for row in one["rows"]]
        tables[one["name"]] = rows
    return [one["text"] for one in answer["verdict"]], tables


def test_what_others_did_to_footage_is_detected_named_and_never_claimed(room, people):
    place = room("04/09/2026 09:00")
    held = place.film("1001", "03/09/2026 22:00", "03/09/2026 23:00")
    free = place.film("1002", "03/09/2026 22:00", "03/09/2026 23:00")
    place.install()
    number = place.ask(
        people.olga, "hold", "place", "1001", *LATE_EVENING, "--margin", "0", *POLICE
    )["hold"]

    # One held file is removed, another overwritten by a shorter one.
    held[0].unlink()
    held[1].write_bytes(b"cut")
    place.cycle()
    place.wait(lambda: len(place.entries("recordings.lost")) == 1)
    place.wait(
        lambda: any(
            one["fields"]["alarm"] == "held-lost"
            for one in place.entries("alarm.raised")
        )
    )
    shown = place.ask(people.olga, "hold", "show", str(number))
    assert {one["alarm"] for one in shown["alarms"]} == {"held-lost"}

    # On the day that the other camera's are due, one of them is gone before us.
    place.pass_until(instant("03/09/2026 22:15") + 28 * DAY - MINUTE)
    free[0].unlink()
    place.cycle()
    place.pass_until(instant("03/09/2026 23:00") + 28 * DAY + MINUTE)
    place.wait_gone(free[1:])
    assert [file.exists() for file in held] == [False, True, True, True]
    place.ask(people.ada, "audit", "publish")

    said, tables = report(place, people.art, "exceptions")
    found = {row["what"]: row["recordings"] for row in tables["by_kind"]}
    assert (found["lost while held"], found["lost"]) == (1, 1)
    assert any(one.startswith("lost while held: 1 recording") for one in said)
    assert "held-lost" in {row["what"] for row in tables["alarms"]}

    said, tables = report(place, people.art, "holds")
    assert f"hold {number} LOST 1 of its recordings" in said

    said, _ = report(place, people.art, "deletions")
    assert said[0].startswith("3 recordings deleted from ")

    _, tables = report(
        place, people.art, "certificate", "--camera", "1002", *LATE_EVENING
    )
    became = [(row["became"], row["duration"]) for row in tables["stretches"]]
    assert became == [("lost", 900), ("deleted", 2700)]
    place.stop_service()
    assert place.verify().ok
