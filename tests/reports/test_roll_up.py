"""The entries `recordings.recorded`: what was catalogued since the last one."""

import json
from contextlib import suppress
from hashlib import sha256

import pytest

from retention.catalogue import recordings, tally
from retention.catalogue.db import Priority
from retention.model.values import Recording
from retention.reports import rollup
from retention.tlog.canonical import base64url
from retention.tlog.kinds import KINDS
from tests.support.bookkeeping import ACTOR, DAY, HOUR, MINUTE, NOW, Bookkeeper
from tests.support.dated import Dated
from tests.support.dated import append as append_dated

MIDNIGHT = NOW // DAY * DAY


def chained(rows: list[list[int]]) -> str:
    digest = b""
    for row in rows:
        item = json.dumps(row, separators=(",", ":")).encode()
        digest = sha256(digest + item).digest()
    return base64url(digest)


def test_a_row_for_each_camera_and_day_of_the_start(keeper: Bookkeeper) -> None:
    before, after = MIDNIGHT - DAY - MINUTE, MIDNIGHT - DAY
    for camera, start, size in (("a", before, 5), ("a", after, 7), ("b", after, 9)):
        keeper.write(camera, start, size)
    keeper.scan()
    assert keeper.roll_up() == 3
    (entry,) = keeper.entries("recordings.recorded")
    assert entry["fields"] == {
        "origin": "catalogued", "recordings": 3, "duration": 3 * MINUTE, "bytes": 21,
    }  # fmt: skip
    day = after // DAY
    assert keeper.rows(entry["index"]) == [
        {"camera": camera, "day": on, "count": 1, "duration": MINUTE, "bytes": size,
         "digest": chained([[start, 0, MINUTE, size, keeper.stream(id)]]), "gaps": 0,
         "hours": hours}
        for camera, on, start, size, id, hours in (
            (1, day - 1, before, 5, "a", 1 << 23), (1, day, after, 7, "a", 1),
            (2, day, after, 9, "b", 1),
        )
    ]  # fmt: skip


def test_more_bytes_than_an_entry_can_say_are_in_several(keeper: Bookkeeper) -> None:
    """Sparse files say what they like: 600,000 of 15 GiB in an hour."""
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    with keeper.site.catalogue.write(Priority.SCAN) as tx:
        (line,) = tally.take(tx, 9)
        for day in range(3):
            huge = line._replace(day=line.day - day, size=2**52)
            marks = ", ".join("?" * len(huge))
            tx.exec_driver_sql(f"INSERT INTO tally VALUES ({marks})", tuple(huge))
    keeper.roll_up()
    entries = keeper.entries("recordings.recorded")
    assert [one["fields"]["bytes"] for one in entries] == [2**52] * 3


def test_the_digest_goes_on_over_all_that_came_in_the_hour(keeper: Bookkeeper) -> None:
    starts = [MIDNIGHT - DAY + n * 2 * MINUTE for n in range(4)]
    for start in starts:
        keeper.write("a", start)
        keeper.scan()
    (line,) = keeper.waiting()
    rows = [[start, 0, MINUTE, 10, 1] for start in starts]
    assert base64url(line.digest) == chained(rows)


def test_what_was_not_recorded_between_two_recordings_is_a_gap(
    keeper: Bookkeeper,
) -> None:
    for start in (
        0,
        MINUTE,
        5 * MINUTE,
    ):  # one after the other, then three minutes none
        keeper.write("a", MIDNIGHT - DAY + start)
        keeper.scan()  # in the order of their days, or not
    keeper.write("a", MIDNIGHT - DAY + 7 * MINUTE)
    keeper.scan()
    keeper.roll_up()
    (entry,) = keeper.entries("recordings.recorded")
    (row,) = keeper.rows(entry["index"])
    assert (row["count"], row["gaps"]) == (4, 4 * MINUTE)


