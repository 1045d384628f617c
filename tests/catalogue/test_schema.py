"""The two forms of the schema agree, and what the database itself refuses."""

import re

import pytest
import sqlalchemy as sa

from retention.catalogue import cameras, db, schema
from retention.catalogue.db import Priority


@pytest.fixture
def catalogue(tmp_path):
    made = db.create(tmp_path / db.NAME, {"uuid": "u"})
    yield made
    made.close()


def listed(tx, kind):
    rows = tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE type=?", (kind,))
    return {name for name in rows.scalars() if not name.startswith("sqlite_")}


def test_every_table_of_the_migrations_has_its_core_twin(catalogue):
    with catalogue.read() as tx:
        assert listed(tx, "table") == set(schema.metadata.tables)


@pytest.mark.parametrize("name", sorted(schema.metadata.tables))
def test_columns_and_keys_are_the_same_in_both_forms(catalogue, name):
    twin = schema.metadata.tables[name]
    with catalogue.read() as tx:
        columns = tx.exec_driver_sql(f"PRAGMA table_info({name})").all()
    assert [row[1] for row in columns] == [column.name for column in twin.c]
    kinds = {"INTEGER": sa.Integer, "TEXT": sa.Text, "BLOB": sa.LargeBinary}
    kinds["REAL"] = sa.REAL
    for row, column in zip(columns, twin.c, strict=True):
        assert isinstance(column.type, kinds[row[2]]), column
    keys = {row[1] for row in columns if row[5]}
    assert {column.name for column in twin.primary_key} <= keys


def test_every_table_is_strict(catalogue):
    with catalogue.read() as tx:
        found = tx.exec_driver_sql("SELECT name, sql FROM sqlite_master").all()
    for name, sql in found:
        if sql and sql.startswith("CREATE TABLE"):
            assert re.search(r"\) STRICT", sql), name


LOG_TRIGGERS = {
    "entry_update", "entry_delete", "entry_rows_update", "entry_rows_delete",
    "entry_camera_update", "entry_camera_delete", "disclosure_update",
    "log_head_update", "log_head_delete",
}  # fmt: skip


def test_the_triggers_are_there_after_every_migration(catalogue):
    """A migration that rebuilds a table would drop them in silence."""
    with catalogue.read() as tx:
        found = listed(tx, "trigger")
    assert found >= LOG_TRIGGERS
    for table in ("hold", "hold_camera"):
        assert {f"{table}_{verb}" for verb in ("insert", "update", "delete")} <= found


def holds_version(tx):
    return tx.exec_driver_sql("SELECT value FROM version WHERE name='holds'").scalar()


def test_whoever_changes_a_hold_moves_the_holds_version(catalogue):
    with catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql(
            "INSERT INTO hold (key, kind, reference, reason, requester, since, until, "
            "typed, margin, placed, placed_by, review) "
            "VALUES (1,'police','','','',1,2,'',0,1,0,9)"
        )
        placed = holds_version(tx)
        tx.exec_driver_sql("UPDATE hold SET until=3")
        widened = holds_version(tx)
        tx.exec_driver_sql("DELETE FROM hold")
        assert 0 < placed < widened < holds_version(tx)


def test_two_cameras_can_not_have_one_id_today(catalogue):
    with catalogue.write(Priority.SCAN) as tx:
        for key in (1, 2):
            tx.exec_driver_sql(
                "INSERT INTO camera VALUES (?,'','','k','council',NULL,NULL,1,0,NULL,NULL,NULL,NULL)",
                (key,),
            )
        tx.exec_driver_sql("INSERT INTO camera_id VALUES ('1001', 1, NULL, 1)")
        with pytest.raises(sa.exc.IntegrityError):
            tx.exec_driver_sql("INSERT INTO camera_id VALUES ('1001', 2, NULL, 2)")


def test_a_recording_of_no_length_is_refused(catalogue):
    with catalogue.write(Priority.SCAN) as tx, pytest.raises(sa.exc.IntegrityError):
        tx.exec_driver_sql("INSERT INTO recording VALUES (1, 1, 0, 0, 1, 0)")


def test_a_text_in_a_number_s_place_is_refused(catalogue):
    with catalogue.write(Priority.SCAN) as tx, pytest.raises(sa.exc.IntegrityError):
        tx.exec_driver_sql("INSERT INTO recording VALUES (1, 'soon', 0, 1, 1, 0)")


def test_cameras_of_an_older_catalogue_are_published_as_their_kind_says(
    tmp_path, monkeypatch
):
    before = 10  # the schema without `published` and `controller`
    with monkeypatch.context() as older:
        older.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:before])
        older.setattr(schema, "VERSION", before)
        made = db.create(tmp_path / db.NAME, {"uuid": "u"})
        with made.write(Priority.SCAN) as tx:
            for key, kind in (1, "public_space"), (2, "anpr"):
                tx.exec_driver_sql(
                    "INSERT INTO camera VALUES (?,'Quay','',?,'police',1,2,1,0)",
                    (key, kind),
                )
                tx.exec_driver_sql(
                    "INSERT INTO camera_id VALUES (?, 1, NULL, ?)", (str(key), key)
                )
        made.close()
    assert db.upgrade(tmp_path / db.NAME) == (before, schema.VERSION)
    catalogue = db.open_(tmp_path / db.NAME)
    with catalogue.read() as tx:
        found = cameras.everyone(tx)
    assert [one.publication for one in found] == ["full", "number"]
    assert {(one.controller, one.easting, one.lon) for one in found} == {
        (None, None, 1)
    }
    catalogue.close()
