"""Scenario 4: a subject access request on day 29: nothing is left to be held.

The certificate proves that the recording existed, when it was due, and that it was deleted
before the request came; footage that is deleted, an hour in which nothing was recorded and
a camera that nobody knows are three answers, in words and in exit status.
"""

from pathlib import Path

from retention.model.values import DAY, MINUTE
from tests.support.room import Room, instant, there

MORNING = ("--from", "2026-09-01 10:00", "--to", "2026-09-01 11:00")
NOON = ("--from", "2026-09-01 11:45", "--to", "2026-09-01 12:30")


def quarters(place: Room, since: str, until: str) -> list[Path]:
    """What the recorder writes, a quarter of an hour after the other."""
    files = []
    for at in range(instant(since), instant(until), 15 * MINUTE):
        place.pass_until(at + 15 * MINUTE + MINUTE)
        files += place.film("1001", at, at + 15 * MINUTE)
        place.cycle()
    return files


def restart(place: Room, at: str) -> None:
    """What the service says at its end and its start shows that it watched in between."""
    place.pass_until(at)
    place.stop_service()
    starts = len(place.entries("service.started"))
    place.start_service()
    place.wait(lambda: len(place.entries("service.started")) > starts)


def certificate(place: Room, person, *words: str, status: int = 0):
    answer = place.ask(person, "report", "certificate", *words, status=status)
    tables = {one["name"]: one for one in answer["tables"]}

    def rows(name):
        names = [column["name"] for column in tables[name]["columns"]]
        found = tables[name]["rows"]
        return [dict(zip(names, row["cells"], strict=True)) for row in found]

    said = {one["text"]: one.get("good") for one in answer["verdict"]}
    return said, rows("stretches"), rows("recordings")


def test_a_request_on_day_29_is_answered_with_a_certificate(room, people):
    place = room("01/09/2026 09:58")
    place.install()
    files = quarters(place, "01/09/2026 10:00", "01/09/2026 11:00")
    restart(place, "01/09/2026 11:20")
    restart(place, "01/09/2026 12:45")
    place.pass_until(instant("01/09/2026 11:00") + 28 * DAY + MINUTE)
    place.wait_gone(files)
    place.pass_until("30/09/2026 10:00")

    # Day 29: the request comes, and is taken down as what it is.
    said = place.by(
        people.olga, "hold", "place", "1001", *MORNING, "--kind", "sar",
        "--received", "today 09:50", "--reference", "SAR 2026/57",
        "--reason", "subject access request", "--margin", "0", "--json",
    )  # fmt: skip
    assert said.answer["total"]["recordings"] == 0
    assert sum(there(files)) == 0
    place.ask(people.ada, "audit", "publish")

    told, (stretch,), rows = certificate(
        place, people.art, "--camera", "1001", *MORNING, "--requested-on", "2026-09-30"
    )
    assert stretch["became"] == "deleted"
    assert len(rows) == len(files) == 4
    for row in rows:
        assert row["became"] == "deleted"
        assert instant(row["due"]) == instant(row["end"]) + 28 * DAY
        assert instant(row["deleted"]) < instant("30/09/2026 09:50")
        assert {row["fixed"], row["due_then"], row["deleted_then"]} == {
            "before the request"
        }
    assert told["the due date of each was fixed before the request of 2026-09-30"]

    # The camera was silent at noon, and nobody ever had a camera 9999.
    told, (stretch,), rows = certificate(place, people.art, "--camera", "1001", *NOON)
    assert (stretch["became"], rows) == ("no recording seen", [])
    refused = place.by(
        people.art, "report", "certificate", "--camera", "9999", *MORNING
    )
    assert refused.status == 2
    assert "9999" in refused.err

    # Kept footage ends otherwise, so that a script can tell.
    quarters(place, "30/09/2026 10:15", "30/09/2026 10:45")
    span = ("--from", "2026-09-30 10:15", "--to", "2026-09-30 10:45")
    police = (
        "--kind",
        "internal",
        "--reference",
        "x",
        "--reason",
        "x",
        "--margin",
        "0",
    )
    place.ask(people.olga, "hold", "place", "1001", *span, *police)
    place.ask(people.ada, "audit", "publish")
    _, (stretch,), _ = certificate(
        place, people.art, "--camera", "1001", *span, status=8
    )
    assert stretch["became"] == "held"
