"""The one function that appends, and what the tables then hold."""

import sqlite3

import pytest
import sqlalchemy as sa

from retention.catalogue import log
from retention.catalogue.db import Priority
from retention.catalogue.entries import OF_CAMERA, listing
from retention.catalogue.log import Log
from retention.catalogue.log_check import verify_catalogue
from retention.model.errors import (
    CatalogueError,
    RetentionError,
    StaleError,
    UsageError,
    VerificationError,
)
from retention.model.values import DAY, FOREVER, HOUR, Rows
from retention.tlog import merkle, rows, seal
from retention.tlog.canonical import decode, encode, from_base64url
from retention.tlog.entry import previous
from retention.tlog.kinds import KINDS
from tests.support import logs
from tests.support.dated import Dated
from tests.support.dated import append as append_dated
from tests.support.logs import (
    NOW,
    SERVICE,
    a_log,
    append,
    batch_rows,
    completed,
    cooled,
    intended,
    released,
)


def stored(catalogue, number):
    with catalogue.read() as tx:
        return log.stored(tx, number, 1)[0]


def test_numbers_start_at_zero_and_have_no_gap(catalogue):
    assert append(catalogue, cooled(), cooled(), cooled()) == [1, 2, 3]
    with catalogue.read() as tx:
        assert log.size(tx) == 4
        assert [log.read(tx, n)["index"] for n in range(4)] == [0, 1, 2, 3]


def test_the_first_entry_says_what_the_log_is(catalogue):
    with catalogue.read() as tx:
        first = log.read(tx, 0)
    assert first["kind"] == "log.opened"
    assert first["fields"]["public_key"].startswith("AAECAwQF")
    assert first["fields"]["pruning"] == "none: no entry is ever removed"
    assert "prev" not in first


def test_an_entry_is_canonical_json_with_who_where_and_what(catalogue):
    append(catalogue, cooled(7))
    data = stored(catalogue, 1).data
    assert encode(decode(data)) == data
    said = decode(data)
    assert len(from_base64url(said.pop("salt"))) == 16
    assert said == {
        "v": 1,
        "index": 1,
        "kind": "hold.cooled",
        "at": NOW,
        "site": "leicester",
        "host": "cctv-01",
        "program": "0.1.0",
        "policy": 0,
        "actor": {"uid": 990, "login": 4294967295, "pid": 4711, "role": "service"},
        "fields": {"hold": 7},
        "subject": "hold:7",
        "prev": previous(stored(catalogue, 0).data),
    }


def envelope(catalogue, *names):
    with catalogue.read() as tx:
        entry = log.read(tx, log.size(tx) - 1)
    return [entry.get(name) for name in names]


def test_an_entry_says_what_it_is_about(catalogue):
    append(catalogue, intended(batch_rows()))
    assert envelope(catalogue, "subject", "correlation") == ["root:nvr1", None]


def test_an_entry_says_what_it_follows_from(catalogue):
    rows = batch_rows()
    (intent,) = append(catalogue, intended(rows))
    append(catalogue, completed(intent, rows))
    assert envelope(catalogue, "subject", "correlation") == [None, f"intent:{intent}"]


def test_a_release_is_about_its_hold_and_follows_from_the_request(catalogue):
    fields = {"hold": 17, "free_at": NOW, "request": 45, "reason": "case closed"}
    append(catalogue, Dated("hold.released", NOW, SERVICE, fields))
    assert envelope(catalogue, "subject", "correlation") == ["hold:17", "request:45"]


def test_an_entry_that_follows_from_nothing_does_not_say_so(catalogue):
    """A release that takes only one person has no request."""
    append(catalogue, logs.released())
    assert envelope(catalogue, "correlation") == [None]


def test_why_is_called_reason_in_every_kind():
    """An auditor reads who said why of an entry of any kind under one name."""
    texts = {field.name for kind in KINDS.values() for field in kind.fields}
    assert "reason" in texts
    assert not texts & {"why", "because", "note", "comment", "justification"}


