"""A daemon looks at what holds keep: when it answers about them, and by itself."""

import os

import pytest

from retention.model.errors import NotPermittedError
from retention.model.localtime import format_utc
from retention.model.values import DAY, HOUR, MINUTE, SECOND
from retention.service import root_work
from retention.service.client import Client
from retention.site import clock
from tests.support.installation import never
from tests.support.station import CARA, Station


@pytest.fixture
def asking(installed):
    return Client(installed.config).call


@pytest.fixture
def files(installed):
    """Three recordings of yesterday's hour, a minute apart."""
    start = clock.read().wall - 20 * HOUR
    return [installed.record(start, n * MINUTE) for n in range(3)]


@pytest.fixture
def running(installed, daemon, files):
    started = daemon(installed)
    started.until(lambda: installed.entries("root.adopted"))
    return started


def place(asking, **more):
    now = clock.read().wall
    given = {
        "cameras": ["1001"], "since": format_utc(now - DAY),
        "until": format_utc(now - 9 * HOUR), "kind": "court", "reference": "CAD 1",
        "reason": "assault", "margin": "0",
    }  # fmt: skip
    return asking("hold.place", **given | more)


def overwrite(file):
    """In place, so that the directory looks as it did, and so that it is at rest."""
    with file.open("r+b") as open_file:
        open_file.truncate(1)


