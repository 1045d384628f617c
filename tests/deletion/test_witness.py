"""Rows that somebody altered so that footage goes which is held, or goes too soon: the
file's name, its times and the log say otherwise, and then it stays."""

import sqlite3
from contextlib import suppress

import pytest

from retention.catalogue import deliveries, doubtful_times, due, plans, streams
from retention.catalogue.db import Priority
from retention.control.approvals import deletion_approve
from retention.control.gate import Gate
from retention.deletion import witness
from retention.deletion.cycle import Deleter
from retention.model.errors import PublicationError, RetentionError
from retention.model.values import DAY, HOUR, MINUTE
from retention.register.assigning import camera_assign
from retention.site.settings import RetentionSettings
from tests.support.plant import PERIOD, T0, Plant
from tests.support.world import ACTOR, never

HELD = T0 - DAY
FREE = HELD + 6 * HOUR
"""A recording of another camera, on which there is no hold."""
LATER = FREE + HOUR + PERIOD + MINUTE
"""When that is due, and what is altered may well be."""

NAME = b"1001/2026-07-19_10-00-00.mp4"
FREE_NAME = b"1002/2026-07-19_16-00-00.mp4"


class Room(Plant):
    """A recording of 1001, of which a hold covers the last minutes, and one of 1002 that
    is free."""

    def __init__(self, directory) -> None:
        super().__init__(directory)
        self.watch()
        self.held = self.film(HELD)
        self.free_one = self.film(FREE, folder="1002")
        self.round(T0)
        self.round(T0 + MINUTE)
        self.place("1001", HELD + HOUR - 5 * MINUTE, HELD + HOUR)

    def alter(self, *statements) -> None:
        """As somebody does who can write into the state directory."""
        with sqlite3.connect(self.catalogue.path) as other:
            for one in statements:
                assert other.execute(one).rowcount != 0, one
        other.close()

    def cycle(self, now, stop=never):
        """A round, with whatever trouble."""
        self.now = now
        for name, scanner in self.scanners.items():
            scanner.scan(now, never)
            with suppress(RetentionError):
                result = self.deleter.cycle(self.root(name), now, stop)
                for batch in result.results:
                    scanner.forget(batch.gone)
        self.deleter.reset()

    def approve(self) -> None:
        """Whatever waits for a supervisor."""
        with self.catalogue.read() as tx:
            waiting = plans.waiting(tx)
        for one in waiting:
            deletion_approve(self.context(), plan=one.key)

    def cycle_altered(self, now, statements) -> None:
        """A cycle in which somebody alters rows at each of its steps, once."""
        for step in range(6):
            asked = iter(range(1_000))

            def stop(step=step, asked=asked):
                if next(asked) == step and not self.altered:
                    with suppress(AssertionError):
                        self.alter(*statements)
                        self.altered = True
                return False

            self.cycle(now, stop)

    altered = False

    def doubted(self, at) -> None:
        """The times of 1002 are in doubt since then, on record."""
        with self.catalogue.write(Priority.SCAN, self.log.by(ACTOR, at)) as tx:
            (found,) = [one for one in streams.everyone(tx) if one.name == "1002"]
            doubtful_times.doubt(tx, found.key, [doubtful_times.WrongTimes("zone")], at)

    def start_again(self) -> None:
        self.catalogue.close()
        self.reopen()
        self.watch()
        self.begin()


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path)
    yield made
    made.close()


def stream(start):
    """Whose row that is: of 1001, or of 1002."""
    return f"(select key from stream where name = '{1002 if start == FREE else 1001}')"


def moved(start, name, to):
    """The row of a recording says that it began elsewhere, and knows its file by path."""
    return (
        f"update recording set start = {to} where start = {start}",
        f"insert into recording_path values ({stream(start)}, {to}, 0, x'{name.hex()}')",
    )


def settled(start, mtime=None):
    """Beside a row: a person ruled on it, and then its file was as it is now."""
    return (
        f"insert into quarantine values ({stream(start)}, {start}, 0, {T0}, "
        f"{mtime or start + HOUR}, 'ruled: x')"
    )


