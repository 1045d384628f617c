"""No reading stays open for ever: one that takes too long is ended, and says so."""

import re
from itertools import repeat
from pathlib import Path

import pytest
from sqlalchemy import text

import retention
from retention.catalogue import db
from retention.catalogue.db import Priority, get_meta, put_fact
from retention.model.errors import TooLongError
from retention.model.values import SECOND
from retention.reports.audit import audit_list
from retention.site import clock
from tests.support.site_ import ACTOR, NOW, Site

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM n) "


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    monkeypatch.setattr(db, "LONGEST_READ", SECOND // 20)
    made = db.create(tmp_path / db.NAME, {"uuid": "u", "site": "s"})
    yield made
    made.close()


def wal(catalogue):
    with catalogue.write(Priority.SCAN) as tx:
        put_fact(tx, "x", 1)
    with catalogue._writing.connect() as connection:
        raw = connection.connection.driver_connection
        busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return busy


@pytest.mark.parametrize("what", ["SELECT count(*) FROM n", "SELECT x FROM n"])
def test_a_query_without_an_end_is_ended_in_one_sentence(catalogue, what):
    with pytest.raises(TooLongError, match="ask for less"), catalogue.read() as tx:
        tx.execute(text(ENDLESS + what)).all()
    assert wal(catalogue) == 0  # nothing holds the log back
    with catalogue.read() as tx:
        assert get_meta(tx)["site"] == "s"


def test_many_short_statements_are_ended_as_one_long_one_is(catalogue):
    with pytest.raises(TooLongError, match="ask for less"), catalogue.read() as tx:
        list(map(get_meta, repeat(tx)))


def test_what_is_written_is_not_ended(catalogue, monkeypatch):
    monkeypatch.setattr(db, "LONGEST_READ", -1)
    with catalogue.write(Priority.SCAN) as tx:
        put_fact(tx, "x", 1)
        assert tx.execute(text(ENDLESS + "SELECT x FROM n LIMIT 100000")).all()


def test_only_what_can_not_be_had_in_parts_may_take_longer(catalogue, monkeypatch):
    monkeypatch.setattr(db, "LONGEST_READ", -1)
    assert db.quick_check(catalogue) is None
    with pytest.raises(TooLongError), catalogue.read() as tx:
        get_meta(tx)


def test_a_long_list_is_read_in_short_readings(tmp_path, monkeypatch):
    """The clock goes on by a millisecond with each statement."""
    site = Site(tmp_path)
    with site.catalogue.write(Priority.HOLD, site.log.by(ACTOR, NOW)) as tx:
        for number in range(2_000):
            tx.append("plan.approved", plan=number, digest=f"d{number}")
            tx.append("deletion.resumed", reason=f"because of {number}")
    size = site.size
    monkeypatch.setattr(db, "LONGEST_READ", SECOND)
    now = iter(range(0, 10**12, SECOND // 1_000))
    monkeypatch.setattr(clock, "monotonic", lambda: next(now))
    context = site.asked(site.whole())
    listed = audit_list(context, limit=3_000)
    assert [one.number for one in listed.entries] == list(range(size))[:-3_001:-1]
    rest = audit_list(context, limit=3_000, before=listed.before)
    assert [one.number for one in rest.entries] == list(range(size - 3_000))[::-1]
    (found,) = audit_list(context, kind="plan.approved", subject="plan:7").entries
    assert found.fields["digest"] == "d7"
    site.close()


WHOLE = {
    "catalogue/db.py": "quick_check: SQLite looks at the whole file in one statement",
    "holds/answer.py": "the hold stands by then, and every instant of it is accounted for",
    "publication/restoring.py": "nothing else is at work; the directory may be slow",
    "reports/audit.py": "balance: log and rows as of one instant",
    "reports/live.py": "a report rests on one signed head, and may be one of years",
    "reports/rollup.py": "balance, once for a catalogue and after each restoration",
}
"""Who may read for longer than others, and why."""


def test_who_reads_for_longer_is_listed_here():
    package = Path(retention.__file__).parent
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"\.read\(whole=", path.read_text())
    }
    assert found == set(WHOLE)
