"""What somebody changes behind the triggers is found, and where it was changed."""

import json

import pytest

from retention.catalogue import log
from retention.catalogue.db import Priority
from retention.catalogue.log_check import Fault, verify, verify_catalogue
from retention.model.values import Rows
from retention.tlog import merkle, rows
from retention.tlog.canonical import base64url, decode, encode
from retention.tlog.entry import Stored, previous
from retention.tlog.verify.findings import Missing
from tests.support import logs
from tests.support.dated import append as append_dated
from tests.support.logs import (
    append,
    batch_rows,
    completed,
    cooled,
    intended,
    released,
    tamper,
)

TABLE = batch_rows(10)
EXCEPTIONS = {3: "rescued", 7: "absent_after_crash"}


@pytest.fixture
def full(catalogue):
    """0 opened, 1-2 cooled, 3 released, 4 intent, 5 completion, 6-8 cooled."""
    append(
        catalogue,
        *(cooled(1), cooled(2), released(), intended(TABLE)),
        *(completed(4, TABLE, EXCEPTIONS), cooled(6), cooled(7), cooled(8)),
    )
    return catalogue


def fault(catalogue, deep=True):
    return verify_catalogue(catalogue, deep=deep).fault


def entry_bytes(catalogue, number):
    with catalogue.read() as tx:
        return log.stored(tx, number, 1)[0].data


def rewrite(catalogue, number, **fields):
    """Change fields of an entry in place; nothing else is put right."""
    entry = decode(entry_bytes(catalogue, number))
    entry["fields"] |= fields
    put(catalogue, number, encode(entry))


def put(catalogue, number, data):
    tamper(catalogue, ("UPDATE entry SET bytes=? WHERE number=?", (data, number)))


def forge_head(catalogue):
    """Make the head fit what is in the table now, as a thorough forger would."""
    with catalogue.read() as tx:
        entries = log.stored(tx, 0, 1000)
    frontier = merkle.Frontier()
    for one in entries:
        frontier = frontier.append(merkle.leaf(one.data))
    tamper(
        catalogue,
        (
            "UPDATE log_head SET size=?, frontier=?",
            (frontier.size, frontier.to_bytes()),
        ),
    )


@pytest.mark.parametrize("deep", [False, True])
def test_an_honest_log_is_intact(full, deep):
    report = verify_catalogue(full, deep=deep)
    assert report.ok
    assert (report.size, report.intact, report.open_intents) == (9, 9, [])
    assert report.rows == (12 if deep else 0)


def test_an_intent_without_completion_is_open_and_no_fault(full):
    append(full, intended(TABLE))
    assert verify_catalogue(full).open_intents == [9]


def test_verification_goes_from_page_to_page(full, monkeypatch):
    monkeypatch.setattr("retention.catalogue.log_check.PAGE", 2)
    assert verify_catalogue(full, deep=True).intact == 9


def test_a_changed_entry_is_named(full):
    rewrite(full, 2, hold=99)
    assert fault(full) == Fault(2, "was changed after entry 3 was written behind it")


def test_a_changed_last_entry_or_head_is_named(full):
    rewrite(full, 8, hold=99)
    found = fault(full)
    assert found.entry == 8
    assert found.what.startswith("or the head was changed")


def test_a_changed_entry_is_found_though_the_head_was_made_to_fit(full):
    rewrite(full, 2, hold=99)
    forge_head(full)
    assert fault(full).entry == 2


def test_bytes_that_only_look_the_same_are_another_entry(full):
    """Verification hashes what is stored and never writes it again."""
    put(full, 2, entry_bytes(full, 2).replace(b":", b": ", 1))
    assert fault(full).entry == 2


def test_a_removed_entry_is_named(full):
    tamper(full, "DELETE FROM entry WHERE number=6")
    assert fault(full) == Fault(6, "is missing: 7 follows")


def test_a_removed_entry_is_named_though_the_rest_moved_up(full):
    tamper(
        full,
        "DELETE FROM entry WHERE number=6",
        "UPDATE entry SET number=6 WHERE number=7",
        "UPDATE entry SET number=7 WHERE number=8",
    )
    assert fault(full) == Fault(6, "is not here: entry 7 is in its place")


def test_a_log_that_was_cut_short_is_named(full):
    tamper(full, "DELETE FROM entry WHERE number=8")
    assert fault(full) == Fault(8, "is missing: the head says 9 entries")


def test_swapped_entries_are_named(full):
    first, second = entry_bytes(full, 6), entry_bytes(full, 7)
    put(full, 6, second)
    put(full, 7, first)
    assert fault(full) == Fault(6, "is not here: entry 7 is in its place")


