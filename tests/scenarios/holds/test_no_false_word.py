"""What the police are told is never more than is known: the clock jumps, a day's directory
is another disk's."""

from typing import ClassVar

import pytest

from retention.model.values import DAY
from tests.support.room import POLICE, Room


@pytest.fixture
def dated_room(directory, people):
    """Its recorder makes a directory a day."""

    class Dated(Room):
        ROOT: ClassVar = {**Room.ROOT, "layout": "{camera}/%Y-%m-%d/%H-%M-%S.mp4"}

    made = Dated(directory, people, "26/10/2026 09:00")
    yield made
    made.close()


def test_yesterday_by_a_clock_forty_days_ahead_is_refused_and_a_date_is_not(
    room, people
):
    place = room("25/10/2026 12:00")
    kept = place.film("1001", "24/10/2026 00:00", "24/10/2026 02:00")
    place.install()
    place.jump(40 * DAY)
    place.wait(lambda: place.entries("guard.tripped"))
    times = ("--from", "yesterday 00:00", "--to", "yesterday 02:00")
    said = place.by(people.olga, "hold", "place", "1001", *times, *POLICE)
    assert said.status == 2, said
    assert "the clock of this machine is in doubt" in said.err
    assert 'such as "2026-10-24 00:00"' in said.err
    assert place.entries("hold.placed") == []

    times = ("--from", "24/10/2026 00:00", "--to", "24/10/2026 02:00")
    said = place.by(people.olga, "hold", "place", "1001", *times, *POLICE)
    assert said.status == 0, said
    assert "The clock is in doubt: the clock jumped ahead by 40 days" in said.out
    assert "The clock is in doubt" in place.by(people.olga, "plan").out

    # Somebody sets it right, and an administrator says so.
    place.jump(-40 * DAY)
    words = ("guard", "acknowledge", "clock", "--reason", "set by the radio clock")
    assert place.by(people.ada, *words).status == 0
    place.wait(lambda: place.entries("hold.redated"))
    (one,) = place.ask(people.olga, "hold", "list")["holds"]
    assert one["review"] < "2027-01-25"
    assert all(file.exists() for file in kept)


def test_a_day_that_is_a_link_to_another_disk_is_not_called_silent(dated_room, people):
    place = dated_room
    day = place.directory / "nvr1" / "1001" / "2026-10-24"
    disk = place.directory / "old disk"
    disk.mkdir()
    (disk / "20-00-00.mp4").write_bytes(b"footage")
    day.parent.mkdir(parents=True)
    day.symlink_to(disk)
    place.install()
    times = ("--from", "24/10/2026 21:00", "--to", "24/10/2026 21:15")
    said = place.by(people.olga, "hold", "place", "1001", *times, *POLICE)
    assert said.status == 7, said
    assert "No recording was seen" not in said.out
    assert "not all of root nvr1 was reached" in said.out
    assert "1001/2026-10-24: a link to a directory" in said.out
    assert "ALARM unreached" in said.out


def test_a_file_of_nothing_and_an_mkv_beside_the_mp4_are_told(room, people):
    place = room("25/10/2026 12:00")
    place.film("1001", "24/10/2026 20:00", "24/10/2026 20:45")
    place.film("1001", "24/10/2026 20:45", "24/10/2026 21:00", size=0)
    (mkv,) = place.film("1001", "24/10/2026 21:00", "24/10/2026 21:15")
    mkv.rename(mkv.with_suffix(".mkv"))
    place.install()
    times = ("--from", "24/10/2026 20:00", "--to", "24/10/2026 21:00", "--margin", "0")
    said = place.by(people.olga, "hold", "place", "1001", *times, *POLICE)
    assert said.status == 7, said
    assert "NOT ALL of it: 4 recordings" in said.out
    assert "Of these 1 file of 0 bytes" in said.out
    times = ("--from", "24/10/2026 21:00", "--to", "24/10/2026 21:15", "--margin", "0")
    said = place.by(people.olga, "hold", "place", "1001", *times, *POLICE)
    assert "No recording was seen" not in said.out
    assert "Beside the recordings of camera 1001: 1 file" in said.out
    assert f"such as 1001/{mkv.stem}.mkv in nvr1" in said.out