def test_a_reason_is_never_in_clear():
    clear = [
        kind.name
        for kind in KINDS.values()
        for field in kind.fields
        if field.name == "reason" and not field.committed
    ]
    assert clear == []


def test_an_entry_says_when_it_was_written_whatever_the_cycle_goes_by(catalogue):
    """A cycle of thousands of files takes long, and its proofs say when each was gone."""
    times = iter((NOW + 1, NOW + 9))
    slow = Log(site="s", host="h", program="p", clock=lambda: next(times))
    for _ in range(2):
        with catalogue.write(Priority.HOLD) as tx:
            append_dated(slow, tx, cooled())
    with catalogue.read() as tx:
        assert [log.read(tx, n)["at"] for n in (1, 2)] == [NOW + 1, NOW + 9]
        column = tx.exec_driver_sql("SELECT at FROM entry WHERE number > 0").scalars()
        assert list(column) == [NOW + 1, NOW + 9]


def test_the_policy_in_force_is_in_the_entry(catalogue):
    with catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql("INSERT INTO policy VALUES (3, 0, 28, '{}')")
        append_dated(a_log(), tx, cooled())
    with catalogue.read() as tx:
        assert log.read(tx, 1)["policy"] == 3


def test_the_head_is_the_tree_over_the_stored_bytes(catalogue):
    append(catalogue, *(cooled(n) for n in range(20)))
    with catalogue.read() as tx:
        leaves = [merkle.leaf(one.data) for one in log.stored(tx, 0, 100)]
        frontier = merkle.Frontier.from_bytes(*log.head(tx))
    assert (frontier.size, frontier.root()) == (21, merkle.root(leaves))


def append_and_fail(catalogue):
    with catalogue.write(Priority.HOLD) as tx:
        assert append_dated(a_log(), tx, logs.released()) == 1
        raise ZeroDivisionError


def test_an_entry_of_a_transaction_that_is_rolled_back_leaves_no_gap(catalogue):
    with pytest.raises(ZeroDivisionError):
        append_and_fail(catalogue)
    assert append(catalogue, cooled()) == [1]
    assert verify_catalogue(catalogue, deep=True).ok


def test_several_entries_of_one_transaction_follow_each_other(catalogue):
    with catalogue.write(Priority.HOLD) as tx:
        assert [append_dated(a_log(), tx, cooled()) for _ in range(3)] == [1, 2, 3]
    assert verify_catalogue(catalogue).ok


def test_an_entry_over_16_kib_is_refused_and_nothing_is_written(catalogue):
    """Over 65,535 bytes no bundle holds it, and by then its leaf would be signed."""
    entry = Dated("settings.loaded", NOW, SERVICE, {"digest": "x" * 17_000})
    with (
        pytest.raises(RetentionError, match="16384 is the most"),
        catalogue.write(Priority.HOLD) as tx,
    ):
        append_dated(a_log(), tx, entry)
    with catalogue.read() as tx:
        assert log.size(tx) == 1


def test_an_entry_of_16_kib_is_taken(catalogue):
    empty = Dated("settings.loaded", NOW, SERVICE, {"digest": ""})
    append(catalogue, empty)
    room = seal.ENTRY_LIMIT - len(stored(catalogue, 1).data)
    append(catalogue, Dated("settings.loaded", NOW, SERVICE, {"digest": "x" * room}))
    assert len(stored(catalogue, 2).data) == seal.ENTRY_LIMIT


def test_a_committed_text_over_16_kib_is_refused(catalogue):
    with pytest.raises(RetentionError, match="its reason would take"):
        append(catalogue, logs.released("x" * 17_000))