@pytest.mark.parametrize(
    ("start", "length", "hours"),
    [
        (5 * HOUR, HOUR, [5]),
        (5 * HOUR - 1, 1, [4]),
        (5 * HOUR - 1, 2, [4, 5]),
        (5 * HOUR, 3 * HOUR, [5, 6, 7]),
        (23 * HOUR, 2 * HOUR, [23, 24]),
        (23 * HOUR, 9 * DAY, list(range(23, 48))),
        (0, DAY, list(range(24))),
    ],
)
def test_which_hours_of_the_day_have_footage_is_told(start, length, hours) -> None:
    """What goes on past midnight has hours of the day after."""
    bits = tally.hours_of(9, [Recording(1, 9 * DAY + start, 0, length, 10)])
    assert [hour for hour in range(64) if bits >> hour & 1] == hours


def test_the_hours_of_all_that_came_are_told_together(keeper: Bookkeeper) -> None:
    for hour in (2, 0, 7):
        keeper.write("a", MIDNIGHT - DAY + hour * HOUR)
        keeper.scan()
    keeper.roll_up()
    (entry,) = keeper.entries("recordings.recorded")
    (row,) = keeper.rows(entry["index"])
    assert row["hours"] == 0b10000101


def test_what_waited_when_the_program_was_renewed_tells_no_hours(
    keeper: Bookkeeper,
) -> None:
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    with keeper.site.catalogue.write(Priority.SCAN) as tx:
        tx.exec_driver_sql("UPDATE tally SET hours = NULL")
    keeper.write("a", MIDNIGHT - DAY + HOUR)
    keeper.scan()
    keeper.roll_up()
    (entry,) = keeper.entries("recordings.recorded")
    (row,) = keeper.rows(entry["index"])
    assert (row["count"], row["hours"]) == (2, None)


def test_nothing_is_written_where_nothing_came(keeper: Bookkeeper) -> None:
    assert keeper.roll_up() == 0
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    assert (keeper.roll_up(), keeper.roll_up()) == (1, 0)
    assert len(keeper.entries("recordings.recorded")) == 1


def test_a_late_find_is_a_supplement_to_its_day(keeper: Bookkeeper) -> None:
    for minute in (0, 5):
        keeper.write("a", MIDNIGHT - 3 * DAY + minute * MINUTE)
        keeper.scan()
        keeper.roll_up()
    one, two = keeper.entries("recordings.recorded")
    assert [row["day"] for n in (one, two) for row in keeper.rows(n["index"])] == [
        (MIDNIGHT - 3 * DAY) // DAY
    ] * 2
    (day,) = keeper.balance()["days"]
    assert day["recorded"]["recordings"] == 2


def test_what_is_in_quarantine_counts_as_recorded(keeper: Bookkeeper) -> None:
    keeper.write("a", MIDNIGHT - DAY, off=5 * HOUR)
    keeper.scan()
    keeper.roll_up()
    (day,) = keeper.balance()["days"]
    assert day["recorded"] == day["quarantined"] != day["present"]


def test_a_crash_while_it_is_written_leaves_all_of_it_waiting(
    keeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    before = keeper.waiting()
    monkeypatch.setattr(type(keeper.site.log), "time", _crash)
    with pytest.raises(KeyboardInterrupt):
        keeper.roll_up()
    monkeypatch.undo()
    assert keeper.waiting() == before
    assert keeper.roll_up() == 1
    assert keeper.balance()["balanced"]


def _crash(*_: object) -> int:
    raise KeyboardInterrupt


def test_rows_that_are_not_committed_are_not_counted(keeper: Bookkeeper) -> None:
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    before = keeper.waiting()
    with suppress(KeyboardInterrupt), keeper.site.catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [Recording(1, MIDNIGHT, 0, MINUTE, 10)])
        raise KeyboardInterrupt
    assert keeper.waiting() == before


