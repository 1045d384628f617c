"""What each released version left behind is brought up to this program: compared first,
then upgraded; it verifies, its holds are in force, and nothing held goes."""

import sqlite3
from contextlib import closing

import pytest

from retention.catalogue import db, schema
from retention.catalogue.log_check import verify_catalogue
from retention.cli.local import offline
from retention.control import in_force, members
from retention.model.errors import CatalogueError
from retention.model.values import DAY
from retention.site import clock
from retention.tlog.verify.published import verify_directory
from tests.support import released
from tests.support.fixtures import small_reserve as small_reserve
from tests.support.station import Station

EVERYONE = released.everyone()
HELD = [f"2026-11-29_23-{minute}-15.mp4" for minute in (51, 52, 53)]
DOUBTFUL = "2026-11-29_21-53-15.mp4"
"""Held by its doubt, whatever its times."""

ALTERED = {
    "delete from hold_camera": "hold 1 covers cameras less",
    "delete from quarantine": "is in quarantine by the log alone",
    "update release_request set uid = 9": "a release of hold 1 waits",
    "update policy set days = 0": "is kept 0 days, the log says 1",
}


@pytest.fixture
def at(monkeypatch):
    made = released.At(released.THEN + DAY // 24)
    monkeypatch.setattr(clock, "read", made)
    monkeypatch.setattr(offline, "read", made)
    monkeypatch.setattr(members, "of", lambda settings, role: ["anna", "ben"])
    return made


def schema_of(installed):
    return db.version(installed.state / db.NAME)


def older(installed, version):
    """Its catalogue as a program of that schema would have it."""
    path = installed.state / db.NAME
    old = path.with_name("old.sqlite")
    with closing(sqlite3.connect(old)) as made, made:
        for statements in schema.MIGRATIONS[:version]:
            for statement in statements:
                made.execute(statement)
        made.execute("ATTACH ? AS now", (str(path),))
        tables = "SELECT name FROM {}sqlite_master WHERE type = 'table'"
        there = {name for (name,) in made.execute(tables.format("now."))}
        for (name,) in made.execute(tables.format("")).fetchall():
            if name in there:
                names = [
                    {row[1] for row in made.execute(f"PRAGMA {of}.table_info({name})")}
                    for of in ("main", "now")
                ]
                columns = ", ".join(sorted(names[0] & names[1]))
                made.execute(
                    f"INSERT OR REPLACE INTO main.{name} ({columns}) "
                    f"SELECT {columns} FROM now.{name} ORDER BY 1"
                )
        if (
            "guard" not in there
            and made.execute(
                "SELECT 1 FROM main.sqlite_master WHERE name = 'guard'"
            ).fetchone()
        ):  # what was an alarm later
            made.execute(
                "INSERT INTO main.guard SELECT name, scope, since, detail FROM now.alarm"
            )
        made.commit()
        made.execute("DETACH now")
        made.execute(f"PRAGMA user_version = {version}")
    old.replace(path)


def upgrade(installed):
    """Tried first; what it came from."""
    before = schema_of(installed)
    told = offline.upgrade(installed.config, dry_run=True)
    assert (told["from"], told["to"]) == (before, schema.VERSION)
    assert (told["mismatches"], told["holds"]) == ([], [1])
    assert schema_of(installed) == before
    done = offline.upgrade(installed.config)
    assert done == told | {"dry_run": False}
    assert schema_of(installed) == schema.VERSION
    return before


def is_as_it_was(installed, at):
    """Intact, lawful, its hold in force; what is there when all periods are over."""
    with closing(db.open_(installed.state / db.NAME)) as catalogue:
        report = verify_catalogue(catalogue, deep=True)
        assert (report.ok, report.verdict.violations) == (True, [])
        with catalogue.read() as tx:
            assert in_force.compare(catalogue, tx, at().wall) == ([], [])
    station = Station(installed)
    vkey = station.service._publishing._publisher.vkey
    report = verify_directory(installed.settings.published_log, vkey, depth="deep")
    assert (report.ok, report.verdict.violations) == (True, [])
    at.elapsed += 3 * DAY
    station.service.judge()
    station.round()
    station.approve()
    station.round()
    assert "mismatch" not in station.guards()
    station.stop()
    return installed.files()


@pytest.mark.parametrize("archive", EVERYONE, ids=lambda path: path.name)
def test_what_a_released_version_left_is_brought_up_to_this_one(tmp_path, at, archive):
    installed = released.unpack(archive, tmp_path)
    before = upgrade(installed)
    assert f"-schema-{before}." in archive.name
    assert is_as_it_was(installed, at) == [DOUBTFUL, *HELD]


@pytest.mark.parametrize("version", range(4, schema.VERSION))
def test_an_older_schema_is_compared_and_brought_up(tmp_path, at, version):
    installed = released.unpack(EVERYONE[-1], tmp_path)
    older(installed, version)
    assert upgrade(installed) == version
    assert is_as_it_was(installed, at) == [DOUBTFUL, *HELD]


@pytest.mark.parametrize("statement", ALTERED)
def test_one_whose_rows_protect_less_is_refused_in_a_sentence(tmp_path, at, statement):
    installed = released.unpack(EVERYONE[-1], tmp_path)
    older(installed, schema.VERSION - 1)
    with closing(sqlite3.connect(installed.state / db.NAME)) as raw, raw:
        assert raw.execute(statement).rowcount
    for dry_run in (True, False):
        with pytest.raises(CatalogueError, match="nothing was upgraded") as refused:
            offline.upgrade(installed.config, dry_run=dry_run)
        assert ALTERED[statement] in str(refused.value)
        assert schema_of(installed) == schema.VERSION - 1


def test_this_version_is_among_them():
    made = "`python -m tests.support.released` makes it: commit it with the new number"
    assert f"{released.NAME}.tar.xz" in [path.name for path in EVERYONE], made


def test_it_is_made_the_same_each_time(tmp_path):
    """At least in what is signed."""
    heads = set()
    for name in ("one", "other"):
        packed = tmp_path / f"{name}.tar.xz"
        packed.write_bytes(released.make_here(tmp_path / "site"))
        found = released.unpack(packed, tmp_path / name)
        heads.add((found.settings.published_log / "checkpoint").read_text())
    assert len(heads) == 1