def shorter(start):
    """The row of a recording ends as soon as it began."""
    return f"update recording set duration = 1 where start = {start}"


def in_doubt(start, seen):
    """Beside a row: it is in quarantine since then."""
    return (
        f"update recording set state = 2 where start = {start}",
        f"insert into quarantine values ({stream(start)}, {start}, 0, {seen}, "
        f"{start + HOUR}, 'x')",
    )


TIMES_MOVED = (
    f"insert into fact values ('mtimes.moved.1', '[[{HOUR}, {T0}], [{DAY}, {T0}]]')"
)

ALTERED = {
    "start": moved(HELD, NAME, HELD + 2 * HOUR),
    "start, long before": (
        f"update recording set start = {HELD - 30 * HOUR}, duration = {HOUR} "
        f"where start = {HELD}",
        f"insert into recording_path values ({stream(HELD)}, {HELD - 30 * HOUR}, 0, x'{NAME.hex()}')",
        f"insert into quarantine values ({stream(HELD)}, {HELD - 30 * HOUR}, 0, {T0}, {HELD + HOUR}, "
        "'ruled: shifted by -30h')",
    ),
    "end, as if ruled": (shorter(HELD), settled(HELD)),
    "start and end": (
        f"update recording set start = {HELD - HOUR}, duration = {HOUR} "
        f"where start = {HELD}",
        f"insert into recording_path values ({stream(HELD)}, {HELD - HOUR}, 0, x'{NAME.hex()}')",
        settled(HELD - HOUR, HELD + HOUR),
    ),
    "end, and times that moved": (shorter(HELD), TIMES_MOVED),
    "end of what is not held": (shorter(FREE), settled(FREE)),
    "end of what is not held, and times that moved": (shorter(FREE), TIMES_MOVED),
    "end, short by a little": (
        f"update recording set duration = duration - 3000000 where start = {FREE}",
        settled(FREE),
    ),
    "in quarantine since long ago": in_doubt(FREE, 1),
    "in quarantine since before its end": in_doubt(FREE, FREE + HOUR // 2),
    "in quarantine and held": in_doubt(HELD, 1),
    "end, and in quarantine since then": (shorter(FREE), *in_doubt(FREE, FREE + 2)),
    "start of what is not held": (
        f"update recording set start = {FREE - 9 * HOUR} where start = {FREE}",
        f"insert into recording_path values ({stream(FREE)}, {FREE - 9 * HOUR}, 0, x'{FREE_NAME.hex()}')",
        f"insert into quarantine values ({stream(FREE)}, {FREE - 9 * HOUR}, 0, {T0}, {FREE + HOUR}, "
        "'ruled: shifted by -9h')",
    ),
}  # fmt: skip

WHEN = ["at start", "between rounds", "in a cycle"]


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("what", ALTERED)
def test_nothing_held_goes_and_nothing_too_soon(room, what, when):
    statements = ALTERED[what]
    soon = FREE + HOUR + PERIOD - 1
    if when == "in a cycle":
        room.cycle_altered(soon, statements)
    else:
        room.alter(*statements)
        if when == "at start":
            room.start_again()
    for now in (soon - 8 * HOUR, soon):
        room.cycle(now)
        assert room.free_one.exists()
        assert room.held.exists()
    for now in (LATER, LATER + DAY, LATER + PERIOD + 2 * DAY, T0 + 400 * DAY):
        room.cycle(now)
        assert room.held.exists()
    # Nothing is kept for ever.
    room.free(1)
    for days in (401, 402, 430, 431):
        room.cycle(T0 + days * DAY)
        room.approve()
    assert room.there() == []


def test_what_its_name_contradicts_is_in_doubt_from_then_on_and_says_so(room):
    room.alter(*ALTERED["start, long before"])
    room.begin()
    room.cycle(LATER)
    (entry,) = room.entries("recordings.deleted")
    assert (entry["deleted"], entry["changed"]) == (1, 1)
    (doubt,) = room.entries("recordings.quarantined")
    assert [(one["reason"], one["seen"]) for one in doubt["rows"]] == [
        (witness.NAMED, LATER)
    ]
    with room.catalogue.read() as tx:
        (told,) = deliveries.others(tx, room.root().key)
    assert (told.reason, told.files) == (witness.NAMED, 1)


def elsewhere(room, name, to):
    """The held recording is catalogued as one of another stream."""
    found = {one.name: one for one in room.streams()}
    held = next(one for one in room.rows() if one.stream == found["1001"].key)
    room.alter(
        f"update recording set stream = {found[name].key}, start = {to} "
        f"where stream = {held.stream} and start = {held.start}",
        f"insert into recording_path values ({found[name].key}, {to}, 0, "
        f"x'{NAME.hex()}')",
    )


@pytest.mark.parametrize("to", [HELD, HELD - HOUR])
def test_a_recording_of_another_camera_by_its_name_stays_and_says_so(room, to):
    elsewhere(room, "1002", to)
    room.cycle(LATER)
    room.cycle(T0 + 400 * DAY)
    assert room.held.exists()
    with room.catalogue.read() as tx:
        (failed,) = due.failures(tx, room.root().key, 9)
    assert failed.error == witness.OF_ANOTHER


def test_of_two_cameras_that_its_name_may_mean_a_hold_on_either_holds_it(room):
    """The recorder's name was given to another camera since, and files keep their names."""
    camera = room.camera("1003")
    with room.catalogue.write(Priority.SCAN, room.log.by(ACTOR, T0)) as tx:
        (old,) = [one for one in streams.everyone(tx) if one.name == "1001"]
        new = streams.add(
            tx, root=old.root, camera=camera, layout=old.layout, zone=old.zone,
            name=old.name, extension=old.extension, max_length=old.max_length,
        )  # fmt: skip
        tx.append(*streams.opened(new, "nvr1"))
    room.alter(f"update recording set stream = {new.key} where stream = {old.key}")
    room.deleter.reset()
    room.cycle(LATER)
    assert room.held.exists()
    room.free(1)
    room.cycle(LATER + 2 * DAY)
    assert not room.held.exists()


def given_away(room, at):
    """The recorder's name 1002 is another camera's, 1003's, from then on."""
    camera = room.camera("1003")
    with room.catalogue.write(Priority.SCAN, room.log.by(ACTOR, at)) as tx:
        (old,) = [one for one in streams.everyone(tx) if one.name == "1002"]
        new = streams.add(
            tx, root=old.root, camera=camera, layout=old.layout, zone=old.zone,
            name=old.name, extension=old.extension, max_length=old.max_length,
        )  # fmt: skip
        tx.append(*streams.opened(new, "nvr1"))
    room.deleter.reset()


def placed_in_flight(room, *cameras):
    """A `stop` that is asked before each unlink: a hold on these comes at the first one
    of which the intent is on record."""

    placed = []

    def stop():
        if room.entries("deletion.intended") and not placed:
            placed.append(None)
            for camera in cameras:
                room.place(camera, FREE, FREE + HOUR)
        return False

    return stop


@pytest.mark.parametrize("camera", ["1002", "1003"])
def test_a_hold_on_either_camera_is_in_time_until_the_unlink(room, camera):
    """The name was given away while the recording was made: it may be of both."""
    given_away(room, FREE + HOUR // 2)
    room.cycle(LATER, placed_in_flight(room, camera))
    first, *later = room.entries("recordings.deleted")
    assert first["rescued"] == 1
    assert not any(one["deleted"] for one in (first, *later))
    assert room.free_one.exists()
    room.cycle(T0 + 400 * DAY)
    assert room.free_one.exists()
    room.free(2)
    room.cycle(T0 + 402 * DAY)
    room.approve()
    room.cycle(T0 + 403 * DAY)
    assert not room.free_one.exists()


def test_a_hold_on_who_was_given_the_name_later_is_of_no_older_recording(room):
    given_away(room, T0)
    room.cycle(LATER, placed_in_flight(room, "1003"))
    assert not room.free_one.exists()


class Late(Gate):
    """A hold comes just before a batch that is recovered is in flight."""

    hold = None

    def enter(self, flight):
        if self.hold is not None:
            self.hold()
        super().enter(flight)


def unpublished(room):
    """A deleter whose log can't be published."""

    def publish(size, now):
        raise PublicationError("the disk is full")

    settings = RetentionSettings()
    return Deleter(
        room.catalogue, room.log, room.gate, ACTOR, settings, publish=publish
    )


@pytest.mark.parametrize("camera", ["1002", "1003"])
def test_a_hold_on_either_camera_is_in_time_for_a_batch_that_is_recovered(room, camera):
    given_away(room, FREE + HOUR // 2)
    with pytest.raises(PublicationError):  # the intent is on record and stays open
        unpublished(room).cycle(room.root(), LATER, never)
    room.gate = Late()
    room.gate.hold = lambda: room.place(camera, FREE, FREE + HOUR)
    room.begin()
    room.cycle(LATER + MINUTE)
    assert room.free_one.exists()


def test_what_began_after_its_recorder_was_another_cameras_is_that_ones_alone(room):
    camera = room.camera("1003")
    with room.catalogue.write(Priority.SCAN, room.log.by(ACTOR, HELD - DAY)) as tx:
        (old,) = [one for one in streams.everyone(tx) if one.name == "1001"]
        new = streams.add(
            tx, root=old.root, camera=camera, layout=old.layout, zone=old.zone,
            name=old.name, extension=old.extension, max_length=old.max_length,
        )  # fmt: skip
        tx.append(*streams.opened(new, "nvr1"))
        tx.exec_driver_sql(
            f"update recording set stream = {new.key} where stream = {old.key}"
        )
    room.cycle(LATER)
    assert not room.held.exists()


def test_what_a_person_gave_to_another_camera_is_that_ones_alone(room):
    room.camera("1003")
    context = room.context()
    camera_assign(context, name="nvr1/1002", camera="1003", reason="it films that")
    room.place("1002", FREE, FREE + HOUR)
    for now in (LATER, LATER + MINUTE):
        room.cycle(now)
    assert not room.free_one.exists()


def test_a_recording_by_names_of_another_zone_is_held_by_either_reading(room):
    """The root's zone was put right since: what it has may be an hour out."""
    with room.catalogue.write(Priority.SCAN, room.log.by(ACTOR, T0)) as tx:
        (old,) = [one for one in streams.everyone(tx) if one.name == "1001"]
        new = streams.add(
            tx, root=old.root, camera=old.camera, layout=old.layout,
            zone="Europe/London", name=old.name, extension=old.extension,
            max_length=2 * HOUR,
        )  # fmt: skip
        tx.append(*streams.opened(new, "nvr1"))
    room.alter(
        f"update recording set stream = {new.key}, start = start - {HOUR}, "
        f"duration = duration + {HOUR - 6 * MINUTE} where stream = {old.key}",
        f"insert into quarantine values ({new.key}, {HELD - HOUR}, 0, {T0}, "
        f"{HELD + HOUR}, 'ruled: x')",
    )  # fmt: skip
    for now in (LATER, LATER + DAY):
        room.cycle(now)
        assert room.held.exists()


def test_a_look_that_the_log_does_not_know_starts_no_period(room):
    """The stream is in doubt: of what ended before, the period counts from the first look."""
    room.doubted(T0 + 10 * DAY)
    room.round(T0 + 11 * DAY)
    room.alter(
        f"update fact set value = '[0, {T0 + 11 * DAY}, []]' where name like 'looks.%'"
    )
    room.begin()
    room.cycle(T0 + PERIOD - 1)
    assert room.free_one.exists()
    room.cycle(T0 + PERIOD)
    assert not room.free_one.exists()
