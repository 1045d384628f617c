"""What was lost and came back is not told as lost: the hold's answer and `audit find`
are of one mind about each recording."""

import pytest

from retention.catalogue import recordings
from retention.catalogue.db import Priority
from retention.model.localtime import format_utc
from retention.model.values import HOUR, MINUTE, Recording, Rows
from tests.support.control_room import ANNA, EVENING, ControlRoom
from tests.support.json_schema import verb

FOOTAGE = ("camera", "stream", "start", "n", "duration", "bytes")


def file(room: ControlRoom) -> tuple[int, ...]:
    """An hour of camera a, that evening."""
    stream = room.site.stream("a")
    return (stream.camera, stream.key, EVENING, 0, HOUR, 10)


def note(room: ControlRoom, kind: str, columns: str, *more: object, **fields: object):
    """An entry about that file, as the scanner writes it."""
    rows = Rows((*FOOTAGE, *columns.split()), [(*file(room), *more)])
    author = room.site.log.by(ANNA, room.now)
    with room.site.catalogue.write(Priority.SCAN, author) as tx:
        return tx.append(kind, {"count": 1, **fields}, rows)


def lost(room: ControlRoom) -> int:
    return note(room, "recordings.lost", "held path", 0, None, bytes=10, held=0)


def insert(room: ControlRoom, start: int) -> None:
    row = Recording(room.site.stream("a").key, start, 0, HOUR, 10)
    with room.site.catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [row])


def fates(room: ControlRoom, at: int) -> list[str]:
    """By `audit find`."""
    context = room.site.asked(room.settings, ANNA, now=room.now, gate=room.gate)
    answer = verb("audit.find")(context, camera="a", at=format_utc(at))
    return sorted(one["fate"] for one in answer["recordings"])


def told(room: ControlRoom) -> dict:
    """By `hold place` over that hour."""
    (line,) = room.place("a")["cameras"]
    return line


def test_what_vanished_and_is_there_under_its_right_time_is_not_told_as_lost(room):
    """It came back, and somebody ruled that its clock was two hours behind."""
    lost(room)
    there = EVENING + 2 * HOUR
    note(
        room, "recordings.resolved", "reason path new_start new_end", "clock", None,
        there, there + HOUR, ruling="shift 2h",
    )  # fmt: skip
    insert(room, there)
    assert fates(room, EVENING + MINUTE) == ["moved", "present"]
    assert told(room)["lost"] == []


def test_what_vanished_and_was_seen_again_is_not_told_as_lost(room):
    """Though nothing of it is there now: by the books it is missing."""
    lost(room)
    note(room, "recordings.reappeared", "path", None)
    assert fates(room, EVENING + MINUTE) == ["missing"]
    assert told(room)["lost"] == []


def doubted(room: ControlRoom, *, bytes: int, duration: int = HOUR) -> None:
    row = (*file(room)[:4], duration, bytes, "clock", None, 0)
    rows = Rows((*FOOTAGE, "reason", "path", "seen"), [row])
    with room.site.catalogue.write(
        Priority.SCAN, room.site.log.by(ANNA, room.now)
    ) as tx:
        tx.append("recordings.quarantined", {"count": 1}, rows)


def test_what_vanished_and_came_into_doubt_is_not_told_as_lost(room):
    lost(room)
    doubted(room, bytes=10)
    assert fates(room, EVENING + MINUTE) == ["missing"]
    assert told(room)["lost"] == []


@pytest.mark.parametrize(
    "other", [{"bytes": 12}, {"bytes": 10, "duration": HOUR + MINUTE}]
)
def test_what_vanished_is_told_as_lost_though_another_file_of_its_name_is_in_doubt(
    room, other
):
    """The recorder overwrote the first hour of an autumn night with the second."""
    number = lost(room)
    doubted(room, **other)
    (span,) = told(room)["lost"]
    assert span["entry"] == number


@pytest.mark.parametrize("again", [False, True])
def test_what_vanished_is_told_as_lost_by_its_last_entry(room, again):
    number = lost(room)
    if again:
        note(room, "recordings.reappeared", "path", None)
        number = lost(room)
    assert fates(room, EVENING + MINUTE) == ["lost"]
    (span,) = told(room)["lost"]
    assert (span["entry"], span["entries"], span["recordings"]) == (number, 1, 1)
