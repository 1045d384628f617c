"""Somebody writes into the catalogue that footage in doubt was seen sooner than it was, or
that it is in no doubt: whatever is put on record of it then, its period counts from when
the log says that it was seen.  Or that its recordings are shorter than they may be."""

import sqlite3
from contextlib import suppress

import pytest

from retention.catalogue import doubtful_times, streams
from retention.catalogue.db import Priority
from retention.model.errors import MismatchError, RetentionError
from retention.model.values import DAY, HOUR, MINUTE
from retention.register.assigning import camera_assign
from tests.support.plant import PERIOD, T0, Plant
from tests.support.world import ACTOR, never

OWN = T0 - 2 * DAY
"""When it was recorded, by its name and its time."""
LATE = T0
"""When it came."""


class Room(Plant):
    """A recording that came two days late, and so is in doubt."""

    def __init__(self, directory) -> None:
        super().__init__(directory)
        self.watch()
        self.root("disk2")
        self.watch("disk2")
        for now in (OWN - DAY, OWN - DAY + MINUTE, LATE - MINUTE):
            self.round(now)
        self.file = self.film(OWN)
        for now in (LATE, LATE + MINUTE):
            self.round(now)
        (doubt,) = self.seen()
        assert LATE <= doubt <= LATE + MINUTE

    def seen(self) -> list[int]:
        """From when the period of what is in doubt counts, as each entry says."""
        entries = self.entries("recordings.quarantined")
        return [row["seen"] for one in entries for row in one["rows"]]

    def alter(self, *statements) -> None:
        """As somebody does who can write into the state directory."""
        with sqlite3.connect(self.catalogue.path) as other:
            for one in statements:
                assert other.execute(one).rowcount != 0, one
        other.close()

    def look(self, now) -> None:
        """All that the daemon does in its roots, some minutes long."""
        for at in (now, now + MINUTE, now + 2 * MINUTE):
            for name, scanner in self.scanners.items():
                self.now = at
                scanner.scan(at, never)
                scanner.reconcile(at, never)
                with suppress(RetentionError):
                    self.deleter.cycle(self.root(name), at, never)
            self.deleter.reset()

    def to_disk2(self, file=None):
        file = file or self.file
        target = self.directory / "disk2/1001" / file.name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
        return self.touch(target, file.stat().st_mtime_ns // 1000)


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path)
    yield made
    made.close()


def touched(room, alter):
    """A person's copy, say, set its time back."""
    alter()
    room.touch(room.file, OWN - DAY)
    return room.file


def copied(room, alter):
    alter()
    return room.to_disk2()


def copied_before(room, alter):
    there = room.to_disk2()
    room.look(LATE + HOUR)
    alter()
    room.remove(room.file)
    return there


def moved(room, alter):
    alter()
    there = room.to_disk2()
    room.remove(room.file)
    return there


def gone_first(room, alter):
    alter()
    away = room.to_disk2().rename(room.directory / "away")
    room.remove(room.file)
    room.look(LATE + HOUR)
    alter(LOST)
    return away.rename(room.directory / "disk2/1001" / room.file.name)


def back_again(room, alter):
    """It vanished under a hold, and is there again."""
    hold = room.place("1001", OWN, OWN + HOUR)["hold"]
    kept, mtime = room.file.read_bytes(), room.file.stat().st_mtime_ns // 1000
    room.remove(room.file)
    room.look(LATE + HOUR)
    alter(LOST)
    room.file.write_bytes(kept)
    room.touch(room.file, mtime)
    room.look(LATE + 2 * HOUR)
    room.release(hold, LATE + 3 * HOUR, LATE + 3 * HOUR)
    return room.file


LOST = "update lost set seen = 1, reason = 'x', mtime = 1"
THEN = [touched, copied, copied_before, moved, gone_first, back_again]

FORGED = {
    "seen long ago": ["update quarantine set seen = 1"],
    "seen at its end": [f"update quarantine set seen = {OWN + HOUR}"],
    "ruled on": [
        "update quarantine set seen = 1, reason = 'ruled: x'",
        "update recording set state = 0",
    ],
    "in no doubt": ["delete from quarantine", "update recording set state = 0"],
}