def test_an_ordinary_batch_is_one_small_entry(catalogue):
    append(catalogue, intended(batch_rows(1000)))
    assert len(stored(catalogue, 1).data) <= 480


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET bytes=bytes",
        "DELETE FROM entry",
        "UPDATE entry_rows SET bytes=bytes",
        "DELETE FROM entry_rows",
        "UPDATE entry_camera SET hour=hour",
        "DELETE FROM entry_camera",
        "UPDATE disclosure SET text=text",
    ],
)
def test_the_tables_are_append_only(catalogue, statement):
    """Disclosures can be erased, never changed."""
    append(catalogue, logs.released(), intended(batch_rows()))
    with (
        pytest.raises(sa.exc.IntegrityError, match="append-only"),
        catalogue.write(Priority.HOLD) as tx,
    ):
        tx.exec_driver_sql(statement)


def test_the_head_only_grows(catalogue):
    for statement in (
        "UPDATE log_head SET size=size",
        "UPDATE log_head SET size=0",
        "DELETE FROM log_head",
    ):
        with (
            pytest.raises(sa.exc.IntegrityError, match=r"only grows|append-only"),
            catalogue.write(Priority.HOLD) as tx,
        ):
            tx.exec_driver_sql(statement)


def test_a_head_that_lags_behind_the_entries_stops_the_log(catalogue):
    append(catalogue, cooled(), cooled())
    with catalogue.read() as tx:
        leaf = merkle.leaf(log.stored(tx, 0, 1)[0].data)
    logs.tamper(catalogue, ("UPDATE log_head SET size=1, frontier=?", (leaf,)))
    with pytest.raises(CatalogueError, match="head knows nothing of"):
        append(catalogue, cooled())


def test_a_head_that_moved_meanwhile_is_not_overwritten(catalogue):
    """The row count of the head's update is checked."""
    with (
        pytest.raises(StaleError, match="grew meanwhile"),
        catalogue.write(Priority.HOLD) as tx,
    ):
        log.move_head(tx, 5, merkle.Frontier(6, (b"x" * 32, b"y" * 32)))


def test_nothing_comes_before_the_opening_of_the_log(catalogue):
    logs.tamper(
        catalogue, "DELETE FROM entry", "UPDATE log_head SET size=0, frontier=x''"
    )
    with pytest.raises(CatalogueError, match=r"begins with log\.opened"):
        append(catalogue, cooled())


def test_a_log_is_not_opened_twice(catalogue):
    with catalogue.read() as tx:
        fields = log.read(tx, 0)["fields"]
    with pytest.raises(CatalogueError, match=r"begins with log\.opened"):
        append(catalogue, Dated("log.opened", NOW, SERVICE, fields))


def test_people_and_free_text_are_not_in_the_bytes(catalogue):
    append(catalogue, logs.released())
    data = stored(catalogue, 1).data
    assert "Öztürk".encode() not in data
    assert "François".encode() not in data
    assert sorted(decode(data)["sd"]) == ["actor.name", "reason"]


def test_committed_fields_are_opened(catalogue):
    append(catalogue, logs.released())
    with catalogue.read() as tx:
        entry = log.opened(tx, 1)
    assert entry["fields"]["reason"] == "wrong camera: François said so"
    assert entry["actor"]["name"] == "Anna Öztürk"
    assert entry["withheld"] == []


def test_a_value_that_was_erased_is_withheld(catalogue):
    append(catalogue, logs.released())
    with catalogue.write(Priority.HOLD) as tx:
        tx.exec_driver_sql("DELETE FROM disclosure WHERE field='actor.name'")
    with catalogue.read() as tx:
        entry = log.opened(tx, 1)
    assert "name" not in entry["actor"]
    assert entry["withheld"] == ["actor.name"]
    assert verify_catalogue(catalogue).withheld == 1


def test_another_disclosure_is_not_believed(catalogue):
    append(catalogue, logs.released(), logs.released("another reason"))
    logs.tamper(
        catalogue,
        "UPDATE disclosure SET text=(SELECT text FROM disclosure "
        "WHERE entry=2 AND field='reason') WHERE entry=1 AND field='reason'",
    )
    with catalogue.read() as tx, pytest.raises(VerificationError, match="entry 1"):
        log.opened(tx, 1)