def test_swapped_entries_are_named_though_they_were_renumbered(full):
    first, second = decode(entry_bytes(full, 6)), decode(entry_bytes(full, 7))
    put(full, 6, encode(second | {"index": 6}))
    put(full, 7, encode(first | {"index": 7}))
    forge_head(full)
    assert fault(full).entry == 5


def test_an_appended_entry_is_beyond_the_head(full):
    data = encode(decode(entry_bytes(full, 8)) | {"index": 9})
    tamper(full, ("INSERT INTO entry VALUES (9, 0, 'hold.cooled', ?)", (data,)))
    assert fault(full) == Fault(9, "is beyond the head, which says 9 entries")


def test_an_entry_far_beyond_the_head_is_named(full):
    tamper(full, "INSERT INTO entry VALUES (900, 0, 'hold.cooled', x'7b7d')")
    assert fault(full).entry == 900


def test_a_wrong_head_is_found(full):
    tamper(full, "UPDATE log_head SET frontier=zeroblob(64)")
    assert fault(full).what.startswith("or the head was changed")


@pytest.mark.parametrize("size", [3, 8, 10])
def test_a_head_of_another_size_is_found(full, size):
    bits = b"x" * 32 * size.bit_count()
    tamper(full, ("UPDATE log_head SET size=?, frontier=?", (size, bits)))
    assert fault(full) is not None


def test_a_head_that_is_no_frontier_is_found(full):
    tamper(full, "UPDATE log_head SET frontier=x'00'")
    assert "no frontier" in fault(full).what


@pytest.mark.parametrize("deep", [False, True])
def test_a_changed_row_file_is_named(full, deep):
    other = rows.prepare(TABLE).data
    tamper(full, ("UPDATE entry_rows SET bytes=? WHERE entry=4", (other,)))
    assert fault(full, deep) == Fault(4, "has a row file that was changed")


def test_a_removed_row_file_is_named(full):
    tamper(full, "DELETE FROM entry_rows WHERE entry=5")
    assert fault(full) == Fault(5, "lacks its row file", Missing.ROWS)


def test_a_row_file_of_an_entry_without_rows_is_named(full):
    tamper(full, ("INSERT INTO entry_rows VALUES (6, ?)", (b"x",)))
    assert fault(full) == Fault(6, "has a row file that it does not speak of")


def test_rows_of_another_root_are_found_by_the_deep_check(full):
    """File and digest were made to fit; the root over the rows was not."""
    ready = rows.prepare(TABLE)
    entry = decode(entry_bytes(full, 4)) | {"rows_sha256": rows.digest(ready.data)}
    put(full, 4, encode(entry))
    tamper(full, ("UPDATE entry_rows SET bytes=? WHERE entry=4", (ready.data,)))
    assert fault(full) == Fault(4, "has rows of another root than it says")


def test_a_changed_disclosure_is_named(full):
    append(full, released("another"))
    tamper(
        full,
        "UPDATE disclosure SET text=(SELECT text FROM disclosure "
        "WHERE entry=9 AND field='reason') WHERE entry=3 AND field='reason'",
    )
    assert fault(full).entry == 3
    assert "reason" in fault(full).what


def test_a_disclosure_that_was_never_committed_is_named(full):
    tamper(full, "INSERT INTO disclosure VALUES (6, 'reason', 'x')")
    assert fault(full) == Fault(6, "discloses reason, which it never committed")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE entry SET kind='hold.placed' WHERE number=6",
        "UPDATE entry SET at=at+1 WHERE number=6",
    ],
)
def test_a_changed_copy_that_entries_are_found_by_is_named(full, change):
    """Else an entry could be hidden from every list without a byte of it changed."""
    tamper(full, change)
    assert fault(full).entry == 6
    assert "is listed with" in fault(full).what


def test_an_intent_hidden_from_the_index_is_found_by_the_deep_check(full):
    tamper(full, "DELETE FROM entry_camera WHERE camera=2")
    assert fault(full).entry == 4
    assert "the index was changed" in fault(full).what
    assert verify_catalogue(full, deep=False).ok


COUNTS = decode(encode(completed(4, TABLE, EXCEPTIONS).fields))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"deleted": 9}, "11 outcomes of 10 files"),
        ({"deleted": 9, "rescued": 0}, "2 exceptions are listed"),
        ({"rescued": 0, "failed": 1}, "0 are counted"),
        ({"bytes": 10**12}, "bytes of"),
        ({"bytes": COUNTS["bytes"] + 1}, "bytes were counted"),
        ({"intent": 3}, "completes 3, which is no open intent"),
    ],
)
def test_a_completion_that_does_not_add_up_is_named(catalogue, changed, message):
    """Written so by the program itself: hashes and head are all in order."""
    append(catalogue, cooled(1), cooled(2), released(), intended(TABLE))
    append(catalogue, completed(4, TABLE, EXCEPTIONS, **changed))
    assert fault(catalogue).entry == 5
    assert message in fault(catalogue).what


