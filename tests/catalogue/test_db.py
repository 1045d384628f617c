"""Opening, creating and upgrading a catalogue; one transaction whole or not at all."""

import os
import sqlite3

import pytest

from retention.catalogue import db, schema
from retention.catalogue.db import Priority, get_fact, get_meta, put_fact
from retention.model.errors import CatalogueError


@pytest.fixture
def path(tmp_path):
    return tmp_path / db.NAME


@pytest.fixture
def catalogue(path):
    made = db.create(path, {"uuid": "u", "site": "s"})
    yield made
    made.close()


def stamp(path, version):
    with sqlite3.connect(path) as raw:
        raw.execute(f"PRAGMA user_version={version}")
    raw.close()


def test_a_missing_catalogue_is_an_error_and_makes_none(path):
    with pytest.raises(CatalogueError, match="retention init"):
        db.open_(path)
    assert not path.exists()


def test_an_existing_catalogue_is_never_made_again(catalogue, path):
    with pytest.raises(CatalogueError, match="never overwrites"):
        db.create(path, {"uuid": "other"})
    with catalogue.read() as tx:
        assert get_meta(tx) == {"uuid": "u", "site": "s"}


def test_an_interrupted_creation_is_refused_and_can_be_repeated(path):
    path.touch()
    with pytest.raises(CatalogueError, match="empty or was cut short"):
        db.open_(path)
    db.create(path, {"uuid": "u"}).close()
    db.open_(path).close()


def test_only_its_owner_may_open_it(catalogue, path):
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_newer_schema_is_refused(catalogue, path):
    catalogue.close()
    stamp(path, schema.VERSION + 1)
    with pytest.raises(CatalogueError, match="newer program"):
        db.open_(path)
    with pytest.raises(CatalogueError, match="newer program"):
        db.upgrade(path)


def test_an_older_schema_is_refused_until_it_is_upgraded(path, monkeypatch):
    db.create(path, {"uuid": "u"}).close()
    more = (*schema.MIGRATIONS, ("CREATE TABLE later (a INTEGER) STRICT",))
    monkeypatch.setattr(schema, "MIGRATIONS", more)
    monkeypatch.setattr(schema, "VERSION", len(more))
    with pytest.raises(CatalogueError, match="retention schema upgrade"):
        db.open_(path)
    assert db.upgrade(path) == (len(more) - 1, len(more))
    opened = db.open_(path)
    with opened.read() as tx:
        tx.exec_driver_sql("SELECT a FROM later")
        assert get_meta(tx) == {"uuid": "u"}
    opened.close()


def test_a_migration_that_fails_leaves_the_old_schema(path, monkeypatch):
    db.create(path, {"uuid": "u"}).close()
    broken = ("CREATE TABLE later (a INTEGER) STRICT", "CREATE TABEL oops")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    monkeypatch.setattr(schema, "VERSION", len(schema.MIGRATIONS))
    with pytest.raises(CatalogueError):
        db.upgrade(path)
    with sqlite3.connect(path) as raw:
        (version,) = raw.execute("PRAGMA user_version").fetchone()
        tables = {name for (name,) in raw.execute("SELECT name FROM sqlite_master")}
    raw.close()
    assert version == schema.VERSION - 1
    assert "later" not in tables


def test_a_file_that_is_no_database_is_refused(path):
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(CatalogueError, match="put back its newest copy"):
        db.open_(path)


def test_every_commit_is_durable_and_readers_do_not_wait(catalogue):
    with catalogue.read() as tx:
        mode = tx.exec_driver_sql("PRAGMA journal_mode").scalar()
        durable = tx.exec_driver_sql("PRAGMA synchronous").scalar()
        keys = tx.exec_driver_sql("PRAGMA foreign_keys").scalar()
    assert (mode, durable, keys) == ("wal", 2, 1)


def test_an_error_inside_leaves_nothing_of_a_transaction(catalogue):
    def half():
        with catalogue.write(Priority.SCAN) as tx:
            put_fact(tx, "half", 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with catalogue.read() as tx:
        assert get_fact(tx, "half") is None


def test_a_catalogue_open_for_reading_can_not_be_written(catalogue, path):
    reader = db.open_(path, read_only=True)
    with (
        pytest.raises(CatalogueError, match="reading only"),
        reader.write(Priority.HOLD),
    ):
        pass
    reader.close()


def test_a_fact_is_kept_replaced_and_removed(catalogue):
    with catalogue.write(Priority.SCAN) as tx:
        put_fact(tx, "a", {"b": [1, 2]})
        put_fact(tx, "a", {"b": [3]})
        assert get_fact(tx, "a") == {"b": [3]}
        put_fact(tx, "a", None)
        assert get_fact(tx, "a") is None


def test_quick_check_finds_a_whole_file_whole(catalogue):
    assert db.quick_check(catalogue) is None


def test_a_commit_that_was_not_ours_is_noticed(tmp_path):
    """Whoever wrote, and whatever of it is undone again."""
    catalogue = db.create(tmp_path / db.NAME, {"uuid": "u"})
    for number in range(3):
        with catalogue.write(Priority.HOLD) as tx:
            db.put_fact(tx, "x", number)
        with catalogue.read() as tx:
            db.get_fact(tx, "x")
    assert catalogue.foreign_commits() == 0
    with sqlite3.connect(catalogue.path) as other:
        other.execute("UPDATE fact SET value = '7'")
    other.close()
    assert catalogue.foreign_commits() == 1
    assert catalogue.foreign_commits() == 1
    catalogue.close()
