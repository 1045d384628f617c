"""The night on which the clocks go back, names without an offset: 01:xx comes twice."""

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from retention.model.values import DAY, HOUR, MINUTE, SECOND, State
from tests.support.plant import Plant

BACK = 1_792_890_000 * SECOND  # 25 Oct 2026, 01:00Z: 02:00 BST becomes 01:00 GMT
LONDON = ZoneInfo("Europe/London")


def named(start):
    """The name that a recorder in London gives a file."""
    at = datetime.fromtimestamp(start / 1e6, UTC).astimezone(LONDON)
    return f"1001/{at:%Y-%m-%d_%H-%M-%S}.mp4"


class Night:
    """A recorder that writes one file after the other, and over those of a same name."""

    def __init__(self, world, length, **settings):
        self.world, self.length, self.truth = world, length, {}
        self.scanner = world.scanner(timezone="Europe/London", **settings)

    def film(self, start, until):
        for at in range(start, until, self.length):
            self.truth[named(at)] = (at, at + self.length)
            self.world.write(named(at), at + self.length, size=10 + at // MINUTE % 7)

    def scan(self, now):
        self.world.now = now
        return self.scanner.scan(now, lambda: False)

    def dated(self):
        return [(row.start, row.end, row.state) for row in self.world.rows()]

    def true(self):
        return sorted((*times, State.PRESENT) for times in self.truth.values())


@pytest.mark.parametrize(
    "length", [10 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR]
)
def test_a_service_that_starts_at_0401_dates_the_whole_night(world, length):
    """The first 01:xx are overwritten; what is left looks an hour long, or out."""
    night = Night(world, length)
    night.film(BACK - 2 * HOUR, BACK + 3 * HOUR)
    night.scan(BACK + 3 * HOUR + 2 * MINUTE)
    assert night.dated() == night.true()
    assert world.entries("stream.quarantined") == []


@pytest.mark.parametrize("length", [MINUTE, 5 * MINUTE, HOUR])
@pytest.mark.parametrize("seed", range(3))
def test_a_service_that_runs_all_night_knows_what_was_overwritten(world, length, seed):
    """What is left has its own times; the first 01:xx are lost, on record."""
    dice, night = random.Random(seed), Night(world, length)
    at = BACK - 5 * HOUR
    night.scan(at)
    while at < BACK + 3 * HOUR:
        until = at + length * dice.randint(1, max(1, 20 * MINUTE // length))
        night.film(at, until)
        night.scan(until + dice.choice([2, 3]) * MINUTE)
        at = until
    night.scan(at + 5 * MINUTE)
    assert night.dated() == night.true()
    lost = [row["start"] for e in world.entries("recordings.lost") for row in e["rows"]]
    assert sorted(lost) == list(range(BACK - HOUR, BACK, length))


def test_a_hold_on_the_overwritten_hour_is_not_told_all_of_it(tmp_path):
    plant = Plant(tmp_path)
    night = Night(plant, MINUTE)
    night.scan(BACK - 3 * HOUR)
    night.film(BACK - 2 * HOUR, BACK)
    night.scan(BACK + 2 * MINUTE)
    assert plant.place("1001", BACK - HOUR, BACK)["all_preserved"]
    night.film(BACK, BACK + HOUR)
    night.scan(BACK + HOUR + 2 * MINUTE)
    answer = plant.place("1001", BACK - HOUR, BACK)
    assert not answer["all_preserved"]
    assert answer["total"]["recordings"] == 0
    plant.close()


def test_a_file_that_is_being_overwritten_is_lost_at_once(world):
    """An hour-long one: for an hour nobody is told that the first is there."""
    night = Night(world, HOUR)
    night.film(BACK - 5 * HOUR, BACK)
    night.scan(BACK + MINUTE)
    now = BACK + 20 * MINUTE
    world.write(named(BACK), now - SECOND, size=3)
    night.scan(now)
    assert night.dated() == night.true()[:-1]
    assert len(world.entries("recordings.lost")) == 1
    night.film(BACK, BACK + HOUR)
    night.scan(BACK + HOUR + 2 * MINUTE)
    assert night.dated() == night.true()


def test_files_of_both_hours_that_have_other_seconds_are_all_there(world):
    night = Night(world, MINUTE)
    night.film(BACK - 2 * HOUR + 3 * SECOND, BACK)
    night.film(BACK + 3 * SECOND + 24 * SECOND, BACK + 3 * HOUR)
    night.scan(BACK + 3 * HOUR + 2 * MINUTE)
    assert night.dated() == night.true()
    assert world.entries("stream.quarantined") == []


def test_an_hour_long_file_that_only_grew_is_one_recording(world):
    """Begun at 01:00 before the clocks went back, catalogued while it was buffered."""
    night = Night(world, HOUR)
    night.film(BACK - 3 * HOUR, BACK - HOUR)
    world.write(named(BACK - HOUR), BACK - 30 * MINUTE, size=3)
    night.scan(BACK - 25 * MINUTE)
    night.truth[named(BACK - HOUR)] = (BACK - HOUR, BACK + 2 * SECOND)
    world.write(named(BACK - HOUR), BACK + 2 * SECOND, size=9)
    night.scan(BACK + 5 * MINUTE)
    assert night.dated() == night.true()
    assert world.entries("recordings.lost") == []


def test_an_archive_of_that_night_is_read_as_the_night_itself(world):
    """Adopted a month later."""
    night = Night(world, MINUTE)
    night.film(BACK - 2 * HOUR, BACK + 3 * HOUR)
    night.scan(BACK + 30 * DAY)
    assert night.dated() == night.true()