def test_a_recording_that_was_overwritten_is_told_in_the_answer(running, asking, files):
    overwrite(files[1])
    running.until(lambda: clock.read().wall // 1000 > mtime(files[1]) + 1_500)
    answer = place(asking)
    found, (camera,) = answer["inspection"], answer["cameras"]
    # A scan may have seen it before: then it is in doubt already.
    assert found["overwritten"] + camera["protected"]["in_doubt"] >= 1
    assert (found["files"], found["lost"]) == (3, 0)
    assert found["roots_not_looked_at"] == []


def mtime(file):
    """In milliseconds."""
    return file.stat().st_mtime_ns // 1_000_000


def test_a_shown_hold_tells_what_became_of_its_files_since(running, asking, files):
    assert place(asking)["inspection"]["overwritten"] == 0
    overwrite(files[1])
    running.until(lambda: asking("hold.show", hold=1)["overwritten"])
    assert asking("hold.show", hold=1)["inspection"]["overwritten"] == 0


def test_a_preview_looks_too(running, asking, files):
    assert place(asking, dry_run=True)["inspection"]["files"] == 3


def test_what_lies_behind_a_link_is_not_said_to_be_all_of_it(
    installed, running, asking, files
):
    """Its directory was moved to another disk: nobody looks there."""
    end = files[0].stat().st_mtime_ns // 1000
    exact = {"since": format_utc(end - 5 * SECOND), "until": format_utc(end)}
    assert place(asking, **exact)["all_preserved"]
    files[0].parent.rename(aside := installed.directory / "another disk")
    files[0].parent.symlink_to(aside)
    found = place(asking, reference="CAD 2", **exact)
    assert (found["inspection"]["unreadable"], found["all_preserved"]) == (1, False)


def test_what_vanished_while_nobody_watched_is_found_after_a_start(
    installed, running, asking, files, daemon
):
    place(asking)
    assert running.end() == 0
    files[1].unlink()
    again = daemon(installed)
    again.until(lambda: installed.entries("recordings.lost"))
    (entry,) = installed.entries("recordings.lost")
    assert (entry["fields"]["count"], entry["fields"]["held"]) == (1, 1)
    assert files[0].exists()
    assert again.end() == 0


# -- what people are told -----------------------------------------------------------------


@pytest.fixture
def station(installed):
    """Thirty recordings of last night, catalogued; nobody waits for a disk."""
    now = clock.read().wall
    for number in range(30):
        installed.record(now, 10 * HOUR + number * MINUTE)
    made = Station(installed)
    for _ in range(2):
        assert made.round() is None
    yield made
    made.stop()


def remove(installed, count):
    for name in installed.files()[:count]:
        (installed.directory / "nvr1/1001" / name).unlink()


def test_a_held_recording_that_is_gone_is_told_wherever_somebody_looks(
    installed, station
):
    place(station.ask)
    remove(installed, 1)
    station.round()
    shown, status = station.ask("hold.show", hold=1), station.ask("status")
    (listed,) = station.ask("hold.list")["holds"]
    for alarms in (shown["alarms"], listed["alarms"], status["alarms"]):
        assert [(one["alarm"], one["scope"]) for one in alarms] == [
            ("held-lost", "1/nvr1")
        ]
    assert status["alarms"][0]["rank"] == "broken"
    assert status["deleting"]


def test_a_loss_that_was_acknowledged_is_still_said_with_the_hold(installed, station):
    """Whoever reads the hold next, in court or for a release, has to know."""
    place(station.ask)
    remove(installed, 2)
    station.round()
    (alarm,) = station.ask("status")["alarms"]
    station.ask("alarm.acknowledge", alarm=alarm["number"], reason="told")
    shown, (listed,) = (
        station.ask("hold.show", hold=1),
        station.ask("hold.list")["holds"],
    )
    assert (shown["alarms"], shown["lost"], listed["lost"]) == ([], 2, 2)


def test_another_hold_is_not_told_of_it(installed, station):
    place(station.ask)
    place(station.ask, until=format_utc(clock.read().wall - 15 * HOUR))
    remove(installed, 1)
    station.round()
    assert station.ask("hold.show", hold=2)["alarms"] == []


def test_a_root_that_was_emptied_deletes_nothing_until_an_administrator_says_so(
    installed, station
):
    remove(installed, 25)
    assert "25 of 30 recordings of nvr1 vanished" in station.round()
    station.killed()
    station.start()
    assert "vanished" in station.round()  # not forgotten by a start
    standing = station.ask("status")["alarms"]
    assert {one["alarm"] for one in standing} == {"vanished", "lost"}
    (alarm,) = (one for one in standing if one["alarm"] == "vanished")
    with pytest.raises(NotPermittedError):
        station.ask("alarm.acknowledge", alarm=alarm["number"], reason="known")
    station.ask(
        "alarm.acknowledge", CARA, alarm=alarm["number"], reason="a disk was replaced"
    )
    assert station.round() is None


def test_a_disk_that_was_away_is_compared_whole_when_it_is_back(installed, station):
    """It may be the snapshot of last week: nobody waits for the daily comparison."""
    station.work.reconcile(never)
    root = installed.directory / "nvr1"
    root.rename(aside := installed.directory / "aside")
    station.round()
    aside.rename(root)
    remove(installed, 3)
    station.round()
    station.work.reconcile(never)
    assert [one["fields"]["count"] for one in lost(installed)] == [3]


@pytest.mark.parametrize("waits", ["scan", "inspect"])
def test_a_comparison_that_gave_way_goes_on_after_it(station, monkeypatch, waits):
    """Scans come every few seconds on a busy site: it does not wait for its next day."""
    monkeypatch.setattr(root_work, "RECONCILED_AT_LEAST", 0)
    station.work.scanning.trigger(waits, never)
    station.work.reconcile(never)
    assert station.work.scanning.pending("reconcile")


def test_where_a_scan_always_waits_the_disk_is_compared_all_the_same(
    installed, station
):
    """On a large and slow disk each takes longer than the time between two."""
    place(station.ask)
    station.work.scanning.trigger("scan", never)
    station.work.compare_held(never)
    station.work.reconcile(never)
    assert not station.work.scanning.pending("held")
    assert station.ask("status")["roots"][0]["reconciled"]
    path = installed.directory / "nvr1/1001"
    file = path / installed.files()[3]
    (path / "aside").write_bytes(b"x")
    os.utime(path / "aside", ns=(file.stat().st_mtime_ns,) * 2)
    (path / "aside").rename(file)
    station.work.scan(never)
    station.work.compare_written_over(never)
    assert installed.entries("recordings.quarantined")


def lost(installed):
    return installed.entries("recordings.lost")


def test_what_was_put_over_a_recording_that_nobody_holds_is_seen_with_the_next_cycle(
    installed, running, asking, files
):
    """Not only with the comparison of all, which is over for a day."""
    running.until(lambda: asking("status")["roots"][0]["reconciled"])
    times = files[1].stat().st_mtime_ns
    aside = installed.directory / "aside"
    aside.write_bytes(b"x")
    os.utime(aside, ns=(times, times))
    aside.rename(files[1])
    running.until(lambda: installed.entries("recordings.quarantined"))
