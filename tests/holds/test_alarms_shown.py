"""A hold's answer has the alarms that concern its cameras, and no others."""

import pytest

from retention.catalogue.db import Priority
from retention.control import alarms, guards
from retention.model.values import Camera
from tests.support.control_room import ANNA, EVENING, ControlRoom
from tests.support.site_ import NOW
from tests.support.statements import Statements


def raised(room: ControlRoom, name: str, scope: str, *cameras: str) -> None:
    with room.site.catalogue.write(Priority.SCAN, room.site.log.by(ANNA, NOW)) as tx:
        alarms.trip(
            tx, NOW, name, scope, "it is so",
            cameras=[room.keys[one] for one in cameras],
        )  # fmt: skip


def told(answer: dict) -> list[tuple[str, str]]:
    return [(one["alarm"], one["scope"]) for one in answer["alarms"]]


@pytest.fixture
def alarmed(room: ControlRoom) -> ControlRoom:
    """Parts of the root are not reached; a's stream is late; so is b's, elsewhere."""
    room.site.record("a", EVENING)
    raised(room, guards.UNREACHED, "nvr1")
    raised(room, guards.STREAM, "nvr1/a", "a")
    raised(room, guards.STREAM, "nvr1/b", "b")
    raised(room, guards.UNREACHED, "nvr2")
    raised(room, guards.LOG, "")
    raised(room, guards.VANISHED, "nvr1")
    return room


OF_A = [
    (guards.VANISHED, "nvr1"), (guards.STREAM, "nvr1/a"), (guards.UNREACHED, "nvr1"),
]  # fmt: skip


def test_the_alarms_of_its_cameras_and_of_their_roots_the_worst_first(alarmed):
    answer = alarmed.place()
    assert sorted(told(answer)) == sorted(OF_A)
    assert told(answer)[0] == (guards.VANISHED, "nvr1")


def test_they_are_in_what_extends_it_and_shows_it_too(alarmed):
    alarmed.place()
    extended = alarmed.ask("extend", hold=1, until_released=True, reason="longer")
    for answer in (extended, alarmed.show()):
        assert sorted(told(answer)) == sorted(OF_A)


def test_a_camera_that_nobody_has_seen_yet_may_be_in_any_root(alarmed):
    alarmed.add(Camera(0, "new", "Bridge"))
    assert (guards.UNREACHED, "nvr1") in told(alarmed.place("new"))


def test_a_hold_of_another_camera_has_only_that_ones(alarmed):
    assert (guards.STREAM, "nvr1/a") not in told(alarmed.place("b"))


def test_a_list_of_many_holds_asks_no_more_than_one_of_few(alarmed):
    def asked():
        alarmed.ask("list")  # what is new in the log is taken in
        with Statements() as found:
            assert all(one["alarms"] for one in alarmed.ask("list")["holds"])
        return len(found)

    alarmed.place()
    one = asked()
    for _ in range(5):
        alarmed.place()
    assert asked() == one