@pytest.mark.parametrize("forged", FORGED)
@pytest.mark.parametrize("then", THEN)
def test_its_period_counts_from_when_the_log_says(room, then, forged):
    file = then(room, lambda *lost: room.alter(*(lost or FORGED[forged])))
    for now in (LATE + 4 * HOUR, OWN + HOUR + PERIOD, LATE + PERIOD - HOUR):
        room.look(now)
        assert file.exists()
    assert min(room.seen()) >= LATE


@pytest.mark.parametrize("then", THEN)
def test_where_nobody_forged_anything_it_goes_a_period_after_it_came(room, then):
    file = then(room, lambda *_: None)
    for now in (LATE + 4 * HOUR, LATE + PERIOD - 3 * MINUTE, LATE + PERIOD + MINUTE):
        room.look(now)
        assert file.exists() == (now < LATE + PERIOD)


def filmed(room, start):
    """A recording that comes when it ends."""
    room.look(start)
    file = room.film(start)
    room.look(start + HOUR + MINUTE)
    return file


def test_a_doubt_that_goes_over_to_a_copy_is_the_logs(room):
    start = LATE + 4 * HOUR
    file = filmed(room, start)
    copy = room.to_disk2(file)
    room.look(start + 2 * HOUR)
    room.touch(file, start - DAY)
    room.look(start + 3 * HOUR)
    room.alter(f"update quarantine set seen = 1 where start = {start}")
    room.remove(file)
    for now in (start + 4 * HOUR, start + PERIOD):
        room.look(now)
        assert copy.exists()
    assert min(room.seen()) >= LATE


def test_what_changes_while_it_is_to_be_deleted_counts_from_when_the_log_says(room):
    done = []

    def stop():
        if room.entries("deletion.intended") and not done:
            done.append(room.alter("update quarantine set seen = 1"))
            room.touch(room.file, OWN + 4 * HOUR)
        return False

    room.deleter.cycle(room.root(), LATE + PERIOD + MINUTE, stop)
    first, second = room.seen()
    assert second == first


def test_a_copy_from_a_stream_in_no_doubt_by_its_row_alone_is_in_doubt(room):
    file = filmed(room, LATE + 4 * HOUR)
    at = LATE + 6 * HOUR
    with room.catalogue.write(Priority.SCAN, room.log.by(ACTOR, at)) as tx:
        (stream,) = streams.everyone(tx)
        doubtful_times.doubt(tx, stream.key, [doubtful_times.WrongTimes("zone")], at)
    room.alter("update stream set quarantined = null")
    room.to_disk2(file)
    room.look(at)
    assert len(room.seen()) == 2


@pytest.mark.parametrize("quarantined", ["null", "1"])
def test_recordings_of_a_stream_in_less_doubt_by_its_row_go_to_no_other(
    room, quarantined
):
    """The doubt would be of the other's by that."""
    with room.catalogue.write(Priority.SCAN, room.log.by(ACTOR, LATE)) as tx:
        (stream,) = streams.everyone(tx)
        doubtful_times.doubt(tx, stream.key, [doubtful_times.WrongTimes("zone")], LATE)
    room.alter(f"update stream set quarantined = {quarantined}")
    with pytest.raises(MismatchError):
        camera_assign(room.context(), name="nvr1/1001", camera="1002", reason="so")
    assert len(room.streams()) == 1


@pytest.mark.parametrize("length", ["1", "max_length * 20"])
def test_how_long_footage_may_be_is_no_shorter_than_its_stream_was_opened_with(
    room, length
):
    """Of a file whose time says nothing it is all that is known of its end.  Nobody looks
    while it is altered."""
    with room.catalogue.read() as tx:
        (before,) = streams.everyone(tx)
    room.alter(f"update stream set max_length = {length}")
    start = LATE - 2 * HOUR
    file = room.film(start, 0)
    room.watch()
    for now in (LATE + 2 * MINUTE, LATE + 3 * MINUTE):
        room.scanners["nvr1"].scan(now, never)
    assert [one.end for one in room.rows() if one.start == start] >= [start + HOUR]
    room.alter(f"update stream set max_length = {before.max_length}")
    room.place("1001", start + 50 * MINUTE, start + HOUR)
    room.look(LATE + 400 * DAY)
    assert file.exists()
