"""What guards of the log and the catalogue advise: followed to the letter, it loses nothing,
and what can't help is not offered."""

import ast
import re
import shutil
from pathlib import Path

import pytest

import retention
from retention.catalogue import db
from retention.model.errors import NOTED, CatalogueError, RetentionError, put_back
from retention.model.localtime import format_utc
from retention.model.values import HOUR
from retention.site import clock
from retention.tlog.in_force import InForce
from tests.support.installation import DAY, MINUTE, never
from tests.support.station import CARA


def now():
    return clock.read().wall


def footage(station):
    """Three recordings that are due, four that are not."""
    for number in range(3):
        station.installed.record(now(), 2 * DAY + number * MINUTE)
    for number in range(4):
        station.installed.record(now(), HOUR + number * MINUTE)
    station.round()
    station.approve()


def hold(station, **given):
    """On what is due."""
    asked = {
        "cameras": ["1001"], "since": format_utc(now() - 3 * DAY),
        "until": format_utc(now()), "kind": "court", "reference": "r", "reason": "r",
    }  # fmt: skip
    return station.ask("hold.place", **(asked | given))


def in_force(station):
    return sorted(row[0][1] for row in station.tables("hold")["hold"])


def put_back_to_the_letter(station, copy):
    """The steps of `put_back`, with `log` left as it is."""
    station.killed()
    for name in (db.NAME, f"{db.NAME}-wal", f"{db.NAME}-shm"):
        (station.state / name).unlink(missing_ok=True)
    shutil.copy(copy, station.state / db.NAME)
    station.start()


# -- what is said ---------------------------------------------------------------------------