@pytest.mark.parametrize(
    ("exceptions", "message"),
    [
        ([(3, "rescued"), (3, "rescued")], "a row that there is not"),
        ([(3, "rescued"), (10, "rescued")], "a row that there is not"),
        ([(3, "failed"), (4, "rescued")], "1 rows are rescued, 2 are counted"),
    ],
)
def test_exceptions_that_do_not_add_up_are_named(catalogue, exceptions, message):
    entry = completed(1, TABLE, {3: "rescued", 4: "rescued"})
    append(catalogue, intended(TABLE))
    entry.rows.values[:] = exceptions
    append(catalogue, entry)
    assert fault(catalogue).entry == 2
    assert message in fault(catalogue).what


def test_a_batch_without_exceptions_must_have_all_bytes(catalogue):
    append(catalogue, intended(TABLE), completed(1, TABLE, bytes=5))
    assert fault(catalogue, deep=False).entry == 2


def test_a_batch_is_completed_once(full):
    append(full, completed(4, TABLE, EXCEPTIONS))
    assert "completes 4, which is no open intent" in fault(full).what


def chain(*entries):
    """Entries as a forger with all the keys would write them: every hash in order."""
    found = []
    for number, entry in enumerate(entries):
        entry = {"index": number, "fields": {}, "at": 0, "kind": "hold.cooled"} | entry
        if number:
            entry["prev"] = previous(found[-1].data)
        found.append(Stored(number, json.dumps(entry).encode()))
    return found


def checked(entries):
    root = merkle.root(merkle.leaf(one.data) for one in entries)
    return verify(entries, len(entries), root, deep=True)


OPENED = {"kind": "log.opened"}


@pytest.mark.parametrize(
    "entry",
    [
        OPENED,
        {"index": "1"},
        {"fields": 5, "kind": "deletion.intended"},
        {"kind": "deletion.intended"},
        {"kind": "recordings.deleted", "fields": {"intent": []}},
        {"rows_sha256": 5},
        {"sd": 5},
    ],
)
def test_entries_of_another_shape_are_faults_and_not_crashes(entry):
    assert checked(chain(OPENED, {})).ok
    assert checked(chain(OPENED, entry)).fault.entry == 1


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"5", b"\xff", b"[" * 9999, b'{"v":1,"v":1}']
)
def test_bytes_that_are_no_entry_are_faults_and_not_crashes(data):
    entries = [*chain(OPENED), Stored(1, data)]
    assert checked(entries).fault.entry == 1


def with_rows(table, **entry):
    """Dated 1 of a log, with a row file that fits what it says of its rows."""
    ready = rows.prepare(table)
    said = {"rows": ready.count, "rows_root": base64url(ready.root)}
    said["rows_sha256"] = rows.digest(ready.data)
    opened, one = chain(OPENED, said | entry)
    return [opened, one._replace(rows=ready.data)]


def test_rows_of_other_columns_than_the_kind_has_are_named():
    """A row is hashed by position: other columns would be another meaning."""
    table = Rows(("row", "cause"), [(0, "rescued")])
    assert checked(with_rows(table, kind="of.a.newer.program")).ok
    assert checked(with_rows(table, kind="recordings.deleted")).fault == Fault(
        1, "has rows of row cause"
    )


def test_fields_that_are_no_object_are_a_fault_and_not_a_crash():
    table = Rows(("row",), [(0,)])
    assert checked(with_rows(table, fields=5)).fault.entry == 1


def test_a_log_must_open():
    assert checked(chain({})).fault == Fault(0, "is hold.cooled: not where a log opens")


def test_an_empty_log_is_intact():
    assert verify([], 0, merkle.EMPTY).ok
    assert not verify([], 0, b"x" * 32).ok


def test_what_is_verified_is_named_by_its_root(full):
    report = verify_catalogue(full)
    with full.read() as tx:
        root = merkle.Frontier.from_bytes(*log.head(tx)).root()
    assert base64url(report.root) == base64url(root)


def test_verification_goes_on_while_others_write(full):
    """The head is read first: what is appended meanwhile is not part of the check."""
    with full.write(Priority.HOLD) as tx:
        append_dated(logs.a_log(), tx, cooled(9))
        assert verify_catalogue(full).size == 9
