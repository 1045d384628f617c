"""Guards in the daemon: effective at once, on record as soon as that is possible."""

import sqlite3

import pytest
import sqlalchemy as sa

from retention.catalogue import db
from retention.catalogue.db import Priority
from retention.control import alarms
from retention.control.alarms import Alarms, disk_full, guard_of
from retention.control.guards import GUARDS
from retention.model.errors import CatalogueError, RootUnavailableError
from retention.model.values import HOUR, MINUTE, SECOND
from retention.site import clock

NOW = 1_795_521_600 * SECOND


@pytest.fixture
def service(installed):
    made = installed.service()
    yield made
    for work in made._works:
        work.close()
    made._core.catalogue.close()


@pytest.fixture
def guard(service):
    return service._core.alarms


def test_a_tripped_guard_blocks_its_root_alone(guard):
    guard.trip("root", "nvr1", "not mounted", NOW)
    assert guard.blocking("nvr1") == "guard root: not mounted"
    assert guard.blocking("nvr2") is None


def test_a_guard_for_everything_blocks_every_root(guard):
    guard.trip("log", "", "full", NOW)
    assert guard.blocking("nvr1")


def test_it_is_on_record_once_however_often_it_trips(installed, guard):
    for _ in range(3):
        guard.trip("root", "nvr1", "not mounted", NOW)
    assert len(installed.entries("guard.tripped")) == 1


def test_one_that_can_not_be_written_holds_all_the_same(installed, guard, service):
    service._core.catalogue.read_only = True
    guard.trip("log", "", "full", NOW)
    assert guard.blocking("nvr1")
    assert installed.entries("guard.tripped") == []
    service._core.catalogue.read_only = False
    guard.write()
    (entry,) = installed.entries("guard.tripped")
    with service._core.catalogue.read() as tx:
        (row,) = alarms.tripped(tx)
    assert row.since == NOW
    assert entry["at"] > NOW  # when it was written


def test_one_that_could_not_be_written_is_on_record_before_it_clears(
    installed, guard, service
):
    service._core.catalogue.read_only = True
    guard.trip("log", "", "full", NOW)
    with pytest.raises(CatalogueError):
        guard.clear("log", "", "room again", NOW)
    service._core.catalogue.read_only = False
    assert guard.clear("log", "", "room again", NOW + MINUTE)
    kinds = [e["kind"] for e in installed.entries()][-2:]
    assert kinds == ["guard.tripped", "guard.cleared"]


def test_one_that_comes_and_goes_stays_longer_each_time(guard, monkeypatch):
    """Else an error in every cycle would fill the log with two entries a minute."""
    at = [clock.monotonic()]
    monkeypatch.setattr(clock, "monotonic", lambda: at[0])
    guard.trip("root", "nvr1", "I/O error", NOW)
    assert guard.clear("root", "nvr1", "ok", NOW)
    guard.trip("root", "nvr1", "I/O error", NOW)
    assert not guard.clear("root", "nvr1", "ok", NOW)
    at[0] += MINUTE
    assert guard.clear("root", "nvr1", "ok", NOW)
    at[0] += 3 * HOUR
    guard.trip("root", "nvr1", "I/O error", NOW)
    assert guard.clear("root", "nvr1", "ok", NOW)


def test_what_was_tripped_before_a_restart_still_is(guard, service):
    guard.trip("root", "nvr1", "not mounted", NOW)
    again = Alarms(service._core.catalogue, service._core.log, service._core.actor)
    assert again.tripped("root", "nvr1")


def damaged(code):
    original = sqlite3.OperationalError("as SQLite says it")
    original.sqlite_errorcode = code
    error = CatalogueError("in our words")
    error.__cause__ = sa.exc.OperationalError("statement", None, original)
    return error


@pytest.mark.parametrize(
    ("error", "guard_", "own"),
    [
        (RootUnavailableError("gone"), "root", True),
        (OSError(5, "Input/output error"), "root", True),
        (CatalogueError("locked"), "log", False),
        (damaged(sqlite3.SQLITE_FULL), "log", False),
        (damaged(sqlite3.SQLITE_IOERR_WRITE), "log", False),
        (damaged(sqlite3.SQLITE_CORRUPT), "catalogue", False),
        (damaged(sqlite3.SQLITE_NOTADB), "catalogue", False),
    ],
)
def test_each_error_trips_its_guard(error, guard_, own):
    assert guard_of(error) == guard_
    assert GUARDS[guard_].of_a_root is own


def test_a_full_disk_is_told_from_other_trouble():
    assert disk_full(damaged(sqlite3.SQLITE_FULL))
    assert not disk_full(damaged(sqlite3.SQLITE_IOERR_WRITE))
    assert not disk_full(CatalogueError("something"))


def overflow(catalogue):
    with catalogue.write(Priority.SCAN) as tx:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        tx.exec_driver_sql("CREATE TABLE big (x)")
        tx.exec_driver_sql("INSERT INTO big VALUES (zeroblob(1000000))")


def test_a_real_full_catalogue_is_recognised(tmp_path):
    made = db.create(tmp_path / db.NAME, {})
    with pytest.raises(CatalogueError) as caught:
        overflow(made)
    made.close()
    assert disk_full(caught.value)