def test_no_reason_given_is_said_in_clear(catalogue):
    append(catalogue, Dated("deletion.resumed", NOW, SERVICE))
    with catalogue.read() as tx:
        entry = log.read(tx, 1)
    assert entry["fields"] == {"reason": None}
    assert "sd" not in entry


def test_rows_lie_beside_the_entry(catalogue):
    table = batch_rows()
    append(catalogue, intended(table))
    with catalogue.read() as tx:
        found = log.read_rows(tx, 1)
        assert log.read(tx, 1)["rows"] == 10
        assert log.read_rows(tx, 0) is None
    assert [row[:7] for row in found.values] == [row[:7] for row in table.values]


def test_rows_may_be_prepared_before_the_transaction(catalogue):
    table = batch_rows()
    entry = intended(table)
    ready = rows.prepare(table)
    append(catalogue, Dated(entry.kind, entry.at, entry.actor, entry.fields, ready))
    assert stored(catalogue, 1).rows == ready.data
    assert verify_catalogue(catalogue, deep=True).ok


def test_a_row_file_that_was_changed_is_not_read(catalogue):
    append(catalogue, intended(batch_rows()))
    other = rows.prepare(batch_rows()).data
    logs.tamper(catalogue, ("UPDATE entry_rows SET bytes=?", (other,)))
    with catalogue.read() as tx, pytest.raises(VerificationError, match="row file"):
        log.read_rows(tx, 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"count": 11}, "11 rows and has 10"),
        ({"bytes": 1}, "add up to"),
        ({"count": "10"}, "count is '10', should be int"),
        ({"count": True}, "should be int"),
        ({"root": None}, "should be text"),
        ({"what": 1}, "no field what"),
    ],
)
def test_an_entry_that_is_not_as_declared_is_refused(catalogue, changed, message):
    entry = intended(batch_rows())
    wrong = Dated(entry.kind, NOW, SERVICE, {**entry.fields, **changed}, entry.rows)
    with pytest.raises((TypeError, ValueError), match=message):
        append(catalogue, wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        Dated("no.such", NOW, SERVICE),
        Dated("hold.cooled", NOW, SERVICE),
        Dated("hold.cooled", NOW, SERVICE, {"hold": 1.0}),
        Dated("hold.cooled", NOW, SERVICE, {"hold": 1}, Rows(("camera",), [(1,)])),
        Dated("recordings.lost", NOW, SERVICE, {"count": 0, "bytes": 0, "held": 0}),
        Dated(
            "recordings.reappeared", NOW, SERVICE, {"count": 1}, Rows(("a",), [(1,)])
        ),
    ],
)
def test_kinds_fields_and_rows_that_are_not_declared_are_refused(catalogue, wrong):
    with pytest.raises(TypeError, match=wrong.kind.replace(".", r"\.") + "|hold"):
        append(catalogue, wrong)


def test_text_without_a_utf8_form_is_a_usage_error(catalogue):
    with pytest.raises(UsageError, match="the reason contains"):
        append(catalogue, logs.released(b"\xff".decode("utf-8", "surrogateescape")))


def test_a_path_of_any_bytes_is_written(catalogue):
    fields = {"camera": 1, "root": "nvr1", "count": 1, "path": b"anpr/\xff.mp4"}
    append(catalogue, Dated("custody.alarm", NOW, SERVICE, fields))
    with catalogue.read() as tx:
        assert log.read(tx, 1)["fields"]["path"] == "anpr/%FF.mp4"


def test_every_kind_has_a_meaning_and_no_field_twice():
    for kind in KINDS.values():
        names = [field.name for field in kind.fields]
        assert kind.meaning.endswith((".", "]."))
        assert len(names) == len(set(names))