def test_many_lines_are_several_entries(
    keeper: Bookkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup, "LINES", 3)
    for day in range(7):
        keeper.write("a", MIDNIGHT - (day + 2) * DAY)
    keeper.scan()
    assert keeper.roll_up() == 7
    found = keeper.entries("recordings.recorded")
    assert [entry["rows"] for entry in found] == [3, 3, 1]
    assert keeper.balance()["balanced"]


# -- a log that lacks what the catalogue has ----------------------------------------


def test_an_older_catalogue_gets_its_opening_balance_once(keeper: Bookkeeper) -> None:
    """As after `schema upgrade`: rows and deletions that no roll-up speaks of."""
    old = [MIDNIGHT - 40 * DAY + n * MINUTE for n in range(5)]
    for start in [*old, MIDNIGHT - DAY]:
        keeper.write("a", start)
    keeper.scan()
    keeper.cycle()
    keeper.tamper("DELETE FROM tally")
    assert not keeper.balance()["balanced"]
    assert keeper.settle_books()
    assert not keeper.settle_books()
    (entry,) = keeper.entries("recordings.recorded")
    assert (entry["fields"]["origin"], entry["fields"]["recordings"]) == (
        "corrected",
        6,
    )
    assert keeper.balance()["balanced"]


def test_after_a_restoration_what_is_found_again_counts_once(
    keeper: Bookkeeper,
) -> None:
    """The backup had neither the second file nor its roll-up; the log brought back has."""
    for minute in (0, 5):
        keeper.write("a", MIDNIGHT - DAY + minute * MINUTE)
        keeper.scan()
        keeper.settle_books()
        keeper.roll_up()
    keeper.tamper(
        "DELETE FROM recording WHERE start > (SELECT min(start) FROM recording)"
    )
    with keeper.site.catalogue.write(Priority.SCAN) as tx:
        append_dated(
            keeper.site.log,
            tx,
            Dated("catalogue.restored", NOW, ACTOR, blank("catalogue.restored")),
        )
    assert keeper.settle_books()
    assert keeper.balance()["balanced"]
    keeper.restart()
    keeper.scan()
    keeper.roll_up()
    answer = keeper.balance()
    assert answer["balanced"]
    assert answer["total"]["present"]["recordings"] == 2


def blank(kind: str) -> dict[str, object]:
    """Fields as the kind takes them, with nothing in them."""
    empty = {"int": 0, "text": "", "ints": [], "texts": [], "object": {}, "path": "",
             "bool": False}  # fmt: skip
    return {field.name: empty[field.type] for field in KINDS[kind].fields}


def test_damage_is_not_corrected_away(keeper: Bookkeeper) -> None:
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    keeper.roll_up()
    keeper.tamper(
        "DROP TRIGGER entry_rows_update", "UPDATE entry_rows SET bytes = x'00'"
    )
    assert not keeper.settle_books()


# -- the tally itself ---------------------------------------------------------------


def test_lines_come_out_in_parts_and_once(keeper: Bookkeeper) -> None:
    with keeper.site.catalogue.write(Priority.SCAN) as tx:
        for day in range(5):
            tx.exec_driver_sql(
                "INSERT INTO tally VALUES (1, ?, 1, 1, 1, x'', 0, 1, 1)", (day,)
            )
        assert [line.day for line in tally.take(tx, 3)] == [0, 1, 2]
        assert [line.day for line in tally.take(tx, 3)] == [3, 4]
        assert tally.is_empty(tx)


def test_days_before_1970_are_counted_down(keeper: Bookkeeper) -> None:
    keeper.write("a", MIDNIGHT - DAY)
    keeper.scan()
    with keeper.site.catalogue.write(Priority.SCAN) as tx:
        recordings.insert(tx, [Recording(1, -HOUR, 0, MINUTE, 10)])
        found = [one.day for one in tally.there(tx)]
    assert found == [-1, (MIDNIGHT - DAY) // DAY]
    assert keeper.balance()["balanced"]