def test_a_catalogue_is_put_back_in_the_same_words_everywhere():
    """Else one of them forgets what is in no other place, or the -wal beside it."""
    other = re.compile(
        r"newest backup|restore (a|another|the) (backup|copy)|restore from a backup"
        r"|put back (its|the|this|that) |(backup|copy).* and start",
        re.IGNORECASE,
    )
    found = [
        f"{path}: {node.value}"
        for path in Path(retention.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if other.search(node.value)
    ]
    assert found == []
    assert put_back().startswith(NOTED)


def set_back(station):
    """Yesterday's state directory; a footage root remembers today's head."""
    footage(station)
    station.remember()
    kept = station.keep_state()
    hold(station)
    station.remember()
    station.stop()
    newest = station.keep_directory("newest")
    station.restore_state(kept)
    station.start()
    return kept, newest


def test_a_guard_says_what_is_wrong_and_no_word_of_who_asked_something(station):
    set_back(station)
    before = station.guards()["catalogue"]
    assert hold(station)["not_published"].startswith(
        "it stands and is in the audit log"
    )
    assert station.guards()["catalogue"] == before
    assert "it stands" not in before


def test_what_would_trip_again_at_once_is_not_acknowledged(copied, stations):
    """log_copy gave back all but the last entries, which are nowhere."""
    station = stations(copied)
    footage(station)
    station.remember()
    kept = station.keep_state()
    hold(station)
    station.remember()
    station.stop()
    station.start()
    station.service._core.memories["nvr1"]._write(never)
    station.killed()
    station.restore_state(kept)
    station.start()
    with pytest.raises(RetentionError, match="while its cause is there") as refused:
        station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    assert refused.value.exit_status == 1
    assert "was not restored" not in str(refused.value)
    assert station.installed.entries("guard.cleared") == []
    assert station.round().startswith("guard catalogue")


def test_log_copy_is_not_called_rolled_back_by_what_came_out_of_it(copied, stations):
    """The published directory is behind both of them until the guard is over."""
    station = stations(copied)
    footage(station)
    station.remember()
    kept = station.keep_state()
    hold(station)
    station.remember()
    station.stop()
    station.start()
    station.service._core.memories["nvr1"]._write(never)
    station.killed()
    station.restore_state(kept)
    station.start()
    for _ in range(2):
        station.service.tick(never)
        assert station.service._publishing._copying._worker.wait_idle(60)
    found = station.ask("alarm.list", CARA)["alarms"]
    assert [one["alarm"] for one in found if one["alarm"] == "memory"] == []


def test_who_acknowledges_is_told_what_stands_in_the_way_still(station):
    kept, newest = set_back(station)
    station.restore_directory(newest)
    put_back_to_the_letter(station, kept / db.NAME)
    station.service._core.alarms.trip("log", "", "the disk is full", now())
    answer = station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    assert "guard log: the disk is full" in answer["stopped_by"]


def test_verify_says_nothing_that_it_would_refuse_and_not_to_run_itself(station):
    """A hold's entry can't be read any more, so that the rows can't be compared either."""
    footage(station)
    hold(station)
    (placed,) = station.installed.entries("hold.placed")
    altered(station, placed["index"], '"kind"', '"kin')
    station.service._core.catalogue.said = InForce()  # as after a start
    found = station.ask("audit.verify", CARA)
    assert found["summary"].startswith("the audit log is NOT what was written")
    said = " ".join([found["summary"], *found["mismatches"]])
    assert "can't be read" in said
    assert "run `retention audit verify`" not in said
    assert "schema repair" not in said


# -- followed -------------------------------------------------------------------------------


def test_the_same_copy_once_more_and_a_newer_log_bring_all_back(station):
    kept, newest = set_back(station)
    under_guard = hold(station)["hold"]
    assert in_force(station) == [under_guard]
    station.killed()
    station.restore_directory(newest)
    put_back_to_the_letter(station, kept / db.NAME)
    assert "read back" in station.guards()["catalogue"]
    assert len(in_force(station)) == 1
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    hold(station)  # what was noted
    station.round()
    assert len(station.installed.files()) == 7
    assert len(in_force(station)) == 2


def altered(station, number, old='"site"', new='"sitE"'):
    """Some bytes of an entry that was signed and published."""
    with station.service._core.catalogue.write(db.Priority.HOLD) as tx:
        tx.exec_driver_sql("DROP TRIGGER entry_update")
        tx.exec_driver_sql(
            "UPDATE entry SET bytes = cast(replace(cast(bytes AS TEXT), ?, ?) AS BLOB)"
            " WHERE number = ?",
            (old, new, number),
        )


def test_a_hold_that_was_placed_into_an_altered_catalogue_is_not_lost(station):
    """Not even where nobody noted it: it is published, and comes back."""
    footage(station)
    copy = station.backup()
    altered(station, 3)
    placed = hold(station)
    assert "catalogue was altered" in station.guards()["log"]
    assert placed["published"] is True
    assert station.round().startswith("guard log")
    put_back_to_the_letter(station, copy)
    assert in_force(station) == [placed["hold"]]
    assert station.guards().keys() == {"catalogue"}
    station.ask("guard.acknowledge", CARA, guard="catalogue", reason="r")
    station.round()
    assert len(station.installed.files()) == 7
    assert station.installed.verify().ok


@pytest.mark.parametrize("written", [1, 40])
def test_a_stale_log_of_sqlite_beside_a_copy_deletes_nothing_under_hold(
    station, written
):
    """Who forgets to remove it has a catalogue of two moments."""
    footage(station)
    station.stop()
    station.start()
    copy = station.backup()
    for _ in range(written):
        hold(station)
    station.round()
    beside = [station.state / f"{db.NAME}{end}" for end in ("-wal", "-shm")]
    stale = {path: path.read_bytes() for path in beside}
    station.killed()
    shutil.copy(copy, station.state / db.NAME)
    for path, data in stale.items():
        path.write_bytes(data)
    try:
        station.start()
        station.round()
    except CatalogueError as error:
        assert "is damaged" in str(error)  # noqa: PT017 - or it is noticed otherwise
    assert len(station.installed.files()) == 7