def test_entries_are_listed_newest_first_and_page_by_page(catalogue):
    append(catalogue, *(cooled(n) for n in range(5)))
    with catalogue.read() as tx:
        first = listing(tx, limit=2)
        then = listing(tx, limit=2, before=first[-1]["index"])
        assert [one["index"] for one in (*first, *then)] == [5, 4, 3, 2]


def test_entries_are_listed_by_kind_and_time(catalogue):
    append(catalogue, cooled(), Dated("service.stopped", NOW + 5, SERVICE), cooled())
    with catalogue.read() as tx:
        assert [e["index"] for e in listing(tx, kind="hold.cooled")] == [3, 1]
        assert [e["index"] for e in listing(tx, since=NOW + 1)] == [2]
        assert [e["index"] for e in listing(tx, since=NOW + 5, until=NOW + 6)] == [2]
        assert listing(tx, since=NOW + 6) == []


def test_entries_are_found_by_camera_and_hour_of_the_footage(catalogue):
    hour = NOW // HOUR * HOUR
    for camera, start in ((1, hour), (1, hour + HOUR), (2, hour)):
        append(
            catalogue,
            Dated(
                "hold.cooled",
                NOW,
                SERVICE,
                {"hold": 1},
                spans=((camera, start, start + 1),),
            ),
        )
    with catalogue.read() as tx:
        at = lambda **when: [e["index"] for e in listing(tx, **when)]  # noqa: E731
        assert at(camera=1) == [2, 1]
        assert at(camera=1, since=hour, until=hour + HOUR) == [1]
        assert at(camera=1, since=hour + HOUR) == [2]
        assert at(camera=2) == [3]
        assert at(camera=3) == []


def test_a_look_up_reads_the_hours_asked_for_and_no_others(catalogue):
    """A camera gathers half a million index rows a year."""
    with catalogue.read() as tx:
        plan = tx.exec_driver_sql(
            f"EXPLAIN QUERY PLAN {OF_CAMERA}",
            {"camera": 1, "first": 2, "last": 3, "long": rows.LONG},
        )
        assert any("hour>? AND hour<?" in step.detail for step in plan)


def test_an_open_ended_hold_is_one_row_of_the_index(catalogue):
    append(
        catalogue,
        Dated("hold.cooled", NOW, SERVICE, {"hold": 1}, spans=((1, NOW, FOREVER),)),
    )
    with catalogue.read() as tx:
        assert len(listing(tx, camera=1, since=NOW + 900 * DAY)) == 1
        count = tx.exec_driver_sql("SELECT count(*) FROM entry_camera").scalar_one()
    assert count == 1


def test_an_intent_finds_its_completion(catalogue):
    table = batch_rows()
    append(catalogue, intended(table), intended(table))
    with catalogue.read() as tx:
        assert log.completion(tx, 1) is None
    append(catalogue, completed(2, table), completed(1, table))
    with catalogue.read() as tx:
        assert (log.completion(tx, 1), log.completion(tx, 2)) == (4, 3)


def test_a_number_that_is_not_there_is_said_so(catalogue):
    with catalogue.read() as tx, pytest.raises(RetentionError, match="no entry 9"):
        log.read(tx, 9)


def test_sqlite_itself_finds_the_catalogue_whole(catalogue):
    append(catalogue, intended(batch_rows()))
    raw = sqlite3.connect(catalogue.path)
    assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    raw.close()


def test_no_entry_that_may_be_withheld_can_be_guessed(catalogue):
    """By its hash: each has a salt, commitments or rows; what is always public has none."""
    stopped = Dated("service.stopped", NOW, SERVICE)
    append(catalogue, cooled(7), released(), intended(batch_rows(1)), stopped)
    found = [decode(stored(catalogue, number).data) for number in range(1, 5)]
    random = [{"salt", "sd", "rows_root"} & one.keys() for one in found]
    assert random == [{"salt"}, {"sd"}, {"rows_root"}, set()]
    append(catalogue, cooled(7))
    assert decode(stored(catalogue, 5).data)["salt"] != found[0]["salt"]
